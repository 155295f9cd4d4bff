//! Payments: an order is paid with a token of the provider, which never goes further than the provider.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::ports::connected;
use byteshop_commands::ports::payment_test::waits_for_a_person;
use byteshop_commands::use_cases::payments;
use byteshop_commands::use_cases::stored_values::Purse;
use byteshop_commands::{Loaded, Paying};
use byteshop_domain::BoundedText;
use byteshop_domain::aftersales::Wanted;
use byteshop_domain::ids::{OrderId, PaymentId, RefundId};
use byteshop_domain::money::Money;
use byteshop_domain::order::Order;
use byteshop_domain::payment::{Payment, VoidReason};
use byteshop_domain::quantity::Demand;
use byteshop_domain::text::{Link, Reason, Slug};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::covers::{self, made, not_there};
use super::gift_cards::CodeText;
use super::orders::visible::{check, on_order};
use super::show;
use crate::app::Shared;
use crate::edge::actor::{Caller, Staff};
use crate::edge::ask::{Ask, Nothing, Of, OfTwo};
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};

/// Longest token: what providers give out stays far below.
const TOKEN_MAX: usize = 255;
/// A token as the buyer's program sends it.
type TokenText = BoundedText<TOKEN_MAX>;

/// How an order is paid.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "provider", rename_all = "snake_case", try_from = "PaymentFields")]
#[schema(example = json!({"provider": "test", "token": "tok_success"}))]
enum NewPayment {
    /// By the emulated provider, where the shop is connected to it.
    Test {
        /// The token from the provider's page: `tok_success`, `tok_declined`, `tok_insufficient_funds`, `tok_cancelled`,
        /// `tok_failure`, `tok_timeout`, `tok_pending_success`, `tok_pending_failure` or `tok_redirect`, which waits for a
        /// person at the payment's `action_url`.
        #[schema(default = json!({"x-schema": {"minLength": 1}}))]
        token: TokenText,
        /// Where the buyer continues after the provider's page: a URL on the shop's own pages, that is under
        /// `BYTESHOP_SHOP_URL` or an allowed CORS origin, or on localhost in development.
        #[schema(default = json!({"x-schema": {"example": "https://shop.example/thanks"}}))]
        return_url: Option<Link>,
    },
    /// With PayPal, where the shop is connected to it: the buyer approves the payment at its `action_url`.
    Paypal {
        /// Where the buyer continues after PayPal's pages; a URL as with `test`.
        #[schema(default = json!({"x-schema": {"example": "https://shop.example/thanks"}}))]
        return_url: Option<Link>,
    },
    /// By a method that staff settles by hand.
    Manual {
        /// One of the manual methods of `GET /v1/orders/{id}/payment-methods`.
        #[schema(default = json!({"x-schema": {"example": "sepa"}}))]
        method: Slug,
    },
    /// With a gift card, in part or in full; the rest is paid otherwise.
    GiftCard {
        /// The code of the card.
        #[schema(default = json!({"x-schema": {"example": "7K3Q-X9MW-2FBA-8HJT-C5DR"}}))]
        code: CodeText,
        /// The amount that it pays, in place of what it pays already; by default as much as it can.
        amount: Option<Money>,
    },
    /// With the store credit of the account, in part or in full; the rest is paid otherwise.
    StoreCredit {
        /// The amount that it pays, in place of what it pays already; by default as much as it can.
        amount: Option<Money>,
    },
}

/// The fields of all kinds: read flat, so that a fault in one of them is told at its place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaymentFields {
    provider: Provider,
    token: Option<TokenText>,
    return_url: Option<Link>,
    method: Option<Slug>,
    code: Option<CodeText>,
    amount: Option<Money>,
}

impl TryFrom<PaymentFields> for NewPayment {
    type Error = &'static str;

