//! After a restored backup the shop accepts no payments and issues no document numbers until an operator has confirmed
//! it: events after the backup are missing from the log, and buyers may have numbers that would be issued again.

use std::time::Duration;

use byteshop_commands::Commands;
use byteshop_eventstore::StoreError;
use tokio_util::sync::CancellationToken;

use crate::health::{Health, RoleState};

/// How often a process checks whether payments were stopped or resumed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The name of payments among the roles.
const PAYMENTS: &str = "payments";

/// Checks whether this is still the same database, before anything is done on it.
///
/// # Errors
/// When Postgres does not answer.
pub async fn recognize(commands: &Commands, health: &Health) -> Result<(), StoreError> {
    let closed = commands.log().recognize().await?;
    note(commands, health, closed.map(|closed| closed.reason));
    Ok(())
}

/// Follows what is said of it, until cancelled.
pub async fn watch(commands: Commands, health: Health, cancel: CancellationToken) {
    let watching = async {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match commands.log().closed().await {
                Ok(closed) => note(&commands, &health, closed.map(|closed| closed.reason)),
                // Readiness asks Postgres itself, and says that it is away.
                Err(error) => tracing::debug!(%error, "cannot find out whether payments are stopped"),
            }
        }
    };
    tokio::select! {
        () = watching => {}
        () = cancel.cancelled() => {}
    }
}

fn note(commands: &Commands, health: &Health, reason: Option<String>) {
    if !commands.close(reason.clone()) {
        return;
    }
    let Some(reason) = reason else {
        tracing::info!("payments and document numbers have resumed");
        return health.set(PAYMENTS, RoleState::Up);
    };
    tracing::error!(
        reason,
        "payments and document numbers are stopped: run `byteshop check --repair`, then `byteshop numbers confirm`"
    );
    health.set(PAYMENTS, RoleState::Down { reason });
}
