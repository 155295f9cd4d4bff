//! The balances and payouts of a seller, and how it is paid.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::payouts::{self, Wanted};
use byteshop_commands::use_cases::{payout_accounts, sellers};
use byteshop_domain::Currency;
use byteshop_domain::balance::{self, Balance};
use byteshop_domain::ids::{PayoutId, SellerId};
use byteshop_domain::money::Price;
use byteshop_domain::payout::{Payout, Status};
use byteshop_domain::payout_account::{self, Destination, PayoutAccount, Schedule};
use byteshop_domain::text::{Email, Holder, Iban};
use byteshop_projections::View as _;
use byteshop_projections::payout_list::{self, PayoutList};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::seen::{seen_by, sees_people};
use crate::app::Shared;
use crate::edge::actor::{Member, Trader};
use crate::edge::ask::{Ask, Nothing, Of, OfTwo, Params};
use crate::edge::lists;
use crate::edge::parameters::period;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::values::{DayOrTime, Limit};
use crate::http::show::PageOf;
use crate::http::show::payout as show;

/// What the house owes a seller, by currency.
///
/// It is owed what buyers paid for its parts of orders, without sales tax, less the commission and the tax on that. What is available
/// can be paid out. It is negative if refunds took more than there was; later sales make up for it.
#[utoipa::path(get, path = "/v1/sellers/{id}/balance", operation_id = "getSellerBalance",
    tag = "sellers", params(("id" = String, Path)), security(("bearer" = ["member"])),
    responses((status = 200, description = "The balances", body = show::SellerBalances)))]
async fn balance(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    who: Trader,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    seen_by(&app, &who, id, &headers).await?;
    let account = app.commands.get::<PayoutAccount>(payout_account::id(id)).await?;
    let currencies: Vec<Currency> = account.iter().flat_map(|it| it.state.currencies.iter().copied()).collect();
    let ids: Vec<_> = currencies.iter().map(|currency| balance::id(id, *currency)).collect();
    let found = app.commands.get_all::<Balance>(&ids).await?;
    let now = app.commands.clock().now();
    let shown = currencies.iter().zip(&found).filter_map(|(currency, found)| {
        let figures = found.as_ref()?.state.at(now);
        Some(show::SellerBalance::of(*currency, figures))
    });
    lists::page(&show::SellerBalances::of(shown.collect()))
}

/// Which payouts are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The state of the payout.
    status: Option<Status>,
    /// Requested on this day (UTC) or time, or later.
    #[param(example = "2026-11-01")]
    from: Option<DayOrTime>,
    /// Requested before this day (UTC) or time.
    #[param(example = "2026-12-01T00:00:00Z")]
    until: Option<DayOrTime>,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// A page of payouts.
type PayoutPage = PageOf<payout_list::Row>;

/// Lists the payouts of a seller, newest first.
#[utoipa::path(get, path = "/v1/sellers/{id}/payouts", operation_id = "listSellerPayouts",
    tag = "sellers", params(("id" = String, Path), ListQuery), security(("bearer" = ["member"])),
    responses((status = 200, description = "A page of payouts", body = PayoutPage)))]
async fn list(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    who: Trader,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    seen_by(&app, &who, id, &headers).await?;
    let ListQuery { status, from, until, limit, cursor } = query;
    let (from, until) = period(from, until)?;
    let ask = lists::ask(limit, cursor);
    app.await_views(&[PayoutList::NAME], &headers).await?;
    let query = payout_list::Query { seller: Some(id), status, from, until, ask, ..payout_list::Query::default() };
    Ok(reply::json(app.views.payout_list(&query).await?.json()))
}

/// One payout of a seller.
///
/// Only owners and staff see where it goes.
#[utoipa::path(get, path = "/v1/sellers/{id}/payouts/{payout}", operation_id = "getSellerPayout",
    tag = "sellers", params(("id" = String, Path), ("payout" = String, Path)), security(("bearer" = ["member"])),
    responses((status = 200, description = "The payout", body = show::Payout)))]
