//! Refunds that a provider made without being asked by the shop.
//!
//! ```text
//! payment refunded    order credited    credit note issued    keys revoked
//! ```
//!
//! They follow the mechanism of a lost dispute, with nothing held before. While a dispute of the payment is open, or the provider has not
//! answered a refund of the shop, what it gave back may be that: then nothing is recorded yet.

use super::disputes::{credit_given_back, ensure_provider_answered, ensure_refund_requested};
use crate::ids::PaymentId;
use crate::money::Money;
use crate::order::Order;
use crate::payment::{self, GivenBack, MadeElsewhere, Opened, Payment};
use crate::payment_provider::Provider;
use crate::rejected::Rejected;
use crate::settlement::ensure_payment_recorded;
use crate::work::{Refused, Work};

/// Records what a provider gave back of the captured charge of a payment and the shop does not know, as far as something is left of the
/// payment. Says whether there was anything.
pub fn record_made_elsewhere(
    work: &mut Work,
    payment: PaymentId,
    provider: Provider,
    given_back: &[GivenBack],
) -> Result<bool, Refused> {
    let before = work.get::<Payment>(payment)?;
    let opened = before.live()?;
    let found = opened.made_elsewhere(provider, given_back);
    if found.is_empty() {
        return Ok(false);
    }
    let order = opened.order;
    ensure_payment_recorded(work, order)?;
    let state = work.get::<Order>(order)?;
    ensure_refund_requested(payment, state.live()?, opened)?;
    ensure_nothing_else(opened)?;
    for made in found {
        let left = work.get::<Payment>(payment)?.live()?.left_of_money();
        // Store credit was given for the rest, or a gift card paid it: that is no money of this payment any more.
        let amount = Money { amount: made.amount.amount.min(left.amount), ..left };
        if amount.amount > 0 {
            record(work, payment, MadeElsewhere { amount, ..made })?;
        }
    }
    Ok(true)
}

fn record(work: &mut Work, payment: PaymentId, made: MadeElsewhere) -> Result<(), Refused> {
    let (refund, amount, reason) = (made.refund, made.amount, format!("refunded by the provider: {}", made.reference));
    work.decide::<Payment>(payment, &payment::Command::RecordMadeElsewhere(made))?;
    credit_given_back(work, payment, refund, amount, &reason, None).map(drop)
}

/// Refuses temporarily while something else may explain what went back.
fn ensure_nothing_else(opened: &Opened) -> Result<(), Refused> {
    if opened.disputes.is_empty() {
        return ensure_provider_answered(opened);
    }
    let mut rejected = Rejected::of::<Payment>(&payment::Rejection::Disputed { held: opened.disputed() });
    rejected.detail = "a dispute of the payment is open: what went back may be what it is about".into();
    Err(Refused::NotYet(rejected))
}
