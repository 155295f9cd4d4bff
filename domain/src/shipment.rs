//! A shipment: one parcel of an order, from its preparation to its delivery or return.
//!
//! ```text
//! (missing) ──prepared──▶ prepared ──packed──▶ packed ──handed over──▶ handed over ──▶ in transit ──▶ out for delivery
//!                            └──cancelled──▶ cancelled ◀┘                │ ▲               │      attempt failed ⇄ │
//!                                                                        ├─┴───────────────┴───────────────────────┤
//!                                                                   delivered   lost                 returning ──▶ returned
//! ```
//!
//! Carriers report late, twice and out of order: a report that is older than the current state has no effect. Delivered,
//! returned and cancelled are final. A lost parcel may be found: then it is delivered, or returned.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::decider::{Asked, Decider};
use crate::ids::{OrderId, ShipmentId};
use crate::quantity::Demand;
use crate::text::{Link, Name, Reason, Reference};

mod commands;
mod events;
mod rejections;

pub use commands::Command;
pub use events::{Carrier, Event, News, STORIES};
pub use rejections::Rejection;

/// The state of a shipment.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Shipment {
    /// The shipment does not exist.
    #[default]
    Missing,
    /// The shipment exists.
    Prepared(Box<Prepared>),
}

/// A shipment that exists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prepared {
    /// The stage.
    pub status: Stage,
    /// The order.
    pub order: OrderId,
    /// The contents, summed per variant.
    pub lines: Vec<Demand>,
    /// The carrier.
    pub carrier: Carrier,
    /// The weight in grams, once it is packed.
    pub weight_g: Option<u32>,
    /// The tracking number, once the carrier has the parcel.
    pub tracking: Option<Reference>,
    /// The page where it can be tracked, if known.
    pub tracking_url: Option<Link>,
    /// When it was handed over.
    pub handed_over_at: Option<DateTime<Utc>>,
    /// When it was delivered.
    pub delivered_at: Option<DateTime<Utc>>,
    /// The reports of the carrier, the oldest first.
    pub news: Vec<Heard>,
}

/// A report of a carrier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Heard {
    /// The status.
    pub status: News,
    /// The time.
    pub at: DateTime<Utc>,
    /// The place, if known.
    pub place: Option<Name>,
    /// The reason, if known.
    pub reason: Option<Reason>,
}

/// The maximum number of reports that are kept of one shipment: a carrier that reports every minute must not fill the state.
pub const NEWS_MAX: usize = 64;

