//! What PayPal says: the parts of its objects that the shop reads (Orders v2, Payments v2).

use byteshop_domain::Currency;
use byteshop_domain::money::Money;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::amount;

/// An order.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Order {
    pub id: String,
    pub status: OrderStatus,
    #[serde(default)]
    pub intent: Option<Intent>,
    #[serde(default)]
    pub create_time: Option<DateTime<Utc>>,
    #[serde(default)]
    pub purchase_units: Vec<Unit>,
    #[serde(default)]
    pub links: Vec<Link>,
}

/// The status of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum OrderStatus {
    Created,
    Saved,
    Approved,
    Voided,
    Completed,
    PayerActionRequired,
    /// One that this program does not know.
    #[serde(other)]
    Unknown,
}

/// What happens with an approved order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Intent {
    Capture,
    Authorize,
}

/// A link of an object.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Link {
    pub href: String,
    pub rel: String,
}

/// What an order sells; the orders of the shop have one each.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Unit {
    #[serde(default)]
    pub amount: Option<Amount>,
    #[serde(default)]
    pub custom_id: Option<String>,
    #[serde(default)]
    pub invoice_id: Option<String>,
    #[serde(default)]
    pub payee: Option<Payee>,
    #[serde(default)]
    pub payments: Payments,
}

/// Who gets the money.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Payee {
    #[serde(default)]
    pub merchant_id: Option<String>,
}

/// The money that moved for an order.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Payments {
    #[serde(default)]
    pub authorizations: Vec<Authorization>,
    #[serde(default)]
    pub captures: Vec<Capture>,
    #[serde(default)]
    pub refunds: Vec<Refund>,
}

/// An amount.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Amount {
    pub currency_code: String,
    pub value: String,
}

impl Amount {
    /// In minor units; none if it is no amount.
    pub fn money(&self) -> Option<Money> {
        amount::read(&self.value, &self.currency_code)
    }
}

/// An authorized payment.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Authorization {
    pub id: String,
    pub status: AuthorizationStatus,
    #[serde(default)]
    pub amount: Option<Amount>,
}

/// The status of an authorized payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum AuthorizationStatus {
    Created,
    Captured,
    Denied,
    PartiallyCaptured,
    Voided,
    Pending,
    /// One that this program does not know, such as that it has expired.
    #[serde(other)]
    Unknown,
}

/// A captured payment.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Capture {
    pub id: String,
    pub status: CaptureStatus,
    #[serde(default)]
    pub amount: Option<Amount>,
    #[serde(default, rename = "seller_receivable_breakdown")]
    pub breakdown: Breakdown,
}

/// The status of a captured payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum CaptureStatus {
    Completed,
    PartiallyRefunded,
    Refunded,
    Pending,
    Declined,
    Failed,
    /// One that this program does not know.
    #[serde(other)]
    Unknown,
}

/// A refund.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Refund {
    #[serde(default)]
    pub id: String,
    pub status: RefundStatus,
    #[serde(default)]
    pub amount: Option<Amount>,
    #[serde(default, rename = "seller_payable_breakdown")]
    pub breakdown: Breakdown,
    #[serde(default)]
    pub invoice_id: Option<String>,
}

/// What is in an amount.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Breakdown {
    /// What PayPal keeps of a capture, or gives back of that with a refund.
    #[serde(default)]
    pub paypal_fee: Option<Amount>,
    /// What the house gets of a capture that is paid to a seller, or gives back of that with a refund.
    #[serde(default)]
    pub platform_fees: Vec<PlatformFee>,
}

impl Breakdown {
    /// What the house gets, or gives back; none if an amount cannot be read.
    pub fn platform_fee(&self, currency: Currency) -> Option<Money> {
        let amounts = self.platform_fees.iter().map(|fee| fee.amount.money().filter(|it| it.currency == currency));
        amounts.into_iter().try_fold(Money::zero(currency), |sum, amount| sum.plus(amount?).ok())
    }
}

/// A fee of the house.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PlatformFee {
    pub amount: Amount,
}

/// The status of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum RefundStatus {
    Completed,
    Pending,
    Failed,
    Cancelled,
    /// One that this program does not know.
    #[serde(other)]
    Unknown,
}

/// An access token.
#[derive(Deserialize)]
pub(super) struct Token {
    pub access_token: String,
    pub expires_in: i64,
}

/// Why PayPal refuses a request.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Problem {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub debug_id: String,
    #[serde(default)]
    pub details: Vec<Detail>,
    #[serde(default)]
    pub links: Vec<Link>,
}

/// A part of the reason.
#[derive(Debug, Deserialize)]
pub(super) struct Detail {
    #[serde(default)]
    pub issue: String,
}
