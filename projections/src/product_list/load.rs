//! Keeps the index up to date: reads what is new in four tables, which each row's position tells.

use std::array::from_fn;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use serde::de::DeserializeOwned;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPool;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::ProductList;
use super::index::Index;
use super::page_cache::PageCache;
use super::read::{Read, ReadStock};
use super::row_cache::RowCache;
use super::stemming::stems_of;
use super::words::Vocabulary;
use crate::category_list::{self, CategoryList};
use crate::engine::View;
use crate::engine::rows::unreadable;
use crate::error::Error;
use crate::seller_list::{self, SellerList};
use crate::stock_level::StockLevel;

/// The maximum age of the index for a query without a position: less than views lag at times.
const STALE: Duration = Duration::from_millis(50);
/// The views that the index is made from.
const VIEWS: [&str; 4] = [ProductList::NAME, StockLevel::NAME, CategoryList::NAME, SellerList::NAME];
/// Rows between two looks at whether others want to do something.
const SLICE: usize = 2_000;

/// The index, and how far it has read.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    index: RwLock<Index>,
    reading: Mutex<Reading>,
    /// Rows as everybody sees them.
    pub(super) rows: RowCache,
    /// Pages of them.
    pub(super) pages: PageCache,
}

#[derive(Debug, Default)]
struct Reading {
    /// The positions of the four views: products, stock, categories, sellers.
    places: [Place; 4],
    last: Option<Instant>,
}

/// Where a view stood when it was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    epoch: i64,
    position: i64,
}

impl Catalog {
    /// The index as it is.
    pub(super) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the index to where the views are. One reads for all who wait; `now` is for who has waited for a view and
    /// needs what it has by now.
    pub async fn refresh(&self, pool: &PgPool, now: bool) -> Result<(), Error> {
        let asked = Instant::now();
        let mut reading = self.reading.lock().await;
        // Another task may have read it since, or just before.
        let fresh = |last: Instant| if now { last >= asked } else { last + STALE > asked };
        if reading.last.is_some_and(fresh) {
            return Ok(());
        }
        let started = Instant::now();
        let (places, changed) = places(pool, &reading.places).await?;
        let replaced = |(new, old): (&Place, &Place)| new.epoch != old.epoch || new.position < old.position;
        let mut made = None;
        if places.iter().zip(&reading.places).any(replaced) {
            made = Some(Index::default());
            reading.places = places.map(|place| Place { position: 0, ..place });
        }
        let from: [_; 4] = from_fn(|at| (changed[at] || made.is_some()).then_some(reading.places[at].position));
        if from.iter().any(Option::is_some) {
            self.read_on(pool, from, made).await?;
        }
        reading.places = places;
        reading.last = Some(started);
        Ok(())
    }

    /// Reads the tables from these positions on, those that changed, into the index or into another one that takes its place.
    async fn read_on(&self, pool: &PgPool, from: [Option<i64>; 4], made: Option<Index>) -> Result<(), Error> {
        let [products, stock, categories, sellers] = from;
        let mut words = Vocabulary::default();
        let products = rows(pool, ProductList::NAME, products, |row: Read| row.with_words(&mut words)).await?;
        let stems = self.stems(pool, words.words(), made.as_ref()).await?;
        let stock: Vec<ReadStock> = rows(pool, StockLevel::NAME, stock, |row| row).await?;
        let categories: Vec<category_list::Row> = rows(pool, CategoryList::NAME, categories, |row| row).await?;
        let sellers: Vec<seller_list::Row> = rows(pool, SellerList::NAME, sellers, |row| row).await?;
        let nothing = products.is_empty() && stock.is_empty() && categories.is_empty() && sellers.is_empty();
        if nothing && made.is_none() {
            return Ok(());
        }
        match &made {
            Some(_) => self.rows.clear(),
            None => self.rows.forget(products.iter().map(|product| product.id)),
        }
        let fill = |index: &mut Index| {
            index.put(products, words.words(), &stems);
            for row in &stock {
                index.put_stock(row);
            }
            for row in categories {
                index.tree.put(row);
            }
            for row in sellers {
                index.put_seller(row);
            }
        };
        let write = || self.index.write().unwrap_or_else(PoisonError::into_inner);
        match made {
            Some(mut index) => {
                fill(&mut index);
                *write() = index;
            }
            None => fill(&mut write()),
        }
        // Only now: a page that is made while the index is filled may have the rows of before.
        self.pages.clear();
        Ok(())
    }

    /// The stems of words; those that are known are not looked up again.
    async fn stems(&self, pool: &PgPool, words: &[String], made: Option<&Index>) -> Result<Vec<Option<String>>, Error> {
        let known: Vec<Option<Option<String>>> = {
            let live = self.index();
            let index = made.unwrap_or(&live);
            words.iter().map(|word| index.lexicon.stem(word).map(|stem| stem.map(str::to_owned))).collect()
        };
        let unknown = words.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(word, _)| word.clone());
        let mut found = stems_of(pool, &unknown.collect::<Vec<_>>()).await?.into_iter();
        Ok(known.into_iter().map(|known| known.unwrap_or_else(|| found.next().flatten())).collect())
    }
}

/// Where the views stand, and which of them have rows that changed after where they stood `before`.
async fn places(pool: &PgPool, before: &[Place; 4]) -> Result<([Place; 4], [bool; 4]), Error> {
    // One statement, hence one moment. Most events change no row of these views.
    let statement = "select view, epoch, position, case view
                when 'product_list' then exists (select from read.product_list where position > $2)
                when 'stock_level' then exists (select from read.stock_level where position > $3)
                when 'category_list' then exists (select from read.category_list where position > $4)
                else exists (select from read.seller_list where position > $5)
            end as changed
         from read.checkpoint where view = any ($1)";
    let mut found = sqlx::query_as::<_, (String, i64, i64, bool)>(statement).bind(VIEWS);
    for place in before {
        found = found.bind(place.position);
    }
    let found = found.fetch_all(pool).await?;
    let of = |view: &str| found.iter().find(|(name, ..)| name == view);
    let place = |(_, epoch, position, _): &(_, i64, i64, _)| Place { epoch: *epoch, position: *position };
    Ok((
        VIEWS.map(|view| of(view).map(place).unwrap_or_default()),
        VIEWS.map(|view| of(view).is_some_and(|(.., changed)| *changed)),
    ))
}

/// The rows of a view that changed after a position, if there is one.
async fn rows<T: DeserializeOwned>(
    pool: &PgPool,
    view: &'static str,
    after: Option<i64>,
    mut read: impl FnMut(T) -> T + Send,
) -> Result<Vec<T>, Error> {
    let Some(after) = after else { return Ok(Vec::new()) };
    let statement = format!("select key, row::text from read.{view} where position > $1");
    let mut rows = sqlx::query_as::<_, (String, String)>(AssertSqlSafe(statement)).bind(after).fetch(pool);
    let mut found = Vec::new();
    while let Some((key, text)) = rows.try_next().await? {
        found.push(read(serde_json::from_str(&text).map_err(|error| unreadable(view, &key, &error))?));
        if found.len() % SLICE == 0 {
            tokio::task::yield_now().await;
        }
    }
    Ok(found)
}
