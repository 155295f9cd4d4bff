//! Parcels of an order: packed, handed over, delivered, taken back, lost and found.

use chrono::{DateTime, Utc};

use super::{
    CancelReason, Decision, Event, Found, Fulfilment, Parcel, ParcelStage, PaymentStatus, Placed, Rejection, Status,
};
use crate::ids::ShipmentId;
use crate::quantity::{Demand, Quantity, summed};

impl Placed {
    pub(super) fn prepare_parcel(&self, shipment: ShipmentId, lines: &[Demand]) -> Decision {
        let lines = summed(lines.iter().copied()).map_err(|_| Rejection::TooManyLines)?;
        if let Some(known) = self.parcels.get(&shipment) {
            return if known.lines == lines { Ok(vec![]) } else { Err(Rejection::Exists) };
        }
        self.can_be_sent()?;
        if !self.has_left_stock() && self.progress.payment_status != PaymentStatus::Authorized {
            return Err(Rejection::NotPaid);
        }
        if self.placement.imported {
            return Err(Rejection::Imported);
        }
        if lines.is_empty() {
            let nothing = self.variants().into_iter().all(|variant| self.left_to_ship(variant) == 0);
            return Err(if nothing { Rejection::NothingToSend } else { Rejection::EmptyParcel });
        }
        self.are_of_one_part(&lines)?;
        for Demand { variant, quantity } in &lines {
            let left = self.left_to_ship(*variant);
            if quantity.get() > left {
                return Err(Rejection::TooManyShipped { variant: *variant, left });
            }
        }
        let replaced = self.to_replace(&lines);
        let replaced = (!replaced.is_empty()).then_some(Event::Replaced { lines: replaced });
        Ok(replaced.into_iter().chain([Event::ParcelPrepared { shipment, lines }]).collect())
    }

    pub(super) fn drop_parcel(&self, shipment: ShipmentId) -> Decision {
        match self.parcel(shipment)?.stage {
            ParcelStage::Prepared => Ok(vec![Event::ParcelDropped { shipment }]),
            ParcelStage::Dropped => Ok(vec![]),
            ParcelStage::HandedOver | ParcelStage::Delivered | ParcelStage::Returned | ParcelStage::Lost => {
                Err(Rejection::ParcelGone)
            }
        }
    }

    pub(super) fn hand_over(&self, shipment: ShipmentId, at: DateTime<Utc>) -> Decision {
        let parcel = self.parcel(shipment)?;
        match parcel.stage {
            ParcelStage::Prepared => {}
            ParcelStage::HandedOver | ParcelStage::Delivered => return Ok(vec![]),
            ParcelStage::Dropped | ParcelStage::Returned | ParcelStage::Lost => return Err(Rejection::ParcelGone),
        }
        self.can_be_sent()?;
        let capture = (self.progress.payment_status == PaymentStatus::Authorized).then_some(self.placement.payment);
        let mut events = vec![Event::HandedOver { shipment, lines: parcel.lines.clone(), at, capture }];
        let in_it: i64 = parcel.lines.iter().map(|line| line.quantity.get()).sum();
        if self.handed_over_pieces() + in_it == self.progress.kept {
            events.push(Event::Fulfilled { completed: false, at: Some(at) });
        }
        Ok(events)
    }

    pub(super) fn deliver(&self, shipment: ShipmentId, at: DateTime<Utc>) -> Decision {
        let parcel = self.parcel(shipment)?;
        match parcel.stage {
            ParcelStage::HandedOver => {}
            ParcelStage::Delivered => return Ok(vec![]),
            ParcelStage::Lost => return self.deliver_found(shipment, at),
            ParcelStage::Prepared | ParcelStage::Dropped | ParcelStage::Returned => return Err(Rejection::ParcelHere),
        }
        let mut events = vec![Event::Delivered { shipment, at }];
        let in_it: i64 = parcel.lines.iter().map(|line| line.quantity.get()).sum();
        if self.completes_with(in_it) {
            events.push(Event::Completed {});
        }
        Ok(events)
    }

    /// Whether the order is completed once so many more pieces are delivered. One that is paid on delivery is completed when it is paid.
    fn completes_with(&self, pieces: i64) -> bool {
        let is_left = self.progress.status == Status::Open && !self.is_on_delivery();
        is_left && self.delivered_pieces() + pieces == self.progress.kept
    }

    pub(super) fn take_back_parcel(&self, shipment: ShipmentId) -> Decision {
        let parcel = self.parcel(shipment)?;
        match parcel.stage {
            ParcelStage::HandedOver => {}
            ParcelStage::Returned => return Ok(vec![]),
            // A parcel that was found and is back in the shop counts as if it had never left.
            ParcelStage::Lost => {
                let found = self.find(shipment, self.progress.fulfilment)?;
                return Ok(vec![found, Event::ParcelReturned { shipment, fulfilment: self.progress.fulfilment }]);
            }
            ParcelStage::Prepared | ParcelStage::Dropped | ParcelStage::Delivered => return Err(Rejection::ParcelHere),
        }
        let fulfilment = self.without_parcel(parcel)?;
        Ok(vec![Event::ParcelReturned { shipment, fulfilment }])
    }

