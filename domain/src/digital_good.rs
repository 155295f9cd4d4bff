//! A digital good: the files and the link that a variant delivers, and how long and how often its buyers can download them.
//!
//! ```text
//! (missing) ──opened──▶ open ─┐ file added, version added; file removed: orders that are placed later do not get it
//!                        ▲    │ link set, changed or removed
//!                        │    │ limits set: they hold for orders that are paid from then on
//!                        └────┘
//! ```
//!
//! The files lie in the store of files, each version under an address of its own; here is what is known of them. The link and the
//! addresses are sealed with a key of the variant, as everyone who knows the link has the good. Buyers get the current link and the
//! current versions.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Personal;
use crate::decider::{Asked, Decider};
use crate::ids::{DigitalGoodId, FileId, Id as _, ProductId, VariantId};
use crate::text::{Link, Sku};
pub use file::{File, FileVersion, Uploaded};

mod file;
#[cfg(test)]
mod tests;

/// The maximum number of files that a variant delivers: what fits on a page.
pub const FILES_MAX: usize = 20;
/// The maximum number of files that a variant has had, with those that are removed: the state is read whole.
pub const FILES_EVER_MAX: usize = 100;
/// The maximum size of all files of a variant in all their versions, with those that are removed: 100 GiB. They are kept for the buyers
/// who have them.
pub const BYTES_MAX: u64 = 100 << 30;
/// The maximum number of versions of a file: one a week for four years, and the state stays small.
pub const VERSIONS_MAX: usize = 200;

/// The maximum number of days for which a good can be downloaded, if that is limited: ten years.
pub const DAYS_MAX: u32 = 3_650;
/// The maximum number of downloads of a piece, and their number if it is not limited: more than a person needs, and few enough that
/// the events of an order stay a short stream.
pub const DOWNLOADS_MAX: u32 = 1_000;

/// The digital good of a variant.
pub fn id(variant: VariantId) -> DigitalGoodId {
    DigitalGoodId::from_uuid(variant.uuid())
}

/// The variant of a digital good.
pub fn variant(id: DigitalGoodId) -> VariantId {
    VariantId::from_uuid(id.uuid())
}

/// How long and how often buyers can download.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// For how many days after the payment; absent for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// How often, for each piece that was bought; absent for [`DOWNLOADS_MAX`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downloads: Option<u32>,
}

/// What happened to a digital good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A variant is delivered as a download from now on.
    Opened {
        /// The product.
        product: ProductId,
        /// The SKU.
        sku: Sku,
    },
    /// The link was set, changed or removed.
    LinkSet {
        /// The link; absent if there is none any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<Personal<Link>>,
    },
    /// The limits were set.
    LimitsSet(Limits),
    /// A file was added, in its first version.
    FileAdded {
        /// The file.
        file: FileId,
        /// The first version.
        #[serde(flatten)]
        version: FileVersion,
    },
    /// A new version of a file was added.
    VersionAdded {
        /// The file.
        file: FileId,
        /// The version.
        #[serde(flatten)]
        version: FileVersion,
    },
    /// A file was removed: orders that are placed from then on do not get it.
    FileRemoved {
        /// The file.
        file: FileId,
        /// The time.
        at: DateTime<Utc>,
    },
}

impl crate::Event for Event {}

/// The commands of a digital good.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Open it.
    Open {
        /// The product.
        product: ProductId,
        /// The SKU.
        sku: Sku,
    },
    /// Set the link, or remove it.
    SetLink {
        /// The link.
        link: Option<Personal<Link>>,
    },
    /// Set the limits.
    SetLimits(Limits),
    /// Add a file.
    AddFile {
        /// The file.
        file: FileId,
        /// What was uploaded.
        uploaded: Uploaded,
    },
    /// Add a new version of a file.
    AddVersion {
        /// The file.
        file: FileId,
        /// What was uploaded.
        uploaded: Uploaded,
        /// Whether its content is that of the current version.
        is_same: bool,
    },
    /// Remove a file.
    RemoveFile {
        /// The file.
        file: FileId,
    },
}

/// The state of a digital good.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DigitalGood {
    /// The product of the variant; absent before it is opened.
    pub product: Option<ProductId>,
    /// The SKU of the variant; absent before it is opened.
    pub sku: Option<Sku>,
    /// The link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Personal<Link>>,
    /// Its files, with those that are removed, the oldest first.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<FileId, File>,
    /// The limits for orders that are paid from now on.
    #[serde(flatten)]
    pub limits: Limits,
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        Missing => Missing: "the variant is not delivered as a download";
        Physical => Conflict: "the variant is a physical item, and only items that are not physical can be downloaded";
        GiftCards => Conflict: "the variant delivers gift cards, and no downloads";
        NotHttps => Invalid at "/link": "the link must be a URL that begins with https:// and a host name, without a user name";
        WrongDays => Invalid at "/days": "a download is possible for 1 to {DAYS_MAX} days";
        NoSuchFile => Missing: "the variant has no such file";
        TooManyFiles => Conflict:
            "a variant delivers at most {FILES_MAX} files, and has had at most {FILES_EVER_MAX}; add a version of one, or remove one";
        TooManyVersions => Conflict: "a file has at most {VERSIONS_MAX} versions; add another file";
        SameName => Conflict: "the variant has another file of this name; add a version of that one, or choose another name";
        SameContent => Conflict: "this is the content of the current version";
        EmptyFile => Invalid: "the file is empty";
        TooManyBytes => Conflict: "the files of a variant have at most {most} GiB in all their versions", most = BYTES_MAX >> 30;
        WrongDownloads => Invalid at "/downloads": "a piece has 1 to {DOWNLOADS_MAX} downloads";
    }
}

