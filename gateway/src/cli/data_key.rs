//! The keys that personal data is sealed under: configured, or made in the data directory of a shop on one machine.

use std::path::{Path, PathBuf};

use byteshop_eventstore::{DataKeys, SealError};

use crate::config::Config;
use crate::key_file::{KeyFileError, read_or_make};

/// The file of a key that was not configured, in the data directory.
const KEY_FILE: &str = "data.key";

/// The data keys of this shop.
///
/// # Errors
/// When they cannot be read or made.
pub(super) fn data_keys(config: &Config) -> Result<DataKeys, KeyFileError> {
    let of_file = |path: &Path| {
        let text = read_or_make(path, DataKeys::random)?;
        DataKeys::parse(&text).map_err(|error: SealError| KeyFileError::new(path, error))
    };
    match &config.data_key {
        Some(text) => DataKeys::parse(text).or_else(|_| of_file(&PathBuf::from(text))),
        None => of_file(&config.data.join(KEY_FILE)),
    }
}
