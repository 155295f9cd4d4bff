//! Disputes: what staff records and answers, and what providers report.
//!
//! The domain decides ([`byteshop_domain::aftersales`]); here is loaded what it looks at. A dispute concerns its payment and its order
//! at once, and one that is lost also a credit note and keys: all of it is appended whole or not at all.

pub mod files;
mod paypal;

use byteshop_domain::aftersales::{self, Claim, Verdict};
use byteshop_domain::dispute::{self, Dispute};
use byteshop_domain::money::Money;
use byteshop_domain::order::Order;
use byteshop_domain::payment::Payment;
use byteshop_domain::text::Comment;

use crate::engine::error::Error;
use crate::engine::together::Together;
use crate::engine::unit::{Loaded, Unit};

/// Records a dispute about a payment without a provider, of which staff read in a letter of the bank. A provider reports its disputes
/// itself.
pub async fn record(unit: &Unit, payment: &mut Loaded<Payment>, claim: &Claim) -> Result<Loaded<Dispute>, Error> {
    if payment.state.live()?.at_provider().is_some() {
        return Err(dispute::Rejection::OfProvider.into());
    }
    open(unit, payment, claim).await
}

/// Records a dispute that a provider reports; see [`aftersales::open_dispute`].
pub async fn open(unit: &Unit, payment: &mut Loaded<Payment>, claim: &Claim) -> Result<Loaded<Dispute>, Error> {
    let mut together = unit.together();
    together.hold(payment);
    let order = unit.load::<Order>(payment.state.live()?.order).await?;
    together.hold(&order);
    if let Ok(placed) = order.state.live() {
        together.load_documents(unit, placed).await?;
    }
    together.load::<Dispute>(&[claim.id()]).await?;
    together.decide(|work| aftersales::open_dispute(work, claim))?;
    unit.refresh(payment);
    Ok(unit.begun(claim.id()))
}

/// Submits evidence, encrypted with the key of the buyer.
pub async fn submit_evidence(unit: &Unit, it: &mut Loaded<Dispute>, text: &Comment) -> Result<(), Error> {
    let order = it.state.live()?.opening.order;
    let subject = unit.peek::<Order>(order).await?.state.live()?.subject(order);
    let text = unit.commands().vault().seal(subject, text).await?;
    unit.decide(it, &dispute::Command::SubmitEvidence { text })
}

/// Accepts what the buyer claims; see [`aftersales::accept_dispute`].
pub async fn accept(unit: &Unit, it: &mut Loaded<Dispute>) -> Result<(), Error> {
    let mut together = unit.together();
    load(unit, &mut together, it).await?;
    together.decide(|work| aftersales::accept_dispute(work, it.id))?;
    unit.refresh(it);
    Ok(())
}

/// Records the outcome of a dispute that no provider decides.
pub async fn record_outcome(unit: &Unit, it: &mut Loaded<Dispute>, verdict: Verdict) -> Result<(), Error> {
    if it.state.live()?.opening.provider.is_some() {
        return Err(dispute::Rejection::OfProvider.into());
    }
    conclude(unit, it, verdict).await
}

/// Records another fee of a dispute that no provider decides; none if the bank charges nothing.
pub fn correct_fee(unit: &Unit, it: &mut Loaded<Dispute>, fee: Money) -> Result<(), Error> {
    if it.state.live()?.opening.provider.is_some() {
        return Err(dispute::Rejection::OfProvider.into());
    }
    unit.decide(it, &dispute::Command::CorrectFee { fee: Some(fee) })
}

/// Records an outcome that a provider reports; see [`aftersales::conclude_dispute`].
pub async fn conclude(unit: &Unit, it: &mut Loaded<Dispute>, verdict: Verdict) -> Result<(), Error> {
    let mut together = unit.together();
    load(unit, &mut together, it).await?;
    together.decide(|work| aftersales::conclude_dispute(work, it.id, verdict))?;
    unit.refresh(it);
    Ok(())
}

/// Loads what the outcome of a dispute concerns.
async fn load(unit: &Unit, together: &mut Together<'_>, it: &Loaded<Dispute>) -> Result<(), Error> {
    together.hold(it);
    let Ok(known) = it.state.live() else { return Ok(()) };
    together.load::<Payment>(&[known.opening.payment]).await?;
    let order = unit.load::<Order>(known.opening.order).await?;
    together.hold(&order);
    if let Ok(placed) = order.state.live() {
        together.load_money_back(unit, placed).await?;
    }
    Ok(())
}
