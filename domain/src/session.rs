//! A session: one log-in, with a refresh token that is exchanged for the next one.
//!
//! ```text
//! (missing) ──started──▶ alive ──revoked──▶ revoked (final)
//!                        │  ▲
//!                        └──┘ refreshed: the next generation
//! ```
//!
//! A refresh token holds its session and its generation, under a keyed hash of the session's secret, so using the last token
//! again gives the same next one. An older token has been used before, so it was copied, and the session ends. Every operation
//! that accepts a refresh token asks the session first ([`Started::judge`]): a genuine token of an ended session is refused.
//!
//! A session remembers when its owner last authenticated, by logging in or by [`Command::Authenticate`]. Sensitive operations
//! require that this was within [`FRESH`].

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::Personal;
use crate::account::{Client, Role, Secret};
use crate::decider::{Asked, Decider};
use crate::ids::{AccountId, SessionId};

/// How long a session lives without a refresh: people come back within a month.
pub const IDLE: TimeDelta = TimeDelta::days(30);
/// How long a session lives at most; then the password is required again. Sessions of staff live for a shorter time, which is a
/// setting.
pub const LIFETIME: TimeDelta = TimeDelta::days(180);
/// How long a re-authentication is valid: enough for one task of an administrator, and too short for a stranger who finds the
/// screen unlocked (OWASP ASVS 5.0, section 7.5).
pub const FRESH: TimeDelta = TimeDelta::minutes(10);
/// How long the last refresh token can be used again: by a client that lost the response, or by two tabs at once.
pub const RETRY: TimeDelta = TimeDelta::seconds(30);

/// How long a session lives at most: for staff, the setting of the shop.
pub fn longest(role: Role, of_staff: TimeDelta) -> TimeDelta {
    if role.is_staff() { of_staff.min(LIFETIME) } else { LIFETIME }
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The owner logged out.
    Logout,
    /// The owner ended all their sessions.
    LogoutAll,
    /// A refresh token was used again after its successor.
    Reuse,
    /// The password was changed.
    PasswordChanged,
    /// The e-mail address was changed.
    EmailChanged,
    /// The role of the account was changed.
    RoleChanged,
    /// The second factor of the account was set up, removed or reset.
    SecondFactorChanged,
    /// The account had too many sessions.
    Surplus,
    /// The account was banned.
    Banned,
    /// The account was closed.
    Erased,
}

/// What happened to a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A session was started by a log-in.
    Started {
        /// The account of the owner.
        account: AccountId,
        /// The role of the owner.
        role: Role,
        /// The secret that its refresh tokens are derived from.
        secret: Personal<Secret>,
        /// The client of the request.
        client: Personal<Client>,
        /// The time.
        at: DateTime<Utc>,
        /// When the session expires unless it is refreshed.
        expires_at: DateTime<Utc>,
        /// Whether a second factor was presented with the password.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        second_factor: bool,
    },
    /// A refresh token was exchanged for the next one.
    Refreshed {
        /// The generation of the next token.
        generation: u32,
        /// The client of the request.
        client: Personal<Client>,
        /// The time.
        at: DateTime<Utc>,
        /// When the session expires unless it is refreshed.
        expires_at: DateTime<Utc>,
    },
    /// The owner re-authenticated.
    Authenticated {
        /// Whether a second factor was presented.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        second_factor: bool,
        /// The time.
        at: DateTime<Utc>,
    },
    /// The session was revoked.
    Revoked {
        /// The reason.
        reason: Reason,
    },
}

impl crate::Event for Event {}

/// The commands of a session.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Start the session.
    Start {
        /// The account of the owner.
        account: AccountId,
        /// The role of the owner.
        role: Role,
        /// The secret that its refresh tokens are derived from.
        secret: Personal<Secret>,
        /// The client of the request.
        client: Personal<Client>,
        /// Whether a second factor was presented with the password.
        second_factor: bool,
        /// How long the session lives at most, however often it is refreshed.
        longest: TimeDelta,
    },
    /// Exchange a refresh token, which is one of this session's, for the next one. A token that was used before revokes the
    /// session: the state says which of the two happened.
    Refresh {
        /// The generation of the token.
        generation: u32,
        /// The client of the request.
        client: Personal<Client>,
        /// How long the session lives at most, however often it is refreshed.
        longest: TimeDelta,
    },
    /// Accept a refresh token for anything but a refresh, such as a log-out. A token that was used before revokes the session.
    Show {
        /// The generation of the token.
        generation: u32,
    },
    /// Record that the owner re-authenticated.
    Authenticate {
        /// Whether a second factor was presented.
        second_factor: bool,
    },
    /// Revoke the session.
    Revoke {
        /// The reason.
        reason: Reason,
    },
}

/// The state of a session.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Session {
    /// The session does not exist.
    #[default]
    Missing,
    /// The session exists.
    Started(Box<Started>),
}

