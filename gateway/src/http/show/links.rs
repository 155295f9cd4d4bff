//! How the signed links of an order look from outside.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// Signed links to the printable papers of an order. They need no token, and expire.
#[derive(Serialize, ToSchema)]
pub struct Papers {
    /// The invoice (pro forma before payment); null if the order was cancelled before payment.
    #[schema(example = "/v1/orders/ord_01h455vb4pex5vsknk084sn02q/invoice?until=1797777000&seal=…")]
    pub invoice: Option<String>,
    /// The credit notes; null if there are none.
    pub credit_notes: Option<String>,
    /// The packing list; staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub packing_list: Option<String>,
    /// When the links expire.
    pub expires_at: DateTime<Utc>,
}

/// Links to an order that open without a header, for browsers.
#[derive(Serialize, ToSchema)]
pub struct Links {
    /// The changes of the order as they happen, for `new EventSource(…)`.
    #[schema(example = "/v1/orders/ord_01h455vb4pex5vsknk084sn02q/stream?until=1797777000&seal=…")]
    pub stream: String,
    /// When they expire; read the order again to get new ones.
    pub expires_at: DateTime<Utc>,
}
