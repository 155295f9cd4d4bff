//! Payment methods: the book of those that staff settles by hand and of the limits of providers, and what is offered for an order.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::ports::connected;
use byteshop_commands::use_cases;
use byteshop_domain::ids::OrderId;
use byteshop_domain::money::Money;
use byteshop_domain::order::Placed;
use byteshop_domain::payment::{Opened, Payment};
use byteshop_domain::payment_book::{self, ManualKind, ManualMethod, PaymentBook, ProviderLimit};
use byteshop_domain::text::{Country, Instructions, Slug, Title};
use byteshop_domain::{Bounded, Currency};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::payments::Provider;
use crate::app::{App, Shared};
use crate::edge::actor::{Admin, Caller, Staff};
use crate::edge::ask::{Ask, Of};
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::{conditional, lists};

/// The methods of a book.
type MethodList = Bounded<Vec<ManualMethod>, { payment_book::METHODS_MAX }>;

/// The limits of providers in a book.
type LimitList = Bounded<Vec<ProviderLimit>, { connected::Provider::ALL.len() }>;

/// Manual payment methods, and where providers are offered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewManualMethods, example = json!({"methods": [{"method": "sepa", "kind": "bank_transfer", "title": "Bank transfer", "instructions": "IBAN DE02 1203 0000 0000 2020 51\nHolder: ByteShop", "currencies": ["EUR"], "days": 7}, {"method": "counter", "kind": "elsewhere", "title": "At the counter", "instructions": "Pay at our counter, Monday to Friday.", "countries": ["DE"]}, {"method": "cash", "kind": "cash_on_delivery", "title": "Cash on delivery", "instructions": "Pay the carrier in cash.", "countries": ["DE"], "currencies": ["EUR"], "max_total": {"amount": 20000, "currency": "EUR"}}], "providers": [{"provider": "paypal", "countries": ["DE", "AT"], "currencies": ["EUR"]}]}))]
struct ManualMethods {
    /// Without duplicates. Buyers who chose a method before pay as they were told then.
    methods: MethodList,
    /// Where payment providers of the shop are offered, each once; a provider without a limit is offered everywhere. Empty by default.
    #[serde(default)]
    providers: LimitList,
}

/// A manual payment method.
#[derive(Serialize, ToSchema)]
#[schema(as = ManualMethod)]
struct ShownMethod<'a> {
    method: &'a Slug,
    /// How the money reaches the shop.
    kind: ManualKind,
    title: &'a Title,
    /// What the buyer has to do.
    instructions: &'a Instructions,
    /// The countries whose orders it is offered for; all if empty.
    countries: &'a [Country],
    /// The currencies in which it is offered; all if empty.
    currencies: &'a [Currency],
    /// The days to pay; null if the payment window stays as it is.
    days: Option<u16>,
    /// Whether only accounts may choose it.
    accounts_only: bool,
    /// The maximum total of the orders that it is offered for; null if there is none.
    max_total: Option<Money>,
}

impl<'a> From<&'a ManualMethod> for ShownMethod<'a> {
    fn from(it: &'a ManualMethod) -> Self {
        let ManualMethod { method, kind, title, instructions, countries, currencies, days, accounts_only, max_total } =
            it;
        let (kind, days, accounts_only, max_total) = (*kind, *days, *accounts_only, *max_total);
        Self { method, kind, title, instructions, countries, currencies, days, accounts_only, max_total }
    }
}

/// Where a payment provider is offered.
#[derive(Serialize, ToSchema)]
#[schema(as = ProviderLimit)]
struct ShownLimit<'a> {
    provider: connected::Provider,
    /// The countries whose orders it is offered for; all if empty.
    countries: &'a [Country],
    /// The currencies in which it is offered; all that it accepts if empty.
    currencies: &'a [Currency],
}

/// Manual payment methods, and where providers are offered.
#[derive(Serialize, ToSchema)]
#[schema(as = ManualMethods)]
struct ShownMethods<'a> {
    methods: Vec<ShownMethod<'a>>,
    /// The providers that are not offered everywhere.
    providers: Vec<ShownLimit<'a>>,
}

impl<'a> ShownMethods<'a> {
    fn of(book: &'a PaymentBook) -> Self {
        let limits = book.providers.values();
        let limits = limits.map(|ProviderLimit { provider, countries, currencies }| ShownLimit {
            provider: *provider,
            countries,
            currencies,
        });
        Self { methods: book.methods.values().map(ShownMethod::from).collect(), providers: limits.collect() }
    }
}

/// Replaces all manual payment methods, and the limits of payment providers.
///
/// Payments for which a buyer chose a method keep what the buyer was told. `If-Match` is required.
#[utoipa::path(put, path = "/v1/admin/payment-methods", operation_id = "replacePaymentMethods",
    tag = "payments", request_body = ManualMethods, security(("bearer" = ["admin"]), ("api_key" = ["settings:write"])),
    responses((status = 200, description = "The methods", body = ShownMethods),
        (status = 428, description = "`If-Match` is missing")))]
