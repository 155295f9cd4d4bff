//! Files that are sold: in the store of pictures, under addresses that no route serves, and too large for the memory.
//!
//! ```text
//! uploading ──end──▶ waiting ──keep──▶ at its address (final)
//!     │                 └──────discard──▶ deleted
//!     └── broken off ──────────────sweep──▶ deleted
//! ```
//!
//! A file is written piece by piece, and waits under a name of its upload until an event refers to it; then it is moved to its address.
//! The address is the SHA-256 of its content and the number of the upload: it belongs to one upload and never changes. A crash leaves
//! a file that waits, and whether an event refers to it tells whether it is kept. Readers find it in both places.
//!
//! Files at an address are never deleted: orders that were placed keep what they bought.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use byteshop_domain::ids::{Id as _, VariantId};
use byteshop_domain::text::{Hash, TextError};
use byteshop_eventstore::envelope::to_hex;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, WriteMultipart};
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::blobs::{BlobError, Blobs};

/// Uploads at once: each has up to three parts of 5 MiB in memory.
const UPLOADS: usize = 4;
/// Parts of an upload that are written at once, while the next one is gathered.
const PARTS: usize = 2;
/// Bytes of a file that are kept to recognize its kind.
const BEGINNING: usize = 64;
/// Digits of a SHA-256 in hexadecimal notation.
const DIGEST: usize = 64;
/// Digits of the number of an upload in hexadecimal notation.
const NUMBER: usize = 32;
/// Where files are.
const FILES: &str = "private/files";
/// Where uploads are until an event refers to them.
const UPLOADING: &str = "private/uploads";

/// Where files that are sold are kept. Clones share it.
#[derive(Clone)]
pub struct PrivateFiles {
    blobs: Blobs,
    turns: Arc<Semaphore>,
}

/// A file that waits for an event to refer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The variant for which it was uploaded.
    pub variant: VariantId,
    /// The number of its upload.
    pub number: Uuid,
}

/// A file that is whole and survives a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where it waits.
    pub waiting: Waiting,
    /// Its address.
    pub address: Hash,
    /// The number of its bytes.
    pub bytes: u64,
    /// Its first bytes.
    pub beginning: Vec<u8>,
}

/// An upload. What is dropped before its end leaves nothing that can be read.
pub struct Upload {
    writer: WriteMultipart,
    waiting: Waiting,
    digest: Sha256,
    bytes: u64,
    beginning: Vec<u8>,
    _turn: OwnedSemaphorePermit,
}

impl fmt::Debug for PrivateFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateFiles({})", self.blobs.store)
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// The place of an address in the store: one directory per first byte, because directories with a million files are slow. None if the
/// text is no address.
fn place(address: &Hash) -> Option<ObjectPath> {
    let text = address.as_str();
    let is_digit = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
    let is_address = text.len() == DIGEST + NUMBER && text.bytes().all(is_digit);
    is_address.then(|| ObjectPath::from(format!("{FILES}/{}/{text}", &text[..2])))
}

/// What an address says of the content: two files with the same one are alike.
pub fn digest_of(address: &Hash) -> &str {
    address.as_str().get(..DIGEST).unwrap_or_default()
}

impl Waiting {
    /// What waits at an address.
    fn of(variant: VariantId, address: &Hash) -> Option<Self> {
        let number = Uuid::try_parse(address.as_str().get(DIGEST..)?).ok()?;
        Some(Self { variant, number })
    }

    /// Reads the name of what waits.
    fn parse(name: &str) -> Option<Self> {
        let (variant, number) = name.split_once('-')?;
        let variant = VariantId::from_uuid(Uuid::try_parse(variant).ok()?);
        Some(Self { variant, number: Uuid::try_parse(number).ok()? })
    }

    /// Whether an address is that of its upload.
    pub fn is_at(&self, address: &Hash) -> bool {
        address.as_str().get(DIGEST..) == Some(&self.number.simple().to_string())
    }

    fn place(&self) -> ObjectPath {
        ObjectPath::from(format!("{UPLOADING}/{}-{}", self.variant.uuid().simple(), self.number.simple()))
    }
}

