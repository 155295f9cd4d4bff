//! Categories with those above and below them, and their slugs.

use byteshop_domain::category::{
    AttributeDefinition, BRANCH_MAX, Category, Children, Command, DEPTH_MAX, Rejection, effective,
};
use byteshop_domain::ids::CategoryId;
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::text::{Label, Name, Slug};

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// Creates a category under another one, or as a root. Its slug is claimed with it.
pub async fn create(
    unit: &Unit,
    name: Name,
    slug: Slug,
    parent: Option<CategoryId>,
) -> Result<Loaded<Category>, Error> {
    let id: CategoryId = unit.new_id();
    if let Some(parent) = parent
        && ancestors(unit, parent).await?.len() + 2 > DEPTH_MAX
    {
        return Err(Rejection::TooDeep.into());
    }
    let mut held = unit.load::<UniqueName>(name::id(NameKind::CategorySlug, slug.as_str())).await?;
    let text = Label::new(slug.as_str()).map_err(|_| Error::no_such("category", "/slug"))?;
    unit.decide(&mut held, &name::Command::Claim { kind: NameKind::CategorySlug, text, owner: id.to_string() })?;
    let mut category = unit.start::<Category>(id);
    unit.decide(&mut category, &Command::Create { name, slug, parent })?;
    Ok(category)
}

/// Renames a category.
pub fn rename(unit: &Unit, category: &mut Loaded<Category>, name: Name) -> Result<(), Error> {
    unit.decide(category, &Command::Rename { name })
}

/// Moves a category under another one, or makes it a root.
///
/// `below` is the number of levels below it. No category knows that, so it comes from a view.
pub async fn move_under(
    unit: &Unit,
    category: &mut Loaded<Category>,
    parent: Option<CategoryId>,
    below: usize,
) -> Result<(), Error> {
    let ancestors = match parent {
        Some(parent) => ancestors(unit, parent).await?,
        None => Vec::new(),
    };
    let command = Command::Move { category: category.id, parent, ancestors, below };
    unit.decide(category, &command)
}

/// Replaces the attributes that a category declares.
pub fn declare_attributes(
    unit: &Unit,
    category: &mut Loaded<Category>,
    attributes: Vec<AttributeDefinition>,
) -> Result<(), Error> {
    unit.decide(category, &Command::DeclareAttributes { attributes })
}

/// Puts categories of one parent first, in this order. Gives the last of them.
pub async fn reorder(
    unit: &Unit,
    parent: Option<CategoryId>,
    categories: &[CategoryId],
) -> Result<Option<Loaded<Category>>, Error> {
    let mut last = None;
    for (index, (mut category, rank)) in unit.load_all::<Category>(categories).await?.into_iter().zip(1..).enumerate() {
        if !category.state.live().is_ok_and(|it| it.parent == parent) {
            return Err(Error::no_such("category", &format!("/categories/{index}")));
        }
        unit.decide(&mut category, &Command::Rank { rank })?;
        last = Some(category);
    }
    Ok(last)
}

/// The parents of a category up to the root, which must exist and be open for something to be put under it.
async fn ancestors(unit: &Unit, parent: CategoryId) -> Result<Vec<CategoryId>, Error> {
    let path = category_path(unit, parent).await?;
    let mut above = Vec::new();
    for category in &path {
        let Ok(created) = category.state.live() else { return Err(Error::no_such("category", "/parent")) };
        if category.id == parent && created.archived {
            return Err(Rejection::Archived.into());
        }
        above.extend(created.parent);
    }
    Ok(above)
}

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
        return Err(Rejection::BranchTooLarge.into());
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
                let up = Command::Move { category: child.id, parent, ancestors, below: 0 };
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
    unit.decide(category, &Command::Archive { children })?;
    let Ok(created) = category.state.live() else { return Ok(()) };
    let mut slug = unit.load::<UniqueName>(name::id(NameKind::CategorySlug, created.slug.as_str())).await?;
    if slug.state.holder() == Some(category.id) {
        unit.decide(&mut slug, &name::Command::Release {})?;
    }
    Ok(())
}
