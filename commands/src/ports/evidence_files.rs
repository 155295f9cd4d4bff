//! Files that speak for the shop in disputes: sealed before they come here, beside the files that are sold, and served by no route of
//! their own.
//!
//! A file waits until an event refers to it; then it is kept. Both places have the same name: the dispute, and the id of the file. A
//! crash leaves a file that waits, and its dispute tells whether it is kept. Readers look in both places.

use std::fmt;

use bytes::Bytes;
use byteshop_domain::ids::{DisputeId, FileId, Id as _};
use chrono::{DateTime, Utc};
use object_store::ObjectStoreExt as _;
use object_store::path::Path as ObjectPath;
use uuid::Uuid;

use super::blobs::{BlobError, Blobs};

/// Where files are to which an event refers.
const KEPT: &str = "private/evidence";
/// Where they are before.
const WAITING: &str = "private/evidence-waiting";

/// Where such files are. Clones share it.
#[derive(Clone)]
pub struct EvidenceFiles {
    blobs: Blobs,
}

/// The name of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvidenceName {
    /// The dispute.
    pub dispute: DisputeId,
    /// The file.
    pub file: FileId,
}

impl fmt::Debug for EvidenceFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EvidenceFiles({})", self.blobs.store)
    }
}

impl EvidenceName {
    fn within(self, folder: &str) -> ObjectPath {
        ObjectPath::from(format!("{folder}/{}-{}", self.dispute.uuid().simple(), self.file.uuid().simple()))
    }

    fn parse(name: &str) -> Option<Self> {
        let (dispute, file) = name.split_once('-')?;
        let dispute = DisputeId::from_uuid(Uuid::try_parse(dispute).ok()?);
        Some(Self { dispute, file: FileId::from_uuid(Uuid::try_parse(file).ok()?) })
    }
}

impl EvidenceFiles {
    /// Keeps files beside the others of a store.
    pub fn beside(blobs: &Blobs) -> Self {
        Self { blobs: blobs.clone() }
    }

    /// Writes a file, which survives a crash and waits.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn put(&self, name: EvidenceName, sealed: Vec<u8>) -> Result<(), BlobError> {
        self.blobs.store.put(&name.within(WAITING), Bytes::from(sealed).into()).await?;
        Ok(())
    }

    /// Keeps a file; doing it again changes nothing.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn keep(&self, name: EvidenceName) -> Result<(), BlobError> {
        self.blobs.rename(&name.within(WAITING), &name.within(KEPT)).await
    }

    /// Deletes a file to which no event refers.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn discard(&self, name: EvidenceName) -> Result<(), BlobError> {
        self.blobs.delete(&name.within(WAITING)).await
    }

    /// Deletes what was not written to its end long before a time, and tells which files have waited since then: the shop was
    /// killed before they were kept or discarded.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn sweep(&self, now: DateTime<Utc>) -> Result<Vec<EvidenceName>, BlobError> {
        self.blobs.sweep(WAITING, now, EvidenceName::parse).await
    }

    /// Reads a file, sealed.
    ///
    /// # Errors
    /// When the store does not answer, or has lost the file.
    pub async fn read(&self, name: EvidenceName) -> Result<Vec<u8>, BlobError> {
        // It may be moved between the first two looks.
        for folder in [KEPT, WAITING] {
            match self.blobs.store.get(&name.within(folder)).await {
                Ok(found) => return Ok(found.bytes().await?.to_vec()),
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.blobs.store.get(&name.within(KEPT)).await?.bytes().await?.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::ports::blobs::BROKEN_OFF;

    fn name(file: u128) -> EvidenceName {
        EvidenceName {
            dispute: DisputeId::from_uuid(Uuid::from_u128(7)),
            file: FileId::from_uuid(Uuid::from_u128(file)),
        }
    }

    #[tokio::test]
    async fn a_file_waits_until_it_is_kept_or_discarded() {
        let directory = tempfile::tempdir().unwrap();
        for blobs in [Blobs::local(directory.path()).unwrap(), Blobs::in_memory()] {
            let files = EvidenceFiles::beside(&blobs);
            let read = async |file| files.read(name(file)).await.ok();
            for file in [1, 2] {
                files.put(name(file), vec![5]).await.unwrap();
                assert_eq!(read(file).await, Some(vec![5]));
            }
            for _ in 0..2 {
                files.keep(name(1)).await.unwrap();
                files.discard(name(1)).await.unwrap();
                files.discard(name(2)).await.unwrap();
                assert_eq!((read(1).await, read(2).await), (Some(vec![5]), None));
            }
        }
    }

    #[tokio::test]
    async fn what_waits_since_a_crash_is_told_a_day_later() {
        let blobs = Blobs::in_memory();
        let files = EvidenceFiles::beside(&blobs);
        files.put(name(1), vec![5]).await.unwrap();
        files.put(name(2), vec![5]).await.unwrap();
        files.keep(name(2)).await.unwrap();
        let written = blobs.store.head(&name(1).within(WAITING)).await.unwrap().last_modified;
        assert_eq!(files.sweep(written + BROKEN_OFF).await.unwrap(), []);
        assert_eq!(files.sweep(written + BROKEN_OFF + TimeDelta::seconds(1)).await.unwrap(), [name(1)]);
    }

    #[tokio::test]
    async fn what_was_not_written_to_its_end_is_deleted_a_day_later() {
        let directory = tempfile::tempdir().unwrap();
        let files = EvidenceFiles::beside(&Blobs::local(directory.path()).unwrap());
        let folder = directory.path().join(WAITING);
        std::fs::create_dir_all(&folder).unwrap();
        let part = folder.join("half#1");
        std::fs::write(&part, "half").unwrap();
        let written = DateTime::<Utc>::from(part.metadata().unwrap().modified().unwrap());
        files.sweep(written).await.unwrap();
        assert!(part.exists());
        files.sweep(written + BROKEN_OFF + TimeDelta::seconds(1)).await.unwrap();
        assert!(!part.exists());
    }

    #[test]
    fn a_name_is_read_as_it_was_written() {
        assert_eq!(name(5).within(WAITING).filename().and_then(EvidenceName::parse), Some(name(5)));
        for text in ["", "-", "x-y", "0a"] {
            assert_eq!(EvidenceName::parse(text), None, "{text}");
        }
    }
}
