//! Variants of a product: what of it is bought, at what price.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::products;
use byteshop_commands::{Error, Loaded, Unit};
use byteshop_domain::Bounded;
use byteshop_domain::ids::{ProductId, VariantId};
use byteshop_domain::money::Price;
use byteshop_domain::product::{
    ATTRIBUTES_MAX, CURRENCIES_MAX, Listed, Options, Product, TaxClass, Variant, VariantChange,
};
use byteshop_domain::text::{Sku, Title};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::products::{changed, made};
use super::show;
use crate::app::Shared;
use crate::edge::actor::Trader;
use crate::edge::ask::{Ask, Nothing, Of, OfTwo, present};
use crate::edge::problem::Problem;
use crate::edge::reply::Reply;

/// Prices of a variant, one for each currency.
pub(super) type Prices = Bounded<Vec<Listed>, CURRENCIES_MAX>;
/// Option values by the name of the option.
pub(super) type OptionMap = Bounded<Options, ATTRIBUTES_MAX>;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"sku": "CUP-WHITE", "price": {"amount": 790, "currency": "EUR"}, "compare_at": {"amount": 990, "currency": "EUR"}, "options": {"colour": "white"}, "weight_g": 180}))]
pub(super) struct NewVariant {
    /// The unique SKU.
    pub(super) sku: Sku,
    /// The product's title by default.
    pub(super) title: Option<Title>,
    /// The unit price; its currency becomes the variant's primary currency.
    pub(super) price: Price,
    /// A higher reference price, shown struck through.
    pub(super) compare_at: Option<Price>,
    /// The unit price in further currencies.
    #[serde(default)]
    pub(super) prices: Prices,
    /// The option values, such as `{"size": "M"}`.
    #[serde(default)]
    pub(super) options: OptionMap,
    /// The weight of one packed piece, in grams.
    #[schema(maximum = 1_000_000)]
    pub(super) weight_g: Option<u32>,
    /// `standard` by default; only staff sets another one.
    pub(super) tax_class: Option<TaxClass>,
    /// Whether it is a physical item that is shipped; true by default.
    pub(super) physical: Option<bool>,
}

impl NewVariant {
    /// The variant, called as its product when it has no title of its own.
    pub(super) fn details(&self, product: &Title) -> Variant {
        let title = self.title.clone().unwrap_or_else(|| product.clone());
        Variant {
            compare_at: self.compare_at,
            other_prices: self.prices.to_vec(),
            weight_g: self.weight_g,
            tax_class: self.tax_class.unwrap_or_default(),
            physical: self.physical.unwrap_or(true),
            ..Variant::new(self.sku.clone(), title, self.price, (*self.options).clone())
        }
    }
}

/// Fields left out stay unchanged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VariantChange)]
#[schema(example = json!({"price": {"amount": 690, "currency": "EUR"}, "weight_g": 200}))]
pub(super) struct ChangedVariant {
    pub(super) title: Option<Title>,
    /// In a currency in which the variant is priced.
    pub(super) price: Option<Price>,
    /// A higher reference price, shown struck through; null removes it.
    #[serde(default, deserialize_with = "present")]
    pub(super) compare_at: Option<Option<Price>>,
    /// The unit prices in all currencies, the primary one included. Replaces `price`.
    pub(super) prices: Option<Prices>,
    /// All option values: they replace the present ones.
    pub(super) options: Option<OptionMap>,
    /// In grams; null if unknown.
    #[serde(default, deserialize_with = "present")]
    #[schema(maximum = 1_000_000)]
    pub(super) weight_g: Option<Option<u32>>,
    /// The tax class, which only staff changes.
    pub(super) tax_class: Option<TaxClass>,
    pub(super) physical: Option<bool>,
}

impl ChangedVariant {
    /// The changes besides the prices.
    pub(super) fn details(&self) -> VariantChange {
        VariantChange {
            title: self.title.clone(),
            options: self.options.as_deref().cloned(),
            weight_g: self.weight_g,
            tax_class: self.tax_class,
            physical: self.physical,
        }
    }

