//! Shipping: parcels and the order they are of move together, and the carrier is asked how far they are.

use byteshop_domain::Kind;
use byteshop_domain::decider::Decider as _;
use byteshop_domain::ids::{OrderId, ShipmentId, VariantId};
use byteshop_domain::order::{self, Found, Order, PaymentStatus};
use byteshop_domain::payment::{self, Payment};
use byteshop_domain::quantity::{Demand, Quantity, summed};
use byteshop_domain::shipment::{self, Carrier, News, Prepared, Shipment, Stage};
use byteshop_domain::stock::{self, StockLevel};
use byteshop_domain::text::{Link, Reference};

use crate::Commands;
use crate::aftersales;
use crate::error::{Error, Rejected};
use crate::intent::Intent;
use crate::ports::carrier::{Heard, Report, SILENCE, UNCONNECTED};
use crate::ports::connected::ConnectedCarrier;
use crate::unit::{Loaded, Unit};

/// Puts some of an order in a parcel. What was lost on its way before is taken from the stock once more.
pub async fn prepare(
    unit: &Unit,
    order: OrderId,
    lines: &[Demand],
    carrier: &Carrier,
) -> Result<Loaded<Shipment>, Error> {
    takes_parcels(unit, carrier)?;
    let mut order = unit.load_matching::<Order>(order).await?;
    if let Ok(placed) = order.state.placed()
        && placed.awaits(placed.placement.payment)
    {
        aftersales::knows_of_its_money(&order, &unit.load::<Payment>(placed.placement.payment).await?)?;
    }
    let lines = summed(lines.iter().copied())
        .map_err(|error| unit.refuse("shipment.too_many", Kind::Invalid, error.to_string()))?;
    let mut it = unit.start::<Shipment>(unit.new_id());
    let replaced = order.state.placed().map(|placed| placed.to_replace(&lines)).unwrap_or_default();
    unit.decide(&mut order, &order::Command::PrepareParcel { shipment: it.id, lines: lines.clone() })?;
    move_stock(unit, order.id, &replaced, |order, quantity| stock::Command::Replace { order, quantity }).await?;
    let (order, carrier) = (order.id, carrier.clone());
    unit.decide(&mut it, &shipment::Command::Prepare { order, lines, carrier })?;
    Ok(it)
}

/// Refuses a carrier that this shop is not connected to. Any other carrier is told of its parcels by hand.
fn takes_parcels(unit: &Unit, carrier: &Carrier) -> Result<(), Error> {
    match carrier {
        Carrier::Simulated { .. } if !unit.commands().connected().has_carrier(ConnectedCarrier::Simulated) => {
            Err(Error::Rejected(Rejected {
                code: "shipment.no_carrier".into(),
                kind: Kind::Invalid,
                detail: "the simulated carrier is not connected to this shop: name the carrier that takes the parcel, such as \
                         {\"kind\": \"other\", \"name\": \"DHL\"}, and give its tracking number at the hand-over"
                    .into(),
                pointer: Some("/carrier".into()),
            }))
        }
        Carrier::Simulated { .. } | Carrier::Other { .. } => Ok(()),
    }
}

/// Gives a parcel up before it goes anywhere: its goods can be packed again, or called off.
pub async fn cancel(unit: &Unit, it: &mut Loaded<Shipment>) -> Result<(), Error> {
    unit.decide(it, &shipment::Command::Cancel {})?;
    move_order(unit, it, |shipment| order::Command::DropParcel { shipment }).await
}

