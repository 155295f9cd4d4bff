//! Files, named by their content: in a local directory, in a bucket of an S3-compatible store, or in memory.
//!
//! A name begins with the SHA-256 of the content, so a file never changes, and writing it again has no effect. Files
//! are written before the event that refers to them: a crash in between leaves only an unused file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::erased::ErasedObjects;

/// Digits of a SHA-256 in hexadecimal notation.
const DIGEST: usize = 64;
/// Longest part of a name behind the digest: `-640.jpg` and the like.
const REST_MAX: usize = 16;

/// After which time an upload that has not ended was broken off: far longer than one may take.
pub(super) const BROKEN_OFF: TimeDelta = TimeDelta::days(1);

/// The name of a file: a digest, and what tells copies of it apart. It can hold nothing that means something in a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BlobName(String);

impl BlobName {
    /// Reads a name such as `<64 hexadecimal digits>-640.jpg`; none when the text is no such name.
    pub fn parse(text: &str) -> Option<Self> {
        let (digest, rest) = text.split_at_checked(DIGEST)?;
        let is_digest = digest.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        let (tag, ending) = rest.split_once('.')?;
        let tag = tag.strip_prefix('-').unwrap_or(tag);
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
        let tagged = rest.starts_with('-') != tag.is_empty();
        let fits = is_digest && tagged && plain(tag) && plain(ending) && !ending.is_empty() && rest.len() <= REST_MAX;
        fits.then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path in the store: one directory per first byte, because directories with a million files are slow.
    fn path(&self) -> ObjectPath {
        ObjectPath::from_iter([&self.0[..2], &self.0])
    }
}

/// Why a file could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("the file store does not answer: {0}")]
pub struct BlobError(#[from] object_store::Error);

/// A bucket of an S3-compatible store.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// The name of the bucket.
    pub name: String,
    /// The prefix of all names in the bucket; may be empty.
    pub prefix: String,
    /// Where the store is; Amazon's own when nothing is said.
    pub endpoint: Option<String>,
    /// The region of the bucket.
    pub region: String,
    /// The id of the key.
    pub key_id: Option<String>,
    /// The key.
    pub secret: Option<String>,
}

/// Where files are kept. Clones share it.
#[derive(Clone)]
pub struct Blobs {
    pub(super) store: Arc<dyn ObjectStore>,
    /// The directory of a local store.
    pub(super) directory: Option<PathBuf>,
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blobs({})", self.store)
    }
}

impl Blobs {
    /// Keeps files in a directory, which is made when it is not there. A file that was written survives a crash.
    pub fn local(directory: &Path) -> Result<Self, BlobError> {
        let failed =
            |source: std::io::Error| object_store::Error::Generic { store: "directory", source: source.into() };
        std::fs::create_dir_all(directory).map_err(failed)?;
        let store = Arc::new(LocalFileSystem::new_with_prefix(directory)?.with_fsync(true));
        Ok(Self { store, directory: Some(directory.to_owned()) })
    }

    /// Keeps files in a bucket.
    pub fn bucket(bucket: &Bucket) -> Result<Self, BlobError> {
        let mut builder = AmazonS3Builder::new().with_bucket_name(&bucket.name).with_region(&bucket.region);
        if let Some(endpoint) = &bucket.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        if let (Some(key_id), Some(secret)) = (&bucket.key_id, &bucket.secret) {
            builder = builder.with_access_key_id(key_id).with_secret_access_key(secret);
        }
        let store = object_store::prefix::PrefixStore::new(builder.build()?, bucket.prefix.as_str());
        Ok(Self { store: Arc::new(store), directory: None })
    }

    /// Keeps files for as long as the program runs.
    pub fn in_memory() -> Self {
        Self { store: Arc::new(InMemory::new()), directory: None }
    }

    /// The list of those who were erased, kept beside the files.
    pub fn erased(&self) -> ErasedObjects {
        ErasedObjects::new(Arc::clone(&self.store))
    }

    /// Moves a file; one that is not there any more was moved before.
    pub(super) async fn rename(&self, from: &ObjectPath, to: &ObjectPath) -> Result<(), BlobError> {
        match self.store.rename(from, to).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes a file, if there is one.
    pub(super) async fn delete(&self, path: &ObjectPath) -> Result<(), BlobError> {
        match self.store.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes what is left in a folder of files that were not written to their end long before a time, and gives the files that have
    /// been there since then, by their names as `parse` reads them.
    pub(super) async fn sweep<N>(
        &self,
        folder: &str,
        now: DateTime<Utc>,
        parse: impl Fn(&str) -> Option<N>,
    ) -> Result<Vec<N>, BlobError> {
        let (before, prefix) = (now - BROKEN_OFF, ObjectPath::from(folder));
        let (mut old, mut found) = (Vec::new(), self.store.list(Some(&prefix)));
        while let Some(object) = found.try_next().await? {
            if object.last_modified < before {
                old.extend(object.location.filename().and_then(&parse));
            }
        }
        if let Some(directory) = self.directory.as_ref().map(|it| it.join(folder)) {
            let swept = tokio::task::spawn_blocking(move || sweep_parts(&directory, before)).await;
            if let Ok(Err(error)) = swept {
                return Err(object_store::Error::Generic { store: "directory", source: error.into() }.into());
            }
        }
        Ok(old)
    }

    /// Writes a file; one that is there already stays as it is.
    pub async fn put(&self, name: &BlobName, bytes: Bytes) -> Result<(), BlobError> {
        match self.store.head(&name.path()).await {
            Ok(known) if known.size == bytes.len() as u64 => return Ok(()),
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.store.put(&name.path(), bytes.into()).await?;
        Ok(())
    }

    /// Reads a file, if there is one.
    pub async fn get(&self, name: &BlobName) -> Result<Option<Bytes>, BlobError> {
        match self.store.get(&name.path()).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Deletes what a local store has not finished writing and does not list: its names have a `#`, which those of whole files have not.
fn sweep_parts(directory: &Path, before: DateTime<Utc>) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let is_part = entry.file_name().to_string_lossy().contains('#');
        if is_part && DateTime::<Utc>::from(entry.metadata()?.modified()?) < before {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(rest: &str) -> Option<BlobName> {
        BlobName::parse(&format!("{}{rest}", "0a".repeat(DIGEST / 2)))
    }

    #[test]
    fn nothing_but_a_name_is_a_name() {
        for rest in [".jpg", "-640.jpg", "-160.png"] {
            assert!(name(rest).is_some(), "{rest}");
        }
        for rest in [
            "",
            ".",
            "/x.jpg",
            "-.jpg",
            "640.jpg",
            "-640",
            "-640.JPG",
            "-6/4.jpg",
            "..jpg",
            ".j/g",
            "-1234567890123.jpg",
        ] {
            assert_eq!(name(rest), None, "{rest}");
        }
        let dots = format!("{}.jpg", "../".repeat(22));
        for text in ["", "a.jpg", "../../etc/passwd", &"é".repeat(40), &format!("{}.jpg", "A".repeat(64)), &dots] {
            assert_eq!(BlobName::parse(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn a_file_is_read_as_it_was_written() {
        let blobs = Blobs::in_memory();
        let name = name(".jpg").unwrap();
        assert_eq!(blobs.get(&name).await.unwrap(), None);
        for _ in 0..2 {
            blobs.put(&name, Bytes::from_static(b"light")).await.unwrap();
        }
        assert_eq!(blobs.get(&name).await.unwrap(), Some(Bytes::from_static(b"light")));
    }
}
