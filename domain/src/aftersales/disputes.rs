//! Disputes: what they hold of a payment, and the refund that a lost one is.
//!
//! ```text
//! opened:  dispute opened    payment disputed
//! won:     dispute won       payment released
//! lost:    dispute lost      payment refunded    order credited    credit note issued    keys revoked
//! ```

use chrono::{DateTime, Utc};

use super::credit::{left_to_credit, uncounted};
use super::money::{Credit, issue_credit};
use crate::credit_note::Left;
use crate::dispute::{self, Cause, Dispute, Known, Loss, Opening, Share, Status};
use crate::gift_card_delivery;
use crate::ids::{CreditNoteId, DisputeId, Id as _, OrderId, PaymentId, RefundId};
use crate::key_delivery;
use crate::money::Money;
use crate::order::{self, Order, Placed};
use crate::payment::{self, Opened, Payment};
use crate::payment_provider::Provider;
use crate::rejected::Rejected;
use crate::settlement::ensure_payment_recorded;
use crate::text::{Reason, Reference};
use crate::work::{Refused, Work};
use crate::{Decider as _, Kind};

/// What is known of a dispute that is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The payment.
    pub payment: PaymentId,
    /// The provider that decides; none if staff records the outcome.
    pub provider: Option<Provider>,
    /// What the provider or the bank calls it.
    pub reference: Reference,
    /// Why the buyer disputes the payment.
    pub cause: Cause,
    /// The amount that the buyer claims.
    pub amount: Money,
    /// Until when the shop can answer, if it is known.
    pub respond_by: Option<DateTime<Utc>>,
}

impl Claim {
    /// The id of the dispute.
    pub fn id(&self) -> DisputeId {
        match self.provider {
            Some(provider) => dispute::id_at(provider, &self.reference),
            None => dispute::id_of(self.payment, &self.reference),
        }
    }
}

/// The outcome of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The shop keeps the money.
    Won,
    /// The buyer got money back.
    Lost {
        /// The amount; all that was claimed if absent.
        amount: Option<Money>,
        /// What the provider or the bank charges for it.
        fee: Option<Money>,
    },
}

/// Records a dispute: the payment holds the amount, as far as it is left.
pub fn open_dispute(work: &mut Work, claim: &Claim) -> Result<(), Refused> {
    let id = claim.id();
    if work.get::<Dispute>(id)?.live().is_ok() {
        return Err(dispute::Rejection::Exists.into());
    }
    let Claim { payment, provider, cause, amount, respond_by, .. } = *claim;
    let before = work.get::<Payment>(payment)?;
    let order = before.live()?.order;
    ensure_payment_recorded(work, order)?;
    let state = work.get::<Order>(order)?;
    let placed = state.live()?;
    ensure_refund_requested(payment, placed, before.live()?)?;
    work.decide::<Payment>(payment, &payment::Command::Dispute { dispute: id, amount })?;
    let after = work.get::<Payment>(payment)?;
    let held = after.live()?.disputes.get(&id).map_or(Money::zero(amount.currency), |it| it.held);
    // What a provider took from a seller itself is not kept back.
    let of_sellers = if before.live()?.direct().is_some() { Money::zero(held.currency) } else { held };
    let shares = shares_of(work, (placed, order), id, of_sellers)?;
    let reference = claim.reference.clone();
    let opening = Opening { payment, order, provider, reference, cause, amount, held, shares, respond_by };
    work.decide::<Dispute>(id, &dispute::Command::Open(Box::new(opening)))?;
    Ok(())
}

/// Refuses temporarily until the refund of a cancelled or expired order is requested: what is refunded is not held.
pub(super) fn ensure_refund_requested(payment: PaymentId, placed: &Placed, opened: &Opened) -> Result<(), Refused> {
    let is_off = matches!(placed.progress.status, order::Status::Cancelled | order::Status::Expired);
    if !is_off || opened.refundable().amount == 0 || opened.refunds.contains_key(&payment::whole(payment)) {
        return Ok(());
    }
    let mut rejected = Rejected::of::<Order>(&order::Rejection::Cancelled);
    rejected.detail = "the order is cancelled, and its refund is not requested yet: retry in a moment".into();
    Err(Refused::NotYet(rejected))
}

