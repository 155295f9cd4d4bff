//! The commands of a category.

use serde::{Deserialize, Serialize};

use super::attribute::AttributeDefinition;
use crate::ids::CategoryId;
use crate::text::{Name, Slug};

/// The commands of a category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Create the category.
    Create {
        /// The name.
        name: Name,
        /// The slug.
        slug: Slug,
        /// The parent category.
        parent: Option<CategoryId>,
    },
    /// Rename the category.
    Rename {
        /// The new name.
        name: Name,
    },
    /// Move the category to another parent.
    Move {
        /// The id of the category: its state does not hold it, and it must not be among the ancestors.
        category: CategoryId,
        /// The new parent; absent for a root.
        parent: Option<CategoryId>,
        /// The new parent and its ancestors up to the root, as they were read for this append.
        ancestors: Vec<CategoryId>,
        /// How many levels are below the category.
        below: usize,
    },
    /// Set the rank among its siblings.
    Rank {
        /// The rank; the lowest comes first.
        rank: u32,
    },
    /// Declare the attributes of its products; they replace the earlier ones.
    DeclareAttributes {
        /// All attributes, in display order.
        attributes: Vec<AttributeDefinition>,
    },
    /// Archive the category.
    Archive {
        /// How many open categories remain directly under it.
        children: usize,
    },
}

/// How archiving a category treats its open subcategories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Children {
    /// They move up to the nearest open category above it.
    MoveUp,
    /// They are archived too, with everything below them.
    Archive,
}