    /// What is missing or too much is told by the schema, field by field.
    fn try_from(fields: PaymentFields) -> Result<Self, Self::Error> {
        let PaymentFields { provider, token, return_url, method, code, amount } = fields;
        let is_stored = code.is_some() || amount.is_some();
        match (provider, token, method) {
            (Provider::Test, Some(token), None) if !is_stored => Ok(Self::Test { token, return_url }),
            (Provider::Test, _, _) => Err("a payment with `test` needs a `token`, and nothing else but a `return_url`"),
            (Provider::Paypal, None, None) if !is_stored => Ok(Self::Paypal { return_url }),
            (Provider::Paypal, _, _) => Err("a payment with `paypal` has nothing but a `return_url`"),
            (Provider::Manual, None, Some(method)) if return_url.is_none() && !is_stored => Ok(Self::Manual { method }),
            (Provider::Manual, _, _) => Err("a manual payment needs a `method`, and has nothing else"),
            (Provider::GiftCard, None, None) if return_url.is_none() => match code {
                Some(code) => Ok(Self::GiftCard { code, amount }),
                None => Err("a payment with a gift card needs its `code`"),
            },
            (Provider::GiftCard, _, _) => {
                Err("a payment with a gift card has a `code`, and nothing else but an `amount`")
            }
            (Provider::StoreCredit, None, None) if return_url.is_none() && code.is_none() => {
                Ok(Self::StoreCredit { amount })
            }
            (Provider::StoreCredit, _, _) => Err("a payment with store credit has nothing but an `amount`"),
        }
    }
}

/// Who moves the money of a payment.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentProvider)]
pub(super) enum Provider {
    /// The emulated provider, where the shop is connected to it.
    Test,
    /// PayPal, where the shop is connected to it.
    Paypal,
    /// None: the buyer pays as instructed, and staff records the receipt.
    Manual,
    /// None: a gift card pays.
    GiftCard,
    /// None: the store credit of the account pays.
    StoreCredit,
}

/// Whether a page is the shop's own: buyers are sent nowhere else (open redirects, CWE-601).
fn is_own_page(app: &Shared, url: &Link) -> bool {
    app.cors.has_page(url.as_str(), app.commands.shop_url(), app.dev)
}

/// Pays an order.
///
/// With the provider `manual` the buyer chooses one of the shop's own methods: the answer says how to pay, and a mail says it
/// too. While nothing was received, another method or a provider can be chosen instead.
///
/// With `gift_card` and `store_credit` the amount is held at once, and `due` in the answer says what is left to pay; a payment that they
/// pay in full is captured. They can be combined, up to ten gift cards, before the rest is paid.
#[utoipa::path(post, path = "/v1/orders/{id}/payments", operation_id = "payOrder",
    tag = "payments", params(("id" = String, Path)),
    request_body = NewPayment, security(("cart_token" = []), ("bearer" = [])),
    responses((status = 201, description = "The payment after the provider's answer, or with the instructions; see `status` and `manual`", body = show::Payment)))]
async fn pay(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    ask: Ask<Caller, NewPayment>,
) -> Result<Response, Problem> {
    let ask = on_order(&app, ask, id).await?;
    match &ask.body {
        NewPayment::Test { token, return_url } => {
            let (provider, token) = (connected::Provider::Test, Some(token.as_str()));
            pay_by_provider(&app, &ask, id, provider, token, return_url.as_ref()).await
        }
        NewPayment::Paypal { return_url } => {
            pay_by_provider(&app, &ask, id, connected::Provider::Paypal, None, return_url.as_ref()).await
        }
        NewPayment::Manual { method } => {
            let allowed = |order: &Order| check(&ask.who, order.live()?);
            let answer = |payment: &Loaded<Payment>| made(&app, payment);
            let intent = ask.intent("payment.choose_method");
            app.respond(app.commands.choose_method(&intent, id, method, allowed, answer).await?).await
        }
        NewPayment::GiftCard { code, amount } => {
            app.limits.gift_cards(ask.who.address())?;
            covers::cover(&app, &ask, id, Purse::Card(code), *amount).await
        }
        NewPayment::StoreCredit { amount } => covers::cover(&app, &ask, id, Purse::Credit, *amount).await,
    }
}