/// Refuses temporarily while a provider has not answered a refund of what it says is lost: it carries out one of both.
fn ensure_refunds_answered(id: DisputeId, opened: &Opened, amount: Money) -> Result<(), Refused> {
    let held = opened.disputes.get(&id).map_or(0, |it| it.held.amount);
    if amount.amount <= held { Ok(()) } else { ensure_provider_answered(opened) }
}

/// Refuses temporarily while a provider has not answered a refund.
pub(super) fn ensure_provider_answered(opened: &Opened) -> Result<(), Refused> {
    if !opened.awaits_provider_refund() {
        return Ok(());
    }
    let mut rejected = Rejected::of::<Payment>(&payment::Rejection::RefundInProgress);
    rejected.detail = "the provider has not answered a refund of this payment yet: retry in a moment".into();
    Err(Refused::NotYet(rejected))
}

/// What a refund of the amount would take from each seller with a part of the order.
fn shares_of(
    work: &Work,
    (placed, order): (&Placed, OrderId),
    dispute: DisputeId,
    held: Money,
) -> Result<Vec<Share>, Refused> {
    let left = left_to_credit(work, placed)?;
    let credited = to_credit(placed, &left, held)?;
    if !placed.kept.is_shared() || credited.amount == 0 {
        return Ok(taken_between(placed, placed, held));
    }
    let command = order::Command::Credit {
        credit_note: CreditNoteId::from_uuid(dispute.uuid()),
        refund: dispute::refund_of(dispute),
        amount: credited,
        shipping: false,
        keys: vec![],
        part: None,
        taken: vec![],
        imposed: true,
    };
    let state = work.get::<Order>(order)?;
    let events = state.decide(&command, work.asked()).map_err(|rejection| Rejected::of::<Order>(&rejection))?;
    let after = events.iter().fold((*state).clone(), Order::evolve);
    Ok(taken_between(placed, after.live()?, held))
}

/// How much of an amount gets a credit note: a cancelled order has one of all that was left.
fn to_credit(placed: &Placed, left: &Left<'_>, amount: Money) -> Result<Money, Refused> {
    let not_credited = left.total().map_err(uncounted)?.amount;
    let most = if placed.is_paid() { not_credited.min(amount.amount) } else { 0 };
    Ok(Money { amount: most.max(0), ..amount })
}

/// Records that staff accepts what the buyer claims. Without a provider the dispute is lost with it.
pub fn accept_dispute(work: &mut Work, id: DisputeId) -> Result<(), Refused> {
    work.decide::<Dispute>(id, &dispute::Command::Accept {})?;
    let state = work.get::<Dispute>(id)?;
    let known = state.live()?;
    if known.opening.provider.is_some() || known.status == Status::Lost {
        return Ok(());
    }
    conclude_dispute(work, id, Verdict::Lost { amount: None, fee: None })
}

/// Records the outcome of a dispute. The same again changes nothing, and another one is refused.
pub fn conclude_dispute(work: &mut Work, id: DisputeId, verdict: Verdict) -> Result<(), Refused> {
    let state = work.get::<Dispute>(id)?;
    let known = state.live()?;
    match verdict {
        Verdict::Won => {
            if work.decide::<Dispute>(id, &dispute::Command::Win {})? {
                work.decide::<Payment>(known.opening.payment, &payment::Command::ReleaseDispute { dispute: id })?;
            }
            Ok(())
        }
        Verdict::Lost { amount, fee } => {
            match known.status {
                Status::Open | Status::Answered | Status::Accepted => {}
                Status::Lost => return Ok(known.ensure_lost_so(amount, fee)?),
                status @ Status::Won => return Err(dispute::Rejection::Ended { status }.into()),
            }
            let (amount, fee) = (known.amount_of_loss(amount)?, known.fee_of_loss(fee)?);
            lose(work, id, known, amount, fee)
        }
    }
}

