//! Money that no provider moves: the turns of buyers and staff, and what is really on the account of the shop.

use std::sync::Arc;

use proptest::prelude::*;

use super::acts::{Pick, any_pick, nothing};
use super::disputes;
use super::shop::{Refused, Shop};
use crate::fold;
use crate::ids::{OrderId, PaymentId, ReceiptId, RefundId};
use crate::money::Money;
use crate::payment::{self, NewReceipt, Payment, RefundStage};
use crate::payment_book::{self, ManualKind, ManualMethod, PaymentBook};
use crate::settlement;
use crate::testing::text;
use crate::work::Work;

/// Turns of buyers who pay without a provider, and of staff.
#[derive(Debug, Clone, Copy)]
pub enum ByHand {
    Choose { order: Pick, method: &'static str },
    Receive { order: Pick, part: u8, surplus: bool },
    VoidReceipt { order: Pick, which: u8 },
    SettleRefund { order: Pick, which: u8 },
}

/// The methods of the book.
const METHODS: [&str; 3] = ["transfer", "counter", "cash"];

pub fn by_hand() -> impl Strategy<Value = ByHand> {
    let any = any::<bool>;
    prop_oneof![
        2 => (any_pick(), 0..METHODS.len()).prop_map(|(order, it)| ByHand::Choose { order, method: METHODS[it] }),
        5 => (any_pick(), 0..4u8, any()).prop_map(|(order, part, surplus)| ByHand::Receive { order, part, surplus }),
        1 => (any_pick(), 0..4u8).prop_map(|(order, which)| ByHand::VoidReceipt { order, which }),
        2 => (any_pick(), 0..4u8).prop_map(|(order, which)| ByHand::SettleRefund { order, which }),
    ]
}

/// The book of manual methods, which every decision knows.
pub fn hold_book(work: &mut Work) {
    let method = |name: &str, kind, days| ManualMethod {
        method: text(name),
        kind,
        title: text("By hand"),
        instructions: text("Pay."),
        countries: [].into(),
        currencies: [].into(),
        days,
        accounts_only: false,
        max_total: None,
    };
    let transfer = method("transfer", ManualKind::BankTransfer, Some(7));
    let (counter, cash) =
        (method("counter", ManualKind::Elsewhere, None), method("cash", ManualKind::CashOnDelivery, None));
    let set = [transfer, counter, cash].map(payment_book::Event::MethodSet);
    work.hold::<PaymentBook>(payment_book::id(), Arc::new(fold(&set)));
}

impl Shop {
    pub fn by_hand(&mut self, chain: usize, act: ByHand) -> Result<(), Refused> {
        match act {
            ByHand::Choose { order, method } => {
                let (order, method) = (self.order(order)?, text(method));
                self.together(chain, |work| settlement::choose(work, order, &method).map(drop))
            }
            ByHand::Receive { order, part, surplus } => {
                let payment = self.payment(order)?;
                self.receive(chain, payment, part, surplus)
            }
            ByHand::VoidReceipt { order, which } => {
                let payment = self.payment(order)?;
                let state = self.get::<Payment>(payment);
                let counted = state.live().unwrap().receipts.iter().filter(|(_, it)| it.voided.is_none());
                let counted: Vec<(ReceiptId, i64)> = counted.map(|(id, it)| (*id, it.amount.amount)).collect();
                let (receipt, amount) = *counted.get(usize::from(which) % counted.len().max(1)).ok_or_else(nothing)?;
                let void = payment::Command::VoidReceipt { receipt, reason: text("a mistake") };
                self.one::<Payment>(chain, payment, &void)?;
                *self.bank.entry(payment).or_default() -= amount;
                Ok(())
            }
            ByHand::SettleRefund { order, which } => {
                let payment = self.payment(order)?;
                let state = self.get::<Payment>(payment);
                let left = state.live().unwrap().refunds.iter().filter(|(_, it)| it.stage != RefundStage::Done);
                let left: Vec<RefundId> = left.map(|(id, _)| *id).collect();
                let refund = *left.get(usize::from(which) % left.len().max(1)).ok_or_else(nothing)?;
                self.settle(chain, payment, refund)
            }
        }
    }

