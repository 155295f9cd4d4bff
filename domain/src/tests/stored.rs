//! Gift cards and store credit: the turns of buyers and staff, and what must hold of every balance.

use std::sync::Arc;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::acts::{Pick, any_pick};
use super::shop::{Refused, Shop};
use crate::aftersales::{self, Wanted};
use crate::ids::{AccountId, OrderId, StoredValueId};
use crate::money::Money;
use crate::payment::Payment;
use crate::settlement;
use crate::stored_value::{Command, Event, Holder, Means, StoredValue};
use crate::testing::{cents, id, text};
use crate::work::Work;
use crate::{AnyEvent, Currency};

/// The gift cards of the shop.
const CARDS: u128 = 3;

/// Turns with gift cards and store credit.
#[derive(Debug, Clone, Copy)]
pub enum Stored {
    Issue { which: u8, amount: i64, days: Option<i64> },
    Grant { amount: i64 },
    Withdraw { part: i64 },
    Block { which: u8, unblock: bool },
    Cover { order: Pick, which: u8, part: i64 },
    Uncover { order: Pick, which: u8 },
    RefundToCredit { order: Pick, part: i64 },
}

pub fn stored() -> impl Strategy<Value = Stored> {
    let amount = || prop_oneof![Just(100), Just(1_000), Just(2_500), Just(20_000)];
    let days = prop_oneof![3 => Just(None), 1 => Just(Some(1)), 1 => Just(Some(10))];
    let which = || 0..=3u8;
    prop_oneof![
        3 => (which(), amount(), days).prop_map(|(which, amount, days)| Stored::Issue { which, amount, days }),
        2 => amount().prop_map(|amount| Stored::Grant { amount }),
        1 => (1..4i64).prop_map(|part| Stored::Withdraw { part }),
        1 => (which(), any::<bool>()).prop_map(|(which, unblock)| Stored::Block { which, unblock }),
        8 => (any_pick(), which(), 0..3i64).prop_map(|(order, which, part)| Stored::Cover { order, which, part }),
        1 => (any_pick(), which()).prop_map(|(order, which)| Stored::Uncover { order, which }),
        2 => (any_pick(), 1..4i64).prop_map(|(order, part)| Stored::RefundToCredit { order, part }),
    ]
}

/// The account of all buyers.
fn buyer() -> AccountId {
    id(5)
}

/// One of the gift cards, or the store credit.
fn means(which: u8) -> Means {
    let number = u128::from(which);
    if number < CARDS { Means::GiftCard { card: id(901 + number) } } else { Means::StoreCredit { account: buyer() } }
}

/// Every decision knows all stored values, whether they exist yet or not.
pub fn hold_values(work: &mut Work) {
    for which in 0..=3 {
        work.hold::<StoredValue>(means(which).value(Currency::EUR), Arc::default());
    }
}

impl Shop {
    pub fn stored(&mut self, chain: usize, act: Stored) -> Result<(), Refused> {
        let value = |which: u8| means(which).value(Currency::EUR);
        match act {
            Stored::Issue { which, amount, days } => {
                let expires_at = days.map(|days| self.now + TimeDelta::days(days));
                let issue = Command::Issue { amount: cents(amount), expires_at, reason: text("a gift") };
                self.one::<StoredValue>(chain, value(which % 3), &issue)
            }
            Stored::Grant { amount } => {
                let grant = Command::Grant { account: buyer(), amount: cents(amount), reason: text("sorry") };
                self.one::<StoredValue>(chain, value(3), &grant)
            }
            Stored::Withdraw { part } => {
                let state = self.get::<StoredValue>(value(3));
                let amount = cents(state.live()?.available().amount / part);
                self.one::<StoredValue>(chain, value(3), &Command::Withdraw { amount, reason: text("a typo") })
            }
            Stored::Block { which, unblock } => {
                let reason = text("stolen");
                let command = if unblock { Command::Unblock { reason } } else { Command::Block { reason } };
                self.one::<StoredValue>(chain, value(which % 3), &command)
            }
            Stored::Cover { order, which, part } => {
                let (order, payment) = (self.order(order)?, self.payment(order)?);
                let most = self.get::<Payment>(payment).live().unwrap().coverable(means(which));
                // All that there is, or a part of what is to be paid.
                let most = (part > 0).then_some(Money { amount: most.amount / (part + 1), ..most });
                self.together(chain, |work| settlement::cover(work, order, means(which), most).map(drop))
            }
            Stored::Uncover { order, which } => {
                let payment = self.payment(order)?;
                self.together(chain, |work| settlement::uncover(work, payment, means(which)))
            }
            Stored::RefundToCredit { order, part } => {
                let payment = self.payment(order)?;
                let left = self.get::<Payment>(payment).live().unwrap().refundable();
                let amount = Money { amount: left.amount / part, ..left };
                let wanted = Wanted { reason: &text("sorry"), keys: &[], part: None, to_credit: true };
                self.together(chain, |work| aftersales::refund(work, payment, amount, &wanted))
            }
        }
    }
}

/// No balance is below zero, none is above what a card was issued for, no more is held than there is.
pub fn at_any_time(shop: &Shop) {
    for (id, state) in &shop.states.values {
        let Ok(value) = state.live() else { continue };
        assert!(value.available().amount >= 0, "{id}: more is held than there is: {value:?}");
        assert!(value.held.values().all(|held| held.amount > 0), "{id}: {value:?}");
        match value.holder {
            Holder::GiftCard { value: most, .. } => {
                assert!(
                    value.balance.amount <= most.amount,
                    "{id}: more is on the card than it was issued for: {value:?}"
                );
            }
            Holder::StoreCredit { account } => assert_eq!(account, buyer()),
        }
    }
    for (id, payment) in &shop.states.payments {
        let opened = payment.live().unwrap();
        assert!(opened.in_money().amount >= 0, "{id}: more is covered than is to be paid: {opened:?}");
        for cover in &opened.covers {
            let value = &shop.states.values[&cover.means.value(Currency::EUR)];
            let held = value.live().unwrap().held_for(opened.order);
            assert!(opened.was_captured() || held.amount >= cover.amount.amount, "{id}: nothing holds {cover:?}");
        }
    }
}

/// What stored values paid of an order, less what came back to them.
pub fn paid(shop: &Shop, order: OrderId) -> i64 {
    let amount = |event: &AnyEvent| {
        if let AnyEvent::StoredValue(_, Event::Redeemed { order: of, amount }) = event
            && *of == order
        {
            return amount.amount;
        }
        if let AnyEvent::StoredValue(_, Event::Credited { order: of, amount, .. }) = event
            && *of == order
        {
            return -amount.amount;
        }
        0
    };
    shop.log.iter().map(|logged| amount(&logged.event)).sum()
}

/// The balances of the gift cards, or of the store credit.
pub fn balances(shop: &Shop, of_cards: bool) -> i64 {
    let is_card = |value: &StoredValueId| (0..3).any(|which| means(which).value(Currency::EUR) == *value);
    let values = shop.states.values.iter().filter(|(id, _)| is_card(id) == of_cards);
    values.filter_map(|(_, state)| Some(state.live().ok()?.balance.amount)).sum()
}

/// Nothing is held any more.
pub fn at_rest(shop: &Shop) {
    for (id, state) in &shop.states.values {
        assert!(state.live().is_ok_and(|it| it.held.is_empty()), "{id}: an amount is held for nothing: {state:?}");
    }
}
