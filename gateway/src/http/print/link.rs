//! Documents that a link opens: with a link no token is needed, and with a token no link.

use axum::response::{IntoResponse as _, Response};
use byteshop_commands::Snapshot;
use byteshop_commands::links::Target;
use byteshop_domain::Locale;
use byteshop_domain::ids::OrderId;
use byteshop_domain::order::Order;
use http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::edge::actor::{Caller, let_in};
use crate::edge::by_link::ByLink;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::http::language::{Reading, accepted};
use crate::security::token::Role;

/// How a paper is to be read, and what opens it.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Shown {
    /// The language, `en` or `ru`; taken from `Accept-Language` by default, then from the order.
    locale: Option<Locale>,
    /// The expiry of the link, in seconds since 1970; part of a signed link.
    until: Option<i64>,
    /// The signature of the link.
    #[param(max_length = 64)]
    seal: Option<String>,
}

/// Which invoices of an order are shown, how they are to be read, and what opens them.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ShownInvoices {
    /// The number of a part: only the invoice that it is on. By default all invoices are shown.
    #[param(minimum = 1)]
    part: Option<u16>,
    /// The language, `en` or `ru`; taken from `Accept-Language` by default, then from the order.
    locale: Option<Locale>,
    /// The expiry of the link, in seconds since 1970; part of a signed link.
    until: Option<i64>,
    /// The signature of the link.
    #[param(max_length = 64)]
    seal: Option<String>,
}

impl ShownInvoices {
    /// The part, and how its invoice is read.
    pub(super) fn split(self) -> (Option<u16>, Shown) {
        let Self { part, locale, until, seal } = self;
        (part, Shown { locale, until, seal })
    }
}

impl Shown {
    /// In which language.
    pub(super) fn reading(&self) -> Reading {
        Reading { locale: self.locale }
    }

    /// Whether the reader is staff, and not a buyer with a link.
    pub(super) fn to_staff(&self, caller: &Caller) -> bool {
        self.seal.is_none() && caller.is_staff()
    }

    fn link(&self) -> ByLink {
        ByLink { until: self.until, seal: self.seal.clone() }
    }

    /// The order whose paper is wanted. A link that does not open it is answered with a page where a person looks, and with a
    /// problem otherwise.
    pub(super) async fn open(
        &self,
        app: &App,
        id: OrderId,
        target: Target,
        caller: &Caller,
        headers: &HeaderMap,
    ) -> Result<Snapshot<Order>, Response> {
        let found = if self.opens(app, target, headers).await? {
            app.snapshot::<Order>(id, &Then::default(), headers).await
        } else {
            app.seen_order(caller, id, &Then::default(), headers).await
        };
        found.map_err(Problem::into_response)
    }

    /// Refuses callers who are neither staff nor have a link that opens this.
    pub(super) async fn open_to_staff(
        &self,
        app: &App,
        target: Target,
        caller: &Caller,
        headers: &HeaderMap,
    ) -> Result<(), Response> {
        if self.opens(app, target, headers).await? {
            return Ok(());
        }
        let_in(caller.clone(), Role::is_staff).map(drop).map_err(Problem::into_response)
    }

    /// Whether a link opens this; false when there is none.
    async fn opens(&self, app: &App, target: Target, headers: &HeaderMap) -> Result<bool, Response> {
        match self.link().opens(app, &[target]).await.map_err(Problem::into_response)? {
            None => Ok(false),
            Some(Ok(())) => Ok(true),
            Some(Err(shut)) => Err(shut.answer(self.locale.or_else(|| accepted(headers)).unwrap_or_default(), headers)),
        }
    }
}
