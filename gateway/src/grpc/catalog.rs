//! The catalog for other programs: search, one product, and whether lines can be ordered.

use std::collections::HashSet;

use byteshop_commands::use_cases::offers;
use byteshop_domain::Currency;
use byteshop_domain::cart::{self, LINES_MAX};
use byteshop_domain::ids::VariantId;
use byteshop_domain::money::{Money, Price};
use byteshop_domain::quantity::{QUANTITY_MAX, Quantity};
use http::HeaderMap;
use tonic::{Request, Response, Status};

use super::v1::catalog_service_server::CatalogService;
use super::v1::{
    GetProductRequest, GetProductResponse, LineProblem, LineToValidate, SearchProductsRequest, SearchProductsResponse,
    ValidateLinesRequest, ValidateLinesResponse, ValidatedLine,
};
use crate::app::Shared;
use crate::edge::actor::Caller;
use crate::edge::problem::Problem;
use crate::queries::catalog;

mod page;
mod query;
mod show;

/// Answers from the same states and views as HTTP.
pub(super) struct Catalog(Shared);

impl Catalog {
    pub(super) fn new(app: Shared) -> Self {
        Self(app)
    }
}

#[tonic::async_trait]
impl CatalogService for Catalog {
    async fn search_products(
        &self,
        request: Request<SearchProductsRequest>,
    ) -> Result<Response<SearchProductsResponse>, Status> {
        let (caller, headers, asked) = opened(request)?;
        let asked = query::of(&caller, asked)?;
        let found = catalog::products(&self.0, &caller, &headers, asked).await?;
        Ok(Response::new(page::of(found)?))
    }

    async fn get_product(&self, request: Request<GetProductRequest>) -> Result<Response<GetProductResponse>, Status> {
        let (caller, headers, asked) = opened(request)?;
        let current = catalog::product(&self.0, &caller, &headers, &query::named(asked)?).await?;
        let product = show::product(current.id, current.details()?, &current.available);
        Ok(Response::new(GetProductResponse { product: Some(product), version: current.found.version }))
    }

    async fn validate_lines(
        &self,
        request: Request<ValidateLinesRequest>,
    ) -> Result<Response<ValidateLinesResponse>, Status> {
        let (_, headers, asked) = opened(request)?;
        let currency = query::currency_of(&asked.currency)?;
        let wanted = wanted(&asked.lines, currency)?;
        self.0.await_log(&headers).await?;
        let variants: Vec<VariantId> = wanted.iter().map(|line| line.variant).collect();
        let offered = offers::offered(&self.0.commands, &variants, currency).await.map_err(Problem::from)?;
        let lines: Vec<ValidatedLine> =
            wanted.iter().zip(&offered).map(|(line, sold)| line.beside(sold.as_ref(), currency)).collect();
        let amounts = wanted.iter().zip(&offered).filter_map(|(line, sold)| line.amount(sold.as_ref()?));
        let subtotal = Money::sum(currency, amounts).map_err(|error| Problem::invalid("lines", error.to_string()))?;
        Ok(Response::new(ValidateLinesResponse {
            purchasable: lines.iter().all(|line| line.problems.is_empty()),
            lines,
            subtotal: Some(show::money(subtotal)),
        }))
    }
}

/// Splits a request into the caller, the headers and the message.
fn opened<T>(request: Request<T>) -> Result<(Caller, HeaderMap, T), Problem> {
    let (metadata, extensions, asked) = request.into_parts();
    // The edge of gRPC has put it there.
    let caller = extensions.get::<Caller>().cloned().ok_or_else(Problem::internal)?;
    Ok((caller, metadata.into_headers(), asked))
}

/// A line to validate.
struct Wanted {
    variant: VariantId,
    quantity: Quantity,
    seen: Option<Price>,
}

/// The lines of a request, each of which must be one that an order could have.
fn wanted(lines: &[LineToValidate], currency: Currency) -> Result<Vec<Wanted>, Problem> {
    if !(1..=LINES_MAX).contains(&lines.len()) {
        return Err(Problem::invalid("lines", format!("send 1 to {LINES_MAX} lines")));
    }
    let mut seen = HashSet::new();
    let read = |(index, line): (usize, &LineToValidate)| {
        let wrong = |field: &str, detail: String| Problem::invalid(format!("lines/{index}/{field}"), detail);
        let wanted = Wanted::of(line, currency).map_err(|(field, detail)| wrong(field, detail))?;
        if !seen.insert(wanted.variant) {
            return Err(wrong(
                "variant",
                "this variant is already on an earlier line; add up the quantities".to_owned(),
            ));
        }
        Ok(wanted)
    };
    lines.iter().enumerate().map(read).collect()
}

impl Wanted {
    fn of(line: &LineToValidate, currency: Currency) -> Result<Self, (&'static str, String)> {
        let variant = line.variant.parse().map_err(|_| ("variant", "must be the id of a variant".to_owned()))?;
        let quantity =
            Quantity::new(line.quantity).map_err(|_| ("quantity", format!("must be between 1 and {QUANTITY_MAX}")))?;
        let price = |shown: &super::v1::Money| {
            if shown.currency != currency.code() {
                return Err(format!("must be in {}, the currency of the order", currency.code()));
            }
            Price::new(Money::new(shown.amount, currency)).map_err(|error| error.to_string())
        };
        let seen = line.unit_price.as_ref().map(price).transpose().map_err(|detail| ("unit_price", detail))?;
        Ok(Self { variant, quantity, seen })
    }

    /// The amount at the current price, if the variant is for sale.
    fn amount(&self, sold: &offers::Offered) -> Option<Money> {
        sold.offer.and_then(|offer| offer.price.times(self.quantity).ok())
    }

    /// The line beside what is offered.
    fn beside(&self, sold: Option<&offers::Offered>, currency: Currency) -> ValidatedLine {
        let offer = sold.and_then(|sold| sold.offer);
        ValidatedLine {
            variant: self.variant.to_string(),
            product: sold.map(|sold| sold.product.to_string()).unwrap_or_default(),
            sku: sold.map(|sold| sold.sku.to_string()).unwrap_or_default(),
            title: sold.map(|sold| sold.title.to_string()).unwrap_or_default(),
            quantity: self.quantity.get(),
            unit_price: offer.map(|offer| show::money(offer.price.money())),
            amount: sold.and_then(|sold| self.amount(sold)).map(show::money),
            available: sold.map_or(0, |sold| sold.available),
            problems: self.problems(sold, currency),
        }
    }

    /// All that keeps the line from being ordered.
    fn problems(&self, sold: Option<&offers::Offered>, currency: Currency) -> Vec<LineProblem> {
        let (variant, quantity) = (self.variant, self.quantity);
        let offer = sold.and_then(|sold| sold.offer);
        if let (Some(sold), None) = (sold, offer) {
            // It is for sale, but not for this money.
            let short = cart::Problem::short(variant, quantity, sold.available);
            return [show::no_price(variant, currency)].into_iter().chain(short.iter().map(show::problem)).collect();
        }
        cart::Problem::with(variant, quantity, self.seen, offer.as_ref()).iter().map(show::problem).collect()
    }
}
