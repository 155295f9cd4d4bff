//! A category of the catalog: a node of a tree, under at most one parent.
//!
//! ```text
//! (missing) ──created──▶ open ──archived──▶ archived
//!                        │  ▲
//!                        └──┘ renamed, moved, ranked, attributes declared
//! ```
//!
//! The [name](crate::name) of the slug, claimed in the same append, keeps two categories from sharing a slug; it is released in
//! the append that archives the category. No open category is left under an archived one: those below it move up to its parent,
//! or are archived with it.

use serde::Serialize;

use crate::decider::{Asked, Decider};
use crate::ids::CategoryId;
use crate::text::{Name, Slug};

mod attribute;
mod commands;
mod events;
mod rejections;

pub use attribute::{AttributeDefinition, AttributeType, LABELS_MAX, effective};
pub use commands::{Children, Command};
pub use events::Event;
pub use rejections::{BRANCH_MAX, DEFINITIONS_MAX, DEPTH_MAX, Rejection, VALUES_MAX};

/// The state of a category.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Category {
    /// The category does not exist.
    #[default]
    Missing,
    /// The category exists.
    Created(Created),
}

/// A category that exists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Created {
    /// The name.
    pub name: Name,
    /// The slug.
    pub slug: Slug,
    /// The parent; absent for a root.
    pub parent: Option<CategoryId>,
    /// The rank among its siblings: the lowest comes first, equal ones by name.
    pub rank: u32,
    /// The attributes that it declares, beside those of its ancestors.
    pub attributes: Vec<AttributeDefinition>,
    /// Whether it is archived.
    pub archived: bool,
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Category {
    const CATEGORY: &'static str = "category";
    type Id = CategoryId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Decision {
        match command {
            Command::Create { name, slug, parent } => self.create(name, slug, *parent),
            Command::Rename { name } => {
                let same = self.open()?.name == *name;
                Ok(if same { vec![] } else { vec![Event::Renamed { name: name.clone() }] })
            }
            Command::Move { category, parent, ancestors, below } => {
                self.put_under(*category, *parent, ancestors, *below)
            }
            Command::Rank { rank } => {
                let same = self.open()?.rank == *rank;
                Ok(if same { vec![] } else { vec![Event::Ranked { rank: *rank }] })
            }
            Command::DeclareAttributes { attributes } => self.declare(attributes),
            Command::Archive { children } => match (self.live()?.archived, *children) {
                (true, _) => Ok(vec![]),
                (false, 0) => Ok(vec![Event::Archived {}]),
                (false, children) => Err(Rejection::HasChildren { children }),
            },
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Created { name, slug, parent } => {
                let (name, slug, parent) = (name.clone(), slug.clone(), *parent);
                Self::Created(Created { name, slug, parent, rank: 0, attributes: vec![], archived: false })
            }
            Event::Renamed { name } => self.with(|it| it.name = name.clone()),
            Event::Moved { parent } => self.with(|it| it.parent = *parent),
            Event::Ranked { rank } => self.with(|it| it.rank = *rank),
            Event::AttributesDeclared { attributes } => self.with(|it| it.attributes.clone_from(attributes)),
            Event::Archived {} => self.with(|it| it.archived = true),
        }
    }
}

impl Category {
    /// The category, if it exists.
    pub fn live(&self) -> Result<&Created, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Created(created) => Ok(created),
        }
    }

    fn open(&self) -> Result<&Created, Rejection> {
        let created = self.live()?;
        if created.archived { Err(Rejection::Archived) } else { Ok(created) }
    }

    fn create(&self, name: &Name, slug: &Slug, parent: Option<CategoryId>) -> Decision {
        match self {
            Self::Missing => Ok(vec![Event::Created { name: name.clone(), slug: slug.clone(), parent }]),
            // The same again: already done.
            Self::Created(it) if it.name == *name && it.slug == *slug && it.parent == parent => Ok(vec![]),
            Self::Created(_) => Err(Rejection::Exists),
        }
    }

    fn put_under(
        &self,
        category: CategoryId,
        parent: Option<CategoryId>,
        ancestors: &[CategoryId],
        below: usize,
    ) -> Decision {
        if self.open()?.parent == parent {
            return Ok(vec![]);
        }
        if parent == Some(category) || ancestors.contains(&category) {
            return Err(Rejection::Cycle);
        }
        if parent.is_some() && ancestors.len() + 2 + below > DEPTH_MAX {
            return Err(Rejection::TooDeep);
        }
        Ok(vec![Event::Moved { parent }])
    }

    fn declare(&self, attributes: &[AttributeDefinition]) -> Decision {
        let known = self.open()?;
        attribute::check(attributes)?;
        let same = known.attributes == attributes;
        Ok(if same { vec![] } else { vec![Event::AttributesDeclared { attributes: attributes.to_vec() }] })
    }

    fn with(mut self, change: impl FnOnce(&mut Created)) -> Self {
        if let Self::Created(created) = &mut self {
            change(created);
        }
        self
    }
}

#[cfg(test)]
mod tests;