async fn one(
    State(app): State<Shared>,
    OfTwo(id, payout): OfTwo<SellerId, PayoutId>,
    who: Trader,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seller = seen_by(&app, &who, id, &headers).await?;
    let found = app.snapshot::<Payout>(payout, &Then::default(), &headers).await?;
    let known = payouts::of_seller(&found.state, id)?;
    reply::one(found.version, &show::Payout::of(payout, known, sees_people(&who, &seller.state)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"currency": "EUR"}))]
struct NewPayout {
    /// The currency of the balance.
    currency: Currency,
    /// How much; by default all that is available.
    amount: Option<Price>,
}

/// Requests a payout of a seller.
///
/// At most what is available is paid out, and at least the smallest payout of the shop. It goes to the destination that is in use.
#[utoipa::path(post, path = "/v1/sellers/{id}/payouts", operation_id = "requestPayout",
    tag = "sellers", params(("id" = String, Path)), request_body = NewPayout, security(("bearer" = ["owner"])),
    responses((status = 201, description = "The payout", body = show::Payout)))]
async fn request(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    ask: Ask<Member, NewPayout>,
) -> Result<Response, Problem> {
    let NewPayout { currency, amount } = &ask.body;
    let wanted = match amount {
        Some(amount) if amount.currency() != *currency => {
            return Err(Problem::invalid("/amount/currency", "must be the currency of the balance"));
        }
        Some(amount) => Wanted::Amount(amount.money()),
        None => Wanted::All(*currency),
    };
    let by = ask.who.1;
    app.run(&ask, "payout.request", |unit| async move {
        let seller = sellers::for_owner(&unit, id, by).await?;
        let payout = payouts::request(&unit, &seller, wanted).await?;
        let shown = show::Payout::of(payout.id, payout.state.live()?, true);
        Reply::created(format!("/v1/sellers/{id}/payouts/{}", payout.id), payout.version, &shown)
    })
    .await
}

/// The payout account of a seller: where its payouts go, and when they are made.
///
/// Only owners and staff see the destinations.
#[utoipa::path(get, path = "/v1/sellers/{id}/payout-account", operation_id = "getPayoutAccount",
    tag = "sellers", params(("id" = String, Path)), security(("bearer" = ["member"])),
    responses((status = 200, description = "How the seller is paid", body = show::PayoutAccount)))]
async fn account(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    who: Trader,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seller = seen_by(&app, &who, id, &headers).await?;
    let found = app.commands.get::<PayoutAccount>(payout_account::id(id)).await?;
    let (version, state) = found.map_or_else(Default::default, |found| (found.version, found.state));
    let now = app.commands.clock().now();
    reply::one(version, &show::PayoutAccount::of(&state, now, sees_people(&who, &seller.state)))
}

/// Where payouts are to go.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", try_from = "DestinationFields")]
#[schema(example = json!({"kind": "iban", "iban": "DE89370400440532013000", "holder": "Ada Lovelace"}))]
enum NewDestination {
    /// A bank account in SEPA.
    Iban {
        /// The IBAN; spaces do not matter.
        iban: Iban,
        /// The name of its holder.
        holder: Holder,
    },
    /// An account at PayPal.
    Paypal {
        /// The e-mail address of the account.
        email: Email,
    },
}

/// The fields of both kinds: read flat, so that a fault in one of them is told at its place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DestinationFields {
    kind: DestinationKind,
    iban: Option<Iban>,
    holder: Option<Holder>,
    email: Option<Email>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum DestinationKind {
    Iban,
    Paypal,
}

impl TryFrom<DestinationFields> for NewDestination {
    type Error = &'static str;

