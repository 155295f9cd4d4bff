//! Licence keys that are delivered automatically: imported into the pool of a variant, counted, and withdrawn. No answer here has a
//! key in it.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use byteshop_commands::key_upload::Form;
use byteshop_commands::use_cases::keys::{self, Pool};
use byteshop_commands::use_cases::sellers::ActsFor;
use byteshop_commands::{Error, Loaded};
use byteshop_domain::ids::VariantId;
use byteshop_domain::key_pool::{self, GiftCards, KeyPool, Pattern};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::stock::StockLevel;
use byteshop_domain::text::{Label, Reason};
use byteshop_projections::View as _;
use byteshop_projections::key_pool_list::{self, KeyPoolList};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::show;
use super::show::PageOf;
use crate::app::{App, Shared};
use crate::edge::actor::{Staff, Trader};
use crate::edge::ask::{Ask, Of, Params, Streamed};
use crate::edge::body::Pieces;
use crate::edge::lists;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::values::Limit;
use crate::queries::catalog::require_keeper;

/// The largest upload: a million keys of some 130 bytes.
const UPLOAD_MAX: usize = 128 << 20;
/// How long an upload may take: the largest one over a connection of 2 Mbit/s.
const UPLOAD_PATIENCE: Duration = Duration::from_mins(10);
/// The column of the keys in a CSV file, unless the query names another one.
const COLUMN: &str = "key";

/// How the file is read.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UploadQuery {
    /// The column of a CSV file that has the keys, by its name in the header: `key` by default.
    column: Option<Label>,
}

fn form(headers: &HeaderMap, column: Option<&Label>) -> Result<Form, Problem> {
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "request.unsupported_media_type",
            "keys are sent uncompressed: remove Content-Encoding",
        ));
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "text/plain" if column.is_some() => Err(Problem::query("column", "only a CSV file has columns")),
        "text/plain" => Ok(Form::Lines),
        "text/csv" => Ok(Form::Csv(column.map_or(COLUMN, Label::as_str).to_owned())),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "request.unsupported_media_type",
            "keys are lines as text/plain, or a column of a file as text/csv",
        )),
    }
}

/// Imports keys into the pool of a variant; the first import opens the pool.
///
/// Each key is a line, or a value of a column of a CSV file with a header. Keys that the pool has already are skipped, and so are
/// lines that are not keys; the answer counts them and names the first ones. The variant must not be a physical item, and has no
/// stock of its own: its available keys are its stock. One import per pool runs at a time.
#[utoipa::path(post, path = "/v1/variants/{id}/keys", operation_id = "importKeys",
    tag = "stock", params(("id" = String, Path), UploadQuery),
    request_body(content((String = "text/plain"), (String = "text/csv"))), security(("bearer" = ["member"])),
    responses((status = 200, description = "What was imported", body = show::KeyImport)))]
async fn import(
    State(app): State<Shared>,
    Of(variant): Of<VariantId>,
    Params(query): Params<UploadQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let mut streamed = Streamed::<Trader>::of(request, &app).await?;
    let acts_for = streamed.ask.who.acts_for();
    require(&app, &streamed.ask.who, variant).await?;
    let form = form(streamed.headers(), query.column.as_ref())?;
    let body = std::mem::take(&mut streamed.body);
    let mut pieces = Pieces::of(streamed.headers(), body, UPLOAD_MAX, UPLOAD_PATIENCE)?;
    let intent = streamed.ask.intent("key_pool.start_import");
    let mut upload = app.commands.upload_keys(&intent, variant, acts_for, form).await?;
    let mut digest = Sha256::new();
    while let Some(piece) = pieces.next().await? {
        digest.update(&piece);
        upload.take(&piece).await?;
    }
    let stored = upload.end().await?;
    let ask = streamed.after(&app, &digest.finalize()).await?;
    let (batch, report) = (stored.batch, &stored.report);
    let answer = app.run(&ask, "key_pool.import", |unit| async move {
        let pool = keys::import(&unit, variant, acts_for, batch, report.imported).await?;
        Reply::ok(pool.pool.version, &show::KeyImport::of(variant, batch, report, &pool))
    });
    let answer = answer.await;
    // The pool stays locked until the keys are imported.
    drop(stored);
    answer
}

/// Keys of a variant, in numbers.
#[utoipa::path(get, path = "/v1/variants/{id}/keys", operation_id = "getKeyPool",
    tag = "stock", params(("id" = String, Path)),
    security(("bearer" = ["member"])), responses((status = 200, description = "The pool", body = show::KeyPool)))]
