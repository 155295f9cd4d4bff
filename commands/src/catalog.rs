//! Commands on products that look at their category too: what it asks for is part of what is decided.

use byteshop_domain::Kind;
use byteshop_domain::category::{self, AttributeDefinition, BRANCH_MAX, Category, effective};
use byteshop_domain::ids::CategoryId;
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::product::{self, Attributes, Command, OptionDefinition, Product};
use byteshop_domain::text::{Description, Title};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::cases::release_skus;
use crate::engine::error::{Error, Rejected};
use crate::engine::unit::{Loaded, Unit};

/// A category and those above it, up to its root. Each counts as it is when the command is written down.
pub async fn category_path(unit: &Unit, category: CategoryId) -> Result<Vec<Loaded<Category>>, Error> {
    let mut path = Vec::new();
    let mut next = Some(category);
    while let Some(id) = next {
        let category = unit.load::<Category>(id).await?;
        next = category.state.existing().ok().and_then(|it| it.parent);
        path.push(category);
    }
    Ok(path)
}

/// The attributes that count for a category: its own and those of the categories above it.
pub fn definitions(path: &[Loaded<Category>]) -> Vec<&AttributeDefinition> {
    let own = path.iter().filter_map(|category| category.state.existing().ok());
    effective(own.map(|category| category.attributes.as_slice()))
}

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
    let before = product.state.existing().ok().cloned();
    unit.decide(product, command)?;
    let Ok(after) = product.state.existing() else { return Ok(()) };
    let moved = before.as_ref().is_none_or(|before| before.category != after.category);
    let changed = before.as_ref().is_none_or(|before| before.attributes != after.attributes);
    let shown = after.is_to_be_seen() && before.is_none_or(|before| !before.is_to_be_seen());
    let Some(category) = after.category.filter(|_| moved || changed || shown) else { return Ok(()) };
    let path = category_path(unit, category).await?;
    if moved {
        match path.first().map(|category| category.state.existing()) {
            Some(Ok(category)) if category.archived => {
                return Err(Error::Rejected(Rejected::of::<Category>(&category::Rejection::Archived)));
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(no_such("category", "/category")),
        }
    }
    after.check_attributes(&definitions(&path)).map_err(|rejection| refused(&rejection))
}

/// Archives a product: its SKUs are free again. One that was archived by a version that kept them releases them when it is
/// archived again.
pub async fn archive(unit: &Unit, product: &mut Loaded<Product>) -> Result<(), Error> {
    unit.decide(product, &Command::Archive {})?;
    let Ok(created) = product.state.existing() else { return Ok(()) };
    let skus = created.variants.iter().map(|(variant, it)| (*variant, &it.sku));
    release_skus(unit, skus).await
}

/// What becomes of the open categories under one that is archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Children {
    /// They move up to the nearest open category above it.
    MoveUp,
    /// They are archived too, with everything below them.
    Archive,
}

/// Archives a category: its slug is free again, and its products stay where they are, which is below the categories above it.
///
/// `below` is every category below it. No category knows those, so they come from a view; each is looked at again here. What comes
/// under it before this is appended the view does not have yet: it is asked again afterwards, when nothing more can come.
///
/// # Errors
/// Without `children` a category with open ones under it is refused.
pub async fn archive_category(
    unit: &Unit,
    category: &mut Loaded<Category>,
    below: &[CategoryId],
    children: Option<Children>,
) -> Result<(), Error> {
    if below.len() > BRANCH_MAX {
        return Err(Error::Rejected(Rejected::of::<Category>(&category::Rejection::BranchTooLarge)));
    }
    let above = category_path(unit, category.id).await?;
    let above: Vec<_> = above.iter().skip(1).filter(|it| it.state.existing().is_ok_and(|it| !it.archived)).collect();
    let (parent, ancestors) = (above.first().map(|it| it.id), above.iter().skip(1).map(|it| it.id).collect::<Vec<_>>());
    let mut left = 0;
    for mut child in unit.load_all::<Category>(below).await? {
        let Some(known) = child.state.existing().ok().filter(|it| !it.archived) else { continue };
        let direct = known.parent == Some(category.id);
        match children {
            Some(Children::MoveUp) if direct => {
                let ancestors = ancestors.clone();
                let up = category::Command::Move { category: child.id, parent, ancestors, below: 0 };
                unit.decide(&mut child, &up)?;
            }
            Some(Children::Archive) => close(unit, &mut child, 0).await?,
            Some(Children::MoveUp) => {}
            None => left += usize::from(direct),
        }
    }
    close(unit, category, left).await
}

async fn close(unit: &Unit, category: &mut Loaded<Category>, children: usize) -> Result<(), Error> {
    unit.decide(category, &category::Command::Archive { children })?;
    let Ok(created) = category.state.existing() else { return Ok(()) };
    let mut slug = unit.load::<UniqueName>(name::id(NameKind::CategorySlug, created.slug.as_str())).await?;
    if slug.state.holder() == Some(category.id) {
        unit.decide(&mut slug, &name::Command::Release {})?;
    }
    Ok(())
}

/// Shows a product whose moment has come. It is held against what its category asks for now: between the plan and the moment
/// attributes may have been declared.
pub async fn publish_due(unit: &Unit, product: &mut Loaded<Product>, at: DateTime<Utc>) -> Result<(), Error> {
    if let Ok(created) = product.state.existing()
        && created.is_due(at)
        && let Some(category) = created.category
    {
        let path = category_path(unit, category).await?;
        created.check_attributes(&definitions(&path)).map_err(|rejection| refused(&rejection))?;
    }
    unit.decide(product, &Command::PublishDue { at })
}

fn refused(rejection: &product::Rejection) -> Error {
    Error::Rejected(Rejected::of::<Product>(rejection))
}

fn no_such(thing: &'static str, pointer: &str) -> Error {
    Error::Rejected(Rejected {
        code: format!("{thing}.missing"),
        kind: Kind::Invalid,
        detail: format!("there is no such {thing}"),
        pointer: Some(pointer.to_owned()),
    })
}
