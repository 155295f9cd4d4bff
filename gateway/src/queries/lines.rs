//! Whether lines could be ordered now: each beside the current offer of its variant, in the currency of the order.

use std::fmt;

use byteshop_commands::use_cases::offers::{self, Offered};
use byteshop_domain::cart;
use byteshop_domain::ids::VariantId;
use byteshop_domain::money::{Money, Price};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::{Currency, Rejection as _};
use http::HeaderMap;

use crate::app::App;
use crate::edge::problem::Problem;

/// A line to check.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) variant: VariantId,
    pub(crate) quantity: Quantity,
    /// The price that the buyer was shown; any other price is then a problem.
    pub(crate) seen: Option<Price>,
}

/// Lines beside what is offered.
#[derive(Debug)]
pub(crate) struct CheckedLines {
    /// In the order of the request.
    pub(crate) lines: Vec<CheckedLine>,
    /// The sum of the lines whose variants have a price.
    pub(crate) subtotal: Money,
}

/// A line beside what is offered.
#[derive(Debug)]
pub(crate) struct CheckedLine {
    pub(crate) line: Line,
    /// The variant, if it is for sale; its offer is absent if it has no price in the currency.
    pub(crate) offered: Option<Offered>,
    /// The amount at the current price.
    pub(crate) amount: Option<Money>,
    /// Everything that prevents ordering the line.
    pub(crate) problems: Vec<LineProblem>,
}

/// A reason why a line cannot be ordered.
#[derive(Debug)]
pub(crate) enum LineProblem {
    /// As in a cart.
    Cart(cart::Problem),
    /// The variant has no price in the currency of the order; a cart refuses such a line with the same code.
    NoPrice { variant: VariantId, currency: Currency },
}

/// Checks lines against the log, never against a view that may lag. It reserves nothing.
pub(crate) async fn check(
    app: &App,
    headers: &HeaderMap,
    lines: Vec<Line>,
    currency: Currency,
) -> Result<CheckedLines, Problem> {
    app.await_log(headers).await?;
    let variants: Vec<VariantId> = lines.iter().map(|line| line.variant).collect();
    let offered = offers::offered(&app.commands, &variants, currency).await?;
    let checked = lines.into_iter().zip(offered).map(|(line, offered)| CheckedLine::of(line, offered, currency));
    let lines: Vec<CheckedLine> = checked.collect();
    let subtotal = Money::sum(currency, lines.iter().filter_map(|line| line.amount))
        .map_err(|error| Problem::invalid("lines", error.to_string()))?;
    Ok(CheckedLines { lines, subtotal })
}

impl CheckedLine {
    fn of(line: Line, offered: Option<Offered>, currency: Currency) -> Self {
        let offer = offered.as_ref().and_then(|offered| offered.offer);
        let amount = offer.and_then(|offer| offer.price.times(line.quantity).ok());
        let problems = line.problems(offered.as_ref(), currency);
        Self { line, offered, amount, problems }
    }
}

impl Line {
    fn problems(&self, offered: Option<&Offered>, currency: Currency) -> Vec<LineProblem> {
        let Self { variant, quantity, seen } = *self;
        let offer = offered.and_then(|offered| offered.offer);
        if let (Some(offered), None) = (offered, offer) {
            // It is for sale, but not for this money.
            let short = cart::Problem::short(variant, quantity, offered.available);
            let no_price = LineProblem::NoPrice { variant, currency };
            return [no_price].into_iter().chain(short.map(LineProblem::Cart)).collect();
        }
        cart::Problem::with(variant, quantity, seen, offer.as_ref()).into_iter().map(LineProblem::Cart).collect()
    }
}

impl LineProblem {
    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Cart(problem) => problem.code(),
            Self::NoPrice { currency, .. } => cart::Rejection::OtherCurrency { currency: *currency }.code(),
        }
    }
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cart(problem) => fmt::Display::fmt(problem, f),
            Self::NoPrice { variant, currency } => write!(f, "{variant} has no price in {}", currency.code()),
        }
    }
}
