//! Disputes in a history: what the provider or the bank decides, and what the shop hears of it, at once or later.

use proptest::prelude::*;

use super::acts::{Pick, any_pick, nothing};
use super::shop::{Refused, Shop};
use crate::aftersales::{self, Claim, Verdict};
use crate::credit_note::Content;
use crate::dispute::{Cause, Dispute, refund_of};
use crate::ids::{DisputeId, Id as _, PaymentId, RefundId};
use crate::money::Money;
use crate::order::Placed;
use crate::payment::{Opened, Payment, ProviderReference, Refund, RefundCause};
use crate::payment_provider::Provider;
use crate::testing::{cents, text};

/// Turns of buyers who dispute, and of those who decide.
#[derive(Debug, Clone, Copy)]
pub enum Disputing {
    Open { order: Pick, part: i64, is_told: bool },
    Decide { which: Pick, won: bool, part: i64, is_told: bool },
    Hear { which: Pick },
}

pub fn disputing() -> impl Strategy<Value = Disputing> {
    let any = any::<bool>;
    prop_oneof![
        3 => (any_pick(), 1..4i64, any()).prop_map(|(order, part, is_told)| Disputing::Open { order, part, is_told }),
        2 => (any_pick(), any(), 1..4i64, any())
            .prop_map(|(which, won, part, is_told)| Disputing::Decide { which, won, part, is_told }),
        1 => any_pick().prop_map(|which| Disputing::Hear { which }),
    ]
}

/// A dispute in the books of the provider, or of the bank.
#[derive(Debug, Clone)]
pub struct Case {
    claim: Claim,
    /// The charge; none at the bank.
    charge: Option<ProviderReference>,
    /// What is held while it is open.
    held: i64,
    /// What the buyer got back; zero if the shop won.
    decided: Option<i64>,
}

impl Shop {
    pub fn dispute(&mut self, chain: usize, act: Disputing) -> Result<(), Refused> {
        let (id, is_told) = match act {
            Disputing::Open { order, part, is_told } => {
                let payment = self.payment(order)?;
                (self.open_case(payment, part)?, is_told)
            }
            Disputing::Decide { which, won, part, is_told } => {
                let id = self.case(which)?;
                self.decide_case(id, won, part);
                (id, is_told)
            }
            Disputing::Hear { which } => (self.case(which)?, true),
        };
        if is_told { self.hear_of(chain, id) } else { Ok(()) }
    }

    fn case(&self, which: Pick) -> Result<DisputeId, Refused> {
        let newest = self.cases.len().checked_sub(1).ok_or_else(nothing)?;
        let id = self.cases.keys().nth(newest - usize::from(which) % self.cases.len());
        id.copied().ok_or_else(nothing)
    }

    /// The provider, or the bank, holds what it still has.
    fn open_case(&mut self, payment: PaymentId, part: i64) -> Result<DisputeId, Refused> {
        let state = self.get::<Payment>(payment);
        let opened = state.live()?;
        let is_money = opened.was_captured() && opened.in_money().amount > 0;
        let amount = Money { amount: opened.in_money().amount / part, ..opened.amount };
        if !is_money || amount.amount == 0 {
            return Err(nothing());
        }
        let charge = opened.at_provider().cloned();
        let provider = charge.as_ref().map(|_| Provider::Test);
        let reference = text(&format!("case {}", self.new_id::<DisputeId>()));
        let (cause, respond_by) = (Cause::Other, None);
        let claim = Claim { payment, provider, reference, cause, amount, respond_by };
        let left = match &charge {
            Some(charge) => self.provider.charges[charge].left(),
            None => opened.refundable().amount.min(self.bank.get(&payment).copied().unwrap_or(0)),
        };
        let held = amount.amount.min(left);
        let id = claim.id();
        if let Some(charge) = charge.as_ref().and_then(|it| self.provider.charges.get_mut(it)) {
            charge.disputed += held;
        }
        self.cases.insert(id, Case { claim, charge, held, decided: None });
        Ok(id)
    }

