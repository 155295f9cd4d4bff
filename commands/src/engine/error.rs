//! Errors of commands.

use byteshop_domain::Kind;
use byteshop_domain::codec::CodecError;
pub use byteshop_domain::rejected::Rejected;
use byteshop_domain::work::Refused;
use byteshop_eventstore::StoreError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The domain refused it.
    #[error("{}", .0.detail)]
    Rejected(Rejected),
    /// The stream has another version than the caller expects.
    #[error("the version is {current}, not the expected one")]
    Version {
        /// The current version.
        current: i64,
    },
    /// The command was refused before for this reason; the same request gets the same response.
    #[error(transparent)]
    Replayed(Box<Error>),
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// A request with the same idempotency key is in progress.
    #[error("a request with the same idempotency key is in progress")]
    InFlight,
    /// Every attempt had a version conflict; nothing was written.
    #[error("too much contention on the same records; retry")]
    Contended,
    /// The obstacle will pass soon; nothing was written, and nothing is stored under the idempotency key.
    #[error("{}", .0.detail)]
    NotYet(Rejected),
    /// The caller has to re-authenticate; nothing was written, and nothing is stored under the idempotency key.
    #[error("{}", .0.detail)]
    Unproven(Rejected),
    /// The store did not answer; the outcome of the command is unknown.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log under a process is not the one that it has read: a restored backup.
    #[error("the log at position {position} is not the one that {process} has read: it was restored or replaced")]
    OtherHistory {
        /// The process.
        process: &'static str,
        /// The position of the process.
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
    /// The file store did not answer.
    #[error(transparent)]
    Files(#[from] crate::ports::blobs::BlobError),
    /// An event cannot be read or written.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

impl Error {
    /// Refuses for a reason that is no aggregate's own.
    pub(crate) fn refused(code: &str, kind: Kind, detail: impl Into<String>) -> Self {
        Self::Rejected(Rejected { code: code.to_owned(), kind, detail: detail.into(), pointer: None })
    }

    /// Refuses an id in a request that names nothing: `pointer` is the field.
    pub(crate) fn no_such(thing: &'static str, pointer: &str) -> Self {
        Self::Rejected(Rejected {
            code: format!("{thing}.missing"),
            kind: Kind::Invalid,
            detail: format!("there is no such {thing}"),
            pointer: Some(pointer.to_owned()),
        })
    }

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

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

byteshop_domain::from_rejections!(Error);

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Rejected(rejected) => Self::Rejected(rejected),
            Refused::NotYet(rejected) => Self::NotYet(rejected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_store_that_is_away_is_an_outage() {
        assert!(Error::Store(StoreError::Unavailable("away".into())).is_outage());
        assert!(!Error::Contended.is_outage());
        let broken = serde_json::from_str::<()>("?").unwrap_err();
        assert!(!Error::from(broken).is_outage());
    }
}
