//! Files of keys, in pieces: a key a line, or a column of a CSV file (RFC 4180) that its header names.

use std::fmt;

use byteshop_domain::text::{KEY_MAX, LicenceKey, is_hidden};
use csv_core::ReadFieldResult;
use serde::Serialize;

use quotes::Quotes;

mod quotes;

/// The most bytes of a line that are kept: more than the longest key has in UTF-8, with space around it.
const KEPT_MAX: usize = 4 * KEY_MAX + 256;
/// Bytes of a field of a CSV file that are copied at a time.
const FIELD: usize = 512;
/// The mark that spreadsheets put before the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The bytes by which a file is recognized that is no text.
const START: usize = 6;
/// The first bytes of compressed files: gzip, Zstandard, zip, bzip2 and xz.
const COMPRESSED: [&[u8]; 5] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"BZh", b"\xfd7zXZ\0"];

/// Why nothing of a file can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// The header does not have the column.
    NoColumn(String),
    /// It is no text in UTF-8.
    NoText(&'static str),
    /// A quote is never closed, so that everything behind it is one value.
    OpenQuote(u64),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoColumn(column) => write!(f, "the first line must be a header with the column {column}"),
            Self::NoText(why) => f.write_str(why),
            Self::OpenQuote(line) => {
                write!(f, "the quote that opens on line {line} is never closed; nothing was imported: correct the file")
            }
        }
    }
}

/// The form of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// A key a line.
    Lines,
    /// A CSV file, with the name of the column of the keys.
    Csv(String),
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It is empty.
    Blank,
    /// The key is too long.
    TooLong,
    /// It has control characters, or is not UTF-8.
    Characters,
    /// It has characters that no reader sees.
    Invisible,
    /// The pool has the key already, or an earlier line has it.
    Duplicate,
}

/// A line of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// Its key.
    pub key: Result<LicenceKey, Fault>,
}

/// A text of which no more than a limit is kept.
#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    is_cut: bool,
}

impl Kept {
    fn add(&mut self, bytes: &[u8]) {
        let room = KEPT_MAX - self.bytes.len();
        self.is_cut |= bytes.len() > room;
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// The key in it; then it is empty again.
    fn key(&mut self) -> Result<LicenceKey, Fault> {
        let Self { bytes, is_cut } = std::mem::take(self);
        if is_cut {
            return Err(Fault::TooLong);
        }
        let text = String::from_utf8(bytes).map_err(|_| Fault::Characters)?;
        if text.trim().is_empty() {
            return Err(Fault::Blank);
        }
        if text.trim().chars().count() > KEY_MAX {
            return Err(Fault::TooLong);
        }
        if text.trim().chars().any(is_hidden) && LicenceKey::new(&text).is_ok() {
            return Err(Fault::Invisible);
        }
        LicenceKey::new(&text).map_err(|_| Fault::Characters)
    }
}

/// Reads a file piece by piece, and keeps one line of it.
#[derive(Debug)]
pub(super) struct Reader {
    /// The first bytes, until it is known what they are.
    start: Option<Vec<u8>>,
    format: Format,
}

#[derive(Debug)]
enum Format {
    Lines { number: u64, line: Kept, is_open: bool },
    Csv(Box<Table>),
}

#[derive(Debug)]
struct Table {
    reader: csv_core::Reader,
    column: String,
    /// Where the keys are, once the header is read.
    place: Option<usize>,
    field: usize,
    /// The field of the header, or the key of the line.
    text: Kept,
    /// The line on which the record begins.
    number: u64,
    quotes: Quotes,
}

impl Reader {
    pub(super) fn new(form: Form) -> Self {
        let format = match form {
            Form::Lines => Format::Lines { number: 1, line: Kept::default(), is_open: false },
            Form::Csv(column) => {
                let (reader, text) = (csv_core::Reader::new(), Kept::default());
                let quotes = Quotes::default();
                Format::Csv(Box::new(Table { reader, column, place: None, field: 0, text, number: 1, quotes }))
            }
        };
        Self { start: Some(Vec::new()), format }
    }

    /// Reads a piece.
    ///
    /// # Errors
    /// When nothing of the file can be read.
    pub(super) fn feed(&mut self, piece: &[u8], lines: &mut Vec<Line>) -> Result<(), Unreadable> {
        let Some(mut start) = self.start.take() else { return self.format.feed(piece, lines) };
        start.extend_from_slice(piece);
        if start.len() < START {
            self.start = Some(start);
            return Ok(());
        }
        self.begin(&start, lines)
    }

    /// Reads the first bytes.
    fn begin(&mut self, start: &[u8], lines: &mut Vec<Line>) -> Result<(), Unreadable> {
        check_text(start)?;
        self.format.feed(start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start), lines)
    }

