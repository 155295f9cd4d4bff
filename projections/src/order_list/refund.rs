//! The refunds of an order's payment: which of them failed or wait for staff, and which of those were settled since.

use std::collections::BTreeSet;

use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::{OrderId, RefundId};
use byteshop_domain::payment::{Event, Payment, whole};
use byteshop_eventstore::Recorded;

/// A change of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refund {
    /// The provider will not give it back.
    Failed(RefundId),
    /// No provider makes it: it waits for staff. The second part is whether it is of all that is left.
    ToSettle(RefundId, bool),
    /// The refund had failed, and is retried under another id or completed after all.
    Settled(RefundId),
    /// All that is left is asked for in one piece, with whatever failed before; or all of it went back.
    AllAsked,
}

impl Refund {
    /// Applies the change to the refunds that failed and were not retried, and to those that wait for staff.
    pub(super) fn note_in(self, failed: &mut BTreeSet<RefundId>, to_settle: &mut BTreeSet<RefundId>) {
        match self {
            Self::Failed(refund) => _ = failed.insert(refund),
            Self::ToSettle(refund, is_whole) => {
                to_settle.insert(refund);
                if is_whole {
                    failed.clear();
                }
            }
            Self::Settled(refund) => {
                failed.remove(&refund);
                to_settle.remove(&refund);
            }
            Self::AllAsked => failed.clear(),
        }
    }
}

/// Reads the order and the change of a refund from an event of a payment.
pub(super) fn read(event: &Recorded) -> Result<Option<(OrderId, Refund)>, CodecError> {
    let told = event.event::<Payment>().transpose()?;
    Ok(told.and_then(|told| of_payment(&told, whole(event.id_of::<Payment>()))))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS come here")]
fn of_payment(event: &Event, whole: RefundId) -> Option<(OrderId, Refund)> {
    match event {
        Event::RefundRequested { order, refund, manual: true, .. } => {
            Some((*order, Refund::ToSettle(*refund, *refund == whole)))
        }
        Event::RefundRequested { order, retries: Some(failed), .. } => Some((*order, Refund::Settled(*failed))),
        Event::RefundRequested { order, refund, .. } if *refund == whole => Some((*order, Refund::AllAsked)),
        Event::RefundFailed { order, refund, .. } => Some((*order, Refund::Failed(*refund))),
        Event::Refunded { order, refund: Some(refund), .. } => Some((*order, Refund::Settled(*refund))),
        Event::Refunded { order, refund: None, .. } => Some((*order, Refund::AllAsked)),
        _ => None,
    }
}
