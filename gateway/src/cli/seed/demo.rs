//! The demo shop as its file describes it, what was made of it, and in whose name.

use byteshop_commands::{Intent, Key};
use byteshop_domain::ids::ProductId;
use byteshop_domain::product::{self, Attributes};
use byteshop_domain::promotion::Terms;
use byteshop_domain::quantity::Quantity;
use byteshop_domain::text::{Description, Name, Slug, Title};
use byteshop_eventstore::Clock;
use serde::{Deserialize, Serialize};

use crate::operator;

/// The demo shop.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Demo {
    /// Parents before their children.
    pub(super) categories: Vec<DemoCategory>,
    pub(super) products: Vec<DemoProduct>,
}

/// A category of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DemoCategory {
    pub(super) slug: Slug,
    pub(super) name: Name,
    pub(super) parent: Option<String>,
}

/// A product of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DemoProduct {
    /// The slug of its category.
    pub(super) category: String,
    pub(super) title: Title,
    pub(super) description: Description,
    pub(super) attributes: Attributes,
    pub(super) variants: Vec<DemoVariant>,
}

/// A variant of a product.
#[derive(Deserialize)]
pub(super) struct DemoVariant {
    pub(super) stock: Quantity,
    #[serde(flatten)]
    pub(super) details: product::Variant,
}

/// A product that was made, now or earlier.
#[derive(Serialize)]
pub(super) struct Made<'a> {
    pub(super) product: ProductId,
    pub(super) title: &'a str,
    pub(super) category: &'a str,
    pub(super) variants: usize,
    pub(super) on_hand: i64,
    /// Whether this run made it.
    pub(super) new: bool,
}

/// The contents of the demo shop, created now or earlier.
pub(super) struct Seeded<'a> {
    pub(super) products: Vec<Made<'a>>,
    pub(super) promotions: Vec<Terms>,
    /// The data that was kept, because the shop has its own.
    pub(super) left: Vec<Own>,
}

/// Data of a shop that the demo does not replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Own {
    TaxRates,
    ShippingZones,
}

impl Own {
    /// As people read it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TaxRates => "tax rates",
            Self::ShippingZones => "shipping zones",
        }
    }
}

/// How many things there are, as progress counts them.
pub(super) fn count(things: usize) -> i64 {
    i64::try_from(things).unwrap_or(i64::MAX)
}

/// A command of the operator who seeds; its key makes it happen once, whatever the demo shop of a later version says.
pub(super) fn intent(command: &'static str, key: String) -> Intent {
    let key = Key { who: "seed".to_owned(), fingerprint: key.clone().into_bytes(), key, kept_for: None };
    Intent { key: Some(key), ..Intent::new(operator::actor(), command, Clock.new_id()) }
}
