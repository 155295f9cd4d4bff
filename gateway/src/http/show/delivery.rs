//! How shipments and returns look from outside.

use byteshop_domain::cart::LINES_MAX;
use byteshop_domain::ids::{CreditNoteId, OrderId, RefundId, ReturnId, ShipmentId, VariantId};
use byteshop_domain::money::Money;
use byteshop_domain::openapi::only;
use byteshop_domain::quantity::{Demand, Quantity};
use byteshop_domain::returns::{self, Requested};
use byteshop_domain::shipment::{self, Prepared};
use byteshop_domain::text::{Comment, Link, Name, Reason, Reference};
use byteshop_domain::{Bounded, Personal};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A quantity of a variant.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineQuantity {
    /// The variant.
    pub variant: VariantId,
    /// How many pieces of it.
    #[schema(default = json!({"x-schema": {"example": 1}}))]
    pub quantity: Quantity,
}

/// Quantities in a request: as many as a cart has lines.
pub type LineQuantities = Bounded<Vec<LineQuantity>, LINES_MAX>;

impl From<&Demand> for LineQuantity {
    fn from(it: &Demand) -> Self {
        Self { variant: it.variant, quantity: it.quantity }
    }
}

impl From<&LineQuantity> for Demand {
    fn from(it: &LineQuantity) -> Self {
        Self { variant: it.variant, quantity: it.quantity }
    }
}

/// A shipment of an order.
#[derive(Serialize, ToSchema)]
pub struct Shipment<'a> {
    id: ShipmentId,
    order: OrderId,
    /// The state of the shipment.
    status: shipment::Stage,
    lines: Vec<LineQuantity>,
    carrier: Carrier<'a>,
    /// In grams.
    weight_g: Option<u32>,
    /// The tracking number.
    tracking: Option<&'a Reference>,
    /// The page of the carrier where the shipment can be followed, if it is known.
    tracking_url: Option<&'a Link>,
    handed_over_at: Option<DateTime<Utc>>,
    delivered_at: Option<DateTime<Utc>>,
    /// Status reports of the carrier, oldest first.
    news: Vec<News<'a>>,
    /// Links to its printable papers, for staff who reads it; null otherwise.
    papers: Option<ShipmentPapers>,
}

/// Links to the papers of a parcel. They open without a token, until they expire.
#[derive(Serialize, ToSchema)]
pub struct ShipmentPapers {
    /// Its label.
    #[schema(example = "/v1/shipments/shp_01h455vb4pex5vsknk084sn02q/label?until=1797777000&seal=…")]
    pub label: String,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

/// The kind of a carrier.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum CarrierKind {
    Simulated,
    Other,
}

/// The carrier of a shipment.
#[derive(Serialize, ToSchema)]
pub struct Carrier<'a> {
    kind: CarrierKind,
    /// The name of a carrier of the kind `other`; null otherwise.
    #[schema(default = json!({"x-schema": {"example": "DHL"}}))]
    name: Option<&'a Name>,
    /// What the `simulated` carrier plays, if that was chosen; null otherwise.
    #[schema(default = stories)]
    story: Option<&'a Name>,
}

fn stories() -> Value {
    only(&shipment::STORIES)
}

impl<'a> From<&'a shipment::Carrier> for Carrier<'a> {
    fn from(it: &'a shipment::Carrier) -> Self {
        match it {
            shipment::Carrier::Simulated { story } => {
                Self { kind: CarrierKind::Simulated, name: None, story: story.as_ref() }
            }
            shipment::Carrier::Other { name } => Self { kind: CarrierKind::Other, name: Some(name), story: None },
        }
    }
}

/// A status report of a carrier.
#[derive(Serialize, ToSchema)]
pub struct News<'a> {
    /// The status that the carrier reports.
    status: shipment::News,
    at: DateTime<Utc>,
    place: Option<&'a Name>,
    reason: Option<&'a Reason>,
}

/// All shipments of an order.
#[derive(Serialize, ToSchema)]
pub struct Shipments<'a> {
    /// The shipments, oldest first.
    pub items: Vec<Shipment<'a>>,
}

impl<'a> Shipment<'a> {
    /// A parcel as it is.
    pub fn of(id: ShipmentId, it: &'a Prepared) -> Self {
        let news = it.news.iter().map(|heard| News {
            status: heard.status,
            at: heard.at,
            place: heard.place.as_ref(),
            reason: heard.reason.as_ref(),
        });
        Self {
            id,
            order: it.order,
            status: it.status,
            lines: it.lines.iter().map(LineQuantity::from).collect(),
            carrier: Carrier::from(&it.carrier),
            weight_g: it.weight_g,
            tracking: it.tracking.as_ref(),
            tracking_url: it.tracking_url.as_ref(),
            handed_over_at: it.handed_over_at,
            delivered_at: it.delivered_at,
            news: news.collect(),
            papers: None,
        }
    }

    /// With the way to its papers.
    pub fn with_papers(self, papers: ShipmentPapers) -> Self {
        Self { papers: Some(papers), ..self }
    }
}

/// A request to return goods.
#[derive(Serialize, ToSchema)]
pub struct Return<'a> {
    id: ReturnId,
    order: OrderId,
    /// The state of the return.
    status: returns::Stage,
    lines: Vec<LineQuantity>,
    /// Why the goods are returned.
    reason: returns::Why,
    /// The buyer's comment.
    comment: Option<&'a Personal<Comment>>,
    /// Why it was rejected; null if it was not.
    reject_reason: Option<&'a Reason>,
    /// The returned goods.
    received: &'a [returns::Received],
    /// The amount refunded; null until the goods are received.
    amount: Option<Money>,
    /// The refund; null until the goods are received, and if there is nothing to refund.
    refund: Option<RefundId>,
    /// Null until the goods are received.
    credit_note: Option<CreditNoteId>,
}

/// All returns of an order.
#[derive(Serialize, ToSchema)]
pub struct Returns<'a> {
    /// The returns, oldest first.
    pub items: Vec<Return<'a>>,
}

impl<'a> Return<'a> {
    /// A return as it is.
    pub fn of(id: ReturnId, it: &'a Requested) -> Self {
        let arrival = it.progress.arrival();
        Self {
            id,
            order: it.order,
            status: it.progress.stage(),
            lines: it.lines.iter().map(LineQuantity::from).collect(),
            reason: it.why,
            comment: it.comment.as_ref(),
            reject_reason: it.progress.reject_reason(),
            received: arrival.map(|it| it.lines.as_slice()).unwrap_or_default(),
            amount: arrival.map(|it| it.amount),
            refund: arrival.and_then(|it| it.refund),
            credit_note: arrival.map(|it| it.credit_note),
        }
    }
}
