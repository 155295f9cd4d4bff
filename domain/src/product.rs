//! A product and its variants: what is shown, and what can be bought at which price.
//!
//! ```text
//! (missing) ──created──▶ draft ──published──▶ published ◀──published──┐
//!                          │                    │   └───unpublished──▶ unpublished
//!                          └────────archived────┴───────archived──────────┘
//!                                       ▼
//!                                   archived (final)
//! ```
//!
//! Variants are part of the product: it is published with at least one, and keeps one for as long as it is published. The
//! [name](crate::name) of the SKU, claimed in the same append, keeps two variants from sharing a SKU. Archiving a product
//! releases its SKUs in the same append; to restore it, each of them would have to be claimed again, which fails if another
//! product has it by then.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Currency;
use crate::decider::{Asked, Decider};
use crate::ids::{CategoryId, ImageId, ProductId, SellerId, VariantId};
use crate::money::Price;
use crate::seller::Seller;
use crate::text::{Description, Label, Title};

mod attribute;
mod commands;
mod events;
mod fitting;
mod image;
mod options;
mod price_history;
mod rejections;
mod schedule;
mod variant;

pub use attribute::{AttributeValue, Attributes};
pub use commands::Command;
pub use events::Event;
pub use image::{IMAGE_PATH, Image, ImageType, THUMBNAILS, reorder};
use options::fits;
pub use options::{OptionDefinition, Options, combinations, in_order};
pub use price_history::{Entry as PriceEntry, LOOK_BACK, PriceHistory, Reduction, price_history};
pub use rejections::{
    ATTRIBUTES_MAX, CURRENCIES_MAX, IMAGES_MAX, OPTION_VALUES_MAX, OPTIONS_MAX, Rejection, VARIANTS_MAX, WEIGHT_MAX_G,
};
pub use schedule::{Refusal, Schedule};
pub use variant::{Listed, TaxClass, Variant, VariantChange};
use variant::{check_details, check_prices, replace};

/// The state of a product.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Product {
    /// The product does not exist.
    #[default]
    Missing,
    /// The product exists.
    Created(Box<Created>),
}

/// A product that exists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Created {
    /// The status.
    pub status: Status,
    /// The title.
    pub title: Title,
    /// The description.
    pub description: Description,
    /// The category.
    pub category: Option<CategoryId>,
    /// The seller whose product it is; none for the house.
    pub seller: Option<SellerId>,
    /// The values of its attributes.
    pub attributes: Attributes,
    /// The options; if empty, variants may differ in anything.
    pub options: Vec<OptionDefinition>,
    /// The images, in display order.
    pub images: Vec<Image>,
    /// When it is published and unpublished automatically.
    pub schedule: Schedule,
    /// Why the last scheduled publication was refused, until it is published or scheduled again.
    pub refusal: Option<Refusal>,
    /// The variants.
    pub variants: BTreeMap<VariantId, Variant>,
}