    /// What is missing or too much is told by the schema, field by field.
    fn try_from(fields: DestinationFields) -> Result<Self, Self::Error> {
        let DestinationFields { kind, iban, holder, email } = fields;
        match (kind, iban, holder, email) {
            (DestinationKind::Iban, Some(iban), Some(holder), None) => Ok(Self::Iban { iban, holder }),
            (DestinationKind::Iban, ..) => Err("a bank account needs an `iban` and a `holder`, and nothing else"),
            (DestinationKind::Paypal, None, None, Some(email)) => Ok(Self::Paypal { email }),
            (DestinationKind::Paypal, ..) => Err("an account at PayPal needs an `email`, and nothing else"),
        }
    }
}

impl From<&NewDestination> for Destination {
    fn from(chosen: &NewDestination) -> Self {
        match chosen {
            NewDestination::Iban { iban, holder } => Self::Iban { iban: iban.clone(), holder: holder.clone() },
            NewDestination::Paypal { email } => Self::Paypal { email: email.clone() },
        }
    }
}

/// Chooses where the payouts of a seller go.
///
/// It requires a recent proof of identity. The owners are told by mail, and the new destination is used a day later; until then the
/// previous one is.
#[utoipa::path(put, path = "/v1/sellers/{id}/payout-account/destination", operation_id = "setPayoutDestination",
    tag = "sellers", params(("id" = String, Path)), request_body = NewDestination, security(("bearer" = ["owner"])),
    responses((status = 200, description = "How the seller is paid", body = show::PayoutAccount)))]
async fn choose(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    ask: Ask<Member, NewDestination>,
) -> Result<Response, Problem> {
    let destination = &Destination::from(&ask.body);
    let (app, ask) = (&app, &ask);
    let by = ask.who.1;
    app.run(ask, "payout_account.choose", |unit| async move {
        let seller = sellers::of_owner(&unit, id, by).await?;
        app.require_fresh(&unit, &ask.who.0).await?;
        let account = payout_accounts::choose(&unit, &seller, by, destination).await?;
        Reply::ok(account.version, &show::PayoutAccount::of(&account.state, unit.now(), true))
    })
    .await
}

/// Cancels a change of the payout destination before it takes effect.
#[utoipa::path(delete, path = "/v1/sellers/{id}/payout-account/destination", operation_id = "cancelPayoutDestination",
    tag = "sellers", params(("id" = String, Path)), security(("bearer" = ["owner"])),
    responses((status = 200, description = "How the seller is paid", body = show::PayoutAccount)))]
async fn cancel(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    ask: Ask<Member, Nothing>,
) -> Result<Response, Problem> {
    let by = ask.who.1;
    app.run(&ask, "payout_account.cancel_choice", |unit| async move {
        let seller = sellers::of_owner(&unit, id, by).await?;
        let account = payout_accounts::cancel(&unit, &seller).await?;
        Reply::ok(account.version, &show::PayoutAccount::of(&account.state, unit.now(), true))
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"schedule": "weekly"}))]
struct ChosenSchedule {
    schedule: Schedule,
}

/// Decides when payouts of a seller are made without being asked for.
///
/// `weekly` ones are on Mondays, `monthly` ones on the first, each at 04:00 UTC, of all that is available in each currency.
#[utoipa::path(put, path = "/v1/sellers/{id}/payout-account/schedule", operation_id = "setPayoutSchedule",
    tag = "sellers", params(("id" = String, Path)), request_body = ChosenSchedule, security(("bearer" = ["owner"])),
    responses((status = 200, description = "How the seller is paid", body = show::PayoutAccount)))]
async fn schedule(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    ask: Ask<Member, ChosenSchedule>,
) -> Result<Response, Problem> {
    let (by, schedule) = (ask.who.1, ask.body.schedule);
    app.run(&ask, "payout_account.schedule", |unit| async move {
        let seller = sellers::of_owner(&unit, id, by).await?;
        let account = payout_accounts::schedule(&unit, &seller, schedule).await?;
        Reply::ok(account.version, &show::PayoutAccount::of(&account.state, unit.now(), true))
    })
    .await
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(balance))
        .routes(routes!(list, request))
        .routes(routes!(one))
        .routes(routes!(account))
        .routes(routes!(choose, cancel))
        .routes(routes!(schedule))
}
