//! What prevents an order from being placed as its buyer expects.

use std::fmt;

use serde::Serialize;

use crate::address::Part;
use crate::ids::SellerId;
use crate::promotion::CouponCode;
use crate::text::{Country, Slug};

/// Why an order cannot be placed like this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = CartPriceProblem))]
pub enum Problem {
    /// No promotion has the code.
    CouponUnknown {
        /// The code.
        coupon: CouponCode,
    },
    /// The promotion has not started.
    CouponTooEarly {
        /// The code.
        coupon: CouponCode,
    },
    /// The promotion has ended or is paused.
    CouponExpired {
        /// The code.
        coupon: CouponCode,
    },
    /// The promotion is used up, by all customers or by this one.
    CouponUsedUp {
        /// The code.
        coupon: CouponCode,
    },
    /// The promotion is limited per customer, and the customer is not known.
    CouponNeedsEmail {
        /// The code.
        coupon: CouponCode,
    },
    /// The promotion does not apply to this order.
    CouponNotApplicable {
        /// The code.
        coupon: CouponCode,
        /// The condition that is not met.
        reason: UnmetCondition,
    },
    /// The promotion cannot be combined with another one that applies.
    CouponNotCombinable {
        /// The code.
        coupon: CouponCode,
    },
    /// The country is not an ISO 3166 code, so shipping and taxes are unknown.
    CountryUnknown {
        /// The country as it was given.
        country: Country,
    },
    /// The address lacks something that a parcel, or a mail to a guest, needs.
    AddressIncomplete {
        /// The missing parts: `name` (or `company`), `lines` and `city` if something is shipped, `email` of a guest.
        missing: Vec<Part>,
    },
    /// No service ships this there, or none has a price in this currency.
    NoShipping {
        /// The country.
        country: Country,
        /// The seller whose own services do not; absent if it is the house.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(nullable = false))]
        seller: Option<SellerId>,
    },
    /// Goods are shipped, and no service is chosen.
    ShippingNotChosen {},
    /// The chosen service is not available for this cart.
    ShippingGone {
        /// The service.
        service: Slug,
        /// The seller whose service it is; absent if it is the house's.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(nullable = false))]
        seller: Option<SellerId>,
    },
}

/// A condition of a promotion that is not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnmetCondition {
    /// The promotion is not valid in this currency.
    Currency,
    /// The subtotal is too low.
    MinimumSubtotal,
    /// There are too few pieces.
    MinimumQuantity,
    /// The order contains none of the goods that the promotion is for.
    Goods,
    /// It is not the customer's first order.
    FirstOrder,
    /// The promotion is for other customers.
    Customer,
    /// The promotion is for other countries.
    Country,
    /// The promotion is for other shipping services.
    Service,
}

impl Problem {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::CouponUnknown { .. } => "coupon_unknown",
            Self::CouponTooEarly { .. } => "coupon_too_early",
            Self::CouponExpired { .. } => "coupon_expired",
            Self::CouponUsedUp { .. } => "coupon_used_up",
            Self::CouponNeedsEmail { .. } => "coupon_needs_email",
            Self::CouponNotApplicable { .. } => "coupon_not_applicable",
            Self::CouponNotCombinable { .. } => "coupon_not_combinable",
            Self::CountryUnknown { .. } => "country_unknown",
            Self::AddressIncomplete { .. } => "address_incomplete",
            Self::NoShipping { .. } => "no_shipping",
            Self::ShippingNotChosen {} => "shipping_not_chosen",
            Self::ShippingGone { .. } => "shipping_gone",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CouponUnknown { coupon } => write!(f, "the code {coupon} is unknown"),
            Self::CouponTooEarly { coupon } => write!(f, "the code {coupon} cannot be used yet"),
            Self::CouponExpired { coupon } => write!(f, "the code {coupon} cannot be used any more"),
            Self::CouponUsedUp { coupon } => write!(f, "the code {coupon} is used up"),
            Self::CouponNeedsEmail { coupon } => {
                write!(f, "the code {coupon} is limited per customer: log in, or give an e-mail address")
            }
            Self::CouponNotApplicable { coupon, reason } => write!(f, "the code {coupon} is {reason}"),
            Self::CouponNotCombinable { coupon } => {
                write!(f, "the code {coupon} cannot be combined with the discounts that already apply")
            }
            Self::CountryUnknown { country } => {
                write!(f, "`{country}` is not a country; use an ISO 3166 code such as DE")
            }
            Self::AddressIncomplete { missing } => {
                let missing: Vec<_> = missing.iter().map(|part| part.for_people()).collect();
                write!(f, "the address lacks {}", missing.join(", "))
            }
            Self::NoShipping { country, seller: _ } => write!(
                f,
                "no service carries a parcel of this weight to {country}, or none has a price in this currency"
            ),
            Self::ShippingNotChosen {} => {
                f.write_str("no shipping service is chosen: choose one of the shipping options")
            }
            Self::ShippingGone { service, seller: _ } => {
                write!(f, "the service {service} is not available for this cart")
            }
        }
    }
}

impl fmt::Display for UnmetCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Currency => "not valid in this currency",
            Self::MinimumSubtotal => "valid from a higher subtotal on",
            Self::MinimumQuantity => "valid from more pieces on",
            Self::Goods => "only for other goods",
            Self::FirstOrder => "only for a first order",
            Self::Customer => "only for other customers",
            Self::Country => "only for other countries",
            Self::Service => "only for other shipping services",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::text;

    #[test]
    fn a_problem_names_what_it_is_about() {
        let missing = vec![Part::Name, Part::City];
        assert_eq!(Problem::AddressIncomplete { missing }.to_string(), "the address lacks a name, a city");
        let country = Problem::CountryUnknown { country: text("Utopia") };
        assert_eq!(country.to_string(), "`Utopia` is not a country; use an ISO 3166 code such as DE");
        let shipping = Problem::ShippingGone { service: text("parcel"), seller: None };
        assert_eq!(shipping.to_string(), "the service parcel is not available for this cart");
        let coupon = Problem::CouponNotApplicable { coupon: text("TEN"), reason: UnmetCondition::FirstOrder };
        assert_eq!(coupon.to_string(), "the code TEN is only for a first order");
    }
}
