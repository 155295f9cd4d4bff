//! Searching, filtering, counting and sorting products.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt::Write as _;

use byteshop_domain::Currency;
use byteshop_domain::ids::{CategoryId, ProductId};
use byteshop_domain::product::Status;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::facet::{Facets, Selection};
use super::index::Index;
use super::matching::Matches;
use super::{ProductList, Row, slip};
use crate::engine::View as _;
use crate::engine::table::unreadable;
use crate::error::Error;
use crate::page::{Ask, Page};
use crate::text::name_of;
use crate::views::Views;

/// Which products may be seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shown {
    /// What everybody sees.
    #[default]
    Published,
    /// All of them, which only staff may see.
    All,
    /// Only those, which only staff may see.
    Only(Status),
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The best match first; without words to match, the newest.
    Relevance,
    /// The newest first.
    Newest,
    /// The cheapest first; what has no price in the currency is left out.
    Price,
    /// The dearest first; what has no price in the currency is left out.
    PriceDesc,
    /// By title, capitals and small letters alike.
    Title,
}

/// Which products are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Which may be seen.
    pub shown: Shown,
    /// Words of the title, the description, an attribute or a code; `"…"`, `or` and `-` as in search engines.
    pub q: Option<String>,
    /// Only in one of these categories or below it.
    pub categories: Vec<CategoryId>,
    /// Only with a price in it, which is the one that is shown; without, prices are those of the currency that most have.
    pub currency: Option<Currency>,
    /// Only where something costs at least this, in minor units.
    pub price_min: Option<i64>,
    /// Only where something costs at most this, in minor units.
    pub price_max: Option<i64>,
    /// Only with one of these values of each attribute that is named: a text, or numbers as `100..200`.
    pub attributes: Vec<(String, String)>,
    /// Only where something can be had.
    pub in_stock: bool,
    /// In which order; the best match first when nothing is said.
    pub sort: Option<Sort>,
    /// Whether the counts of every filter are wanted.
    pub facets: bool,
    /// Which page.
    pub ask: Ask,
    /// Everything that the views have by now counts, not only what they had a moment ago.
    pub now: bool,
}

/// Where a page ended. The order is part of it: a cursor of one order has no meaning in another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Place {
    s: Sort,
    v: String,
    k: i64,
}

/// What was found in the index.
struct Hits {
    /// The products of the page, and one more if there is a next one, each with its place.
    page: Vec<(ProductId, Place)>,
    total: u64,
    facets: Option<String>,
}

impl Views {
    /// Loads every product, so that the first who searches does not wait for it.
    ///
    /// # Errors
    /// [`Error`] when the views cannot be read; the first search tries again.
    pub async fn load_products(&self) -> Result<(), Error> {
        self.catalog().refresh(self.pool(), false).await
    }

    /// A page of products, with the counts of every filter when they are wanted. When nothing matches the words, but
    /// others that look like them do, those are taken, and the answer says so.
    pub async fn product_list(&self, query: &Query) -> Result<Page, Error> {
        self.catalog().refresh(self.pool(), query.now).await?;
        query.check(&self.catalog().index())?;
        let mut matched = None;
        let mut corrected = None;
        if let Some(words) = &query.q {
            let mut found = self.matches(words).await?;
            if found.all.is_empty() {
                let meant = self.catalog().index().words.corrected(words);
                if let Some(meant) = meant {
                    found = self.matches(&meant).await?;
                    corrected = Some(meant).filter(|_| !found.all.is_empty());
                }
            }
            matched = Some(found);
        }
        let hits = query.hits(&self.catalog().index(), matched.as_ref())?;
        self.page(query, &hits, corrected).await
    }

    async fn page(&self, query: &Query, hits: &Hits, corrected: Option<String>) -> Result<Page, Error> {
        let keys: Vec<String> = hits.page.iter().map(|(id, _)| id.to_string()).collect();
        let status = query.shown.status().map(|status| name_of(&status));
        // Who was hidden a moment ago is not shown, though the index may not know it yet.
        let statement = "select key, row::text from read.product_list
                         where key = any ($1) and ($2::text is null or status = $2)";
        let found: Vec<(String, String)> =
            sqlx::query_as(statement).bind(&keys).bind(status).fetch_all(self.pool()).await?;
        let mut found: HashMap<String, String> = found.into_iter().collect();
        let rows: Vec<(String, &Place)> = keys
            .iter()
            .zip(&hits.page)
            .map(|(key, (_, place))| Ok((query.shown_as(key, found.remove(key).unwrap_or_default())?, place)))
            .collect::<Result<_, Error>>()?;
        let mut page = Page::of(&rows, &query.ask, |(text, _)| text, |(_, place)| (*place).clone())?;
        page.json.pop();
        let _ = write!(page.json, ",\"total\":{}", hits.total);
        if let Some(corrected) = corrected {
            let _ = write!(page.json, ",\"corrected\":{}", serde_json::Value::from(corrected));
        }
        if let Some(facets) = &hits.facets {
            let _ = write!(page.json, ",\"facets\":{facets}");
        }
        page.json.push('}');
        Ok(page)
    }
}