async fn pool(
    State(app): State<Shared>,
    Of(variant): Of<VariantId>,
    who: Trader,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.await_log(&headers).await?;
    require(&app, &who, variant).await?;
    let it = loaded(&app, variant).await?.ok_or_else(|| Problem::missing("key_pool"))?;
    reply::one(it.pool.version, &show::KeyPool::of(variant, &it))
}

/// Refuses callers who do not keep the product of a variant, before a request costs work.
pub(super) async fn require(app: &App, who: &Trader, variant: VariantId) -> Result<(), Problem> {
    let missing = || Problem::missing("variant");
    let stock = app.commands.get::<StockLevel>(variant).await?.ok_or_else(missing)?;
    if who.acts_for() == ActsFor::House {
        return Ok(());
    }
    require_keeper(app, &who.0, stock.state.product.ok_or_else(missing)?).await
}

/// The pool of a variant with its stock, if it has one.
async fn loaded(app: &App, variant: VariantId) -> Result<Option<Pool>, Error> {
    let id = key_pool::id(variant);
    let Some(pool) = app.commands.get::<KeyPool>(id).await? else { return Ok(None) };
    let Some(stock) = app.commands.get::<StockLevel>(variant).await? else { return Ok(None) };
    let pool = Loaded { id, version: pool.version, state: pool.state };
    Ok(Some(Pool { pool, stock: Loaded { id: variant, version: stock.version, state: stock.state } }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"batch": 1, "quantity": 10, "reason": "published on a forum"}))]
struct Withdrawal {
    /// The number of the batch.
    #[schema(minimum = 1)]
    batch: u32,
    /// How many of its last keys; by default all that are unsold and not reserved.
    quantity: Option<Quantity>,
    reason: Option<Reason>,
}

/// Withdraws unsold keys of a batch for good.
///
/// Keys that orders reserve are kept for them: repeat the request after the payment window to withdraw what they have released.
#[utoipa::path(post, path = "/v1/variants/{id}/keys/withdraw", operation_id = "withdrawKeys",
    tag = "stock", params(("id" = String, Path)), request_body = Withdrawal, security(("bearer" = ["member"])),
    responses((status = 200, description = "The pool", body = show::KeyPool)))]
async fn withdraw(
    State(app): State<Shared>,
    Of(variant): Of<VariantId>,
    ask: Ask<Trader, Withdrawal>,
) -> Result<Response, Problem> {
    let (ask, body) = (&ask, &ask.body);
    app.run(ask, "key_pool.withdraw", |unit| async move {
        let pool =
            keys::withdraw(&unit, variant, ask.who.acts_for(), body.batch, body.quantity, body.reason.as_ref()).await?;
        Reply::ok(pool.pool.version, &show::KeyPool::of(variant, &pool))
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"below": 50}))]
struct Alert {
    /// The number of unsold keys; null if no one is to be told.
    below: Option<Quantity>,
}

/// Sets below which number of unsold keys a pool is low.
///
/// A pool that becomes low is told once, by the event `key_pool.ran_low`, which webhooks deliver, and by a mail to the members of
/// its seller. It is listed with `low=true` until more keys are imported.
#[utoipa::path(put, path = "/v1/variants/{id}/keys/alert", operation_id = "setKeyAlert",
    tag = "stock", params(("id" = String, Path)), request_body = Alert, security(("bearer" = ["member"])),
    responses((status = 200, description = "The pool", body = show::KeyPool)))]
async fn set_alert(
    State(app): State<Shared>,
    Of(variant): Of<VariantId>,
    ask: Ask<Trader, Alert>,
) -> Result<Response, Problem> {
    let (below, acts_for) = (ask.body.below, ask.who.acts_for());
    app.run(&ask, "key_pool.set_alert", |unit| async move {
        let pool = keys::set_alert(&unit, variant, acts_for, below).await?;
        Reply::ok(pool.pool.version, &show::KeyPool::of(variant, &pool))
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"limit": 3}))]
struct Activations {
    /// The number of machines; null for no limit of the variant.
    limit: Option<Quantity>,
}

/// Sets on how many machines a key of a variant can be active.
///
/// A lower limit takes no machine away from keys that are active on more.
#[utoipa::path(put, path = "/v1/variants/{id}/keys/activations", operation_id = "setKeyActivations",
    tag = "stock", params(("id" = String, Path)), request_body = Activations, security(("bearer" = ["member"])),
    responses((status = 200, description = "The pool", body = show::KeyPool)))]
