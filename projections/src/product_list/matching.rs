//! Which products match some words, and how well: asked of Postgres, which knows the words of each product.

use sqlx::postgres::PgPool;

use super::words::folded;
use crate::error::Error;
use crate::text::without_nul;

/// Matches and their weights: a product's serial and how well it matches, greater being better.
pub(super) type Matches = Vec<(i64, i32)>;

/// What the words weigh, in descriptions, nowhere, in attributes, options and codes, in titles: Postgres' D, C, B and A.
const WEIGHTS: &str = "{0.05, 0.1, 0.4, 1.0}";

/// What is looked for.
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
        let all = folded(&without_nul(words));
        let (head, last) = all.rsplit_once(char::is_whitespace).unwrap_or(("", &all));
        let quoted = all.matches('"').count() > 0;
        let is_word = !last.is_empty() && !last.starts_with('-') && !quoted && last != "or";
        let prefix = is_word.then(|| format!("'{}':*", last.replace('\\', "\\\\").replace('\'', "''")));
        Self { head: head.to_owned(), prefix, all: all.clone() }
    }
}

/// Every product that matches.
pub(super) async fn matches(pool: &PgPool, words: &str) -> Result<Matches, Error> {
    let Looked { all, head, prefix } = Looked::of(words);
    let statement = "select p.serial, (ts_rank($4::text::float4[], p.search, q.query) * 1000000)::int
         from (select case when $3::text is null then websearch_to_tsquery('russian', $1)
                      else websearch_to_tsquery('russian', $1)
                        || (websearch_to_tsquery('russian', $2) && $3::text::tsquery) end as query) q
         join read.product_list p on p.search @@ q.query";
    let found = sqlx::query_as(statement).bind(all).bind(head).bind(prefix).bind(WEIGHTS).fetch_all(pool);
    Ok(found.await?)
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
}
