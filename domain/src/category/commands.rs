//! What a category can be asked.

use serde::{Deserialize, Serialize};

use super::attribute::AttributeDefinition;
use crate::ids::CategoryId;
use crate::text::{Name, Slug};

/// What a category can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Create the category.
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
