//! The sessions of the caller: those that are alive, and the end of one of them.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Rejected;
use byteshop_commands::use_cases::accounts;
use byteshop_domain::account::Account;
use byteshop_domain::ids::SessionId;
use byteshop_domain::session::{Reason, Session};
use http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::Shared;
use crate::edge::actor::Member;
use crate::edge::ask::{Ask, Nothing, Of};
use crate::edge::lists;
use crate::edge::problem::Problem;
use crate::edge::reply::Reply;
use crate::http::identity::open;
use crate::http::show::account::SessionRow;

#[derive(Serialize, ToSchema)]
struct Sessions {
    items: Vec<SessionRow>,
}

/// The caller's sessions that are alive, the newest first.
#[utoipa::path(get, path = "/v1/me/sessions", operation_id = "listMySessions", tag = "me", security(("bearer" = [])),
    responses((status = 200, description = "The sessions", body = Sessions)))]
async fn mine(State(app): State<Shared>, member: Member, headers: HeaderMap) -> Result<Response, Problem> {
    app.await_log(&headers).await?;
    lists::page(&Sessions { items: sessions_of(&app, &member).await? })
}

/// The sessions of somebody that are alive, the newest first.
pub(in crate::http) async fn sessions_of(
    app: &Shared,
    Member(caller, id): &Member,
) -> Result<Vec<SessionRow>, Problem> {
    let now = app.commands.clock().now();
    let ids = open(app, *id).await?.map(|open| open.sessions).unwrap_or_default();
    let found = app.commands.get_all::<Session>(&ids).await?;
    let alive = ids.iter().zip(found).rev().filter_map(|(id, found)| {
        let started = found?.state.live().ok()?.clone();
        started.is_alive(now).then(|| SessionRow::of(*id, &started, caller.session() == Some(*id)))
    });
    Ok(alive.collect())
}

/// Ends one of the caller's sessions.
#[utoipa::path(delete, path = "/v1/me/sessions/{id}", operation_id = "endMySession", tag = "me", params(("id" = String, Path)), security(("bearer" = [])),
    responses((status = 204, description = "The session has ended")))]
async fn end(
    State(app): State<Shared>,
    Of(session): Of<SessionId>,
    ask: Ask<Member, Nothing>,
) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "session.log_out", |unit| async move {
        let mut account = unit.load::<Account>(ask.who.1).await?;
        let own = account.state.live().is_ok_and(|open| open.sessions.contains(&session));
        if !own {
            return Err(Rejected::missing("session").into());
        }
        accounts::log_out(&unit, &mut account, session, Reason::Logout).await?;
        Ok(Reply::gone(account.version))
    })
    .await
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(mine)).routes(routes!(end))
}
