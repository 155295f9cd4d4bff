//! Shipping: parcels move together with the order that they are of, as the domain decides ([`parcels`]), and the carrier is asked how
//! far they are.

use byteshop_domain::Kind;
use byteshop_domain::decider::Decider as _;
use byteshop_domain::ids::{OrderId, ShipmentId, VariantId};
use byteshop_domain::order::{Order, PaymentStatus};
use byteshop_domain::parcels::{self, Heard};
use byteshop_domain::payment::Payment;
use byteshop_domain::quantity::{Demand, Quantity};
use byteshop_domain::shipment::{self, Carrier, News, Shipment, Stage};
use byteshop_domain::stock::StockLevel;
use byteshop_domain::text::{Link, Reference};

use crate::Commands;
use crate::engine::error::{Error, Rejected};
use crate::engine::intent::Intent;
use crate::engine::together::Together;
use crate::engine::unit::{Loaded, Unit};
use crate::ports::carrier::{Report, SILENCE, UNCONNECTED};
use crate::ports::connected::ConnectedCarrier;

/// Puts some of an order in a parcel, or everything that is left to ship; see [`parcels::prepare`].
pub async fn prepare(
    unit: &Unit,
    order: OrderId,
    lines: Option<&[Demand]>,
    carrier: &Carrier,
) -> Result<Loaded<Shipment>, Error> {
    let lines = match lines {
        Some(lines) => lines.to_vec(),
        None => left_to_ship(&unit.load::<Order>(order).await?.exists()?)?,
    };
    takes_parcels(unit, carrier)?;
    let order = unit.load_matching::<Order>(order).await?;
    let mut together = unit.together();
    together.hold(&order);
    if let Ok(placed) = order.state.live() {
        let payment = placed.placement.payment;
        if placed.awaits(payment) {
            together.load::<Payment>(&[payment]).await?;
        }
        // Only what was lost on its way is taken from the stock once more.
        let lost: Vec<VariantId> = placed.lost.keys().copied().collect();
        together.load::<StockLevel>(&lost).await?;
    }
    let id = together.decide(|work| parcels::prepare(work, order.id, &lines, carrier))?;
    Ok(unit.begun(id))
}

/// Everything of an order that is left to ship.
fn left_to_ship(order: &Loaded<Order>) -> Result<Vec<Demand>, Error> {
    let placed = order.state.live()?;
    let left = placed.variants().into_iter().filter_map(|variant| {
        let quantity = Quantity::new(placed.left_to_ship(variant)).ok()?;
        Some(Demand { variant, quantity })
    });
    Ok(left.collect())
}

/// Refuses a carrier that this shop is not connected to. Any other carrier is told of its parcels by hand.
fn takes_parcels(unit: &Unit, carrier: &Carrier) -> Result<(), Error> {
    match carrier {
        Carrier::Simulated { .. } if !unit.commands().connected().has_carrier(ConnectedCarrier::Simulated) => {
            Err(Error::Rejected(Rejected {
                code: "shipment.no_carrier".into(),
                kind: Kind::Invalid,
                detail: "the simulated carrier is not connected to this shop: name the carrier of the parcel, such as \
                         {\"kind\": \"other\", \"name\": \"DHL\"}, and give its tracking number at the hand-over"
                    .into(),
                pointer: Some("/carrier".into()),
            }))
        }
        Carrier::Simulated { .. } | Carrier::Other { .. } => Ok(()),
    }
}

/// Closes and labels a parcel.
pub fn pack(unit: &Unit, it: &mut Loaded<Shipment>, weight_g: Option<u32>) -> Result<(), Error> {
    unit.decide(it, &shipment::Command::Pack { weight_g })
}

/// Unpacks a parcel before it goes anywhere; see [`parcels::cancel`].
pub async fn cancel(unit: &Unit, it: &mut Loaded<Shipment>) -> Result<(), Error> {
    let together = with_order(unit, it, false).await?;
    together.decide(|work| parcels::cancel(work, it.id))?;
    unit.refresh(it);
    Ok(())
}

