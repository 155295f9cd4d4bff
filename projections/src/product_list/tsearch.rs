//! Postgres' texts of what is searched and of what is looked for (manual, "Text Search Types"), as it writes them itself.

use std::iter::Peekable;
use std::str::Chars;

/// A lexeme of a text, with how it weighs: one bit for each of Postgres' weights that it has there, see [`weight`].
pub(super) type Weighed = (String, u8);

/// The bit of a weight; a lexeme without a position is a code.
pub(super) const fn weight(letter: char) -> u8 {
    match letter {
        'A' => 1,
        'B' => 2,
        _ => 4,
    }
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A lexeme, or all that begin with it.
    Lexeme { text: String, prefix: bool },
    /// Whatever does not have it.
    Not(Box<Wanted>),
    /// All of them.
    All(Vec<Wanted>),
    /// One of them.
    Any(Vec<Wanted>),
    /// All of them, in this order and at the distance that the text says.
    Phrase(Vec<Wanted>),
}

/// Reads a `tsvector`.
pub(super) fn lexemes(text: &str) -> Vec<Weighed> {
    let mut rest = text.chars().peekable();
    let mut found = Vec::new();
    while let Some(lexeme) = quoted(&mut rest) {
        let mut weights = 0;
        if rest.next_if_eq(&':').is_some() {
            let mut bare = false;
            while let Some(letter) = rest.next_if(|letter| *letter != ' ') {
                match letter {
                    'A'..='D' => {
                        weights |= weight(letter);
                        bare = false;
                    }
                    '0'..='9' => bare = true,
                    // A position without a letter weighs as D does.
                    _ if bare => weights |= weight('D'),
                    _ => {}
                }
            }
            if bare {
                weights |= weight('D');
            }
        } else {
            weights = weight('B');
        }
        found.push((lexeme, weights));
    }
    found
}

/// Reads a `tsquery`; none when nothing is looked for, as when all words are stop words.
pub(super) fn wanted(text: &str) -> Option<Wanted> {
    any(&mut text.chars().peekable())
}

fn any(rest: &mut Peekable<Chars<'_>>) -> Option<Wanted> {
    list(rest, all, |rest| rest.next_if_eq(&'|').is_some(), Wanted::Any)
}

fn all(rest: &mut Peekable<Chars<'_>>) -> Option<Wanted> {
    list(rest, phrase, |rest| rest.next_if_eq(&'&').is_some(), Wanted::All)
}

fn phrase(rest: &mut Peekable<Chars<'_>>) -> Option<Wanted> {
    let followed = |rest: &mut Peekable<Chars<'_>>| rest.peek() == Some(&'<') && rest.any(|letter| letter == '>');
    list(rest, one, followed, Wanted::Phrase)
}

fn one(rest: &mut Peekable<Chars<'_>>) -> Option<Wanted> {
    spaces(rest);
    if rest.next_if_eq(&'!').is_some() {
        return Some(Wanted::Not(Box::new(one(rest)?)));
    }
    if rest.next_if_eq(&'(').is_some() {
        let inner = any(rest)?;
        spaces(rest);
        rest.next_if_eq(&')');
        return Some(inner);
    }
    let text = quoted(rest)?;
    let prefix = rest.next_if_eq(&':').is_some() && rest.next_if_eq(&'*').is_some();
    Some(Wanted::Lexeme { text, prefix })
}

/// Some things with an operator between each two.
fn list<'a>(
    rest: &mut Peekable<Chars<'a>>,
    part: impl Fn(&mut Peekable<Chars<'a>>) -> Option<Wanted>,
    operator: impl Fn(&mut Peekable<Chars<'a>>) -> bool,
    made: impl Fn(Vec<Wanted>) -> Wanted,
) -> Option<Wanted> {
    let mut parts = vec![part(rest)?];
    loop {
        spaces(rest);
        if !operator(rest) {
            break;
        }
        parts.push(part(rest)?);
    }
    if parts.len() == 1 { parts.pop() } else { Some(made(parts)) }
}

fn spaces(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if_eq(&' ').is_some() {}
}

/// A lexeme in quotes, in which quotes and backslashes stand twice.
fn quoted(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    spaces(rest);
    rest.next_if_eq(&'\'')?;
    let mut text = String::new();
    while let Some(letter) = rest.next() {
        match letter {
            '\'' if rest.next_if_eq(&'\'').is_none() => return Some(text),
            '\\' => text.extend(rest.next()),
            letter => text.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lexeme(text: &str) -> Wanted {
        Wanted::Lexeme { text: text.into(), prefix: false }
    }

    #[test]
    fn a_text_is_read_with_its_weights() {
        let found = lexemes(r"'desk':2A,7 'it''s':1B 'lamp':3A 'sku-1' 'walnut':5C,9D 'c\\d':12");
        let expected = [("desk", 5), ("it's", 2), ("lamp", 1), ("sku-1", 2), ("walnut", 4), ("c\\d", 4)];
        assert_eq!(found, expected.map(|(text, weights)| (text.to_owned(), weights)));
        assert_eq!(lexemes(""), []);
    }

    #[test]
    fn what_is_looked_for_is_read_as_it_binds() {
        let red_desk = Wanted::All(vec![lexeme("red"), lexeme("desk")]);
        let lamps = Wanted::Lexeme { text: "la".into(), prefix: true };
        assert_eq!(
            wanted("'red' & 'desk' & 'la' | 'red' & 'desk' & 'la':*"),
            Some(Wanted::Any(vec![
                Wanted::All(vec![lexeme("red"), lexeme("desk"), lexeme("la")]),
                Wanted::All(vec![lexeme("red"), lexeme("desk"), lamps]),
            ]))
        );
        let not_blue = Wanted::Not(Box::new(Wanted::Phrase(vec![lexeme("blue"), lexeme("one")])));
        assert_eq!(wanted("( 'red' & 'desk' ) & !( 'blue' <-> 'one' )"), Some(Wanted::All(vec![red_desk, not_blue])));
        assert_eq!(wanted("'a' <2> 'it''s'"), Some(Wanted::Phrase(vec![lexeme("a"), lexeme("it's")])));
        assert_eq!(wanted(""), None);
    }
}
