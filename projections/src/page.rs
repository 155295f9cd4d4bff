//! Pages of lists: a limit, an opaque cursor, and the rows as they are stored.
//!
//! A cursor says where a page ended by what its last row was sorted by, not by a count: what is added or removed meanwhile moves
//! nothing. It also says of which list it is, with which filters, and no other list takes it.

use std::fmt::Write as _;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// Items of a page when nothing else is asked for.
pub const LIMIT: u32 = 20;
/// Items of a page at most.
pub const LIMIT_MAX: u32 = 100;
/// Items of a list in one file at most: some megabytes.
pub const FILE_MAX: u32 = 10_000;
/// The maximum length of a cursor. The longest possible one follows a product with a title of 512 bytes that JSON
/// escapes to two each, found by a corrected search of 200 letters: some 3,100 characters. Servers accept URLs of
/// 8,000.
const CURSOR_MAX: usize = 4_096;

/// A list with its filters, which its cursors are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    name: &'static str,
    mark: u32,
}

impl List {
    /// The list with this name and these filters; what says which page it is, is none.
    pub fn of(name: &'static str, filters: &impl Serialize) -> Self {
        let mut mark = Fnv::default();
        mark.add(name.as_bytes());
        // Filters are plain data, which JSON can always write.
        mark.add(&serde_json::to_vec(filters).unwrap_or_default());
        Self { name, mark: mark.0 }
    }

    /// Writes a place in this list as a cursor.
    pub fn cursor(&self, place: &impl Serialize) -> Result<String, Error> {
        write_cursor(&(self.mark, place))
    }

    /// Reads a cursor of this list.
    pub fn place<T: DeserializeOwned>(&self, cursor: &str) -> Result<T, Error> {
        let (mark, place): (u32, T) = read_cursor(cursor)?;
        if mark == self.mark { Ok(place) } else { Err(Error::Cursor) }
    }
}

/// FNV-1a with 32 bits (draft-eastlake-fnv-17, section 2): the same in every process and version; a collision gives no
/// advantage.
struct Fnv(u32);

impl Default for Fnv {
    fn default() -> Self {
        Self(0x811c_9dc5)
    }
}

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }
}

/// Which page of a list is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Ask {
    /// How many items; [`LIMIT`] when nothing is said, never more than [`LIMIT_MAX`].
    pub limit: Option<u32>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
    /// Whether all items are wanted at once, up to [`FILE_MAX`].
    pub whole: bool,
}

impl Ask {
    /// All items at once, up to [`FILE_MAX`]: there are more of them if the page has a next one.
    pub fn whole() -> Self {
        Self { whole: true, ..Self::default() }
    }

    /// How many items.
    pub fn limit(&self) -> i64 {
        let limit = if self.whole { FILE_MAX } else { self.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX) };
        i64::from(limit)
    }

    /// Where the page before ended, in this list.
    pub(crate) fn after<T: DeserializeOwned>(&self, list: &List) -> Result<Option<T>, Error> {
        self.cursor.as_deref().map(|cursor| list.place(cursor)).transpose()
    }
}

/// A page of a list of `R`. Its rows are kept as they are stored, which is JSON text: [`Page::json`] hands them out without parsing
/// them, and [`Page::rows`] reads them.
#[derive(Debug)]
pub struct Page<R> {
    list: &'static str,
    texts: Vec<String>,
    /// The cursor of the next page; none on the last one.
    pub next: Option<String>,
    row: PhantomData<fn() -> R>,
}

impl<R> Page<R> {
    /// Builds a page from what was found: its rows and one more, which only shows that there is a next page. `split` gives the place of
    /// a row in the list, and its text.
    pub(crate) fn of<F, T: Serialize>(
        found: Vec<F>,
        ask: &Ask,
        list: &List,
        split: impl Fn(F) -> (T, String),
    ) -> Result<Self, Error> {
        let limit = usize::try_from(ask.limit()).unwrap_or(usize::MAX);
        let is_last = found.len() <= limit;
        let mut texts = Vec::with_capacity(found.len().min(limit));
        let mut end = None;
        for (place, text) in found.into_iter().take(limit).map(split) {
            end = Some(place);
            // An empty text is a row that is gone since it was found.
            if !text.is_empty() {
                texts.push(text);
            }
        }
        let next = end.filter(|_| !is_last).map(|place| list.cursor(&place)).transpose()?;
        Ok(Self { list: list.name, texts, next, row: PhantomData })
    }

    /// A page without rows, the last one of its list.
    pub fn empty(list: &'static str) -> Self {
        Self { list, texts: Vec::new(), next: None, row: PhantomData }
    }

    /// Keeps the rows that `keep` has true for; it has one answer for each row, in their order.
    pub fn retain(&mut self, keep: impl IntoIterator<Item = bool>) {
        let mut keep = keep.into_iter();
        self.texts.retain(|_| keep.next().unwrap_or(false));
    }

    /// The rows as JSON texts.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The page as JSON text `{"items":[…],"next":"…"}`; `next` is null on the last page.
    pub fn json(&self) -> String {
        self.json_with("")
    }

