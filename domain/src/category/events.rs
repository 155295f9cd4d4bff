//! The events of a category.

use serde::{Deserialize, Serialize};

use super::attribute::AttributeDefinition;
use crate::ids::CategoryId;
use crate::text::{Name, Slug};

/// What happened to a category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The category was created.
    Created {
        /// The name.
        name: Name,
        /// The slug.
        slug: Slug,
        /// The parent category; absent for a root.
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
        /// The new parent category; null for a root.
        parent: Option<CategoryId>,
    },
    /// The rank of the category among its siblings was changed.
    Ranked {
        /// The rank; the lowest comes first.
        rank: u32,
    },
    /// The attributes of the category's products were declared; they replace its earlier ones.
    AttributesDeclared {
        /// All attributes, in display order.
        attributes: Vec<AttributeDefinition>,
    },
    /// The category was archived: nothing can be added to it.
    Archived {},
}

impl crate::Event for Event {}
