//! Parser of a search text: words, phrases in quotes, excluded words, and alternatives.

use std::fmt;

use super::words::words;

/// A parsed search text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// The alternatives, which `or` separates.
    pub alternatives: Vec<Vec<Part>>,
    /// Whether the last word may be the beginning of one.
    pub unfinished: bool,
}

/// A phrase, or what stands between two spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Whether it was written as `-part`: products that have it are left out.
    pub excluded: bool,
    /// Whether its words stand next to each other.
    pub quoted: bool,
    /// The words, at least one.
    pub words: Vec<String>,
}

impl Asked {
    /// Parses a search text. A hyphen excludes only directly before a word or a phrase, and at the beginning of a part;
    /// quotes make a phrase only around something, so `27"` is not a phrase.
    pub fn read(text: &str) -> Self {
        let mut alternatives: Vec<Vec<Part>> = vec![Vec::new()];
        // An `or` counts when something stands on both sides of it; else it is a word.
        let mut or: Option<Part> = None;
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (part, after) = Part::read(rest);
            rest = after.trim_start();
            let Some(part) = part else { continue };
            let has_left = alternatives.last().is_some_and(|parts| !parts.is_empty());
            if part.is_or() && has_left && or.is_none() {
                or = Some(part);
                continue;
            }
            if or.take().is_some() {
                alternatives.push(Vec::new());
            }
            if let Some(parts) = alternatives.last_mut() {
                parts.push(part);
            }
        }
        let unfinished = text.ends_with(char::is_alphanumeric);
        if let Some(parts) = alternatives.last_mut() {
            parts.extend(or);
        }
        let is_open = |part: &Part| !part.excluded && !part.quoted;
        let last = alternatives.last().and_then(|parts| parts.last());
        Self { unfinished: unfinished && last.is_some_and(is_open), alternatives }
    }

    /// All parts, of every alternative.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.alternatives.iter().flatten()
    }

    /// The words of which the last one may be unfinished, if there are such.
    pub fn last_word(&self) -> Option<&str> {
        let last = self.parts().last().filter(|_| self.unfinished)?;
        last.words.last().map(String::as_str)
    }

    /// All words as one, as they would stand in a code, when they may be one: several parts with a digit among them.
    pub fn code(&self) -> Option<String> {
        let [parts] = self.alternatives.as_slice() else { return None };
        let plain = parts.len() > 1 && parts.iter().all(|part| !part.excluded && !part.quoted);
        let code = parts.iter().flat_map(|part| &part.words).map(String::as_str).collect::<String>();
        let fits = code.chars().count() <= byteshop_domain::text::SKU_MAX && code.contains(|it: char| it.is_numeric());
        (plain && fits).then_some(code)
    }

    /// The words in order, when nothing else is asked for than that there are these.
    pub fn plain(&self) -> Option<Vec<&str>> {
        let [parts] = self.alternatives.as_slice() else { return None };
        let plain = parts.iter().all(|part| !part.excluded);
        plain.then(|| parts.iter().flat_map(|part| &part.words).map(String::as_str).collect())
    }
}

impl Part {
    /// Reads the first part of a text; gives what stands behind it. There is none where no word is.
    fn read(text: &str) -> (Option<Self>, &str) {
        let starts = |text: &str| text.starts_with(|it: char| it.is_alphanumeric() || is_quote(it));
        let excluding = text.strip_prefix('-').filter(|after| starts(after));
        let (excluded, text) = (excluding.is_some(), excluding.unwrap_or(text));
        let (inside, quoted, rest) = if let Some((inside, rest)) = in_quotes(text) {
            (inside, true, rest)
        } else {
            let end = text.find(char::is_whitespace).unwrap_or(text.len());
            (&text[..end], false, &text[end..])
        };
        let words: Vec<String> = inside.split_whitespace().flat_map(words).collect();
        ((!words.is_empty()).then_some(Self { excluded, quoted, words }), rest)
    }

    fn is_or(&self) -> bool {
        !self.excluded && !self.quoted && self.words == ["or"]
    }
}

/// The text in quotes at the beginning of a text, and the rest.
fn in_quotes(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix(is_quote)?;
    let (inside, rest) = inside.split_at(inside.find(is_quote)?);
    Some((inside, rest.strip_prefix(is_quote).unwrap_or(rest)))
}

fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '“' | '”' | '„' | '«' | '»' | '＂')
}

/// As it would be typed.
impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, parts) in self.alternatives.iter().enumerate() {
            if index > 0 {
                f.write_str(" or ")?;
            }
            for (index, part) in parts.iter().enumerate() {
                let space = if index > 0 { " " } else { "" };
                let hyphen = if part.excluded { "-" } else { "" };
                // What punctuation joined stays joined, which an excluded part has to be.
                let (quote, between) = match (part.quoted, part.words.len()) {
                    (true, _) => ("\"", " "),
                    (false, _) => ("", "-"),
                };
                write!(f, "{space}{hyphen}{quote}{}{quote}", part.words.join(between))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let asked = Asked::read(text);
        let end = if asked.unfinished { "*" } else { "" };
        format!("{asked}{end}")
    }

    #[test]
    fn only_a_hyphen_directly_before_a_word_excludes() {
        for (typed, meant) in [
            ("Motorola - Moto X - Black", "motorola moto x black*"),
            ("lamp -red", "lamp -red"),
            ("lamp - red", "lamp red*"),
            ("lamp --red", "lamp red*"),
            ("lamp –red", "lamp red*"),
            ("lamp-red", "lamp-red*"),
            ("-red", "-red"),
            ("lamp -\"dark red\" big", "lamp -\"dark red\" big*"),
            ("- - --", ""),
            ("lamp -", "lamp"),
        ] {
            assert_eq!(read(typed), meant, "{typed}");
        }
    }

    #[test]
    fn quotes_make_phrases_and_inches_do_not() {
        for (typed, meant) in [
            ("\"coffee  grinder\"", "\"coffee grinder\""),
            ("“coffee grinder” big", "\"coffee grinder\" big*"),
            ("«кофе» ", "\"кофе\""),
            ("27\" monitor 24\"", "27 monitor 24"),
            ("\"coffee grinder", "coffee grinder*"),
            ("\"\" \" \"", ""),
        ] {
            assert_eq!(read(typed), meant, "{typed}");
        }
    }

    #[test]
    fn or_stands_between_alternatives() {
        for (typed, meant, count) in [
            ("shoes or red lamp", "shoes or red lamp*", 2),
            ("shoes OR lamp ", "shoes or lamp", 2),
            ("or shoes", "or shoes*", 1),
            ("shoes or", "shoes or*", 1),
            ("shoes or or lamp", "shoes or or lamp*", 2),
            ("", "", 1),
        ] {
            let alternatives = Asked::read(typed).alternatives.len();
            assert_eq!((read(typed).as_str(), alternatives), (meant, count), "{typed}");
        }
    }

    #[test]
    fn several_words_may_be_a_code() {
        let code = |text: &str| Asked::read(text).code();
        assert_eq!(code("BS 100-x ").as_deref(), Some("bs100x"));
        for text in ["BS-100X", "red lamp", "lamp 5 or 6", "lamp -5", &"9 ".repeat(65)] {
            assert_eq!(code(text), None, "{text}");
        }
    }
}
