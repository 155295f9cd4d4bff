//! How the credit notes of an order look from outside.

use byteshop_commands::Snapshot;
use byteshop_domain::credit_note::{Content, CreditNote};
use byteshop_domain::ids::{CreditNoteId, RefundId, SellerId, VariantId};
use byteshop_domain::money::Money;
use byteshop_domain::order::{Placed, Taxed};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::text::{Reason, Reference, Sku};
use serde::Serialize;
use utoipa::ToSchema;

/// A credit note.
#[derive(Serialize, ToSchema)]
pub struct CreditNoteShown<'a> {
    id: CreditNoteId,
    /// The number, as printed.
    #[schema(default = json!({"x-schema": {"example": "CN-2026-000007"}}))]
    number: &'a Reference,
    /// The seller that issued it, as it supplied the goods in its own name; null if the house issued it.
    seller: Option<SellerId>,
    /// The goods it covers; empty for a refund of money alone.
    lines: Vec<CreditLine<'a>>,
    /// Refunded shipping; null if none.
    shipping: Option<Money>,
    total: Money,
    /// Tax included in the total, by rate; null if unknown.
    taxes: Option<Vec<CreditTax>>,
    /// The refund; null if it was made outside the shop.
    refund: Option<RefundId>,
    /// Why money alone is refunded; `shipping` for shipping costs.
    reason: Option<&'a Reason>,
}

/// A tax in a credit note.
#[derive(Serialize, ToSchema)]
pub struct CreditTax {
    /// The rate in basis points (hundredths of a percent); rounded if it has more digits.
    #[schema(example = 1900, maximum = 10_000)]
    rate_bps: u16,
    /// The exact rate in parts per million, if `rate_bps` is rounded: 88750 is 8.875 %.
    #[schema(maximum = 1_000_000)]
    rate_ppm: Option<u32>,
    /// The amount without tax.
    net: Money,
    /// The tax.
    tax: Money,
}

/// A line of a credit note.
#[derive(Serialize, ToSchema)]
pub struct CreditLine<'a> {
    variant: VariantId,
    sku: &'a Sku,
    quantity: Quantity,
    amount: Money,
}

/// The credit notes of an order.
#[derive(Serialize, ToSchema)]
pub struct CreditNotes<'a> {
    items: Vec<CreditNoteShown<'a>>,
}

impl<'a> CreditNotes<'a> {
    /// The credit notes of an order that are wanted of what was found, oldest first.
    pub fn of(order: &Placed, found: &'a [Option<Snapshot<CreditNote>>], wanted: impl Fn(&Content) -> bool) -> Self {
        let items = order.credit_notes.iter().zip(found).filter_map(|(id, it)| {
            let content = it.as_ref()?.state.issued()?;
            wanted(content).then(|| CreditNoteShown::of(*id, content))
        });
        Self { items: items.collect() }
    }
}

impl<'a> CreditNoteShown<'a> {
    fn of(id: CreditNoteId, it: &'a Content) -> Self {
        let lines = it.lines.iter().map(|line| CreditLine {
            variant: line.variant,
            sku: &line.sku,
            quantity: line.quantity,
            amount: line.amount,
        });
        Self {
            id,
            number: &it.reference,
            seller: it.supplier.as_ref().map(|supplier| supplier.seller),
            lines: lines.collect(),
            shipping: it.shipping,
            total: it.total,
            taxes: it.taxes.as_ref().map(|taxes| taxes.iter().map(CreditTax::of).collect()),
            refund: it.refund,
            reason: it.reason.as_ref(),
        }
    }
}

impl CreditTax {
    fn of(it: &Taxed) -> Self {
        Self { rate_bps: it.rate.rounded_bps().get(), rate_ppm: it.rate.ppm_beyond_bps(), net: it.net, tax: it.tax }
    }
}