async fn pay_by_provider(
    app: &Shared,
    ask: &Ask<Caller, NewPayment>,
    id: OrderId,
    provider: connected::Provider,
    token: Option<&str>,
    return_url: Option<&Link>,
) -> Result<Response, Problem> {
    if token.is_some_and(|token| !(1..=TOKEN_MAX).contains(&token.len())) {
        return Err(Problem::invalid("/token", "the token must have 1 to 255 characters"));
    }
    // Without the provider no token is looked at: the answer is that there is none.
    if !app.dev && app.commands.connected().has_provider(provider) && token.is_some_and(waits_for_a_person) {
        let detail = "a payment with this token waits for a person at a page that exists only in development mode";
        return Err(Problem::invalid("/token", detail));
    }
    if return_url.is_some_and(|url| !is_own_page(app, url)) {
        let detail =
            "must be a URL on the shop's own pages: under BYTESHOP_SHOP_URL or an origin in BYTESHOP_CORS_ORIGINS";
        return Err(Problem::invalid("/return_url", detail));
    }
    let allowed = |order: &Order| check(&ask.who, order.live()?);
    let answer = |payment: &Loaded<Payment>| made(app, payment);
    let by = Paying { provider, token, capture: app.trade.capture, return_url };
    let done = app.commands.pay(&ask.intent("payment.pay"), id, by, allowed, answer).await?;
    app.respond(done).await
}

/// Cancels a payment, and the order with it.
#[utoipa::path(post, path = "/v1/payments/{id}/cancel", operation_id = "cancelPayment",
    tag = "payments", params(("id" = String, Path)),
    security(("cart_token" = []), ("bearer" = [])), responses((status = 200, description = "The payment", body = show::Payment)))]
async fn cancel(
    State(app): State<Shared>,
    Of(id): Of<PaymentId>,
    ask: Ask<Caller, Nothing>,
) -> Result<Response, Problem> {
    let payment = app.commands.seen::<Payment>(id).await?;
    let ask = &on_order(&app, ask, payment.and_then(|it| Some(it.live().ok()?.order))).await?;
    app.run(ask, "payment.cancel", |unit| async move {
        let mut payment = unit.load::<Payment>(id).await?.exists()?;
        let order = unit.load::<Order>(payment.state.live()?.order).await?;
        check(&ask.who, order.state.live()?).map_err(|_| not_there())?;
        unit.check_version(&payment)?;
        let reason = if ask.who.is_staff() { VoidReason::StaffRequest } else { VoidReason::BuyerRequest };
        payments::void(&unit, &mut payment, reason)?;
        Reply::ok(payment.version, &show::Payment::of(unit.commands(), id, payment.state.live()?))
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": {"amount": 500, "currency": "EUR"}, "reason": "a scratch on the lid"}))]
struct NewRefund {
    /// The amount: at most what is refundable and has no credit note yet.
    amount: Money,
    /// The reason, printed on the credit note.
    #[schema(default = json!({"x-schema": {"example": "a scratch on the lid"}}))]
    reason: Reason,
    /// The pieces delivered by keys that the refund is for: their keys are revoked. They are of one part of the order. By default none,
    /// unless nothing is left of the payment.
    lines: Option<show::LineQuantities>,
    /// The number of the part of the order that is refunded. By default that of `lines`; without them the amount is split over all
    /// parts, in proportion to what is left of each.
    #[schema(minimum = 1, example = 1)]
    part: Option<u16>,
    /// Where it goes to: `payment`, the default, is back to what paid, money first; `store_credit` is the store credit of the account
    /// that ordered, for all of it.
    #[serde(default)]
    to: RefundTo,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RefundTo {
    /// Back to what paid.
    #[default]
    Payment,
    /// The store credit of the account that ordered.
    StoreCredit,
}

/// Refunds part of a payment and issues a credit note.
///
/// Keys of the pieces in `lines` are revoked with it, the last ones of the order first: they are not shown any more, and never sold
/// again. A refund of all that is left of the payment revokes all keys of the order, and one of all that is left of `part` those of that part.
///
/// The provider executes the refund soon after; see `refunds` of the payment. A refund with `manual` waits until staff makes and
/// settles it.
#[utoipa::path(post, path = "/v1/payments/{id}/refunds", operation_id = "refundPayment",
    tag = "payments", params(("id" = String, Path)),
    request_body = NewRefund, security(("bearer" = ["staff"])),
    responses((status = 201, description = "The payment", body = show::Payment)))]
async fn refund(
    State(app): State<Shared>,
    Of(id): Of<PaymentId>,
    ask: Ask<Staff, NewRefund>,
) -> Result<Response, Problem> {
    let ask = &ask;
    let app = &app;
    app.run(ask, "payment.refund", |unit| async move {
        let mut payment = unit.load_matching::<Payment>(id).await?;
        let NewRefund { amount, reason, lines, part, to } = &ask.body;
        let keys: Vec<Demand> = lines.iter().flatten().map(Demand::from).collect();
        let wanted = Wanted { reason, keys: &keys, part: *part, to_credit: *to == RefundTo::StoreCredit };
        payments::refund(&unit, &mut payment, *amount, &wanted).await?;
        app.require_fresh_for_refund(&unit, &ask.who.0).await?;
        let body = show::Payment::of(unit.commands(), id, payment.state.live()?).with_notes();
        Reply::created(format!("/v1/payments/{id}"), payment.version, &body)
    })
    .await
}

/// Retries a refund that the provider refused.
///
/// A refund that was made outside the shop instead is settled (`POST /v1/payments/{id}/refunds/{refund}/settle`).
/// Amount, reason and credit note stay the same. For a cancelled order everything that is still refundable is refunded.
#[utoipa::path(post, path = "/v1/payments/{id}/refunds/{refund}/retry", operation_id = "retryRefund",
    tag = "payments",
    params(("id" = String, Path), ("refund" = String, Path)), security(("bearer" = ["staff"])),
    responses((status = 201, description = "The payment, with the new refund among its `refunds`", body = show::Payment)))]
