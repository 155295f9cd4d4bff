//! Papers that a link opens: whoever has the link needs no token, and whoever shows a token needs no link.

use axum::response::{IntoResponse as _, Response};
use byteshop_commands::links::{Opens, Paper};
use byteshop_commands::{Error, Snapshot};
use byteshop_domain::Locale;
use byteshop_domain::ids::OrderId;
use byteshop_domain::order::Order;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use crate::actor::Caller;
use crate::http::App;
use crate::http::ask::Then;
use crate::http::language::{Reading, accepted};
use crate::page::{is_for_a_person, page};
use crate::problem::Problem;

/// How a paper is to be read, and what opens it.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Shown {
    /// The language, `en` or `ru`; taken from `Accept-Language` by default, then from the order.
    #[param(value_type = Option<crate::http::show::names::Locale>)]
    locale: Option<Locale>,
    /// The expiry of the link, in seconds since 1970; part of a signed link.
    until: Option<i64>,
    /// The signature of the link.
    #[param(max_length = 64)]
    seal: Option<String>,
}

impl Shown {
    /// In which language.
    pub(super) fn reading(&self) -> Reading {
        Reading { locale: self.locale }
    }

    /// Whether whoever looks is staff, and not a buyer with a link.
    pub(super) fn to_staff(&self, caller: &Caller) -> bool {
        self.seal.is_none() && caller.is_staff()
    }

    /// The order whose paper is wanted: a link is judged alone, whoever shows it. What does not open is told as a page where
    /// a person looks, and as a problem otherwise.
    pub(super) async fn open(
        &self,
        app: &App,
        id: OrderId,
        paper: Paper,
        caller: &Caller,
        headers: &HeaderMap,
    ) -> Result<Snapshot<Order>, Response> {
        let opens = match (self.until, &self.seal) {
            (None, None) => {
                let seen = app.seen_order(caller, id, &Then::default(), headers).await;
                return seen.map_err(Problem::into_response);
            }
            (Some(until), Some(seal)) => app.commands.opens(id, paper, until, seal).await,
            (Some(_), None) | (None, Some(_)) => Ok(Opens::Never),
        };
        let opens = opens.map_err(|error: Error| Problem::from(error).into_response())?;
        match opens {
            Opens::Yes => {
                let found = app.snapshot::<Order>(id, &Then::default(), headers).await;
                found.map_err(Problem::into_response)
            }
            Opens::Expired | Opens::Never => Err(self.refused(opens == Opens::Expired, headers)),
        }
    }

    fn refused(&self, expired: bool, headers: &HeaderMap) -> Response {
        if is_for_a_person(headers) {
            let locale = self.locale.or_else(|| accepted(headers)).unwrap_or_default();
            return match page("link.html", locale, &json!({"expired": expired})) {
                Ok(mut page) => {
                    *page.status_mut() = StatusCode::FORBIDDEN;
                    page
                }
                Err(problem) => problem.into_response(),
            };
        }
        let problem = if expired {
            Problem::new(
                StatusCode::FORBIDDEN,
                "link.expired",
                "the link has expired; request the order again for a new one",
            )
        } else {
            Problem::new(StatusCode::FORBIDDEN, "link.invalid", "the link is invalid")
        };
        problem.into_response()
    }
}