/// The status of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not published yet.
    Draft,
    /// Published: shown and sold.
    Published,
    /// Unpublished.
    Unpublished,
    /// Archived for good.
    Archived,
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Product {
    const CATEGORY: &'static str = "product";
    type Id = ProductId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        match command {
            Command::Create { .. } => self.create(command),
            Command::Revise { .. } => self.active()?.revise(command),
            Command::DefineOptions { options } => self.active()?.define_options(options),
            Command::AddImage(image) => self.active()?.add_image(image),
            Command::OrderImages { images } => self.active()?.order_images(images),
            Command::DescribeImage { image, alt } => self.active()?.describe_image(*image, alt.as_ref()),
            Command::RemoveImage { image } => Ok(self.active()?.remove_image(*image)),
            Command::AddVariant { variant, details } => self.active()?.add(*variant, details),
            Command::ReviseVariant { variant, change } => self.active()?.revise_variant(*variant, change),
            Command::SetPrice { variant, price, compare_at } => self.active()?.set_price(*variant, *price, *compare_at),
            Command::SetPrices { variant, prices } => self.active()?.set_prices(*variant, prices),
            Command::RemoveVariant { variant } => self.active()?.remove(*variant),
            Command::Publish {} => self.active()?.publish(),
            Command::PublishWithin(schedule) => self.active()?.publish_within(*schedule, asked.at),
            Command::PublishDue { at } => self.active()?.publish_due(*at),
            Command::RefusePublication { at, code, because } => {
                let due = self.live()?.is_due(*at);
                let refused = Event::PublicationRefused { at: *at, code: code.clone(), because: because.clone() };
                Ok(if due { vec![refused] } else { vec![] })
            }
            Command::Unpublish {} => self.active()?.unpublish(),
            Command::UnpublishDue { until } => self.active()?.unpublish_due(*until),
            Command::Archive {} => match self.live()?.status {
                Status::Archived => Ok(vec![]),
                Status::Draft | Status::Published | Status::Unpublished => Ok(vec![Event::Archived {}]),
            },
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Created { title, description, category, attributes, seller } => Self::Created(Box::new(Created {
                status: Status::Draft,
                title: title.clone(),
                description: description.clone(),
                category: *category,
                seller: *seller,
                attributes: attributes.clone(),
                options: vec![],
                images: vec![],
                schedule: Schedule::default(),
                refusal: None,
                variants: BTreeMap::new(),
            })),
            Event::Revised { title, description, category, attributes } => self.with(|it| {
                replace(&mut it.title, title.as_ref());
                replace(&mut it.description, description.as_ref());
                replace(&mut it.category, category.as_ref());
                replace(&mut it.attributes, attributes.as_ref());
            }),
            Event::VariantAdded { variant, details } => self.with(|it| {
                let mut details = details.clone();
                in_order(&mut details.options, &it.options);
                it.variants.insert(*variant, details);
            }),
            Event::VariantRevised { variant, change } => self.with(|it| {
                if let Some(known) = it.variants.get_mut(variant) {
                    known.change(change);
                    in_order(&mut known.options, &it.options);
                }
            }),
            Event::PriceSet { variant, price, compare_at, .. } => {
                let listed = Listed { price: *price, compare_at: *compare_at };
                self.with_variant(*variant, |it| it.set_listed(listed))
            }
            Event::PriceWithdrawn { variant, price } => self.with_variant(*variant, |it| it.withdraw(price.currency())),
            Event::VariantRemoved { variant, .. } => self.with(|it| {
                it.variants.remove(variant);
            }),
            Event::OptionsDefined { options } => self.with(|it| {
                it.options.clone_from(options);
                it.variants.values_mut().for_each(|variant| in_order(&mut variant.options, options));
            }),
            Event::ImageAdded(image) => self.with(|it| it.images.push(image.clone())),
            Event::ImagesOrdered { images } => self.with(|it| reorder(&mut it.images, images)),
            Event::ImageDescribed { image, alt } => self.with(|it| {
                it.images.iter_mut().filter(|it| it.image == *image).for_each(|it| it.alt.clone_from(alt));
            }),
            Event::ImageRemoved { image } => self.with(|it| it.images.retain(|it| it.image != *image)),
            Event::Scheduled(schedule) => self.with(|it| (it.schedule, it.refusal) = (*schedule, None)),
            Event::PublicationRefused { at, code, because } => self.with(|it| {
                it.schedule = Schedule::default();
                it.refusal = Some(Refusal { at: *at, code: code.clone(), because: because.clone() });
            }),
            Event::Published {} => {
                self.with(|it| (it.status, it.schedule.at, it.refusal) = (Status::Published, None, None))
            }
            Event::Unpublished {} => self.hidden(Status::Unpublished),
            Event::Archived {} => self.hidden(Status::Archived),
        }
    }
}

