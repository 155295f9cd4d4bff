//! A stored value: a balance at the shop that pays orders. It is a gift card, or the store credit of an account in one currency.
//!
//! ```text
//! gift card:    (missing) ──issued, sold──▶ valid ◀──blocked, unblocked──▶ blocked
//!                                       ├── expired: what is not held falls to the shop
//!                                       └── taken back: what is not held is refunded to who bought the card
//! store credit: (missing) ──granted, credited──▶ open ──granted, credited, withdrawn──▶ open
//! both:         held for an order ──▶ redeemed (the order is paid), or released
//!               refunded to it ──▶ credited
//! ```
//!
//! balance = issued, sold or granted + credited − redeemed − withdrawn − taken back − expired. What is held for orders is a part of the balance that
//! nothing else can use, so no cent is spent twice: an order is covered in the append that holds the amount.
//!
//! A gift card is known by its code, of which only a keyed hash is kept: the id of the card follows from it. What comes back to a
//! card that is blocked stays on it. What comes back to a card that has expired makes it valid for [`AFTER_RETURN`] more, as the
//! buyer could not use it meanwhile.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Currency;
use crate::decider::{Asked, Decider};
use crate::ids::{AccountId, Id as _, OrderId, RefundId, StoredValueId, VariantId};
use crate::money::Money;
use crate::text::{Hash, Reason};

mod code;
#[cfg(test)]
mod tests;

pub use code::{BadCode, CODE_BYTES, GiftCode};

/// Namespace of the ids; any fixed number would do, and it can never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x2f0e_9a44_71cd_4b06_8f5b_c2d1_60a7_93e8);
/// The maximum of a gift card, of one grant and of the balance of a store credit, in the smallest unit: a hundred thousand euros. More
/// is a typo.
pub const AMOUNT_MAX: i64 = 10_000_000;
/// The maximum number of days until a gift card expires: ten years. Later is a typo.
pub const VALID_DAYS_MAX: i64 = 3_660;
/// How long a gift card that has expired is valid again after an amount has come back to it: long enough to buy something else.
pub const AFTER_RETURN: TimeDelta = TimeDelta::days(90);

/// What pays an order besides money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Means {
    /// A gift card.
    GiftCard {
        /// Its id.
        card: StoredValueId,
    },
    /// The store credit of an account, in the currency of the order.
    StoreCredit {
        /// The account.
        account: AccountId,
    },
}

impl Means {
    /// The stored value of an amount in a currency.
    pub fn value(self, currency: Currency) -> StoredValueId {
        match self {
            Self::GiftCard { card } => card,
            Self::StoreCredit { account } => of_account(account, currency),
        }
    }

    /// Whether it is a gift card.
    pub fn is_card(self) -> bool {
        match self {
            Self::GiftCard { .. } => true,
            Self::StoreCredit { .. } => false,
        }
    }
}

/// An amount of an order that a stored value pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cover {
    /// The stored value.
    pub means: Means,
    /// The amount.
    pub amount: Money,
}

impl Cover {
    /// The sum of covers of one payment.
    pub fn total(covers: &[Self]) -> i64 {
        covers.iter().map(|cover| cover.amount.amount).sum()
    }
}

/// The store credit of an account in a currency.
pub fn of_account(account: AccountId, currency: Currency) -> StoredValueId {
    named(&format!("credit:{account}:{}", currency.code()))
}

/// The gift card with the code that has this keyed hash.
pub fn of_code(hash: &Hash) -> StoredValueId {
    named(&format!("card:{hash}"))
}

