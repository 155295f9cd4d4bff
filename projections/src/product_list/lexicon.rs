//! Which products have which words, where, and how well they match.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use roaring::{MultiOps as _, RoaringBitmap};

use super::wanted::{Wanted, Word};
use super::words::{BREAK, FIELD};

/// The weight of a word in each field: title; attributes, options and codes; description.
const COUNTS: [u32; 3] = [100, 40, 5];
/// The weight of a title that equals the search text: more than all words together.
const EXACT: u32 = 1 << 24;

/// The words of all products.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    numbers: BTreeMap<Box<str>, u32>,
    forms: Vec<Form>,
    /// The forms of each stem.
    stems: HashMap<Box<str>, Vec<u32>>,
    /// Each product's words in their order, by its number.
    texts: Vec<Box<[u32]>>,
}

/// A word as it is written.
#[derive(Debug)]
struct Form {
    /// None for a stop word.
    stem: Option<Box<str>>,
    /// The products that have it, by field.
    places: [RoaringBitmap; COUNTS.len()],
}

/// How well products match.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    terms: Vec<Term>,
    /// The words of a title that is exactly what was typed, if there are such words.
    exact: Option<Vec<u32>>,
    /// How well each product matches, by its number, greater being better.
    pub ranks: Vec<u32>,
}

/// A word that counts.
#[derive(Debug)]
struct Term {
    forms: Vec<u32>,
    /// How rare it is: it counts so many times.
    rarity: u32,
}

impl Lexicon {
    /// Whether a word is known, and its stem; that of a stop word is none.
    pub fn stem(&self, word: &str) -> Option<Option<&str>> {
        let number = self.numbers.get(word)?;
        Some(self.forms[*number as usize].stem.as_deref())
    }

    /// Whether some word has a stem.
    pub fn has_stem(&self, stem: &str) -> bool {
        self.stems.contains_key(stem)
    }

    /// Adds a word with its stem; returns its number.
    pub fn learn(&mut self, word: &str, stem: Option<&str>) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = u32::try_from(self.forms.len()).unwrap_or(FIELD);
        self.numbers.insert(word.into(), number);
        self.forms.push(Form { stem: stem.map(Into::into), places: Default::default() });
        if let Some(stem) = stem {
            self.stems.entry(stem.into()).or_default().push(number);
        }
        number
    }

    /// Replaces the words of a product; returns the previous ones.
    pub fn put(&mut self, product: u32, text: Box<[u32]>) -> Box<[u32]> {
        let place = product as usize;
        if self.texts.len() <= place {
            self.texts.resize_with(place + 1, Box::default);
        }
        let old = std::mem::replace(&mut self.texts[place], text);
        for (_, number) in fielded(&old) {
            for places in &mut self.forms[number as usize].places {
                places.remove(product);
            }
        }
        for (field, number) in fielded(&self.texts[place]) {
            self.forms[number as usize].places[field].insert(product);
        }
        old
    }

    /// The products that have what is wanted, of the first so many.
    pub fn find(&self, wanted: &Wanted, products: u32) -> RoaringBitmap {
        match wanted {
            Wanted::Word(word) => self.having(&self.forms_of(word)),
            Wanted::Not(inner) => {
                let mut all: RoaringBitmap = (0..products).collect();
                all -= self.find(inner, products);
                all
            }
            Wanted::Any(parts) => parts.iter().map(|part| self.find(part, products)).union(),
            Wanted::All(parts) => parts.iter().map(|part| self.find(part, products)).intersection(),
            Wanted::Phrase(words) => {
                let forms: Vec<Vec<u32>> = words.iter().map(|word| self.forms_of(word)).collect();
                let candidates = forms.iter().map(|forms| self.having(forms)).intersection();
                let follows = |text: &[u32]| {
                    let fits = |window: &[u32]| window.iter().zip(&forms).all(|(it, forms)| forms.contains(it));
                    text.windows(forms.len().max(1)).any(fits)
                };
                candidates.into_iter().filter(|number| follows(self.text(*number))).collect()
            }
        }
    }

    /// The products that have a word.
    pub fn with(&self, word: &Word) -> RoaringBitmap {
        self.having(&self.forms_of(word))
    }

    /// How many of some products have a word.
    pub fn count(&self, word: &Word, among: &RoaringBitmap) -> u64 {
        self.with(word).intersection_len(among)
    }

    /// The words that begin with a letter, as they are written; no stop words.
    pub fn beginning_with(&self, letter: char) -> impl Iterator<Item = &str> {
        let first = letter.to_string();
        let known = self.numbers.range::<str, _>((Bound::Included(first.as_str()), Bound::Unbounded));
        let same = known.take_while(move |(known, _)| known.starts_with(letter));
        same.filter(|(_, number)| self.forms[**number as usize].stem.is_some()).map(|(known, _)| &**known)
    }

    /// How well each of the first so many products matches: rare words count more than frequent ones. How rare each is was
    /// found out before, where it is given; none when that was of other words.
    pub fn rank(&self, wanted: &Sought<'_>, products: u32, rarities: Option<&[u32]>) -> Option<Ranking> {
        let mut ranks = vec![0; products as usize];
        let known = rarities.map(<[u32]>::iter);
        if known.as_ref().is_some_and(|known| known.len() != wanted.words.len()) {
            return None;
        }
        let mut known = known.into_iter().flatten();
        let mut terms = Vec::new();
        for word in &wanted.words {
            let forms = self.forms_of(word);
            let places: [RoaringBitmap; COUNTS.len()] = std::array::from_fn(|field| self.places(&forms, field).union());
            let having = || places.iter().union().len().max(1);
            let rarity = known.next().copied().unwrap_or_else(|| 1 + (u64::from(products) / having()).max(1).ilog2());
            for (places, count) in places.iter().zip(COUNTS) {
                for product in places {
                    if let Some(rank) = ranks.get_mut(product as usize) {
                        *rank += count * rarity;
                    }
                }
            }
            terms.push(Term { forms, rarity });
        }
        let number = |word: &&str| self.numbers.get(*word).copied();
        let exact: Option<Vec<u32>> = wanted.plain.as_ref().and_then(|words| words.iter().map(number).collect());
        let ranking = Ranking { terms, exact: exact.filter(|words| !words.is_empty()), ranks };
        Some(self.with_exact(ranking))
    }

    fn with_exact(&self, mut ranking: Ranking) -> Ranking {
        if let Some(first) = ranking.exact.as_ref().and_then(|words| words.first()) {
            for product in &self.forms[*first as usize].places[0] {
                let is_exact = ranking.is_exact(self.text(product));
                if let Some(rank) = ranking.ranks.get_mut(product as usize).filter(|_| is_exact) {
                    *rank += EXACT;
                }
            }
        }
        ranking
    }

    fn text(&self, product: u32) -> &[u32] {
        self.texts.get(product as usize).map_or(&[], |text| text)
    }

    fn having(&self, forms: &[u32]) -> RoaringBitmap {
        (0..COUNTS.len()).flat_map(|field| self.places(forms, field)).union()
    }

    fn places(&self, forms: &[u32], field: usize) -> impl Iterator<Item = &RoaringBitmap> {
        forms.iter().map(move |form| &self.forms[*form as usize].places[field])
    }

    /// The forms that fit a word: itself, those with one of its stems, and those that begin with it, if it may be unfinished.
    fn forms_of(&self, word: &Word) -> Vec<u32> {
        let mut forms: Vec<u32> = self.numbers.get(word.text.as_str()).copied().into_iter().collect();
        forms.extend(word.stems.iter().filter_map(|stem| self.stems.get(stem.as_str())).flatten());
        if word.unfinished {
            let known = self.numbers.range::<str, _>((Bound::Included(word.text.as_str()), Bound::Unbounded));
            forms.extend(known.take_while(|(known, _)| known.starts_with(&word.text)).map(|(_, number)| *number));
        }
        forms.sort_unstable();
        forms.dedup();
        forms
    }
}