impl Product {
    /// The product, if it exists.
    pub fn live(&self) -> Result<&Created, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Created(created) => Ok(created),
        }
    }

    fn active(&self) -> Result<&Created, Rejection> {
        let created = self.live()?;
        if created.status == Status::Archived { Err(Rejection::Archived) } else { Ok(created) }
    }

    fn create(&self, command: &Command) -> Decision {
        let Command::Create { title, description, category, attributes, seller } = command else {
            return Ok(vec![]);
        };
        if attributes.len() > ATTRIBUTES_MAX {
            return Err(Rejection::TooManyAttributes);
        }
        let event = Event::Created {
            title: title.clone(),
            description: description.clone(),
            category: *category,
            attributes: attributes.clone(),
            seller: *seller,
        };
        match self {
            Self::Missing => Ok(vec![event]),
            // The same again: already done.
            Self::Created(_) if Self::Missing.evolve(&event) == *self => Ok(vec![]),
            Self::Created(_) => Err(Rejection::Exists),
        }
    }

    fn hidden(self, status: Status) -> Self {
        self.with(|it| (it.status, it.schedule) = (status, Schedule::default()))
    }

    fn with(mut self, change: impl FnOnce(&mut Created)) -> Self {
        if let Self::Created(created) = &mut self {
            change(created);
        }
        self
    }

    fn with_variant(self, variant: VariantId, change: impl FnOnce(&mut Variant)) -> Self {
        self.with(|it| {
            if let Some(variant) = it.variants.get_mut(&variant) {
                change(variant);
            }
        })
    }
}

impl Created {
    fn revise(&self, command: &Command) -> Decision {
        let Command::Revise { title, description, category, attributes } = command else {
            return Ok(vec![]);
        };
        if attributes.as_ref().is_some_and(|attributes| attributes.len() > ATTRIBUTES_MAX) {
            return Err(Rejection::TooManyAttributes);
        }
        let title = changed(&self.title, title.as_ref());
        let description = changed(&self.description, description.as_ref());
        let category = changed(&self.category, category.as_ref());
        let attributes = changed(&self.attributes, attributes.as_ref());
        if title.is_none() && description.is_none() && category.is_none() && attributes.is_none() {
            return Ok(vec![]);
        }
        Ok(vec![Event::Revised { title, description, category, attributes }])
    }
}

/// The new value, if there is one and it differs.
fn changed<T: PartialEq + Clone>(old: &T, new: Option<&T>) -> Option<T> {
    new.filter(|new| *new != old).cloned()
}

impl Created {
    fn define_options(&self, options: &[OptionDefinition]) -> Decision {
        options::check(options)?;
        let mut combinations = BTreeSet::new();
        for (id, variant) in &self.variants {
            fits(options, &variant.options).map_err(|_| Rejection::VariantDoesNotFit { variant: *id })?;
            // The same combination, in whatever order its options stand.
            let combination: BTreeSet<_> = variant.options.iter().collect();
            if !combinations.insert(combination) && !options.is_empty() {
                return Err(Rejection::OptionsTwice);
            }
        }
        let same = self.options == options;
        Ok(if same { vec![] } else { vec![Event::OptionsDefined { options: options.to_vec() }] })
    }

    /// Refuses options of a variant that do not match the product's, or that another variant has.
    fn check_options(&self, id: VariantId, options: &Options) -> Result<(), Rejection> {
        if self.options.is_empty() {
            return Ok(());
        }
        fits(&self.options, options)?;
        let twice = self.variants.iter().any(|(other, variant)| *other != id && variant.options == *options);
        if twice { Err(Rejection::OptionsTwice) } else { Ok(()) }
    }
}

impl Created {
    fn add_image(&self, image: &Image) -> Decision {
        if let Some(known) = self.images.iter().find(|known| known.image == image.image) {
            return if known == image { Ok(vec![]) } else { Err(Rejection::ImageTwice) };
        }
        if self.images.iter().any(|known| known.digest == image.digest) {
            return Err(Rejection::ImageTwice);
        }
        if self.images.len() == IMAGES_MAX {
            return Err(Rejection::TooManyImages);
        }
        Ok(vec![Event::ImageAdded(image.clone())])
    }

