//! `byteshop data-key`: rotates the keys that personal data is sealed under.

use std::path::Path;

use byteshop_commands::use_cases::shop;
use byteshop_domain::text::Reference;
use byteshop_eventstore::Log;
use byteshop_eventstore::rotate::{self, Rotated};

use super::failure::Failure;
use super::operating::{intent, with_commands};
use super::output;
use super::storage::{data_keys, source};
use crate::config::Config;
use crate::rotation::KeySource;

/// The arguments of `byteshop data-key`.
#[derive(Debug, clap::Args)]
pub(super) struct DataKeyArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Encrypt every subject key with a new data key and destroy the old one, so that the data of erased people cannot be read even
    /// in old copies of the database. The shop may keep running: it loads the new key by itself
    Rotate,
}

pub(super) async fn run(config: &Config, args: &DataKeyArgs) -> Result<(), Failure> {
    match args.what {
        What::Rotate => rotate(config).await,
    }
}

async fn rotate(config: &Config) -> Result<(), Failure> {
    let source = source(config);
    if let KeySource::File(file) = &source
        && !file.exists()
    {
        return Err(Failure::refused(format!("there is no data key in {}: start the shop first", file.display())));
    }
    with_commands(config, async |commands| {
        let log = commands.log();
        let (rotated, said) = match &source {
            KeySource::File(file) => rotate_file(log, file).await?,
            KeySource::Given => rotate_given(config, log).await?,
        };
        let key = Reference::new(&rotated.current.to_string()).map_err(|error| Failure::refused(error.to_string()))?;
        let (intent, key) = (intent(&commands, "data_key.rotate"), &key);
        commands.run(&intent, |unit| async move { shop::rotate_data_key(&unit, key.clone()).await }).await?;
        Ok(output::line(&said)?)
    })
    .await
}

async fn rotate_file(log: &Log, file: &Path) -> Result<(Rotated, String), Failure> {
    let rotated = rotate::rotate_file(log, file).await?;
    let kept = "a backup of the database can be read only with the data key that was in use when it was made";
    let said = format!(
        "{} holds the new data key {}; {} subject keys were encrypted with it, and the old data key is destroyed; \
        {kept}",
        file.display(),
        rotated.current,
        rotated.rewrapped
    );
    Ok((rotated, said))
}

async fn rotate_given(config: &Config, log: &Log) -> Result<(Rotated, String), Failure> {
    let keys = data_keys(config, log).await?;
    if rotate::is_turned(log, &keys).await? {
        return Err(Failure::refused(given_advice(keys.count())));
    }
    let rotated = rotate::rotate_given(log, &keys).await?;
    let said = format!(
        "the data key {} is in use, and {} subject keys were encrypted with it: leave only the first key in \
        BYTESHOP_DATA_KEY, restart every process of the shop, and destroy the older keys",
        rotated.current, rotated.rewrapped
    );
    Ok((rotated, said))
}

/// Advice for configured data keys that are all up to date.
fn given_advice(count: usize) -> String {
    if count > 1 {
        return "every subject key is encrypted with the first data key: leave only that one in BYTESHOP_DATA_KEY"
            .to_owned();
    }
    "the data key is configured, so add the new one there first: create it with `openssl rand -base64 32`; set \
    BYTESHOP_DATA_KEY to the new key, a comma and the old key for every process, and restart them; run `byteshop \
    data-key rotate` with the same setting; then leave only the new key"
        .to_owned()
}
