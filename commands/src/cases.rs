//! Commands that concern several aggregates at once: each is decided whole and appended whole, or not at all.

use byteshop_domain::Kind;
use byteshop_domain::cart::{self, Cart};
use byteshop_domain::checkout::{self, Basis, Ids};
use byteshop_domain::decider::Decider as _;
use byteshop_domain::ids::{PaymentId, VariantId};
use byteshop_domain::money::Money;
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::order::Order;
use byteshop_domain::payment::Payment;
use byteshop_domain::product::{self, Product};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::stock::{self, StockLevel};
use byteshop_domain::text::Label;
use byteshop_domain::usage::Usage;
use chrono::TimeDelta;

use crate::error::{Error, Rejected};
use crate::unit::{Loaded, Unit};

mod baskets;
mod price;
mod promotions;

pub use baskets::{merge, open_cart, set_coupons};
pub use price::{Parcel, Priced, Reading, parcel, price};
pub use promotions::change_promotion;

/// Adds a variant to a product: its SKU is claimed and its stock opened with it.
pub async fn add_variant(
    unit: &Unit,
    product: &mut Loaded<Product>,
    variant: VariantId,
    details: product::Variant,
) -> Result<(), Error> {
    let sku = details.sku.clone();
    let name_id = name::id(NameKind::Sku, sku.as_str());
    unit.decide(product, &product::Command::AddVariant { variant, details })?;
    let mut name = unit.load::<UniqueName>(name_id).await?;
    let text =
        Label::new(sku.as_str()).map_err(|error| unit.refuse("variant.sku", Kind::Invalid, error.to_string()))?;
    let claim = name::Command::Claim { kind: NameKind::Sku, text, owner: variant.to_string() };
    unit.decide(&mut name, &claim)?;
    let mut stock = unit.load::<StockLevel>(variant).await?;
    unit.decide(&mut stock, &stock::Command::Open { product: product.id, sku })
}

/// Takes a variant out of a product: its SKU is free again; its stock stays, for orders that hold some of it.
pub async fn remove_variant(unit: &Unit, product: &mut Loaded<Product>, variant: VariantId) -> Result<(), Error> {
    let sku = product.state.existing().ok().and_then(|it| it.variants.get(&variant)).map(|it| it.sku.clone());
    unit.decide(product, &product::Command::RemoveVariant { variant })?;
    if let Some(sku) = sku {
        let mut name = unit.load::<UniqueName>(name::id(NameKind::Sku, sku.as_str())).await?;
        unit.decide(&mut name, &name::Command::Release {})?;
    }
    Ok(())
}

/// Puts so much of a variant into a cart, at today's price.
///
/// The availability is looked up without holding the stock to it: the cart promises nothing, and checkout looks again.
pub async fn set_line(
    unit: &Unit,
    cart: &mut Loaded<Cart>,
    variant: VariantId,
    quantity: Quantity,
) -> Result<(), Error> {
    let not_sold = || Error::Rejected(Rejected::missing("variant"));
    let mut stock = unit.peek::<StockLevel>(variant).await?;
    if stock.version == 0 || stock.state.available() < quantity.get() {
        // A refusal has to hold, so now the version counts.
        stock = unit.load::<StockLevel>(variant).await?;
    }
    let product_id = stock.state.product.ok_or_else(not_sold)?;
    let product = unit.load::<Product>(product_id).await?;
    let Ok(created) = product.state.existing() else { return Err(not_sold()) };
    let sold = created.variants.get(&variant).filter(|_| created.status == product::Status::Published);
    let sold = sold.ok_or_else(not_sold)?;
    let available = stock.state.available();
    if available < quantity.get() {
        return Err(Error::Rejected(Rejected::of::<StockLevel>(&stock::Rejection::NotEnough { available })));
    }
    // In a currency that it is not sold in, the cart itself refuses it.
    let currency = cart.state.existing().map_or(sold.price.currency(), |cart| cart.currency);
    let unit_price = sold.listed(currency).map_or(sold.price, |listed| listed.price);
    let line = cart::Line {
        variant,
        product: product_id,
        sku: sold.sku.clone(),
        title: sold.title.clone(),
        quantity,
        unit_price,
    };
    unit.decide(cart, &cart::Command::SetLine(line))
}

/// A cart that became an order.
#[derive(Debug)]
pub struct CheckedOut {
    /// The order, as placed.
    pub order: Loaded<Order>,
    /// The payment that was opened with it.
    pub payment: PaymentId,
}

/// Turns a cart into an order: cart closed, order placed, payment opened, every line reserved and everything that is limited
/// claimed in one append.
///
/// `pay_within` is how long the goods stay reserved without payment, `expected` the total that the buyer was shown, if they
/// want to be held to no other.
pub async fn checkout(
    unit: &Unit,
    mut cart: Loaded<Cart>,
    pay_within: TimeDelta,
    expected: Option<Money>,
) -> Result<CheckedOut, Error> {
    let at = unit.asked().at;
    let open = cart.state.open(at).map_err(|rejection| Error::Rejected(Rejected::of::<Cart>(&rejection)))?;
    let Priced { offers, quote } = price(Reading::Deciding(unit), open, at).await?;
    let ids = Ids { cart: cart.id, order: unit.new_id(), payment: unit.new_id() };
    // Whole seconds are enough for people, and shorter to read in the log.
    let pay_by = byteshop_eventstore::clock::whole_seconds(unit.now()) + pay_within;
    let basis = Basis { cart: &cart.state, offers: &offers, quote: &quote, at, pay_by, expected };
    let placed = checkout::checkout(&basis, ids).map_err(|rejection| refused_checkout(&rejection))?;
    unit.decide(&mut cart, &placed.cart)?;
    let mut order = unit.start::<Order>(ids.order);
    unit.decide(&mut order, &placed.order)?;
    let mut payment = unit.start::<Payment>(ids.payment);
    unit.decide(&mut payment, &placed.payment)?;
    for (variant, command) in &placed.stock {
        let mut stock = unit.load::<StockLevel>(*variant).await?;
        unit.decide(&mut stock, command)?;
    }
    for (usage, command) in &placed.usages {
        let mut usage = unit.load::<Usage>(*usage).await?;
        unit.decide(&mut usage, command)?;
    }
    Ok(CheckedOut { order, payment: ids.payment })
}

fn refused_checkout(rejection: &checkout::Rejection) -> Error {
    Error::Rejected(Rejected::named(Cart::CATEGORY, rejection))
}

/// Who holds a name, if it is held by such a thing.
pub(crate) fn holder<I: std::str::FromStr>(name: &UniqueName) -> Option<I> {
    match name {
        UniqueName::Free => None,
        UniqueName::Held { owner, .. } => owner.parse().ok(),
    }
}
