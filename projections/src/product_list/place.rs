//! Pages of products: the order, where a page ended, and what keeps the order while products are added and changed.

use std::cmp::Reverse;
use std::collections::HashMap;

use byteshop_domain::Currency;
use byteshop_domain::ids::ProductId;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::index::Index;
use super::lexicon::Ranking;
use super::past::{Change, Since};
use super::query::Sort;
use super::read::Keys;
use crate::error::Error;

/// Where a page ended: at which product, with what it was sorted by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    s: Sort,
    k: ProductId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<String>,
    #[serde(flatten)]
    pub seal: Seal,
}

/// The parameters of the first page, which the next pages use as well.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Seal {
    /// The search text that was used instead of the given one.
    #[serde(default, rename = "c", skip_serializing_if = "Option::is_none")]
    pub corrected: Option<String>,
    /// Whether its last word was completed.
    #[serde(default, rename = "u", skip_serializing_if = "std::ops::Not::not")]
    pub completed: bool,
    /// How rare each word was.
    #[serde(default, rename = "r", skip_serializing_if = "Vec::is_empty")]
    pub rarities: Vec<u32>,
    /// The currency of prices.
    #[serde(default, rename = "m", skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// When it was, in the process that made it.
    #[serde(rename = "g")]
    since: Since,
}

/// Products in an order.
pub(super) struct Sorted<'a> {
    index: &'a Index,
    sort: Sort,
    ranking: Option<&'a Ranking>,
    seal: Seal,
    then: HashMap<u32, &'a Change>,
}

impl<'a> Sorted<'a> {
    /// Products as they were in order when the first page was made, or as they are now when this is the first page.
    pub fn of(index: &'a Index, sort: Sort, seal: Option<&Seal>, ranking: Option<&'a Ranking>) -> Self {
        let seal = seal.cloned().unwrap_or_else(|| Seal { since: index.past.now, ..Seal::default() });
        let then = index.past.since(seal.since);
        Self { index, sort, ranking, seal, then }
    }

    /// The same, with what else the next page is to be made with.
    pub fn sealed(mut self, corrected: Option<&str>, completed: bool, currency: Option<Currency>) -> Self {
        self.seal.corrected = corrected.map(str::to_owned);
        self.seal.completed = completed;
        self.seal.currency = currency;
        let ranking = self.ranking.filter(|_| self.sort == Sort::Relevance);
        self.seal.rarities = ranking.map(Ranking::rarities).unwrap_or_default();
        self
    }

    /// The first so many of some products behind a place, each with its own.
    pub fn page(&self, all: &RoaringBitmap, after: Option<&Place>, count: usize) -> Result<Vec<Place>, Error> {
        let currency = self.seal.currency;
        let price = |number: u32| self.keys(number).lowest(currency?);
        // The place of the page before belongs to a product that exists, or it was never issued.
        let after =
            after.map(|place| Some((place, self.index.named(place.k)?.serial))).map(|it| it.ok_or(Error::Cursor));
        let after = after.transpose()?;
        let number = |place: &Place| place.n.ok_or(Error::Cursor);
        Ok(match self.sort {
            Sort::Newest => {
                let before = after.map_or(i64::MAX, |(_, serial)| serial);
                let newest = all.iter().rev().filter(|it| self.serial(*it) < before).take(count);
                newest.map(|it| self.place(it, None, None)).collect()
            }
            Sort::Relevance => {
                let after = after.map(|(it, serial)| Ok::<_, Error>(Reverse((number(it)?, serial)))).transpose()?;
                let keys = all.iter().map(|it| (Reverse((self.rank(it), self.serial(it))), it));
                first(keys, after.as_ref(), count).map(|(key, it)| self.place(it, Some(key.0.0), None)).collect()
            }
            Sort::Price => {
                let after = after.map(|(it, serial)| Ok::<_, Error>((number(it)?, serial))).transpose()?;
                let keys = all.iter().filter_map(|it| Some(((price(it)?, self.serial(it)), it)));
                first(keys, after.as_ref(), count).map(|(key, it)| self.place(it, Some(key.0), None)).collect()
            }
            Sort::PriceDesc => {
                let after = after.map(|(it, serial)| Ok::<_, Error>(Reverse((number(it)?, serial)))).transpose()?;
                let keys = all.iter().filter_map(|it| Some((Reverse((price(it)?, self.serial(it))), it)));
                first(keys, after.as_ref(), count).map(|(key, it)| self.place(it, Some(key.0.0), None)).collect()
            }
            Sort::Title => {
                let after = match after {
                    Some((place, serial)) => Some((place.t.as_deref().ok_or(Error::Cursor)?, serial)),
                    None => None,
                };
                let keys = all.iter().map(|it| ((self.keys(it).title.as_str(), self.serial(it)), it));
                first(keys, after.as_ref(), count).map(|(key, it)| self.place(it, None, Some(key.0))).collect()
            }
        })
    }

    fn place(&self, number: u32, n: Option<i64>, title: Option<&str>) -> Place {
        let id = self.index.entry(number).id;
        Place { s: self.sort, k: id, n, t: title.map(str::to_owned), seal: self.seal.clone() }
    }

    fn serial(&self, number: u32) -> i64 {
        self.index.entry(number).serial
    }

    fn keys(&self, number: u32) -> &Keys {
        self.then.get(&number).map_or(&self.index.entry(number).keys, |change| &change.keys)
    }

    fn rank(&self, number: u32) -> i64 {
        let Some(ranking) = self.ranking else { return 0 };
        let now = || ranking.ranks.get(number as usize).copied().unwrap_or_default();
        i64::from(self.then.get(&number).map_or_else(now, |change| ranking.of(&change.words)))
    }
}

impl Place {
    /// In which order it is a place.
    pub fn sort(&self) -> Sort {
        self.s
    }

    /// The product.
    pub fn id(&self) -> ProductId {
        self.k
    }
}

/// The first few after a place.
fn first<K: Ord>(
    keys: impl Iterator<Item = (K, u32)>,
    after: Option<&K>,
    count: usize,
) -> impl Iterator<Item = (K, u32)> {
    let mut found: Vec<(K, u32)> = keys.filter(|(key, _)| after.is_none_or(|after| key > after)).collect();
    if found.len() > count {
        found.select_nth_unstable(count);
        found.truncate(count);
    }
    found.sort_unstable();
    found.into_iter()
}