async fn limit_activations(
    State(app): State<Shared>,
    Of(variant): Of<VariantId>,
    ask: Ask<Trader, Activations>,
) -> Result<Response, Problem> {
    let (limit, acts_for) = (ask.body.limit, ask.who.acts_for());
    app.run(&ask, "key_pool.limit_activations", |unit| async move {
        let pool = keys::limit_activations(&unit, variant, acts_for, limit).await?;
        Reply::ok(pool.pool.version, &show::KeyPool::of(variant, &pool))
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"pattern": "ACME-{8}-{8}"}))]
struct Generation {
    /// Text with groups of random characters, such as `{8}`, at least 13 of them in all; `{check}` is a check character.
    pattern: Pattern,
}

/// Lets the keys of a variant be generated by a pattern.
///
/// Each piece of a paid order gets a new key, so the stock is unlimited. Random characters are digits and capitals without 0, 1, I and
/// O. `{check}`, behind the last group, is the check character of all random ones (Luhn's algorithm modulo 32). A later pattern holds
/// for the keys of later orders. Imported keys must be sold or withdrawn before.
#[utoipa::path(put, path = "/v1/variants/{id}/keys/pattern", operation_id = "setKeyPattern",
    tag = "stock", params(("id" = String, Path)), request_body = Generation, security(("bearer" = ["member"])),
    responses((status = 200, description = "The pool", body = show::KeyPool)))]
async fn set_pattern(
    State(app): State<Shared>,
    Of(variant): Of<VariantId>,
    ask: Ask<Trader, Generation>,
) -> Result<Response, Problem> {
    let (pattern, acts_for) = (&ask.body.pattern, ask.who.acts_for());
    app.run(&ask, "key_pool.set_pattern", |unit| async move {
        let pool = keys::set_pattern(&unit, variant, acts_for, pattern).await?;
        Reply::ok(pool.pool.version, &show::KeyPool::of(variant, &pool))
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"days": 1095}))]
struct GiftCardGood {
    /// For how many days after the payment a card is valid, at most 3,660; null for ever.
    #[schema(minimum = 1, maximum = 3660)]
    days: Option<u32>,
}

/// Lets a variant deliver gift cards.
///
/// Each piece of a paid order issues one gift card, worth its price in the currency of the order; its buyer is shown the code like a
/// licence key. The stock is unlimited. Gift cards are sold without tax and without discounts, are not bought with gift cards, and
/// are not sent back. The variant must be of the house, not a physical item, and must not have keys or downloads.
#[utoipa::path(put, path = "/v1/variants/{id}/keys/gift-cards", operation_id = "setGiftCardGood",
    tag = "stock", params(("id" = String, Path)), request_body = GiftCardGood, security(("bearer" = ["member"])),
    responses((status = 200, description = "The pool", body = show::KeyPool)))]
async fn set_gift_cards(
    State(app): State<Shared>,
    Of(variant): Of<VariantId>,
    ask: Ask<Trader, GiftCardGood>,
) -> Result<Response, Problem> {
    let (cards, acts_for) = (GiftCards { days: ask.body.days }, ask.who.acts_for());
    app.run(&ask, "key_pool.set_gift_cards", |unit| async move {
        let pool = keys::set_gift_cards(&unit, variant, acts_for, cards).await?;
        Reply::ok(pool.pool.version, &show::KeyPool::of(variant, &pool))
    })
    .await
}

/// Which pools are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only pools with fewer unsold keys than their alert; false by default.
    #[serde(default)]
    #[param(required = false)]
    low: bool,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// A page of the list.
type KeyPoolPage = PageOf<key_pool_list::Row>;

/// Lists the pools of keys, newest variants first.
#[utoipa::path(get, path = "/v1/admin/key-pools", operation_id = "listKeyPools",
    tag = "stock", params(ListQuery), security(("bearer" = ["staff"])),
    responses((status = 200, description = "A page of pools", body = KeyPoolPage)))]
async fn list(
    State(app): State<Shared>,
    _staff: Staff,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ask = lists::ask(query.limit, query.cursor);
    app.await_views(&[KeyPoolList::NAME], &headers).await?;
    let query = key_pool_list::Query { low: query.low, ask };
    Ok(reply::json(app.views.key_pool_list(&query).await?.json()))
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    let of_variant =
        OpenApiRouter::new().routes(routes!(import, pool)).routes(routes!(withdraw)).routes(routes!(set_alert));
    let of_variant = of_variant.routes(routes!(set_gift_cards));
    of_variant.routes(routes!(set_pattern)).routes(routes!(limit_activations)).routes(routes!(list))
}