/// A session that exists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Started {
    /// The account of the owner.
    pub account: AccountId,
    /// The role of the owner.
    pub role: Role,
    /// The secret that its refresh tokens are derived from.
    pub secret: Personal<Secret>,
    /// The client of the last request.
    pub client: Personal<Client>,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it was last refreshed.
    pub seen_at: DateTime<Utc>,
    /// When it expires unless it is refreshed.
    pub expires_at: DateTime<Utc>,
    /// The generation of the newest refresh token.
    pub generation: u32,
    /// When its owner last authenticated.
    pub authenticated_at: DateTime<Utc>,
    /// Whether a second factor was presented in this session.
    pub second_factor: bool,
    /// Why it ended, if it did.
    pub revoked: Option<Reason>,
}

/// The status of a genuine refresh token of a session that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// The token is the newest one.
    Newest,
    /// The token is the previous one, used again within [`RETRY`].
    Repeated,
    /// The token was used before: it has been copied.
    Reused,
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Rejection {
        Missing => Missing: "there is no such session";
        Exists => Conflict: "the session already exists";
        Ended => Conflict: "the session has ended; log in again";
    }
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Session {
    const CATEGORY: &'static str = "session";
    type Id = SessionId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        match command {
            Command::Start { account, role, secret, client, second_factor, longest } => match self {
                Self::Missing => Ok(vec![Event::Started {
                    account: *account,
                    role: *role,
                    secret: secret.clone(),
                    client: client.clone(),
                    at: asked.at,
                    expires_at: asked.at + IDLE.min(*longest),
                    second_factor: *second_factor,
                }]),
                Self::Started(_) => Err(Rejection::Exists),
            },
            Command::Refresh { generation, client, longest } => {
                self.live()?.refresh(*generation, client, *longest, asked.at)
            }
            Command::Show { generation } => match self.live()?.judge(*generation, asked.at)? {
                Worth::Newest | Worth::Repeated => Ok(vec![]),
                Worth::Reused => Ok(vec![Event::Revoked { reason: Reason::Reuse }]),
            },
            Command::Authenticate { second_factor } => {
                if !self.live()?.is_alive(asked.at) {
                    return Err(Rejection::Ended);
                }
                Ok(vec![Event::Authenticated { second_factor: *second_factor, at: asked.at }])
            }
            Command::Revoke { reason } => {
                let ended = self.live()?.revoked.is_some();
                Ok(if ended { vec![] } else { vec![Event::Revoked { reason: *reason }] })
            }
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Started { account, role, secret, client, at, expires_at, second_factor } => {
                Self::Started(Box::new(Started {
                    account: *account,
                    role: *role,
                    secret: secret.clone(),
                    client: client.clone(),
                    started_at: *at,
                    seen_at: *at,
                    expires_at: *expires_at,
                    generation: 0,
                    authenticated_at: *at,
                    second_factor: *second_factor,
                    revoked: None,
                }))
            }
            Event::Refreshed { generation, client, at, expires_at } => self.with(|it| {
                it.generation = *generation;
                it.client = client.clone();
                it.seen_at = *at;
                it.expires_at = *expires_at;
            }),
            Event::Authenticated { second_factor, at } => self.with(|it| {
                it.authenticated_at = *at;
                it.second_factor |= *second_factor;
            }),
            Event::Revoked { reason } => self.with(|it| it.revoked = Some(*reason)),
        }
    }
}

impl Session {
    /// The session, if it exists.
    pub fn live(&self) -> Result<&Started, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Started(started) => Ok(started),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Started)) -> Self {
        if let Self::Started(started) = &mut self {
            change(started);
        }
        self
    }
}

impl Started {
    /// Whether it can still be used.
    pub fn is_alive(&self, at: DateTime<Utc>) -> bool {
        self.revoked.is_none() && at <= self.expires_at
    }

    /// Whether its owner re-authenticated recently.
    pub fn is_fresh(&self, at: DateTime<Utc>) -> bool {
        self.is_alive(at) && at < self.authenticated_at + FRESH
    }

    /// The status of a refresh token with this generation.
    ///
    /// # Errors
    /// [`Rejection::Ended`] when the session has ended: then no token of it is worth anything.
    pub fn judge(&self, shown: u32, at: DateTime<Utc>) -> Result<Worth, Rejection> {
        if !self.is_alive(at) {
            return Err(Rejection::Ended);
        }
        if shown == self.generation {
            return Ok(Worth::Newest);
        }
        // The answer was lost, or another tab was faster.
        let repeated = shown.checked_add(1) == Some(self.generation) && at <= self.seen_at + RETRY;
        Ok(if repeated { Worth::Repeated } else { Worth::Reused })
    }

    fn refresh(&self, shown: u32, client: &Personal<Client>, longest: TimeDelta, at: DateTime<Utc>) -> Decision {
        let end = self.started_at + longest;
        // The setting may have been shortened since the session began.
        if at > end {
            return Err(Rejection::Ended);
        }
        match self.judge(shown, at)? {
            Worth::Newest => {
                let (generation, expires_at) = (shown.saturating_add(1), (at + IDLE).min(end));
                Ok(vec![Event::Refreshed { generation, client: client.clone(), at, expires_at }])
            }
            Worth::Repeated => Ok(vec![]),
            Worth::Reused => Ok(vec![Event::Revoked { reason: Reason::Reuse }]),
        }
    }
}

#[cfg(test)]
mod tests;
