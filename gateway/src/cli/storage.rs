//! Where a shop keeps what is not in its database, as configured: the files, the keys of personal data, and the list of the erased.
//!
//! Without configuration all of it is in the data directory, for a shop on one machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use byteshop_commands::ports::blobs::{Blobs, Bucket};
use byteshop_eventstore::erased::{ErasedFile, ErasedList};
use byteshop_eventstore::{DataKeys, Log, SealError, Vault};

use super::failure::Failure;
use crate::config::{Config, Files};
use crate::rotation::KeySource;
use crate::security::key_file::{KeyFileError, read_or_make};

/// The file of a key that was not configured, in the data directory.
const KEY_FILE: &str = "data.key";

/// The list of those who were erased.
const ERASED_FILE: &str = "erased.list";

/// The message for `--reveal` without a key.
pub(super) const NEEDED: &str =
    "--reveal needs the data key of the shop: set BYTESHOP_DATA_KEY, or name its directory with --data";

/// Where the data keys of this shop come from.
pub(super) fn source(config: &Config) -> KeySource {
    match &config.data_key {
        Some(text) if DataKeys::parse(text).is_ok() => KeySource::Given,
        Some(text) => KeySource::File(PathBuf::from(text)),
        None => KeySource::File(config.data.join(KEY_FILE)),
    }
}

/// The data keys of this shop, if available; never creates one.
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

/// Where files are kept: what is configured, or a directory beside the rest of the shop's data.
pub(super) fn files(config: &Config) -> Result<Blobs, Failure> {
    let opened = match &config.files {
        Some(Files::Bucket { name, prefix }) => Blobs::bucket(&Bucket {
            name: name.clone(),
            prefix: prefix.clone(),
            endpoint: config.files_endpoint.clone(),
            region: config.files_region.clone(),
            key_id: config.files_key_id.clone(),
            secret: config.files_secret.clone(),
        }),
        Some(Files::Directory(directory)) => Blobs::local(directory),
        None => Blobs::local(&config.data.join("files")),
    };
    opened.map_err(|error| Failure::refused(format!("BYTESHOP_FILES cannot be used: {error}")))
}