/// The stage of a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its contents are put together.
    Prepared,
    /// It is packed and labelled.
    Packed,
    /// It is handed over to the carrier.
    HandedOver,
    /// It is in transit.
    InTransit,
    /// It is out for delivery.
    OutForDelivery,
    /// A delivery was attempted and failed.
    AttemptFailed,
    /// It was delivered.
    Delivered,
    /// It is on its way back to the shop.
    Returning,
    /// It is back in the shop.
    Returned,
    /// It is lost: the carrier does not search for it any more.
    Lost,
    /// It was cancelled before it was handed over.
    Cancelled,
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Shipment {
    const CATEGORY: &'static str = "shipment";
    type Id = ShipmentId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        match command {
            Command::Prepare { order, lines, carrier } => self.prepare(*order, lines, carrier),
            Command::Pack { weight_g } => self.live()?.pack(*weight_g),
            Command::Cancel {} => self.live()?.cancel(),
            Command::HandOver { tracking, tracking_url } => {
                self.live()?.hand_over(tracking, tracking_url.as_ref(), asked.at)
            }
            Command::Hear { news, at, place, reason } => {
                let heard = Heard {
                    status: *news,
                    at: at.unwrap_or(asked.at).min(asked.at),
                    place: place.clone(),
                    reason: reason.clone(),
                };
                self.live()?.hear(&heard)
            }
            Command::TakeBack {} => self.live()?.take_back(),
            Command::Wait { check_at } => Ok(self.live()?.wait(*check_at)),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Prepared { order, lines, carrier } => Self::Prepared(Box::new(Prepared {
                status: Stage::Prepared,
                order: *order,
                lines: lines.clone(),
                carrier: carrier.clone(),
                weight_g: None,
                tracking: None,
                tracking_url: None,
                handed_over_at: None,
                delivered_at: None,
                news: vec![],
            })),
            Event::Packed { weight_g } => self.with(|it| {
                it.status = Stage::Packed;
                it.weight_g = *weight_g;
            }),
            Event::Cancelled { .. } => self.with(|it| it.status = Stage::Cancelled),
            Event::HandedOver { tracking, tracking_url, at, .. } => self.with(|it| {
                it.status = Stage::HandedOver;
                it.tracking = Some(tracking.clone());
                it.tracking_url.clone_from(tracking_url);
                it.handed_over_at = Some(*at);
            }),
            Event::Moved { status, at, place, .. } => {
                let status = *status;
                self.with(|it| it.note(Heard { status, at: *at, place: place.clone(), reason: None }))
            }
            Event::AttemptFailed { at, reason, .. } => self.with(|it| {
                it.note(Heard { status: News::AttemptFailed, at: *at, place: None, reason: reason.clone() });
            }),
            Event::Delivered { at, .. } => self.with(|it| {
                it.delivered_at = Some(*at);
                it.note(Heard { status: News::Delivered, at: *at, place: None, reason: None });
            }),
            Event::ReturningToSender { at, reason, .. } => self.with(|it| {
                it.note(Heard { status: News::ReturningToSender, at: *at, place: None, reason: reason.clone() });
            }),
            Event::ReturnedToSender { .. } => self.with(|it| it.status = Stage::Returned),
            Event::Lost { at, reason, .. } => self.with(|it| {
                it.note(Heard { status: News::Lost, at: *at, place: None, reason: reason.clone() });
            }),
            Event::Waited { .. } => self,
        }
    }
}

impl Shipment {
    /// The shipment, if it exists.
    pub fn live(&self) -> Result<&Prepared, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Prepared(prepared) => Ok(prepared),
        }
    }

    fn prepare(&self, order: OrderId, lines: &[Demand], carrier: &Carrier) -> Decision {
        match self {
            Self::Missing if lines.is_empty() => Err(Rejection::NoLines),
            Self::Missing => Ok(vec![Event::Prepared { order, lines: lines.to_vec(), carrier: carrier.clone() }]),
            Self::Prepared(known) if known.order == order && known.lines == lines && known.carrier == *carrier => {
                Ok(vec![])
            }
            Self::Prepared(_) => Err(Rejection::Exists),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Prepared)) -> Self {
        if let Self::Prepared(prepared) = &mut self {
            change(prepared);
        }
        self
    }
}

impl Prepared {
    /// Whether the carrier has it and more reports are expected.
    pub fn travels(&self) -> bool {
        match self.status {
            Stage::HandedOver
            | Stage::InTransit
            | Stage::OutForDelivery
            | Stage::AttemptFailed
            | Stage::Returning
            | Stage::Lost => true,
            Stage::Prepared | Stage::Packed | Stage::Delivered | Stage::Returned | Stage::Cancelled => false,
        }
    }

    fn pack(&self, weight_g: Option<u32>) -> Decision {
        match self.status {
            Stage::Prepared => Ok(vec![Event::Packed { weight_g }]),
            Stage::Packed if self.weight_g == weight_g => Ok(vec![]),
            Stage::Packed => Ok(vec![Event::Packed { weight_g }]),
            Stage::Cancelled => Err(Rejection::Cancelled),
            Stage::HandedOver
            | Stage::InTransit
            | Stage::OutForDelivery
            | Stage::AttemptFailed
            | Stage::Delivered
            | Stage::Returning
            | Stage::Returned
            | Stage::Lost => Err(Rejection::HandedOver),
        }
    }

    fn cancel(&self) -> Decision {
        match self.status {
            Stage::Prepared | Stage::Packed => Ok(vec![Event::Cancelled { order: self.order }]),
            Stage::Cancelled => Ok(vec![]),
            Stage::HandedOver
            | Stage::InTransit
            | Stage::OutForDelivery
            | Stage::AttemptFailed
            | Stage::Delivered
            | Stage::Returning
            | Stage::Returned
            | Stage::Lost => Err(Rejection::HandedOver),
        }
    }

