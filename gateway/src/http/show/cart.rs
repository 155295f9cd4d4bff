//! How carts look from outside, with what they cost, and the addresses that carts and orders go to.

use std::borrow::Cow;

use byteshop_commands::Commands;
use byteshop_commands::use_cases::price::Priced;
use byteshop_domain::cart::{self, Destination};
use byteshop_domain::ids::{AccountId, CartId, OrderId, ProductId, VariantId};
use byteshop_domain::money::{Money, Price};
use byteshop_domain::openapi::{Described, add, name_of_value, within};
use byteshop_domain::pricing;
use byteshop_domain::promotion::CouponCode;
use byteshop_domain::quantity::Quantity;
use byteshop_domain::text::{Sku, Slug, Title};
use byteshop_domain::{Currency, Personal, address};
use byteshop_projections::product_list::Image;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::{PartialSchema, ToSchema};

use super::price::{Discount, LineTax, PartShipping, Shipping};

/// A destination as its buyer sees it: the address, sealed until the answer leaves.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Where<'a> {
    Sealed(&'a Personal<address::Address>),
    /// A destination from before addresses were sealed.
    Plain(&'a Destination),
}

impl PartialSchema for Where<'_> {
    fn schema() -> Described {
        within::<address::Address>()
    }
}

impl ToSchema for Where<'_> {
    fn name() -> Cow<'static, str> {
        name_of_value::<Self>()
    }

    fn schemas(schemas: &mut Vec<(String, Described)>) {
        add::<address::Address>(schemas);
    }
}

impl<'a> Where<'a> {
    pub(super) fn of(destination: &'a Destination) -> Self {
        destination.address.as_ref().map_or(Self::Plain(destination), Self::Sealed)
    }
}

/// A cart and its prices. A closed cart, or a cart as of an earlier moment, is not repriced: `subtotal` and `total` use the prices
/// at which the lines were added, and fields that only an open cart has are null or empty.
#[derive(Serialize, ToSchema)]
pub struct Cart<'a> {
    id: CartId,
    /// The owner's account; null for a guest.
    account: Option<AccountId>,
    currency: Currency,
    lines: Vec<CartLine<'a>>,
    /// The sum of the lines before discounts.
    subtotal: Money,
    /// The discount on lines and shipping; null unless the cart is open.
    discount: Option<Money>,
    /// The shipping price before discounts, zero until a service is chosen; null unless the cart is open.
    shipping: Option<Money>,
    /// Total tax, whether included in the prices or not; null unless the cart is open.
    tax: Option<Money>,
    /// The amount due.
    total: Money,
    /// Discounts by promotion, in the order they are applied.
    discounts: Vec<Discount<'a>>,
    /// The coupon codes entered.
    coupons: &'a [CouponCode],
    /// The chosen shipping service of the house, if any.
    service: Option<&'a Slug>,
    /// How the goods are shipped that sellers do not ship at prices of their own; null until a service is chosen.
    delivery: Option<Shipping<'a>>,
    /// How the goods of sellers are shipped that have prices of their own.
    seller_deliveries: Vec<PartShipping<'a>>,
    address: Option<Where<'a>>,
    /// Problems that prevent checkout.
    problems: Vec<Problem<'a>>,
    /// The order that it became; null otherwise.
    order: Option<OrderId>,
    /// The cart that it was merged into; null otherwise.
    merged_into: Option<CartId>,
    /// When it expires unless it changes.
    expires_at: Option<DateTime<Utc>>,
}

/// A line of a cart.
#[derive(Serialize, ToSchema)]
pub struct CartLine<'a> {
    variant: VariantId,
    product: ProductId,
    sku: &'a Sku,
    title: &'a Title,
    quantity: Quantity,
    /// The unit price: the current one for an open cart, otherwise the one when the line was added.
    unit_price: Price,
    /// The unit price when the line was added, if it differs from the current one; see the problem `price_changed`.
    seen_price: Option<Price>,
    /// Price times quantity.
    amount: Money,
    /// The first image of the product; null if it has none, or unless the cart is open.
    image: Option<Image>,
    /// Available for sale; null unless the cart is open.
    available: Option<i64>,
    /// The discount on the line; null unless the cart is open.
    discount: Option<Money>,
    /// Null if there is none, no destination is set, or the cart is not open.
    tax: Option<LineTax>,
}

