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

/// What to do with the data key.
#[derive(Debug, clap::Args)]
pub(super) struct DataKeyArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Wrap every key of a person by a new data key and destroy the old one: what old copies of the database hold of people who
    /// were erased opens with nothing. The shop may run, and takes the new key up by itself
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
    let kept = "backups of the database do not open without the key that was in use when they were made";
    let said = format!(
        "{} holds the new data key {}, {} keys of people were wrapped anew, and the old data key is destroyed; {kept}",
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
        "the data key {} wraps now, and {} keys of people were wrapped anew: leave only the first key in BYTESHOP_DATA_KEY, \
         restart every process of the shop, and destroy the older keys",
        rotated.current, rotated.rewrapped
    );
    Ok((rotated, said))
}

/// What to do when nothing is left to rotate among the keys of the configuration.
fn given_advice(count: usize) -> String {
    if count > 1 {
        return "every key of a person is wrapped by the first data key: leave only that one in BYTESHOP_DATA_KEY"
            .to_owned();
    }
    "the data key is configured, so a new one is put there first: make it with `openssl rand -base64 32`, set \
     BYTESHOP_DATA_KEY to the new key, a comma and the old key for every process and restart them, run `byteshop data-key \
     rotate` with the same setting, and then leave only the new key there"
        .to_owned()
}
