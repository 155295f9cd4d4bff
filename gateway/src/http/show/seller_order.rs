//! How orders look to the members of a seller: with its part, and nothing of the others.

use byteshop_domain::address::Address;
use byteshop_domain::ids::{Id as _, OrderId, SellerId};
use byteshop_domain::money::Money;
use byteshop_domain::order::{Number, Part, Placed, SellerShare};
use byteshop_domain::text::{Country, Name, Reference};
use byteshop_projections::part_list;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::delivery::{Return, Shipment};
use super::order::OrderLine;
use super::part::{PartProgress, PartSums};

/// An order with the part of one seller, and nothing of the other parts.
#[derive(Serialize, ToSchema)]
pub struct SellerOrder<'a> {
    id: OrderId,
    /// The order number shown to people.
    number: Number,
    /// The number of the part within the order.
    #[schema(minimum = 1, example = 1)]
    part: u16,
    #[serde(flatten)]
    progress: PartProgress,
    lines: Vec<OrderLine<'a>>,
    #[serde(flatten)]
    sums: PartSums,
    /// The commission on what is kept of it, without tax; null if the order was placed before there were commissions.
    commission: Option<Money>,
    /// The tax on the commission; null if the order was placed before there were commissions.
    commission_tax: Option<Money>,
    /// What the house owes the seller for it once it is paid: what is kept, without commission, the tax on that, and the sales tax that
    /// the house owes. Null if the order was placed before there were commissions.
    owed: Option<Money>,
    /// The number of the seller's own invoice for it; null before payment, and if the house supplies it.
    #[schema(default = json!({"x-schema": {"example": "INV-COPPER-KETTLES-2026-000042"}}))]
    invoice: Option<&'a Reference>,
    /// The country that it goes to.
    country: &'a Country,
    /// Where it goes, without the buyer's e-mail address. Null in responses of commands, unless goods of the part are to be shipped,
    /// and if the buyer's data was erased.
    address: Option<Address>,
    /// The name of the shipping service that the buyer chose; null if there was none to choose.
    #[schema(default = json!({"x-schema": {"example": "Parcel"}}))]
    service_name: Option<&'a Name>,
    /// The shipments, oldest first; null in responses of commands.
    shipments: Option<Vec<Shipment<'a>>>,
    /// The returns, oldest first; null in responses of commands.
    returns: Option<Vec<Return<'a>>>,
    /// When it was placed; null in responses of commands.
    placed_at: Option<DateTime<Utc>>,
    /// When it was paid; null before payment, and in responses of commands.
    paid_at: Option<DateTime<Utc>>,
}

impl<'a> SellerOrder<'a> {
    /// The part of an order as its seller sees it.
    pub fn of(id: OrderId, it: &'a Placed, (number, part): (u16, &'a Part)) -> Self {
        let placement = &it.placement;
        let lines = placement.lines.iter().filter(|line| part.has(line.variant));
        let share = it.kept.shares().into_iter().find(|share| Some(share.seller) == part.seller);
        let tax = |share: SellerShare| Money { amount: share.tax_on_commission(), ..share.amount };
        Self {
            id,
            number: Number::of(id.uuid()),
            part: number,
            progress: PartProgress::of(part),
            lines: lines.map(|line| OrderLine::of(it, line)).collect(),
            sums: PartSums::of(part),
            commission: share.map(|share| share.commission),
            commission_tax: share.map(tax),
            owed: share.map(|share| share.owed()),
            invoice: it.invoices.iter().find(|it| Some(it.supplier.seller) == part.seller).map(|it| &it.number),
            country: &placement.destination.country,
            address: None,
            service_name: placement.shipping_of(part.seller).map(|shipping| &shipping.name),
            shipments: None,
            returns: None,
            placed_at: None,
            paid_at: None,
        }
    }

    /// With where its goods are to be shipped.
    pub fn to(self, address: Option<Address>) -> Self {
        Self { address, ..self }
    }

    /// With its parcels and its returns.
    pub fn with_goods(self, shipments: Vec<Shipment<'a>>, returns: Vec<Return<'a>>) -> Self {
        Self { shipments: Some(shipments), returns: Some(returns), ..self }
    }

    /// With the moments that its events were recorded at.
    pub fn at(self, placed_at: Option<DateTime<Utc>>, paid_at: Option<DateTime<Utc>>) -> Self {
        Self { placed_at, paid_at, ..self }
    }
}

/// The part of an order in the list of its seller.
#[derive(Serialize, ToSchema)]
pub struct SellerOrderRow<'a> {
    id: OrderId,
    /// The order number shown to people.
    number: Number,
    /// The number of the part within the order.
    #[schema(minimum = 1, example = 1)]
    part: u16,
    #[serde(flatten)]
    progress: PartProgress,
    /// The number of pieces that are not cancelled.
    quantity: i64,
    #[serde(flatten)]
    sums: PartSums,
    /// The country that it goes to.
    country: &'a Country,
    /// When it was placed.
    placed_at: DateTime<Utc>,
    /// When it was paid; null before payment.
    paid_at: Option<DateTime<Utc>>,
}

/// A page of orders with the parts of one seller.
#[derive(Serialize, ToSchema)]
pub struct SellerOrderPage<'a> {
    items: Vec<SellerOrderRow<'a>>,
    /// The cursor of the next page.
    next: Option<String>,
}

impl<'a> SellerOrderPage<'a> {
    /// A page of orders with the part of this seller alone.
    pub fn of(seller: SellerId, rows: &'a [part_list::Row], next: Option<String>) -> Self {
        let row = |it: &'a part_list::Row| {
            let (part, of_seller) = it.parts.of_seller(seller)?;
            Some(SellerOrderRow {
                id: it.id,
                number: it.number,
                part,
                progress: PartProgress::of(of_seller),
                quantity: of_seller.kept(),
                sums: PartSums::of(of_seller),
                country: &it.country,
                placed_at: it.placed_at,
                paid_at: it.paid_at,
            })
        };
        Self { items: rows.iter().filter_map(row).collect(), next }
    }
}