type Decision = Result<Vec<Event>, Rejection>;

/// Refuses a link that is not encrypted on its way, or that would show the buyer a password of the vendor.
pub fn check_link(link: &Link) -> Result<(), Rejection> {
    let authority = link.as_str().strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
    let is_host = |text: &str| text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[');
    match authority {
        Some(authority) if is_host(authority) && !authority.contains(['@', '\\']) => Ok(()),
        Some(_) | None => Err(Rejection::NotHttps),
    }
}

impl Decider for DigitalGood {
    const CATEGORY: &'static str = "digital_good";
    type Id = DigitalGoodId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        if let Command::Open { product, sku } = command {
            let open = || Event::Opened { product: *product, sku: sku.clone() };
            return Ok(if self.product.is_some() { vec![] } else { vec![open()] });
        }
        if self.product.is_none() {
            return Err(Rejection::Missing);
        }
        match command {
            // Opened above.
            Command::Open { .. } => Ok(vec![]),
            Command::SetLink { link: None } if self.link.is_none() => Ok(vec![]),
            Command::SetLink { link } => Ok(vec![Event::LinkSet { link: link.clone() }]),
            Command::SetLimits(limits) => self.set_limits(*limits),
            Command::AddFile { file, uploaded } => self.add_file(*file, uploaded, asked.at),
            Command::AddVersion { file, uploaded, is_same } => self.add_version(*file, uploaded, *is_same, asked.at),
            Command::RemoveFile { file } => {
                self.file(*file)?;
                Ok(vec![Event::FileRemoved { file: *file, at: asked.at }])
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Opened { product, sku } => {
                self.product = Some(*product);
                self.sku = Some(sku.clone());
            }
            Event::LinkSet { link } => self.link.clone_from(link),
            Event::LimitsSet(limits) => self.limits = *limits,
            Event::FileAdded { file, version } | Event::VersionAdded { file, version } => {
                self.files.entry(*file).or_default().versions.push(version.clone());
            }
            Event::FileRemoved { file, at } => {
                self.files.entry(*file).or_default().removed_at = Some(*at);
            }
        }
        self
    }
}

impl DigitalGood {
    /// Whether there is something to deliver.
    pub fn is_deliverable(&self) -> bool {
        self.link.is_some() || self.present().next().is_some()
    }

    /// A file that is not removed.
    pub fn file(&self, file: FileId) -> Result<&File, Rejection> {
        self.files.get(&file).filter(|it| it.removed_at.is_none()).ok_or(Rejection::NoSuchFile)
    }

    /// The files that are not removed.
    pub fn present(&self) -> impl Iterator<Item = (FileId, &File)> {
        self.files.iter().filter(|(_, it)| it.removed_at.is_none()).map(|(id, it)| (*id, it))
    }

    /// Checks a file and its name, which no other file may have.
    fn check(&self, file: FileId, uploaded: &Uploaded) -> Result<(), Rejection> {
        if uploaded.bytes == 0 {
            return Err(Rejection::EmptyFile);
        }
        let known = self.files.values().flat_map(|it| &it.versions).map(|version| version.bytes);
        if known.sum::<u64>().saturating_add(uploaded.bytes) > BYTES_MAX {
            return Err(Rejection::TooManyBytes);
        }
        let has_name = |it: &File| it.current().is_some_and(|current| current.name == uploaded.name);
        let is_taken = self.present().any(|(id, it)| id != file && has_name(it));
        if is_taken { Err(Rejection::SameName) } else { Ok(()) }
    }

    fn add_file(&self, file: FileId, uploaded: &Uploaded, at: DateTime<Utc>) -> Decision {
        if self.present().count() >= FILES_MAX || self.files.len() >= FILES_EVER_MAX {
            return Err(Rejection::TooManyFiles);
        }
        self.check(file, uploaded)?;
        Ok(vec![Event::FileAdded { file, version: numbered(1, uploaded, at) }])
    }

    fn add_version(&self, file: FileId, uploaded: &Uploaded, is_same: bool, at: DateTime<Utc>) -> Decision {
        let known = self.file(file)?;
        if known.versions.len() >= VERSIONS_MAX {
            return Err(Rejection::TooManyVersions);
        }
        self.check(file, uploaded)?;
        let last = known.current().map_or(0, |current| current.version);
        if is_same {
            return Err(Rejection::SameContent);
        }
        Ok(vec![Event::VersionAdded { file, version: numbered(last + 1, uploaded, at) }])
    }

    fn set_limits(&self, limits: Limits) -> Decision {
        let within = |number: Option<u32>, most| number.is_none_or(|number| (1..=most).contains(&number));
        if !within(limits.days, DAYS_MAX) {
            return Err(Rejection::WrongDays);
        }
        if !within(limits.downloads, DOWNLOADS_MAX) {
            return Err(Rejection::WrongDownloads);
        }
        Ok(if limits == self.limits { vec![] } else { vec![Event::LimitsSet(limits)] })
    }
}

fn numbered(number: u32, uploaded: &Uploaded, at: DateTime<Utc>) -> FileVersion {
    let Uploaded { name, media_type, bytes, address } = uploaded.clone();
    FileVersion { version: number, name, media_type, bytes, address, at }
}
