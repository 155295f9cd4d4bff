//! Commands that concern several aggregates at once: each is decided whole and appended whole, or not at all.

use byteshop_domain::Kind;
use byteshop_domain::cart::{self, Cart};
use byteshop_domain::checkout::{self, Basis, Ids};
use byteshop_domain::decider::Decider as _;
use byteshop_domain::ids::{self, NameId, OrderId, VariantId};
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::order::{Order, Placed};
use byteshop_domain::payment::Payment;
use byteshop_domain::product::{self, Product};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::stock::{self, StockLevel};
use byteshop_domain::text::{Label, Sku};
use byteshop_domain::usage::{self, Customer, Usage};
use chrono::{DateTime, TimeDelta, Utc};

use crate::engine::error::{Error, Rejected};
use crate::engine::unit::{Loaded, Unit};

mod again;
mod baskets;
mod offered;
mod price;
mod promotions;
mod shown;

pub use again::move_to_cart;
pub use baskets::{merge, open_cart, set_coupons};
pub use offered::{Offered, offered};
pub use price::{Parcel, Priced, Reading, parcel, price};
pub use promotions::change_promotion;
pub use shown::{Agreed, total_to_remember};

/// Adds a variant to a product: its SKU is claimed and its stock opened with it.
pub async fn add_variant(
    unit: &Unit,
    product: &mut Loaded<Product>,
    variant: VariantId,
    details: product::Variant,
) -> Result<(), Error> {
    let sku = details.sku.clone();
    unit.decide(product, &product::Command::AddVariant { variant, details })?;
    claim_sku(unit, variant, &sku).await?;
    let mut stock = unit.load::<StockLevel>(variant).await?;
    unit.decide(&mut stock, &stock::Command::Open { product: product.id, sku })
}

/// Claims a SKU for a variant; refused while another variant has it, in whatever Unicode form.
async fn claim_sku(unit: &Unit, variant: VariantId, sku: &Sku) -> Result<(), Error> {
    let text =
        Label::new(sku.as_str()).map_err(|error| unit.refuse("variant.sku", Kind::Invalid, error.to_string()))?;
    let claim = name::Command::Claim { kind: NameKind::Sku, text, owner: variant.to_string() };
    let ids: Vec<_> = sku_names(sku).collect();
    let mut names = unit.load_all::<UniqueName>(&ids).await?.into_iter();
    let Some(mut name) = names.next() else { return Ok(()) };
    for earlier in names {
        // Refuses exactly as today's name does when somebody else holds it.
        earlier.state.decide(&claim, &unit.asked()).map_err(|it| Error::Rejected(Rejected::of::<UniqueName>(&it)))?;
    }
    unit.decide(&mut name, &claim)
}

/// Releases those of some SKUs that their variants hold.
pub(crate) async fn release_skus<'a>(
    unit: &Unit,
    skus: impl Iterator<Item = (VariantId, &'a Sku)>,
) -> Result<(), Error> {
    let held: Vec<_> = skus.flat_map(|(variant, sku)| sku_names(sku).map(move |name| (variant, name))).collect();
    let ids: Vec<_> = held.iter().map(|(_, name)| *name).collect();
    for ((variant, _), mut name) in held.iter().zip(unit.load_all::<UniqueName>(&ids).await?) {
        if name.state.holder() == Some(*variant) {
            unit.decide(&mut name, &name::Command::Release {})?;
        }
    }
    Ok(())
}

/// The streams in which a SKU may be held, the one that is claimed today first.
pub fn sku_names(sku: &Sku) -> impl Iterator<Item = NameId> {
    sku.forms().into_iter().map(|form| name::id(NameKind::Sku, &form))
}

/// Takes a variant out of a product: its SKU is free again; its stock stays, for orders that hold some of it.
pub async fn remove_variant(unit: &Unit, product: &mut Loaded<Product>, variant: VariantId) -> Result<(), Error> {
    let sku = product.state.existing().ok().and_then(|it| it.variants.get(&variant)).map(|it| it.sku.clone());
    unit.decide(product, &product::Command::RemoveVariant { variant })?;
    if let Some(sku) = sku {
        release_skus(unit, std::iter::once((variant, &sku))).await?;
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

/// How long, and by how many orders at once, goods are held for somebody who has not paid.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    /// How long an order waits for its payment.
    pub pay_within: TimeDelta,
    /// How many orders of one account may wait at once; 0 for any number.
    pub unpaid_orders: u32,
}

/// A cart that can still be changed and bought.
pub fn open(cart: &Cart, at: DateTime<Utc>) -> Result<&cart::Created, Error> {
    cart.open(at).map_err(|rejection| Error::Rejected(Rejected::of::<Cart>(&rejection)))
}

/// Turns a cart into an order: cart closed, order placed, payment opened, every line reserved and everything that is limited
/// claimed in one append.
///
/// `agreed` is the total that the buyer wants to be held to. Without, it is the one that the cart last showed to its owner.
pub async fn checkout(unit: &Unit, mut cart: Loaded<Cart>, hold: Hold, agreed: Agreed) -> Result<Loaded<Order>, Error> {
    let at = unit.asked().at;
    let open = open(&cart.state, at)?.clone();
    let Priced { offers, quote, .. } = price(Reading::Deciding(unit), &open, at).await?;
    let ids = Ids { cart: cart.id, order: unit.new_id(), payment: unit.new_id() };
    // Whole seconds are enough for people, and shorter to read in the log.
    let pay_by = byteshop_eventstore::clock::whole_seconds(unit.now()) + hold.pay_within;
    let Agreed { expected, seen } = agreed;
    let basis = Basis { cart: &cart.state, offers: &offers, quote: &quote, at, pay_by, expected, seen };
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
    // Guests give the address of whomever they like, so orders that wait count for accounts alone.
    let of_account = open.owner.map(|owner| usage::orders_of(&Customer::account(owner)));
    for (id, command) in &placed.usages {
        let mut usage = unit.load::<Usage>(*id).await?;
        if Some(*id) == of_account {
            check_unpaid(unit, &usage.state.orders, hold).await?;
        }
        unit.decide(&mut usage, command)?;
    }
    Ok(order)
}

/// Refuses one more order of a customer, of whose these are, while too many of them wait for their payment.
///
/// Only the youngest can: whatever is not paid for in time is off. So mostly nothing is looked at here.
async fn check_unpaid(unit: &Unit, orders: &[OrderId], hold: Hold) -> Result<(), Error> {
    let since = unit.now() - hold.pay_within;
    let young = |order: &&OrderId| ids::made_at(**order).is_none_or(|made_at| made_at >= since);
    let young: Vec<OrderId> = orders.iter().rev().take_while(young).copied().collect();
    let most = usize::try_from(hold.unpaid_orders).unwrap_or(usize::MAX);
    // One that cannot be seen is being written at this moment.
    let waits = |order: &&Loaded<Order>| order.state.placed().map_or(true, Placed::is_unpaid);
    let too_many = |orders: &[Loaded<Order>]| orders.iter().filter(waits).count() >= most;
    if most == 0 || young.len() < most || !too_many(&unit.peek_all::<Order>(&young).await?) {
        return Ok(());
    }
    // A refusal has to hold, so now the versions count.
    if too_many(&unit.load_all::<Order>(&young).await?) {
        return Err(refused_checkout(&checkout::Rejection::TooManyUnpaid { most: hold.unpaid_orders }));
    }
    Ok(())
}

fn refused_checkout(rejection: &checkout::Rejection) -> Error {
    Error::Rejected(Rejected::named(Cart::CATEGORY, rejection))
}
