//! Where questions to the log are answered, and what people call the things that they ask about.

use byteshop_eventstore::{Log, Recorded, Vault};
use byteshop_projections::Views;

use crate::cli::failure::Failure;
use crate::lookup::{Finder, LookupError, Thing};

/// The log, and the vault that decrypts personal data if its key is available.
pub(super) struct Desk {
    pub(super) log: Log,
    pub(super) views: Views,
    pub(super) vault: Option<Vault>,
}

impl Desk {
    /// The lookup of an object by a name.
    pub(super) fn finder(&self) -> Finder<'_> {
        Finder { log: &self.log, views: &self.views, vault: self.vault.as_ref() }
    }

    /// The thing that a text names.
    pub(super) async fn thing(&self, name: &Name) -> Result<Thing, Failure> {
        let found = self.finder().things(&name.0).await.map_err(failure)?;
        found.into_iter().next().ok_or_else(|| Failure::refused(format!("nothing in the log is named `{}`", name.0)))
    }
}

/// The failure of a lookup.
pub(super) fn failure(error: LookupError) -> Failure {
    match error {
        error @ (LookupError::Unknown(_) | LookupError::NoDataKey) => Failure::refused(error),
        LookupError::Store(error) => error.into(),
        LookupError::Commands(error) => error.into(),
        LookupError::Views(error) => error.into(),
    }
}

/// A name of an object: its id, or one of its other names.
#[derive(Debug, Clone)]
pub(super) struct Name(pub(super) String);

impl std::str::FromStr for Name {
    type Err = String;

    /// Accepts any name but a malformed id, which cannot be any other kind of name.
    fn from_str(text: &str) -> Result<Self, String> {
        let prefix = text.split_once('_').map(|(prefix, _)| prefix);
        let meant = byteshop_domain::AGGREGATES.iter().find(|it| Some(it.prefix) == prefix);
        match meant {
            Some(it) if Thing::of_id(text).is_none() => Err(format!(
                "not a valid id: `{}_` is followed by 26 letters and digits, such as {}",
                it.prefix,
                byteshop_domain::ids::format(it.prefix, EXAMPLE)
            )),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

/// An id as an example of how ids look.
const EXAMPLE: uuid::Uuid = uuid::Uuid::from_u128(0x0188_56a5_ac6d_7ac6_a93a_8b2e_2b97_4a1f);

/// Whether a page was read to its end, so that there may be another one.
pub(super) fn is_full(page: &[Recorded], size: i64) -> bool {
    i64::try_from(page.len()) == Ok(size)
}

/// A whole number from 0 on.
pub(super) fn whole_number(text: &str) -> Result<i64, String> {
    text.parse().ok().filter(|number| *number >= 0).ok_or_else(|| "not a whole number such as 100".to_owned())
}

/// Refuses to start after a position that the log does not have: an empty answer would look as if nothing had happened.
pub(super) fn within(head: i64, after: i64) -> Result<(), Failure> {
    if after <= head {
        return Ok(());
    }
    Err(Failure::refused(format!("the log has no position {after}: it ends at {head}")))
}

/// The failure for a position that the log does not have.
pub(super) async fn no_event(log: &Log, position: i64) -> Failure {
    match log.head().await {
        Ok(0) => Failure::refused("the log is empty"),
        Ok(head) => Failure::refused(format!("the log has no position {position}: its positions are 1 to {head}")),
        Err(error) => error.into(),
    }
}
