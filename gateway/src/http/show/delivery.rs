//! How shipments and returns look from outside.

use byteshop_domain::Personal;
use byteshop_domain::ids::{CreditNoteId, OrderId, RefundId, ReturnId, ShipmentId, VariantId};
use byteshop_domain::money::Money as Amount;
use byteshop_domain::quantity::{Demand, Quantity};
use byteshop_domain::returns::{self, Requested};
use byteshop_domain::shipment::{self, Prepared};
use byteshop_domain::text::{Comment, Link, Name, Reason, Reference};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::Money;
use super::names;
use crate::http::openapi::max;

/// A quantity of a variant.
#[derive(Serialize, ToSchema)]
pub struct Pieces {
    #[schema(value_type = String, example = "var_01h455vb4pex5vsknk084sn02q")]
    variant: VariantId,
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000)]
    quantity: Quantity,
}

impl From<&Demand> for Pieces {
    fn from(it: &Demand) -> Self {
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
    lines: Vec<Pieces>,
    #[schema(value_type = Carrier)]
    carrier: &'a shipment::Carrier,
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
    /// Where its papers are; for staff who asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    papers: Option<ShipmentPapers>,
}

/// Links to the papers of a parcel. They open without a token for whoever has them, until they expire.
#[derive(Serialize, ToSchema)]
pub struct ShipmentPapers {
    /// Its label.
    #[schema(example = "/v1/shipments/shp_01h455vb4pex5vsknk084sn02q/label?until=1797777000&seal=…")]
    pub label: String,
    /// Until when it opens.
    pub expires_at: DateTime<Utc>,
}

/// The carrier of a shipment.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Carrier {
    kind: names::CarrierKind,
    /// The name of a carrier of the kind `other`.
    #[schema(default = max::<Name>)]
    name: Option<String>,
    /// The simulated story: `delivered`, `attempt_failed`, `returned`, `lost`, `found` or `silent`.
    #[schema(default = max::<Name>)]
    story: Option<String>,
}

/// A status report of a carrier.
#[derive(Serialize, ToSchema)]
pub struct News<'a> {
    /// What the carrier reports.
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
            lines: it.lines.iter().map(Pieces::from).collect(),
            carrier: &it.carrier,
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
    lines: Vec<Pieces>,
    /// Why the goods are returned.
    #[schema(value_type = names::ReturnReason)]
    reason: returns::Why,
    /// The buyer's comment.
    #[schema(value_type = Option<String>, required = true)]
    comment: Option<&'a Personal<Comment>>,
    /// Why it cannot be shipped, if so.
    #[schema(value_type = Option<String>, required = true)]
    rejected: Option<&'a Reason>,
    /// The returned goods.
    #[schema(value_type = Vec<Received>)]
    received: &'a [returns::Received],
    /// The refund for it.
    #[schema(value_type = Option<Money>, required = true)]
    amount: Option<Amount>,
    /// The refund.
    #[schema(value_type = Option<String>, required = true)]
    refund: Option<RefundId>,
    #[schema(value_type = Option<String>, required = true)]
    credit_note: Option<CreditNoteId>,
}

/// Returned goods of a variant.
#[derive(ToSchema)]
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
            lines: it.lines.iter().map(Pieces::from).collect(),
            reason: it.why,
            comment: it.comment.as_ref(),
            rejected: it.rejected.as_ref(),
            received: &it.received,
            amount: it.amount,
            refund: it.refund,
            credit_note: it.credit_note,
        }
    }
}
