//! Whether what a request shows opens the shop: an access token of a living session, or a key that is in force.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::MatchedPath;
use byteshop_domain::api_key::ApiKey;
use byteshop_domain::ids::{ApiKeyId, SessionId};
use byteshop_domain::session::Session;
use http::StatusCode;
use http::request::Parts;

use crate::app::Shared;
use crate::edge::problem::Problem;
use crate::security::api_key;
use crate::security::token::{Bearer, TokenError};

/// A program, by its key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Service {
    pub(super) key: ApiKeyId,
    /// The key has the scope that this route takes, so it counts as staff here.
    pub(super) in_scope: bool,
}

/// The bearer of an access token. A session that ended in this process is refused at once, one that ended elsewhere as
/// soon as this process reads it from the log.
pub(super) async fn bearer_of(app: &Shared, token: &str) -> Result<Bearer, Problem> {
    let bearer = app.tokens.check(token).map_err(invalid)?;
    if bearer.session.is_none() && !app.dev {
        // There was no log-in, so there is no session to log out, ban or check.
        let detail = "an access token without a session is accepted in development only: log in";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "auth.invalid", detail));
    }
    if has_ended(app, &bearer) {
        return Err(session_ended());
    }
    if let Some(session) = bearer.session {
        look_up(app, session, &bearer).await?;
    }
    Ok(bearer)
}

/// Refuses a token whose session does not exist or belongs to another account: anyone with the signing key could create
/// one. The session is looked up at first use, and again after the lifetime of a token.
async fn look_up(app: &Shared, session: SessionId, bearer: &Bearer) -> Result<(), Problem> {
    let (known, holder, now) = (&app.seen.sessions, (bearer.account, bearer.role), app.commands.clock().now());
    if known.holds(session, holder, now) {
        return Ok(());
    }
    let found = app.commands.get::<Session>(session).await?;
    let started = found.as_ref().and_then(|found| found.state.live().ok());
    let Some(started) = started.filter(|started| (started.account, started.role) == holder) else {
        let detail = "the access token belongs to no session of its account: log in";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "auth.invalid", detail));
    };
    if !started.is_alive(now) {
        return Err(session_ended());
    }
    known.learn(session, holder, now);
    Ok(())
}

fn session_ended() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "session.ended", "the session has ended; log in again")
}

/// Whether the session of a token is known to have ended.
pub(super) fn has_ended(app: &Shared, bearer: &Bearer) -> bool {
    let Some(session) = bearer.session else { return false };
    let seen = app.commands.glimpse::<Session>(session);
    seen.is_some_and(|session| session.live().is_ok_and(|started| started.revoked.is_some()))
        || app.ended.contains(session)
}

pub(super) fn token(value: &[u8]) -> Result<&str, Problem> {
    let text = std::str::from_utf8(value).map_err(|_| invalid(TokenError::Invalid))?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(token.trim());
    }
    Err(Problem::new(StatusCode::UNAUTHORIZED, "auth.invalid", "Authorization takes a Bearer token"))
}

fn invalid(error: TokenError) -> Problem {
    let code = match error {
        TokenError::Expired => "auth.expired",
        TokenError::Invalid => "auth.invalid",
    };
    Problem::new(StatusCode::UNAUTHORIZED, code, error.to_string())
}

/// The program whose key was shown, if it may call this route at all.
pub(super) async fn service_of(parts: &Parts, app: &Shared, shown: &api_key::Shown) -> Result<Service, Problem> {
    let unknown = || Problem::new(StatusCode::UNAUTHORIZED, "auth.invalid", "the key is not valid");
    let found = app.commands.get::<ApiKey>(shown.id).await?.ok_or_else(unknown)?;
    let key = found.state.live().map_err(|_| unknown())?;
    let same = verify_slices_are_equal(key.hash.as_str().as_bytes(), shown.hash.as_str().as_bytes()).is_ok();
    if key.revoked || !same {
        return Err(unknown());
    }
    let now = app.commands.clock().now();
    if !key.is_good(now) {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "auth.expired",
            "the API key has expired: create another one",
        ));
    }
    app.limits.key(shown.id)?;
    let route = parts.extensions.get::<MatchedPath>();
    let access = route.and_then(|route| app.contract.access(parts.method.as_str(), route.as_str()));
    let scope = access.and_then(|access| access.scope);
    let in_scope = scope.is_some_and(|scope| key.scopes.contains(&scope));
    if in_scope || access.is_some_and(|access| access.public) {
        app.uses.note(shown.id, now);
        return Ok(Service { key: shown.id, in_scope });
    }
    Err(match scope {
        Some(scope) => Problem::new(
            StatusCode::FORBIDDEN,
            "auth.scope",
            format!("the API key lacks the scope {} required here", scope.as_str()),
        ),
        None => Problem::forbidden("API keys cannot call this route; use an account's access token"),
    })
}
