//! Whether a destination would be in two zones, found in time proportional to the size of the book.

use std::collections::HashMap;

use super::rejections::ZONES_MAX;
use crate::text::{Country, PostalCode};

/// Bits of one word of [`Marks`].
const WORD: usize = u64::BITS as usize;

/// Some of the zones of a book, by index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Marks([u64; ZONES_MAX.div_ceil(WORD)]);

impl Marks {
    fn mark(&mut self, at: usize) {
        self.0[at / WORD] |= 1 << (at % WORD);
    }

    fn add(&mut self, other: Option<&Self>) {
        if let Some(other) = other {
            self.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(word, more)| *word &= more);
        self
    }

    /// The first zone that is marked.
    fn first(self) -> Option<usize> {
        let (index, word) = self.0.iter().enumerate().find(|(_, word)| **word != 0)?;
        usize::try_from(word.trailing_zeros()).ok().map(|bit| index * WORD + bit)
    }
}

/// The destinations of the zones that were added, indexed by country and by area.
#[derive(Debug, Default)]
pub(super) struct Destinations<'a> {
    /// The zone of the rest of the world.
    world: Option<usize>,
    /// Zones that name a country, with areas and without.
    within: HashMap<&'a str, Marks>,
    whole: HashMap<&'a str, Marks>,
    /// Zones that have exactly this area.
    areas: HashMap<&'a str, Marks>,
    /// Zones that have this area or one within it.
    beginnings: HashMap<&'a str, Marks>,
}

impl<'a> Destinations<'a> {
    /// Adds a zone, whose index is below [`ZONES_MAX`] and whose areas are ASCII. Gives the first zone that shares a destination
    /// with it, if there is one: zones without areas that name one country, or zones that name one country and of which one has
    /// an area within an area of the other.
    pub(super) fn add(&mut self, at: usize, countries: &'a [Country], areas: &'a [PostalCode]) -> Option<usize> {
        if countries.is_empty() {
            let other = self.world;
            self.world = other.or(Some(at));
            return other;
        }
        let mut rivals = Marks::default();
        let by_country = if areas.is_empty() { &mut self.whole } else { &mut self.within };
        for country in countries {
            rivals.add(by_country.get(country.as_str()));
        }
        for country in countries {
            by_country.entry(country.as_str()).or_default().mark(at);
        }
        if !areas.is_empty() {
            rivals = rivals.and(self.meeting(areas));
            self.add_areas(at, areas);
        }
        rivals.first()
    }

    /// The zones that have an area within one of these, or around one.
    fn meeting(&self, areas: &[PostalCode]) -> Marks {
        let mut found = Marks::default();
        for area in areas.iter().map(PostalCode::as_str) {
            found.add(self.beginnings.get(area));
            for length in 1..area.len() {
                found.add(self.areas.get(&area[..length]));
            }
        }
        found
    }

    fn add_areas(&mut self, at: usize, areas: &'a [PostalCode]) {
        for area in areas.iter().map(PostalCode::as_str) {
            self.areas.entry(area).or_default().mark(at);
            for length in 1..=area.len() {
                self.beginnings.entry(&area[..length]).or_default().mark(at);
            }
        }
    }
}
