//! Where payouts go.

use serde::{Deserialize, Serialize};

use super::rejections::Rejection;
use crate::text::{Email, Holder, Iban};

/// How a payout reaches its destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// A SEPA credit transfer, which the bank of the house carries out.
    Sepa,
    /// PayPal Payouts.
    Paypal,
}

impl Means {
    /// The name in queries and texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sepa => "sepa",
            Self::Paypal => "paypal",
        }
    }
}

/// Where the payouts of a seller go. It is personal data: events and states have it sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PayoutDestination))]
pub enum Destination {
    /// A bank account in SEPA.
    Iban {
        /// The IBAN.
        iban: Iban,
        /// The name of its holder.
        holder: Holder,
    },
    /// An account at PayPal.
    Paypal {
        /// The e-mail address of the account.
        email: Email,
    },
}

impl Destination {
    /// How payouts reach it.
    pub fn means(&self) -> Means {
        match self {
            Self::Iban { .. } => Means::Sepa,
            Self::Paypal { .. } => Means::Paypal,
        }
    }

    /// Refuses bank accounts that a SEPA credit transfer does not reach.
    pub fn ensure_reachable(&self) -> Result<(), Rejection> {
        match self {
            Self::Iban { iban, .. } if !iban.is_in_sepa() => Err(Rejection::NotInSepa),
            Self::Iban { .. } | Self::Paypal { .. } => Ok(()),
        }
    }
}
