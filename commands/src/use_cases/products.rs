//! Products with their variants and SKUs. What their category asks for is part of what is decided.

use byteshop_domain::Kind;
use byteshop_domain::category;
use byteshop_domain::decider::Decider as _;
use byteshop_domain::ids::{CategoryId, ImageId, NameId, SellerId, VariantId};
use byteshop_domain::key_delivery;
use byteshop_domain::money::Price;
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::product::{
    self, Attributes, Command, Image, Listed, OptionDefinition, Product, Schedule, VariantChange,
};
use byteshop_domain::stock::{self, StockLevel};
use byteshop_domain::text::{Description, Label, Sku, Title};
use chrono::{DateTime, Utc};

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};
use crate::use_cases::categories::{category_path, definitions};
use crate::use_cases::sellers::ActsFor;

mod ownership;

pub use ownership::{check_tax_class, for_change, require_stock, seller_of};

/// A new product.
#[derive(Debug, Clone)]
pub struct NewProduct {
    /// Its title.
    pub title: Title,
    /// Its description; empty if absent.
    pub description: Option<Description>,
    /// Its category.
    pub category: Option<CategoryId>,
    /// Its attributes.
    pub attributes: Attributes,
    /// The options of its variants.
    pub options: Vec<OptionDefinition>,
    /// The seller whose product it is; none for the house.
    pub seller: Option<SellerId>,
}

impl NewProduct {
    /// A product of the house with nothing but a title.
    pub fn titled(title: Title) -> Self {
        let (attributes, options) = (Attributes::new(), Vec::new());
        Self { title, description: None, category: None, attributes, options, seller: None }
    }
}

/// Creates a product as a draft, for the house or for a seller that sells.
pub async fn create(unit: &Unit, new: NewProduct, acts_for: ActsFor) -> Result<Loaded<Product>, Error> {
    let NewProduct { title, description, category, attributes, options, seller } = new;
    ownership::require_seller(unit, seller, acts_for).await?;
    let mut product = unit.start::<Product>(unit.new_id());
    let description = match description {
        Some(description) => description,
        None => Description::new("").map_err(|_| Error::no_such("product", "/description"))?,
    };
    decide(unit, &mut product, &Command::Create { title, description, category, attributes, seller }).await?;
    if !options.is_empty() {
        define_options(unit, &mut product, &options)?;
    }
    Ok(product)
}

/// What changes of a product; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Revision {
    /// Its title.
    pub title: Option<Title>,
    /// Its description.
    pub description: Option<Description>,
    /// Its category; none for no category.
    pub category: Option<Option<CategoryId>>,
    /// All its attributes.
    pub attributes: Option<Attributes>,
    /// All options of its variants.
    pub options: Option<Vec<OptionDefinition>>,
}

/// Revises a product.
pub async fn revise(unit: &Unit, product: &mut Loaded<Product>, revision: Revision) -> Result<(), Error> {
    let Revision { title, description, category, attributes, options } = revision;
    decide(unit, product, &Command::Revise { title, description, category, attributes }).await?;
    match options {
        Some(options) => define_options(unit, product, &options),
        None => Ok(()),
    }
}

/// Defines the options of a product's variants.
pub fn define_options(unit: &Unit, product: &mut Loaded<Product>, options: &[OptionDefinition]) -> Result<(), Error> {
    unit.decide(product, &Command::DefineOptions { options: options.to_vec() })
}

/// Publishes a product, now or on a schedule.
pub async fn publish(unit: &Unit, product: &mut Loaded<Product>, schedule: Schedule) -> Result<(), Error> {
    decide(unit, product, &Command::PublishWithin(schedule)).await
}

/// Unpublishes a product, and clears its schedule.
pub fn unpublish(unit: &Unit, product: &mut Loaded<Product>) -> Result<(), Error> {
    unit.decide(product, &Command::Unpublish {})
}

