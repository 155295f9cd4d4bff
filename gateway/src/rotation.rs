//! Automatic rotation of the data key a day after an erasure, so that no old copy of the database can be used to read
//! the erased data.

use std::path::PathBuf;
use std::time::Duration;

use byteshop_eventstore::rotate::{self, RotateError};
use byteshop_eventstore::{Clock, Log};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether a rotation is due.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// Where the data keys come from, and so who rotates them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file, which the shop rotates by itself.
    File(PathBuf),
    /// The configuration: the people who run the shop put a new key there first.
    Given,
}

/// Looks until it is cancelled whether a rotation is due, and does it.
pub async fn watch(log: Log, source: KeySource, cancel: CancellationToken) {
    let looking = async {
        loop {
            look(&log, &source).await;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::select! {
        () = looking => {}
        () = cancel.cancelled() => {}
    }
}

/// Rotates the data key if that is due and the shop has it.
pub async fn look(log: &Log, source: &KeySource) {
    match rotate::is_due(log, Clock.now()).await {
        Ok(true) => {}
        Ok(false) => return,
        // That Postgres is away is said elsewhere.
        Err(error) if error.is_outage() => return,
        Err(error) => return tracing::warn!(%error, "cannot find out whether the data key must be rotated"),
    }
    match source {
        KeySource::File(file) => match rotate::rotate_file(log, file).await {
            Ok(rotated) => tracing::info!(key = %rotated.current, keys = rotated.rewrapped, "rotated the data key"),
            Err(RotateError::Busy) => {}
            Err(error) => tracing::error!(%error, "the data key could not be rotated; run `byteshop data-key rotate`"),
        },
        KeySource::Given => tracing::warn!(
            "people were erased after the data key was last rotated, so older backups can still decrypt their data; \
             run `byteshop data-key rotate`"
        ),
    }
}
