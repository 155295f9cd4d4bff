//! How carts look from outside, and the addresses that carts and orders go to.

use byteshop_domain::cart::{self, Destination, Problem};
use byteshop_domain::ids::{AccountId, CartId, OrderId, ProductId, VariantId};
use byteshop_domain::money::{Money as Amount, Price};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::text::{Sku, Title};
use byteshop_domain::{Personal, address};
use serde::Serialize;
use utoipa::ToSchema;

use super::Money;

/// Who gets the goods and the mails about them, and where they are.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Address {
    /// ISO 3166 alpha-2, or a name.
    #[schema(example = "DE", min_length = 1, max_length = 60)]
    country: String,
    #[schema(example = "Ada Lovelace", min_length = 1, max_length = 120)]
    name: Option<String>,
    #[schema(min_length = 1, max_length = 120)]
    company: Option<String>,
    /// Where mails about an order go.
    #[schema(example = "ada@example.org", max_length = 254)]
    email: Option<String>,
    #[schema(example = "+49 30 1234567", max_length = 32)]
    phone: Option<String>,
    /// Street and house, and whatever else stands there.
    #[schema(example = json!(["Invalidenstraße 43"]), max_items = 4)]
    lines: Option<Vec<String>>,
    #[schema(example = "10115", min_length = 1, max_length = 16)]
    postal_code: Option<String>,
    #[schema(example = "Berlin", min_length = 1, max_length = 120)]
    city: Option<String>,
    /// The state or province.
    #[schema(min_length = 1, max_length = 120)]
    region: Option<String>,
}

/// A destination as its buyer sees it: the address, sealed until the answer leaves.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Where<'a> {
    Sealed(&'a Personal<address::Address>),
    /// Before addresses were sealed there was no more to them than this.
    Plain(&'a Destination),
}

impl<'a> Where<'a> {
    pub(super) fn of(destination: &'a Destination) -> Self {
        destination.address.as_ref().map_or(Self::Plain(destination), Self::Sealed)
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
    address: Option<Where<'a>>,
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
            currency: it.currency.code(),
            lines: lines.collect(),
            total: it.total().unwrap_or(zero),
            address: it.destination.as_ref().map(Where::of),
            order: it.order,
            problems,
        }
    }
}