    fn hand_over(&self, tracking: &Reference, tracking_url: Option<&Link>, at: DateTime<Utc>) -> Decision {
        match self.status {
            Stage::Prepared | Stage::Packed => {
                let (order, carrier, tracking) = (self.order, self.carrier.clone(), tracking.clone());
                Ok(vec![Event::HandedOver { order, carrier, tracking, tracking_url: tracking_url.cloned(), at }])
            }
            Stage::Cancelled => Err(Rejection::Cancelled),
            Stage::HandedOver
            | Stage::InTransit
            | Stage::OutForDelivery
            | Stage::AttemptFailed
            | Stage::Delivered
            | Stage::Returning
            | Stage::Returned
            | Stage::Lost
                if self.tracking.as_ref() == Some(tracking) =>
            {
                Ok(vec![])
            }
            Stage::HandedOver
            | Stage::InTransit
            | Stage::OutForDelivery
            | Stage::AttemptFailed
            | Stage::Delivered
            | Stage::Returning
            | Stage::Returned
            | Stage::Lost => Err(Rejection::OtherTracking),
        }
    }

    fn hear(&self, heard: &Heard) -> Decision {
        match self.status {
            Stage::Prepared | Stage::Packed => return Err(Rejection::NotHandedOver),
            Stage::Cancelled => return Err(Rejection::Cancelled),
            // A report about a finished shipment has no effect.
            Stage::Delivered | Stage::Returned => return Ok(vec![]),
            Stage::Returning if !matches!(heard.status, News::Delivered | News::Lost) => return Ok(vec![]),
            Stage::Lost if heard.status != News::Delivered => return Ok(vec![]),
            Stage::HandedOver
            | Stage::InTransit
            | Stage::OutForDelivery
            | Stage::AttemptFailed
            | Stage::Returning
            | Stage::Lost => {}
        }
        let last = self.news.last();
        let known = self.news.iter().any(|known| known.status == heard.status && known.at == heard.at);
        let older = last.is_some_and(|last| heard.at < last.at);
        // A delivery is final, however late it is reported.
        if known || older && heard.status != News::Delivered || self.news.len() >= NEWS_MAX && !heard.status.is_final()
        {
            return Ok(vec![]);
        }
        if last.is_some_and(|last| last.status == heard.status && last.place == heard.place)
            && heard.status != News::AttemptFailed
        {
            return Ok(vec![]);
        }
        let Heard { status, at, place, reason } = heard.clone();
        Ok(vec![match status {
            News::InTransit | News::OutForDelivery => Event::Moved { order: self.order, status, at, place },
            News::AttemptFailed => Event::AttemptFailed { order: self.order, at, reason },
            News::Delivered => Event::Delivered { order: self.order, at },
            News::ReturningToSender => Event::ReturningToSender { order: self.order, at, reason },
            News::Lost => Event::Lost { order: self.order, at, reason },
        }])
    }

    fn take_back(&self) -> Decision {
        match self.status {
            Stage::HandedOver
            | Stage::InTransit
            | Stage::OutForDelivery
            | Stage::AttemptFailed
            | Stage::Returning
            | Stage::Lost => Ok(vec![Event::ReturnedToSender { order: self.order }]),
            Stage::Returned => Ok(vec![]),
            Stage::Delivered => Err(Rejection::Delivered),
            Stage::Cancelled => Err(Rejection::Cancelled),
            Stage::Prepared | Stage::Packed => Err(Rejection::NotHandedOver),
        }
    }

    fn wait(&self, check_at: DateTime<Utc>) -> Vec<Event> {
        if self.travels() { vec![Event::Waited { check_at }] } else { vec![] }
    }

    fn note(&mut self, heard: Heard) {
        self.status = match heard.status {
            News::InTransit => Stage::InTransit,
            News::OutForDelivery => Stage::OutForDelivery,
            News::AttemptFailed => Stage::AttemptFailed,
            News::Delivered => Stage::Delivered,
            News::ReturningToSender => Stage::Returning,
            News::Lost => Stage::Lost,
        };
        self.news.push(heard);
    }
}

#[cfg(test)]
mod tests;
