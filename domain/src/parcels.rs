//! Parcels: each changes together with its order, the payment that is captured for it, and the stock.
//!
//! ```text
//! shipment: prepare      hand over               hear: delivered       hear: lost         take back
//! order:    prepare      hand over               deliver               lose               take back
//! payment:               request the capture
//! stock:    replace what was lost                find what was lost    lose in transit    find, and return what is not wanted
//! ```
//!
//! Pure: each of these is decided on states that were loaded before, and appended whole or not at all.

use chrono::{DateTime, Utc};

use crate::Kind;
use crate::ids::{OrderId, ShipmentId};
use crate::order::{self, Found, Order, PaymentStatus};
use crate::payment::{self, Payment};
use crate::quantity::{Demand, summed};
use crate::settlement::ensure_payment_recorded;
use crate::shipment::{self, Carrier, News, Prepared, Shipment, Stage};
use crate::stock;
use crate::text::{Link, Name, Reason, Reference};
use crate::work::{Refused, Work};

#[cfg(test)]
mod tests;

/// A report of a carrier about a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The status.
    pub news: News,
    /// The time of it, if not now.
    pub at: Option<DateTime<Utc>>,
    /// The place.
    pub place: Option<Name>,
    /// The reason.
    pub reason: Option<Reason>,
}

/// Puts pieces of an order in a parcel. Pieces that replace lost ones are taken from the stock.
pub fn prepare(work: &mut Work, order: OrderId, lines: &[Demand], carrier: &Carrier) -> Result<ShipmentId, Refused> {
    let state = work.get::<Order>(order)?;
    if let Ok(placed) = state.live()
        && placed.awaits(placed.placement.payment)
    {
        ensure_payment_recorded(work, order)?;
    }
    let lines = summed(lines.iter().copied())
        .map_err(|error| Refused::because("shipment.too_many", Kind::Invalid, error.to_string()))?;
    let shipment = work.start::<Shipment>();
    let replaced = state.live().map(|placed| placed.to_replace(&lines)).unwrap_or_default();
    work.decide::<Order>(order, &order::Command::PrepareParcel { shipment, lines: lines.clone() })?;
    work.move_stock(&replaced, |line| stock::Command::Replace { order, quantity: line.quantity })?;
    let carrier = carrier.clone();
    work.decide::<Shipment>(shipment, &shipment::Command::Prepare { order, lines, carrier })?;
    Ok(shipment)
}

/// Cancels a parcel that was not handed over: its pieces can be packed again, or cancelled.
pub fn cancel(work: &mut Work, shipment: ShipmentId) -> Result<(), Refused> {
    work.decide::<Shipment>(shipment, &shipment::Command::Cancel {})?;
    work.decide::<Order>(prepared(work, shipment)?.order, &order::Command::DropParcel { shipment })?;
    Ok(())
}

/// Hands a parcel over to its carrier, with the tracking number and the page to track it at, `url`.
pub fn hand_over(
    work: &mut Work,
    shipment: ShipmentId,
    tracking: &Reference,
    url: Option<&Link>,
) -> Result<(), Refused> {
    let (tracking, tracking_url) = (tracking.clone(), url.cloned());
    work.decide::<Shipment>(shipment, &shipment::Command::HandOver { tracking, tracking_url })?;
    let order = prepared(work, shipment)?.order;
    // In the same append, so that no authorization is released for which goods are handed over.
    if let Ok(placed) = work.get::<Order>(order)?.live()
        && placed.progress.payment_status == PaymentStatus::Authorized
    {
        work.decide::<Payment>(placed.placement.payment, &payment::Command::RequestCapture {})?;
    }
    work.decide::<Order>(order, &order::Command::HandOver { shipment })?;
    Ok(())
}

/// Records a report of the carrier.
pub fn hear(work: &mut Work, shipment: ShipmentId, heard: &Heard) -> Result<(), Refused> {
    let Heard { news, at, place, reason } = heard.clone();
    work.decide::<Shipment>(shipment, &shipment::Command::Hear { news, at, place, reason })?;
    let stage = prepared(work, shipment)?.status;
    match news {
        News::Delivered if stage == Stage::Delivered => deliver(work, shipment),
        News::Lost if stage == Stage::Lost => lose(work, shipment),
        News::Delivered
        | News::Lost
        | News::InTransit
        | News::OutForDelivery
        | News::AttemptFailed
        | News::ReturningToSender => Ok(()),
    }
}

/// Records a delivery. A lost parcel that arrives was not lost, unless its pieces were replaced or cancelled in the meantime.
fn deliver(work: &mut Work, shipment: ShipmentId) -> Result<(), Refused> {
    let order = prepared(work, shipment)?.order;
    let found = if_found(work, order, shipment)?;
    work.decide::<Order>(order, &order::Command::Deliver { shipment })?;
    work.move_stock(&found.lines, |line| stock::Command::FindInTransit { order, quantity: line.quantity })
}

/// Records that a parcel was lost: its contents are lost pieces of the stock, once.
fn lose(work: &mut Work, shipment: ShipmentId) -> Result<(), Refused> {
    let Prepared { order, lines, .. } = prepared(work, shipment)?;
    if !work.decide::<Order>(order, &order::Command::LoseParcel { shipment })? {
        return Ok(());
    }
    work.move_stock(&lines, |line| stock::Command::LoseInTransit { order, quantity: line.quantity })
}

/// Takes back a parcel that was refused, or was lost and found: its pieces can be shipped again, or cancelled. Pieces that were
/// replaced or cancelled in the meantime are available again.
pub fn take_back(work: &mut Work, shipment: ShipmentId) -> Result<(), Refused> {
    work.decide::<Shipment>(shipment, &shipment::Command::TakeBack {})?;
    let order = prepared(work, shipment)?.order;
    let Found { lines, extra } = if_found(work, order, shipment)?;
    work.decide::<Order>(order, &order::Command::TakeBackParcel { shipment })?;
    let all = summed(lines.into_iter().chain(extra.iter().copied())).unwrap_or_default();
    work.move_stock(&all, |line| stock::Command::FindInTransit { order, quantity: line.quantity })?;
    work.put_back(order, &extra)
}

/// The pieces of a lost parcel that would be wanted if it were found; none of any other parcel.
fn if_found(work: &Work, order: OrderId, shipment: ShipmentId) -> Result<Found, Refused> {
    Ok(work.get::<Order>(order)?.live().map(|placed| placed.if_found(shipment)).unwrap_or_default())
}

fn prepared(work: &Work, shipment: ShipmentId) -> Result<Prepared, Refused> {
    Ok(work.get::<Shipment>(shipment)?.live()?.clone())
}
