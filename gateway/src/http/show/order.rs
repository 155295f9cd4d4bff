//! How orders look from outside.

use std::collections::BTreeMap;

use byteshop_domain::Personal;
use byteshop_domain::ids::{
    AccountId, CartId, CreditNoteId, Id as _, OrderId, PaymentId, ProductId, ReturnId, SellerId, ShipmentId, VariantId,
};
use byteshop_domain::key_pool::count_of;
use byteshop_domain::money::{ExactPrice, Money, Price};
use byteshop_domain::order::{self, Placed};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::tax_book::Rounding;
use byteshop_domain::text::{Name, NoteText, Reference, Sku, Title};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::cart::Where;
use super::links::{Links, Papers};
use super::part::OrderPart;
use super::price::{Discount, LineTax, Shipping};

/// An order.
#[derive(Serialize, ToSchema)]
pub struct Order<'a> {
    id: OrderId,
    /// The order number shown to people.
    number: order::Number,
    /// The three status axes summarized in one word.
    stage: order::Stage,
    /// The status of the order as a whole.
    status: order::Status,
    /// The status of its payment.
    payment_status: order::PaymentStatus,
    /// The status of its delivery.
    fulfilment: order::Fulfilment,
    /// The reason of the cancellation; null if not cancelled.
    cancel_reason: Option<order::CancelReason>,
    /// The buyer's account; null for a guest.
    account: Option<AccountId>,
    cart: Option<CartId>,
    /// The cart its lines were moved to because it was never paid; null otherwise.
    moved_to: Option<CartId>,
    /// Null if the person's data was erased.
    #[schema(nullable = true)]
    address: Where<'a>,
    lines: Vec<OrderLine<'a>>,
    /// What the house and each seller sell of it: one part each, whose sums make those of the order.
    parts: Vec<OrderPart<'a>>,
    /// The sum of the lines before discounts.
    subtotal: Money,
    /// The discount on lines and shipping.
    discount: Money,
    /// The shipping price before discounts.
    shipping: Money,
    /// Total tax, whether included in the prices or not.
    tax: Money,
    /// The amount due.
    total: Money,
    /// The amount due, or paid: the total without lines cancelled before payment.
    payable: Money,
    /// Discounts by promotion, in the order they were applied.
    discounts: Vec<Discount<'a>>,
    /// How the goods are shipped, except parts whose sellers have prices of their own; null if there are no others, or shipping is free and
    /// no service was chosen.
    delivery: Option<Shipping<'a>>,
    /// The amount refunded.
    refunded: Money,
    credit_notes: &'a [CreditNoteId],
    payment: PaymentId,
    shipments: Vec<ShipmentId>,
    returns: &'a [ReturnId],
    /// Internal notes; staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    notes: Option<Vec<Remark<'a>>>,
    /// When it was placed; null in responses of commands.
    placed_at: Option<DateTime<Utc>>,
    /// When it was paid; null before payment, and in responses of commands.
    paid_at: Option<DateTime<Utc>>,
    /// The invoice number; null before payment. If the parts have several invoices it is the house's, or the first: see `parts`.
    #[schema(default = json!({"x-schema": {"example": "INV-2026-000042"}}))]
    invoice: Option<&'a Reference>,
    /// When it expires if it is not paid.
    pay_by: Option<DateTime<Utc>>,
    /// Where its taxes are rounded.
    tax_rounding: Rounding,
    /// Links to its printable papers; null in responses of commands.
    papers: Option<Papers>,
    /// Signed links that need no header; null in responses of commands.
    links: Option<Links>,
    /// The id of the order in an older system.
    reference: Option<&'a Reference>,
    #[serde(skip)]
    written: &'a [order::Note],
}

/// An internal note on an order.
#[derive(Serialize, ToSchema)]
pub struct Remark<'a> {
    at: DateTime<Utc>,
    /// The staff account that wrote it.
    by: Option<AccountId>,
    /// Null if the buyer's data was erased.
    #[schema(nullable = true)]
    text: &'a Personal<NoteText>,
}

impl<'a> From<&'a order::Note> for Remark<'a> {
    fn from(it: &'a order::Note) -> Self {
        Self { at: it.at, by: it.by, text: &it.note }
    }
}