    /// Reads the end of the file.
    ///
    /// # Errors
    /// When there is no header, or a quote is open.
    pub(super) fn end(&mut self, lines: &mut Vec<Line>) -> Result<(), Unreadable> {
        if let Some(start) = self.start.take() {
            self.begin(&start, lines)?;
        }
        match &mut self.format {
            Format::Lines { number, line, is_open: true } => {
                lines.push(Line { number: *number, key: line.key() });
                Ok(())
            }
            Format::Lines { is_open: false, .. } => Ok(()),
            Format::Csv(table) => {
                if let Some(line) = table.quotes.open() {
                    return Err(Unreadable::OpenQuote(line));
                }
                table.feed(&[], lines)?;
                table.place.map(drop).ok_or_else(|| Unreadable::NoColumn(table.column.clone()))
            }
        }
    }
}

/// Refuses files that are compressed, or in UTF-16: text in UTF-8 has no zero byte, and every other one of UTF-16 mostly is one.
fn check_text(start: &[u8]) -> Result<(), Unreadable> {
    if COMPRESSED.iter().any(|mark| start.starts_with(mark)) {
        return Err(Unreadable::NoText("the file is compressed; send it as plain text in UTF-8"));
    }
    let is_wide =
        start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") || start.iter().take(2).any(|it| *it == 0);
    if is_wide {
        return Err(Unreadable::NoText("the file is in UTF-16; save it as text in UTF-8"));
    }
    Ok(())
}

impl Format {
    fn feed(&mut self, piece: &[u8], lines: &mut Vec<Line>) -> Result<(), Unreadable> {
        match self {
            Self::Lines { number, line, is_open } => {
                let mut rest = piece;
                while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                    line.add(&rest[..end]);
                    lines.push(Line { number: *number, key: line.key() });
                    (*number, *is_open) = (*number + 1, false);
                    rest = &rest[end + 1..];
                }
                line.add(rest);
                *is_open |= !rest.is_empty();
                Ok(())
            }
            // An empty piece would mean the end of the file.
            Self::Csv(_) if piece.iter().all(|byte| *byte == b'\r') => Ok(()),
            Self::Csv(table) => {
                // Without them the line numbers are the same however lines end, and no key has one.
                let piece: Vec<u8> = piece.iter().copied().filter(|byte| *byte != b'\r').collect();
                table.quotes.note(&piece);
                table.feed(&piece, lines)
            }
        }
    }
}

impl Table {
    fn feed(&mut self, mut piece: &[u8], lines: &mut Vec<Line>) -> Result<(), Unreadable> {
        let mut field = [0; FIELD];
        let is_end = piece.is_empty();
        loop {
            // The parser takes an empty piece for the end of the file.
            if piece.is_empty() && !is_end {
                return Ok(());
            }
            if self.field == 0 && self.text.bytes.is_empty() {
                self.number = self.reader.line();
            }
            let (result, read, written) = self.reader.read_field(piece, &mut field);
            piece = &piece[read..];
            if self.place.is_none_or(|place| place == self.field) {
                self.text.add(&field[..written]);
            }
            match result {
                ReadFieldResult::OutputFull => {}
                ReadFieldResult::Field { record_end } => self.end_of_field(record_end, lines)?,
                ReadFieldResult::InputEmpty | ReadFieldResult::End => return Ok(()),
            }
        }
    }