fn named(name: &str) -> StoredValueId {
    // UUID version 5 of the name (RFC 9562, section 5.5).
    StoredValueId::from_uuid(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
}

/// What happened to a stored value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Staff issued a gift card.
    Issued {
        /// Its value.
        amount: Money,
        /// When it expires, if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
        /// The reason.
        reason: Reason,
    },
    /// A gift card was issued for a piece of an order that was paid.
    Sold {
        /// The order.
        order: OrderId,
        /// The variant.
        variant: VariantId,
        /// Its value: the price of the piece.
        amount: Money,
        /// When it expires, if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    /// What was left of a gift card was taken back, because the order that bought it is refunded.
    TakenBack {
        /// The order.
        order: OrderId,
        /// The amount.
        amount: Money,
    },
    /// Staff granted store credit to an account.
    Granted {
        /// The account.
        account: AccountId,
        /// The amount.
        amount: Money,
        /// The reason.
        reason: Reason,
    },
    /// Staff withdrew store credit.
    Withdrawn {
        /// The amount.
        amount: Money,
        /// The reason.
        reason: Reason,
    },
    /// An amount more is held for an order.
    Held {
        /// The order.
        order: OrderId,
        /// The amount.
        amount: Money,
    },
    /// An amount is not held for an order any more: it can be used again.
    Released {
        /// The order.
        order: OrderId,
        /// The amount.
        amount: Money,
        /// Until when the gift card is valid again, if it had expired.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    /// The amount that was held for an order paid it.
    Redeemed {
        /// The order.
        order: OrderId,
        /// The amount.
        amount: Money,
    },
    /// A refund of an order came back to it.
    Credited {
        /// The order.
        order: OrderId,
        /// The refund.
        refund: RefundId,
        /// The amount.
        amount: Money,
        /// The account, for store credit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<AccountId>,
        /// Until when the gift card is valid again, if it had expired.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    /// Staff blocked a gift card: it cannot be used.
    Blocked {
        /// The reason.
        reason: Reason,
    },
    /// A gift card can be used again.
    Unblocked {
        /// The reason.
        reason: Reason,
    },
    /// A gift card expired: what was left of it and not held falls to the shop.
    Expired {
        /// The amount.
        amount: Money,
    },
}

impl crate::Event for Event {}

/// The commands of a stored value.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Issue a gift card.
    Issue {
        /// Its value.
        amount: Money,
        /// When it expires, if it does.
        expires_at: Option<DateTime<Utc>>,
        /// The reason.
        reason: Reason,
    },
    /// Issue a gift card for a piece of an order.
    Sell {
        /// The order.
        order: OrderId,
        /// The variant.
        variant: VariantId,
        /// Its value.
        amount: Money,
        /// When it expires, if it does.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Take back what is left of a gift card.
    TakeBack {
        /// The order that bought it.
        order: OrderId,
        /// Whether its price went back by a decision of others: what other orders hold of it then stays held, and is no obstacle.
        imposed: bool,
    },
    /// Grant store credit.
    Grant {
        /// The account.
        account: AccountId,
        /// The amount.
        amount: Money,
        /// The reason.
        reason: Reason,
    },
    /// Withdraw store credit that is not held.
    Withdraw {
        /// The amount.
        amount: Money,
        /// The reason.
        reason: Reason,
    },
    /// Hold exactly this amount for an order.
    Hold {
        /// The order.
        order: OrderId,
        /// The amount; zero to hold nothing.
        amount: Money,
    },
    /// Take an amount of what is held for an order, which is paid; the rest is released.
    Redeem {
        /// The order.
        order: OrderId,
        /// The amount.
        amount: Money,
    },
    /// Take a refund of an order back. The payment knows whether this is done already.
    Credit {
        /// The order.
        order: OrderId,
        /// The refund.
        refund: RefundId,
        /// The amount.
        amount: Money,
        /// The account, for store credit.
        account: Option<AccountId>,
    },
    /// Block a gift card.
    Block {
        /// The reason.
        reason: Reason,
    },
    /// Unblock a gift card.
    Unblock {
        /// The reason.
        reason: Reason,
    },
    /// Let what is left of a gift card expire, if its time has come.
    Expire {},
}

/// The state of a stored value.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum StoredValue {
    /// It does not exist.
    #[default]
    Missing,
    /// It exists.
    Opened(Opened),
}

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Holder {
    /// A gift card: everyone who has its code can use it.
    GiftCard {
        /// What it was issued for.
        value: Money,
        /// When it expires, if it does.
        expires_at: Option<DateTime<Utc>>,
        /// Whether staff blocked it.
        blocked: bool,
    },
    /// The store credit of an account.
    StoreCredit {
        /// The account.
        account: AccountId,
    },
}

/// A stored value that exists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Opened {
    /// What it is.
    #[serde(flatten)]
    pub holder: Holder,
    /// The balance, with what is held.
    pub balance: Money,
    /// What is held for orders.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub held: BTreeMap<OrderId, Money>,
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Rejection {
        Missing => Missing: "there is no such gift card or store credit";
        UnknownCode => Invalid at "/code": "there is no gift card with this code";
        Exists => Conflict: "the gift card already exists";
        NotAnAmount => Invalid at "/amount": "the amount must be greater than zero, and in the currency of the balance";
        TooMuch { most: Money } => Invalid at "/amount": "the amount and the balance can be at most {most}";
        NotEnough { left: Money } => Conflict at "/amount": "only {left} is left that is not held for an order";
        Pays { held: Money } => Conflict at "/lines":
            "{held} of a gift card is held for an order that is not paid yet; wait until it is paid or cancelled";
        ForGiftCards => Conflict: "an order of gift cards is not paid with a gift card; order the gift cards separately";
        NothingLeft => Conflict: "nothing is left of the balance";
        OtherCurrency { currency: Currency } => Conflict: "the balance is in {code}, and the order is not", code = currency.code();
        Blocked => Conflict: "the gift card is blocked; ask the shop";
        Expired => Conflict: "the gift card has expired";
        ExpiryInPast => Invalid at "/expires_at": "the gift card would have expired already";
        ExpiryTooLate => Invalid at "/expires_at": "a gift card is valid for at most {VALID_DAYS_MAX} days";
    }
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for StoredValue {
    const CATEGORY: &'static str = "stored_value";
    type Id = StoredValueId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        match command {
            Command::Issue { amount, expires_at, reason } => self.issue(*amount, *expires_at, reason, asked.at),
            Command::Sell { order, variant, amount, expires_at } => self.sell(*order, *variant, *amount, *expires_at),
            Command::TakeBack { order, imposed } => self.live()?.take_back(*order, *imposed),
            Command::Grant { account, amount, reason } => self.grant(*account, *amount, reason),
            Command::Withdraw { amount, reason } => self.live()?.withdraw(*amount, reason),
            Command::Hold { order, amount } => self.live()?.hold(*order, *amount, asked.at),
            Command::Redeem { order, amount } => Ok(self.live()?.redeem(*order, *amount, asked.at)),
            Command::Credit { order, refund, amount, account } => {
                Ok(vec![self.credit(*order, *refund, *amount, *account, asked.at)?])
            }
            Command::Block { reason } => self.live()?.block(reason),
            Command::Unblock { reason } => self.live()?.unblock(reason),
            Command::Expire {} => Ok(self.live()?.expire(asked.at)),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Issued { amount, expires_at, .. } | Event::Sold { amount, expires_at, .. } => {
                let holder = Holder::GiftCard { value: *amount, expires_at: *expires_at, blocked: false };
                Self::Opened(Opened { holder, balance: *amount, held: BTreeMap::new() })
            }
            Event::Granted { account, amount, .. } => self.with_credit(*account, *amount),
            Event::Credited { account: Some(account), amount, .. } => self.with_credit(*account, *amount),
            Event::Credited { account: None, amount, expires_at, .. } => self.with(|it| {
                it.change(amount.amount);
                it.prolong(*expires_at);
            }),
            Event::Withdrawn { amount, .. } | Event::Expired { amount } | Event::TakenBack { amount, .. } => {
                self.with(|it| it.change(-amount.amount))
            }
            Event::Held { order, amount } => self.with(|it| it.change_held(*order, amount.amount)),
            Event::Released { order, amount, expires_at } => self.with(|it| {
                it.change_held(*order, -amount.amount);
                it.prolong(*expires_at);
            }),
            Event::Redeemed { order, amount } => self.with(|it| {
                it.change_held(*order, -amount.amount);
                it.change(-amount.amount);
            }),
            Event::Blocked { .. } => self.with(|it| it.set_blocked(true)),
            Event::Unblocked { .. } => self.with(|it| it.set_blocked(false)),
        }
    }
}

impl StoredValue {
    /// The stored value, if it exists.
    pub fn live(&self) -> Result<&Opened, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Opened(opened) => Ok(opened),
        }
    }

    fn issue(&self, amount: Money, expires_at: Option<DateTime<Utc>>, reason: &Reason, at: DateTime<Utc>) -> Decision {
        if let Self::Opened(_) = self {
            return Err(Rejection::Exists);
        }
        ensure_amount(amount, amount.currency)?;
        ensure_fits(amount, amount.amount)?;
        if expires_at.is_some_and(|until| until <= at) {
            return Err(Rejection::ExpiryInPast);
        }
        if expires_at.is_some_and(|until| until > at + TimeDelta::days(VALID_DAYS_MAX)) {
            return Err(Rejection::ExpiryTooLate);
        }
        Ok(vec![Event::Issued { amount, expires_at, reason: reason.clone() }])
    }

    /// What was paid is issued, whatever the limit.
    fn sell(&self, order: OrderId, variant: VariantId, amount: Money, expires_at: Option<DateTime<Utc>>) -> Decision {
        match self {
            Self::Missing => Ok(vec![Event::Sold { order, variant, amount, expires_at }]),
            Self::Opened(_) => Err(Rejection::Exists),
        }
    }

    fn grant(&self, account: AccountId, amount: Money, reason: &Reason) -> Decision {
        let balance = self.live().map_or(Money::zero(amount.currency), |it| it.balance);
        ensure_amount(amount, balance.currency)?;
        ensure_fits(amount, balance.amount.saturating_add(amount.amount))?;
        Ok(vec![Event::Granted { account, amount, reason: reason.clone() }])
    }

    /// A refund is never refused, whatever the limit, as the buyer paid it.
    fn credit(
        &self,
        order: OrderId,
        refund: RefundId,
        amount: Money,
        account: Option<AccountId>,
        at: DateTime<Utc>,
    ) -> Result<Event, Rejection> {
        let known = self.live();
        ensure_amount(amount, known.map_or(amount.currency, |it| it.balance.currency))?;
        // A gift card was issued before it paid anything.
        let expires_at = if account.is_none() { known?.valid_again(at) } else { None };
        Ok(Event::Credited { order, refund, amount, account, expires_at })
    }

    fn with(mut self, change: impl FnOnce(&mut Opened)) -> Self {
        if let Self::Opened(opened) = &mut self {
            change(opened);
        }
        self
    }

    fn with_credit(self, account: AccountId, amount: Money) -> Self {
        match self {
            Self::Missing => {
                let holder = Holder::StoreCredit { account };
                Self::Opened(Opened { holder, balance: amount, held: BTreeMap::new() })
            }
            Self::Opened(_) => self.with(|it| it.change(amount.amount)),
        }
    }
}

