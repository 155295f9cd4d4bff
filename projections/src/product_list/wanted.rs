//! The stemmed search expression.

use std::collections::{BTreeSet, HashMap};

use super::asked::{Asked, Part};

/// A search expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A word.
    Word(Word),
    /// Whatever does not have it.
    Not(Box<Wanted>),
    /// All of them.
    All(Vec<Wanted>),
    /// Any of the expressions.
    Any(Vec<Wanted>),
    /// All of them, one after the other.
    Phrase(Vec<Word>),
}

/// A word that is looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Word {
    /// As it was typed, in the form in which it is searched.
    pub text: String,
    /// Words with these stems fit; a stop word has none, so only itself fits.
    pub stems: Vec<String>,
    /// Whether it may be the beginning of a word.
    pub unfinished: bool,
}

/// The stems of words; a stop word has none.
pub(super) type Stems = HashMap<String, Vec<String>>;

impl Word {
    /// A word, which is whole.
    pub fn whole(text: &str, stems: &Stems) -> Self {
        let stems = stems.get(text).cloned().unwrap_or_default();
        Self { text: text.to_owned(), stems, unfinished: false }
    }

    fn is_stop(&self) -> bool {
        self.stems.is_empty()
    }
}

impl Wanted {
    /// The expression of a search text; none if the text has no words.
    pub fn of(asked: &Asked, stems: &Stems) -> Option<Self> {
        let last = asked.alternatives.len().saturating_sub(1);
        let of = |(index, parts): (usize, &Vec<Part>)| {
            let unfinished = asked.unfinished && index == last;
            all_of_parts(parts, stems, unfinished)
        };
        let mut alternatives: Vec<Self> = asked.alternatives.iter().enumerate().filter_map(of).collect();
        if let Some(code) = asked.code() {
            alternatives.push(Self::Word(Word { unfinished: asked.unfinished, ..Word::whole(&code, stems) }));
        }
        if alternatives.len() > 1 { Some(Self::Any(alternatives)) } else { alternatives.pop() }
    }
}

/// All parts of an alternative. Stop words need not be there when other words are asked for.
fn all_of_parts(parts: &[Part], stems: &Stems, unfinished: bool) -> Option<Wanted> {
    let last = parts.len().saturating_sub(1);
    let mut counting = Vec::new();
    let mut stop_words = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let open = unfinished && index == last;
        let wanted = of_part(part, stems, open);
        let is_stop_word = matches!(&wanted, Wanted::Word(word) if word.is_stop());
        let parts = if is_stop_word { &mut stop_words } else { &mut counting };
        parts.push(wanted);
    }
    let mut parts = if counting.iter().all(|part| matches!(part, Wanted::Not(_))) && !stop_words.is_empty() {
        counting.into_iter().chain(stop_words).collect()
    } else {
        counting
    };
    if parts.len() > 1 { Some(Wanted::All(parts)) } else { parts.pop() }
}

/// A part. What punctuation joins is found as one word, too.
fn of_part(part: &Part, stems: &Stems, unfinished: bool) -> Wanted {
    let words: Vec<Word> = part.words.iter().map(|word| Word::whole(word, stems)).collect();
    let wanted = match words.as_slice() {
        [word] => Wanted::Word(Word { unfinished, ..word.clone() }),
        _ if part.quoted => Wanted::Phrase(words),
        _ => {
            let joined = Word { unfinished, ..Word::whole(&part.words.concat(), stems) };
            Wanted::Any(vec![all_of_words(words, unfinished), Wanted::Word(joined)])
        }
    };
    if part.excluded { Wanted::Not(Box::new(wanted)) } else { wanted }
}

/// The words of one part. A name that is made of stop words, such as AT&T, has all of them.
fn all_of_words(mut words: Vec<Word>, unfinished: bool) -> Wanted {
    if let Some(last) = words.last_mut() {
        last.unfinished = unfinished;
    }
    if !words.iter().all(Word::is_stop) {
        words.retain(|word| !word.is_stop());
    }
    Wanted::All(words.into_iter().map(Wanted::Word).collect())
}

/// The words that count in a ranking, each once: stop words too, and the last one as it is and as a beginning.
pub(super) fn counting(asked: &Asked, stems: &Stems) -> Vec<Word> {
    let mut words = BTreeSet::new();
    for part in asked.parts().filter(|part| !part.excluded) {
        words.extend(part.words.iter().map(|word| Word::whole(word, stems)));
        if part.words.len() > 1 && !part.quoted {
            words.insert(Word::whole(&part.words.concat(), stems));
        }
    }
    words.extend(asked.code().map(|code| Word::whole(&code, stems)));
    words.extend(asked.last_word().map(|word| Word { unfinished: true, ..Word::whole(word, stems) }));
    words.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(wanted: &Wanted) -> String {
        let all = |parts: &[Wanted], between: &str| {
            let parts: Vec<String> = parts.iter().map(shown).collect();
            format!("({})", parts.join(between))
        };
        match wanted {
            Wanted::Word(word) => format!("{}{}", word.text, if word.unfinished { "*" } else { "" }),
            Wanted::Not(inner) => format!("!{}", shown(inner)),
            Wanted::All(parts) => all(parts, " & "),
            Wanted::Any(parts) => all(parts, " | "),
            Wanted::Phrase(words) => words.iter().map(|word| word.text.clone()).collect::<Vec<_>>().join("+"),
        }
    }

    fn of(text: &str) -> String {
        let asked = Asked::read(text);
        let mut stems = Stems::new();
        for word in asked.parts().flat_map(|part| &part.words) {
            let stop = ["at", "t", "the", "for", "or"].contains(&word.as_str());
            stems.insert(word.clone(), if stop { Vec::new() } else { vec![word.clone()] });
        }
        Wanted::of(&asked, &stems).map_or_else(String::new, |wanted| shown(&wanted))
    }

    #[test]
    fn stop_words_are_asked_for_where_nothing_else_is() {
        for (typed, wanted) in [
            ("the lamp for desk", "(lamp & desk*)"),
            ("lamp the", "lamp"),
            ("the for", "(the & for*)"),
            ("the", "the*"),
            ("the -lamp", "(!lamp & the)"),
            ("AT&T", "((at & t*) | att*)"),
            ("AT&T phone", "(((at & t) | att) & phone*)"),
            ("", ""),
        ] {
            assert_eq!(of(typed), wanted, "{typed}");
        }
    }

    #[test]
    fn what_is_joined_is_looked_for_in_parts_and_as_one() {
        for (typed, wanted) in [
            ("usb-c ", "((usb & c) | usbc)"),
            ("\"usb-c cable\"", "usb+c+cable"),
            ("lamp -usb-c", "(lamp & !((usb & c) | usbc))"),
            ("bs 100", "((bs & 100*) | bs100*)"),
            ("red or blue lamp", "(red | (blue & lamp*))"),
        ] {
            assert_eq!(of(typed), wanted, "{typed}");
        }
    }

    #[test]
    fn the_last_word_counts_as_it_is_and_as_a_beginning() {
        let asked = Asked::read("usb-c -red lamp");
        let words: Vec<String> =
            counting(&asked, &Stems::new()).into_iter().map(|it| shown(&Wanted::Word(it))).collect();
        assert_eq!(words, ["c", "lamp", "lamp*", "usb", "usbc"]);
    }
}
