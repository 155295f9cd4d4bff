//! The one open cart of an account, and the guest's cart that is put into it when somebody logs in.

use byteshop_domain::cart::{self, Cart, Command};
use byteshop_domain::decider::Decider as _;
use byteshop_domain::ids::{AccountId, CartId, PromotionId};
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::pricing;
use byteshop_domain::promotion::CouponCode;
use byteshop_domain::text::Label;
use byteshop_domain::{Currency, Kind, Subject};

use crate::Commands;
use crate::error::{Error, Rejected};
use crate::unit::{Loaded, Unit};

/// The name under which an account's cart is found.
fn name_of(account: AccountId) -> byteshop_domain::ids::NameId {
    name::id(NameKind::Cart, &account.to_string())
}

/// The open cart of an account in a currency, a new one for so many days if there is none; says whether it is new.
///
/// In another currency it is another cart, and from then on that one is found.
pub async fn open_cart(
    unit: &Unit,
    account: AccountId,
    currency: Option<Currency>,
    days: u16,
) -> Result<Option<(Loaded<Cart>, bool)>, Error> {
    let mut name = unit.load::<UniqueName>(name_of(account)).await?;
    let mut currency = currency;
    if let Some(known) = name.state.holder::<CartId>() {
        let cart = unit.load::<Cart>(known).await?;
        match cart.state.open(unit.asked().at) {
            Ok(open) if currency.is_none_or(|wanted| wanted == open.currency) => return Ok(Some((cart, false))),
            Ok(open) => currency = currency.or(Some(open.currency)),
            Err(_) => {}
        }
    }
    let Some(currency) = currency else { return Ok(None) };
    let mut cart = unit.start::<Cart>(unit.new_id());
    unit.decide(&mut cart, &Command::Create { owner: Some(account), token_hash: None, currency, days })?;
    let text = Label::new(&account.to_string());
    let text = text.map_err(|error| unit.refuse("cart.owner", Kind::Invalid, error.to_string()))?;
    unit.decide(&mut name, &name::Command::Release {})?;
    unit.decide(&mut name, &name::Command::Claim { kind: NameKind::Cart, text, owner: cart.id.to_string() })?;
    Ok(Some((cart, true)))
}

/// Puts a guest's cart into the account's, and closes it. Again, it gives the cart that it was put into.
pub async fn merge(unit: &Unit, mut guest: Loaded<Cart>, account: AccountId, days: u16) -> Result<Loaded<Cart>, Error> {
    let rejected = |rejection: cart::Rejection| Error::Rejected(Rejected::of::<Cart>(&rejection));
    let known = guest.state.existing().map_err(rejected)?;
    if let Some(into) = known.merged_into {
        return unit.load::<Cart>(into).await?.exists();
    }
    let (lines, codes, currency) = (known.lines.clone(), known.coupons.clone(), known.currency);
    guest.state.open(unit.asked().at).map_err(rejected)?;
    // An account's cart in another currency stays what it is as long as there is something in it.
    let own = open_cart(unit, account, None, days).await?;
    let own = match own {
        Some((own, _)) if own.state.existing().is_ok_and(|it| it.currency == currency || !it.lines.is_empty()) => own,
        Some(_) | None => open_cart(unit, account, Some(currency), days).await?.ok_or(Error::Contended)?.0,
    };
    let mut own = own;
    unit.decide(&mut own, &Command::Merge { from: guest.id, lines, codes })?;
    unit.decide(&mut guest, &Command::MergeInto { cart: own.id })?;
    Ok(own)
}

/// Enters codes into a cart, of which each must be somebody's; whether they apply is told with the price.
pub async fn set_coupons(unit: &Unit, cart: &mut Loaded<Cart>, codes: &[CouponCode]) -> Result<(), Error> {
    unit.decide(cart, &Command::SetCoupons { codes: codes.to_vec() })?;
    let names: Vec<_> = codes.iter().map(|code| name::id(NameKind::Coupon, code.as_str())).collect();
    if names.is_empty() {
        return Ok(());
    }
    for (code, name) in codes.iter().zip(unit.load_all::<UniqueName>(&names).await?) {
        if name.state.holder::<PromotionId>().is_none() {
            let unknown = pricing::Problem::CouponUnknown { coupon: code.clone() };
            return Err(Error::Rejected(Rejected {
                code: format!("{}.{}", Cart::CATEGORY, unknown.code()),
                kind: Kind::Invalid,
                detail: unknown.to_string(),
                pointer: Some("/code".to_owned()),
            }));
        }
    }
    Ok(())
}

impl Commands {
    /// Destroys the key of what a guest wrote into a cart that was discarded or put into another one; what belongs to an
    /// account is forgotten with that.
    pub async fn forget_cart(&self, id: CartId) -> Result<(), Error> {
        let cart = self.get::<Cart>(id).await?;
        let is_over = |cart: &cart::Created| cart.owner.is_none() && (cart.discarded || cart.merged_into.is_some());
        if cart.is_some_and(|found| found.state.existing().is_ok_and(is_over)) {
            self.vault().erase(Subject::of_cart(id, None)).await?;
        }
        Ok(())
    }

    /// The id of an account's open cart, if it has one.
    pub async fn cart_of(&self, account: AccountId) -> Result<Option<CartId>, Error> {
        let name = self.get::<UniqueName>(name_of(account)).await?;
        Ok(name.and_then(|name| name.state.holder::<CartId>()))
    }
}
