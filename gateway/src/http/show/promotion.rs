//! How promotions, the tax book and the shipping book look from outside: the domain's own forms, described.

use byteshop_domain::ids::PromotionId;
use byteshop_domain::promotion::{self, CouponCode, LIST_MAX, Standing};
use byteshop_domain::text::{Country, Label, Name, PostalCode, Slug};
use byteshop_domain::{Bounded, shipping_book, tax_book};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::openapi::max;
use super::Money;
use super::price::Days;

/// A list of the terms, whatever it lists.
type TermsList = Bounded<(), LIST_MAX>;
/// Rates of a country or a region.
type Rates = Bounded<Vec<tax_book::Rate>, { tax_book::RATES_MAX }>;
/// How postal codes begin.
type Areas = Bounded<Vec<PostalCode>, { tax_book::AREAS_MAX }>;
/// Bands, or prices, of a service.
type Bands = Bounded<Vec<shipping_book::Band>, { shipping_book::BANDS_MAX }>;

/// A promotion.
#[derive(Serialize, ToSchema)]
pub struct Promotion<'a> {
    #[schema(value_type = String, example = "cpn_01h455vb4pex5vsknk084sn02q")]
    id: PromotionId,
    /// `scheduled` (its period is yet to begin), `active`, `paused`, `over` (its period has passed) or `ended`.
    #[schema(value_type = String, example = "active")]
    status: Standing,
    #[schema(value_type = Terms)]
    terms: &'a promotion::Terms,
    /// How often it was used by orders that are not off; counted only where it is limited in total.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<i64>,
}

impl<'a> Promotion<'a> {
    /// A promotion as it stands at a moment.
    pub fn of(id: PromotionId, it: &'a promotion::Created, at: DateTime<Utc>, used: Option<i64>) -> Self {
        Self { id, status: it.standing(at), terms: &it.terms, used }
    }
}

/// What a promotion gives, of what, for whom and when.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Terms {
    /// What people see in their cart and on their invoice.
    #[schema(example = "Spring sale", min_length = 1, default = max::<Label>)]
    label: String,
    /// What is entered to get it, in any capitals; without, it is given by itself.
    #[schema(example = "SPRING-26", min_length = 3, default = max::<CouponCode>, pattern = "^[A-Za-z0-9_-]+$")]
    code: Option<String>,
    benefit: Benefit,
    /// Of what; everything when nothing is said.
    target: Option<Target>,
    conditions: Option<Conditions>,
    limits: Option<Limits>,
    /// The higher, the earlier it is taken off; 0 when nothing is said.
    priority: Option<i16>,
    /// Whether it is given alone.
    exclusive: Option<bool>,
    /// Whether its code can be entered beside others of which this is said, too.
    combinable: Option<bool>,
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
}

/// What a promotion gives.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub enum Benefit {
    /// A share of what each line of the target costs.
    Percent {
        #[schema(example = 1000, maximum = 10_000)]
        percent_bps: u16,
    },
    /// An amount off the target's lines together, once per currency.
    Fixed {
        #[schema(value_type = Vec<Money>, default = max::<TermsList>)]
        amounts: Vec<promotion::SubtotalTier>,
    },
    /// What sending costs, by these services or by any.
    FreeShipping {
        #[schema(default = max::<TermsList>)]
        services: Option<Vec<String>>,
    },
    /// For so many pieces of the target, so many others, or of the target itself, for less.
    BuyGet {
        #[schema(minimum = 1, maximum = 1_000_000)]
        buy: i64,
        #[schema(minimum = 1, maximum = 1_000_000)]
        get: i64,
        of: Option<Target>,
        #[schema(example = 10_000, maximum = 10_000)]
        percent_bps: u16,
        /// How many times in one order; as often as it fits when nothing is said.
        #[schema(minimum = 1, maximum = 1_000_000)]
        times: Option<i64>,
    },
    /// A share of the target that grows with what it costs.
    BySubtotal {
        #[schema(value_type = Vec<SubtotalTier>, default = max::<TermsList>)]
        tiers: Vec<promotion::SubtotalTier>,
    },
    /// A share of the target that grows with how many pieces it is.
    ByQuantity {
        #[schema(value_type = Vec<QuantityTier>, default = max::<TermsList>)]
        tiers: Vec<promotion::QuantityTier>,
    },
}

/// From an amount on, a share.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct SubtotalTier {
    from: Money,
    #[schema(maximum = 10_000)]
    percent_bps: u16,
}

/// From a number of pieces on, a share.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct QuantityTier {
    #[schema(minimum = 1, maximum = 1_000_000)]
    from: i64,
    #[schema(maximum = 10_000)]
    percent_bps: u16,
}

