//! How orders and payments look from outside.

use byteshop_commands::ports::payment_test::action_path;
use byteshop_domain::ids::{
    AccountId, CartId, CreditNoteId, Id as _, OrderId, PaymentId, ProductId, RefundId, ReturnId, ShipmentId, VariantId,
};
use byteshop_domain::money::{ExactPrice, Money as Amount, Price};
use byteshop_domain::order::{self, Placed};
use byteshop_domain::payment::{self, Opened};
use byteshop_domain::pricing;
use byteshop_domain::quantity::Quantity;
use byteshop_domain::text::{Reference, Sku, Title};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::Money;
use super::cart::{Address, Where};
use super::price::{Discount, LineTax, Shipping};

/// An order.
#[derive(Serialize, ToSchema)]
pub struct Order<'a> {
    #[schema(value_type = String, example = "ord_01h455vb4pex5vsknk084sn02q")]
    id: OrderId,
    /// Its number for people.
    #[schema(value_type = String, example = "7K3Q-X9MW-2FBA")]
    number: order::Number,
    /// All three axes in one word: `new`, `paid`, `fulfilled`, `completed`, `cancelled` or `expired`.
    #[schema(example = "new")]
    stage: &'static str,
    /// `open`, `completed`, `cancelled` or `expired`.
    #[schema(value_type = String, example = "open")]
    status: order::Status,
    /// `awaiting`, `authorized`, `paid`, `partly_refunded`, `refunded`, `refund_due` or `voided`.
    #[schema(value_type = String, example = "awaiting")]
    payment_status: order::PaymentStatus,
    /// `unfulfilled`, `partly_fulfilled`, `fulfilled`, `partly_returned` or `returned`.
    #[schema(value_type = String, example = "unfulfilled")]
    fulfilment: order::Fulfilment,
    /// Why it is off; null while it is not.
    #[schema(value_type = Option<String>)]
    cancelled: Option<order::CancelReason>,
    /// Who bought; null for a guest.
    #[schema(value_type = Option<String>)]
    account: Option<AccountId>,
    #[schema(value_type = Option<String>)]
    cart: Option<CartId>,
    /// Null when the person was forgotten.
    #[schema(value_type = Option<Address>)]
    address: Where<'a>,
    lines: Vec<OrderLine<'a>>,
    /// What the lines cost before discounts.
    #[schema(value_type = Money)]
    subtotal: Amount,
    /// What was taken off, of lines and shipping.
    #[schema(value_type = Money)]
    discount: Amount,
    /// What shipping costs before discounts.
    #[schema(value_type = Money)]
    shipping: Amount,
    /// All tax, whether prices include it or not.
    #[schema(value_type = Money)]
    tax: Amount,
    /// What is to be paid.
    #[schema(value_type = Money)]
    total: Amount,
    /// What is to be paid, or was: the total without what was cancelled before it was paid.
    #[schema(value_type = Money)]
    payable: Amount,
    /// What was taken off, by promotion, in the order it was.
    #[schema(value_type = Vec<Discount>)]
    discounts: &'a [pricing::Discount],
    /// How it is sent; null where that costs nothing and nothing was chosen.
    #[schema(value_type = Option<Shipping>)]
    delivery: Option<&'a pricing::Shipping>,
    /// What was paid back.
    #[schema(value_type = Money)]
    refunded: Amount,
    #[schema(value_type = Vec<String>)]
    credit_notes: &'a [CreditNoteId],
    #[schema(value_type = String)]
    payment: PaymentId,
    #[schema(value_type = Vec<String>)]
    shipments: Vec<ShipmentId>,
    #[schema(value_type = Vec<String>)]
    returns: &'a [ReturnId],
    /// What staff wrote down about it; told to staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Remark>>)]
    notes: Option<&'a [order::Note]>,
    /// When it was placed; told when the order itself is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    placed_at: Option<DateTime<Utc>>,
    /// When it was paid; told when the order itself is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_at: Option<DateTime<Utc>>,
    /// The number of its invoice; null before it is paid for.
    #[schema(value_type = Option<String>, example = "INV-2026-000042")]
    invoice: Option<&'a Reference>,
    /// When it is cancelled unless it is paid for.
    pay_by: Option<DateTime<Utc>>,
    /// Where its papers are; told when the order itself is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    papers: Option<Papers>,
    /// What an older system called it.
    #[schema(value_type = Option<String>)]
    reference: Option<&'a Reference>,
    #[serde(skip)]
    written: &'a [order::Note],
}

