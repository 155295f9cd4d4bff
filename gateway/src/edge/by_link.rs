//! Signed links: they open their target without a token, and are checked without regard to the caller.

use axum::response::{IntoResponse as _, Response};
use byteshop_commands::links::{Opens, Target};
use byteshop_domain::Locale;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use crate::app::App;
use crate::edge::page::{is_for_a_person, page};
use crate::edge::problem::Problem;

/// The signed parts of a link; both come from a link that the shop created.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ByLink {
    /// The expiry of the link, in seconds since 1970; part of a signed link.
    pub until: Option<i64>,
    /// The signature of the link.
    #[param(max_length = 64)]
    pub seal: Option<String>,
}

/// Why a link opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shut {
    /// The link has expired.
    Expired,
    /// The link is invalid, or is for another target.
    Invalid,
}

impl ByLink {
    /// Whether one of these is opened by the link; `None` when the request came without one.
    pub async fn opens(&self, app: &App, targets: &[Target]) -> Result<Option<Result<(), Shut>>, Problem> {
        let (until, seal) = match (self.until, &self.seal) {
            (None, None) => return Ok(None),
            (Some(until), Some(seal)) => (until, seal),
            (Some(_), None) | (None, Some(_)) => return Ok(Some(Err(Shut::Invalid))),
        };
        let mut shut = Shut::Invalid;
        for target in targets {
            match app.commands.opens(*target, until, seal).await? {
                Opens::Yes => return Ok(Some(Ok(()))),
                Opens::Expired => shut = Shut::Expired,
                Opens::Never => {}
            }
        }
        Ok(Some(Err(shut)))
    }
}

/// Whether a target is opened by a link of which all parts are there.
pub async fn opens(app: &App, target: Target, until: i64, seal: &str) -> Result<Result<(), Shut>, Problem> {
    Ok(match app.commands.opens(target, until, seal).await? {
        Opens::Yes => Ok(()),
        Opens::Expired => Err(Shut::Expired),
        Opens::Never => Err(Shut::Invalid),
    })
}

impl Shut {
    /// The response to an unusable link: a page for a browser, and a problem otherwise.
    pub fn answer(self, locale: Locale, headers: &HeaderMap) -> Response {
        if !is_for_a_person(headers) {
            return Problem::from(self).into_response();
        }
        match page("link.html", locale, &json!({"expired": self == Self::Expired})) {
            Ok(mut page) => {
                *page.status_mut() = StatusCode::FORBIDDEN;
                page
            }
            Err(problem) => problem.into_response(),
        }
    }
}

impl From<Shut> for Problem {
    fn from(shut: Shut) -> Self {
        match shut {
            Shut::Expired => {
                let detail = "the link has expired; request the order again for a new one";
                Self::new(StatusCode::FORBIDDEN, "link.expired", detail)
            }
            Shut::Invalid => Self::new(StatusCode::FORBIDDEN, "link.invalid", "the link is invalid"),
        }
    }
}
