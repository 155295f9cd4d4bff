//! The catalog for other programs: search, one product, and whether lines can be ordered.

use std::collections::HashSet;

use byteshop_commands::Error;
use byteshop_commands::use_cases::offers;
use byteshop_commands::use_cases::products::sku_names;
use byteshop_domain::Currency;
use byteshop_domain::cart::{self, LINES_MAX};
use byteshop_domain::decider::Decider;
use byteshop_domain::ids::{ProductId, VariantId};
use byteshop_domain::money::{Money, Price};
use byteshop_domain::name::UniqueName;
use byteshop_domain::quantity::{QUANTITY_MAX, Quantity};
use byteshop_domain::stock::StockLevel;
use byteshop_domain::text::{Sku, fresh};
use http::HeaderMap;
use tonic::{Request, Response, Status};

use super::v1::catalog_service_server::CatalogService;
use super::v1::get_product_request::By;
use super::v1::{
    GetProductRequest, GetProductResponse, LineProblem, LineToValidate, SearchProductsRequest, SearchProductsResponse,
    ValidateLinesRequest, ValidateLinesResponse, ValidatedLine,
};
use crate::app::Shared;
use crate::edge::actor::Caller;
use crate::edge::problem::Problem;
use crate::http::{products, search};

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
        let json = search::page(&self.0, &caller, &headers, query::of(&caller, asked)?).await?;
        Ok(Response::new(page::of(&json)?))
    }

    async fn get_product(&self, request: Request<GetProductRequest>) -> Result<Response<GetProductResponse>, Status> {
        let (caller, headers, asked) = opened(request)?;
        self.0.await_log(&headers).await?;
        let id = self.named(asked).await?.ok_or_else(|| Problem::missing("product"))?;
        let (found, available) = products::with_stock(&self.0, id).await?;
        let product = show::product(id, products::seen_by(&caller, &found.state)?, &available);
        Ok(Response::new(GetProductResponse { product: Some(product), version: found.version }))
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

impl Catalog {
    /// The product that a request names, if it names one.
    async fn named(&self, asked: GetProductRequest) -> Result<Option<ProductId>, Problem> {
        match asked.by {
            Some(By::Product(id)) => Ok(id.parse().ok()),
            Some(By::Variant(id)) => match id.parse().ok() {
                Some(variant) => self.of_variant(variant).await,
                None => Ok(None),
            },
            Some(By::Sku(sku)) => {
                let Ok(sku) = fresh(|| Sku::new(&sku)) else { return Ok(None) };
                for name in sku_names(&sku) {
                    let held = self.state::<UniqueName>(name).await?;
                    if let Some(variant) = held.as_ref().and_then(|name| name.holder::<VariantId>()) {
                        return self.of_variant(variant).await;
                    }
                }
                Ok(None)
            }
            None => Err(Problem::invalid("by", "one of `product`, `variant` and `sku` is required")),
        }
    }

    async fn of_variant(&self, variant: VariantId) -> Result<Option<ProductId>, Problem> {
        Ok(self.state::<StockLevel>(variant).await?.and_then(|stock| stock.product))
    }

    async fn state<A: Decider>(&self, id: A::Id) -> Result<Option<std::sync::Arc<A>>, Error> {
        Ok(self.0.commands.get::<A>(id).await?.map(|found| found.state))
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
