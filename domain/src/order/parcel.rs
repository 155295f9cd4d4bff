//! A parcel of an order, as far as the order needs to know it.

use serde::{Deserialize, Serialize};

use crate::quantity::Demand;

/// A parcel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parcel {
    /// The contents, summed per variant.
    pub lines: Vec<Demand>,
    /// The stage.
    pub stage: ParcelStage,
    /// Further contents: pieces that were lost, replaced or cancelled, and then found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Demand>,
}

impl Parcel {
    pub(super) fn prepared(lines: &[Demand]) -> Self {
        Self { lines: lines.to_vec(), stage: ParcelStage::Prepared, extra: vec![] }
    }
}

/// The stage of a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParcelStage {
    /// In the shop, packed.
    Prepared,
    /// Cancelled before it was handed over.
    Dropped,
    /// Handed over to the carrier.
    HandedOver,
    /// Delivered.
    Delivered,
    /// Back in the shop.
    Returned,
    /// Lost in transit.
    Lost,
}

/// The pieces of a lost parcel that was found: those that are still wanted, and those that are not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The pieces that were neither replaced nor cancelled in the meantime.
    pub lines: Vec<Demand>,
    /// The other pieces.
    pub extra: Vec<Demand>,
}

impl ParcelStage {
    /// Whether its contents have left the shop.
    pub fn is_gone(self) -> bool {
        match self {
            Self::HandedOver | Self::Delivered => true,
            Self::Prepared | Self::Dropped | Self::Returned | Self::Lost => false,
        }
    }

    /// Whether it is packed or in transit, so that more reports are expected.
    pub(super) fn is_under_way(self) -> bool {
        match self {
            Self::Prepared | Self::HandedOver => true,
            Self::Dropped | Self::Delivered | Self::Returned | Self::Lost => false,
        }
    }

    /// Whether its contents can be put in another parcel.
    pub fn is_empty(self) -> bool {
        match self {
            Self::Dropped | Self::Returned | Self::Lost => true,
            Self::Prepared | Self::HandedOver | Self::Delivered => false,
        }
    }
}
