//! Log positions in the form that the caller may see.

use byteshop_commands::Error;
use byteshop_eventstore::StoreError;

use super::actor::Caller;
use super::positions::{PURPOSE, Positions, Shown};
use crate::app::App;

impl App {
    /// The encryption of positions.
    pub(crate) async fn positions(&self) -> Result<&Positions, Error> {
        let make = async || {
            let key = self.commands.vault().derive(PURPOSE).await?;
            Ok::<_, StoreError>(Positions::new(&key)?)
        };
        Ok(self.seen.positions.get_or_try_init(make).await?)
    }

    /// Shows positions to a caller.
    pub(crate) async fn shown_to(&self, caller: &Caller) -> Result<Shown<'_>, Error> {
        if caller.is_staff() { Ok(Shown::numbers()) } else { self.shown_sealed().await }
    }

    /// Shows positions as tokens, even to staff.
    pub(crate) async fn shown_sealed(&self) -> Result<Shown<'_>, Error> {
        Ok(Shown::tokens(self.positions().await?))
    }
}
