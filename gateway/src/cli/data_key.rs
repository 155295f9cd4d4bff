//! The keys that personal data is sealed under: configured, or made in the data directory of a shop on one machine.

use std::path::{Path, PathBuf};

use byteshop_eventstore::{DataKeys, Log, SealError, Vault};

use super::failure::Failure;
use crate::config::Config;
use crate::key_file::{KeyFileError, read_or_make};

/// The file of a key that was not configured, in the data directory.
const KEY_FILE: &str = "data.key";

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
    let of_file = |path: &Path| {
        let text = read_or_make(path, DataKeys::random)?;
        DataKeys::parse(&text).map_err(|error: SealError| KeyFileError::new(path, error))
    };
    if let Some(text) = &config.data_key {
        return Ok(DataKeys::parse(text).or_else(|_| of_file(&PathBuf::from(text)))?);
    }
    let path = config.data.join(KEY_FILE);
    if !path.exists()
        && let Some(needed) = Vault::key_in_use(log).await?
    {
        return Err(SealError::OtherDataKey(needed).into());
    }
    Ok(of_file(&path)?)
}
