//! Why a command was not carried out.

use byteshop_domain::codec::CodecError;
use byteshop_domain::{Decider, Kind, Rejection};
use byteshop_eventstore::StoreError;
use serde::{Deserialize, Serialize};

/// A domain rejection with its type erased: what the caller is told, now or when the command is repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The stable code, such as `order.already_paid`.
    pub code: String,
    /// What sort of fact is in the way.
    #[serde(with = "kind")]
    pub kind: Kind,
    /// The fact, in words.
    pub detail: String,
    /// The field of the request that is to blame, as a JSON pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

impl Rejected {
    /// The rejection of an aggregate.
    pub fn of<A: Decider>(rejection: &A::Rejection) -> Self {
        Self::named(A::CATEGORY, rejection)
    }

    /// A rejection that belongs to a category without being its aggregate's.
    pub fn named(category: &str, rejection: &impl Rejection) -> Self {
        Self {
            code: format!("{category}.{}", rejection.code()),
            kind: rejection.kind(),
            detail: rejection.to_string(),
            pointer: rejection.pointer(),
        }
    }

    /// There is no such thing, or not for the one who asks.
    pub fn missing(category: &str) -> Self {
        Self {
            code: format!("{category}.missing"),
            kind: Kind::Missing,
            detail: format!("there is no such {}", category.replace('_', " ")),
            pointer: None,
        }
    }
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The domain refused it.
    #[error("{}", .0.detail)]
    Rejected(Rejected),
    /// The caller asked for another version than there is.
    #[error("the version is {current}, not the expected one")]
    Version {
        /// The version that there is.
        current: i64,
    },
    /// It was refused before, for this reason, and the same request gets the same answer.
    #[error(transparent)]
    Replayed(Box<Error>),
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// A request with the same idempotency key is being carried out.
    #[error("a request with the same idempotency key is in progress")]
    InFlight,
    /// Others changed the same things every time; nothing was written.
    #[error("too much contention on the same records; retry")]
    Contended,
    /// What is in the way is about to pass; nothing was written, and nothing is kept under the idempotency key.
    #[error("{}", .0.detail)]
    NotYet(Rejected),
    /// The caller has to prove again who they are; nothing was written, and nothing is kept under the idempotency key.
    #[error("{}", .0.detail)]
    Unproven(Rejected),
    /// The store did not answer; whether the command was carried out is not known.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log under a process is not the one that it has read: a restored backup.
    #[error("the log at position {position} is not the one that {process} has read: it was restored or replaced")]
    OtherHistory {
        /// The process.
        process: &'static str,
        /// Where it stood.
        position: i64,
    },
    /// A backup was restored and nobody has confirmed it: no payment is taken and no number given.
    #[error("payments and document numbers are stopped: {reason}")]
    Closed {
        /// What was noticed.
        reason: String,
    },
    /// The payment provider that was named is not connected to this shop.
    #[error("this shop does not use the payment provider {provider}")]
    NoProvider {
        /// Its name.
        provider: &'static str,
    },
    /// The payment provider did not answer.
    #[error(transparent)]
    Provider(#[from] crate::ports::NoAnswer),
    /// An event of ours cannot be read or written.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

impl Error {
    /// Whether Postgres is away ([`StoreError::is_outage`]).
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_outage())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Store(StoreError::Json(error))
    }
}

/// `Kind` by its name, for receipts.
mod kind {
    use byteshop_domain::Kind;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    const NAMES: [(Kind, &str); 4] = [
        (Kind::Missing, "missing"),
        (Kind::Conflict, "conflict"),
        (Kind::Invalid, "invalid"),
        (Kind::Forbidden, "forbidden"),
    ];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub fn serialize<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
        let name = NAMES.iter().find(|(known, _)| known == kind).map_or("invalid", |(_, name)| name);
        serializer.serialize_str(name)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let found = NAMES.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind);
        found.ok_or_else(|| D::Error::custom("not a kind of rejection"))
    }
}
