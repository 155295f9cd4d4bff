//! Messages to people, by mail, SMS or push: one port, which says of each message whether it was taken.

use byteshop_domain::Subject;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// A message as it leaves the shop. It holds what is personal, so it is neither stored nor logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The id of the notification; it is the same in a repeated message, so that the receiver can recognize it.
    pub id: Uuid,
    /// The mail address, the phone number, or the account whose devices are meant.
    pub to: String,
    /// The person.
    pub person: Subject,
    /// The subject line.
    pub subject: String,
    /// All of it as plain text for a mail; the first paragraph for the others.
    pub text: String,
    /// All of it as HTML; nothing but for a mail.
    pub html: Option<String>,
    /// When it leaves.
    pub at: DateTime<Utc>,
    /// Where one click unsubscribes from messages like it (RFC 8058), if it is of such a kind.
    pub unsubscribe: Option<String>,
}

/// The receiver's id of an accepted message, for looking it up there.
pub type Taken = String;

/// A message was not taken, as far as is known. The texts say why without saying to whom.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// Certainly not taken; later it may be.
    #[error("not now: {0}")]
    NotNow(String),
    /// Certainly not taken, and never will be.
    #[error("refused: {0}")]
    Refused(String),
    /// The message may have been accepted or not: sent again, it might arrive twice.
    #[error("the outcome is not known: {0}")]
    Unknown(String),
}

/// A carrier of the messages of one channel.
pub trait Carrier: Send + Sync {
    /// Hands a message over.
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Taken, Undelivered>>;

    /// Permits for handing messages over, if their number at a time is limited. The sender acquires one before the
    /// attempt begins, so that a message which only waits for its turn is not lost with the program.
    fn turns(&self) -> Option<&Semaphore> {
        None
    }
}