/// Gives a parcel to its carrier.
///
/// `tracking` is what the carrier calls it; the simulated one makes its number up. `url` is where its way can be followed, `weight_g`
/// what it weighs, if that is known only now.
pub async fn hand_over(
    unit: &Unit,
    it: &mut Loaded<Shipment>,
    tracking: Option<&Reference>,
    url: Option<&Link>,
    weight_g: Option<u32>,
) -> Result<(), Error> {
    if weight_g.is_some() && it.state.live()?.weight_g != weight_g {
        pack(unit, it, weight_g)?;
    }
    let known = it.state.live()?;
    let tracking = match (tracking.or(known.tracking.as_ref()), &known.carrier) {
        (Some(tracking), _) => tracking.clone(),
        (None, carrier @ Carrier::Simulated { story }) => {
            takes_parcels(unit, carrier)?;
            let registered = unit.commands().carrier().register(story.as_ref(), unit.commands().clock().new_id());
            registered.await.map_err(Error::Provider)?
        }
        (None, Carrier::Other { .. }) => {
            return Err(Error::Rejected(Rejected {
                code: "shipment.tracking_needed".into(),
                kind: Kind::Invalid,
                detail: "a tracking number of the carrier is required".into(),
                pointer: Some("/tracking".into()),
            }));
        }
    };
    let order = unit.load::<Order>(known.order).await?;
    let mut together = unit.together();
    together.hold(it);
    together.hold(&order);
    if let Ok(placed) = order.state.live()
        && placed.progress.payment_status == PaymentStatus::Authorized
    {
        together.load::<Payment>(&[placed.placement.payment]).await?;
    }
    together.decide(|work| parcels::hand_over(work, it.id, &tracking, url))?;
    unit.refresh(it);
    Ok(())
}

/// Notes what a carrier says; see [`parcels::hear`].
pub async fn hear(unit: &Unit, it: &mut Loaded<Shipment>, heard: &Heard) -> Result<(), Error> {
    let together = match heard.news {
        News::Delivered => with_order(unit, it, false).await?,
        News::Lost => with_order(unit, it, true).await?,
        News::InTransit | News::OutForDelivery | News::AttemptFailed | News::ReturningToSender => {
            let mut alone = unit.together();
            alone.hold(it);
            alone
        }
    };
    together.decide(|work| parcels::hear(work, it.id, heard))?;
    unit.refresh(it);
    Ok(())
}

/// Takes a parcel in again; see [`parcels::take_back`].
pub async fn take_back(unit: &Unit, it: &mut Loaded<Shipment>) -> Result<(), Error> {
    let together = with_order(unit, it, false).await?;
    together.decide(|work| parcels::take_back(work, it.id))?;
    unit.refresh(it);
    Ok(())
}

/// A parcel and its order, with the stock of what is in it where that moves: the parcel is lost, or `is_lost` now.
async fn with_order<'a>(unit: &'a Unit, it: &Loaded<Shipment>, is_lost: bool) -> Result<Together<'a>, Error> {
    let mut together = unit.together();
    together.hold(it);
    let Ok(known) = it.state.live() else { return Ok(together) };
    together.load::<Order>(&[known.order]).await?;
    if is_lost || known.status == Stage::Lost {
        together.load_stock(&known.lines).await?;
    }
    Ok(together)
}

impl Commands {
    /// Asks the carrier how far a parcel is, and notes what it says and when to ask again.
    pub(crate) async fn track_shipment(&self, intent: &Intent, id: ShipmentId) -> Result<(), Error> {
        let Some(snapshot) = self.get::<Shipment>(id).await? else { return Ok(()) };
        let Ok(known) = snapshot.state.live() else { return Ok(()) };
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
                tracing::warn!(%error, category = Shipment::CATEGORY, %id, "no answer from the carrier; retrying");
                later()
            }
        };
        match self.note_report(intent, id, &report).await {
            // Such as a loss of what its buyer is about to send back: it is asked for again when that may be over.
            Err(Error::Rejected(rejected)) => {
                tracing::info!(code = rejected.code, category = Shipment::CATEGORY, %id, "the carrier's report is postponed");
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
