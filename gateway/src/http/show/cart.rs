//! How carts look from outside, with what they cost, and the addresses that carts and orders go to.

use byteshop_commands::cases::Priced;
use byteshop_domain::Rejection as _;
use byteshop_domain::cart::{self, Destination};
use byteshop_domain::checkout::Rejection;
use byteshop_domain::ids::{AccountId, CartId, OrderId, ProductId, VariantId};
use byteshop_domain::money::{Money as Amount, Price};
use byteshop_domain::pricing;
use byteshop_domain::promotion::CouponCode;
use byteshop_domain::quantity::Quantity;
use byteshop_domain::text::{self, Sku, Slug, Title};
use byteshop_domain::{Bounded, Personal, address};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::openapi::max;
use super::names;
use super::price::{Discount, LineTax, Shipping};
use super::{Image, Money};

/// The recipient and destination of an order.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Address {
    /// ISO 3166 alpha-2 country code; addresses from before codes were required may hold a name in answers.
    #[schema(example = "DE", pattern = "^[A-Za-z]{2}$")]
    country: String,
    #[schema(example = "Ada Lovelace", min_length = 1, default = max::<text::Name>)]
    name: Option<String>,
    #[schema(min_length = 1, default = max::<text::Name>)]
    company: Option<String>,
    /// The address for order mails.
    #[schema(example = "ada@example.org", default = max::<text::Email>)]
    email: Option<String>,
    #[schema(example = "+49 30 1234567", default = max::<text::Phone>)]
    phone: Option<String>,
    /// Street and house number, and further lines.
    #[schema(example = json!(["Invalidenstraße 43"]), default = max::<Bounded<Vec<String>, { address::LINES_MAX }>>)]
    lines: Option<Vec<String>>,
    #[schema(example = "10115", min_length = 1, default = max::<text::PostalCode>)]
    postal_code: Option<String>,
    #[schema(example = "Berlin", min_length = 1, default = max::<text::Name>)]
    city: Option<String>,
    /// The state or province.
    #[schema(min_length = 1, default = max::<text::Name>)]
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

/// A cart and its prices. For a closed cart, or a cart as of an earlier moment, only the lines are given; `subtotal`
/// and `total` then use the prices at which the lines were added.
#[derive(Serialize, ToSchema)]
pub struct Cart<'a> {
    #[schema(value_type = String, example = "cart_01h455vb4pex5vsknk084sn02q")]
    id: CartId,
    /// The owner's account; null for a guest.
    #[schema(value_type = Option<String>, required = true)]
    owner: Option<AccountId>,
    #[schema(value_type = String, example = "EUR")]
    currency: &'static str,
    lines: Vec<CartLine<'a>>,
    /// The sum of the lines before discounts.
    #[schema(value_type = Money)]
    subtotal: Amount,
    /// The amount due.
    #[schema(value_type = Money)]
    total: Amount,
    #[serde(flatten)]
    costs: Option<Costs<'a>>,
    /// The coupon codes entered.
    #[schema(value_type = Vec<String>)]
    coupons: &'a [CouponCode],
    /// The chosen shipping service, if any.
    #[schema(value_type = Option<String>, required = true)]
    service: Option<&'a Slug>,
    #[schema(value_type = Option<Address>, required = true)]
    address: Option<Where<'a>>,
    /// The order it became; null while it is open.
    #[schema(value_type = Option<String>, required = true)]
    order: Option<OrderId>,
    /// The cart that it was merged into; null while it is open.
    #[schema(value_type = Option<String>, required = true)]
    merged_into: Option<CartId>,
    /// When it expires unless it changes.
    #[schema(required = true)]
    expires_at: Option<DateTime<Utc>>,
}

/// The prices of an open cart beside its lines, and its problems.
#[derive(Serialize, ToSchema)]
pub struct Costs<'a> {
    /// The discount on lines and shipping.
    #[schema(value_type = Money)]
    discount: Amount,
    /// The shipping price before discounts; zero until a service is chosen.
    #[schema(value_type = Money)]
    shipping: Amount,
    /// Total tax, whether included in the prices or not.
    #[schema(value_type = Money)]
    tax: Amount,
    /// Discounts by promotion, in the order they are applied.
    #[schema(value_type = Vec<Discount>)]
    discounts: &'a [pricing::Discount],
    /// The shipping service.
    #[schema(value_type = Option<Shipping>, required = true)]
    delivery: Option<&'a pricing::Shipping>,
    /// Problems that prevent checkout.
    #[schema(value_type = Vec<CartProblem>)]
    problems: Vec<Problem<'a>>,
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
    /// The unit price: the current one for an open cart, otherwise the one when the line was added.
    #[schema(value_type = Money)]
    unit_price: Price,
    /// The unit price when the line was added, if it differs from the current one; see the problem `price_changed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Money>, nullable = false)]
    seen_price: Option<Price>,
    /// Price times quantity.
    #[schema(value_type = Money)]
    amount: Amount,
    #[serde(flatten)]
    now: Option<LineNow>,
}

