//! What a process does before it starts its work: it checks data keys and restored backups, warns operators, and connects what carries
//! messages.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use byteshop_commands::Commands;
use byteshop_commands::ports::blobs::Blobs;
use byteshop_commands::ports::evidence_files::EvidenceFiles;
use byteshop_eventstore::erased::ErasedList;

use super::settings::Messages;
use crate::health::{Health, POSTGRES, RoleState};
use crate::outside::outside;
use crate::restored;
use crate::trade::Trade;

/// Sees to it; gives the health of the process so far. A shop that sells warns its operators of what they must know.
///
/// # Errors
/// When Postgres does not answer, or the data keys are not those of this log.
pub(super) async fn open(
    commands: &Commands,
    erased: Option<Arc<dyn ErasedList>>,
    files: Option<&Blobs>,
    trade: &Trade,
    sells: bool,
) -> Result<Health> {
    open_vault(commands, erased).await?;
    if let Some(files) = files {
        commands.keep_evidence_in(EvidenceFiles::beside(files));
    }
    commands.issue_as(trade.issuer.clone());
    commands.pay_sellers_by(trade.payouts.clone());
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

/// Connects what carries messages. `here` is where this process serves; only a process that `sends` warns about missing settings.
pub(super) fn reach(
    commands: &Commands,
    messages: Messages,
    trade: &Trade,
    (dev, sends): (bool, bool),
    here: Option<SocketAddr>,
) -> Result<()> {
    let outside = match messages {
        Messages::Configured(config) => {
            let mut outside = outside(&config, (dev, sends), here, commands.log())?;
            outside.details.return_address.clone_from(&trade.return_address);
            outside
        }
        Messages::Given(outside) => outside,
        Messages::Stored => return Ok(()),
    };
    commands.reach(outside);
    Ok(())
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
