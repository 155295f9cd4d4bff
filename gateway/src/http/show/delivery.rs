//! How shipments and returns look from outside.

use byteshop_domain::cart::LINES_MAX;
use byteshop_domain::ids::{CreditNoteId, OrderId, RefundId, ReturnId, ShipmentId, VariantId};
use byteshop_domain::money::Money as Amount;
use byteshop_domain::quantity::{Demand, Quantity};
use byteshop_domain::returns::{self, Requested};
use byteshop_domain::shipment::{self, Prepared};
use byteshop_domain::text::{Comment, Link, Name, Reason, Reference};
use byteshop_domain::{Bounded, Personal};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Money;
use super::names;
use crate::http::openapi::max;

/// A quantity of a variant.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineQuantity {
    /// The variant.
    #[schema(value_type = String, example = "var_01h455vb4pex5vsknk084sn02q")]
    pub variant: VariantId,
    /// How many pieces of it.
    #[schema(value_type = i64, example = 1, minimum = 1, maximum = 1_000_000)]
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
    #[schema(value_type = String, example = "shp_01h455vb4pex5vsknk084sn02q")]
    id: ShipmentId,
    #[schema(value_type = String)]
    order: OrderId,
    /// The state of the shipment.
    #[schema(value_type = names::ShipmentStatus, example = "in_transit")]
    status: shipment::Stage,
    lines: Vec<LineQuantity>,
    carrier: Carrier<'a>,
    /// In grams.
    #[schema(required = true)]
    weight_g: Option<u32>,
    /// The tracking number.
    #[schema(value_type = Option<String>, required = true)]
    tracking: Option<&'a Reference>,
    /// The page of the carrier where the shipment can be followed, if it is known.
    #[schema(value_type = Option<String>, required = true)]
    tracking_url: Option<&'a Link>,
    #[schema(required = true)]
    handed_over_at: Option<DateTime<Utc>>,
    #[schema(required = true)]
    delivered_at: Option<DateTime<Utc>>,
    /// Status reports of the carrier, oldest first.
    news: Vec<News<'a>>,
    /// Links to its printable papers, for staff who reads it; null otherwise.
    #[schema(required = true)]
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

/// The carrier of a shipment.
#[derive(Serialize, ToSchema)]
pub struct Carrier<'a> {
    #[schema(value_type = names::CarrierKind, example = "other")]
    kind: &'static str,
    /// The name of a carrier of the kind `other`; null otherwise.
    #[schema(value_type = Option<String>, example = "DHL", required = true)]
    name: Option<&'a Name>,
    /// What the `simulated` carrier plays, if that was chosen; null otherwise.
    #[schema(value_type = Option<names::CarrierStory>, required = true)]
    story: Option<&'a Name>,
}

impl<'a> From<&'a shipment::Carrier> for Carrier<'a> {
    fn from(it: &'a shipment::Carrier) -> Self {
        match it {
            shipment::Carrier::Simulated { story } => Self { kind: "simulated", name: None, story: story.as_ref() },
            shipment::Carrier::Other { name } => Self { kind: "other", name: Some(name), story: None },
        }
    }
}

/// The carrier of a new shipment.
#[derive(ToSchema)]
#[schema(example = json!({"kind": "other", "name": "DHL"}))]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct NewCarrier {
    kind: names::CarrierKind,
    /// The name of a carrier of the kind `other`.
    #[schema(default = max::<Name>)]
    name: Option<String>,
    /// What the `simulated` carrier plays.
    story: Option<names::CarrierStory>,
}

/// A status report of a carrier.
#[derive(Serialize, ToSchema)]
pub struct News<'a> {
    /// The status that the carrier reports.
    #[schema(value_type = names::TrackingStatus)]
    status: shipment::News,
    at: DateTime<Utc>,
    #[schema(value_type = Option<String>, required = true)]
    place: Option<&'a Name>,
    #[schema(value_type = Option<String>, required = true)]
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
    #[schema(value_type = String, example = "ret_01h455vb4pex5vsknk084sn02q")]
    id: ReturnId,
    #[schema(value_type = String)]
    order: OrderId,
    /// The state of the return.
    #[schema(value_type = names::ReturnStatus, example = "requested")]
    status: returns::Stage,
    lines: Vec<LineQuantity>,
    /// Why the goods are returned.
    #[schema(value_type = names::ReturnReason)]
    reason: returns::Why,
    /// The buyer's comment.
    #[schema(value_type = Option<String>, required = true)]
    comment: Option<&'a Personal<Comment>>,
    /// Why it was rejected; null if it was not.
    #[schema(value_type = Option<String>, required = true)]
    reject_reason: Option<&'a Reason>,
    /// The returned goods.
    #[schema(value_type = Vec<Received>)]
    received: &'a [returns::Received],
    /// The amount refunded; null until the goods are received.
    #[schema(value_type = Option<Money>, required = true)]
    amount: Option<Amount>,
    /// The refund; null until the goods are received, and if there is nothing to refund.
    #[schema(value_type = Option<String>, required = true)]
    refund: Option<RefundId>,
    /// Null until the goods are received.
    #[schema(value_type = Option<String>, required = true)]
    credit_note: Option<CreditNoteId>,
}

/// Returned goods of a variant.
#[derive(ToSchema)]
#[schema(example = json!({"variant": "var_01h455vb4pex5vsknk084sn02q", "quantity": 1, "condition": "new", "restock": true}))]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Received {
    #[schema(example = "var_01h455vb4pex5vsknk084sn02q")]
    variant: String,
    #[schema(minimum = 1, maximum = 1_000_000)]
    quantity: i64,
    /// The condition of the goods.
    #[schema(example = "new")]
    condition: names::GoodsCondition,
    /// Whether it can be sold again.
    restock: bool,
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
        Self {
            id,
            order: it.order,
            status: it.status,
            lines: it.lines.iter().map(LineQuantity::from).collect(),
            reason: it.why,
            comment: it.comment.as_ref(),
            reject_reason: it.rejected.as_ref(),
            received: &it.received,
            amount: it.amount,
            refund: it.refund,
            credit_note: it.credit_note,
        }
    }
}
