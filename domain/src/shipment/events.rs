//! The events of a shipment.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::OrderId;
use crate::quantity::Demand;
use crate::text::{Link, Name, Reason, Reference};

/// The courses of events that the simulated carrier plays.
pub const STORIES: [&str; 6] = ["delivered", "attempt_failed", "returned", "lost", "found", "silent"];

/// The carrier of a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(as = NewCarrier, example = json!({"kind": "other", "name": "DHL"}))
)]
#[serde(
    tag = "kind",
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "an object with a `kind`, `simulated` or `other`"
)]
pub enum Carrier {
    /// The emulated carrier, which reports by itself.
    Simulated {
        /// The course of events that it plays; `delivered` if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(default = stories))]
        story: Option<Name>,
    },
    /// Any other carrier; staff, or the carrier's own program, reports for it.
    Other {
        /// The name.
        name: Name,
    },
}

#[cfg(feature = "openapi")]
fn stories() -> serde_json::Value {
    crate::openapi::only(&STORIES)
}

/// What a carrier reports about a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// It is in transit.
    InTransit,
    /// It is out for delivery.
    OutForDelivery,
    /// A delivery was attempted and failed: no one was there, or the address is wrong.
    AttemptFailed,
    /// It was delivered.
    Delivered,
    /// It is on its way back to the sender.
    ReturningToSender,
    /// It is lost.
    Lost,
}

impl News {
    /// Whether no other report is expected after this one.
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
    /// The parcel was prepared for an order.
    Prepared {
        /// The order.
        order: OrderId,
        /// The contents, summed per variant.
        lines: Vec<Demand>,
        /// The carrier.
        carrier: Carrier,
    },
    /// The parcel was packed and labelled.
    Packed {
        /// The weight in grams.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weight_g: Option<u32>,
    },
    /// The parcel was cancelled before it was handed over.
    Cancelled {
        /// The order.
        order: OrderId,
    },
    /// The parcel was handed over to the carrier.
    HandedOver {
        /// The order.
        order: OrderId,
        /// The carrier.
        carrier: Carrier,
        /// The tracking number.
        tracking: Reference,
        /// The page where it can be tracked, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tracking_url: Option<Link>,
        /// The time.
        at: DateTime<Utc>,
    },
    /// The parcel made progress.
    Moved {
        /// The order.
        order: OrderId,
        /// The new status.
        status: News,
        /// The time.
        at: DateTime<Utc>,
        /// The place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<Name>,
    },
    /// A delivery was attempted and failed.
    AttemptFailed {
        /// The order.
        order: OrderId,
        /// The time.
        at: DateTime<Utc>,
        /// The reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The parcel was delivered.
    Delivered {
        /// The order.
        order: OrderId,
        /// The time.
        at: DateTime<Utc>,
    },
    /// The parcel is on its way back to the shop.
    ReturningToSender {
        /// The order.
        order: OrderId,
        /// When it was sent back.
        at: DateTime<Utc>,
        /// The reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The parcel is back in the shop.
    ReturnedToSender {
        /// The order.
        order: OrderId,
    },
    /// The parcel was lost in transit.
    Lost {
        /// The order.
        order: OrderId,
        /// When the carrier reported it.
        at: DateTime<Utc>,
        /// The carrier's explanation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The carrier had nothing new to report.
    Waited {
        /// When to ask the carrier again.
        check_at: DateTime<Utc>,
    },
}

impl crate::Event for Event {}
