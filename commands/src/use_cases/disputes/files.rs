//! Files as evidence: sealed with the key of the buyer, stored, and then submitted.
//!
//! A file is in the store before its event is appended, and waits there. What a crash leaves is settled a day later: a dispute refers
//! to the file, or it is deleted.

use byteshop_domain::Subject;
use byteshop_domain::dispute::{self, Command, Dispute, EvidenceFile, FileKind};
use byteshop_domain::ids::{DisputeId, FileId, Id as _};
use byteshop_domain::order::{self, Order};
use byteshop_domain::text::FileName;

use crate::Commands;
use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};
use crate::ports::evidence_files::EvidenceName;

/// A file in the store that waits for its event.
#[derive(Debug, Clone, Copy)]
pub struct StoredEvidence {
    /// Its name in the store.
    pub name: EvidenceName,
    /// What it is.
    kind: FileKind,
    /// The number of its bytes.
    bytes: u64,
    /// Whose key it is sealed with.
    subject: Subject,
}

impl Commands {
    /// Seals a file and stores it; afterwards it is [submitted](submit_file) and [settled](Commands::settle_evidence).
    pub async fn store_evidence(&self, id: DisputeId, kind: FileKind, content: &[u8]) -> Result<StoredEvidence, Error> {
        let found = self.get::<Dispute>(id).await?.ok_or(dispute::Rejection::Missing)?;
        let of = found.state.live()?.opening.order;
        let placed = self.get::<Order>(of).await?.ok_or(order::Rejection::Missing)?;
        let subject = placed.state.live()?.subject(of);
        let sealed = self.vault().seal_file(subject, content).await?;
        let name = EvidenceName { dispute: id, file: FileId::from_uuid(self.clock().new_id()) };
        self.evidence_files()?.put(name, sealed).await?;
        Ok(StoredEvidence { name, kind, bytes: content.len() as u64, subject })
    }

    /// Keeps a file that its dispute refers to, and deletes it if there is no such reference.
    pub async fn settle_evidence(&self, name: EvidenceName) -> Result<(), Error> {
        let files = self.evidence_files()?;
        let found = self.get::<Dispute>(name.dispute).await?;
        let known = found.as_ref().and_then(|found| found.state.live().ok());
        let is_referred_to = known.is_some_and(|known| known.files().any(|it| it.file == name.file));
        let settled = if is_referred_to { files.keep(name).await } else { files.discard(name).await };
        Ok(settled?)
    }

    /// Settles the files that wait since a crash.
    pub async fn sweep_evidence(&self) -> Result<(), Error> {
        for name in self.evidence_files()?.sweep(self.clock().now()).await? {
            self.settle_evidence(name).await?;
        }
        Ok(())
    }

    /// The content of a file, and its name; none once the buyer was erased.
    pub async fn evidence_file(
        &self,
        dispute: DisputeId,
        it: &EvidenceFile,
    ) -> Result<Option<(FileName, Vec<u8>)>, Error> {
        let Some(name) = self.vault().open(&it.name).await? else { return Ok(None) };
        let sealed = self.evidence_files()?.read(EvidenceName { dispute, file: it.file }).await?;
        let content = self.vault().open_file(it.name.subject(), sealed).await?;
        Ok(content.map(|content| (name, content)))
    }
}

/// Submits a file that is in the store, with its name encrypted with the key of the buyer.
pub async fn submit_file(
    unit: &Unit,
    it: &mut Loaded<Dispute>,
    name: &FileName,
    stored: &StoredEvidence,
) -> Result<(), Error> {
    let StoredEvidence { name: EvidenceName { file, .. }, kind, bytes, subject } = *stored;
    let name = unit.commands().vault().seal(subject, name).await?;
    unit.decide(it, &Command::SubmitFile(EvidenceFile { file, name, media_type: kind, bytes }))
}