/// What staff wrote down about an order.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Remark {
    at: DateTime<Utc>,
    /// The account that wrote it.
    by: Option<String>,
    /// Null when the buyer was forgotten.
    note: Option<String>,
}

/// Links to the papers of an order. They open without a token for whoever has them, until they expire.
#[derive(Serialize, ToSchema)]
pub struct Papers {
    /// The invoice, pro forma before it is paid; null when it never was and is off.
    #[schema(example = "/v1/orders/ord_01h455vb4pex5vsknk084sn02q/invoice?until=1797777000&seal=…")]
    pub invoice: Option<String>,
    /// The credit notes; null when there is none.
    pub credit_notes: Option<String>,
    /// Until when they open.
    pub expires_at: DateTime<Utc>,
}

/// A line of an order.
#[derive(Serialize, ToSchema)]
pub struct OrderLine<'a> {
    #[schema(value_type = String)]
    variant: VariantId,
    #[schema(value_type = String)]
    product: ProductId,
    #[schema(value_type = String)]
    sku: &'a Sku,
    #[schema(value_type = String)]
    title: &'a Title,
    #[schema(value_type = i64)]
    quantity: Quantity,
    /// How many of them are off, by all lines of the variant; likewise for the next three.
    cancelled: i64,
    /// How many of them were handed over.
    handed_over: i64,
    /// How many of them came back.
    returned: i64,
    /// How many of them were lost on their way, and are neither sent again nor off.
    lost: i64,
    #[schema(value_type = Money)]
    unit_price: Price,
    /// The price in major units, where an older system had more digits than the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    exact_price: Option<&'a ExactPrice>,
    /// The price times the quantity, before discounts.
    #[schema(value_type = Money)]
    amount: Amount,
    /// What was taken off of it.
    #[schema(value_type = Money)]
    discount: Amount,
    /// Null where there is none.
    #[schema(value_type = Option<LineTax>)]
    tax: Option<pricing::LineTax>,
}

impl<'a> Order<'a> {
    /// An order as it is.
    pub fn of(id: OrderId, it: &'a Placed) -> Self {
        let placement = &it.placement;
        let lines = placement.lines.iter().map(|line| OrderLine {
            variant: line.variant,
            product: line.product,
            sku: &line.sku,
            title: &line.title,
            quantity: line.quantity,
            cancelled: it.off(line.variant),
            handed_over: it.handed_over(line.variant),
            returned: it.returned.get(&line.variant).copied().unwrap_or(0),
            lost: it.lost_of(line.variant),
            unit_price: line.unit_price,
            exact_price: line.exact_price.as_ref(),
            amount: line.amount,
            discount: line.off(),
            tax: line.tax,
        });
        // Placing checked that each of these can be counted.
        let zero = Amount::zero(placement.total.currency);
        Self {
            id,
            number: order::Number::of(id.uuid()),
            stage: it.stage(),
            status: it.status,
            payment_status: it.payment_status,
            fulfilment: it.fulfilment,
            cancelled: it.cancelled,
            account: placement.buyer.account,
            cart: placement.cart,
            address: Where::of(&placement.destination),
            lines: lines.collect(),
            subtotal: placement.subtotal().unwrap_or(zero),
            discount: placement.discount().unwrap_or(zero),
            shipping: placement.shipping_price(),
            tax: placement.tax().unwrap_or(zero),
            total: placement.total,
            payable: it.payable(),
            discounts: &placement.discounts,
            delivery: placement.shipping.as_ref(),
            refunded: it.refunded,
            credit_notes: &it.credit_notes,
            payment: placement.payment,
            shipments: it.parcels.keys().copied().collect(),
            returns: &it.returns,
            notes: None,
            placed_at: None,
            paid_at: None,
            invoice: it.invoice.as_ref(),
            pay_by: placement.pay_by,
            papers: None,
            reference: placement.reference.as_ref(),
            written: &it.notes,
        }
    }

