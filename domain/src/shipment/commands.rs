//! What a shipment can be asked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::events::{Carrier, News};
use crate::ids::OrderId;
use crate::quantity::Demand;
use crate::text::{Link, Name, Reason, Reference};

/// What a shipment can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Put goods together.
    Prepare {
        /// The order.
        order: OrderId,
        /// The pieces, summed per variant.
        lines: Vec<Demand>,
        /// The carrier.
        carrier: Carrier,
    },
    /// Close and label it.
    Pack {
        /// The weight in grams.
        weight_g: Option<u32>,
    },
    /// Give it up before it goes anywhere.
    Cancel {},
    /// Note that the carrier has it.
    HandOver {
        /// The tracking number.
        tracking: Reference,
        /// The page where it can be tracked, if known.
        tracking_url: Option<Link>,
    },
    /// Note what the carrier says.
    Hear {
        /// What.
        news: News,
        /// When it was so, if not now.
        at: Option<DateTime<Utc>>,
        /// The place.
        place: Option<Name>,
        /// The reason.
        reason: Option<Reason>,
    },
    /// Note that it is here again.
    TakeBack {},
    /// Note that the carrier has nothing new to say.
    Wait {
        /// When to ask the carrier again.
        check_at: DateTime<Utc>,
    },
}
