//! Store credit: granted and withdrawn by staff, and shown to its account.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Loaded;
use byteshop_commands::use_cases::stored_values;
use byteshop_domain::ids::AccountId;
use byteshop_domain::money::Money;
use byteshop_domain::stored_value::StoredValue;
use byteshop_domain::text::Reason;
use byteshop_projections::View as _;
use byteshop_projections::stored_value_list::StoredValueList;
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::show::{StoreCredit, StoreCredits, StoredValueMovement};
use crate::app::Shared;
use crate::edge::actor::{Member, Staff};
use crate::edge::ask::{Ask, Of};
use crate::edge::lists;
use crate::edge::problem::Problem;
use crate::edge::reply::Reply;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"type": "granted", "amount": {"amount": 500, "currency": "EUR"}, "reason": "the parcel was late"}))]
struct CreditChange {
    r#type: CreditChangeType,
    /// The amount, greater than zero.
    amount: Money,
    /// The reason, which the account can read.
    #[schema(default = json!({"x-schema": {"example": "the parcel was late"}}))]
    reason: Reason,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum CreditChangeType {
    /// The account gets the amount.
    Granted,
    /// The amount is taken away: at most what is not held for orders.
    Withdrawn,
}

async fn all(app: &Shared, account: AccountId, headers: &HeaderMap) -> Result<StoreCredits, Problem> {
    app.await_views(&[StoredValueList::NAME], headers).await?;
    let mut items = Vec::new();
    for id in app.views.credit_of(account).await? {
        let Some(found) = app.commands.get::<StoredValue>(id).await? else { continue };
        let credit = Loaded { id, version: found.version, state: found.state };
        let movements = StoredValueMovement::all(app, id, credit.version).await?;
        items.extend(StoreCredit::of(&credit, Some(movements)));
    }
    Ok(StoreCredits::of(items))
}

/// Lists the store credit of an account, one item for each currency.
#[utoipa::path(get, path = "/v1/admin/accounts/{id}/credit", operation_id = "listAccountCredit",
    tag = "payments", params(("id" = String, Path)), security(("bearer" = ["staff"])),
    responses((status = 200, description = "The store credit", body = StoreCredits)))]
async fn of_account(
    State(app): State<Shared>,
    Of(id): Of<AccountId>,
    _staff: Staff,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    lists::page(&all(&app, id, &headers).await?)
}

/// Grants or withdraws store credit of an account.
///
/// Large amounts require a recent proof of identity, as large refunds do.
#[utoipa::path(post, path = "/v1/admin/accounts/{id}/credit", operation_id = "changeAccountCredit",
    tag = "payments", params(("id" = String, Path)), request_body = CreditChange, security(("bearer" = ["staff"])),
    responses((status = 200, description = "The store credit in that currency", body = StoreCredit)))]
async fn change(
    State(app): State<Shared>,
    Of(id): Of<AccountId>,
    ask: Ask<Staff, CreditChange>,
) -> Result<Response, Problem> {
    let (app, ask) = (&app, &ask);
    app.run(ask, "stored_value.change_credit", |unit| async move {
        let CreditChange { r#type, amount, reason } = &ask.body;
        let credit = match r#type {
            CreditChangeType::Granted => stored_values::grant(&unit, id, *amount, reason).await?,
            CreditChangeType::Withdrawn => stored_values::withdraw(&unit, id, *amount, reason).await?,
        };
        app.require_fresh_for_amount(&unit, &ask.who.0, *amount).await?;
        Reply::ok(credit.version, &StoreCredit::of(&credit, None))
    })
    .await
}

/// Lists the store credit of the caller, one item for each currency.
///
/// It pays orders of the account in its currency: `POST /v1/orders/{id}/payments` with `{"provider": "store_credit"}`.
#[utoipa::path(get, path = "/v1/me/credit", operation_id = "listMyCredit",
    tag = "me", security(("bearer" = [])),
    responses((status = 200, description = "The store credit", body = StoreCredits)))]
async fn mine(State(app): State<Shared>, member: Member, headers: HeaderMap) -> Result<Response, Problem> {
    lists::page(&all(&app, member.1, &headers).await?)
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(of_account, change)).routes(routes!(mine))
}
