//! The language of a response: that of the request, or else that of its reader.

use byteshop_domain::Locale;
use byteshop_domain::order::Placed;
use http::{HeaderMap, header};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::edge::actor::Caller;
use crate::edge::problem::Problem;

/// How something is to be read.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Reading {
    /// The language, `en` or `ru`; taken from `Accept-Language` by default, then from the buyer's mails.
    pub locale: Option<Locale>,
}

/// The language of a request's headers.
pub fn accepted(headers: &HeaderMap) -> Option<Locale> {
    headers.get(header::ACCEPT_LANGUAGE).and_then(|value| Locale::accepted(value.to_str().ok()?))
}

impl Reading {
    fn said(self, headers: &HeaderMap) -> Option<Locale> {
        self.locale.or_else(|| accepted(headers))
    }

    /// The language of a page for the buyer of an order, for every reader.
    pub async fn of_order(self, app: &App, placed: &Placed, headers: &HeaderMap) -> Result<Locale, Problem> {
        match self.said(headers) {
            Some(locale) => Ok(locale),
            None => Ok(app.commands.locale_of(placed).await?),
        }
    }

    /// The language of the caller, if they have an account.
    pub async fn of_reader(self, app: &App, caller: &Caller, headers: &HeaderMap) -> Result<Locale, Problem> {
        let own = match (self.said(headers), caller.account()) {
            (Some(locale), _) => Some(locale),
            (None, Some(account)) => app.commands.locale_of_account(account).await?,
            (None, None) => None,
        };
        Ok(own.unwrap_or_default())
    }
}