/// The criteria of a ranking.
#[derive(Debug)]
pub(super) struct Sought<'a> {
    /// The words, each once.
    pub words: Vec<Word>,
    /// All that was typed, in order, when that was only words.
    pub plain: Option<Vec<&'a str>>,
}

impl Ranking {
    /// How rare each word is, in their order.
    pub fn rarities(&self) -> Vec<u32> {
        self.terms.iter().map(|term| term.rarity).collect()
    }

    /// How well a product matches that has these words.
    pub fn of(&self, text: &[u32]) -> u32 {
        let words: BTreeSet<(usize, u32)> = fielded(text).collect();
        let rank_of = |term: &Term| {
            let has = |field: usize| term.forms.iter().any(|form| words.contains(&(field, *form)));
            let counts = COUNTS.iter().enumerate().filter(|(field, _)| has(*field));
            counts.map(|(_, count)| count * term.rarity).sum::<u32>()
        };
        let exact = if self.is_exact(text) { EXACT } else { 0 };
        exact + self.terms.iter().map(rank_of).sum::<u32>()
    }

    /// Whether a title is what was typed, and nothing else.
    fn is_exact(&self, text: &[u32]) -> bool {
        let Some(exact) = &self.exact else { return false };
        text.strip_prefix(exact.as_slice()).is_some_and(|rest| rest.first() == Some(&BREAK))
    }
}

/// The words of a text with the field in which each stands.
fn fielded(text: &[u32]) -> impl Iterator<Item = (usize, u32)> {
    let fields = text.split(|number| *number == FIELD).take(COUNTS.len()).enumerate();
    fields.flat_map(|(field, words)| words.iter().filter(|word| **word != BREAK).map(move |word| (field, *word)))
}

#[cfg(test)]
mod tests {
    use super::super::words::Vocabulary;
    use super::*;

    /// A lexicon in which words are stems of their own, save plurals and stop words.
    fn shop(products: &[[&str; 3]]) -> Lexicon {
        let mut shop = Lexicon::default();
        for (number, fields) in products.iter().enumerate() {
            put(&mut shop, u32::try_from(number).unwrap(), fields);
        }
        shop
    }