    /// With what staff wrote down about it.
    pub fn with_notes(self) -> Self {
        Self { notes: Some(self.written), ..self }
    }

    /// With the way to its papers.
    pub fn with_papers(self, papers: Papers) -> Self {
        Self { papers: Some(papers), ..self }
    }

    /// With the moments that its events were recorded at.
    pub fn at(self, placed_at: Option<DateTime<Utc>>, paid_at: Option<DateTime<Utc>>) -> Self {
        Self { placed_at, paid_at, ..self }
    }
}

/// A payment of an order.
#[derive(Serialize, ToSchema)]
pub struct Payment<'a> {
    #[schema(value_type = String, example = "pay_01h455vb4pex5vsknk084sn02q")]
    id: PaymentId,
    #[schema(value_type = String)]
    order: OrderId,
    #[schema(value_type = Money)]
    amount: Amount,
    /// `status` is `open`, `attempted`, `pending`, `unresolved` (both with `check_at`), `authorized`, `captured`,
    /// `refunded`, `failed`, `cancelled` or `voided` (`failed` and `voided` with `reason`).
    #[serde(flatten)]
    #[schema(value_type = PaymentStage)]
    stage: &'a payment::Stage,
    attempts: u8,
    /// How the last attempt was made.
    #[schema(value_type = Option<String>)]
    method: Option<payment::Method>,
    /// Why the last attempt was declined, if it was: another one can be made.
    #[schema(value_type = Option<String>)]
    declined: Option<payment::DeclineReason>,
    /// When what is set aside is free again, unless it is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
    /// Where the buyer has to go on, while the payment is pending and waits for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    action_url: Option<String>,
    #[schema(value_type = Money)]
    captured: Amount,
    #[schema(value_type = Money)]
    refunded: Amount,
    /// What can still be given back: captured − refunded − on its way back.
    #[schema(value_type = Money)]
    refundable: Amount,
    /// The pieces that were given back, or are to be.
    refunds: Vec<Refund<'a>>,
}

/// A piece of a payment that goes back.
#[derive(Serialize, ToSchema)]
pub struct Refund<'a> {
    #[schema(value_type = String, example = "rfd_01h455vb4pex5vsknk084sn02q")]
    id: RefundId,
    #[schema(value_type = Money)]
    amount: Amount,
    /// `requested`, `done` or `failed`.
    #[schema(value_type = String)]
    status: payment::RefundStage,
    /// `kind` is `order_cancelled`, `lines_cancelled`, `return` (with its `id`) or `staff` (with the `reason`).
    #[schema(value_type = Object)]
    cause: &'a payment::RefundCause,
    /// As which refund it is tried again, after the provider refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    retried_as: Option<RefundId>,
}

/// Where a payment is.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct PaymentStage {
    status: String,
    check_at: Option<DateTime<Utc>>,
    reason: Option<String>,
}

impl<'a> Payment<'a> {
    /// A payment as it is.
    pub fn of(id: PaymentId, it: &'a Opened) -> Self {
        Self {
            id,
            order: it.order,
            amount: it.amount,
            stage: &it.stage,
            attempts: it.attempts,
            method: it.attempt.as_ref().map(|attempt| attempt.method),
            declined: it.declined,
            expires_at: it.expires_at.filter(|_| it.stage == payment::Stage::Authorized),
            action_url: match it.stage {
                payment::Stage::Pending { .. } => {
                    it.attempt.as_ref().and_then(|attempt| action_path(&attempt.reference, id))
                }
                payment::Stage::Open
                | payment::Stage::Attempted
                | payment::Stage::Unresolved { .. }
                | payment::Stage::Authorized
                | payment::Stage::Captured
                | payment::Stage::Refunded
                | payment::Stage::Failed { .. }
                | payment::Stage::Cancelled
                | payment::Stage::Voided { .. } => None,
            },
            captured: it.captured(),
            refunded: it.refunded,
            refundable: it.refundable(),
            refunds: it.refunds.iter().map(|(id, refund)| Refund::of(*id, refund)).collect(),
        }
    }
}

impl<'a> Refund<'a> {
    fn of(id: RefundId, it: &'a payment::Refund) -> Self {
        Self { id, amount: it.amount, status: it.stage, cause: &it.cause, retried_as: it.retried_as }
    }
}
