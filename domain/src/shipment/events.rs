//! What happens to a shipment.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::OrderId;
use crate::quantity::Demand;
use crate::text::{Link, Name, Reason, Reference};

/// Who carries a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "an object with a `kind`, `simulated` or `other`"
)]
pub enum Carrier {
    /// The simulated one, which tells by itself how far it is.
    Simulated {
        /// Which story it plays; `delivered` when nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        story: Option<Name>,
    },
    /// Any other; staff or its own program says how far it is.
    Other {
        /// What it is called.
        name: Name,
    },
}

/// What a carrier says of a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// It travels.
    InTransit,
    /// It is in the van.
    OutForDelivery,
    /// Nobody was there, or the address is wrong.
    AttemptFailed,
    /// It is there.
    Delivered,
    /// It goes back to the sender.
    ReturningToSender,
    /// It is nowhere to be found.
    Lost,
}

impl News {
    /// Whether nothing else is to be expected.
    pub fn is_final(self) -> bool {
        match self {
            Self::Delivered | Self::ReturningToSender | Self::Lost => true,
            Self::InTransit | Self::OutForDelivery | Self::AttemptFailed => false,
        }
    }
}

/// What happened to a shipment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Its goods are put together.
    Prepared {
        /// Of which order it is.
        order: OrderId,
        /// What is in it, summed per variant.
        lines: Vec<Demand>,
        /// Who carries it.
        carrier: Carrier,
    },
    /// It is closed and labelled.
    Packed {
        /// What it weighs, in grams.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weight_g: Option<u32>,
    },
    /// It goes nowhere.
    Cancelled {
        /// Of which order it was.
        order: OrderId,
    },
    /// The carrier has it.
    HandedOver {
        /// Of which order it is.
        order: OrderId,
        /// Who.
        carrier: Carrier,
        /// What the carrier calls it.
        tracking: Reference,
        /// The page where it can be tracked, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tracking_url: Option<Link>,
        /// When.
        at: DateTime<Utc>,
    },
    /// It gets closer.
    Moved {
        /// Of which order it is.
        order: OrderId,
        /// How close.
        status: News,
        /// When.
        at: DateTime<Utc>,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<Name>,
    },
    /// It could not be given to anybody.
    AttemptFailed {
        /// Of which order it is.
        order: OrderId,
        /// When.
        at: DateTime<Utc>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// It is there.
    Delivered {
        /// Of which order it is.
        order: OrderId,
        /// When.
        at: DateTime<Utc>,
    },
    /// It goes back to us.
    ReturningToSender {
        /// Of which order it is.
        order: OrderId,
        /// When it turned.
        at: DateTime<Utc>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// It is here again.
    ReturnedToSender {
        /// Of which order it is.
        order: OrderId,
    },
    /// It is nowhere to be found.
    Lost {
        /// Of which order it is.
        order: OrderId,
        /// When that was said.
        at: DateTime<Utc>,
        /// What the carrier says of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The carrier has nothing new to say.
    Waited {
        /// When to ask again.
        check_at: DateTime<Utc>,
    },
}

impl crate::Event for Event {}
