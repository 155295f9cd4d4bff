//! The commands of a shipment.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::events::{Carrier, News};
use crate::ids::OrderId;
use crate::quantity::Demand;
use crate::text::{Link, Name, Reason, Reference};

/// The commands of a shipment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Prepare the parcel.
    Prepare {
        /// The order.
        order: OrderId,
        /// The pieces, summed per variant.
        lines: Vec<Demand>,
        /// The carrier.
        carrier: Carrier,
    },
    /// Pack and label the parcel.
    Pack {
        /// The weight in grams.
        weight_g: Option<u32>,
    },
    /// Cancel the parcel before it is handed over.
    Cancel {},
    /// Record that the parcel was handed over to the carrier.
    HandOver {
        /// The tracking number.
        tracking: Reference,
        /// The page where it can be tracked, if known.
        tracking_url: Option<Link>,
    },
    /// Record a report of the carrier.
    Hear {
        /// The reported status.
        news: News,
        /// The time of it, if not now.
        at: Option<DateTime<Utc>>,
        /// The place.
        place: Option<Name>,
        /// The reason.
        reason: Option<Reason>,
    },
    /// Record that the parcel is back in the shop.
    TakeBack {},
    /// Record that the carrier has nothing new to report.
    Wait {
        /// When to ask the carrier again.
        check_at: DateTime<Utc>,
    },
}
