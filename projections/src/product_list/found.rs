//! The answer of a search.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::Row;
use super::facet::Facets;
use crate::page::Page;

/// The answer of a search.
#[derive(Debug)]
pub struct Found {
    /// The products. The text of each has one field more than its row: `available`, which another view knows.
    pub page: Page<Row>,
    /// The number of products on all pages.
    pub total: u64,
    /// The given words, if they have no results and `corrected` was used instead.
    pub original: Option<String>,
    /// The words that were used instead of `original`, without their typos.
    pub corrected: Option<String>,
    /// The counts of every filter, if they were asked for.
    pub facets: Option<Facets>,
    /// Its JSON text, once it was asked for.
    text: OnceLock<Arc<Text>>,
}

/// The JSON text of an answer, with what is made of it once for all who are sent it.
#[derive(Debug)]
pub struct Text {
    json: String,
    made: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.json
    }

    /// What is made of the text, such as its hash: at the first call, and of one type. It should be smaller than the text.
    pub fn made<T: Any + Send + Sync>(&self, make: impl FnOnce(&str) -> T) -> Option<&T> {
        self.made.get_or_init(|| Box::new(make(&self.json))).downcast_ref()
    }
}

impl Found {
    /// What was found with the given words.
    pub(super) fn new(page: Page<Row>, total: u64, facets: Option<Facets>) -> Self {
        Self { page, total, original: None, corrected: None, facets, text: OnceLock::new() }
    }

    /// The same, found with other words than the given ones, if there are such.
    pub(super) fn corrected(self, original: Option<String>, corrected: Option<String>) -> Self {
        Self { original, corrected, ..self }
    }

    /// The answer as JSON text, in which the stored rows are as they are.
    ///
    /// # Errors
    /// None in practice: the counts are plain data.
    pub fn json(&self) -> Result<Arc<Text>, serde_json::Error> {
        if let Some(text) = self.text.get() {
            return Ok(Arc::clone(text));
        }
        let Self { page, total, original, corrected, facets, text } = self;
        let [original, corrected] = [original, corrected].map(|words| Value::from(words.as_deref()));
        let facets = serde_json::to_string(facets)?;
        let json = page.json_with(&format!(
            ",\"total\":{total},\"original\":{original},\"corrected\":{corrected},\"facets\":{facets}"
        ));
        Ok(Arc::clone(text.get_or_init(|| Arc::new(Text { json, made: OnceLock::new() }))))
    }

    /// Bytes in memory, about: its JSON text, and the rows and counts that it was written from, which take up to twice as much
    /// with what is made of the text.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + 3 * self.json().map_or(0, |text| text.json.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_stand_behind_the_page() {
        let found = Found::new(Page::empty("product_list"), 2, None);
        let found = found.corrected(Some("mgu \"".to_owned()), Some("mug".to_owned()));
        let json = r#"{"items":[],"next":null,"total":2,"original":"mgu \"","corrected":"mug","facets":null}"#;
        assert_eq!(found.json().unwrap().json, json);
        let text = found.json().unwrap();
        assert_eq!(text.json, json, "the same again");
        assert_eq!(text.made(str::len), Some(&json.len()));
        assert_eq!(text.made(|_| 0_usize), Some(&json.len()), "made once");
    }
}
