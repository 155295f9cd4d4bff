//! Answers a query: what matches in the index, in its order, with the rows that the table has of the page.

use std::collections::HashMap;
use std::sync::Arc;

use byteshop_domain::ids::{ProductId, SellerId};
use byteshop_domain::product::IMAGE_PATH;

use super::facet::{Facets, Selection};
use super::found::Found;
use super::index::Index;
use super::matching::Matches;
use super::place::{Place, Sorted};
use super::query::{Query, Shown};
use super::{ProductList, Row, slip};
use crate::engine::View as _;
use crate::engine::rows::unreadable;
use crate::error::Error;
use crate::page::Page;
use crate::text::name_of;
use crate::views::Views;

/// The hits of a search in the index.
struct Hits {
    /// The products of the page, and one more if there is a next one.
    page: Vec<Place>,
    total: u64,
    facets: Option<Facets>,
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
    /// others that were almost certainly meant do, those are taken, and the answer has both.
    pub async fn product_list(&self, query: &Query) -> Result<Arc<Found>, Error> {
        self.catalog().refresh(self.pool(), query.now).await?;
        if !query.is_shared() {
            return Ok(Arc::new(self.found(query).await?));
        }
        let pages = &self.catalog().pages;
        if let Some(found) = pages.get(query) {
            return Ok(found);
        }
        let generation = pages.generation();
        let found = Arc::new(self.found(query).await?);
        pages.put(generation, query, &found);
        Ok(found)
    }

    async fn found(&self, query: &Query) -> Result<Found, Error> {
        query.check(&self.catalog().index())?;
        let after: Option<Place> = query.ask.after(&query.list())?;
        if after.as_ref().is_some_and(|place| place.sort() != query.order()) {
            return Err(Error::Cursor);
        }
        self.reach(after.as_ref()).await?;
        let matched = match &query.q {
            Some(words) => {
                let seal = after.as_ref().map(|place| &place.seal);
                Some(self.matches(words, query.shown, seal).await?)
            }
            None => None,
        };
        let Hits { page, total, facets } = query.hits(&self.catalog().index(), matched.as_ref(), after.as_ref())?;
        let page = self.page(query, page).await?;
        let corrected = matched.and_then(|matched| matched.corrected);
        let original = query.q.clone().filter(|_| corrected.is_some());
        Ok(Found::new(page, total, facets).corrected(original, corrected))
    }

    /// Reads on until the product is known at which the page before ended: another process made it, which had read more.
    async fn reach(&self, after: Option<&Place>) -> Result<(), Error> {
        let is_known = after.is_none_or(|place| self.catalog().index().named(place.id()).is_some());
        if is_known { Ok(()) } else { self.catalog().refresh(self.pool(), true).await }
    }

    async fn page(&self, query: &Query, places: Vec<Place>) -> Result<Page<Row>, Error> {
        let products: Vec<ProductId> = places.iter().map(Place::id).collect();
        let shown = self.shown_rows(query, &products).await?;
        let index = self.catalog().index();
        let complete = |(row, place): (Arc<str>, Place)| {
            let text = with_more(&row, index.is_in_stock(place.id()), index.seller_of(place.id()));
            (place, text)
        };
        let found: Vec<(Place, String)> = shown.into_iter().zip(places).map(complete).collect();
        drop(index);
        Page::of(found, &query.ask, &query.list(), |(place, text)| (place, text))
    }