/// Lines of an order.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub enum Target {
    /// All of them.
    Order {},
    /// Those of products.
    Products {
        #[schema(min_items = 1, default = max::<TermsList>)]
        products: Vec<String>,
    },
    /// Those of products in categories and in what is under them.
    Categories {
        #[schema(min_items = 1, default = max::<TermsList>)]
        categories: Vec<String>,
    },
    /// Those of variants.
    Variants {
        #[schema(min_items = 1, default = max::<TermsList>)]
        variants: Vec<String>,
    },
}

/// What must be so, all of it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Conditions {
    /// What the goods cost at least before discounts, once per currency.
    #[schema(default = max::<TermsList>)]
    minimum_subtotal: Option<Vec<Money>>,
    /// How many pieces of the target there are at least.
    #[schema(minimum = 1, maximum = 1_000_000)]
    minimum_quantity: Option<i64>,
    /// One of these is in the order.
    contains: Option<Target>,
    /// It is the customer's first order.
    first_order: Option<bool>,
    /// It is one of these accounts.
    #[schema(default = max::<TermsList>)]
    customers: Option<Vec<String>>,
    /// It goes to one of these countries, by ISO 3166 code.
    #[schema(default = max::<TermsList>)]
    countries: Option<Vec<String>>,
    /// It is in one of these currencies.
    #[schema(default = max::<TermsList>)]
    currencies: Option<Vec<String>>,
}

/// How often it can be used.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Limits {
    #[schema(minimum = 1)]
    total: Option<u32>,
    #[schema(minimum = 1)]
    per_customer: Option<u32>,
}

/// How a country taxes.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct CountryTax {
    /// ISO 3166 alpha-2.
    #[schema(example = "DE", pattern = "^[A-Z]{2}$")]
    country: String,
    /// Whether prices there include the tax; they do when nothing is said.
    prices_include_tax: Option<bool>,
    #[schema(default = max::<Rates>)]
    rates: Vec<TaxRate>,
    /// Parts of it that are taxed otherwise.
    #[schema(default = max::<Bounded<Vec<tax_book::Region>, { tax_book::REGIONS_MAX }>>)]
    regions: Option<Vec<Region>>,
}

/// A rate, from a day on.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct TaxRate {
    /// `standard`, `reduced`, `super_reduced` or `zero`.
    #[schema(example = "standard")]
    class: String,
    /// In hundredths of a percent.
    #[schema(example = 1900, maximum = 10_000)]
    rate_bps: u16,
    valid_from: NaiveDate,
}

/// A part of a country that is taxed otherwise.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Region {
    #[schema(default = max::<Name>)]
    name: String,
    /// How its postal codes begin: at most three capitals and digits each.
    #[schema(example = json!(["35", "38"]), min_items = 1, default = max::<Areas>)]
    areas: Vec<String>,
    #[schema(default = max::<Rates>)]
    rates: Vec<TaxRate>,
}

/// A part of the world, and how things are sent there.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct ShippingZone {
    #[schema(example = "germany", default = max::<Slug>)]
    zone: String,
    #[schema(default = max::<Name>)]
    name: String,
    /// By ISO 3166 code; none for the rest of the world.
    #[schema(default = max::<Bounded<Vec<Country>, { tax_book::COUNTRIES_MAX }>>)]
    countries: Option<Vec<String>>,
    /// How the postal codes of this part begin: at most three capitals and digits each.
    #[schema(default = max::<Areas>)]
    areas: Option<Vec<String>>,
    #[schema(default = max::<Bounded<Vec<shipping_book::Service>, { shipping_book::SERVICES_MAX }>>)]
    services: Vec<ShippingService>,
}

/// A way to send things.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct ShippingService {
    #[schema(example = "parcel", default = max::<Slug>)]
    service: String,
    #[schema(default = max::<Name>)]
    name: String,
    #[schema(default = max::<Name>)]
    carrier: Option<String>,
    /// What it costs by weight, the lightest first.
    #[schema(min_items = 1, default = max::<Bands>)]
    bands: Vec<Band>,
    /// From which subtotal on it costs nothing, once per currency.
    #[schema(default = max::<Bands>)]
    free_over: Option<Vec<Money>>,
    days: Days,
    /// `standard` when nothing is said.
    tax_class: Option<String>,
}

/// What something costs up to a weight.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Band {
    up_to_g: u32,
    /// Once per currency.
    #[schema(default = max::<Bands>)]
    prices: Vec<Money>,
}