impl PrivateFiles {
    /// Keeps files beside the others of a store.
    pub fn beside(blobs: &Blobs) -> Self {
        Self { blobs: blobs.clone(), turns: Arc::new(Semaphore::new(UPLOADS)) }
    }

    /// Starts an upload; waits while there are too many.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn upload(&self, waiting: Waiting) -> Result<Upload, BlobError> {
        let closed = |_| object_store::Error::Generic { store: "private", source: "the shop stops".into() };
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(closed)?;
        let writer = WriteMultipart::new(self.blobs.store.put_multipart(&waiting.place()).await?);
        let (digest, beginning) = (Sha256::new(), Vec::with_capacity(BEGINNING));
        Ok(Upload { writer, waiting, digest, bytes: 0, beginning, _turn: turn })
    }

    /// Moves a file to its address; one that is there already stays.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn keep(&self, waiting: Waiting, address: &Hash) -> Result<(), BlobError> {
        let Some(to) = place(address) else { return Ok(()) };
        self.blobs.rename(&waiting.place(), &to).await
    }

    /// Deletes a file to which no event refers.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn discard(&self, waiting: Waiting) -> Result<(), BlobError> {
        self.blobs.delete(&waiting.place()).await
    }

    /// Deletes what is left of uploads that were broken off long before a time, and tells which files have waited since then: the
    /// shop was killed before they were kept or discarded.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn sweep(&self, now: DateTime<Utc>) -> Result<Vec<Waiting>, BlobError> {
        self.blobs.sweep(UPLOADING, now, Waiting::parse).await
    }

    /// Reads some bytes of a file, piece by piece; none if there is no such file.
    ///
    /// # Errors
    /// When the store does not answer; later, each piece may be an error.
    pub async fn read(
        &self,
        variant: VariantId,
        address: &Hash,
        bytes: Range<u64>,
    ) -> Result<Option<BoxStream<'static, Result<Bytes, BlobError>>>, BlobError> {
        let (Some(kept), Some(waiting)) = (place(address), Waiting::of(variant, address)) else { return Ok(None) };
        // It may be moved between the first two looks.
        for place in [&kept, &waiting.place(), &kept] {
            let options = GetOptions { range: Some(GetRange::Bounded(bytes.clone())), ..GetOptions::default() };
            match self.blobs.store.get_opts(place, options).await {
                Ok(found) => return Ok(Some(found.into_stream().map_err(BlobError::from).boxed())),
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }
}

impl Upload {
    /// Writes the next piece.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn take(&mut self, piece: &Bytes) -> Result<(), BlobError> {
        self.writer.wait_for_capacity(PARTS).await?;
        let missing = BEGINNING.saturating_sub(self.beginning.len()).min(piece.len());
        self.beginning.extend_from_slice(&piece[..missing]);
        self.digest.update(piece);
        self.bytes += piece.len() as u64;
        self.writer.put(piece.clone());
        Ok(())
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Ends the upload: the file is whole, survives a crash, and waits.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn end(self) -> Result<Stored, BlobError> {
        let Self { writer, waiting, digest, bytes, beginning, _turn } = self;
        writer.finish().await?;
        let address = format!("{}{}", to_hex(&digest.finalize()), waiting.number.simple());
        let unusual =
            |error: TextError| object_store::Error::Generic { store: "private", source: error.to_string().into() };
        Ok(Stored { waiting, address: Hash::new(&address).map_err(unusual)?, bytes, beginning })
    }

    /// Deletes what was written.
    pub async fn abort(self) {
        if let Err(error) = self.writer.abort().await {
            tracing::warn!(%error, "an upload that was broken off stays until a later one");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    use chrono::TimeDelta;

    use super::*;
    use crate::ports::blobs::BROKEN_OFF;

    const VARIANT: u128 = 7;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_268_800, 0).unwrap()
    }

    fn waiting(number: u128) -> Waiting {
        Waiting { variant: VariantId::from_uuid(Uuid::from_u128(VARIANT)), number: Uuid::from_u128(number) }
    }

    async fn stored(files: &PrivateFiles, number: u128, content: &[u8]) -> Stored {
        let mut upload = files.upload(waiting(number)).await.unwrap();
        for piece in content.chunks(1_000_000) {
            upload.take(&Bytes::copy_from_slice(piece)).await.unwrap();
        }
        upload.end().await.unwrap()
    }

