//! The answer of a search.

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
    text: OnceLock<Arc<str>>,
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
    pub fn json(&self) -> Result<Arc<str>, serde_json::Error> {
        if let Some(text) = self.text.get() {
            return Ok(Arc::clone(text));
        }
        let Self { page, total, original, corrected, facets, text } = self;
        let [original, corrected] = [original, corrected].map(|words| Value::from(words.as_deref()));
        let facets = serde_json::to_string(facets)?;
        let json = page.json_with(&format!(
            ",\"total\":{total},\"original\":{original},\"corrected\":{corrected},\"facets\":{facets}"
        ));
        Ok(Arc::clone(text.get_or_init(|| json.into())))
    }

    /// Bytes in memory, about: its JSON text, and the rows and counts that it was written from, which take up to twice as much.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + 3 * self.json().map_or(0, |text| text.len())
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
        assert_eq!(&*found.json().unwrap(), json);
        assert_eq!(&*found.json().unwrap(), json, "the same again");
    }
}
