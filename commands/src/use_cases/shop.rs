//! What an operator does to the whole shop, on record.

use byteshop_domain::shop::{self, Command, Shop};
use byteshop_domain::text::Reference;

use crate::engine::error::Error;
use crate::engine::unit::Unit;

/// Records that the numbers of documents were confirmed after a restored backup.
pub async fn confirm(unit: &Unit) -> Result<(), Error> {
    record(unit, &Command::Confirm {}).await
}

/// Records that the data key was rotated; `key` is the name of the new one.
pub async fn rotate_data_key(unit: &Unit, key: Reference) -> Result<(), Error> {
    record(unit, &Command::RotateDataKey { key }).await
}

/// Records that a key of access tokens was added; `key` is its `kid`.
pub async fn rotate_token_key(unit: &Unit, key: Reference) -> Result<(), Error> {
    record(unit, &Command::RotateTokenKey { key }).await
}

/// Records that so many keys of access tokens were removed.
pub async fn prune_token_keys(unit: &Unit, count: u32) -> Result<(), Error> {
    record(unit, &Command::PruneTokenKeys { count }).await
}

async fn record(unit: &Unit, command: &Command) -> Result<(), Error> {
    let mut shop = unit.load::<Shop>(shop::id()).await?;
    unit.decide(&mut shop, command)
}