    /// Products as they are shown in a list, in their order; an empty text for one that is not shown any more.
    async fn shown_rows(&self, query: &Query, products: &[ProductId]) -> Result<Vec<Arc<str>>, Error> {
        let cache = &self.catalog().rows;
        if !query.shown.is_public() {
            let mut read: HashMap<_, _> = self.read_rows(query, products).await?.into_iter().collect();
            return Ok(products.iter().map(|product| read.remove(product).unwrap_or_default()).collect());
        }
        let (generation, known) = (cache.generation(), cache.get(products, query.currency));
        let missing = products.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(product, _)| *product);
        let missing: Vec<ProductId> = missing.collect();
        let read = if missing.is_empty() { Vec::new() } else { self.read_rows(query, &missing).await? };
        cache.put(generation, query.currency, &read);
        let mut read: HashMap<_, _> = read.into_iter().collect();
        let row = |(product, known): (&ProductId, Option<Arc<str>>)| known.or_else(|| read.remove(product));
        Ok(products.iter().zip(known).map(row).map(Option::unwrap_or_default).collect())
    }

    async fn read_rows(&self, query: &Query, products: &[ProductId]) -> Result<Vec<(ProductId, Arc<str>)>, Error> {
        let keys: Vec<String> = products.iter().map(ToString::to_string).collect();
        let status = query.shown.status().map(|status| name_of(&status));
        // Who was hidden a moment ago is not shown, though the index may not know it yet.
        let statement = "select key, row::text from read.product_list
                         where key = any ($1) and ($2::text is null or status = $2)";
        let found: Vec<(String, String)> =
            sqlx::query_as(statement).bind(&keys).bind(status).fetch_all(self.pool()).await?;
        let mut found: HashMap<String, String> = found.into_iter().collect();
        let mut rows = Vec::with_capacity(found.len());
        for (product, key) in products.iter().zip(&keys) {
            let Some(row) = found.remove(key) else { continue };
            if let Some(row) = query.shown_as(key, row, self.api())? {
                rows.push((*product, without_serial(row).into()));
            }
        }
        Ok(rows)
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

    /// A row with its prices in the currency that is asked for, and its images at the address of the API; nothing when it has no
    /// price in that currency any more.
    fn shown_as(&self, key: &str, text: String, api: &str) -> Result<Option<String>, Error> {
        if self.currency.is_none() && (api.is_empty() || !text.contains(IMAGE_PATH)) {
            return Ok(Some(text));
        }
        let unreadable = |error: serde_json::Error| unreadable(ProductList::NAME, key, &error);
        let mut row: Row = serde_json::from_str(&text).map_err(unreadable)?;
        if let Some(currency) = self.currency {
            let Some(range) = row.prices.iter().find(|range| range.min.currency == currency) else { return Ok(None) };
            (row.price_min, row.price_max) = (Some(range.min), Some(range.max));
        }
        row.images = row.images.into_iter().map(|image| image.at(api)).collect();
        serde_json::to_string(&row).map(Some).map_err(unreadable)
    }

    fn hits(&self, index: &Index, matches: Option<&Matches>, after: Option<&Place>) -> Result<Hits, Error> {
        let mut base = index.shown(self.shown);
        if let Some(seller) = self.seller {
            base &= index.of_seller(seller);
        }
        if let Some(matches) = matches {
            base &= &matches.all;
        }
        if let Some(currency) = self.currency {
            match index.priced_in(currency) {
                Some(priced) => base &= priced,
                None => base.clear(),
            }
        }
        let seal = after.map(|place| &place.seal);
        let currency = self.currency.or(seal.and_then(|seal| seal.currency)).or_else(|| index.main_currency());
        let selection = Selection::of(index, self, base, currency);
        let all = selection.all();
        let facets = self.facets.then(|| selection.facets(&self.categories, currency));
        let corrected = matches.and_then(|matches| matches.corrected.as_deref());
        let completed = matches.is_some_and(|matches| matches.completed);
        let sorted = Sorted::of(index, self.order(), seal, matches.map(|matches| &matches.ranking));
        let count = usize::try_from(self.ask.limit()).unwrap_or(usize::MAX) + 1;
        let page = sorted.sealed(corrected, completed, currency).page(&all, after, count)?;
        Ok(Hits { page, total: all.len(), facets })
    }
}

/// A row with what other views know: whether any of it is available, and its seller; a deleted row stays empty.
fn with_more(row: &str, available: bool, seller: &str) -> String {
    let row = row.strip_suffix('}');
    row.map(|row| format!("{row},\"available\":{available},\"seller\":{seller}}}")).unwrap_or_default()
}

/// A row without its serial, which is a position of the log and nothing that visitors are shown, and without the id of its seller,
/// which is shown with its name. They stand between the id and the status, as [`Row`] is written.
fn without_serial(row: String) -> String {
    let cut = row.split_once("\"serial\":").and_then(|(head, rest)| Some((head, rest.find("\"status\":")?, rest)));
    let Some((head, start, rest)) = cut else { return row };
    [head, &rest[start..]].concat()
}

impl Views {
    /// The number of products of each seller that everybody sees.
    pub async fn published_by(&self, sellers: &[SellerId], now: bool) -> Result<Vec<u64>, Error> {
        self.catalog().refresh(self.pool(), now).await?;
        let index = self.catalog().index();
        let seen = index.shown(Shown::Published);
        Ok(sellers.iter().map(|seller| index.of_seller(*seller).intersection_len(&seen)).collect())
    }
}
