//! Pages of lists: a limit, an opaque cursor, and the stored rows put together as text.

use std::fmt::Write as _;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// Items of a page when nothing else is asked for.
pub const LIMIT: u32 = 20;
/// Items of a page at most.
pub const LIMIT_MAX: u32 = 100;
/// Longest cursor that is looked at; ours are far shorter.
const CURSOR_MAX: usize = 512;

/// Which page of a list is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask {
    /// How many items; [`LIMIT`] when nothing is said, never more than [`LIMIT_MAX`].
    pub limit: Option<u32>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
}

impl Ask {
    /// How many items.
    pub fn limit(&self) -> i64 {
        i64::from(self.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX))
    }

    /// Where the page before ended.
    pub(crate) fn after<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        self.cursor.as_deref().map(read_cursor).transpose()
    }
}

/// A page as it is answered: JSON text `{"items":[…],"next":"…"}`, `next` being null on the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The JSON text.
    pub json: String,
}

impl Page {
    /// Puts a page together from one row more than it has: that one only tells that there is a next page.
    pub(crate) fn of<R, T: Serialize>(
        rows: &[R],
        ask: &Ask,
        text: impl Fn(&R) -> &str,
        place: impl Fn(&R) -> T,
    ) -> Result<Self, Error> {
        let limit = usize::try_from(ask.limit()).unwrap_or(usize::MAX);
        let shown = &rows[..rows.len().min(limit)];
        let mut json = String::with_capacity(64 + shown.iter().map(|row| text(row).len() + 1).sum::<usize>());
        json.push_str("{\"items\":[");
        // An empty text is a row that is gone since it was found.
        for (index, text) in shown.iter().map(text).filter(|text| !text.is_empty()).enumerate() {
            if index > 0 {
                json.push(',');
            }
            json.push_str(text);
        }
        json.push_str("],\"next\":");
        match shown.last().filter(|_| rows.len() > limit) {
            Some(last) => {
                let _ = write!(json, "\"{}\"", write_cursor(&place(last))?);
            }
            None => json.push_str("null"),
        }
        json.push('}');
        Ok(Self { json })
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
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is() {
        for place in [(1i64, "ord_é".to_owned()), (i64::MAX, String::new()), (-1, "xy".into())] {
            assert_eq!(read_cursor::<(i64, String)>(&write_cursor(&place).unwrap()).unwrap(), place);
        }
        let zero = write_cursor(&(1i64, "a\0")).unwrap();
        for text in [&zero, "", "?", "AAAA", "WzFd", "é", "A", &"A".repeat(600)] {
            assert!(read_cursor::<(i64, String)>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_page_has_a_next_only_when_there_is_more() {
        let rows = ["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"];
        let page = |limit| {
            let ask = Ask { limit: Some(limit), cursor: None };
            Page::of(&rows, &ask, |row| row, |row| row.len()).unwrap().json
        };
        assert_eq!(page(2), "{\"items\":[{\"a\":1},{\"a\":2}],\"next\":\"Nw\"}");
        assert_eq!(page(3), "{\"items\":[{\"a\":1},{\"a\":2},{\"a\":3}],\"next\":null}");
    }
}
