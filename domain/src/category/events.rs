//! What happens to a category.

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