    fn order_images(&self, images: &[ImageId]) -> Decision {
        let known: Vec<ImageId> = self.images.iter().map(|image| image.image).collect();
        let sorted = |images: &[ImageId]| {
            let mut images = images.to_vec();
            images.sort_unstable();
            images
        };
        if sorted(images) != sorted(&known) {
            return Err(Rejection::ImagesDiffer);
        }
        Ok(if images == known { vec![] } else { vec![Event::ImagesOrdered { images: images.to_vec() }] })
    }

    fn describe_image(&self, image: ImageId, alt: Option<&Label>) -> Decision {
        let known = self.images.iter().find(|known| known.image == image).ok_or(Rejection::NoSuchImage)?;
        let same = known.alt.as_ref() == alt;
        Ok(if same { vec![] } else { vec![Event::ImageDescribed { image, alt: alt.cloned() }] })
    }

    fn remove_image(&self, image: ImageId) -> Vec<Event> {
        // Unknown, so removed already or never there.
        let known = self.images.iter().any(|known| known.image == image);
        if known { vec![Event::ImageRemoved { image }] } else { vec![] }
    }
}

impl Created {
    /// Whether its publication is scheduled for this time.
    pub fn is_due(&self, at: DateTime<Utc>) -> bool {
        self.schedule.at == Some(at) && self.status != Status::Published
    }

    /// Whether buyers see it and can buy it: it is published, and its seller sells, if it is not of the house.
    pub fn is_sold(&self, seller: Option<&Seller>) -> bool {
        let by_seller = self.seller.is_none() || seller.is_some_and(Seller::is_active);
        self.status == Status::Published && by_seller
    }

    /// Whether it is published, or scheduled to be.
    pub fn is_to_be_seen(&self) -> bool {
        self.status == Status::Published || self.schedule.at.is_some()
    }

    /// Publishes it at a time, or now, until another time, or for good.
    fn publish_within(&self, schedule: Schedule, now: DateTime<Utc>) -> Decision {
        let schedule = Schedule { at: schedule.at.filter(|at| *at > now), ..schedule };
        if self.variants.is_empty() {
            return Err(Rejection::NoVariant);
        }
        if schedule.until.is_some_and(|until| until <= schedule.at.unwrap_or(now)) {
            return Err(Rejection::ScheduleOrder);
        }
        let shown = self.status == Status::Published;
        if shown && schedule.at.is_some() {
            return Err(Rejection::AlreadyPublished);
        }
        let mut events = Vec::new();
        if schedule != self.schedule {
            events.push(Event::Scheduled(schedule));
        }
        if !shown && schedule.at.is_none() {
            events.push(Event::Published {});
        }
        Ok(events)
    }

    fn publish(&self) -> Decision {
        match self.status {
            Status::Published => Ok(vec![]),
            Status::Draft | Status::Unpublished if self.variants.is_empty() => Err(Rejection::NoVariant),
            Status::Draft | Status::Unpublished => Ok(vec![Event::Published {}]),
            Status::Archived => Err(Rejection::Archived),
        }
    }

    /// Publishes it when the time has come, unless the schedule was changed in the meantime.
    fn publish_due(&self, at: DateTime<Utc>) -> Decision {
        if self.schedule.at == Some(at) { self.publish() } else { Ok(vec![]) }
    }

    fn unpublish(&self) -> Decision {
        match self.status {
            Status::Published => Ok(vec![Event::Unpublished {}]),
            Status::Draft | Status::Unpublished if self.schedule.is_empty() => Ok(vec![]),
            // Not published yet: the schedule is cleared.
            Status::Draft | Status::Unpublished => Ok(vec![Event::Scheduled(Schedule::default())]),
            Status::Archived => Err(Rejection::Archived),
        }
    }

    /// Unpublishes it when the time has come, unless the schedule was changed in the meantime.
    fn unpublish_due(&self, until: DateTime<Utc>) -> Decision {
        if self.schedule.until == Some(until) { self.unpublish() } else { Ok(vec![]) }
    }
}