async fn set(State(app): State<Shared>, ask: Ask<Admin, ManualMethods>) -> Result<Response, Problem> {
    conditional::require(ask.if_match.as_ref())?;
    let ask = &ask;
    app.run(ask, "payment_book.set", |unit| async move {
        let mut book = unit.load::<PaymentBook>(payment_book::id()).await?;
        unit.check_version(&book)?;
        let ManualMethods { methods, providers } = &ask.body;
        use_cases::payment_book::set(&unit, &mut book, methods.to_vec(), providers.to_vec())?;
        Reply::ok(book.version, &ShownMethods::of(&book.state))
    })
    .await
}

/// All manual payment methods, and the limits of payment providers.
#[utoipa::path(get, path = "/v1/admin/payment-methods", operation_id = "getPaymentMethods",
    tag = "payments", security(("bearer" = ["staff"]), ("api_key" = ["settings:write"])),
    responses((status = 200, description = "The methods", body = ShownMethods)))]
async fn methods(State(app): State<Shared>, _staff: Staff, headers: HeaderMap) -> Result<Response, Problem> {
    app.await_log(&headers).await?;
    let found = app.commands.get::<PaymentBook>(payment_book::id()).await?;
    match found {
        Some(found) => reply::one(found.version, &ShownMethods::of(&found.state)),
        None => reply::one(0, &ShownMethods::of(&PaymentBook::default())),
    }
}

/// A way to pay an order.
#[derive(Serialize, ToSchema)]
struct PaymentOption<'a> {
    /// The `provider` of `POST /v1/orders/{id}/payments`.
    provider: Provider,
    /// The `method` there; null unless the provider is `manual`.
    #[schema(default = json!({"x-schema": {"example": "sepa"}}))]
    method: Option<&'a Slug>,
    /// How the money reaches the shop; null unless the provider is `manual`.
    kind: Option<ManualKind>,
    /// Null unless the provider is `manual`.
    title: Option<&'a Title>,
    /// Until when the order can be paid if this is chosen; null if it does not expire.
    pay_by: Option<DateTime<Utc>>,
}

#[derive(Serialize, ToSchema)]
struct PaymentOptions<'a> {
    /// Empty if the order does not wait for a payment.
    items: Vec<PaymentOption<'a>>,
}

impl<'a> PaymentOptions<'a> {
    fn of(app: &App, order: OrderId, placed: &'a Placed, due: Money, book: &'a PaymentBook) -> Self {
        if !placed.is_unpaid() {
            return Self { items: vec![] };
        }
        let now = app.commands.clock().now();
        let connected = app.commands.connected();
        let is_offered = |provider: &&connected::Provider| {
            app.commands.accepts(**provider, due) && book.offers(**provider, placed.sale())
        };
        let by_provider = connected.providers.iter().filter(is_offered).map(|provider| PaymentOption {
            provider: (*provider).into(),
            method: None,
            kind: None,
            title: None,
            pay_by: placed.placement.pay_by,
        });
        let manual = book.offered(placed.sale()).map(|method| PaymentOption {
            provider: Provider::Manual,
            method: Some(&method.method),
            kind: Some(method.kind),
            title: Some(&method.title),
            pay_by: placed.pay_by_within(order, method.days, now).filter(|_| !method.kind.is_on_delivery()),
        });
        Self { items: by_provider.chain(manual).collect() }
    }
}

impl From<connected::Provider> for Provider {
    fn from(provider: connected::Provider) -> Self {
        match provider {
            connected::Provider::Test => Self::Test,
            connected::Provider::Paypal => Self::Paypal,
        }
    }
}

/// Lists the ways to pay an order.
///
/// These are the payment providers of the shop and the manual methods that are offered in the country and the currency of the
/// order.
#[utoipa::path(get, path = "/v1/orders/{id}/payment-methods", operation_id = "listOrderPaymentMethods",
    tag = "payments", params(("id" = String, Path)),
    security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "The ways to pay", body = PaymentOptions)))]
async fn offered(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.seen_order(&caller, id, &Then::default(), &headers).await?;
    let book = app.commands.get::<PaymentBook>(payment_book::id()).await?;
    let book = book.map(|book| book.state).unwrap_or_default();
    let placed = found.state.live()?;
    let payment = app.commands.get::<Payment>(placed.placement.payment).await?;
    // What gift cards and store credit cover needs no other way to pay.
    let due = payment.as_ref().and_then(|it| it.state.live().ok()).map_or(placed.payable(), Opened::in_money);
    lists::page(&PaymentOptions::of(&app, id, placed, due, &book))
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(set, methods)).routes(routes!(offered))
}
