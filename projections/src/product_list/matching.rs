//! Which products match some words, and how well. Postgres makes lexemes of the words, as it did of the products', and the
//! index knows who has them.

use roaring::RoaringBitmap;
use sqlx::postgres::PgPool;

use super::tsearch::{Wanted, wanted};
use super::words::folded;
use crate::error::Error;
use crate::text::without_nul;
use crate::views::Views;

/// The products that match, by their numbers in the index.
#[derive(Debug, Default)]
pub(super) struct Matches {
    /// All of them.
    pub all: RoaringBitmap,
    /// How well each product matches, greater being better.
    pub ranks: Vec<u32>,
}

/// What is looked for, in words.
struct Looked {
    /// All of it, as people write it in search engines.
    all: String,
    /// What stands before the last word.
    head: String,
    /// The last word as the beginning of one, in Postgres' own notation; none when it is not one.
    prefix: Option<String>,
}

impl Looked {
    fn of(words: &str) -> Self {
        let all = folded(&without_idle_hyphens(&without_nul(words)));
        let (head, last) = all.rsplit_once(char::is_whitespace).unwrap_or(("", &all));
        let quoted = all.matches('"').count() > 0;
        let is_word = !last.is_empty() && !last.starts_with('-') && !quoted && last != "or";
        let prefix = is_word.then(|| format!("'{}':*", last.replace('\\', "\\\\").replace('\'', "''")));
        Self { head: head.to_owned(), prefix, all: all.clone() }
    }

    /// The same in lexemes.
    async fn query(&self, pool: &PgPool) -> Result<String, Error> {
        let statement = "select (case when $3::text is null then websearch_to_tsquery('russian', $1)
                                 else websearch_to_tsquery('russian', $1)
                                   || (websearch_to_tsquery('russian', $2) && $3::text::tsquery) end)::text";
        let query = sqlx::query_scalar(statement).bind(&self.all).bind(&self.head).bind(&self.prefix);
        Ok(query.fetch_one(pool).await?)
    }
}

/// Leaves out the hyphens that only stand before another one. Each is a "not" that Postgres keeps in mind, and beyond 32 it
/// gives up.
fn without_idle_hyphens(words: &str) -> String {
    let is_idle = |(place, letter): (usize, char)| letter == '-' && words[place + 1..].trim_start().starts_with('-');
    words.char_indices().filter(|it| !is_idle(*it)).map(|(_, letter)| letter).collect()
}

impl Views {
    /// The products that match some words.
    pub(super) async fn matches(&self, words: &str) -> Result<Matches, Error> {
        let query = Looked::of(words).query(self.pool()).await?;
        let Some(wanted) = wanted(&query) else { return Ok(Matches::default()) };
        let (found, keys) = self.candidates(&wanted);
        let all = if keys.is_empty() { found } else { self.with_phrases(&query, keys).await? };
        let index = self.catalog().index();
        let ranks = index.lexemes.ranks(&wanted, index.len());
        Ok(Matches { all, ranks })
    }

    /// The products that have the words, and the keys of those of which Postgres has to say whether they match.
    fn candidates(&self, wanted: &Wanted) -> (RoaringBitmap, Vec<String>) {
        let index = self.catalog().index();
        let found = index.lexemes.find(wanted, index.len());
        let in_doubt = |number| index.entry(number).id.to_string();
        let keys = if found.exact { Vec::new() } else { found.all.iter().map(in_doubt).collect() };
        (found.all, keys)
    }

    async fn with_phrases(&self, query: &str, keys: Vec<String>) -> Result<RoaringBitmap, Error> {
        let statement = "select serial from read.product_list where key = any ($1) and search @@ $2::text::tsquery";
        let serials: Vec<i64> = sqlx::query_scalar(statement).bind(keys).bind(query).fetch_all(self.pool()).await?;
        let index = self.catalog().index();
        Ok(serials.into_iter().filter_map(|serial| index.number(serial)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_may_be_the_beginning_of_one() {
        let prefix = |words: &str| Looked::of(words).prefix;
        assert_eq!(prefix("Desk La").as_deref(), Some("'la':*"));
        assert_eq!(prefix("Ёл").as_deref(), Some("'ел':*"));
        assert_eq!(prefix(r"it's\").as_deref(), Some(r"'it''s\\':*"));
        for words in ["lamp ", "lamp -red", "\"desk lamp\"", "desk or", ""] {
            assert_eq!(prefix(words), None, "{words}");
        }
        assert_eq!(Looked::of("red desk la").head, "red desk");
    }

    #[test]
    fn one_hyphen_says_what_many_say() {
        for (words, meant) in [("--a", "-a"), ("a - - -b", "a   -b"), ("a-b", "a-b"), ("-a -b", "-a -b"), ("---", "-")]
        {
            assert_eq!(without_idle_hyphens(words), meant, "{words}");
        }
    }
}