    fn end_of_field(&mut self, is_last: bool, lines: &mut Vec<Line>) -> Result<(), Unreadable> {
        match self.place {
            None => {
                let name = std::mem::take(&mut self.text).bytes;
                if name.trim_ascii().eq_ignore_ascii_case(self.column.as_bytes()) {
                    self.place = Some(self.field);
                    // The rest of the header is no key.
                    self.field = if is_last { 0 } else { usize::MAX };
                    return Ok(());
                }
                if is_last {
                    return Err(Unreadable::NoColumn(self.column.clone()));
                }
            }
            // A header is skipped after the column was found in it.
            Some(_) if self.field == usize::MAX => {
                self.field = if is_last { 0 } else { usize::MAX };
                return Ok(());
            }
            // A record may end before the column.
            Some(_) if is_last => lines.push(Line { number: self.number, key: self.text.key() }),
            Some(_) => {}
        }
        self.field = if is_last { 0 } else { self.field + 1 };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Told = (u64, Result<String, Fault>);

    fn read(form: &Form, file: &[u8], size: usize) -> Result<Vec<Told>, Unreadable> {
        let mut reader = Reader::new(form.clone());
        let mut lines = Vec::new();
        for piece in file.chunks(size) {
            reader.feed(piece, &mut lines)?;
        }
        reader.end(&mut lines)?;
        Ok(lines.into_iter().map(|line| (line.number, line.key.map(|key| key.to_string()))).collect())
    }

    fn same_in_any_pieces(form: &Form, file: &[u8], expected: &[(u64, Result<&str, Fault>)]) {
        for size in [1, 2, 3, 7, file.len().max(1)] {
            let lines = read(form, file, size).unwrap();
            let lines: Vec<_> = lines.iter().map(|(number, key)| (*number, key.as_deref().map_err(|it| *it))).collect();
            assert_eq!(lines, expected, "{size}");
        }
    }

    #[test]
    fn a_line_is_a_key() {
        let file = b"\xef\xbb\xbfAAAA-1\r\n\n BBBB 2 \nC\x01\n\xff\nDDDD-3";
        let expected = [
            (1, Ok("AAAA-1")),
            (2, Err(Fault::Blank)),
            (3, Ok("BBBB 2")),
            (4, Err(Fault::Characters)),
            (5, Err(Fault::Characters)),
            (6, Ok("DDDD-3")),
        ];
        same_in_any_pieces(&Form::Lines, file, &expected);
        same_in_any_pieces(&Form::Lines, b"A\n", &[(1, Ok("A"))]);
        same_in_any_pieces(&Form::Lines, b"", &[]);
    }

    #[test]
    fn a_line_that_is_too_long_spoils_no_other() {
        for length in [KEY_MAX + 1, KEPT_MAX + 1, 10 * KEPT_MAX] {
            let file = ["x".repeat(length), "A".to_owned()].join("\n");
            assert_eq!(
                read(&Form::Lines, file.as_bytes(), 100).unwrap(),
                [(1, Err(Fault::TooLong)), (2, Ok("A".to_owned()))]
            );
        }
        let longest = "é".repeat(KEY_MAX);
        assert_eq!(read(&Form::Lines, longest.as_bytes(), 99).unwrap(), [(1, Ok(longest.clone()))]);
    }

    #[test]
    fn the_header_of_a_table_names_the_column() {
        let form = Form::Csv("key".to_owned());
        let file = b"id,Key,note\n1,AAAA-1,\"a\nb\"\n2,\"BB\"\"2\",\n3,,x\n4\n";
        let expected = [(2, Ok("AAAA-1")), (4, Ok("BB\"2")), (5, Err(Fault::Blank)), (6, Err(Fault::Blank))];
        same_in_any_pieces(&form, file, &expected);
        same_in_any_pieces(&form, b"key\nA\nB", &[(2, Ok("A")), (3, Ok("B"))]);
        same_in_any_pieces(&form, b"key\n", &[]);
    }

    #[test]
    fn a_table_without_the_column_is_refused() {
        let form = Form::Csv("key".to_owned());
        for file in [&b"id,code\n1,A\n"[..], b"", b"code"] {
            assert_eq!(read(&form, file, 5), Err(Unreadable::NoColumn("key".to_owned())));
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_is_told_with_its_line() {
        let form = Form::Csv("key".to_owned());
        for size in [1, 2, 100] {
            let open = |file: &[u8]| read(&form, file, size).unwrap_err();
            assert_eq!(open(b"key,note\r\nA,\"x\ny\"\nB,\"z\nC,\nD,\n"), Unreadable::OpenQuote(4));
            assert_eq!(open(b"\"key"), Unreadable::OpenQuote(1));
            assert_eq!(open(b"key\n\"A\"\"\n"), Unreadable::OpenQuote(2));
            // A quote in the middle of a value is one of its characters.
            assert_eq!(read(&form, b"key\nA\"B\n\"C\"D", size).unwrap().len(), 2);
        }
    }

    #[test]
    fn a_file_that_is_no_text_is_refused() {
        let wide: Vec<u8> = "KEY-1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = [&b"\xff\xfe"[..], &wide].concat();
        for file in [&wide[..], &marked, b"\xfe\xff\0K", b"\0K", b"\x1f\x8b\x08\0\0\0\0", b"PK\x03\x04\x14\0"] {
            for form in [Form::Lines, Form::Csv("key".to_owned())] {
                assert!(matches!(read(&form, file, 1), Err(Unreadable::NoText(_))), "{file:?}");
            }
        }
    }

    #[test]
    fn a_key_with_characters_that_no_reader_sees_is_refused() {
        let file = "A\u{200b}B\n\u{200d}\nC\u{2028}D\nE\u{2800}\nF\u{a0}G\nH";
        let lines: Vec<_> = read(&Form::Lines, file.as_bytes(), 4).unwrap().into_iter().map(|(_, key)| key).collect();
        let unseen = Err(Fault::Invisible);
        let kept = |key: &str| Ok(key.to_owned());
        assert_eq!(lines, [unseen.clone(), unseen.clone(), unseen.clone(), unseen, kept("F\u{a0}G"), kept("H")]);
    }
}