    /// The new prices, if any.
    pub(super) fn prices(&self) -> Result<Option<NewPrices>, Problem> {
        let compare_at = self.compare_at;
        match (&self.prices, self.price) {
            (Some(_), Some(_)) => Err(Problem::invalid("/prices", "send either price or prices, not both")),
            (Some(_), None) if compare_at.is_some() => {
                Err(Problem::invalid("/compare_at", "with prices, send compare_at inside each price"))
            }
            (Some(prices), None) => Ok(Some(NewPrices::All(prices.to_vec()))),
            (None, Some(price)) => Ok(Some(NewPrices::One(price, compare_at))),
            (None, None) if compare_at.is_some() => {
                Err(Problem::invalid("/compare_at", "send price together with compare_at"))
            }
            (None, None) => Ok(None),
        }
    }
}

/// The new prices of a variant.
pub(super) enum NewPrices {
    /// The price in one currency, and the reference price above it.
    One(Price, Option<Option<Price>>),
    /// The prices in all currencies.
    All(Vec<Listed>),
}

impl NewPrices {
    /// Sets them.
    pub(super) async fn set(
        &self,
        unit: &Unit,
        product: &mut Loaded<Product>,
        variant: VariantId,
    ) -> Result<(), Error> {
        match self {
            Self::One(price, compare_at) => products::set_price(unit, product, variant, *price, *compare_at).await,
            Self::All(prices) => products::set_prices(unit, product, variant, prices.clone()).await,
        }
    }
}

/// Adds a variant to a product and opens its stock.
#[utoipa::path(post, path = "/v1/products/{id}/variants", operation_id = "addVariant",
    tag = "catalog", params(("id" = String, Path)),
    request_body = NewVariant, security(("bearer" = ["member"])),
    responses((status = 201, description = "The product; `Location` names the variant", body = show::Product)))]
async fn add(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    ask: Ask<Trader, NewVariant>,
) -> Result<Response, Problem> {
    let (acts_for, body) = (ask.who.acts_for(), &ask.body);
    app.run(&ask, "product.add_variant", |unit| async move {
        let mut product = products::for_change(&unit, id, acts_for).await?;
        let variant: VariantId = unit.new_id();
        products::check_tax_class(acts_for, TaxClass::default(), body.tax_class)?;
        let details = body.details(&product.state.live()?.title);
        products::add_variant(&unit, &mut product, variant, details).await?;
        made(&unit, &product, format!("/v1/products/{id}/variants/{variant}")).await
    })
    .await
}

/// Updates a variant.
#[utoipa::path(patch, path = "/v1/products/{id}/variants/{variant}", operation_id = "updateVariant",
    tag = "catalog",
    params(("id" = String, Path), ("variant" = String, Path)),
    request_body = ChangedVariant, security(("bearer" = ["member"])),
    responses((status = 200, description = "The product", body = show::Product)))]
async fn change(
    State(app): State<Shared>,
    OfTwo(id, variant): OfTwo<ProductId, VariantId>,
    ask: Ask<Trader, ChangedVariant>,
) -> Result<Response, Problem> {
    let (acts_for, change, prices) = (ask.who.acts_for(), &ask.body.details(), &ask.body.prices()?);
    app.run(&ask, "product.revise_variant", |unit| async move {
        let mut product = products::for_change(&unit, id, acts_for).await?;
        let before = product.state.live()?.variant(variant)?.tax_class;
        products::check_tax_class(acts_for, before, change.tax_class)?;
        products::revise_variant(&unit, &mut product, variant, change.clone()).await?;
        if let Some(prices) = prices {
            prices.set(&unit, &mut product, variant).await?;
        }
        changed(&unit, &product).await
    })
    .await
}

/// Removes a variant.
///
/// Its SKU becomes available again.
#[utoipa::path(delete, path = "/v1/products/{id}/variants/{variant}", operation_id = "removeVariant",
    tag = "catalog",
    params(("id" = String, Path), ("variant" = String, Path)), security(("bearer" = ["member"])),
    responses((status = 204, description = "Removed")))]
async fn remove(
    State(app): State<Shared>,
    OfTwo(id, variant): OfTwo<ProductId, VariantId>,
    ask: Ask<Trader, Nothing>,
) -> Result<Response, Problem> {
    let acts_for = ask.who.acts_for();
    app.run(&ask, "product.remove_variant", |unit| async move {
        let mut product = products::for_change(&unit, id, acts_for).await?;
        products::remove_variant(&unit, &mut product, variant).await?;
        Ok(Reply::gone(product.version))
    })
    .await
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(add)).routes(routes!(change, remove))
}
