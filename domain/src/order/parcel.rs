//! A parcel of an order, as far as the order has to know.

use serde::Serialize;

use crate::quantity::Demand;

/// A parcel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parcel {
    /// The contents, summed per variant.
    pub lines: Vec<Demand>,
    /// Where it is.
    pub stage: ParcelStage,
    /// What else is in it: it was lost, replaced or called off, and found then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Demand>,
}

impl Parcel {
    pub(super) fn prepared(lines: &[Demand]) -> Self {
        Self { lines: lines.to_vec(), stage: ParcelStage::Prepared, extra: vec![] }
    }
}

/// Where a parcel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ParcelStage {
    /// Here, packed.
    Prepared,
    /// Here, unpacked again.
    Dropped,
    /// On its way.
    HandedOver,
    /// There.
    Delivered,
    /// Here again.
    Returned,
    /// Nowhere to be found.
    Lost,
}

/// What of a lost parcel that was found is still wanted, and what is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// What was neither replaced nor called off meanwhile.
    pub lines: Vec<Demand>,
    /// The rest.
    pub extra: Vec<Demand>,
}

impl ParcelStage {
    /// Whether what is in it left us.
    pub fn is_gone(self) -> bool {
        match self {
            Self::HandedOver | Self::Delivered => true,
            Self::Prepared | Self::Dropped | Self::Returned | Self::Lost => false,
        }
    }

    /// Whether it is packed or on its way, so that there is more to hear of it.
    pub(super) fn is_under_way(self) -> bool {
        match self {
            Self::Prepared | Self::HandedOver => true,
            Self::Dropped | Self::Delivered | Self::Returned | Self::Lost => false,
        }
    }

    /// Whether what is in it can be put into another one.
    pub fn is_empty(self) -> bool {
        match self {
            Self::Dropped | Self::Returned | Self::Lost => true,
            Self::Prepared | Self::HandedOver | Self::Delivered => false,
        }
    }
}
