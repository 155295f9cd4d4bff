//! Stems of words, which the dictionaries of Postgres know: English ones for Latin words, Russian ones for Cyrillic words.

use sqlx::postgres::PgPool;

use super::wanted::Stems;
use crate::error::Error;

/// The stems of words in their order; none for a stop word. A word with a digit is its own, and so is one of another script.
pub(super) async fn stems_of(pool: &PgPool, words: &[String]) -> Result<Vec<Option<String>>, Error> {
    let dictionaries: Vec<Option<Dictionary>> = words.iter().map(|word| Dictionary::of(word)).collect();
    let stemmed = || words.iter().zip(&dictionaries).filter_map(|(word, dictionary)| Some((word, (*dictionary)?)));
    let (asked, russian): (Vec<&str>, Vec<bool>) =
        stemmed().map(|(word, dictionary)| (word.as_str(), dictionary == Dictionary::Russian)).unzip();
    if asked.is_empty() {
        return Ok(words.iter().cloned().map(Some).collect());
    }
    let statement = "select case when russian then ts_lexize('russian_stem', word) else ts_lexize('english_stem', word) end
                     from unnest($1::text[], $2::bool[]) with ordinality as asked (word, russian, place) order by place";
    let found: Vec<Option<Vec<String>>> =
        sqlx::query_scalar(statement).bind(asked).bind(russian).fetch_all(pool).await?;
    let mut found = found.into_iter();
    let stem = |(word, dictionary): (&String, &Option<Dictionary>)| match dictionary {
        // A dictionary of stems knows every word; it has nothing for a stop word.
        Some(_) => found.next().flatten().and_then(|stems| stems.into_iter().next()),
        None => Some(word.clone()),
    };
    Ok(words.iter().zip(&dictionaries).map(stem).collect())
}

/// A dictionary of Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dictionary {
    English,
    Russian,
}

impl Dictionary {
    fn of(word: &str) -> Option<Self> {
        let is_cyrillic = |letter: char| matches!(letter, '\u{400}'..='\u{52f}');
        if word.chars().all(|letter| letter.is_ascii_lowercase()) {
            Some(Self::English)
        } else {
            word.chars().all(is_cyrillic).then_some(Self::Russian)
        }
    }
}

/// Ends of English words of which the beginning may be typed already.
const ENDS: [&str; 14] =
    ["s", "es", "ed", "er", "ers", "ing", "ings", "ly", "ful", "ness", "able", "ment", "ments", "ation"];
/// Shortest beginning of a word that is completed.
const BEGINNING_MIN: usize = 3;

/// The words that an incomplete word may become, by English endings: `running` for `runni`.
pub(super) fn completions(beginning: &str) -> Vec<String> {
    if beginning.len() < BEGINNING_MIN || Dictionary::of(beginning) != Some(Dictionary::English) {
        return Vec::new();
    }
    let completed = |end: &'static str| {
        let typed = (0..end.len()).filter(|typed| beginning.ends_with(&end[..*typed]));
        typed.map(|typed| format!("{beginning}{}", &end[typed..])).collect::<Vec<_>>()
    };
    let mut words: Vec<String> = ENDS.into_iter().flat_map(completed).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Adds the stems of some words.
pub(super) fn add(stems: &mut Stems, words: Vec<String>, found: Vec<Option<String>>) {
    stems.extend(words.into_iter().zip(found).map(|(word, stem)| (word, stem.into_iter().collect())));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_of_one_script_are_stemmed() {
        for (word, expected) in [
            ("lamps", Some(Dictionary::English)),
            ("лампы", Some(Dictionary::Russian)),
            ("usb3", None),
            ("σισυφοσ", None),
            ("lampы", None),
        ] {
            assert_eq!(Dictionary::of(word), expected, "{word}");
        }
    }

    #[test]
    fn a_beginning_is_completed_by_the_ends_of_words() {
        let words = completions("runni");
        assert!(words.contains(&"running".to_owned()), "{words:?}");
        assert!(completions("powerf").contains(&"powerful".to_owned()));
        for none in ["ru", "беги", "usb3"] {
            assert_eq!(completions(none), Vec::<String>::new(), "{none}");
        }
    }
}
