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
use byteshop_domain::tax_book::Rounding;
use byteshop_domain::text::{Reference, Sku, Title};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::Money;
use super::cart::{Address, Where};
use super::links::{Links, Papers};
use super::names;
use super::price::{Discount, LineTax, Shipping};

/// An order.
#[derive(Serialize, ToSchema)]
pub struct Order<'a> {
    #[schema(value_type = String, example = "ord_01h455vb4pex5vsknk084sn02q")]
    id: OrderId,
    /// The order number shown to people.
    #[schema(value_type = String, example = "7K3Q-X9MW-2FBA")]
    number: order::Number,
    /// The three status axes summarized in one word.
    #[schema(value_type = names::OrderStage, example = "new")]
    stage: &'static str,
    /// The status of the order as a whole.
    #[schema(value_type = names::OrderStatus, example = "open")]
    status: order::Status,
    /// How far it is paid.
    #[schema(value_type = names::OrderPaymentStatus, example = "awaiting")]
    payment_status: order::PaymentStatus,
    /// How far it is fulfilled.
    #[schema(value_type = names::Fulfilment, example = "unfulfilled")]
    fulfilment: order::Fulfilment,
    /// The reason of the cancellation; null if not cancelled.
    #[schema(value_type = Option<names::CancelReason>, required = true)]
    cancelled: Option<order::CancelReason>,
    /// The buyer's account; null for a guest.
    #[schema(value_type = Option<String>, required = true)]
    account: Option<AccountId>,
    #[schema(value_type = Option<String>, required = true)]
    cart: Option<CartId>,
    /// The cart its lines were moved to because it was never paid; null otherwise.
    #[schema(value_type = Option<String>, required = true)]
    moved_to: Option<CartId>,
    /// Null if the person's data was erased.
    #[schema(value_type = Option<Address>, required = true)]
    address: Where<'a>,
    lines: Vec<OrderLine<'a>>,
    /// The sum of the lines before discounts.
    #[schema(value_type = Money)]
    subtotal: Amount,
    /// The discount on lines and shipping.
    #[schema(value_type = Money)]
    discount: Amount,
    /// The shipping price before discounts.
    #[schema(value_type = Money)]
    shipping: Amount,
    /// Total tax, whether included in the prices or not.
    #[schema(value_type = Money)]
    tax: Amount,
    /// The amount due.
    #[schema(value_type = Money)]
    total: Amount,
    /// The amount due, or paid: the total without lines cancelled before payment.
    #[schema(value_type = Money)]
    payable: Amount,
    /// Discounts by promotion, in the order they were applied.
    #[schema(value_type = Vec<Discount>)]
    discounts: &'a [pricing::Discount],
    /// The shipping service; null if shipping is free and none was chosen.
    #[schema(value_type = Option<Shipping>, required = true)]
    delivery: Option<&'a pricing::Shipping>,
    /// The amount refunded.
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
    /// Internal notes; staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Remark>>, nullable = false)]
    notes: Option<&'a [order::Note]>,
    /// When it was placed; only in the answer for a single order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    placed_at: Option<DateTime<Utc>>,
    /// When it was paid; only in the answer for a single order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    paid_at: Option<DateTime<Utc>>,
    /// The invoice number; null before payment.
    #[schema(value_type = Option<String>, example = "INV-2026-000042", required = true)]
    invoice: Option<&'a Reference>,
    /// When it expires if it is not paid.
    #[schema(required = true)]
    pay_by: Option<DateTime<Utc>>,
    /// Where its taxes are rounded.
    #[schema(value_type = names::TaxRounding, example = "line")]
    tax_rounding: Rounding,
    /// Links to its printable papers; only in the answer for a single order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    papers: Option<Papers>,
    /// Signed links that need no header; only in the answer for a single order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    links: Option<Links>,
    /// The id in an older system.
    #[schema(value_type = Option<String>, required = true)]
    reference: Option<&'a Reference>,
    #[serde(skip)]
    written: &'a [order::Note],
}

/// An internal note on an order.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Remark {
    at: DateTime<Utc>,
    /// The staff account that wrote it.
    #[schema(required = true)]
    by: Option<String>,
    /// Null if the buyer's data was erased.
    #[schema(required = true)]
    note: Option<String>,
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
    /// Pieces cancelled, over all lines of the variant; the next three count likewise.
    cancelled: i64,
    /// Pieces handed over.
    handed_over: i64,
    /// Pieces returned.
    returned: i64,
    /// Pieces lost in transit and neither replaced nor cancelled.
    lost: i64,
    #[schema(value_type = Money)]
    unit_price: Price,
    /// The price in major units, if an older system used more digits than the currency has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    exact_price: Option<&'a ExactPrice>,
    /// Price times quantity, before discounts.
    #[schema(value_type = Money)]
    amount: Amount,
    /// The discount.
    #[schema(value_type = Money)]
    discount: Amount,
    /// Null if there is none.
    #[schema(value_type = Option<LineTax>, required = true)]
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
            moved_to: it.moved_to,
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
            tax_rounding: placement.tax_rounding,
            papers: None,
            links: None,
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

    /// With links for browsers.
    pub fn with_links(self, links: Links) -> Self {
        Self { links: Some(links), ..self }
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
    /// When the latest attempt was made.
    #[schema(value_type = Option<names::PaymentMethod>, required = true)]
    method: Option<payment::Method>,
    /// Why the latest attempt came to nothing, if it did; while the payment is `open` another attempt can be made.
    #[schema(value_type = Option<names::DeclineReason>, required = true)]
    declined: Option<payment::DeclineReason>,
    /// When the authorization expires unless it is captured.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expires_at: Option<DateTime<Utc>>,
    /// The page where the buyer continues, while the payment is pending and waits for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    action_url: Option<String>,
    #[schema(value_type = Money)]
    captured: Amount,
    #[schema(value_type = Money)]
    refunded: Amount,
    /// Still refundable: captured − refunded − refunds in progress.
    #[schema(value_type = Money)]
    refundable: Amount,
    /// The refunds, requested and done.
    refunds: Vec<Refund<'a>>,
}

/// A refund of part of a payment.
#[derive(Serialize, ToSchema)]
pub struct Refund<'a> {
    #[schema(value_type = String, example = "rfd_01h455vb4pex5vsknk084sn02q")]
    id: RefundId,
    #[schema(value_type = Money)]
    amount: Amount,
    /// The state of the refund.
    #[schema(value_type = names::RefundStatus)]
    status: payment::RefundStage,
    /// What the refund is for.
    #[schema(value_type = RefundCause)]
    cause: &'a payment::RefundCause,
    /// The id of the refund that retries this one, after the provider refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    retried_as: Option<RefundId>,
}

/// What a refund is for.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct RefundCause {
    kind: names::RefundCauseKind,
    /// The return, of the kind `return`.
    #[schema(nullable = false)]
    id: Option<String>,
    /// The reason that staff gave, of the kind `staff`.
    #[schema(nullable = false)]
    reason: Option<String>,
}

/// The stage of a payment.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct PaymentStage {
    status: names::PaymentStatus,
    /// When the provider is asked again; while `pending` or `unresolved`.
    #[schema(nullable = false)]
    check_at: Option<DateTime<Utc>>,
    /// Why it is `failed` or `voided`.
    #[schema(nullable = false)]
    reason: Option<names::PaymentEndReason>,
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