impl Shown {
    fn status(self) -> Option<Status> {
        match self {
            Self::Published => Some(Status::Published),
            Self::All => None,
            Self::Only(status) => Some(status),
        }
    }
}

impl Query {
    /// Refuses filters that can only be a slip, with which nothing would be found.
    fn check(&self, index: &Index) -> Result<(), Error> {
        for (name, value) in &self.attributes {
            if let Some(reason) = slip::of(index, name, value) {
                return Err(Error::Filter { attribute: name.clone(), reason });
            }
        }
        Ok(())
    }

    /// A row with its prices in the currency that is asked for; nothing when it has none in it any more.
    fn shown_as(&self, key: &str, text: String) -> Result<String, Error> {
        let Some(currency) = self.currency.filter(|_| !text.is_empty()) else { return Ok(text) };
        let unreadable = |error: serde_json::Error| unreadable(ProductList::NAME, key, &error);
        let row: Row = serde_json::from_str(&text).map_err(unreadable)?;
        let Some(range) = row.prices.iter().find(|range| range.min.currency == currency).copied() else {
            return Ok(String::new());
        };
        let row = Row { price_min: Some(range.min), price_max: Some(range.max), ..row };
        serde_json::to_string(&row).map_err(unreadable)
    }

    fn hits(&self, index: &Index, matches: Option<&Matches>) -> Result<Hits, Error> {
        let mut base = index.with_status(self.shown.status());
        if let Some(matches) = matches {
            base &= &matches.all;
        }
        if let Some(currency) = self.currency {
            match index.priced_in(currency) {
                Some(priced) => base &= priced,
                None => base.clear(),
            }
        }
        let ranks = matches.map_or(&[][..], |matches| &matches.ranks);
        let currency = self.currency.or_else(|| index.main_currency());
        let selection = Selection::of(index, self, base, currency);
        let all = selection.all();
        let facets = self.facets.then(|| selection.facets(&self.categories, currency));
        let text = |facets: &Facets<'_>| serde_json::to_string(facets).unwrap_or_default();
        let page = self.sorted(index, &all, ranks, currency)?;
        Ok(Hits { page, total: all.len(), facets: facets.as_ref().map(text) })
    }

    /// The page, in order.
    fn sorted(
        &self,
        index: &Index,
        all: &RoaringBitmap,
        ranks: &[u32],
        currency: Option<Currency>,
    ) -> Result<Vec<(ProductId, Place)>, Error> {
        let fallback = if self.q.is_some() { Sort::Relevance } else { Sort::Newest };
        let asked = self.sort.unwrap_or(fallback);
        let sort = if asked == Sort::Relevance { fallback } else { asked };
        let after: Option<Place> = self.ask.after()?;
        if after.as_ref().is_some_and(|place| place.s != sort) {
            return Err(Error::Cursor);
        }
        let number_of = |place: &Place| place.v.parse::<i64>().map_err(|_| Error::Cursor);
        let count = usize::try_from(self.ask.limit()).unwrap_or(usize::MAX) + 1;
        let serial = |number: u32| index.entry(number).serial;
        let price = |number: u32| Some(index.entry(number).range(currency?)?.min.amount);
        let place = |number: u32, v: String| (index.entry(number).id, Place { s: sort, v, k: serial(number) });
        Ok(match sort {
            Sort::Newest => {
                let before = after.map_or(i64::MAX, |place| place.k);
                let newest = all.iter().rev().filter(|number| serial(*number) < before).take(count);
                newest.map(|number| place(number, String::new())).collect()
            }
            Sort::Relevance => {
                let after = after.map(|it| Ok::<_, Error>(Reverse((number_of(&it)?, it.k)))).transpose()?;
                let rank = |number: u32| i64::from(ranks.get(number as usize).copied().unwrap_or_default());
                let keys = all.iter().map(|number| (Reverse((rank(number), serial(number))), number));
                first(keys, after.as_ref(), count).map(|(key, number)| place(number, key.0.0.to_string())).collect()
            }
            Sort::Price => {
                let after = after.map(|it| Ok::<_, Error>((number_of(&it)?, it.k))).transpose()?;
                let keys = all.iter().filter_map(|number| Some(((price(number)?, serial(number)), number)));
                first(keys, after.as_ref(), count).map(|(key, number)| place(number, key.0.to_string())).collect()
            }
            Sort::PriceDesc => {
                let after = after.map(|it| Ok::<_, Error>(Reverse((number_of(&it)?, it.k)))).transpose()?;
                let keys = all.iter().filter_map(|number| Some((Reverse((price(number)?, serial(number))), number)));
                first(keys, after.as_ref(), count).map(|(key, number)| place(number, key.0.0.to_string())).collect()
            }
            Sort::Title => {
                let after = after.as_ref().map(|it| (it.v.as_str(), it.k));
                let keys = all.iter().map(|number| ((index.entry(number).title.as_str(), serial(number)), number));
                first(keys, after.as_ref(), count).map(|(key, number)| place(number, key.0.to_owned())).collect()
            }
        })
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
