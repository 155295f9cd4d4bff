//! Categories with those above and below them.

use byteshop_domain::category::{self, AttributeDefinition, BRANCH_MAX, Category, effective};
use byteshop_domain::ids::CategoryId;
use byteshop_domain::name::{self, NameKind, UniqueName};
use serde::Deserialize;

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// A category and those above it, up to its root. Each counts as it is when the command is written down.
pub async fn category_path(unit: &Unit, category: CategoryId) -> Result<Vec<Loaded<Category>>, Error> {
    let mut path = Vec::new();
    let mut next = Some(category);
    while let Some(id) = next {
        let category = unit.load::<Category>(id).await?;
        next = category.state.live().ok().and_then(|it| it.parent);
        path.push(category);
    }
    Ok(path)
}

/// The attributes that count for a category: its own and those of the categories above it.
pub fn definitions(path: &[Loaded<Category>]) -> Vec<&AttributeDefinition> {
    let own = path.iter().filter_map(|category| category.state.live().ok());
    effective(own.map(|category| category.attributes.as_slice()))
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
        return Err(category::Rejection::BranchTooLarge.into());
    }
    let above = category_path(unit, category.id).await?;
    let above: Vec<_> = above.iter().skip(1).filter(|it| it.state.live().is_ok_and(|it| !it.archived)).collect();
    let (parent, ancestors) = (above.first().map(|it| it.id), above.iter().skip(1).map(|it| it.id).collect::<Vec<_>>());
    let mut left = 0;
    for mut child in unit.load_all::<Category>(below).await? {
        let Some(known) = child.state.live().ok().filter(|it| !it.archived) else { continue };
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
    let Ok(created) = category.state.live() else { return Ok(()) };
    let mut slug = unit.load::<UniqueName>(name::id(NameKind::CategorySlug, created.slug.as_str())).await?;
    if slug.state.holder() == Some(category.id) {
        unit.decide(&mut slug, &name::Command::Release {})?;
    }
    Ok(())
}
