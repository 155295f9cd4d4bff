//! The files of a digital good, in all their versions.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Personal;
use crate::text::{FileName, Hash, MediaType};

/// A version of a file: it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileVersion {
    /// The number of the version, from 1.
    pub version: u32,
    /// The name under which buyers save it.
    pub name: FileName,
    /// The media type.
    pub media_type: MediaType,
    /// The number of its bytes.
    pub bytes: u64,
    /// Its address in the store of files, sealed with the key of the variant.
    pub address: Personal<Hash>,
    /// When it was added.
    pub at: DateTime<Utc>,
}

/// A file that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// The name under which buyers save it.
    pub name: FileName,
    /// The media type.
    pub media_type: MediaType,
    /// The number of its bytes.
    pub bytes: u64,
    /// Its address in the store of files, sealed with the key of the variant.
    pub address: Personal<Hash>,
}

/// A file with its versions.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct File {
    /// The versions, oldest first.
    pub versions: Vec<FileVersion>,
    /// When it was removed; orders that were placed before keep it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<DateTime<Utc>>,
}

impl File {
    /// The current version.
    pub fn current(&self) -> Option<&FileVersion> {
        self.versions.last()
    }

    /// A version by its number.
    pub fn version(&self, number: u32) -> Option<&FileVersion> {
        self.versions.iter().find(|known| known.version == number)
    }

    /// Whether an order has it that was placed at a time: a file that is removed stays with those who had bought it, also if they pay
    /// later. An order whose id tells no time has what there is now.
    pub fn is_for(&self, placed_at: Option<DateTime<Utc>>) -> bool {
        self.removed_at.is_none_or(|removed_at| placed_at.is_some_and(|placed_at| placed_at < removed_at))
    }
}
