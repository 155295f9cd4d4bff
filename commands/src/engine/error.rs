//! Why a command was not carried out.

use byteshop_domain::codec::CodecError;
pub use byteshop_domain::rejected::Rejected;
use byteshop_domain::work::Refused;
use byteshop_eventstore::StoreError;

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
    /// The command was refused before for this reason; the same request gets the same response.
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
    /// The obstacle will pass soon; nothing was written, and nothing is stored under the idempotency key.
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
    /// A backup was restored and no operator has confirmed it: payments and document numbers are stopped.
    #[error("payments and document numbers are stopped: {reason}")]
    Closed {
        /// How the restore was detected.
        reason: String,
    },
    /// The payment provider that was named is not connected to this shop.
    #[error("this shop does not use the payment provider {provider}")]
    NoProvider {
        /// The name of the provider.
        provider: &'static str,
    },
    /// The payment provider did not answer.
    #[error(transparent)]
    Provider(#[from] crate::ports::NoAnswer),
    /// An event cannot be read or written.
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

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Rejected(rejected) => Self::Rejected(rejected),
            Refused::NotYet(rejected) => Self::NotYet(rejected),
        }
    }
}
