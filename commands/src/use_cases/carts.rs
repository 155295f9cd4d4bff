//! Carts: their lines, the open cart of an account in each currency, and the merge of a guest's cart at log-in.

mod address;
mod again;

use byteshop_domain::cart::{self, Cart, Command};
use byteshop_domain::checkout;
use byteshop_domain::decider::Decider as _;
use byteshop_domain::ids::{AccountId, CartId, NameId, PromotionId, SellerId, VariantId};
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::pricing;
use byteshop_domain::product::Product;
use byteshop_domain::promotion::CouponCode;
use byteshop_domain::quantity::Quantity;
use byteshop_domain::seller::Seller;
use byteshop_domain::shipping_book::{self, ShippingBook};
use byteshop_domain::stock::{self, StockLevel};
use byteshop_domain::text::{Hash, Label, Slug};
use byteshop_domain::{Currency, Kind, Subject};

use crate::Commands;
use crate::engine::error::{Error, Rejected};
use crate::engine::unit::{Loaded, Unit};
pub use address::{set_address, set_kept_address};
pub use again::move_to_cart;

/// The name under which the cart is found that an account used last.
fn last(account: AccountId) -> String {
    account.to_string()
}

/// The name under which the cart in a currency is found that an account left for one in another.
fn left(account: AccountId, currency: Currency) -> String {
    format!("{account} {currency}")
}

fn id_of(name: &str) -> NameId {
    name::id(NameKind::Cart, name)
}

/// The open cart of an account in a currency, or a new one that expires after this many days; returns whether it is
/// new.
///
/// Each currency has its own cart, and `/v1/me/cart` finds the one that was requested last.
pub async fn open_cart(
    unit: &Unit,
    account: AccountId,
    currency: Currency,
    days: u16,
) -> Result<(Loaded<Cart>, bool), Error> {
    let mut used = unit.load::<UniqueName>(id_of(&last(account))).await?;
    if let Some((cart, of)) = named(unit, &used).await? {
        if of == currency {
            return Ok((cart, false));
        }
        let behind = left(account, of);
        let mut name = unit.load::<UniqueName>(id_of(&behind)).await?;
        give(unit, &mut name, &behind, cart.id)?;
    }
    let kept = unit.load::<UniqueName>(id_of(&left(account, currency))).await?;
    let kept = named(unit, &kept).await?.map(|(cart, _)| cart);
    let is_new = kept.is_none();
    let mut cart = kept.unwrap_or_else(|| unit.start::<Cart>(unit.new_id()));
    if is_new {
        unit.decide(&mut cart, &Command::Create { owner: Some(account), token_hash: None, currency, days })?;
    }
    give(unit, &mut used, &last(account), cart.id)?;
    Ok((cart, is_new))
}

/// A new cart of a guest, which opens with a token and stays for so many days with every change.
pub fn open_cart_of_guest(
    unit: &Unit,
    token_hash: Option<Hash>,
    currency: Currency,
    days: u16,
) -> Result<Loaded<Cart>, Error> {
    let mut cart = unit.start::<Cart>(unit.new_id());
    unit.decide(&mut cart, &Command::Create { owner: None, token_hash, currency, days })?;
    Ok(cart)
}

/// The cart that has a name, with its currency, as long as it is open.
async fn named(unit: &Unit, name: &Loaded<UniqueName>) -> Result<Option<(Loaded<Cart>, Currency)>, Error> {
    let Some(known) = name.state.holder::<CartId>() else { return Ok(None) };
    let cart = unit.load::<Cart>(known).await?;
    let currency = cart.state.open(unit.asked().at).ok().map(|open| open.currency);
    Ok(currency.map(|currency| (cart, currency)))
}

/// Assigns a name to a cart, whichever cart had it before.
fn give(unit: &Unit, name: &mut Loaded<UniqueName>, text: &str, cart: CartId) -> Result<(), Error> {
    let text = Label::new(text).map_err(|error| Error::refused("cart.owner", Kind::Invalid, error.to_string()))?;
    unit.decide(name, &name::Command::Release {})?;
    unit.decide(name, &name::Command::Claim { kind: NameKind::Cart, text, owner: cart.to_string() })
}

/// Merges a guest's cart into the account's cart in that currency, and closes it. Repeating this returns the cart that
/// it was merged into.
pub async fn merge(unit: &Unit, mut guest: Loaded<Cart>, account: AccountId, days: u16) -> Result<Loaded<Cart>, Error> {
    let known = guest.state.live()?;
    if let Some(into) = known.stage.merged_into() {
        return unit.load::<Cart>(into).await?.exists();
    }
    let (lines, codes, currency) = (known.lines.clone(), known.coupons.clone(), known.currency);
    guest.state.open(unit.asked().at)?;
    let (mut own, _) = open_cart(unit, account, currency, days).await?;
    unit.decide(&mut own, &Command::Merge { from: guest.id, lines, codes })?;
    unit.decide(&mut guest, &Command::MergeInto { cart: own.id })?;
    Ok(own)
}

