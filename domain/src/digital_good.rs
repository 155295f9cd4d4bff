//! A digital good: the link that a variant delivers, and how long and how often its buyers can follow it.
//!
//! ```text
//! (missing) ──opened──▶ open ─┐ link set, changed or removed
//!                        ▲    │ limits set: they hold for orders that are paid from then on
//!                        └────┘
//! ```
//!
//! The link is sealed with a key of the variant, as everyone who knows it has the good. Only the buyer of a paid order is led to it.

use serde::{Deserialize, Serialize};

use crate::Personal;
use crate::decider::{Asked, Decider};
use crate::ids::{DigitalGoodId, Id as _, ProductId, VariantId};
use crate::text::{Link, Sku};

#[cfg(test)]
mod tests;

/// The maximum number of days for which a good can be downloaded, if that is limited: ten years.
pub const DAYS_MAX: u32 = 3_650;
/// The maximum number of downloads of a piece, and their number if it is not limited: more than a person needs, and few enough that
/// the events of an order stay a short stream.
pub const DOWNLOADS_MAX: u32 = 1_000;

/// The digital good of a variant.
pub fn id(variant: VariantId) -> DigitalGoodId {
    DigitalGoodId::from_uuid(variant.uuid())
}

/// The variant of a digital good.
pub fn variant(id: DigitalGoodId) -> VariantId {
    VariantId::from_uuid(id.uuid())
}

/// How long and how often buyers can download.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// For how many days after the payment; absent for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// How often, for each piece that was bought; absent for [`DOWNLOADS_MAX`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downloads: Option<u32>,
}

/// What happened to a digital good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A variant is delivered as a download from now on.
    Opened {
        /// The product.
        product: ProductId,
        /// The SKU.
        sku: Sku,
    },
    /// The link was set, changed or removed.
    LinkSet {
        /// The link; absent if there is none any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<Personal<Link>>,
    },
    /// The limits were set.
    LimitsSet(Limits),
}

impl crate::Event for Event {}

/// The commands of a digital good.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Open it.
    Open {
        /// The product.
        product: ProductId,
        /// The SKU.
        sku: Sku,
    },
    /// Set the link, or remove it.
    SetLink {
        /// The link.
        link: Option<Personal<Link>>,
    },
    /// Set the limits.
    SetLimits(Limits),
}

/// The state of a digital good.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DigitalGood {
    /// The product of the variant; absent before it is opened.
    pub product: Option<ProductId>,
    /// The SKU of the variant; absent before it is opened.
    pub sku: Option<Sku>,
    /// The link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Personal<Link>>,
    /// The limits for orders that are paid from now on.
    #[serde(flatten)]
    pub limits: Limits,
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        Missing => Missing: "the variant is not delivered as a download";
        Physical => Conflict: "the variant is a physical item, and only items that are not physical can be downloaded";
        GiftCards => Conflict: "the variant delivers gift cards, and no downloads";
        NotHttps => Invalid at "/link": "the link must be a URL that begins with https:// and a host name, without a user name";
        WrongDays => Invalid at "/days": "a download is possible for 1 to {DAYS_MAX} days";
        WrongDownloads => Invalid at "/downloads": "a piece has 1 to {DOWNLOADS_MAX} downloads";
    }
}

type Decision = Result<Vec<Event>, Rejection>;

/// Refuses a link that is not encrypted on its way, or that would show the buyer a password of the vendor.
pub fn check_link(link: &Link) -> Result<(), Rejection> {
    let authority = link.as_str().strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
    let is_host = |text: &str| text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[');
    match authority {
        Some(authority) if is_host(authority) && !authority.contains(['@', '\\']) => Ok(()),
        Some(_) | None => Err(Rejection::NotHttps),
    }
}

impl Decider for DigitalGood {
    const CATEGORY: &'static str = "digital_good";
    type Id = DigitalGoodId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Decision {
        if let Command::Open { product, sku } = command {
            let open = || Event::Opened { product: *product, sku: sku.clone() };
            return Ok(if self.product.is_some() { vec![] } else { vec![open()] });
        }
        if self.product.is_none() {
            return Err(Rejection::Missing);
        }
        match command {
            // Opened above.
            Command::Open { .. } => Ok(vec![]),
            Command::SetLink { link: None } if self.link.is_none() => Ok(vec![]),
            Command::SetLink { link } => Ok(vec![Event::LinkSet { link: link.clone() }]),
            Command::SetLimits(limits) => self.set_limits(*limits),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Opened { product, sku } => {
                self.product = Some(*product);
                self.sku = Some(sku.clone());
            }
            Event::LinkSet { link } => self.link.clone_from(link),
            Event::LimitsSet(limits) => self.limits = *limits,
        }
        self
    }
}

impl DigitalGood {
    /// Whether there is something to deliver.
    pub fn is_deliverable(&self) -> bool {
        self.link.is_some()
    }

    fn set_limits(&self, limits: Limits) -> Decision {
        let within = |number: Option<u32>, most| number.is_none_or(|number| (1..=most).contains(&number));
        if !within(limits.days, DAYS_MAX) {
            return Err(Rejection::WrongDays);
        }
        if !within(limits.downloads, DOWNLOADS_MAX) {
            return Err(Rejection::WrongDownloads);
        }
        Ok(if limits == self.limits { vec![] } else { vec![Event::LimitsSet(limits)] })
    }
}
