//! The keys that personal data is sealed under: configured, or made in the data directory of a shop on one machine; and
//! `byteshop data-key`, which rotates them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use byteshop_domain::shop;
use byteshop_domain::text::Reference;
use byteshop_eventstore::erased::{ErasedFile, ErasedList};
use byteshop_eventstore::rotate::{self, Rotated};
use byteshop_eventstore::{DataKeys, Log, SealError, Vault};

use super::accounts::record;
use super::failure::Failure;
use super::output;
use super::roles::files;
use super::seed::with_commands;
use crate::config::{Config, Files};
use crate::rotation::KeySource;
use crate::security::key_file::{KeyFileError, read_or_make};

/// The file of a key that was not configured, in the data directory.
const KEY_FILE: &str = "data.key";
/// The list of those who were erased.
const ERASED_FILE: &str = "erased.list";

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
        record(&commands, "data_key.rotate", &shop::Command::RotateDataKey { key }).await?;
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

/// Where the data keys of this shop come from.
pub(super) fn source(config: &Config) -> KeySource {
    match &config.data_key {
        Some(text) if DataKeys::parse(text).is_ok() => KeySource::Given,
        Some(text) => KeySource::File(PathBuf::from(text)),
        None => KeySource::File(config.data.join(KEY_FILE)),
    }
}

/// What is said where `--reveal` finds no key.
pub(super) const NEEDED: &str =
    "--reveal needs the data key of the shop: set BYTESHOP_DATA_KEY, or name its directory with --data";

/// The data keys of this shop if they are at hand; none is made.
pub(super) fn known(config: &Config) -> Result<Option<DataKeys>, Failure> {
    let file = match &config.data_key {
        Some(text) => match DataKeys::parse(text) {
            Ok(keys) => return Ok(Some(keys)),
            Err(_) => PathBuf::from(text),
        },
        None => config.data.join(KEY_FILE),
    };
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok(Some(DataKeys::parse(text.trim()).map_err(|error| KeyFileError::new(&file, error))?)),
        Err(_) => Ok(None),
    }
}

/// The data keys of this shop. One is made only where nothing is sealed yet: beside data that was brought here without its
/// key, another one would look as if it were the right one.
pub(super) async fn data_keys(config: &Config, log: &Log) -> Result<DataKeys, Failure> {
    let file = match (source(config), &config.data_key) {
        (KeySource::Given, given) => return Ok(DataKeys::parse(given.as_deref().unwrap_or_default())?),
        (KeySource::File(file), _) => file,
    };
    if !file.exists()
        && let Some(needed) = Vault::key_in_use(log).await?
    {
        return Err(SealError::OtherDataKey(needed).into());
    }
    Ok(of_file(&file)?)
}

fn of_file(file: &Path) -> Result<DataKeys, KeyFileError> {
    let text = read_or_make(file, DataKeys::random)?;
    let keys = DataKeys::parse(&text).map_err(|error: SealError| KeyFileError::new(file, error))?;
    Ok(keys.kept_in(file.to_owned()))
}

/// The list of those who were erased: in the bucket when files are in one, and else beside the data key, which is kept apart from
/// the backups of the database like the list.
pub(super) fn erased_list(config: &Config) -> Result<Arc<dyn ErasedList>, Failure> {
    Ok(match (&config.files, source(config)) {
        (Some(Files::Bucket { .. }), _) => Arc::new(files(config)?.erased()),
        (_, KeySource::File(key)) => Arc::new(ErasedFile::new(key.with_file_name(ERASED_FILE))),
        (Some(Files::Directory(directory)), KeySource::Given) => Arc::new(ErasedFile::new(directory.join(ERASED_FILE))),
        (None, KeySource::Given) => Arc::new(ErasedFile::new(config.data.join(ERASED_FILE))),
    })
}
