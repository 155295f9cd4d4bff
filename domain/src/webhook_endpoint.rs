//! A webhook endpoint: a URL of another program to which the events of the shop are delivered.
//!
//! ```text
//! (missing) ──created──▶ enabled ◀──enabled── disabled ──┐
//!                           │ └──────disabled────▲       │
//!                           └────────────────────┴──removed──▶ removed (final)
//! ```
//!
//! An endpoint outlives the sessions of its creator, so it names the account that created it, may expire, and the account lists
//! it ([`Grant`](crate::account::Grant)). A program can subscribe only to events that its own key may read ([`Known::scopes`]).
//!
//! The position of its deliveries and its responses are not part of it: the sender keeps them beside the log. Its secrets are
//! sealed under the shop's own subject; after a rotation both secrets sign for a while, so that no event is missed.
//!
//! Source: Standard Webhooks 1.0, "Webhook signatures" and "Secret rotation".

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::Personal;
use crate::account::Secret;
use crate::api_key::Scope;
use crate::decider::{Asked, Decider};
use crate::ids::{AccountId, ApiKeyId, WebhookEndpointId};
use crate::personal::Subject;
use crate::text::{Link, Reason};

mod commands;
mod events;
mod rejections;
mod topic;

pub use commands::Command;
pub use events::{Event, Silence};
pub use rejections::{FILTERS_MAX, Rejection};
pub use topic::{NoTopic, TOLD, Topic};

/// The subject whose key seals the secrets: the shop's own, which is never erased.
pub const SHOP: Subject = Subject(Uuid::from_u128(0x5a1e_0b7c_4d23_4f6e_b8a9_3c5d_7e91_f204));
/// How long the previous secret still signs.
pub const OLD_SECRET_SIGNS: TimeDelta = TimeDelta::hours(24);

/// The state of a webhook endpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum WebhookEndpoint {
    /// The endpoint does not exist.
    #[default]
    Missing,
    /// The endpoint exists.
    Known(Box<Known>),
    /// The endpoint was removed.
    Removed,
}

/// An endpoint that exists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Known {
    /// The URL.
    pub url: Link,
    /// The events that are delivered.
    pub filter: Vec<Topic>,
    /// The description.
    pub description: Option<Reason>,
    /// Why deliveries are paused, if they are.
    pub silent: Option<Silence>,
    /// The account that created it, if the event names it.
    pub created_by: Option<AccountId>,
    /// The API key that created it, if a program did.
    pub created_with: Option<ApiKeyId>,
    /// When deliveries end.
    pub expires_at: Option<DateTime<Utc>>,
    /// The secret that signs its messages.
    pub secret: Personal<Secret>,
    /// The previous secret, and until when it signs too.
    pub old_secret: Option<(Personal<Secret>, DateTime<Utc>)>,
    /// How often a replay was requested.
    pub replays: i64,
    /// The first position of the last replay.
    pub replay_from: i64,
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for WebhookEndpoint {
    const CATEGORY: &'static str = "webhook_endpoint";
    type Id = WebhookEndpointId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        match command {
            Command::Create { url, filter, description, secret, created_by, expires_at } => match self {
                Self::Missing => {
                    check(filter)?;
                    check_end(*expires_at, asked.at)?;
                    Ok(vec![Event::Created {
                        url: url.clone(),
                        filter: filter.clone(),
                        description: description.clone(),
                        secret: secret.clone(),
                        created_by: *created_by,
                        created_with: asked.by.key(),
                        expires_at: *expires_at,
                    }])
                }
                Self::Known(_) | Self::Removed => Err(Rejection::Exists),
            },
            Command::Revise { url, filter, description, enabled, expires_at } => {
                check_end(*expires_at, asked.at)?;
                let changes = Changes { url: url.as_ref(), filter: filter.as_ref(), description: description.as_ref() };
                self.live()?.revise(&changes, *enabled, *expires_at, asked.at)
            }
            Command::Rotate { secret } => {
                self.live()?;
                Ok(vec![Event::SecretRotated { secret: secret.clone(), old_until: asked.at + OLD_SECRET_SIGNS }])
            }
            Command::Silence { because } => {
                let silent = self.live()?.silent.is_some();
                Ok(if silent { vec![] } else { vec![Event::Disabled { because: *because }] })
            }
            Command::Replay { from } => {
                self.live()?;
                if *from < 1 { Err(Rejection::BeforeTheLog) } else { Ok(vec![Event::ReplayRequested { from: *from }]) }
            }
            Command::Remove {} => match self {
                Self::Missing => Err(Rejection::Missing),
                Self::Known(_) => Ok(vec![Event::Removed {}]),
                Self::Removed => Ok(vec![]),
            },
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Created { url, filter, description, secret, created_by, created_with, expires_at } => {
                Self::Known(Box::new(Known {
                    url: url.clone(),
                    filter: filter.clone(),
                    description: description.clone(),
                    silent: None,
                    created_by: *created_by,
                    created_with: *created_with,
                    expires_at: *expires_at,
                    secret: secret.clone(),
                    old_secret: None,
                    replays: 0,
                    replay_from: 0,
                }))
            }
            Event::Revised { url, filter, description, expires_at } => self.with(|it| {
                it.expires_at = expires_at.or(it.expires_at);
                it.url = url.as_ref().unwrap_or(&it.url).clone();
                it.filter = filter.as_ref().unwrap_or(&it.filter).clone();
                it.description = description.as_ref().or(it.description.as_ref()).cloned();
            }),
            Event::SecretRotated { secret, old_until } => self.with(|it| {
                let old = std::mem::replace(&mut it.secret, secret.clone());
                it.old_secret = Some((old, *old_until));
            }),
            Event::Enabled {} => self.with(|it| it.silent = None),
            Event::Disabled { because } => self.with(|it| it.silent = Some(*because)),
            Event::ReplayRequested { from } => self.with(|it| {
                it.replays += 1;
                it.replay_from = *from;
            }),
            Event::Removed {} => Self::Removed,
        }
    }
}