    /// The same with further members, each with a comma before it.
    pub(crate) fn json_with(&self, members: &str) -> String {
        let rows: usize = self.texts.iter().map(|text| text.len() + 1).sum();
        let next = self.next.as_deref().map_or(0, str::len);
        let mut json = String::with_capacity(64 + rows + next + members.len());
        json.push_str("{\"items\":[");
        for (index, text) in self.texts.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            json.push_str(text);
        }
        json.push_str("],\"next\":");
        match &self.next {
            Some(next) => _ = write!(json, "\"{next}\""),
            None => json.push_str("null"),
        }
        json.push_str(members);
        json.push('}');
        json
    }
}

impl<R: DeserializeOwned> Page<R> {
    /// The rows.
    ///
    /// # Errors
    /// [`Error::Row`] when a row is not what its view writes.
    pub fn rows(&self) -> Result<Vec<R>, Error> {
        let read = |(index, text): (usize, &String)| {
            serde_json::from_str(text).map_err(|error| Error::Row {
                view: self.list,
                key: format!("{} of a page", index + 1),
                reason: error.to_string(),
            })
        };
        self.texts.iter().enumerate().map(read).collect()
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Writes a place in a list as base64url without padding (RFC 4648, section 5) of its JSON.
fn write_cursor<T: Serialize>(place: &T) -> Result<String, Error> {
    let bytes = serde_json::to_vec(place).map_err(|_| Error::Cursor)?;
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for index in 0..=chunk.len() {
            let digit = bits >> (18 - 6 * index) & 63;
            text.push(char::from(ALPHABET[usize::try_from(digit).unwrap_or(0)]));
        }
    }
    Ok(text)
}

fn read_cursor<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    if text.len() > CURSOR_MAX {
        return Err(Error::Cursor);
    }
    let mut bytes = Vec::with_capacity(text.len());
    for chunk in text.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for letter in chunk {
            let digit = ALPHABET.iter().position(|known| known == letter).ok_or(Error::Cursor)?;
            bits = bits << 6 | u32::try_from(digit).unwrap_or(0);
        }
        bits <<= 6 * (4 - chunk.len());
        bytes.extend_from_slice(&bits.to_be_bytes()[1..chunk.len()]);
    }
    // Postgres has no text with a zero byte, and we wrote none.
    if bytes.windows(6).any(|window| window == br"\u0000") {
        return Err(Error::Cursor);
    }
    serde_json::from_slice(&bytes).map_err(|_| Error::Cursor)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is() {
        let list = List::of("orders", &("open", 1));
        for place in [(1i64, "ord_é".to_owned()), (i64::MAX, String::new()), (-1, "xy".into())] {
            assert_eq!(list.place::<(i64, String)>(&list.cursor(&place).unwrap()).unwrap(), place);
        }
        let zero = list.cursor(&(1i64, "a\0")).unwrap();
        for text in [&zero, "", "?", "AAAA", "WzFd", "é", "A", &"A".repeat(5_000)] {
            assert!(list.place::<(i64, String)>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_cursor_of_another_list_or_filter_is_refused() {
        let list = List::of("orders", &("open", 1));
        let cursor = list.cursor(&7).unwrap();
        assert_eq!(List::of("orders", &("open", 1)).place::<i64>(&cursor).unwrap(), 7);
        for other in
            [List::of("returns", &("open", 1)), List::of("orders", &("paid", 1)), List::of("orders", &("open", 2))]
        {
            assert!(matches!(other.place::<i64>(&cursor), Err(Error::Cursor)), "{other:?}");
        }
    }

    #[test]
    fn a_page_has_a_next_only_when_there_is_more() {
        let list = List::of("things", &());
        let page = |limit| {
            let ask = Ask { limit: Some(limit), ..Ask::default() };
            let found = ["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"].map(str::to_owned).to_vec();
            Page::<Value>::of(found, &ask, &list, |text| (text.len(), text)).unwrap()
        };
        let next = list.cursor(&7).unwrap();
        assert_eq!(page(2).json(), format!("{{\"items\":[{{\"a\":1}},{{\"a\":2}}],\"next\":\"{next}\"}}"));
        assert_eq!(page(2).next, Some(next));
        assert_eq!(page(3).json(), "{\"items\":[{\"a\":1},{\"a\":2},{\"a\":3}],\"next\":null}");
        let with_more = page(1).json_with(",\"b\":4");
        assert!(with_more.starts_with("{\"items\":[{\"a\":1}],\"next\":\""), "{with_more}");
        assert!(with_more.ends_with("\",\"b\":4}"), "{with_more}");
    }

    #[test]
    fn only_the_rows_that_are_wanted_stay_on_a_page() {
        let list = List::of("things", &());
        let found = ["1", "2", "3"].map(str::to_owned).to_vec();
        let mut page = Page::<i64>::of(found, &Ask::default(), &list, |text| (text.len(), text)).unwrap();
        page.retain([true, false]);
        assert_eq!(page.json(), "{\"items\":[1],\"next\":null}");
        assert_eq!(Page::<i64>::empty("things").json(), "{\"items\":[],\"next\":null}");
    }

    #[test]
    fn the_rows_of_a_page_are_read_without_those_that_are_gone() {
        let list = List::of("things", &());
        let page = |texts: [&str; 3]| {
            let found = texts.map(str::to_owned).to_vec();
            Page::<i64>::of(found, &Ask::default(), &list, |text| (text.len(), text)).unwrap()
        };
        assert_eq!(page(["1", "", "3"]).rows().unwrap(), [1, 3]);
        let error = page(["1", "two", "3"]).rows().unwrap_err();
        assert!(error.to_string().starts_with("things cannot read its row 2 of a page: "), "{error}");
    }
}
