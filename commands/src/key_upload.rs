//! An upload of keys into the pool of a variant: read piece by piece, encrypted and stored beside the log, and imported by one event
//! at its end.
//!
//! ```text
//! start: lock the pool ─▶ event import_started ─▶ delete the keys of imports that were broken off
//! each piece: lines ─▶ keys that the pool does not have yet ─▶ stored
//! end: event imported, with the stock ─▶ unlock
//! ```
//!
//! A crash before the end leaves keys that no event mentions: they cannot be sold, and the next import deletes them. Should the
//! lock be lost with its connection, the next import starts before this one ends, and the event of this one is refused.

use byteshop_domain::ids::{Id as _, VariantId};
use byteshop_domain::key_pool::KeyPool;
use byteshop_domain::quantity::QUANTITY_MAX;
use byteshop_domain::text::LicenceKey;
use byteshop_domain::{Decider as _, Kind};
use byteshop_eventstore::pool_key::KeyImport;

use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::Intent;
use crate::use_cases::keys::{self, Started};
use crate::use_cases::sellers::ActsFor;
pub use reader::{Fault, Form};
use reader::{Line, Reader, Unreadable};

mod reader;

/// The maximum number of keys in one upload.
pub const KEYS_MAX: i64 = QUANTITY_MAX;
/// The number of keys that are stored with one statement: large enough that its round trips do not count, and some 300 KB.
const CHUNK: usize = 2_000;
/// The maximum number of lines of an upload whose faults are told: enough to see what is wrong with a file.
pub const FAULTS_MAX: usize = 100;

/// What became of an upload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The keys that were imported.
    pub imported: i64,
    /// The lines whose key is in the pool already, or on an earlier line.
    pub duplicates: i64,
    /// The lines that are not keys.
    pub rejected: i64,
    /// The first lines that were not imported.
    pub faults: Vec<FaultyLine>,
}

/// A line that was not imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultyLine {
    /// The number of the line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// An upload in progress.
#[derive(Debug)]
pub struct Upload {
    import: KeyImport,
    batch: u32,
    reader: Reader,
    waiting: Vec<(u64, LicenceKey)>,
    report: Report,
}

/// An upload whose keys are all stored. The pool is locked until it is dropped.
#[derive(Debug)]
pub struct Stored {
    /// The number of its batch.
    pub batch: u32,
    /// What became of it.
    pub report: Report,
    _import: KeyImport,
}

impl Commands {
    /// Starts an upload into the pool of a variant, by staff or a member of its seller.
    pub async fn upload_keys(
        &self,
        intent: &Intent,
        variant: VariantId,
        acts_for: ActsFor,
        form: Form,
    ) -> Result<Upload, Error> {
        let Some(mut import) = self.vault().import_keys(variant.uuid()).await? else {
            let detail = "another import into this pool is running; retry when it has ended";
            return Err(refused("import_running", Kind::Conflict, detail));
        };
        let started = self.run(intent, |unit| async move {
            let Started { batch, unfinished } = keys::start_import(&unit, variant, acts_for).await?;
            Ok((batch, unfinished))
        });
        let (batch, unfinished) = started.await?.answer;
        import.delete(&unfinished).await?;
        Ok(Upload { import, batch, reader: Reader::new(form), waiting: Vec::new(), report: Report::default() })
    }
}

impl Upload {
    /// Takes the next piece of the file.
    pub async fn take(&mut self, piece: &[u8]) -> Result<(), Error> {
        let mut lines = Vec::new();
        self.reader.feed(piece, &mut lines).map_err(unreadable)?;
        self.note(lines).await
    }

    /// Takes the end of the file.
    pub async fn end(mut self) -> Result<Stored, Error> {
        let mut lines = Vec::new();
        self.reader.end(&mut lines).map_err(unreadable)?;
        self.note(lines).await?;
        self.store().await?;
        self.report.imported = self.import.added();
        // Faults of lines are found before duplicates of earlier lines.
        self.report.faults.sort_by_key(|faulty| faulty.line);
        self.report.faults.truncate(FAULTS_MAX);
        Ok(Stored { batch: self.batch, report: self.report, _import: self.import })
    }

    async fn note(&mut self, lines: Vec<Line>) -> Result<(), Error> {
        for Line { number, key } in lines {
            match key {
                Ok(key) => self.waiting.push((number, key)),
                Err(fault) => {
                    self.report.rejected += 1;
                    self.tell(number, fault);
                }
            }
            if self.waiting.len() >= CHUNK {
                self.store().await?;
            }
        }
        Ok(())
    }

    async fn store(&mut self) -> Result<(), Error> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        let (numbers, keys): (Vec<u64>, Vec<LicenceKey>) = waiting.into_iter().unzip();
        let is_new = self.import.add(self.batch, &keys).await?;
        for (number, _) in numbers.into_iter().zip(is_new).filter(|(_, is_new)| !is_new) {
            self.report.duplicates += 1;
            self.tell(number, Fault::Duplicate);
        }
        if self.import.added() > KEYS_MAX {
            let detail = format!("an upload has at most {KEYS_MAX} keys; nothing was imported: split the file");
            return Err(refused("too_many_keys", Kind::Invalid, detail));
        }
        Ok(())
    }

    fn tell(&mut self, line: u64, fault: Fault) {
        // Both kinds of faults come in the order of their lines, so twice the limit always has the first ones.
        let of_same = |known: &&FaultyLine| (known.fault == Fault::Duplicate) == (fault == Fault::Duplicate);
        if self.report.faults.iter().filter(of_same).count() < FAULTS_MAX {
            self.report.faults.push(FaultyLine { line, fault });
        }
    }
}

/// A file of which nothing is imported.
#[expect(clippy::needless_pass_by_value, reason = "it maps an error")]
fn unreadable(it: Unreadable) -> Error {
    let code = match it {
        Unreadable::NoColumn(_) => "no_column",
        Unreadable::NoText(_) => "not_text",
        Unreadable::OpenQuote(_) => "open_quote",
    };
    refused(code, Kind::Invalid, it.to_string())
}

fn refused(code: &str, kind: Kind, detail: impl Into<String>) -> Error {
    Error::refused(&format!("{}.{code}", KeyPool::CATEGORY), kind, detail)
}
