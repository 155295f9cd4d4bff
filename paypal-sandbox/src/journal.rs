//! The file with the inputs: the sandbox reads it at its start, and is then as it was.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::certificates::Saved;
use super::input::Input;

/// The form of the file. A program refuses another one: the books of a sandbox are not worth a conversion.
const FORM: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    form: u32,
    /// Where chance starts.
    pub seed: u64,
    /// The certificates.
    pub certificates: Saved,
}

impl Head {
    /// The first line of a new file.
    pub(super) fn new(seed: u64, certificates: Saved) -> Self {
        Self { form: FORM, seed, certificates }
    }
}

/// Every other line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub input: Input,
}

/// The file.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    /// The end of the last line that was saved.
    length: u64,
}

impl Journal {
    /// Opens a file, or creates it; gives what it holds. A last line without an end was never answered, and is dropped.
    pub(super) fn open(path: &Path, create: impl FnOnce() -> Result<Head>) -> Result<(Self, Head, Vec<Line>)> {
        let shown = path.display();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).with_context(|| format!("cannot open {shown}"))?;
        if file.try_lock().is_err() {
            bail!("another sandbox uses {shown}: stop it, or choose another file");
        }
        let mut reader = BufReader::new(&file);
        let wrong = || format!("{shown} is not a file of this sandbox: choose another file");
        let (mut head, mut lines, mut length) = (None, Vec::new(), 0_u64);
        let mut text = Vec::new();
        while reader.read_until(b'\n', &mut text).with_context(|| format!("cannot read {shown}"))? > 0 {
            if !text.ends_with(b"\n") {
                break;
            }
            length += u64::try_from(text.len())?;
            match head {
                None => head = Some(serde_json::from_slice::<Head>(&text).with_context(wrong)?),
                Some(_) => lines.push(serde_json::from_slice::<Line>(&text).with_context(wrong)?),
            }
            text.clear();
        }
        if head.is_none() && !text.is_empty() {
            bail!(wrong());
        }
        if head.as_ref().is_some_and(|head| head.form != FORM) {
            bail!("{shown} was written by another version of this program: choose another file, or delete it");
        }
        let mut journal = Self { file, length };
        journal.cut()?;
        let head = if let Some(head) = head {
            head
        } else {
            let head = create()?;
            journal.append(&head)?;
            head
        };
        Ok((journal, head, lines))
    }

    /// Adds a line; it is on the disk when this returns.
    pub(super) fn append(&mut self, line: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let saved = self.file.write_all(&text).and_then(|()| self.file.sync_data());
        if let Err(error) = saved {
            // A part of a line would spoil the next one.
            self.cut()?;
            return Err(error).context("cannot save the books");
        }
        self.length += u64::try_from(text.len())?;
        Ok(())
    }

    /// Drops what comes after the last line that was saved.
    fn cut(&mut self) -> Result<()> {
        self.file.set_len(self.length)?;
        self.file.seek(SeekFrom::Start(self.length))?;
        Ok(())
    }
}