impl WebhookEndpoint {
    /// The endpoint, if it exists and is not removed.
    pub fn live(&self) -> Result<&Known, Rejection> {
        match self {
            Self::Known(known) => Ok(known),
            Self::Missing | Self::Removed => Err(Rejection::Missing),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Known)) -> Self {
        if let Self::Known(known) = &mut self {
            change(known);
        }
        self
    }
}

impl Known {
    /// Whether it subscribes to this event.
    pub fn wants(&self, category: &str, event_type: &str) -> bool {
        self.filter.iter().any(|topic| topic.names(category, event_type))
    }

    /// The secrets that sign at a time, the newest first.
    pub fn signing(&self, at: DateTime<Utc>) -> Vec<&Personal<Secret>> {
        let old = self.old_secret.as_ref().filter(|(_, until)| at < *until).map(|(old, _)| old);
        std::iter::once(&self.secret).chain(old).collect()
    }

    /// Whether it has expired.
    pub fn has_expired(&self, at: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end <= at)
    }

    /// The scopes that its creator needs for all its events.
    pub fn scopes(&self) -> BTreeSet<Scope> {
        self.filter.iter().flat_map(Topic::scopes).collect()
    }

    fn revise(
        &self,
        Changes { url, filter, description }: &Changes<'_>,
        enabled: Option<bool>,
        expires_at: Option<DateTime<Utc>>,
        at: DateTime<Utc>,
    ) -> Decision {
        filter.map_or(Ok(()), |filter| check(filter))?;
        if enabled == Some(true) && expires_at.is_none() && self.has_expired(at) {
            return Err(Rejection::Expired);
        }
        let changed = Event::Revised {
            url: url.filter(|url| **url != self.url).cloned(),
            filter: filter.filter(|filter| **filter != self.filter).cloned(),
            description: description.filter(|text| Some(*text) != self.description.as_ref()).cloned(),
            expires_at: expires_at.filter(|end| Some(*end) != self.expires_at),
        };
        let nothing = Event::Revised { url: None, filter: None, description: None, expires_at: None };
        let mut events: Vec<Event> = Some(changed).filter(|event| *event != nothing).into_iter().collect();
        match (enabled, self.silent) {
            (Some(true), Some(_)) => events.push(Event::Enabled {}),
            (Some(false), None) => events.push(Event::Disabled { because: Silence::ByHand }),
            (Some(true), None) | (Some(false), Some(_)) | (None, _) => {}
        }
        Ok(events)
    }
}

/// The requested changes; absent fields stay as they are.
struct Changes<'a> {
    url: Option<&'a Link>,
    filter: Option<&'a Vec<Topic>>,
    description: Option<&'a Reason>,
}

fn check_end(expires_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<(), Rejection> {
    if expires_at.is_some_and(|end| end <= now) { Err(Rejection::ExpiresInThePast) } else { Ok(()) }
}

fn check(filter: &[Topic]) -> Result<(), Rejection> {
    if (1..=FILTERS_MAX).contains(&filter.len()) { Ok(()) } else { Err(Rejection::Filters) }
}

#[cfg(test)]
mod tests;