/// A line of an order.
#[derive(Serialize, ToSchema)]
pub struct OrderLine<'a> {
    variant: VariantId,
    product: ProductId,
    sku: &'a Sku,
    title: &'a Title,
    quantity: Quantity,
    /// Pieces cancelled, over all lines of the variant; the next three count likewise.
    cancelled: i64,
    /// Pieces handed over.
    handed_over: i64,
    /// Pieces returned.
    returned: i64,
    /// Pieces lost in transit and neither replaced nor cancelled.
    lost: i64,
    /// The keys that were delivered for its pieces; null if there are none.
    keys: Option<KeyCounts>,
    unit_price: Price,
    /// The price in major units, if an older system used more digits than the currency has.
    exact_price: Option<&'a ExactPrice>,
    /// Price times quantity, before discounts.
    amount: Money,
    /// The discount.
    discount: Money,
    /// Null if there is none.
    tax: Option<LineTax>,
}

/// The keys of a variant in an order, in numbers.
#[derive(Serialize, ToSchema)]
struct KeyCounts {
    /// Keys that were delivered.
    delivered: i64,
    /// Keys among them that the buyer has been shown.
    revealed: i64,
    /// When the buyer was last shown new ones.
    revealed_at: Option<DateTime<Utc>>,
    /// Keys whose pieces were given back.
    revoked: i64,
    /// Keys among the revoked ones that the buyer had been shown: they may be used.
    revoked_revealed: i64,
}

impl KeyCounts {
    fn of(order: &Placed, variant: VariantId) -> Option<Self> {
        let it = order.keys.get(&variant)?;
        let (revoked, revoked_revealed) = order.revoked_keys(variant);
        let (delivered, revealed_at) = (count_of(&it.keys), it.revealed_at);
        Some(Self { delivered, revealed: it.revealed, revealed_at, revoked, revoked_revealed })
    }
}

impl<'a> OrderLine<'a> {
    /// A line of an order, with how far its pieces are.
    pub(super) fn of(it: &'a Placed, line: &'a order::Line) -> Self {
        Self {
            variant: line.variant,
            product: line.product,
            sku: &line.sku,
            title: &line.title,
            quantity: line.quantity,
            cancelled: it.off(line.variant),
            handed_over: it.handed_over(line.variant),
            returned: it.returned.get(&line.variant).copied().unwrap_or(0),
            lost: it.lost_of(line.variant),
            keys: KeyCounts::of(it, line.variant),
            unit_price: line.unit_price,
            exact_price: line.exact_price.as_ref(),
            amount: line.amount,
            discount: line.off(),
            tax: line.tax.as_ref().map(LineTax::from),
        }
    }
}

impl<'a> Order<'a> {
    /// An order as it is.
    pub fn of(id: OrderId, it: &'a Placed) -> Self {
        let placement = &it.placement;
        let lines = placement.lines.iter().map(|line| OrderLine::of(it, line));
        // Placing checked that each of these can be counted.
        let zero = Money::zero(placement.total.currency);
        Self {
            id,
            number: order::Number::of(id.uuid()),
            stage: it.stage(),
            status: it.progress.status,
            payment_status: it.progress.payment_status,
            fulfilment: it.progress.fulfilment,
            cancel_reason: it.progress.cancelled,
            account: placement.buyer.account,
            cart: placement.cart,
            moved_to: it.moved_to,
            address: Where::of(&placement.destination),
            lines: lines.collect(),
            parts: it.parts.numbered().map(|part| OrderPart::of(it, part)).collect(),
            subtotal: placement.subtotal().unwrap_or(zero),
            discount: placement.discount().unwrap_or(zero),
            shipping: placement.shipping_price(),
            tax: placement.tax().unwrap_or(zero),
            total: placement.total,
            payable: it.payable(),
            discounts: placement.discounts.iter().map(Discount::from).collect(),
            delivery: placement.shipping.as_ref().map(Shipping::from),
            refunded: it.progress.refunded,
            credit_notes: &it.credit_notes,
            payment: placement.payment,
            shipments: it.parcels.keys().copied().collect(),
            returns: &it.returns,
            notes: None,
            placed_at: None,
            paid_at: None,
            invoice: it.invoice.as_ref().or(it.invoices.first().map(|it| &it.number)),
            pay_by: it.pay_by(),
            tax_rounding: placement.tax_rounding,
            papers: None,
            links: None,
            reference: placement.reference.as_ref(),
            written: &it.notes,
        }
    }

    /// With the names of the sellers of its parts.
    pub fn with_sellers(mut self, names: &BTreeMap<SellerId, Name>) -> Self {
        self.parts.iter_mut().for_each(|part| part.name(names));
        self
    }

    /// With what staff wrote down about it.
    pub fn with_notes(self) -> Self {
        Self { notes: Some(self.written.iter().map(Remark::from).collect()), ..self }
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
