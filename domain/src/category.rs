//! A category of the catalog: a name in a tree, under at most one parent.
//!
//! ```text
//! (missing) ──created──▶ open ──archived──▶ archived
//!                        │  ▲
//!                        └──┘ renamed, moved, ranked, attributes declared
//! ```
//!
//! That two categories never share a slug is kept by the [name](crate::name) of the slug, claimed in the same append, and released
//! in the append that archives it. No open category is left under an archived one: those below it move up to its parent, or are
//! archived with it.

use serde::{Deserialize, Serialize};

use crate::decider::{Asked, Decider};
use crate::ids::CategoryId;
use crate::text::{Name, Slug};

mod attribute;

pub use attribute::{AttributeDefinition, AttributeType, DEFINITIONS_MAX, LABELS_MAX, VALUES_MAX, effective};

/// Deepest place of a category: real catalogs have six levels, and every product page walks up to the root.
pub const DEPTH_MAX: usize = 10;
/// Most categories that are moved or archived together with one above them: one append of at most twice as many events.
pub const BRANCH_MAX: usize = 500;

/// What happened to a category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The category was created.
    Created {
        /// Its name for people.
        name: Name,
        /// Its name in addresses.
        slug: Slug,
        /// What it is under; nothing for a root.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<CategoryId>,
    },
    /// The category was renamed.
    Renamed {
        /// The new name.
        name: Name,
    },
    /// The category was moved to another parent.
    Moved {
        /// What it is under now; nothing for a root.
        parent: Option<CategoryId>,
    },
    /// The category has another rank among its siblings.
    Ranked {
        /// The lowest comes first.
        rank: u32,
    },
    /// It asks for these attributes of its products now, and for no others of its own.
    AttributesDeclared {
        /// All of them, in the order in which people see them.
        attributes: Vec<AttributeDefinition>,
    },
    /// Nothing is added to it any more.
    Archived {},
}

impl crate::Event for Event {}

/// What a category can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Begin.
    Create {
        /// Its name for people.
        name: Name,
        /// Its name in addresses.
        slug: Slug,
        /// What it is to be under.
        parent: Option<CategoryId>,
    },
    /// Call it otherwise.
    Rename {
        /// The new name.
        name: Name,
    },
    /// Put it under another parent.
    Move {
        /// Its own id: a state does not know it, and it must not be among the ancestors.
        category: CategoryId,
        /// The new parent; nothing for a root.
        parent: Option<CategoryId>,
        /// The parents of the new parent up to the root, as they were read for this append.
        ancestors: Vec<CategoryId>,
        /// How many levels there are below it.
        below: usize,
    },
    /// Give it a place among those beside it.
    Rank {
        /// The lowest comes first.
        rank: u32,
    },
    /// Ask for these attributes of its products, and for no others of its own.
    DeclareAttributes {
        /// All of them, in the order in which people see them.
        attributes: Vec<AttributeDefinition>,
    },
    /// Close it.
    Archive {
        /// How many open categories are left directly under it.
        children: usize,
    },
}

/// A category as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Category {
    /// There is none.
    #[default]
    Missing,
    /// There is one.
    Created(Created),
}

/// What is known of a category.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Created {
    /// Its name for people.
    pub name: Name,
    /// Its name in addresses.
    pub slug: Slug,
    /// What it is under; nothing for a root.
    pub parent: Option<CategoryId>,
    /// Its place among those beside it: the lowest comes first, and equals by name.
    pub rank: u32,
    /// What it asks of its products, beside what the categories above it ask.
    pub attributes: Vec<AttributeDefinition>,
    /// Whether it is closed.
    pub archived: bool,
}

crate::rejections! {
    /// What can be in the way.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        Missing => Missing: "there is no such category";
        Exists => Conflict: "the category already exists";
        Archived => Conflict: "the category is archived";
        HasChildren { children: usize } => Conflict:
            "{children} open {are} under it: move or archive them first, or say what becomes of them with \
             ?children=move_up or ?children=archive",
            are = if *children == 1 { "category is" } else { "categories are" };
        BranchTooLarge => Conflict:
            "more than {BRANCH_MAX} categories are below it: archive those below it one after another";
        Cycle => Invalid at "/parent": "a category cannot be its own descendant";
        TooDeep => Invalid at "/parent": "categories can be nested at most {DEPTH_MAX} levels deep";
        TooManyAttributes => Invalid at "/attributes": "a category can declare at most {DEFINITIONS_MAX} attributes";
        AttributeTwice { at: usize } => Invalid at "/attributes/{at}/name": "the attribute is declared twice";
        AttributeValues { at: usize } => Invalid at "/attributes/{at}/values":
            "a choice needs 1 to {VALUES_MAX} different values; other types have none";
    }
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
            Command::Archive { children } => match (self.existing()?.archived, *children) {
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
    /// What is known of it, if it exists.
    pub fn existing(&self) -> Result<&Created, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Created(created) => Ok(created),
        }
    }

    fn open(&self) -> Result<&Created, Rejection> {
        let created = self.existing()?;
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
