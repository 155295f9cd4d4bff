//! The list of those who were erased, kept outside of the database: a restored backup has their keys again, and the list says
//! whose are to be destroyed once more.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use byteshop_domain::Subject;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use uuid::Uuid;

/// Where those who were erased are written down.
pub trait ErasedList: Send + Sync {
    /// Writes some down, durably; a second time changes nothing that matters.
    fn add(&self, subjects: Vec<Subject>) -> BoxFuture<'_, Result<(), String>>;
    /// All of them, some perhaps more than once.
    fn all(&self) -> BoxFuture<'_, Result<Vec<Subject>, String>>;
}

/// The list in a file: a line for each, only ever added to. Processes of one machine share it.
#[derive(Debug)]
pub struct ErasedFile {
    file: PathBuf,
}

impl ErasedFile {
    /// The list in this file, which is made with its first line.
    pub fn new(file: PathBuf) -> Self {
        Self { file }
    }

    fn append(&self, subjects: &[Subject]) -> std::io::Result<()> {
        let is_new = !self.file.exists();
        let directory = self.file.parent().filter(|it| !it.as_os_str().is_empty());
        // A command beside a database elsewhere may be the first to write here.
        directory.map_or(Ok(()), fs::create_dir_all)?;
        let mut open = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.file)?;
        // One write, so that lines of two processes never mix; a line that a crash cut short ends before the next one.
        open.write_all(to_text(subjects).as_bytes())?;
        open.sync_all()?;
        if is_new && let Some(directory) = directory {
            fs::File::open(directory)?.sync_all()?;
        }
        Ok(())
    }

    fn read(&self) -> std::io::Result<Vec<Subject>> {
        let text = match fs::read_to_string(&self.file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            read => read?,
        };
        Ok(read_text(&text))
    }

    fn named(&self, error: &std::io::Error) -> String {
        format!("the list of the erased, {}, cannot be used: {error}", self.file.display())
    }
}

/// The lines of some.
pub fn to_text(subjects: &[Subject]) -> String {
    subjects.iter().flat_map(|subject| ["\n".to_owned(), subject.0.simple().to_string()]).collect()
}

/// The subjects in some lines. A line that a crash truncated is left out: the erasure starts only after its line is
/// complete.
pub fn read_text(text: &str) -> Vec<Subject> {
    text.lines().filter_map(|line| Uuid::parse_str(line.trim()).ok().map(Subject)).collect()
}

impl ErasedList for ErasedFile {
    fn add(&self, subjects: Vec<Subject>) -> BoxFuture<'_, Result<(), String>> {
        ready(self.append(&subjects).map_err(|error| self.named(&error))).boxed()
    }

    fn all(&self) -> BoxFuture<'_, Result<Vec<Subject>, String>> {
        ready(self.read().map_err(|error| self.named(&error))).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[tokio::test]
    async fn a_line_that_was_cut_short_spoils_no_other() {
        let file = std::env::temp_dir().join(format!("byteshop-erased-{}", Clock.new_id().simple()));
        let list = ErasedFile::new(file.clone());
        assert_eq!(list.all().await.unwrap(), []);
        let (ada, bob) = (Subject(Uuid::from_u128(1)), Subject(Uuid::from_u128(2)));
        list.add(vec![ada]).await.unwrap();
        let mut open = OpenOptions::new().append(true).open(&file).unwrap();
        open.write_all(b"\n00000000000000").unwrap();
        list.add(vec![bob, bob]).await.unwrap();
        assert_eq!(list.all().await.unwrap(), [ada, bob, bob]);
        fs::remove_file(&file).unwrap();
    }
}