async fn retry(
    State(app): State<Shared>,
    OfTwo(id, failed): OfTwo<PaymentId, RefundId>,
    ask: Ask<Staff, Nothing>,
) -> Result<Response, Problem> {
    let ask = &ask;
    let app = &app;
    app.run(ask, "payment.retry_refund", |unit| async move {
        let mut payment = unit.load_matching::<Payment>(id).await?;
        payments::retry_refund(&unit, &mut payment, failed)?;
        app.require_fresh_for_refund(&unit, &ask.who.0).await?;
        let body = show::Payment::of(unit.commands(), id, payment.state.live()?).with_notes();
        Reply::created(format!("/v1/payments/{id}"), payment.version, &body)
    })
    .await
}

/// Captures an authorized payment.
#[utoipa::path(post, path = "/v1/payments/{id}/capture", operation_id = "captureAuthorizedPayment",
    tag = "payments", params(("id" = String, Path)),
    security(("bearer" = ["staff"])), responses((status = 200, description = "The payment", body = show::Payment)))]
async fn capture(
    State(app): State<Shared>,
    Of(id): Of<PaymentId>,
    ask: Ask<Staff, Nothing>,
) -> Result<Response, Problem> {
    let ask = &ask;
    let intent = ask.intent("payment.capture");
    app.commands.capture_payment(&byteshop_commands::Intent { key: None, ..intent }, id).await?;
    app.run(ask, "payment.capture", |unit| async move {
        let payment = unit.load::<Payment>(id).await?.exists()?;
        let body = show::Payment::of(unit.commands(), id, payment.state.live()?).with_notes();
        Reply::ok(payment.version, &body)
    })
    .await
}

/// One payment.
#[utoipa::path(get, path = "/v1/payments/{id}", operation_id = "getPayment",
    tag = "payments", params(("id" = String, Path), Then),
    security(("cart_token" = []), ("bearer" = [])), responses((status = 200, description = "The payment", body = show::Payment)))]
async fn one(
    State(app): State<Shared>,
    Of(id): Of<PaymentId>,
    then: Then,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.snapshot::<Payment>(id, &then, &headers).await?;
    let opened = found.state.live()?;
    app.check_part(&caller, opened.order, "payment").await?;
    let shown = show::Payment::of(&app.commands, id, opened);
    reply::one(found.version, &if caller.is_staff() { shown.with_notes() } else { shown })
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(pay))
        .routes(routes!(cancel))
        .merge(covers::routes())
        .routes(routes!(refund))
        .routes(routes!(retry))
        .routes(routes!(capture))
        .routes(routes!(one))
}
