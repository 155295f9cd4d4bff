//! Shipping: parcels and the order they are of move together, and the carrier is asked how far they are.

use byteshop_domain::Kind;
use byteshop_domain::decider::Decider as _;
use byteshop_domain::ids::{OrderId, ShipmentId};
use byteshop_domain::order::{self, Order, PaymentStatus};
use byteshop_domain::payment::{self, Payment};
use byteshop_domain::quantity::{Demand, summed};
use byteshop_domain::shipment::{self, Carrier, News, Prepared, Shipment};
use byteshop_domain::text::Reference;

use crate::Commands;
use crate::error::{Error, Rejected};
use crate::intent::Intent;
use crate::ports::carrier::Heard;
use crate::unit::{Loaded, Unit};

/// Puts some of an order in a parcel.
pub async fn prepare(
    unit: &Unit,
    order: OrderId,
    lines: &[Demand],
    carrier: &Carrier,
) -> Result<Loaded<Shipment>, Error> {
    let mut order = unit.load_matching::<Order>(order).await?;
    let lines = summed(lines.iter().copied())
        .map_err(|error| unit.refuse("shipment.too_many", Kind::Invalid, error.to_string()))?;
    let mut it = unit.start::<Shipment>(unit.new_id());
    unit.decide(&mut order, &order::Command::PrepareParcel { shipment: it.id, lines: lines.clone() })?;
    let (order, carrier) = (order.id, carrier.clone());
    unit.decide(&mut it, &shipment::Command::Prepare { order, lines, carrier })?;
    Ok(it)
}

/// Gives a parcel up before it goes anywhere: its goods can be packed again, or called off.
pub async fn cancel(unit: &Unit, it: &mut Loaded<Shipment>) -> Result<(), Error> {
    unit.decide(it, &shipment::Command::Cancel {})?;
    move_order(unit, it, |shipment| order::Command::DropParcel { shipment }).await
}

/// Gives a parcel to its carrier.
///
/// `tracking` is what the carrier calls it; the simulated one makes its number up.
pub async fn hand_over(unit: &Unit, it: &mut Loaded<Shipment>, tracking: Option<&Reference>) -> Result<(), Error> {
    let known = prepared(it)?;
    let tracking = match (tracking.or(known.tracking.as_ref()), &known.carrier) {
        (Some(tracking), _) => tracking.clone(),
        (None, Carrier::Simulated { story }) => {
            let registered = unit.commands().carrier().register(story.as_ref(), unit.commands().clock().new_id());
            registered.await.map_err(Error::Provider)?
        }
        (None, Carrier::Other { .. }) => {
            let mut missing = Rejected::missing("tracking");
            missing.code = "shipment.tracking_needed".into();
            missing.kind = Kind::Invalid;
            missing.detail = "a carrier's own number is needed".into();
            missing.pointer = Some("/tracking".into());
            return Err(Error::Rejected(missing));
        }
    };
    unit.decide(it, &shipment::Command::HandOver { tracking })?;
    let order = unit.load::<Order>(prepared(it)?.order).await?;
    // In the same append, so that no money is let go for which goods leave.
    if let Ok(placed) = order.state.placed()
        && placed.payment_status == PaymentStatus::Authorized
    {
        let mut payment = unit.load::<Payment>(placed.placement.payment).await?;
        unit.decide(&mut payment, &payment::Command::Take {})?;
    }
    move_order(unit, it, |shipment| order::Command::HandOver { shipment }).await
}

/// Notes what a carrier says.
pub async fn hear(unit: &Unit, it: &mut Loaded<Shipment>, heard: &Heard) -> Result<(), Error> {
    let Heard { news, at, place, reason } = heard.clone();
    unit.decide(it, &shipment::Command::Hear { news, at, place, reason })?;
    if news == News::Delivered {
        move_order(unit, it, |shipment| order::Command::Deliver { shipment }).await?;
    }
    Ok(())
}

/// Takes a parcel in again that nobody took: its goods can be sent again, or called off.
pub async fn take_back(unit: &Unit, it: &mut Loaded<Shipment>) -> Result<(), Error> {
    unit.decide(it, &shipment::Command::TakeBack {})?;
    move_order(unit, it, |shipment| order::Command::TakeBackParcel { shipment }).await
}

async fn move_order(
    unit: &Unit,
    it: &Loaded<Shipment>,
    command: impl Fn(ShipmentId) -> order::Command,
) -> Result<(), Error> {
    let mut order = unit.load::<Order>(prepared(it)?.order).await?;
    unit.decide(&mut order, &command(it.id))
}

fn prepared(it: &Loaded<Shipment>) -> Result<&Prepared, Error> {
    it.state.prepared().map_err(|rejection| Error::Rejected(Rejected::of::<Shipment>(&rejection)))
}

impl Commands {
    /// Asks the carrier how far a parcel is, and notes what it says and when to ask again.
    pub(crate) async fn track_shipment(&self, intent: &Intent, id: ShipmentId) -> Result<(), Error> {
        let Some(snapshot) = self.get::<Shipment>(id).await? else { return Ok(()) };
        let Ok(known) = snapshot.state.prepared() else { return Ok(()) };
        let Some(tracking) = known.tracking.as_ref().filter(|_| known.travels()) else { return Ok(()) };
        let now = self.clock().now();
        let report = match self.carrier().report(tracking, now).await {
            Ok(report) => report,
            Err(error) => {
                tracing::warn!(%error, category = Shipment::CATEGORY, %id, "the carrier is asked again later");
                crate::ports::carrier::Report { news: vec![], check_at: Some(now + crate::ports::carrier::SILENCE) }
            }
        };
        let report = &report;
        self.run(intent, |unit| async move {
            let mut it = unit.load::<Shipment>(id).await?;
            for heard in &report.news {
                hear(&unit, &mut it, heard).await?;
            }
            match report.check_at {
                Some(check_at) => unit.decide(&mut it, &shipment::Command::Wait { check_at }),
                None => Ok(()),
            }
        })
        .await?;
        Ok(())
    }
}