fn ensure_amount(amount: Money, currency: Currency) -> Result<(), Rejection> {
    if amount.amount > 0 && amount.currency == currency { Ok(()) } else { Err(Rejection::NotAnAmount) }
}

/// Whether a gift card may be worth an amount.
pub fn is_value_of_card(amount: Money) -> bool {
    (1..=AMOUNT_MAX).contains(&amount.amount)
}

/// Refuses a balance that is not believable.
fn ensure_fits(amount: Money, balance: i64) -> Result<(), Rejection> {
    let most = Money { amount: AMOUNT_MAX, ..amount };
    if balance <= AMOUNT_MAX { Ok(()) } else { Err(Rejection::TooMuch { most }) }
}

impl Opened {
    /// What is held for all orders.
    pub fn held_in_all(&self) -> Money {
        Money { amount: self.held.values().map(|held| held.amount).sum(), ..self.balance }
    }

    /// What is held for an order.
    pub fn held_for(&self, order: OrderId) -> Money {
        self.held.get(&order).copied().unwrap_or(Money::zero(self.balance.currency))
    }

    /// What is not held.
    pub fn available(&self) -> Money {
        Money { amount: self.balance.amount - self.held_in_all().amount, ..self.balance }
    }

    /// Whether it is a gift card.
    pub fn is_card(&self) -> bool {
        match self.holder {
            Holder::GiftCard { .. } => true,
            Holder::StoreCredit { .. } => false,
        }
    }

