//! How the parts of orders look from outside.

use std::collections::BTreeMap;

use byteshop_domain::ids::{ReturnId, SellerId, ShipmentId, VariantId};
use byteshop_domain::money::Money;
use byteshop_domain::order::{self, Fulfilment, Part, PaymentStatus, Placed, Status};
use byteshop_domain::text::{Name, Reference};
use serde::Serialize;
use utoipa::ToSchema;

use super::price::Shipping;

/// How far a part of an order is.
#[derive(Serialize, ToSchema)]
pub(super) struct PartProgress {
    /// The status of the part; `cancelled` if nothing is left of it.
    status: Status,
    /// How far the part is paid and refunded.
    payment_status: PaymentStatus,
    /// The status of its delivery.
    fulfilment: Fulfilment,
}

/// What a part of an order costs.
#[derive(Serialize, ToSchema)]
pub(super) struct PartSums {
    /// The sum of its lines before discounts.
    subtotal: Money,
    /// The discount on its lines and its shipping.
    discount: Money,
    /// Its shipping price before discounts. The price of the house is split over the parts that it is for, in proportion to the goods that are shipped.
    shipping: Money,
    /// Its tax, whether included in the prices or not.
    tax: Money,
    /// The amount due.
    total: Money,
    /// The amount due, or paid: the total without lines cancelled before payment.
    payable: Money,
    /// The amount that is refunded or to be refunded.
    credited: Money,
    /// The amount refunded.
    refunded: Money,
}

/// A part of an order: what the house or one seller sells of it.
#[derive(Serialize, ToSchema)]
pub struct OrderPart<'a> {
    /// Its number within the order.
    #[schema(minimum = 1, example = 1)]
    number: u16,
    /// The seller; null for the house.
    seller: Option<SellerId>,
    /// The name of the seller; null for the house, and in responses of commands.
    seller_name: Option<Name>,
    #[serde(flatten)]
    progress: PartProgress,
    /// The variants of its lines.
    variants: Vec<VariantId>,
    #[serde(flatten)]
    sums: PartSums,
    /// How it is shipped, if its seller has a price of its own; otherwise see the order.
    delivery: Option<Shipping<'a>>,
    shipments: Vec<ShipmentId>,
    returns: &'a [ReturnId],
    /// The number of the invoice that it is on; null before payment. Parts that the house supplies are on one.
    #[schema(default = json!({"x-schema": {"example": "INV-COPPER-KETTLES-2026-000042"}}))]
    invoice: Option<&'a Reference>,
    /// Whether its seller supplies it in its own name: then the invoice and the credit notes are the seller's, and otherwise the house's.
    supplied_by_seller: bool,
}

impl PartProgress {
    pub(super) fn of(part: &Part) -> Self {
        Self { status: part.status(), payment_status: part.payment_status(), fulfilment: part.fulfilment() }
    }
}

impl PartSums {
    pub(super) fn of(part: &Part) -> Self {
        let order::Sums { subtotal, discount, shipping, tax, total, shipping_due: _, shipping_tax: _ } = part.sums;
        let Part { payable, credited, refunded, .. } = *part;
        Self { subtotal, discount, shipping, tax, total, payable, credited, refunded }
    }
}

impl<'a> OrderPart<'a> {
    /// A part as it is.
    pub(super) fn of(order: &'a Placed, (number, part): (u16, &'a Part)) -> Self {
        let own = order.invoices.iter().find(|it| Some(it.supplier.seller) == part.seller);
        Self {
            number,
            seller: part.seller,
            seller_name: None,
            progress: PartProgress::of(part),
            variants: part.variants().collect(),
            sums: PartSums::of(part),
            delivery: order.placement.own_shipping(part.seller).map(Shipping::from),
            shipments: part.parcels.keys().copied().collect(),
            returns: &part.returns,
            invoice: own.map(|it| &it.number).or(order.invoice.as_ref()),
            supplied_by_seller: own.is_some(),
        }
    }

    /// Names the seller, if it is among these.
    pub(super) fn name(&mut self, names: &BTreeMap<SellerId, Name>) {
        self.seller_name = self.seller.and_then(|seller| names.get(&seller).cloned());
    }
}