    async fn read(files: &PrivateFiles, address: &Hash, bytes: Range<u64>) -> Option<Vec<u8>> {
        let pieces = files.read(waiting(0).variant, address, bytes).await.unwrap()?;
        Some(pieces.try_collect::<Vec<_>>().await.unwrap().concat())
    }

    fn names(directory: &Path) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(directory) else { return vec![] };
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_file_is_read_in_parts_as_it_was_written_in_pieces() {
        let directory = tempfile::tempdir().unwrap();
        for blobs in [Blobs::local(directory.path()).unwrap(), Blobs::in_memory()] {
            let files = PrivateFiles::beside(&blobs);
            let content: Vec<u8> = (0..12_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
            let it = stored(&files, 1, &content).await;
            assert_eq!((it.bytes, it.beginning.as_slice()), (12_000_000, &content[..BEGINNING]));
            for _ in 0..2 {
                assert!(read(&files, &it.address, 0..12_000_000).await.is_some_and(|found| found == content));
                assert_eq!(read(&files, &it.address, 255..258).await.unwrap(), [255, 0, 1]);
                // Doing it again changes nothing.
                files.keep(it.waiting, &it.address).await.unwrap();
            }
            let same = stored(&files, 2, &content).await;
            assert_eq!(digest_of(&same.address), digest_of(&it.address));
            files.discard(same.waiting).await.unwrap();
            files.discard(same.waiting).await.unwrap();
            assert_eq!(read(&files, &same.address, 0..1).await, None);
            assert!(read(&files, &it.address, 0..1).await.is_some());
            let other = stored(&files, 3, b"light").await;
            assert_ne!(digest_of(&other.address), digest_of(&it.address));
            assert_eq!(read(&files, &other.address, 0..5).await.unwrap(), b"light");
            files.keep(other.waiting, &other.address).await.unwrap();
            assert_eq!(read(&files, &Hash::new("../secret").unwrap(), 0..1).await, None);
            assert_eq!(read(&files, &Hash::new(&"0".repeat(DIGEST + NUMBER)).unwrap(), 0..1).await, None);
        }
        assert_eq!(names(&directory.path().join(UPLOADING)), [""; 0], "an upload was left behind");
    }

    #[tokio::test]
    async fn uploads_that_were_broken_off_are_swept_a_day_later() {
        let directory = tempfile::tempdir().unwrap();
        let files = PrivateFiles::beside(&Blobs::local(directory.path()).unwrap());
        assert_eq!(files.sweep(now()).await.unwrap(), []);
        let mut aborted = files.upload(waiting(1)).await.unwrap();
        aborted.take(&Bytes::from_static(b"half")).await.unwrap();
        aborted.abort().await;
        let uploading = directory.path().join(UPLOADING);
        assert_eq!(names(&uploading), [""; 0]);
        // As a program leaves them that was killed.
        stored(&files, 2, b"whole").await;
        stored(&files, 3, b"new").await;
        let name = |number| waiting(number).place().filename().unwrap().to_owned();
        let old = SystemTime::from(now() - BROKEN_OFF - TimeDelta::hours(1));
        let written = [
            (name(2), old),
            (format!("{}#1", name(4)), old),
            (format!("{}#1", name(5)), old + Duration::from_hours(2)),
        ];
        for (name, written) in &written {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(uploading.join(name)).unwrap();
            file.set_modified(*written).unwrap();
        }
        assert_eq!(files.sweep(now()).await.unwrap(), [waiting(2)]);
        let mut left = names(&uploading);
        left.sort();
        assert_eq!(left, [name(2), name(3), format!("{}#1", name(5))]);
    }

    #[test]
    fn a_file_that_waits_is_known_by_its_name_and_its_address() {
        let it = waiting(5);
        assert_eq!(it.place().filename().and_then(Waiting::parse), Some(it));
        let address = Hash::new(&format!("{}{}", "0a".repeat(32), it.number.simple())).unwrap();
        assert_eq!(Waiting::of(it.variant, &address), Some(it));
        assert!(it.is_at(&address) && !waiting(6).is_at(&address));
        for name in ["", "-", "x-y", "0a"] {
            assert_eq!(Waiting::parse(name), None, "{name}");
        }
    }
}