    /// When it expires, if it does.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        match self.holder {
            Holder::GiftCard { expires_at, .. } => expires_at,
            Holder::StoreCredit { .. } => None,
        }
    }

    /// Whether staff blocked it.
    pub fn is_blocked(&self) -> bool {
        match self.holder {
            Holder::GiftCard { blocked, .. } => blocked,
            Holder::StoreCredit { .. } => false,
        }
    }

    /// Whether it has expired.
    pub fn has_expired(&self, at: DateTime<Utc>) -> bool {
        self.expires_at().is_some_and(|until| until <= at)
    }

    /// Refuses what cannot pay anything at this time.
    pub fn ensure_usable(&self, currency: Currency, at: DateTime<Utc>) -> Result<(), Rejection> {
        if self.is_blocked() {
            return Err(Rejection::Blocked);
        }
        if self.has_expired(at) {
            return Err(Rejection::Expired);
        }
        if self.balance.currency != currency {
            return Err(Rejection::OtherCurrency { currency: self.balance.currency });
        }
        Ok(())
    }

    /// Until when the card is valid again after an amount has come back, if it has expired.
    fn valid_again(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.has_expired(at).then(|| at + AFTER_RETURN)
    }

    fn withdraw(&self, amount: Money, reason: &Reason) -> Decision {
        match self.holder {
            Holder::GiftCard { .. } => return Err(Rejection::Missing),
            Holder::StoreCredit { .. } => {}
        }
        ensure_amount(amount, self.balance.currency)?;
        let left = self.available();
        if amount.amount > left.amount {
            return Err(Rejection::NotEnough { left });
        }
        Ok(vec![Event::Withdrawn { amount, reason: reason.clone() }])
    }

    /// Takes back all that is left; an amount that is held may still be used.
    fn take_back(&self, order: OrderId, imposed: bool) -> Decision {
        let held = self.held_in_all();
        if held.amount > 0 && !imposed {
            return Err(Rejection::Pays { held });
        }
        let amount = self.available();
        Ok(if amount.amount > 0 { vec![Event::TakenBack { order, amount }] } else { vec![] })
    }

    fn hold(&self, order: OrderId, amount: Money, at: DateTime<Utc>) -> Decision {
        let held = self.held_for(order);
        let more = Money { amount: amount.amount - held.amount, ..held };
        if amount.amount < 0 || amount.currency != held.currency {
            return Err(Rejection::NotAnAmount);
        }
        match more.amount {
            0 => Ok(vec![]),
            // What is held is released, whatever has become of the card.
            ..0 => {
                let (amount, expires_at) = (Money { amount: -more.amount, ..more }, self.valid_again(at));
                Ok(vec![Event::Released { order, amount, expires_at }])
            }
            1.. => {
                self.ensure_usable(amount.currency, at)?;
                let left = self.available();
                if more.amount > left.amount {
                    return Err(Rejection::NotEnough { left });
                }
                Ok(vec![Event::Held { order, amount: more }])
            }
        }
    }

    fn redeem(&self, order: OrderId, amount: Money, at: DateTime<Utc>) -> Vec<Event> {
        let held = self.held_for(order);
        let taken = Money { amount: amount.amount.min(held.amount), ..held };
        let rest = Money { amount: held.amount - taken.amount, ..held };
        let released = Event::Released { order, amount: rest, expires_at: self.valid_again(at) };
        let redeemed = Event::Redeemed { order, amount: taken };
        let released = (rest.amount > 0).then_some(released);
        released.into_iter().chain((taken.amount > 0).then_some(redeemed)).collect()
    }

    fn block(&self, reason: &Reason) -> Decision {
        match self.holder {
            Holder::GiftCard { blocked: false, .. } => Ok(vec![Event::Blocked { reason: reason.clone() }]),
            Holder::GiftCard { blocked: true, .. } => Ok(vec![]),
            Holder::StoreCredit { .. } => Err(Rejection::Missing),
        }
    }

    fn unblock(&self, reason: &Reason) -> Decision {
        match self.holder {
            Holder::GiftCard { blocked: true, .. } => Ok(vec![Event::Unblocked { reason: reason.clone() }]),
            Holder::GiftCard { blocked: false, .. } => Ok(vec![]),
            Holder::StoreCredit { .. } => Err(Rejection::Missing),
        }
    }

    fn expire(&self, at: DateTime<Utc>) -> Vec<Event> {
        let amount = self.available();
        if self.has_expired(at) && amount.amount > 0 { vec![Event::Expired { amount }] } else { vec![] }
    }

    fn change(&mut self, amount: i64) {
        self.balance.amount += amount;
    }

    fn change_held(&mut self, order: OrderId, amount: i64) {
        let held = self.held.entry(order).or_insert(Money::zero(self.balance.currency));
        held.amount += amount;
        if held.amount <= 0 {
            self.held.remove(&order);
        }
    }

    fn prolong(&mut self, until: Option<DateTime<Utc>>) {
        if let (Some(_), Holder::GiftCard { expires_at, .. }) = (until, &mut self.holder) {
            *expires_at = until;
        }
    }

    fn set_blocked(&mut self, is: bool) {
        if let Holder::GiftCard { blocked, .. } = &mut self.holder {
            *blocked = is;
        }
    }
}