    fn decide_case(&mut self, id: DisputeId, won: bool, part: i64) {
        let Some(case) = self.cases.get_mut(&id).filter(|case| case.decided.is_none()) else { return };
        let lost = if won { 0 } else { case.held / part };
        case.decided = Some(lost);
        let (held, charge) = (case.held, case.charge.clone());
        if let Some(charge) = charge.and_then(|it| self.provider.charges.get_mut(&it)) {
            charge.disputed -= held;
            if lost > 0 {
                charge.refunds.insert(Some(refund_of(id)), lost);
            }
        }
    }

    /// The shop looks at a dispute, and records what it sees.
    fn hear_of(&mut self, chain: usize, id: DisputeId) -> Result<(), Refused> {
        let Case { claim, charge, decided, .. } = self.cases[&id].clone();
        if self.get::<Dispute>(id).live().is_err() {
            self.together(chain, |work| {
                work.begin::<Dispute>(id);
                aftersales::open_dispute(work, &claim)
            })?;
        }
        let Some(lost) = decided else { return Ok(()) };
        let amount = (lost > 0).then(|| cents(lost));
        let verdict = amount.map_or(Verdict::Won, |amount| Verdict::Lost { amount: Some(amount), fee: None });
        let before = self.get::<Dispute>(id).live()?.is_open();
        self.together(chain, |work| aftersales::conclude_dispute(work, id, verdict))?;
        if charge.is_none() && before {
            *self.bank.entry(claim.payment).or_default() -=
                self.get::<Dispute>(id).live()?.lost.map_or(0, |it| it.amount);
        }
        Ok(())
    }

    /// All disputes are decided and heard of; says whether there was something to hear.
    pub fn settle_cases(&mut self) -> bool {
        let open: Vec<DisputeId> = self.cases.keys().copied().collect();
        let mut has_changed = false;
        for id in open {
            if self.get::<Dispute>(id).live().is_ok_and(|it| !it.is_open()) {
                continue;
            }
            let number = id.uuid().as_u128();
            self.decide_case(id, number.is_multiple_of(2), 1 + i64::from(number.is_multiple_of(3)));
            let chain = self.new_chain();
            has_changed |= self.hear_of(chain, id).is_ok();
        }
        has_changed
    }
}

/// Every dispute has its outcome, and holds nothing any more.
pub fn at_rest(shop: &Shop) {
    for (id, case) in &shop.cases {
        let known = shop.states.disputes.get(id).and_then(|it| it.live().ok());
        assert!(known.is_some_and(|it| !it.is_open()), "{id}: {case:?} was never heard of: {known:?}");
    }
    for (id, payment) in &shop.states.payments {
        let opened = payment.live().unwrap();
        assert!(opened.disputes.is_empty(), "{id}: something is held for ever: {opened:?}");
    }
}

/// What was given back of a payment although store credit had been given for it.
pub fn beyond(shop: &Shop, payment: PaymentId) -> i64 {
    let known = shop.states.disputes.values().filter_map(|it| it.live().ok());
    known.filter(|it| it.opening.payment == payment).filter_map(|it| it.beyond).map(|it| it.amount).sum()
}

/// The documents of a lost dispute, at most one for each part, are over what earlier ones left of it.
pub fn documented(placed: &Placed, lost: &Refund, documents: &[&&Content]) {
    let credited = documents.iter().map(|note| note.total.amount).sum::<i64>();
    assert!(documents.len() <= placed.parts.all().len() && credited <= lost.amount.amount, "{documents:?} of {lost:?}");
}

/// What lost disputes gave back and no document of theirs is over.
pub fn covered(opened: &Opened, notes: &[&Content]) -> i64 {
    let lost = opened.refunds.iter().filter(|(_, it)| matches!(it.cause, RefundCause::Dispute { .. }));
    let over =
        |id: RefundId| notes.iter().filter(|note| note.refund == Some(id)).map(|note| note.total.amount).sum::<i64>();
    lost.map(|(id, it)| it.amount.amount - over(*id)).sum()
}