/// The current state of a line of an open cart.
#[derive(Serialize, ToSchema)]
pub struct LineNow {
    /// The first image of the product; null if it has none.
    #[schema(required = true)]
    image: Option<Image>,
    /// Available for sale.
    available: i64,
    /// The discount.
    #[schema(value_type = Money)]
    discount: Amount,
    /// Null if there is none or no destination is set.
    #[schema(value_type = Option<LineTax>, required = true)]
    tax: Option<pricing::LineTax>,
}

/// Something in the way: of a line, or of the cart as a whole.
#[derive(Serialize)]
#[serde(untagged)]
enum Problem<'a> {
    Line(cart::Problem),
    Cart(&'a pricing::Problem),
    Nowhere { code: &'static str },
}

/// A problem that prevents checkout.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own types, which know nothing of HTTP")]
pub struct CartProblem {
    /// For a line: `price_changed` (with `was` and `now`), `not_enough` (with `wanted` and `available`) or
    /// `unavailable`. For a coupon: `coupon_unknown`, `coupon_too_early`, `coupon_expired`, `coupon_used_up`,
    /// `coupon_needs_email`, `coupon_not_applicable` (with `because`) or `coupon_not_combinable`. For the destination:
    /// `no_destination`, `address_incomplete` (with `missing`), `country_unknown` and `no_shipping` (with `country`),
    /// `shipping_not_chosen` or `shipping_gone` (with `service`).
    code: names::CartProblemCode,
    /// The line's variant.
    #[schema(nullable = false)]
    variant: Option<String>,
    #[schema(nullable = false)]
    was: Option<Money>,
    #[schema(nullable = false)]
    now: Option<Money>,
    #[schema(nullable = false)]
    wanted: Option<i64>,
    #[schema(nullable = false)]
    available: Option<i64>,
    /// The coupon code.
    #[schema(nullable = false)]
    coupon: Option<String>,
    #[schema(nullable = false)]
    because: Option<names::UnmetCondition>,
    /// Missing parts of the address: `name` (or `company`), `lines` and `city` if something is shipped, `email` of a
    /// guest.
    #[schema(nullable = false)]
    missing: Option<Vec<names::AddressPart>>,
    #[schema(nullable = false)]
    country: Option<String>,
    #[schema(nullable = false)]
    service: Option<String>,
}

impl<'a> Cart<'a> {
    /// A cart, with what it costs if that was asked for.
    pub fn of(id: CartId, it: &'a cart::Created, priced: Option<&'a Priced>) -> Self {
        let zero = Amount::zero(it.currency);
        let lines = it.lines.iter().enumerate().map(|(index, line)| {
            let quoted = priced.and_then(|priced| priced.quote.lines.get(index));
            let offer = priced.and_then(|priced| priced.offers.get(&line.variant));
            let unit_price = offer.map_or(line.unit_price, |offer| offer.price);
            CartLine {
                variant: line.variant,
                product: line.product,
                sku: &line.sku,
                title: &line.title,
                quantity: line.quantity,
                unit_price,
                seen_price: Some(line.unit_price).filter(|seen| *seen != unit_price),
                // A cart only takes lines whose sum can be counted.
                amount: quoted.map_or_else(|| line.unit_price.times(line.quantity).unwrap_or(zero), |it| it.amount),
                now: quoted.map(|quoted| LineNow {
                    image: priced.and_then(|priced| priced.images.get(&line.product)).map(Image::from),
                    available: offer.map_or(0, |offer| offer.available),
                    discount: quoted.discount,
                    tax: quoted.tax,
                }),
            }
        });
        let quote = priced.map(|priced| &priced.quote);
        let own = || it.total().unwrap_or(zero);
        Self {
            id,
            owner: it.owner,
            currency: it.currency.code(),
            lines: lines.collect(),
            subtotal: quote.map_or_else(own, |quote| quote.subtotal),
            total: quote.map_or_else(own, |quote| quote.total),
            costs: priced.map(|priced| Costs::of(it, priced)),
            coupons: &it.coupons,
            service: it.service.as_ref(),
            address: it.destination.as_ref().map(Where::of),
            order: it.order,
            merged_into: it.merged_into,
            expires_at: it.expires_at,
        }
    }
}

impl<'a> Costs<'a> {
    fn of(cart: &cart::Created, priced: &'a Priced) -> Self {
        let quote = &priced.quote;
        let of_lines = cart.problems(&priced.offers).into_iter().map(Problem::Line);
        // Checkout asks for it before anything else, and prices do without.
        let nowhere = cart.destination.is_none() && !cart.lines.is_empty();
        let nowhere = nowhere.then(|| Problem::Nowhere { code: Rejection::NoDestination.code() });
        Self {
            discount: quote.discount,
            shipping: quote.shipping_price,
            tax: quote.tax,
            discounts: &quote.discounts,
            delivery: quote.shipping.as_ref(),
            problems: of_lines.chain(nowhere).chain(quote.problems.iter().map(Problem::Cart)).collect(),
        }
    }
}