    pub(super) fn lose_parcel(&self, shipment: ShipmentId) -> Decision {
        let parcel = self.parcel(shipment)?;
        match parcel.stage {
            ParcelStage::HandedOver => {}
            ParcelStage::Lost => return Ok(vec![]),
            ParcelStage::Prepared | ParcelStage::Dropped | ParcelStage::Returned | ParcelStage::Delivered => {
                return Err(Rejection::ParcelHere);
            }
        }
        let fulfilment = self.without_parcel(parcel)?;
        Ok(vec![Event::ParcelLost { shipment, lines: parcel.lines.clone(), fulfilment }])
    }

    /// The fulfilment when a parcel in transit does not arrive.
    fn without_parcel(&self, parcel: &Parcel) -> Result<Fulfilment, Rejection> {
        // A piece comes back once: with its parcel, or with a return.
        let is_elsewhere =
            |line: &Demand| line.quantity.get() > self.left_to_return(line.variant) - self.coming_back(line.variant);
        if parcel.lines.iter().any(is_elsewhere) {
            return Err(Rejection::ParcelReturning);
        }
        let in_it: i64 = parcel.lines.iter().map(|line| line.quantity.get()).sum();
        let others = self.handed_over_pieces() - in_it;
        let left = if others == 0 { Fulfilment::Unfulfilled } else { Fulfilment::PartlyFulfilled };
        Ok(self.progress.with_returns(left))
    }

    /// The pieces of a lost parcel that would be wanted if it were found, and those that would not; none of any other parcel.
    pub fn if_found(&self, shipment: ShipmentId) -> Found {
        let lost = self.parcels.get(&shipment).filter(|parcel| parcel.stage == ParcelStage::Lost);
        let in_it = lost.map(|parcel| parcel.lines.as_slice()).unwrap_or_default();
        let extra = self.at_hand(in_it);
        let lines = in_it.iter().filter_map(|line| {
            let not_wanted = extra.iter().find(|it| it.variant == line.variant).map_or(0, |it| it.quantity.get());
            Some(Demand { quantity: Quantity::new(line.quantity.get() - not_wanted).ok()?, ..*line })
        });
        Found { lines: lines.collect(), extra }
    }

    fn find(&self, shipment: ShipmentId, fulfilment: Fulfilment) -> Result<Event, Rejection> {
        self.parcel(shipment)?;
        let Found { lines, extra } = self.if_found(shipment);
        Ok(Event::ParcelFound { shipment, lines, extra, fulfilment })
    }

    /// Delivers a lost parcel that was found: the pieces that were neither replaced nor cancelled in the meantime have arrived.
    fn deliver_found(&self, shipment: ShipmentId, at: DateTime<Utc>) -> Decision {
        let in_it: i64 = self.if_found(shipment).lines.iter().map(|line| line.quantity.get()).sum();
        let fulfilment =
            if in_it == 0 { self.progress.fulfilment } else { self.progress.with_returns(Fulfilment::PartlyFulfilled) };
        let mut events = vec![self.find(shipment, fulfilment)?, Event::Delivered { shipment, at }];
        if in_it > 0 && self.handed_over_pieces() + in_it == self.progress.kept {
            events.push(Event::Fulfilled { completed: false, at: Some(at) });
        }
        if self.completes_with(in_it) {
            events.push(Event::Completed {});
        }
        Ok(events)
    }

    pub(super) fn find_parcel(&mut self, shipment: ShipmentId, lines: &[Demand], extra: &[Demand]) {
        self.note_no_longer_lost(lines);
        if let Some(parcel) = self.parcels.get_mut(&shipment) {
            parcel.stage = ParcelStage::HandedOver;
            (parcel.lines, parcel.extra) = (lines.to_vec(), extra.to_vec());
        }
    }

    /// Whether a parcel is packed or in transit.
    pub(super) fn is_being_shipped(&self) -> bool {
        self.parcels.values().any(|parcel| parcel.stage.is_under_way() && !parcel.lines.is_empty())
    }

    /// Keeps a buyer from cancelling goods that they have: a lost parcel that arrived after it was replaced does not count as
    /// sent, and its replacement may never arrive. Staff can see which it is.
    pub(super) fn nothing_arrived_after_all(&self, reason: CancelReason) -> Result<(), Rejection> {
        let arrived = |parcel: &Parcel| parcel.stage.is_gone() && !parcel.extra.is_empty();
        if reason == CancelReason::BuyerRequest && self.parcels.values().any(arrived) {
            return Err(Rejection::ArrivedAfterAll);
        }
        Ok(())
    }

    pub(super) fn move_parcel(&mut self, shipment: ShipmentId, stage: ParcelStage, at: Option<DateTime<Utc>>) {
        if let Some(parcel) = self.parcels.get_mut(&shipment) {
            parcel.stage = stage;
        }
        self.last_moved_at = at.or(self.last_moved_at);
    }

    fn parcel(&self, shipment: ShipmentId) -> Result<&Parcel, Rejection> {
        self.parcels.get(&shipment).ok_or(Rejection::NoSuchParcel)
    }

    /// Refuses an order with nothing left to ship.
    fn can_be_sent(&self) -> Result<(), Rejection> {
        match self.progress.status {
            Status::Open => Ok(()),
            Status::Completed => Err(Rejection::NothingToSend),
            Status::Cancelled | Status::Expired => Err(Rejection::Cancelled),
        }
    }

    /// Refuses an order that is not open.
    pub(super) fn ensure_open(&self) -> Result<(), Rejection> {
        match self.progress.status {
            Status::Open => Ok(()),
            Status::Completed => Err(Rejection::AlreadyFulfilled),
            Status::Cancelled | Status::Expired => Err(Rejection::Cancelled),
        }
    }
}
