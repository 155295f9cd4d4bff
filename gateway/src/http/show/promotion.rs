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
use super::names;
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
    /// `scheduled` (before its period), `active`, `paused`, `over` (after its period) or `ended`.
    #[schema(value_type = names::PromotionStatus, example = "active")]
    status: Standing,
    #[schema(value_type = Terms)]
    terms: &'a promotion::Terms,
    /// Uses by orders that are not cancelled; null unless the total is limited and one promotion is asked for as it is now.
    #[schema(required = true)]
    used: Option<i64>,
}

impl<'a> Promotion<'a> {
    /// A promotion as it stands at a moment.
    pub fn of(id: PromotionId, it: &'a promotion::Created, at: DateTime<Utc>, used: Option<i64>) -> Self {
        Self { id, status: it.standing(at), terms: &it.terms, used }
    }
}

/// The terms of a promotion, as they were set: what was left out is absent.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
#[schema(example = json!({"label": "Spring sale", "code": "SPRING-26", "benefit": {"kind": "percent", "percent_bps": 1000}}))]
pub struct Terms {
    /// The name shown in the cart and on the invoice.
    #[schema(example = "Spring sale", min_length = 1, default = max::<Label>)]
    label: String,
    /// The coupon code, case-insensitive; without one the promotion is automatic.
    #[schema(example = "SPRING-26", min_length = 3, default = max::<CouponCode>, pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    code: Option<String>,
    benefit: Benefit,
    /// What it applies to; everything by default.
    #[schema(nullable = false)]
    target: Option<Target>,
    #[schema(nullable = false)]
    conditions: Option<Conditions>,
    #[schema(nullable = false)]
    limits: Option<Limits>,
    /// Promotions with a higher priority are applied first; default 0.
    #[schema(nullable = false)]
    priority: Option<i16>,
    /// Whether it excludes other promotions.
    #[schema(nullable = false)]
    exclusive: Option<bool>,
    /// Whether its code can be combined with other combinable codes.
    #[schema(nullable = false)]
    combinable: Option<bool>,
    #[schema(nullable = false)]
    from: Option<DateTime<Utc>>,
    #[schema(nullable = false)]
    until: Option<DateTime<Utc>>,
}

/// The benefit of a promotion.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub enum Benefit {
    /// A percentage off each target line.
    Percent {
        #[schema(example = 1000, maximum = 10_000)]
        percent_bps: u16,
    },
    /// A fixed amount off the target lines together, once per currency.
    Fixed {
        #[schema(value_type = Vec<Money>, default = max::<TermsList>)]
        amounts: Vec<promotion::SubtotalTier>,
    },
    /// Free shipping by these services; by any of them if absent.
    FreeShipping {
        #[schema(default = max::<TermsList>, nullable = false)]
        services: Option<Vec<String>>,
    },
    /// Buy `buy` pieces of the target, get `get` pieces (of it, or of `of`) at a discount.
    BuyGet {
        #[schema(minimum = 1, maximum = 1_000_000)]
        buy: i64,
        #[schema(minimum = 1, maximum = 1_000_000)]
        get: i64,
        #[schema(nullable = false)]
        of: Option<Target>,
        #[schema(example = 10_000, maximum = 10_000)]
        percent_bps: u16,
        /// The maximum number of times per order; unlimited if absent.
        #[schema(minimum = 1, maximum = 1_000_000, nullable = false)]
        times: Option<i64>,
    },
    /// A percentage off the target that grows with its amount.
    BySubtotal {
        #[schema(value_type = Vec<SubtotalTier>, default = max::<TermsList>)]
        tiers: Vec<promotion::SubtotalTier>,
    },
    /// A percentage off the target that grows with the quantity.
    ByQuantity {
        #[schema(value_type = Vec<QuantityTier>, default = max::<TermsList>)]
        tiers: Vec<promotion::QuantityTier>,
    },
}

/// The percentage from a minimum amount on.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct SubtotalTier {
    from: Money,
    #[schema(maximum = 10_000)]
    percent_bps: u16,
}

/// The percentage from a minimum quantity on.
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
    /// Every line of the order.
    Order {},
    /// These products.
    Products {
        #[schema(min_items = 1, default = max::<TermsList>)]
        products: Vec<String>,
    },
    /// Products in these categories or their descendants.
    Categories {
        #[schema(min_items = 1, default = max::<TermsList>)]
        categories: Vec<String>,
    },
    /// These variants.
    Variants {
        #[schema(min_items = 1, default = max::<TermsList>)]
        variants: Vec<String>,
    },
}