/// Decides a command on a product. When its category or its attributes change, or it is to be seen from now on, its
/// attributes are held against what the category asks for.
async fn decide(unit: &Unit, product: &mut Loaded<Product>, command: &Command) -> Result<(), Error> {
    let before = product.state.live().ok().cloned();
    unit.decide(product, command)?;
    let Ok(after) = product.state.live() else { return Ok(()) };
    let moved = before.as_ref().is_none_or(|before| before.category != after.category);
    let changed = before.as_ref().is_none_or(|before| before.attributes != after.attributes);
    let shown = after.is_to_be_seen() && before.is_none_or(|before| !before.is_to_be_seen());
    let Some(category) = after.category.filter(|_| moved || changed || shown) else { return Ok(()) };
    let path = category_path(unit, category).await?;
    if moved {
        match path.first().map(|category| category.state.live()) {
            Some(Ok(category)) if category.archived => {
                return Err(category::Rejection::Archived.into());
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(Error::no_such("category", "/category")),
        }
    }
    Ok(after.check_attributes(&definitions(&path))?)
}

/// Archives a product: its SKUs are free again. One that was archived by a version that kept them releases them when it is
/// archived again.
pub async fn archive(unit: &Unit, product: &mut Loaded<Product>) -> Result<(), Error> {
    unit.decide(product, &Command::Archive {})?;
    let Ok(created) = product.state.live() else { return Ok(()) };
    let skus = created.variants.iter().map(|(variant, it)| (*variant, &it.sku));
    release_skus(unit, skus).await
}

/// Shows a product whose moment has come. It is held against what its category asks for now: between the plan and the moment
/// attributes may have been declared.
pub async fn publish_due(unit: &Unit, product: &mut Loaded<Product>, at: DateTime<Utc>) -> Result<(), Error> {
    if let Ok(created) = product.state.live()
        && created.is_due(at)
        && let Some(category) = created.category
    {
        let path = category_path(unit, category).await?;
        created.check_attributes(&definitions(&path))?;
    }
    unit.decide(product, &Command::PublishDue { at })
}

/// Adds a variant to a product: its SKU is claimed and its stock opened with it.
pub async fn add_variant(
    unit: &Unit,
    product: &mut Loaded<Product>,
    variant: VariantId,
    details: product::Variant,
) -> Result<(), Error> {
    let sku = details.sku.clone();
    unit.decide(product, &Command::AddVariant { variant, details })?;
    claim_sku(unit, variant, &sku).await?;
    let mut stock = unit.load::<StockLevel>(variant).await?;
    unit.decide(&mut stock, &stock::Command::Open { product: product.id, sku })
}

/// Changes what a variant is; its prices are set by [`set_price`] and [`set_prices`]. A variant with keys or downloads never becomes
/// a physical item.
pub async fn revise_variant(
    unit: &Unit,
    product: &mut Loaded<Product>,
    variant: VariantId,
    change: VariantChange,
) -> Result<(), Error> {
    if change.physical == Some(true) {
        let stock = unit.load::<StockLevel>(variant).await?.state;
        if stock.keys_pooled {
            return Err(stock::Rejection::KeysPooled.into());
        }
        if stock.downloadable {
            return Err(stock::Rejection::Downloadable.into());
        }
    }
    unit.decide(product, &Command::ReviseVariant { variant, change })
}

/// Sets the price of a variant in one of its currencies; `compare_at` is the higher reference price, and stays if absent.
pub async fn set_price(
    unit: &Unit,
    product: &mut Loaded<Product>,
    variant: VariantId,
    price: Price,
    compare_at: Option<Option<Price>>,
) -> Result<(), Error> {
    check_prices(unit, variant, &[price]).await?;
    unit.decide(product, &Command::SetPrice { variant, price, compare_at })
}

/// Sets the prices of a variant in all its currencies.
pub async fn set_prices(
    unit: &Unit,
    product: &mut Loaded<Product>,
    variant: VariantId,
    prices: Vec<Listed>,
) -> Result<(), Error> {
    let all: Vec<Price> = prices.iter().map(|listed| listed.price).collect();
    check_prices(unit, variant, &all).await?;
    unit.decide(product, &Command::SetPrices { variant, prices })
}

/// Refuses prices that a variant cannot have because its pieces are gift cards. Most prices are any card's.
async fn check_prices(unit: &Unit, variant: VariantId, prices: &[Price]) -> Result<(), Error> {
    let Err(rejection) = prices.iter().copied().try_for_each(key_delivery::check_price_of_gift_card) else {
        return Ok(());
    };
    let stock = unit.load::<StockLevel>(variant).await?;
    if stock.state.gift_cards { Err(rejection.into()) } else { Ok(()) }
}

/// Appends an image to a product.
pub fn add_image(unit: &Unit, product: &mut Loaded<Product>, image: Image) -> Result<(), Error> {
    unit.decide(product, &Command::AddImage(image))
}

/// Puts the images of a product in another order.
pub fn order_images(unit: &Unit, product: &mut Loaded<Product>, images: Vec<ImageId>) -> Result<(), Error> {
    unit.decide(product, &Command::OrderImages { images })
}

/// Sets the alternative text of an image.
pub fn describe_image(
    unit: &Unit,
    product: &mut Loaded<Product>,
    image: ImageId,
    alt: Option<Label>,
) -> Result<(), Error> {
    unit.decide(product, &Command::DescribeImage { image, alt })
}

/// Removes an image from a product.
pub fn remove_image(unit: &Unit, product: &mut Loaded<Product>, image: ImageId) -> Result<(), Error> {
    unit.decide(product, &Command::RemoveImage { image })
}

/// Claims a SKU for a variant; refused while another variant has it, in whatever Unicode form.
async fn claim_sku(unit: &Unit, variant: VariantId, sku: &Sku) -> Result<(), Error> {
    let text =
        Label::new(sku.as_str()).map_err(|error| Error::refused("variant.sku", Kind::Invalid, error.to_string()))?;
    let claim = name::Command::Claim { kind: NameKind::Sku, text, owner: variant.to_string() };
    let ids: Vec<_> = sku_names(sku).collect();
    let mut names = unit.load_all::<UniqueName>(&ids).await?.into_iter();
    let Some(mut name) = names.next() else { return Ok(()) };
    for earlier in names {
        // Refuses exactly as today's name does when somebody else holds it.
        earlier.state.decide(&claim, &unit.asked())?;
    }
    unit.decide(&mut name, &claim)
}

/// Releases those of some SKUs that their variants hold.
pub(crate) async fn release_skus<'a>(
    unit: &Unit,
    skus: impl Iterator<Item = (VariantId, &'a Sku)>,
) -> Result<(), Error> {
    let held: Vec<_> = skus.flat_map(|(variant, sku)| sku_names(sku).map(move |name| (variant, name))).collect();
    let ids: Vec<_> = held.iter().map(|(_, name)| *name).collect();
    for ((variant, _), mut name) in held.iter().zip(unit.load_all::<UniqueName>(&ids).await?) {
        if name.state.holder() == Some(*variant) {
            unit.decide(&mut name, &name::Command::Release {})?;
        }
    }
    Ok(())
}

/// The streams in which a SKU may be held, the one that is claimed today first.
pub fn sku_names(sku: &Sku) -> impl Iterator<Item = NameId> {
    sku.forms().into_iter().map(|form| name::id(NameKind::Sku, &form))
}

/// Removes a variant from a product: its SKU becomes available; its stock stays, for orders that reserve some of it.
pub async fn remove_variant(unit: &Unit, product: &mut Loaded<Product>, variant: VariantId) -> Result<(), Error> {
    let sku = product.state.live().ok().and_then(|it| it.variants.get(&variant)).map(|it| it.sku.clone());
    unit.decide(product, &Command::RemoveVariant { variant })?;
    if let Some(sku) = sku {
        release_skus(unit, std::iter::once((variant, &sku))).await?;
    }
    Ok(())
}
