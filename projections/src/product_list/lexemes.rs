//! Which products have which words, and how well they match.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use roaring::{MultiOps as _, RoaringBitmap};

use super::tsearch::{Wanted, Weighed, weight};

/// What a word counts in a title, in an attribute, an option or a code, and in a description.
const COUNTS: [(u8, u32); 3] = [(weight('A'), 100), (weight('B'), 40), (weight('D'), 5)];

/// The lexemes of all products.
#[derive(Debug, Default)]
pub(super) struct Lexemes {
    numbers: BTreeMap<Box<str>, u32>,
    /// Of each lexeme, the products that have it, by [`COUNTS`].
    places: Vec<[RoaringBitmap; COUNTS.len()]>,
}

/// What was found.
#[derive(Debug, PartialEq)]
pub(super) struct Found {
    /// The products, and perhaps more.
    pub all: RoaringBitmap,
    /// Whether it is these and no more: where words stand is not known here, so Postgres has to look at phrases.
    pub exact: bool,
}

impl Found {
    fn exactly(all: RoaringBitmap) -> Self {
        Self { all, exact: true }
    }
}

impl Lexemes {
    /// Takes in the lexemes of a product; gives their numbers, by which they are forgotten.
    pub fn add(&mut self, product: u32, lexemes: Vec<Weighed>) -> Box<[u32]> {
        let put = |(text, weights): Weighed| {
            let next = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
            let number = *self.numbers.entry(text.into_boxed_str()).or_insert(next);
            if number == next {
                self.places.push(Default::default());
            }
            for (places, (bit, _)) in self.places[number as usize].iter_mut().zip(COUNTS) {
                if weights & bit != 0 {
                    places.insert(product);
                }
            }
            number
        };
        lexemes.into_iter().map(put).collect()
    }

    /// Forgets the lexemes of a product.
    pub fn remove(&mut self, product: u32, lexemes: &[u32]) {
        for number in lexemes {
            for places in &mut self.places[*number as usize] {
                places.remove(product);
            }
        }
    }

    /// The products that have what is wanted, of the first so many.
    pub fn find(&self, wanted: &Wanted, products: u32) -> Found {
        match wanted {
            Wanted::Lexeme { text, prefix } => Found::exactly(self.places(text, *prefix).into_iter().flatten().union()),
            Wanted::Not(inner) => {
                let mut all: RoaringBitmap = (0..products).collect();
                let found = self.find(inner, products);
                if found.exact {
                    all -= found.all;
                }
                Found { all, exact: found.exact }
            }
            Wanted::Any(parts) => parts.iter().map(|part| self.find(part, products)).fold(
                Found::exactly(RoaringBitmap::new()),
                |one, other| Found { all: one.all | other.all, exact: one.exact && other.exact },
            ),
            Wanted::All(parts) => self.all_of(parts, products),
            Wanted::Phrase(parts) => Found { exact: false, ..self.all_of(parts, products) },
        }
    }

    fn all_of(&self, parts: &[Wanted], products: u32) -> Found {
        let parts = parts.iter().map(|part| self.find(part, products));
        let both = |one: Found, other: Found| Found { all: one.all & other.all, exact: one.exact && other.exact };
        parts.reduce(both).unwrap_or(Found::exactly(RoaringBitmap::new()))
    }

    /// How well each product matches, by its number: rare words count more than frequent ones.
    pub fn ranks(&self, wanted: &Wanted, products: u32) -> Vec<u32> {
        let mut ranks = vec![0; products as usize];
        let mut words = BTreeSet::new();
        words_of(wanted, &mut words);
        for (text, prefix) in words {
            let places = self.places(text, prefix);
            let by_count: [RoaringBitmap; COUNTS.len()] =
                std::array::from_fn(|index| places.iter().map(|places| &places[index]).union());
            let having = by_count.iter().union().len().max(1);
            let rarity = 1 + (u64::from(products) / having).max(1).ilog2();
            for (places, (_, count)) in by_count.iter().zip(COUNTS) {
                for product in places {
                    if let Some(rank) = ranks.get_mut(product as usize) {
                        *rank += count * rarity;
                    }
                }
            }
        }
        ranks
    }

    /// Where a lexeme is, or each of those that begin with it.
    fn places(&self, text: &str, prefix: bool) -> Vec<&[RoaringBitmap; COUNTS.len()]> {
        let known = self.numbers.range::<str, _>((Bound::Included(text), Bound::Unbounded));
        let taken = known.take_while(|(known, _)| if prefix { known.starts_with(text) } else { ***known == *text });
        taken.map(|(_, number)| &self.places[*number as usize]).collect()
    }
}

/// The words that a product is to have.
fn words_of<'a>(wanted: &'a Wanted, words: &mut BTreeSet<(&'a str, bool)>) {
    match wanted {
        Wanted::Lexeme { text, prefix } => {
            words.insert((text, *prefix));
        }
        Wanted::Not(_) => {}
        Wanted::All(parts) | Wanted::Any(parts) | Wanted::Phrase(parts) => {
            for part in parts {
                words_of(part, words);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tsearch::{lexemes, wanted};
    use super::*;

    fn shop() -> Lexemes {
        let mut shop = Lexemes::default();
        for (number, text) in
            ["'desk':1A 'lamp':2A", "'lamp':1A,4 'red':3", "'chair':1A 'desk':4 'red':2B"].iter().enumerate()
        {
            shop.add(u32::try_from(number).unwrap(), lexemes(text));
        }
        shop
    }

    fn found(shop: &Lexemes, query: &str) -> (Vec<u32>, bool) {
        let found = shop.find(&wanted(query).unwrap(), 3);
        (found.all.into_iter().collect(), found.exact)
    }

    #[test]
    fn words_are_found_as_they_are_combined() {
        let shop = shop();
        for (query, expected) in [
            ("'lamp'", vec![0, 1]),
            ("'la'", vec![]),
            ("'la':*", vec![0, 1]),
            ("'desk' & 'red'", vec![2]),
            ("'chair' | 'lamp' & 'red'", vec![1, 2]),
            ("'red' & !'chair'", vec![1]),
            ("!'red'", vec![0]),
        ] {
            assert_eq!(found(&shop, query), (expected, true), "{query}");
        }
    }

    #[test]
    fn what_is_said_of_phrases_may_be_too_much_and_is_never_too_little() {
        let shop = shop();
        assert_eq!(found(&shop, "'desk' <-> 'lamp'"), (vec![0], false));
        assert_eq!(found(&shop, "!( 'desk' <-> 'lamp' )"), (vec![0, 1, 2], false));
        assert_eq!(found(&shop, "'red' & !( 'chair' <-> 'red' )"), (vec![1, 2], false));
    }

    #[test]
    fn what_is_forgotten_is_not_found() {
        let mut shop = shop();
        let known = shop.add(7, lexemes("'lamp':1A 'tall':2"));
        shop.remove(7, &known);
        assert_eq!(found(&shop, "'lamp' | 'tall'"), (vec![0, 1], true));
    }

    #[test]
    fn titles_count_more_than_descriptions_and_rare_words_more_than_frequent_ones() {
        let ranks = |query: &str| shop().ranks(&wanted(query).unwrap(), 3);
        let desks = ranks("'desk'");
        assert!(desks[0] > desks[2] && desks[2] > desks[1], "{desks:?}");
        let both = ranks("'lamp' | 'chair'");
        assert!(both[2] > both[0], "{both:?}");
        assert_eq!(ranks("!'desk'"), [0, 0, 0]);
    }
}