/// Conditions, all of which must hold.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Conditions {
    /// The minimum subtotal before discounts, once per currency.
    #[schema(default = max::<TermsList>, nullable = false)]
    minimum_subtotal: Option<Vec<Money>>,
    /// The minimum number of pieces of the target.
    #[schema(minimum = 1, maximum = 1_000_000, nullable = false)]
    minimum_quantity: Option<i64>,
    /// The order contains one of these.
    #[schema(nullable = false)]
    contains: Option<Target>,
    /// It is the customer's first order.
    #[schema(nullable = false)]
    first_order: Option<bool>,
    /// The customer is one of these accounts.
    #[schema(default = max::<TermsList>, nullable = false)]
    customers: Option<Vec<String>>,
    /// The destination is one of these countries (ISO 3166 codes).
    #[schema(default = max::<TermsList>, nullable = false)]
    countries: Option<Vec<String>>,
    /// The currency is one of these.
    #[schema(default = max::<TermsList>, nullable = false)]
    currencies: Option<Vec<String>>,
}

/// Limits on its use.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Limits {
    #[schema(minimum = 1, nullable = false)]
    total: Option<u32>,
    #[schema(minimum = 1, nullable = false)]
    per_customer: Option<u32>,
}

/// The taxes of a country.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct CountryTax {
    /// ISO 3166 alpha-2 country code.
    #[schema(example = "DE", pattern = "^[A-Z]{2}$")]
    country: String,
    /// Whether prices include tax there; true by default.
    #[schema(nullable = false)]
    prices_include_tax: Option<bool>,
    #[schema(default = max::<Rates>)]
    rates: Vec<TaxRate>,
    /// Regions with tax rates of their own.
    #[schema(default = max::<Bounded<Vec<tax_book::Region>, { tax_book::REGIONS_MAX }>>, nullable = false)]
    regions: Option<Vec<Region>>,
}

/// A rate that applies from a given day on.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct TaxRate {
    /// The tax class.
    #[schema(example = "standard")]
    class: names::TaxClass,
    /// In basis points (hundredths of a percent). This or `rate_ppm` is required; answers always have it, rounded if the rate
    /// has more digits.
    #[schema(example = 1900, maximum = 10_000, nullable = false)]
    rate_bps: Option<u16>,
    /// In millionths, for rates with more digits: 88750 is 8.875 %.
    #[schema(example = 88_750, maximum = 1_000_000, nullable = false)]
    rate_ppm: Option<u32>,
    valid_from: NaiveDate,
}

/// A region with tax rates of its own.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Region {
    #[schema(default = max::<Name>)]
    name: String,
    /// Prefixes of its postal codes, at most three capital letters and digits each.
    #[schema(example = json!(["35", "38"]), min_items = 1, default = max::<Areas>)]
    areas: Vec<String>,
    #[schema(default = max::<Rates>)]
    rates: Vec<TaxRate>,
}

/// A shipping zone and its services.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct ShippingZone {
    #[schema(example = "germany", default = max::<Slug>)]
    zone: String,
    #[schema(default = max::<Name>)]
    name: String,
    /// ISO 3166 codes; empty for the rest of the world.
    #[schema(default = max::<Bounded<Vec<Country>, { tax_book::COUNTRIES_MAX }>>, nullable = false)]
    countries: Option<Vec<String>>,
    /// Prefixes of the zone's postal codes, at most three capital letters and digits each.
    #[schema(default = max::<Areas>, nullable = false)]
    areas: Option<Vec<String>>,
    #[schema(default = max::<Bounded<Vec<shipping_book::Service>, { shipping_book::SERVICES_MAX }>>)]
    services: Vec<ShippingService>,
}

/// A shipping service.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct ShippingService {
    #[schema(example = "parcel", default = max::<Slug>)]
    service: String,
    #[schema(default = max::<Name>)]
    name: String,
    #[schema(default = max::<Name>, nullable = false)]
    carrier: Option<String>,
    /// Prices by weight, lightest first.
    #[schema(min_items = 1, default = max::<Bands>)]
    bands: Vec<Band>,
    /// The subtotal from which shipping is free, once per currency.
    #[schema(default = max::<Bands>, nullable = false)]
    free_over: Option<Vec<Money>>,
    days: Days,
    /// `standard` by default.
    #[schema(nullable = false)]
    tax_class: Option<names::TaxClass>,
}

/// The price up to a weight.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Band {
    up_to_g: u32,
    /// Once per currency.
    #[schema(default = max::<Bands>)]
    prices: Vec<Money>,
}