/// Sets the coupon codes of a cart, each of which must belong to a promotion; whether they apply is part of the price.
pub async fn set_coupons(unit: &Unit, cart: &mut Loaded<Cart>, codes: &[CouponCode]) -> Result<(), Error> {
    unit.decide(cart, &Command::SetCoupons { codes: codes.to_vec() })?;
    let names: Vec<_> = codes.iter().map(|code| name::id(NameKind::Coupon, code.as_str())).collect();
    if names.is_empty() {
        return Ok(());
    }
    for ((index, code), name) in codes.iter().enumerate().zip(unit.load_all::<UniqueName>(&names).await?) {
        if name.state.holder::<PromotionId>().is_none() {
            let unknown = pricing::Problem::CouponUnknown { coupon: code.clone() };
            return Err(Error::Rejected(Rejected {
                code: format!("{}.{}", Cart::CATEGORY, unknown.code()),
                kind: Kind::Invalid,
                detail: unknown.to_string(),
                pointer: Some(format!("/coupons/{index}")),
            }));
        }
    }
    Ok(())
}

/// Sets the quantity of a variant in a cart, at its current price.
///
/// The stock is read without a version check: a cart reserves nothing, and checkout checks again.
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
    let Ok(created) = product.state.live() else { return Err(not_sold()) };
    let seller = match created.seller {
        Some(seller) => Some(unit.load::<Seller>(seller).await?.state),
        None => None,
    };
    let sold = created.variants.get(&variant).filter(|_| created.is_sold(seller.as_deref()));
    let sold = sold.ok_or_else(not_sold)?;
    let available = stock.state.available();
    if available < quantity.get() {
        return Err(stock::Rejection::NotEnough { available }.into());
    }
    // In a currency that it is not sold in, the cart itself refuses it.
    let currency = cart.state.live().map_or(sold.price.currency(), |cart| cart.currency);
    let unit_price = sold.listed(currency).map_or(sold.price, |listed| listed.price);
    let line = cart::Line {
        variant,
        product: product_id,
        sku: sold.sku.clone(),
        title: sold.title.clone(),
        quantity,
        unit_price,
    };
    unit.decide(cart, &Command::SetLine(line))
}

/// Removes a variant from a cart.
pub fn remove_line(unit: &Unit, cart: &mut Loaded<Cart>, variant: VariantId) -> Result<(), Error> {
    unit.decide(cart, &Command::RemoveLine { variant })
}

/// Chooses the shipping service of a cart, one of those that are offered to its destination: by the house, or by a seller with prices of
/// its own for its goods.
pub async fn choose_shipping(
    unit: &Unit,
    cart: &mut Loaded<Cart>,
    service: &Slug,
    seller: Option<SellerId>,
) -> Result<(), Error> {
    // A refusal has to hold, so the version of the book counts.
    let id = seller.map_or_else(shipping_book::id, shipping_book::of_seller);
    let book = unit.load::<ShippingBook>(id).await?;
    let open = cart.state.open(unit.asked().at)?;
    let to = open.destination.as_ref().ok_or_else(no_destination)?;
    let zone = book.state.zone(&to.country, to.area.as_ref());
    if !zone.is_some_and(|zone| zone.services.iter().any(|known| known.service == *service)) {
        let problem = pricing::Problem::ShippingGone { service: service.clone(), seller };
        return Err(Error::refused(&format!("cart.{}", problem.code()), Kind::Invalid, problem.to_string()));
    }
    unit.decide(cart, &Command::ChooseShipping { service: service.clone(), seller })
}

/// Refuses a cart that has no shipping address.
pub fn no_destination() -> Error {
    Error::Rejected(Rejected::named(Cart::CATEGORY, &checkout::Rejection::NoDestination))
}

/// Discards a cart; [`Commands::forget_cart`] then erases what a guest wrote into it.
pub fn discard(unit: &Unit, cart: &mut Loaded<Cart>) -> Result<(), Error> {
    unit.decide(cart, &Command::Discard {})
}

impl Commands {
    /// Destroys the key of what a guest wrote into a cart that was discarded or put into another one; what belongs to an
    /// account is forgotten with that.
    pub async fn forget_cart(&self, id: CartId) -> Result<(), Error> {
        let cart = self.get::<Cart>(id).await?;
        let is_over = |cart: &cart::Created| cart.owner.is_none() && cart.stage.is_abandoned();
        if cart.is_some_and(|found| found.state.live().is_ok_and(is_over)) {
            self.vault().erase(Subject::of_cart(id, None)).await?;
        }
        Ok(())
    }

    /// The id of the cart that an account used last, if it has one.
    pub async fn cart_of(&self, account: AccountId) -> Result<Option<CartId>, Error> {
        let name = self.get::<UniqueName>(id_of(&last(account))).await?;
        Ok(name.and_then(|name| name.state.holder::<CartId>()))
    }

    /// The ids of the carts that an account ever had, the oldest first.
    pub async fn carts_of(&self, account: AccountId) -> Result<Vec<CartId>, Error> {
        let owner = |event| match event {
            name::Event::Claimed { owner, .. } => owner.parse().ok(),
            name::Event::Released { .. } => None,
        };
        let mut carts: Vec<CartId> = Vec::new();
        for cart in self.gather::<UniqueName, _>(id_of(&last(account)), owner).await? {
            if !carts.contains(&cart) {
                carts.push(cart);
            }
        }
        Ok(carts)
    }
}
