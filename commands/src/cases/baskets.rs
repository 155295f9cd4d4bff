//! The open cart of an account, one in each currency, and the guest's cart that is put into it when somebody logs in.

use byteshop_domain::cart::{self, Cart, Command};
use byteshop_domain::decider::Decider as _;
use byteshop_domain::ids::{AccountId, CartId, PromotionId};
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::pricing;
use byteshop_domain::promotion::CouponCode;
use byteshop_domain::text::Label;
use byteshop_domain::{Currency, Kind, Subject};
use byteshop_eventstore::StreamId;

use crate::Commands;
use crate::error::{Error, Rejected};
use crate::unit::{Loaded, Unit};

/// Events of a name that are read at once.
const PAGE: i64 = 500;

/// The name under which the cart is found that an account used last.
fn last(account: AccountId) -> String {
    account.to_string()
}

/// The name under which the cart in a currency is found that an account left for one in another.
fn left(account: AccountId, currency: Currency) -> String {
    format!("{account} {currency}")
}

/// The open cart of an account in a currency, a new one for so many days if there is none; says whether it is new.
///
/// In another currency it is another cart, and from then on that one is found until somebody asks for the first again.
pub async fn open_cart(
    unit: &Unit,
    account: AccountId,
    currency: Currency,
    days: u16,
) -> Result<(Loaded<Cart>, bool), Error> {
    let used = named(unit, &last(account)).await?;
    if let Some(cart) = used {
        let before = cart.state.existing().map_err(|it| rejected(&it))?.currency;
        if before == currency {
            return Ok((cart, false));
        }
        name_cart(unit, &left(account, before), cart.id).await?;
    }
    if let Some(cart) = named(unit, &left(account, currency)).await? {
        name_cart(unit, &last(account), cart.id).await?;
        return Ok((cart, false));
    }
    let mut cart = unit.start::<Cart>(unit.new_id());
    unit.decide(&mut cart, &Command::Create { owner: Some(account), token_hash: None, currency, days })?;
    name_cart(unit, &last(account), cart.id).await?;
    Ok((cart, true))
}

/// The cart of a name, as long as it is open.
async fn named(unit: &Unit, text: &str) -> Result<Option<Loaded<Cart>>, Error> {
    let name = unit.load::<UniqueName>(name::id(NameKind::Cart, text)).await?;
    let Some(known) = name.state.holder::<CartId>() else { return Ok(None) };
    let cart = unit.load::<Cart>(known).await?;
    Ok(if cart.state.open(unit.asked().at).is_ok() { Some(cart) } else { None })
}

async fn name_cart(unit: &Unit, text: &str, cart: CartId) -> Result<(), Error> {
    let mut name = unit.load::<UniqueName>(name::id(NameKind::Cart, text)).await?;
    let text = Label::new(text).map_err(|error| unit.refuse("cart.owner", Kind::Invalid, error.to_string()))?;
    unit.decide(&mut name, &name::Command::Release {})?;
    unit.decide(&mut name, &name::Command::Claim { kind: NameKind::Cart, text, owner: cart.to_string() })
}

fn rejected(rejection: &cart::Rejection) -> Error {
    Error::Rejected(Rejected::of::<Cart>(rejection))
}

/// Puts a guest's cart into the account's in that currency, and closes it. Again, it gives the cart that it was put into.
pub async fn merge(unit: &Unit, mut guest: Loaded<Cart>, account: AccountId, days: u16) -> Result<Loaded<Cart>, Error> {
    let known = guest.state.existing().map_err(|it| rejected(&it))?;
    if let Some(into) = known.merged_into {
        return unit.load::<Cart>(into).await?.exists();
    }
    let (lines, codes, currency) = (known.lines.clone(), known.coupons.clone(), known.currency);
    guest.state.open(unit.asked().at).map_err(|it| rejected(&it))?;
    let (mut own, _) = open_cart(unit, account, currency, days).await?;
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

    /// The id of the cart that an account used last, if it has one.
    pub async fn cart_of(&self, account: AccountId) -> Result<Option<CartId>, Error> {
        let name = self.get::<UniqueName>(name::id(NameKind::Cart, &last(account))).await?;
        Ok(name.and_then(|name| name.state.holder::<CartId>()))
    }

    /// The ids of the carts that an account ever had, the oldest first.
    pub async fn carts_of(&self, account: AccountId) -> Result<Vec<CartId>, Error> {
        let stream = StreamId::of::<UniqueName>(name::id(NameKind::Cart, &last(account)));
        let (mut carts, mut version) = (Vec::new(), 0);
        loop {
            let page = self.log().read_stream(&stream, version, PAGE).await?;
            let Some(newest) = page.last() else { return Ok(carts) };
            version = newest.version;
            for recorded in &page {
                let Some(name::Event::Claimed { owner, .. }) = recorded.event::<UniqueName>().transpose()? else {
                    continue;
                };
                let cart = owner.parse().ok().filter(|cart| !carts.contains(cart));
                carts.extend(cart);
            }
        }
    }
}
