//! A notification: one message to one person about one event, on one channel, sent at most once.
//!
//! ```text
//! (missing) ──queued──▶ waiting ──attempted──▶ attempted ──sent──▶ sent (final)
//!               │          ▲ ▲                   │  │
//!               │          │ └──────failed───────┘  └─────died──▶ dead
//!               │          └────────────────revived───────────────┘
//!               └──skipped──▶ skipped (final)
//! ```
//!
//! An attempt is recorded before the message is sent. An attempt with an unknown outcome may have succeeded, so the shop does
//! not repeat it by itself: the notification is dead, and staff decides. A notification holds the id of its recipient and a
//! template with a few facts. The address is looked up, the texts are rendered and personal data is opened only when the
//! message is sent.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Locale;
use crate::account::Channel;
use crate::decider::{Asked, Decider};
use crate::ids::{Id, NotificationId};
use crate::text::Label;

mod about;
mod message;
mod template;

pub use about::About;
pub use message::{CancelledBy, DisputeNews, Message, Recipient};
pub use template::Template;

/// Namespace of the ids; any fixed number would do, and it can never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x1d0c_94f2_7a3e_4b58_8d17_52c6_e0a9_3bf1);
/// The maximum number of attempts: with [`FIRST_PAUSE`] they last a day and a half, longer than most outages.
pub const ATTEMPTS_MAX: u32 = 8;
/// The pause after the first failed attempt; each further one is four times as long.
pub const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(30);
/// The longest pause.
pub const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(24);
/// The spread of a pause around its length, in thousandths each way, so that messages that failed together are not retried
/// together.
const SPREAD: i64 = 250;

/// The id of the notification of an event: the same event, template, channel and recipient give the same id, so that an event
/// that is handled twice queues one notification.
pub fn id(position: i64, template: Template, channel: Channel, recipient: &Recipient) -> NotificationId {
    let key = format!("{position}/{}/{}/{recipient}", template.as_str(), channel.as_str());
    NotificationId::from_uuid(Uuid::new_v5(&NAMESPACE, key.as_bytes()))
}

/// The content and the recipient of a notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The recipient.
    pub recipient: Recipient,
    /// The channel.
    pub channel: Channel,
    /// The language.
    pub locale: Locale,
    /// The message.
    pub message: Message,
}

/// What happened to a notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The notification was queued.
    Queued(Notice),
    /// An attempt to send it has begun; its outcome is not known yet.
    Attempted {
        /// The number of the attempt, from 1.
        attempt: u32,
    },
    /// The channel accepted the message.
    Sent {
        /// Its reference at the channel.
        reference: Label,
    },
    /// An attempt failed; it is retried.
    Failed {
        /// The reason, without the recipient.
        reason: Label,
        /// When it is retried.
        retry_at: DateTime<Utc>,
    },
    /// The notification is dead: it is not retried unless staff requests it.
    Died {
        /// The reason.
        cause: Death,
        /// The reason in words, without the recipient.
        reason: Label,
    },
    /// The notification was skipped: it is not sent.
    Skipped {
        /// The reason.
        because: Skip,
    },
    /// Staff requested that a dead notification is sent again.
    Revived {},
}

impl crate::Event for Event {}

/// Why a notification is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Death {
    /// The channel refused it for good.
    Refused,
    /// All attempts failed.
    GaveUp,
    /// It may have arrived: a retry might deliver it twice.
    OutcomeUnknown,
}

/// Why a notification is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// The recipient does not want such notifications on this channel.
    Preference,
    /// The recipient has no address.
    NoAddress,
    /// The recipient was erased.
    Erased,
    /// The message is no longer valid.
    Expired,
    /// Too many mails went to the mailbox before an order of it was paid.
    TooMany,
}

/// The outcome of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The channel accepted the message.
    Taken {
        /// Its reference at the channel.
        reference: Label,
    },
    /// The channel certainly did not accept it; a retry may succeed.
    NotNow {
        /// The reason.
        reason: Label,
        /// From 0 to 999: the position of this pause within its spread.
        spread: u16,
    },
    /// The channel certainly did not accept it, and never will.
    Refused {
        /// The reason.
        reason: Label,
    },
    /// The channel may have accepted it.
    Unknown {
        /// The reason why the outcome is unknown.
        reason: Label,
    },
    /// There is no recipient any more, or the message is no longer valid.
    Pointless {
        /// The reason.
        because: Skip,
    },
}

/// The commands of a notification.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Queue the notification.
    Queue(Notice),
    /// Record the notification as skipped.
    Skip {
        /// The notification that is skipped.
        notice: Notice,
        /// The reason.
        because: Skip,
    },
    /// Begin an attempt.
    Attempt {
        /// The number of the attempt; any number but the next one was attempted already.
        attempt: u32,
    },
    /// Record the outcome of an attempt.
    Conclude {
        /// The number of the attempt.
        attempt: u32,
        /// The outcome.
        outcome: Outcome,
    },
    /// Send a dead notification again, as staff requests.
    Revive {},
}

