//! How a payment is made: by a provider, or by what a buyer was told.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::payment_book::ManualKind;
use crate::payment_provider::Provider;
use crate::text::{Instructions, Reference, Slug, Title};

/// How the payment is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The emulated provider.
    Test,
    /// PayPal.
    Paypal,
    /// Outside this shop, before the order was imported.
    External,
    /// Without a payment: the amount is zero.
    Free,
    /// By bank transfer; staff recorded the receipt.
    BankTransfer,
    /// Elsewhere, such as at the counter or by invoice; staff recorded the receipt.
    Elsewhere,
    /// By gift cards and store credit alone.
    StoredValue,
    /// On delivery; staff recorded the receipt.
    CashOnDelivery,
}

impl Method {
    /// Whether a payment provider carries it out.
    pub fn is_at_provider(self) -> bool {
        match self {
            Self::Test | Self::Paypal => true,
            Self::External
            | Self::Free
            | Self::BankTransfer
            | Self::Elsewhere
            | Self::StoredValue
            | Self::CashOnDelivery => false,
        }
    }

    /// Whether staff records the money, and its refunds.
    pub fn is_manual(self) -> bool {
        match self {
            Self::BankTransfer | Self::Elsewhere | Self::CashOnDelivery => true,
            Self::Test | Self::Paypal | Self::External | Self::Free | Self::StoredValue => false,
        }
    }
}

impl From<Provider> for Method {
    fn from(provider: Provider) -> Self {
        match provider {
            Provider::Test => Self::Test,
            Provider::Paypal => Self::Paypal,
        }
    }
}

impl From<ManualKind> for Method {
    fn from(kind: ManualKind) -> Self {
        match kind {
            ManualKind::BankTransfer => Self::BankTransfer,
            ManualKind::Elsewhere => Self::Elsewhere,
            ManualKind::CashOnDelivery => Self::CashOnDelivery,
        }
    }
}

/// What a buyer was told when they chose a method that staff settles by hand: later changes of the method do not affect it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The slug of the method.
    pub method: Slug,
    /// How the money reaches the shop.
    pub kind: ManualKind,
    /// The title of the method.
    pub title: Title,
    /// What the buyer has to do.
    pub instructions: Instructions,
    /// The amount to pay.
    pub amount: Money,
    /// The reference that the buyer quotes: the order number.
    pub reference: Reference,
    /// Until when the order can be paid; absent if it does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_by: Option<DateTime<Utc>>,
}

/// When an authorized payment is captured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMode {
    /// At once.
    #[default]
    Automatic,
    /// When staff requests it, or when the first parcel is handed over.
    Manual,
}

impl CaptureMode {
    /// Whether it is the usual one, which is not written down.
    pub fn is_automatic(&self) -> bool {
        *self == Self::Automatic
    }
}
