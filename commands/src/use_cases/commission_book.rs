//! The rules of commission in one book, and what they say about the lines of a cart or about a product.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use byteshop_domain::cart::{self, Offer};
use byteshop_domain::commission::Commission;
use byteshop_domain::commission_book::{self, Command, CommissionBook, Rule, Sold};
use byteshop_domain::ids::{CategoryId, ProductId, SellerId, VariantId};
use byteshop_domain::money::Price;
use byteshop_domain::product::{self, Product};
use byteshop_domain::quantity::Quantity;

use crate::Commands;
use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};
use crate::use_cases::price::{Reading, path};

/// Replaces all rules. The tax stays as it is if it is absent, and orders keep the commissions that they were placed with.
pub fn set(
    unit: &Unit,
    book: &mut Loaded<CommissionBook>,
    rules: Vec<Rule>,
    tax_ppm: Option<u32>,
) -> Result<(), Error> {
    unit.decide(book, &Command::Set { rules, tax_ppm })
}

/// What decides about the commissions of a cart.
#[derive(Default)]
pub(crate) struct Charging {
    pub book: Arc<CommissionBook>,
    /// The categories of each variant, the deepest first; empty unless a rule names a category.
    pub categories: BTreeMap<VariantId, Vec<CategoryId>>,
}

/// Reads what decides about the commissions of a cart. Where all goods are the house's, nothing is read.
pub(crate) async fn charging(
    unit: &Unit,
    cart: &cart::Created,
    offers: &BTreeMap<VariantId, Offer>,
) -> Result<Charging, Error> {
    if offers.values().all(|offer| offer.seller.is_none()) {
        return Ok(Charging::default());
    }
    let book = unit.load::<CommissionBook>(commission_book::id()).await?.state;
    if !book.names_categories() {
        return Ok(Charging { book, ..Charging::default() });
    }
    // The order is decided on the versions of the products that its price was read from.
    let products: BTreeSet<ProductId> = cart.lines.iter().map(|line| line.product).collect();
    let products = unit.peek_all::<Product>(&products.into_iter().collect::<Vec<_>>()).await?;
    let own: BTreeMap<ProductId, CategoryId> =
        products.iter().filter_map(|it| Some((it.id, it.state.live().ok()?.category?))).collect();
    let parents = Reading::Glancing(unit).parents(own.values().copied().collect()).await?;
    let of = |line: &cart::Line| (line.variant, path(own.get(&line.product).copied(), &parents));
    Ok(Charging { categories: cart.lines.iter().map(of).collect(), book })
}

/// What a seller would be charged for pieces of a product at a price without sales tax, and now.
pub async fn preview(
    commands: &Commands,
    seller: SellerId,
    product: ProductId,
    unit_price: Price,
    quantity: Quantity,
) -> Result<Commission, Error> {
    let found = commands.get::<Product>(product).await?;
    let of_seller = |known: &&product::Created| known.seller == Some(seller);
    let known = found.as_ref().and_then(|found| found.state.live().ok()).filter(of_seller);
    let known = known.ok_or(product::Rejection::Missing)?;
    let book = commands.get::<CommissionBook>(commission_book::id()).await?.map(|book| book.state).unwrap_or_default();
    let parents = if book.names_categories() {
        Reading::Asking(commands).parents(known.category.into_iter().collect()).await?
    } else {
        BTreeMap::new()
    };
    let too_much = |_| cart::Rejection::TooExpensive;
    let sold = Sold {
        seller,
        product,
        categories: &path(known.category, &parents),
        unit_price,
        quantity,
        net: unit_price.times(quantity).map_err(too_much)?,
        at: commands.clock().now(),
    };
    Ok(book.on(&sold).map_err(too_much)?)
}
