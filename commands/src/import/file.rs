//! The file as bytes: plain or gzip, told apart by what it begins with, and its lines.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::path::Path;

use super::row::{COLUMNS, split};

/// Largest text, after unpacking: it is held in memory whole, so that a reject can quote its line.
pub const BYTES_MAX: u64 = 1 << 30;
/// The first bytes of a gzip file (RFC 1952, section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// Why nothing of a file is imported.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file does not exist or cannot be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(io::Error),
    /// The gzip data is damaged.
    #[error("the gzip file is damaged: {0}")]
    Damaged(io::Error),
    /// The gzip data is truncated.
    #[error("the gzip file is truncated: download it again")]
    CutOff,
    /// There is too much of it.
    #[error("the file has more than {} MiB of text: split it", BYTES_MAX >> 20)]
    TooLarge,
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// The file is not UTF-8 text.
    #[error("the file is not UTF-8 text: save it as CSV in UTF-8")]
    Encoding,
    /// The header does not name the columns.
    #[error("the first line must name the columns {}, not {found}", COLUMNS.join(","))]
    Columns {
        /// The first line, shortened.
        found: String,
    },
}

/// The text of a transaction export whose first line names the right columns.
#[derive(Debug, Clone)]
pub struct Export {
    text: Vec<u8>,
    /// Where the first line after the names of the columns begins.
    first: usize,
}

impl Export {
    /// Reads a file, unpacking it if it is packed.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        Self::read(File::open(path).map_err(FileError::Unreadable)?)
    }

    /// Reads anything that can be read.
    pub fn read(source: impl Read) -> Result<Self, FileError> {
        let mut source = BufReader::new(source);
        let mut start = Vec::new();
        source.by_ref().take(GZIP.len() as u64).read_to_end(&mut start).map_err(FileError::Unreadable)?;
        let text = if start == GZIP {
            let packed = start.chain(source);
            up_to_limit(flate2::bufread::MultiGzDecoder::new(packed)).map_err(|error| {
                if error.kind() == io::ErrorKind::UnexpectedEof { FileError::CutOff } else { FileError::Damaged(error) }
            })
        } else {
            up_to_limit(start.chain(source)).map_err(FileError::Unreadable)
        };
        Self::of_bytes(text?.ok_or(FileError::TooLarge)?)
    }

    /// Uses text that is already in memory.
    pub fn of_bytes(text: Vec<u8>) -> Result<Self, FileError> {
        if text.is_empty() {
            return Err(FileError::Empty);
        }
        if UTF16_MARKS.iter().any(|mark| text.starts_with(mark)) {
            return Err(FileError::Encoding);
        }
        let mark = if text.starts_with(UTF8_MARK) { UTF8_MARK.len() } else { 0 };
        let line = line_at(&text, mark);
        let header = std::str::from_utf8(&text[line.clone()]).map_err(|_| FileError::Encoding)?;
        if header.contains('\0') {
            return Err(FileError::Encoding);
        }
        let named = split(header).unwrap_or_default();
        if !named.iter().map(|name| name.trim()).eq(COLUMNS) {
            let found: String = header.chars().take(120).collect();
            return Err(FileError::Columns { found: format!("{found:?}") });
        }
        let first = after(&text, &line);
        Ok(Self { text, first })
    }

    /// Where each line after the first is, without its end; what follows the last line break is a line if it is not empty.
    pub fn lines(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let mut next = self.first;
        std::iter::from_fn(move || {
            if next >= self.text.len() {
                return None;
            }
            let line = line_at(&self.text, next);
            next = after(&self.text, &line);
            Some(line)
        })
    }

    /// The bytes of a line.
    pub fn bytes(&self, line: &Range<usize>) -> &[u8] {
        &self.text[line.clone()]
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether there are none; never, since the columns are named.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// The whole text, or nothing if it exceeds the limit.
fn up_to_limit(source: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut text = Vec::new();
    source.take(BYTES_MAX + 1).read_to_end(&mut text)?;
    Ok((text.len() as u64 <= BYTES_MAX).then_some(text))
}

/// The line that begins here, without its end.
fn line_at(text: &[u8], start: usize) -> Range<usize> {
    let end = text[start..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |length| start + length);
    let bare = if end > start && text[end - 1] == b'\r' { end - 1 } else { end };
    start..bare
}

/// Where the next line begins.
fn after(text: &[u8], line: &Range<usize>) -> usize {
    let end = if text.get(line.end) == Some(&b'\r') { line.end + 1 } else { line.end };
    (end + 1).min(text.len())
}
