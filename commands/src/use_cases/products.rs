//! Products with their variants and SKUs. What their category asks for is part of what is decided.

use byteshop_domain::Kind;
use byteshop_domain::category;
use byteshop_domain::decider::Decider as _;
use byteshop_domain::ids::{CategoryId, NameId, VariantId};
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::product::{self, Attributes, Command, OptionDefinition, Product};
use byteshop_domain::stock::{self, StockLevel};
use byteshop_domain::text::{Description, Label, Sku, Title};
use chrono::{DateTime, Utc};

use crate::engine::error::{Error, Rejected};
use crate::engine::unit::{Loaded, Unit};
use crate::use_cases::categories::{category_path, definitions};

/// Makes a product, with what its variants will differ in.
pub async fn create(
    unit: &Unit,
    product: &mut Loaded<Product>,
    title: Title,
    description: Option<Description>,
    category: Option<CategoryId>,
    attributes: Attributes,
    options: &[OptionDefinition],
) -> Result<(), Error> {
    let description = match description {
        Some(description) => description,
        None => Description::new("").map_err(|_| no_such("product", "/description"))?,
    };
    decide(unit, product, &Command::Create { title, description, category, attributes }).await?;
    if !options.is_empty() {
        unit.decide(product, &Command::DefineOptions { options: options.to_vec() })?;
    }
    Ok(())
}

/// Decides a command on a product. When its category or its attributes change, or it is to be seen from now on, its
/// attributes are held against what the category asks for.
pub async fn decide(unit: &Unit, product: &mut Loaded<Product>, command: &Command) -> Result<(), Error> {
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
            Some(Err(_)) | None => return Err(no_such("category", "/category")),
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
    unit.decide(product, &product::Command::AddVariant { variant, details })?;
    claim_sku(unit, variant, &sku).await?;
    let mut stock = unit.load::<StockLevel>(variant).await?;
    unit.decide(&mut stock, &stock::Command::Open { product: product.id, sku })
}

/// Claims a SKU for a variant; refused while another variant has it, in whatever Unicode form.
async fn claim_sku(unit: &Unit, variant: VariantId, sku: &Sku) -> Result<(), Error> {
    let text =
        Label::new(sku.as_str()).map_err(|error| unit.refuse("variant.sku", Kind::Invalid, error.to_string()))?;
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

/// Takes a variant out of a product: its SKU is free again; its stock stays, for orders that hold some of it.
pub async fn remove_variant(unit: &Unit, product: &mut Loaded<Product>, variant: VariantId) -> Result<(), Error> {
    let sku = product.state.live().ok().and_then(|it| it.variants.get(&variant)).map(|it| it.sku.clone());
    unit.decide(product, &product::Command::RemoveVariant { variant })?;
    if let Some(sku) = sku {
        release_skus(unit, std::iter::once((variant, &sku))).await?;
    }
    Ok(())
}

fn no_such(thing: &'static str, pointer: &str) -> Error {
    Error::Rejected(Rejected {
        code: format!("{thing}.missing"),
        kind: Kind::Invalid,
        detail: format!("there is no such {thing}"),
        pointer: Some(pointer.to_owned()),
    })
}