    /// Staff finds money on the account: a part of what is due, or too much.
    fn receive(&mut self, chain: usize, payment: PaymentId, part: u8, surplus: bool) -> Result<(), Refused> {
        let due = self.get::<Payment>(payment).live().unwrap().due();
        let amount = match part {
            0 => due.amount + 100,
            part => (due.amount / i64::from(part)).max(1),
        };
        let receipt: ReceiptId = self.new_id();
        let new = NewReceipt {
            receipt,
            kind: None,
            amount: Money { amount, ..due },
            reference: text(&format!("statement {receipt}")),
            received_on: self.now.date_naive(),
            note: None,
            surplus,
        };
        self.one::<Payment>(chain, payment, &payment::Command::RecordReceipt(Box::new(new)))?;
        *self.bank.entry(payment).or_default() += amount;
        Ok(())
    }

    /// Staff sends money back, from the account.
    fn settle(&mut self, chain: usize, payment: PaymentId, refund: RefundId) -> Result<(), Refused> {
        let (reference, settled_on) = (text(&format!("back {refund}")), self.now.date_naive());
        let settle = payment::Command::SettleRefund { refund, reference, settled_on };
        self.one::<Payment>(chain, payment, &settle)?;
        let sent = self.get::<Payment>(payment).live().unwrap().refunds[&refund].amount;
        *self.bank.entry(payment).or_default() -= sent.amount;
        Ok(())
    }

    /// Staff records the rest of all money that is collected on delivery; says whether there was any.
    pub fn collect_all(&mut self) -> bool {
        let waits = |it: &Payment| it.live().unwrap().stage == payment::Stage::OnDelivery;
        let waiting: Vec<PaymentId> =
            self.states.payments.iter().filter(|(_, it)| waits(it)).map(|(id, _)| *id).collect();
        for payment in &waiting {
            let chain = self.new_chain();
            self.receive(chain, *payment, 1, false).unwrap();
        }
        !waiting.is_empty()
    }

    /// Staff settles every refund that waits for them; says whether there was one.
    pub fn settle_all(&mut self) -> bool {
        let waits = |(id, state): (&PaymentId, &Payment)| -> Vec<(PaymentId, RefundId)> {
            let manual = state.live().unwrap().pending_refunds().filter(|(_, it)| it.manual);
            manual.map(|(refund, _)| (*id, refund)).collect()
        };
        let waiting: Vec<_> = self.states.payments.iter().flat_map(waits).collect();
        for (payment, refund) in &waiting {
            let chain = self.new_chain();
            self.settle(chain, *payment, *refund).unwrap();
        }
        !waiting.is_empty()
    }
}

/// What was received is captured, kept for an open payment, or requested back; and the account agrees with the receipts.
pub fn at_any_time(shop: &Shop) {
    for (id, state) in &shop.states.payments {
        let opened = state.live().unwrap();
        assert_eq!(opened.not_due(), 0, "{id}: money that is not due is forgotten: {opened:?}");
        let manual = opened.attempt.as_ref().is_some_and(|it| it.method.is_manual());
        let captured = if manual && opened.was_captured() { opened.in_money().amount } else { 0 };
        let not_due = opened.refunds.values().filter(|it| it.cause == payment::RefundCause::NotDue);
        let back: i64 = not_due.map(|it| it.amount.amount).sum();
        let kept = opened.received().amount - captured - back;
        let is_open = matches!(opened.stage, payment::Stage::Open | payment::Stage::OnDelivery);
        assert!(kept == 0 || is_open && (0..opened.amount.amount).contains(&kept), "{id}: {kept} kept: {opened:?}");
        let by_dispute = |it: &payment::Refund| manual && matches!(it.cause, payment::RefundCause::Dispute { .. });
        let is_sent = |it: &&payment::Refund| it.settled.is_some() || by_dispute(it);
        let sent = opened.refunds.values().filter(is_sent).map(|it| it.amount.amount);
        let beyond = if manual { disputes::beyond(shop, *id) } else { 0 };
        let account = shop.bank.get(id).copied().unwrap_or(0);
        assert_eq!(
            account,
            opened.received().amount - sent.sum::<i64>() - beyond,
            "{id}: the account says otherwise: {opened:?}"
        );
    }
}

/// The account, after everything is settled.
pub fn on_account(shop: &Shop, order: OrderId) -> i64 {
    let payment = shop.states.orders[&order].live().unwrap().placement.payment;
    shop.bank.get(&payment).copied().unwrap_or(0)
}
