//! How things look from outside: written out field by field, so that nothing internal is ever shown by accident.

use byteshop_domain::Currency;
use byteshop_domain::cart::{self, Destination, Problem};
use byteshop_domain::ids::{AccountId, CartId, CreditNoteId, OrderId, PaymentId, ProductId, VariantId};
use byteshop_domain::money::{ExactPrice, Money as Amount, Price};
use byteshop_domain::order::{self, Placed};
use byteshop_domain::payment::{self, Opened};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::stock::StockLevel;
use byteshop_domain::text::{Country, Name, PostalCode, Reference, Sku, Title};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mod catalog;

pub use catalog::{Category, Product};

/// An amount in the minor unit of its currency: 1999 EUR is 19.99 euros.
#[derive(ToSchema)]
#[schema(example = json!({"amount": 1999, "currency": "EUR"}))]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Money {
    /// Whole minor units.
    amount: i64,
    /// ISO 4217.
    #[schema(min_length = 3, max_length = 3)]
    currency: String,
}

/// The stock of a variant.
#[derive(Serialize, ToSchema)]
pub struct Stock<'a> {
    #[schema(value_type = String)]
    variant: VariantId,
    #[schema(value_type = Option<String>)]
    product: Option<ProductId>,
    #[schema(value_type = Option<String>)]
    sku: Option<&'a Sku>,
    /// What is there, promised or not.
    on_hand: i64,
    /// What of it is promised to orders.
    reserved: i64,
    /// What can be bought: on hand − reserved.
    available: i64,
}

impl<'a> Stock<'a> {
    /// The stock as it is.
    pub fn of(variant: VariantId, it: &'a StockLevel) -> Self {
        Self {
            variant,
            product: it.product,
            sku: it.sku.as_ref(),
            on_hand: it.on_hand,
            reserved: it.reserved,
            available: it.available(),
        }
    }
}

/// Where the goods go, as far as rates and taxes need it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// ISO 3166 alpha-2, or a name.
    #[schema(value_type = String, example = "DE", max_length = 60)]
    country: Country,
    #[schema(value_type = Option<String>, example = "10115", max_length = 16)]
    postal_code: Option<PostalCode>,
    #[schema(value_type = Option<String>, example = "Berlin", max_length = 120)]
    city: Option<Name>,
}

impl From<&Address> for Destination {
    fn from(it: &Address) -> Self {
        Self { country: it.country.clone(), postal_code: it.postal_code.clone(), city: it.city.clone() }
    }
}

/// A cart.
#[derive(Serialize, ToSchema)]
pub struct Cart<'a> {
    #[schema(value_type = String, example = "cart_01h455vb4pex5vsknk084sn02q")]
    id: CartId,
    /// Whose it is; null for a guest's.
    #[schema(value_type = Option<String>)]
    owner: Option<AccountId>,
    #[schema(value_type = String, example = "EUR")]
    currency: &'static str,
    lines: Vec<CartLine<'a>>,
    /// What the lines cost, at the prices they were put in for.
    #[schema(value_type = Money)]
    total: Amount,
    #[schema(value_type = Option<Address>)]
    address: Option<&'a Destination>,
    /// The order that it became; null while it is open.
    #[schema(value_type = Option<String>)]
    order: Option<OrderId>,
    /// Why it cannot be bought as it is; told when the cart is asked for as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<CartProblem>>)]
    problems: Option<Vec<Problem>>,
}

/// A line of a cart.
#[derive(Serialize, ToSchema)]
pub struct CartLine<'a> {
    #[schema(value_type = String)]
    variant: VariantId,
    #[schema(value_type = String)]
    product: ProductId,
    #[schema(value_type = String)]
    sku: &'a Sku,
    #[schema(value_type = String)]
    title: &'a Title,
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000)]
    quantity: Quantity,
    #[schema(value_type = Money)]
    unit_price: Price,
    #[schema(value_type = Money)]
    amount: Amount,
}

/// Why a line cannot be bought as it is.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct CartProblem {
    /// `price_changed` (with `was` and `now`), `not_enough` (with `wanted` and `available`) or `unavailable`.
    code: String,
    /// The line's variant.
    variant: String,
    was: Option<Money>,
    now: Option<Money>,
    wanted: Option<i64>,
    available: Option<i64>,
}

impl<'a> Cart<'a> {
    /// A cart, with its problems if they were looked for.
    pub fn of(id: CartId, it: &'a cart::Created, problems: Option<Vec<Problem>>) -> Self {
        let zero = Amount::zero(it.currency);
        let lines = it.lines.iter().map(|line| CartLine {
            variant: line.variant,
            product: line.product,
            sku: &line.sku,
            title: &line.title,
            quantity: line.quantity,
            unit_price: line.unit_price,
            // A cart only takes lines whose sum can be counted.
            amount: line.unit_price.times(line.quantity).unwrap_or(zero),
        });
        Self {
            id,
            owner: it.owner,
            currency: code(it.currency),
            lines: lines.collect(),
            total: it.total().unwrap_or(zero),
            address: it.destination.as_ref(),
            order: it.order,
            problems,
        }
    }
}

/// The code of a currency.
fn code(currency: Currency) -> &'static str {
    currency.code()
}

/// An order.
#[derive(Serialize, ToSchema)]
pub struct Order<'a> {
    #[schema(value_type = String, example = "ord_01h455vb4pex5vsknk084sn02q")]
    id: OrderId,
    /// `open`, `completed` or `cancelled`.
    #[schema(value_type = String, example = "open")]
    status: order::Status,
    /// `awaiting`, `paid`, `partly_refunded`, `refunded`, `refund_due` or `voided`.
    #[schema(value_type = String, example = "awaiting")]
    payment_status: order::PaymentStatus,
    /// `unfulfilled`, `fulfilled`, `partly_returned` or `returned`.
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
    #[schema(value_type = Address)]
    address: &'a Destination,
    lines: Vec<OrderLine<'a>>,
    #[schema(value_type = Money)]
    total: Amount,
    /// What was paid back for returned goods.
    #[schema(value_type = Money)]
    refunded: Amount,
    #[schema(value_type = Vec<String>)]
    credit_notes: &'a [CreditNoteId],
    #[schema(value_type = String)]
    payment: PaymentId,
    /// When it is cancelled unless it is paid for.
    pay_by: Option<DateTime<Utc>>,
    /// What an older system called it.
    #[schema(value_type = Option<String>)]
    reference: Option<&'a Reference>,
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
    /// How many of them came back, by all lines of the variant.
    returned: i64,
    #[schema(value_type = Money)]
    unit_price: Price,
    /// The price in major units, where an older system had more digits than the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    exact_price: Option<&'a ExactPrice>,
    #[schema(value_type = Money)]
    amount: Amount,
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
            returned: it.returned.get(&line.variant).copied().unwrap_or(0),
            unit_price: line.unit_price,
            exact_price: line.exact_price.as_ref(),
            amount: line.amount,
        });
        Self {
            id,
            status: it.status,
            payment_status: it.payment_status,
            fulfilment: it.fulfilment,
            cancelled: it.cancelled,
            account: placement.buyer.account,
            cart: placement.cart,
            address: &placement.destination,
            lines: lines.collect(),
            total: placement.total,
            refunded: it.refunded,
            credit_notes: &it.credit_notes,
            payment: placement.payment,
            pay_by: placement.pay_by,
            reference: placement.reference.as_ref(),
        }
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
        }
    }
}