/// A problem that prevents checkout: of a line, or of the cart as a whole.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = CartProblem)]
enum Problem<'a> {
    Line(cart::Problem),
    Cart(&'a pricing::Problem),
    Nowhere(Nowhere),
}

/// The cart has no destination, and lines that need one.
#[derive(Serialize, ToSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
enum Nowhere {
    /// No destination is set.
    NoDestination {},
}

impl<'a> Cart<'a> {
    /// A cart, with what it costs if that was asked for.
    pub fn of(commands: &Commands, id: CartId, it: &'a cart::Created, priced: Option<&'a Priced>) -> Self {
        let line = |(index, line)| CartLine::of(commands, index, line, priced);
        let zero = Money::zero(it.currency);
        let quote = priced.map(|priced| &priced.quote);
        let own = || it.total().unwrap_or(zero);
        Self {
            id,
            account: it.owner,
            currency: it.currency,
            lines: it.lines.iter().enumerate().map(line).collect(),
            subtotal: quote.map_or_else(own, |quote| quote.subtotal),
            discount: quote.map(|quote| quote.discount),
            shipping: quote.map(|quote| quote.shipping_price),
            tax: quote.map(|quote| quote.tax),
            total: quote.map_or_else(own, |quote| quote.total),
            discounts: quote.map(|quote| quote.discounts.iter().map(Discount::from).collect()).unwrap_or_default(),
            coupons: &it.coupons,
            service: it.service.as_ref(),
            delivery: quote.and_then(|quote| quote.shipping.as_ref()).map(Shipping::from),
            seller_deliveries: quote
                .map(|it| it.part_shipping.iter().map(PartShipping::from).collect())
                .unwrap_or_default(),
            address: it.destination.as_ref().map(Where::of),
            problems: priced.map(|priced| problems(it, priced)).unwrap_or_default(),
            order: it.stage.order(),
            merged_into: it.stage.merged_into(),
            expires_at: it.expires_at,
        }
    }
}

impl<'a> CartLine<'a> {
    fn of(commands: &Commands, index: usize, line: &'a cart::Line, priced: Option<&Priced>) -> Self {
        let quoted = priced.and_then(|priced| priced.quote.lines.get(index));
        let offer = priced.and_then(|priced| priced.offers.get(&line.variant));
        let image = priced.and_then(|priced| priced.images.get(&line.product));
        let unit_price = offer.map_or(line.unit_price, |offer| offer.price);
        // A cart only takes lines whose sum can be counted.
        let own = || line.unit_price.times(line.quantity).unwrap_or(Money::zero(line.unit_price.money().currency));
        Self {
            variant: line.variant,
            product: line.product,
            sku: &line.sku,
            title: &line.title,
            quantity: line.quantity,
            unit_price,
            seen_price: Some(line.unit_price).filter(|seen| *seen != unit_price),
            amount: quoted.map_or_else(own, |quoted| quoted.amount),
            image: image.map(|image| Image::of(image).at(commands.api_address())),
            available: quoted.map(|_| offer.map_or(0, |offer| offer.available)),
            discount: quoted.map(|quoted| quoted.discount),
            tax: quoted.and_then(|quoted| quoted.tax.as_ref()).map(LineTax::from),
        }
    }
}

/// The problems that prevent a checkout.
fn problems<'a>(cart: &cart::Created, priced: &'a Priced) -> Vec<Problem<'a>> {
    let of_lines = cart.problems(&priced.offers).into_iter().map(Problem::Line);
    // Checkout asks for it before anything else, and prices do without.
    let nowhere = cart.destination.is_none() && !cart.lines.is_empty();
    let nowhere = nowhere.then_some(Problem::Nowhere(Nowhere::NoDestination {}));
    of_lines.chain(nowhere).chain(priced.quote.problems.iter().map(Problem::Cart)).collect()
}
