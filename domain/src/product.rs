//! A product and its variants: what is shown, and what of it can be bought at what price.
//!
//! ```text
//! (missing) ──created──▶ draft ──published──▶ published ◀──published──┐
//!                          │                    │   └───unpublished──▶ unpublished
//!                          └────────archived────┴───────archived──────────┘
//!                                       ▼
//!                                   archived (final)
//! ```
//!
//! Variants live inside: a product is published with at least one, and keeps one for as long as it is.
//! That no two variants share a SKU is kept by the [name](crate::name) of the SKU, claimed in the same append. Archiving a
//! product releases its SKUs, again in the same append; so a way back out of the archive would have to claim each of them anew,
//! and be refused where another product has it by then.

use std::collections::BTreeMap;

use crate::decider::{Asked, Decider};
use crate::ids::{CategoryId, ProductId, VariantId};
use crate::text::{AttributeName, Description, Label, Title};

mod attribute;
mod choice;
mod fitting;
mod image;
mod message;
mod price_history;
mod rejection;
mod schedule;
mod variant;

pub use attribute::AttributeValue;
pub use choice::{OPTION_VALUES_MAX, OPTIONS_MAX, OptionDefinition, combinations, in_order};
pub use image::{IMAGES_MAX, Image, ImageType, THUMBNAILS, reorder};
pub use message::{Command, Event};
pub use price_history::{Entry as PriceEntry, LOOK_BACK, PriceHistory, Reduction, price_history};
pub use rejection::Rejection;
pub use schedule::{Refusal, Schedule};
pub use variant::{CURRENCIES_MAX, Listed, TaxClass, Variant, VariantChange, WEIGHT_MAX_G};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Most variants of one product: every choice of five sizes, five colours and four cuts; it is one small state.
pub const VARIANTS_MAX: usize = 100;
/// Most attributes of a product, and most options of a variant: a table that a person can read.
pub const ATTRIBUTES_MAX: usize = 50;

/// What a product is, beside its texts.
pub type Attributes = BTreeMap<AttributeName, AttributeValue>;
/// What tells a variant from the others, such as `size` = `M`, in the order in which its product declares the options. Equal are
/// those with the same values in any order.
pub type Options = IndexMap<AttributeName, Label>;

/// A product as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Product {
    /// There is none.
    #[default]
    Missing,
    /// There is one.
    Created(Box<Created>),
}

/// What is known of a product.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Created {
    /// Where it is in its life.
    pub status: Status,
    /// What it is called.
    pub title: Title,
    /// What it is.
    pub description: Description,
    /// Where in the catalog it is.
    pub category: Option<CategoryId>,
    /// What it is, in values.
    pub attributes: Attributes,
    /// What its variants differ in; when nothing is said, in anything.
    pub options: Vec<OptionDefinition>,
    /// What it looks like, the first picture first.
    pub images: Vec<Image>,
    /// When it is shown and hidden by itself.
    pub schedule: Schedule,
    /// Why it was not shown when its last moment came, until it is shown or another is planned.
    pub refusal: Option<Refusal>,
    /// What of it can be bought.
    pub variants: BTreeMap<VariantId, Variant>,
}

/// Where a product is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not shown yet.
    Draft,
    /// Shown and sold.
    Published,
    /// Shown no more, for now.
    Unpublished,
    /// Gone for good.
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
            Command::Create { title, description, category, attributes } => {
                self.create(title, description, *category, attributes)
            }
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
                let due = self.existing()?.is_due(*at);
                let refused = Event::PublicationRefused { at: *at, code: code.clone(), because: because.clone() };
                Ok(if due { vec![refused] } else { vec![] })
            }
            Command::Unpublish {} => self.active()?.unpublish(),
            Command::UnpublishDue { until } => self.active()?.unpublish_due(*until),
            Command::Archive {} => match self.existing()?.status {
                Status::Archived => Ok(vec![]),
                Status::Draft | Status::Published | Status::Unpublished => Ok(vec![Event::Archived {}]),
            },
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Created { title, description, category, attributes } => Self::Created(Box::new(Created {
                status: Status::Draft,
                title: title.clone(),
                description: description.clone(),
                category: *category,
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
    /// What is known of it, if it exists.
    pub fn existing(&self) -> Result<&Created, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Created(created) => Ok(created),
        }
    }

    fn active(&self) -> Result<&Created, Rejection> {
        let created = self.existing()?;
        if created.status == Status::Archived { Err(Rejection::Archived) } else { Ok(created) }
    }

    fn create(
        &self,
        title: &Title,
        description: &Description,
        category: Option<CategoryId>,
        attributes: &Attributes,
    ) -> Decision {
        if attributes.len() > ATTRIBUTES_MAX {
            return Err(Rejection::TooManyAttributes);
        }
        let event = Event::Created {
            title: title.clone(),
            description: description.clone(),
            category,
            attributes: attributes.clone(),
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

/// What is to be written: the new value, when there is one and it differs.
fn changed<T: PartialEq + Clone>(old: &T, new: Option<&T>) -> Option<T> {
    new.filter(|new| *new != old).cloned()
}

fn replace<T: Clone>(old: &mut T, new: Option<&T>) {
    if let Some(new) = new {
        old.clone_from(new);
    }
}

#[cfg(test)]
mod tests;
