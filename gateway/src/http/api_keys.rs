//! Keys of programs: made for a purpose, told once, revoked when they are not needed or known to others.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_domain::account::Secret;
use byteshop_domain::api_key::{ApiKey, Command, Scope};
use byteshop_domain::ids::{ApiKeyId, Id as _};
use byteshop_domain::text::Name;
use byteshop_domain::{Bounded, Personal, Subject};
use byteshop_projections::View as _;
use byteshop_projections::api_key_list::ApiKeyList;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ask::{Ask, Nothing, Of, Params};
use super::openapi::max;
use super::{Shared, lists};
use crate::actor::{Admin, random};
use crate::api_key;
use crate::problem::Problem;
use crate::reply::{self, Reply};

/// Scopes, each once.
type Scopes = Bounded<BTreeSet<Scope>, { Scope::ALL.len() }>;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// The purpose.
    #[schema(value_type = String, example = "Warehouse", min_length = 1, default = max::<Name>)]
    name: Name,
    /// The permissions, such as `catalog:write`; docs/ACCESS.md lists the scope of each route.
    #[schema(value_type = Vec<crate::http::show::names::Scope>, example = json!(["stock:read", "stock:write"]), min_items = 1, default = max::<Scopes>)]
    scopes: Scopes,
}

/// An API key. The key itself is shown only once, when it is created.
#[derive(Serialize, ToSchema)]
struct KeyMade<'a> {
    #[schema(value_type = String, example = "key_01h455vb4pex5vsknk084sn02q")]
    id: ApiKeyId,
    #[schema(value_type = String)]
    name: &'a Name,
    #[schema(value_type = Vec<crate::http::show::names::Scope>)]
    scopes: &'a BTreeSet<Scope>,
    /// Sent as `Authorization: Bearer bsk_…`.
    #[schema(value_type = String, example = "bsk_…")]
    key: &'a Personal<Secret>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the view's own text")]
struct KeyRow {
    id: String,
    name: String,
    scopes: Vec<crate::http::show::names::Scope>,
    created_at: DateTime<Utc>,
    #[schema(required = true)]
    revoked_at: Option<DateTime<Utc>>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the view's own text")]
struct KeyPage {
    items: Vec<KeyRow>,
    /// The cursor of the next page.
    #[schema(required = true)]
    next: Option<String>,
}

/// Which page is wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Page size: 20 by default, at most 100.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// Creates an API key.
#[utoipa::path(post, path = "/v1/admin/api-keys", operation_id = "createApiKey",
    tag = "admin", request_body = NewKey, security(("bearer" = ["admin"])),
    responses((status = 201, description = "The key", body = KeyMade)))]
async fn create(State(app): State<Shared>, ask: Ask<Admin, NewKey>) -> Result<Response, Problem> {
    let id = ApiKeyId::from_uuid(app.commands.clock().new_id());
    let (text, hash) = api_key::write(id, &random()?).ok_or_else(Problem::internal)?;
    // The first answer is kept so that it can be given again, so the key lies in it sealed for whoever made it.
    let subject = ask.who.0.account().map_or(Subject(id.uuid()), Subject::from);
    let key = &app.commands.vault().seal(subject, &Secret(text)).await.map_err(Error::from)?;
    let (NewKey { name, scopes }, hash) = (&ask.body, &hash);
    app.run(&ask, "api_key.create", |unit| async move {
        let mut made = unit.start::<ApiKey>(id);
        let command = Command::Create { name: name.clone(), scopes: (**scopes).clone(), hash: hash.clone() };
        unit.decide(&mut made, &command)?;
        Reply::created(format!("/v1/admin/api-keys/{id}"), made.version, &KeyMade { id, name, scopes, key })
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
    let ask = lists::ask(query.limit, query.cursor)?;
    app.await_views(&[ApiKeyList::NAME], &headers).await?;
    Ok(reply::json(app.views.api_key_list(&ask).await?.json))
}

/// Revokes an API key.
#[utoipa::path(delete, path = "/v1/admin/api-keys/{id}", operation_id = "revokeApiKey",
    tag = "admin", params(("id" = String, Path)),
    security(("bearer" = ["admin"])), responses((status = 204, description = "The key is revoked")))]
async fn revoke(
    State(app): State<Shared>,
    Of(id): Of<ApiKeyId>,
    ask: Ask<Admin, Nothing>,
) -> Result<Response, Problem> {
    app.run(&ask, "api_key.revoke", |unit| async move {
        let mut key = unit.load_matching::<ApiKey>(id).await?;
        unit.decide(&mut key, &Command::Revoke {})?;
        Ok(Reply::gone(key.version))
    })
    .await
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(revoke))
}
