//! Checks before a process starts its work: data keys, restored backups, and warnings for operators.

use std::sync::Arc;

use anyhow::Result;
use byteshop_commands::Commands;
use byteshop_eventstore::erased::ErasedList;

use crate::health::{Health, POSTGRES, RoleState};
use crate::restored;
use crate::trade::Trade;

/// Sees to it; gives the health of the process so far. A shop that sells warns its operators of what they must know.
///
/// # Errors
/// When Postgres does not answer, or the data keys are not those of this log.
pub(super) async fn open(
    commands: &Commands,
    erased: Option<Arc<dyn ErasedList>>,
    trade: &Trade,
    sells: bool,
) -> Result<Health> {
    open_vault(commands, erased).await?;
    commands.sell_as(trade.seller.clone());
    if sells {
        warn(commands, trade).await?;
    }
    let health = Health::default();
    health.emulate(commands.connected().emulated());
    restored::recognize(commands, &health).await?;
    // It has just answered.
    health.set(POSTGRES, RoleState::Up);
    Ok(health)
}

/// Makes sure that the data keys are those of this log, and erases again the people who were erased after the backup that was
/// restored.
async fn open_vault(commands: &Commands, list: Option<Arc<dyn ErasedList>>) -> Result<()> {
    let Some(list) = list else { return Ok(()) };
    commands.vault().check().await?;
    commands.vault().list_erased(list);
    let again = commands.vault().apply_erased().await?;
    if !again.is_empty() {
        tracing::warn!(people = again.len(), "destroyed the keys of erased people again");
    }
    Ok(())
}

/// Warns the people who run the shop of what they must know before it sells.
async fn warn(commands: &Commands, trade: &Trade) -> Result<()> {
    let excess = commands.log().excess_rights().await?;
    let excess = excess.map(|excess| {
        format!(
            "{excess}: name the owner of the database in BYTESHOP_MIGRATION_DATABASE_URL, and run `byteshop migrate`"
        )
    });
    let warnings = trade.warnings().chain(commands.connected().warnings()).chain(excess);
    warnings.for_each(|warning| tracing::warn!("{warning}"));
    Ok(())
}
