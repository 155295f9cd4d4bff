//! The downloads of one variant by one order: until when they are possible, and how many there were.
//!
//! ```text
//! (missing) ──granted, in the append that marks the order paid──▶ granted ─┐ started: one download
//!                                                                    ▲     │
//!                                                                    └─────┘ until the limit is reached, or the time is over
//! ```
//!
//! The link and each file are counted for themselves. The shop signs URLs, each with a ticket of its own. A ticket is one download: it counts when its URL is followed for the first time.
//! Until it expires it can be followed again without counting again, so a download that was broken off can go on. One order and
//! variant is one stream, so of many requests at once no more count than the limit allows.
//!
//! Whether the order still has the good is not decided here: the order says how many pieces are left, and a good has as many
//! downloads as they bring together. The limits are those of the time of the payment.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decider::{Asked, Decider};
use crate::digital_good::{DOWNLOADS_MAX, Limits};
use crate::ids::{DownloadId, FileId, Id as _, OrderId, VariantId};

#[cfg(test)]
mod tests;

/// Namespace of the ids; any fixed number would do, and it can never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x0f5a_2b6e_93c1_4d27_8e44_b7d0_5a1c_69f3);

/// The downloads of a variant by an order.
pub fn id(order: OrderId, variant: VariantId) -> DownloadId {
    DownloadId::from_uuid(Uuid::new_v5(&NAMESPACE, format!("{order}/{variant}").as_bytes()))
}

/// What is downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// The link.
    Link,
    /// A version of a file.
    File {
        /// The file.
        file: FileId,
        /// The number of the version.
        version: u32,
    },
}

/// What happened to the downloads of a variant by an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The order was paid: its buyer can download the good.
    Granted {
        /// The order.
        order: OrderId,
        /// The variant.
        variant: VariantId,
        /// The limits at that time.
        limits: Limits,
        /// The time.
        at: DateTime<Utc>,
    },
    /// A URL was followed for the first time: a download that counts. The actor is the buyer for whom the URL was made.
    Started {
        /// The ticket in the URL.
        ticket: Uuid,
        /// The file; absent for the link.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<FileId>,
        /// The version of the file; absent for the link.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<u32>,
        /// When the URL expires.
        until: DateTime<Utc>,
        /// The time.
        at: DateTime<Utc>,
    },
}

impl crate::Event for Event {}

/// The commands of downloads.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Let the buyer of an order download the good.
    Grant {
        /// The order.
        order: OrderId,
        /// The variant.
        variant: VariantId,
        /// The limits.
        limits: Limits,
    },
    /// Follow a URL.
    Start {
        /// The ticket in the URL.
        ticket: Uuid,
        /// What is downloaded.
        item: Item,
        /// When the URL expires.
        until: DateTime<Utc>,
        /// How many pieces the order has left.
        pieces: i64,
    },
}

/// The downloads of a variant by an order.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Download {
    /// When the order was paid; absent if it has no downloads of the variant.
    pub granted_at: Option<DateTime<Utc>>,
    /// The limits.
    #[serde(flatten)]
    pub limits: Limits,
    /// How often the link was followed.
    pub links: i64,
    /// How often each file was downloaded, in whichever version.
    pub files: BTreeMap<FileId, i64>,
    /// The tickets that were used and had not expired at the last download, and when they expire.
    pub tickets: BTreeMap<Uuid, DateTime<Utc>>,
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        Missing => Missing: "the order has no such download";
        Unpaid => Conflict: "the order is not paid; its goods can be downloaded when it is";
        Revoked => Conflict: "these goods were given back or refunded; there is nothing to download";
        Over => Conflict: "the time in which this can be downloaded is over";
        UsedUp { limit: i64 } => Conflict: "this was downloaded as often as it can be: {limit} downloads at most";
        Expired => Forbidden: "the URL has expired; get a new one with the order";
    }
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Download {
    const CATEGORY: &'static str = "download";
    type Id = DownloadId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        match command {
            Command::Grant { .. } if self.granted_at.is_some() => Ok(vec![]),
            Command::Grant { order, variant, limits } => {
                let (order, variant, limits) = (*order, *variant, *limits);
                Ok(vec![Event::Granted { order, variant, limits, at: asked.at }])
            }
            Command::Start { ticket, item, until, pieces } => {
                let counts = self.would_count(*ticket, *item, *until, *pieces, asked.at)?;
                let started = || Event::started(*ticket, *item, *until, asked.at);
                Ok(if counts { vec![started()] } else { vec![] })
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Granted { limits, at, .. } => (self.granted_at, self.limits) = (Some(*at), *limits),
            Event::Started { ticket, file, until, at, .. } => {
                match file {
                    Some(file) => *self.files.entry(*file).or_default() += 1,
                    None => self.links += 1,
                }
                self.tickets.retain(|_, until| *until > *at);
                self.tickets.insert(*ticket, *until);
            }
        }
        self
    }
}

impl Event {
    fn started(ticket: Uuid, item: Item, until: DateTime<Utc>, at: DateTime<Utc>) -> Self {
        let (file, version) = match item {
            Item::Link => (None, None),
            Item::File { file, version } => (Some(file), Some(version)),
        };
        Self::Started { ticket, file, version, until, at }
    }
}

impl Download {
    /// How often something was downloaded; the versions of a file are counted together.
    pub fn count(&self, item: Item) -> i64 {
        match item {
            Item::Link => self.links,
            Item::File { file, .. } => self.files.get(&file).copied().unwrap_or(0),
        }
    }

    /// Until when the good can be downloaded; none for ever.
    pub fn until(&self) -> Option<DateTime<Utc>> {
        Some(self.granted_at? + TimeDelta::days(i64::from(self.limits.days?)))
    }

    /// How often the link, and each file, can be downloaded with so many pieces.
    pub fn limit(&self, pieces: i64) -> i64 {
        i64::from(self.limits.downloads.unwrap_or(DOWNLOADS_MAX)).saturating_mul(pieces)
    }

    /// Why a new download cannot begin with so many pieces, if it cannot.
    pub fn check(&self, item: Item, pieces: i64, at: DateTime<Utc>) -> Result<(), Rejection> {
        self.check_access(pieces, at)?;
        let limit = self.limit(pieces);
        if self.count(item) >= limit { Err(Rejection::UsedUp { limit }) } else { Ok(()) }
    }

    fn check_access(&self, pieces: i64, at: DateTime<Utc>) -> Result<(), Rejection> {
        if self.granted_at.is_none() {
            return Err(Rejection::Missing);
        }
        if pieces <= 0 {
            return Err(Rejection::Revoked);
        }
        if self.until().is_some_and(|until| until <= at) { Err(Rejection::Over) } else { Ok(()) }
    }

    /// Whether a URL can be followed, and would count if it is.
    pub fn would_count(
        &self,
        ticket: Uuid,
        item: Item,
        until: DateTime<Utc>,
        pieces: i64,
        at: DateTime<Utc>,
    ) -> Result<bool, Rejection> {
        self.check_access(pieces, at)?;
        if until <= at {
            return Err(Rejection::Expired);
        }
        // It goes on with what was counted.
        if self.tickets.contains_key(&ticket) {
            return Ok(false);
        }
        self.check(item, pieces, at).map(|()| true)
    }
}