    fn put(shop: &mut Lexicon, number: u32, fields: &[&str; 3]) -> Box<[u32]> {
        let (mut vocabulary, mut text) = (Vocabulary::default(), Vec::new());
        for field in fields {
            vocabulary.write(field, &mut text);
            text.push(FIELD);
        }
        let numbers: Vec<u32> = vocabulary.words().iter().map(|word| shop.learn(word, stem(word))).collect();
        let known = |number: &u32| if *number >= FIELD { *number } else { numbers[*number as usize] };
        shop.put(number, text.iter().map(known).collect())
    }

    fn stem(word: &str) -> Option<&str> {
        (word != "the").then(|| word.strip_suffix('s').unwrap_or(word))
    }

    fn word(text: &str) -> Word {
        let (text, unfinished) = text.strip_suffix('*').map_or((text, false), |text| (text, true));
        Word { text: text.into(), stems: stem(text).map(str::to_owned).into_iter().collect(), unfinished }
    }

    fn products() -> Lexicon {
        shop(&[
            ["Desk lamp", "", ""],
            ["The lamp", "red", "lamps"],
            ["Chair", "red", "for the desk"],
            ["Desk lamps", "", "tall"],
        ])
    }

    fn found(shop: &Lexicon, wanted: &Wanted) -> Vec<u32> {
        shop.find(wanted, 4).into_iter().collect()
    }

    #[test]
    fn words_are_found_by_form_stem_and_beginning() {
        let shop = products();
        for (text, expected) in
            [("lamp", vec![0, 1, 3]), ("lamps", vec![0, 1, 3]), ("la", vec![]), ("la*", vec![0, 1, 3])]
        {
            assert_eq!(found(&shop, &Wanted::Word(word(text))), expected, "{text}");
        }
        assert_eq!(found(&shop, &Wanted::Word(word("the"))), [1, 2]);
        let not_red = Wanted::Not(Box::new(Wanted::Word(word("red"))));
        assert_eq!(found(&shop, &Wanted::All(vec![Wanted::Word(word("lamp")), not_red])), [0, 3]);
        assert_eq!(found(&shop, &Wanted::Any(vec![Wanted::Word(word("tall")), Wanted::Word(word("chair"))])), [2, 3]);
    }

    #[test]
    fn the_words_of_a_phrase_follow_each_other() {
        let shop = products();
        let phrase = |words: &[&str]| Wanted::Phrase(words.iter().map(|it| word(it)).collect());
        assert_eq!(found(&shop, &phrase(&["desk", "lamp"])), [0, 3]);
        assert_eq!(found(&shop, &phrase(&["lamp", "desk"])), Vec::<u32>::new());
        assert_eq!(found(&shop, &phrase(&["lamp", "red"])), Vec::<u32>::new(), "across two fields");
        assert_eq!(found(&shop, &phrase(&["the", "desk"])), [2]);
    }

    #[test]
    fn what_is_replaced_is_not_found() {
        let mut shop = products();
        put(&mut shop, 3, &["Stool", "", ""]);
        assert_eq!(found(&shop, &Wanted::Word(word("tall"))), Vec::<u32>::new());
        assert_eq!(found(&shop, &Wanted::Word(word("stool"))), [3]);
    }

    fn rank(shop: &Lexicon, words: &[&str], rarities: Option<&[u32]>) -> Option<Ranking> {
        let words: Vec<Word> = words.iter().map(|it| word(it)).collect();
        let texts: Vec<String> = words.iter().map(|it| it.text.clone()).collect();
        let plain = Some(texts.iter().map(String::as_str).collect());
        shop.rank(&Sought { words, plain }, 4, rarities)
    }

    #[test]
    fn titles_count_more_than_descriptions_and_rare_words_more_than_frequent_ones() {
        let shop = products();
        let desks = rank(&shop, &["desk"], None).unwrap().ranks;
        assert!(desks[0] > desks[2] && desks[2] > desks[1], "{desks:?}");
        let both = rank(&shop, &["lamp", "chair"], None).unwrap().ranks;
        assert!(both[2] > both[0], "{both:?}");
        let exact = rank(&shop, &["desk", "lamps"], None).unwrap().ranks;
        assert!(exact[3] > exact[0] && exact[0] > exact[1], "{exact:?}");
    }

    #[test]
    fn ranks_stay_when_the_rarities_are_given() {
        let mut shop = products();
        let before = rank(&shop, &["desk", "lamp*"], None).unwrap();
        for number in 4..40 {
            put(&mut shop, number, &["Lamp", "", ""]);
        }
        let texts: Vec<Box<[u32]>> = shop.texts[..4].to_vec();
        let sealed = rank(&shop, &["desk", "lamp*"], Some(&before.rarities())).unwrap();
        assert_eq!(sealed.ranks, before.ranks);
        let one_by_one: Vec<u32> = texts.iter().map(|text| sealed.of(text)).collect();
        assert_eq!(one_by_one, sealed.ranks);
        assert!(rank(&shop, &["desk"], Some(&before.rarities())).is_none());
    }
}
