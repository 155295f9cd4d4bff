//! Keys of programs: made for a purpose, told once, revoked when they are not needed or known to others.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_commands::use_cases::accounts::grants::Revoke;
use byteshop_commands::use_cases::api_keys;
use byteshop_domain::account::Secret;
use byteshop_domain::api_key::{ApiKey, Scope};
use byteshop_domain::ids::{ApiKeyId, Id as _};
use byteshop_domain::text::Name;
use byteshop_domain::{Bounded, Personal, Subject};
use byteshop_projections::View as _;
use byteshop_projections::api_key_list::{self, ApiKeyList};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::show::account as show;
use crate::app::Shared;
use crate::edge::actor::Admin;
use crate::edge::ask::{Ask, Nothing, Of, Params};
use crate::edge::lists;
use crate::edge::problem::Problem;
use crate::edge::reply::Reply;
use crate::edge::values::Limit;
use crate::security::api_key;
use crate::security::secret::random;

/// Scopes, each once.
type Scopes = Bounded<BTreeSet<Scope>, { Scope::ALL.len() }>;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Warehouse", "scopes": ["stock:read", "stock:write"]}))]
struct NewKey {
    /// The purpose of the key.
    #[schema(default = json!({"x-schema": {"example": "Warehouse"}}))]
    name: Name,
    /// The permissions, such as `catalog:write`; docs/ACCESS.md lists the scope of each route.
    #[schema(default = json!({"x-schema": {"example": ["stock:read", "stock:write"], "minItems": 1}}))]
    scopes: Scopes,
    /// When it expires; never by default.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
}

/// An API key. The key itself is shown only once, when it is created.
#[derive(Serialize, ToSchema)]
struct KeyMade<'a> {
    id: ApiKeyId,
    name: &'a Name,
    scopes: &'a BTreeSet<Scope>,
    expires_at: Option<DateTime<Utc>>,
    /// Sent as `Authorization: Bearer bsk_…`.
    #[schema(default = json!({"x-schema": {"example": "bsk_…"}}))]
    key: &'a Personal<Secret>,
}

/// A key in a list.
#[derive(Serialize, ToSchema)]
struct KeyRow {
    #[serde(flatten)]
    key: api_key_list::Row,
    /// When it was last used, to about a minute; null when it never was.
    last_used_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, ToSchema)]
struct KeyPage {
    items: Vec<KeyRow>,
    /// The cursor of the next page.
    next: Option<String>,
}

/// Which page is wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// Creates an API key.
///
/// Requires re-authentication within the last ten minutes.
#[utoipa::path(post, path = "/v1/admin/api-keys", operation_id = "createApiKey",
    tag = "admin", request_body = NewKey, security(("bearer" = ["admin"])),
    responses((status = 201, description = "The key", body = KeyMade)))]
async fn create(State(app): State<Shared>, ask: Ask<Admin, NewKey>) -> Result<Response, Problem> {
    let id = ApiKeyId::from_uuid(app.commands.clock().new_id());
    let (text, hash) = api_key::write(id, &random()?).ok_or_else(Problem::internal)?;
    // The first answer is kept so that it can be given again, so it contains the key, sealed for its creator.
    let subject = ask.who.0.account().map_or(Subject(id.uuid()), Subject::from);
    let key = &app.commands.vault().seal(subject, &Secret(text)).await.map_err(Error::from)?;
    let (app, who, hash) = (&app, &ask.who.0, &hash);
    let NewKey { name, scopes, expires_at } = &ask.body;
    let expires_at = *expires_at;
    app.run(&ask, "api_key.create", |unit| async move {
        app.require_fresh(&unit, who).await?;
        let (name_of, scopes_of, hash) = (name.clone(), (**scopes).clone(), hash.clone());
        let new = api_keys::NewKey { id, name: name_of, scopes: scopes_of, hash, expires_at };
        let made = api_keys::create(&unit, new, who.account()).await?;
        let shown = KeyMade { id, name, scopes, expires_at, key };
        Reply::created(format!("/v1/admin/api-keys/{id}"), made.version, &shown)
    })
    .await
}

/// Lists API keys, newest first.
///
/// The key itself is shown only once, when it is created.
#[utoipa::path(get, path = "/v1/admin/api-keys", operation_id = "listApiKeys",
    tag = "admin", params(ListQuery), security(("bearer" = ["admin"])),
    responses((status = 200, description = "A page of API keys", body = KeyPage)))]
async fn list(
    State(app): State<Shared>,
    _admin: Admin,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ask = lists::ask(query.limit, query.cursor);
    app.await_views(&[ApiKeyList::NAME], &headers).await?;
    let page = app.views.api_key_list(&ask).await?;
    let rows = page.rows()?;
    let ids: Vec<Uuid> = rows.iter().map(|key| key.id.uuid()).collect();
    let last = app.uses.last(app.commands.log(), &ids).await.map_err(Error::from)?;
    let items = rows.into_iter().map(|key| KeyRow { last_used_at: last.get(&key.id.uuid()).copied(), key });
    lists::page(&KeyPage { items: items.collect(), next: page.next })
}

/// Whether to remove the webhook endpoints that the key created.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RevokeQuery {
    /// Whether to remove the webhook endpoints that a program created with the key. By default they stay, and the response lists
    /// them.
    #[serde(default)]
    revoke: bool,
}

/// Revokes an API key.
///
/// The response lists the webhook endpoints that a program created with the key; `revoke` removes them, even if the key is already
/// revoked. Requires re-authentication within the last ten minutes.
#[utoipa::path(delete, path = "/v1/admin/api-keys/{id}", operation_id = "revokeApiKey",
    tag = "admin", params(("id" = String, Path), RevokeQuery), security(("bearer" = ["admin"])),
    responses((status = 200, description = "The key is revoked", body = show::Grants)))]
async fn revoke(
    State(app): State<Shared>,
    Of(id): Of<ApiKeyId>,
    Params(RevokeQuery { revoke }): Params<RevokeQuery>,
    ask: Ask<Admin, Nothing>,
) -> Result<Response, Problem> {
    let (app, who) = (&app, &ask.who.0);
    app.run(&ask, "api_key.revoke", |unit| async move {
        app.require_fresh(&unit, who).await?;
        let mut key = unit.load_matching::<ApiKey>(id).await?;
        let made = api_keys::revoke(&unit, &mut key, Revoke::when(revoke)).await?;
        Reply::ok(key.version, &show::Grants::of(made, revoke))
    })
    .await
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(revoke))
}