/// Gives a parcel to its carrier.
///
/// `tracking` is what the carrier calls it; the simulated one makes its number up. `url` is where its way can be followed.
pub async fn hand_over(
    unit: &Unit,
    it: &mut Loaded<Shipment>,
    tracking: Option<&Reference>,
    url: Option<&Link>,
) -> Result<(), Error> {
    let known = prepared(it)?;
    let tracking = match (tracking.or(known.tracking.as_ref()), &known.carrier) {
        (Some(tracking), _) => tracking.clone(),
        (None, carrier @ Carrier::Simulated { story }) => {
            takes_parcels(unit, carrier)?;
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
    unit.decide(it, &shipment::Command::HandOver { tracking, tracking_url: url.cloned() })?;
    let order = unit.load::<Order>(prepared(it)?.order).await?;
    // In the same append, so that no authorization is released for which goods are handed over.
    if let Ok(placed) = order.state.placed()
        && placed.payment_status == PaymentStatus::Authorized
    {
        let mut payment = unit.load::<Payment>(placed.placement.payment).await?;
        unit.decide(&mut payment, &payment::Command::RequestCapture {})?;
    }
    move_order(unit, it, |shipment| order::Command::HandOver { shipment }).await
}

/// Notes what a carrier says.
pub async fn hear(unit: &Unit, it: &mut Loaded<Shipment>, heard: &Heard) -> Result<(), Error> {
    let Heard { news, at, place, reason } = heard.clone();
    unit.decide(it, &shipment::Command::Hear { news, at, place, reason })?;
    let stage = prepared(it)?.status;
    if news == News::Delivered && stage == Stage::Delivered {
        return deliver(unit, it).await;
    }
    if news == News::Lost && stage == Stage::Lost {
        return lose(unit, it).await;
    }
    Ok(())
}

/// A parcel has arrived. What was thought to be lost was none, unless it was sent again or called off meanwhile.
async fn deliver(unit: &Unit, it: &Loaded<Shipment>) -> Result<(), Error> {
    let found = if_found(unit, it).await?;
    move_order(unit, it, |shipment| order::Command::Deliver { shipment }).await?;
    let found_in_transit = |order, quantity| stock::Command::FindInTransit { order, quantity };
    move_stock(unit, prepared(it)?.order, &found.lines, found_in_transit).await
}

/// A parcel will not arrive: what is in it is a loss, once.
async fn lose(unit: &Unit, it: &Loaded<Shipment>) -> Result<(), Error> {
    let mut order = unit.load::<Order>(prepared(it)?.order).await?;
    let before = order.version;
    unit.decide(&mut order, &order::Command::LoseParcel { shipment: it.id })?;
    if order.version == before {
        return Ok(());
    }
    let lose = |order, quantity| stock::Command::LoseInTransit { order, quantity };
    move_stock(unit, order.id, &prepared(it)?.lines, lose).await
}

/// Takes a parcel in again that nobody took, or that was lost: its goods can be sent again, or called off. What was sent
/// again or called off meanwhile is for sale.
pub async fn take_back(unit: &Unit, it: &mut Loaded<Shipment>) -> Result<(), Error> {
    unit.decide(it, &shipment::Command::TakeBack {})?;
    let order = prepared(it)?.order;
    let Found { lines, extra } = if_found(unit, it).await?;
    move_order(unit, it, |shipment| order::Command::TakeBackParcel { shipment }).await?;
    let all = summed(lines.into_iter().chain(extra.iter().copied())).unwrap_or_default();
    move_stock(unit, order, &all, |order, quantity| stock::Command::FindInTransit { order, quantity }).await?;
    let back = |order, quantity| stock::Command::Return { quantity, order: Some(order), reason: None };
    move_stock(unit, order, &extra, back).await
}

/// What of a parcel that is lost would be wanted if it were found; nothing of any other.
async fn if_found(unit: &Unit, it: &Loaded<Shipment>) -> Result<Found, Error> {
    let order = unit.load::<Order>(prepared(it)?.order).await?;
    Ok(order.state.placed().map(|placed| placed.if_found(it.id)).unwrap_or_default())
}

async fn move_stock(
    unit: &Unit,
    order: OrderId,
    lines: &[Demand],
    command: impl Fn(OrderId, Quantity) -> stock::Command,
) -> Result<(), Error> {
    let variants: Vec<VariantId> = lines.iter().map(|line| line.variant).collect();
    for (mut stock, line) in unit.load_all::<StockLevel>(&variants).await?.into_iter().zip(lines) {
        unit.decide(&mut stock, &command(order, line.quantity))?;
    }
    Ok(())
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
        let later = || Report { news: vec![], check_at: Some(now + SILENCE) };
        match known.carrier {
            // Its number is its own, and nobody here can ask it.
            Carrier::Other { .. } => return Ok(()),
            Carrier::Simulated { .. } if !self.connected().has_carrier(ConnectedCarrier::Simulated) => {
                let unconnected = Report { news: vec![], check_at: Some(now + UNCONNECTED) };
                return self.note_report(intent, id, &unconnected).await;
            }
            Carrier::Simulated { .. } => {}
        }
        let report = match self.carrier().report(tracking, now).await {
            Ok(report) => report,
            Err(error) => {
                tracing::warn!(%error, category = Shipment::CATEGORY, %id, "the carrier is asked again later");
                later()
            }
        };
        match self.note_report(intent, id, &report).await {
            // Such as a loss of what its buyer is about to send back: it is asked for again when that may be over.
            Err(Error::Rejected(rejected)) => {
                tracing::info!(code = rejected.code, category = Shipment::CATEGORY, %id, "the carrier's news has to wait");
                self.note_report(intent, id, &later()).await
            }
            noted => noted,
        }
    }

    async fn note_report(&self, intent: &Intent, id: ShipmentId, report: &Report) -> Result<(), Error> {
        let noted = self.run(intent, |unit| async move {
            let mut it = unit.load::<Shipment>(id).await?;
            for heard in &report.news {
                hear(&unit, &mut it, heard).await?;
            }
            match report.check_at {
                Some(check_at) => unit.decide(&mut it, &shipment::Command::Wait { check_at }),
                None => Ok(()),
            }
        });
        noted.await.map(drop)
    }
}