fn lose(work: &mut Work, id: DisputeId, known: &Known, amount: Money, fee: Option<Money>) -> Result<(), Refused> {
    let Opening { payment, order, .. } = known.opening;
    ensure_payment_recorded(work, order)?;
    let before = work.get::<Payment>(payment)?;
    ensure_refunds_answered(id, before.live()?, amount)?;
    let by_hand = before.live()?.at_provider().is_none();
    work.decide::<Payment>(payment, &payment::Command::LoseDispute { dispute: id, amount })?;
    let after = work.get::<Payment>(payment)?;
    let refund = dispute::refund_of(id);
    let lost = after.live()?.refunds.get(&refund).map_or(Money::zero(amount.currency), |refund| refund.amount);
    // The provider does not know of store credit that was given for the money before.
    let real = Money { amount: amount.amount.min(before.live()?.left_in_money().amount).max(lost.amount), ..lost };
    let beyond = Some(Money { amount: real.amount - lost.amount, ..lost }).filter(|it| it.amount > 0);
    let reason = format!("dispute {}", known.opening.reference);
    let uncredited = work.get::<Order>(order)?;
    let credit_note = credit_given_back(work, payment, refund, lost, &reason, Some(id))?;
    let credited = work.get::<Order>(order)?;
    let shares = taken_between(uncredited.live()?, credited.live()?, lost);
    let recorded = Loss { amount: real, named: amount, shares, beyond, fee, by_hand, credit_note };
    work.decide::<Dispute>(id, &dispute::Command::Lose(recorded))?;
    Ok(())
}

/// What a credit takes from each seller with a part of the order.
fn taken_between(before: &Placed, after: &Placed, amount: Money) -> Vec<Share> {
    let taken: Vec<_> = before
        .suppliers()
        .into_iter()
        .flat_map(|supplier| after.kept.taken_since(&before.kept, supplier).sellers)
        .collect();
    let share = |seller| {
        let of_seller = taken.iter().find(|share| share.seller == seller);
        Share { seller, amount: of_seller.map_or(Money::zero(amount.currency), order::SellerShare::owed) }
    };
    before.parts.all().iter().filter_map(|part| part.seller).map(share).collect()
}

/// Issues the credit note of what others gave back, as far as no earlier one covers it; keys are revoked if nothing of the payment is left.
pub(super) fn credit_given_back(
    work: &mut Work,
    payment: PaymentId,
    refund: RefundId,
    given_back: Money,
    reason: &str,
    dispute: Option<DisputeId>,
) -> Result<Option<CreditNoteId>, Refused> {
    let paid = work.get::<Payment>(payment)?;
    let order = paid.live()?.order;
    let state = work.get::<Order>(order)?;
    let before = state.live()?;
    let left = left_to_credit(work, before)?;
    let amount = to_credit(before, &left, given_back)?;
    if amount.amount == 0 {
        return Ok(None);
    }
    let is_all = paid.live()?.refundable().amount == 0 && paid.live()?.disputes.is_empty();
    let keys = if is_all { before.pieces_to_revoke() } else { vec![] };
    let reason =
        Reason::new(reason).map_err(|error| Refused::because("order.reason", Kind::Invalid, error.to_string()))?;
    let taken = gift_card_delivery::take_back(work, (order, before), &keys, Some(&reason))?;
    let wanted = Credit { amount, reason, shipping: false, keys, part: None, to: None, taken, dispute, imposed: true };
    let credit_notes = issue_credit(work, order, refund, &wanted)?;
    key_delivery::revoke(work, order, before, &wanted.keys)?;
    gift_card_delivery::block_unpaid(work, work.get::<Order>(order)?.live()?, &wanted.reason)?;
    Ok(credit_notes.first().copied())
}