impl Created {
    /// The name that distinguishes a variant of the product: its own title, or else the values of its options, or else its SKU.
    /// None if it is the only variant and has the title of the product.
    pub fn told_apart(&self, variant: &Variant) -> Option<Title> {
        if variant.title != self.title {
            return Some(variant.title.clone());
        }
        let options = variant.options.values().map(Label::as_str).collect::<Vec<_>>().join(", ");
        let several = self.variants.len() > 1;
        let sku = variant.sku.as_str();
        [options.as_str(), sku].into_iter().filter(|_| several).find_map(|text| Title::new(text).ok())
    }
}

impl Created {
    /// A variant, if the product has it.
    pub fn variant(&self, variant: VariantId) -> Result<&Variant, Rejection> {
        self.variants.get(&variant).ok_or(Rejection::NoSuchVariant)
    }

    fn add(&self, id: VariantId, variant: &Variant) -> Decision {
        match self.variants.get(&id) {
            Some(known) if known == variant => return Ok(vec![]),
            Some(_) => return Err(Rejection::VariantExists),
            None => {}
        }
        if self.variants.len() == VARIANTS_MAX {
            return Err(Rejection::TooManyVariants);
        }
        variant.check()?;
        self.check_options(id, &variant.options)?;
        if self.variants.values().any(|other| other.sku == variant.sku) {
            return Err(Rejection::SkuTwice);
        }
        Ok(vec![Event::VariantAdded { variant: id, details: variant.clone() }])
    }

    fn revise_variant(&self, variant: VariantId, change: &VariantChange) -> Decision {
        let known = self.variant(variant)?;
        check_details(change.options.as_ref(), change.weight_g.flatten())?;
        if let Some(options) = &change.options {
            self.check_options(variant, options)?;
        }
        let change = VariantChange {
            title: changed(&known.title, change.title.as_ref()),
            options: changed(&known.options, change.options.as_ref()),
            weight_g: changed(&known.weight_g, change.weight_g.as_ref()),
            tax_class: changed(&known.tax_class, change.tax_class.as_ref()),
            physical: changed(&known.physical, change.physical.as_ref()),
        };
        let same = change == VariantChange::default();
        Ok(if same { vec![] } else { vec![Event::VariantRevised { variant, change }] })
    }

    fn set_price(&self, variant: VariantId, price: Price, compare_at: Option<Option<Price>>) -> Decision {
        let known = self.variant(variant)?;
        let other = Rejection::OtherCurrency { currency: known.price.currency() };
        let known = known.listed(price.currency()).ok_or(other)?;
        let listed = Listed { price, compare_at: compare_at.unwrap_or(known.compare_at) };
        listed.check()?;
        Ok(price_set(variant, listed, Some(known)).into_iter().collect())
    }

    fn set_prices(&self, variant: VariantId, prices: &[Listed]) -> Decision {
        let known = self.variant(variant)?;
        check_prices(prices)?;
        let given: HashSet<Currency> = prices.iter().map(|listed| listed.price.currency()).collect();
        let first = known.price.currency();
        if !given.contains(&first) {
            return Err(Rejection::OtherCurrency { currency: first });
        }
        let set = prices.iter().filter_map(|it| price_set(variant, *it, known.listed(it.price.currency())));
        let gone = known.other_prices.iter().filter(|it| !given.contains(&it.price.currency()));
        let gone = gone.map(|it| Event::PriceWithdrawn { variant, price: it.price });
        Ok(set.chain(gone).collect())
    }

    fn remove(&self, variant: VariantId) -> Decision {
        // Unknown, so removed already or never there.
        let Some(known) = self.variants.get(&variant) else { return Ok(vec![]) };
        if self.is_to_be_seen() && self.variants.len() == 1 {
            return Err(Rejection::LastVariant);
        }
        Ok(vec![Event::VariantRemoved { variant, sku: known.sku.clone() }])
    }
}

fn price_set(variant: VariantId, listed: Listed, known: Option<Listed>) -> Option<Event> {
    let Listed { price, compare_at } = listed;
    let set = || Event::PriceSet { variant, price, compare_at, from: known.map(|known| known.price) };
    (known != Some(listed)).then(set)
}

#[cfg(test)]
mod tests;