/// The state of a notification.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Notification {
    /// The content; absent if the notification does not exist.
    pub notice: Option<Notice>,
    /// The status.
    pub status: Status,
    /// The number of attempts.
    pub attempts: u32,
    /// The number of attempts before it was last revived.
    pub written_off: u32,
}

/// The status of a notification.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// It waits to be sent; after a failed attempt, until a time.
    #[default]
    Waiting,
    /// An attempt is in progress.
    Attempted,
    /// It was sent.
    Sent,
    /// It is not retried.
    Dead {
        /// The reason.
        cause: Death,
    },
    /// It is not sent.
    Skipped {
        /// The reason.
        because: Skip,
    },
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        Missing => Missing: "there is no such notification";
        NotDead => Conflict: "only a dead notification can be sent again";
        OtherAttempt => Conflict: "the attempt is not the last one";
    }
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Notification {
    const CATEGORY: &'static str = "notification";
    type Id = NotificationId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        match command {
            // The event was handled before.
            Command::Queue(_) | Command::Skip { .. } if self.notice.is_some() => Ok(vec![]),
            Command::Queue(notice) => Ok(vec![Event::Queued(notice.clone())]),
            Command::Skip { notice, because } => {
                Ok(vec![Event::Queued(notice.clone()), Event::Skipped { because: *because }])
            }
            Command::Attempt { .. } | Command::Conclude { .. } | Command::Revive {} if self.notice.is_none() => {
                Err(Rejection::Missing)
            }
            Command::Attempt { attempt } => match self.status {
                Status::Waiting if *attempt == self.attempts + 1 => Ok(vec![Event::Attempted { attempt: *attempt }]),
                Status::Waiting | Status::Attempted | Status::Sent | Status::Dead { .. } | Status::Skipped { .. } => {
                    Err(Rejection::OtherAttempt)
                }
            },
            Command::Conclude { attempt, outcome } => match self.status {
                Status::Attempted if *attempt == self.attempts => Ok(vec![self.conclude(outcome, asked.at)]),
                Status::Waiting | Status::Attempted | Status::Sent | Status::Dead { .. } | Status::Skipped { .. } => {
                    Err(Rejection::OtherAttempt)
                }
            },
            Command::Revive {} => match self.status {
                Status::Dead { .. } => Ok(vec![Event::Revived {}]),
                Status::Waiting | Status::Attempted | Status::Sent | Status::Skipped { .. } => Err(Rejection::NotDead),
            },
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Queued(notice) => self.notice = Some(notice.clone()),
            Event::Attempted { attempt } => {
                self.attempts = *attempt;
                self.status = Status::Attempted;
            }
            Event::Sent { .. } => self.status = Status::Sent,
            Event::Failed { .. } => self.status = Status::Waiting,
            Event::Died { cause, .. } => self.status = Status::Dead { cause: *cause },
            Event::Skipped { because } => self.status = Status::Skipped { because: *because },
            Event::Revived {} => {
                self.status = Status::Waiting;
                self.written_off = self.attempts;
            }
        }
        self
    }
}

impl Notification {
    /// The number of the attempt that is due, if it waits for one.
    pub fn due(&self) -> Option<u32> {
        (self.notice.is_some() && self.status == Status::Waiting).then_some(self.attempts + 1)
    }

    fn conclude(&self, outcome: &Outcome, at: DateTime<Utc>) -> Event {
        let tried = self.attempts - self.written_off;
        match outcome {
            Outcome::Taken { reference } => Event::Sent { reference: reference.clone() },
            Outcome::NotNow { reason, .. } if tried >= ATTEMPTS_MAX => {
                Event::Died { cause: Death::GaveUp, reason: reason.clone() }
            }
            Outcome::NotNow { reason, spread } => {
                Event::Failed { reason: reason.clone(), retry_at: at + pause(tried, *spread) }
            }
            Outcome::Refused { reason } => Event::Died { cause: Death::Refused, reason: reason.clone() },
            Outcome::Unknown { reason } => Event::Died { cause: Death::OutcomeUnknown, reason: reason.clone() },
            Outcome::Pointless { because } => Event::Skipped { because: *because },
        }
    }
}

/// The pause after a number of failures, spread by a number of thousandths.
fn pause(failures: u32, spread: u16) -> TimeDelta {
    let factor = 4_i32.saturating_pow(failures.saturating_sub(1).min(ATTEMPTS_MAX));
    let whole = FIRST_PAUSE.checked_mul(factor).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
    let thousandths = 1_000 - SPREAD + i64::from(spread.min(999)) * 2 * SPREAD / 999;
    TimeDelta::milliseconds(whole.num_milliseconds() / 1_000 * thousandths)
}

#[cfg(test)]
mod tests;
