//! The price history of a variant, and the lowest earlier price that must be shown with a reduction.
//!
//! In the European Union an announced reduction must name the lowest price of the 30 days before it: Directive 98/6/EC, article
//! 6a, as added by Directive (EU) 2019/2161 ("Omnibus").

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::{Event, Listed};
use crate::Currency;
use crate::ids::VariantId;
use crate::money::Price;
use crate::text::Sku;

/// How far back the lowest price is searched for.
pub const LOOK_BACK: TimeDelta = TimeDelta::days(30);

/// The prices of a variant in a currency.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceHistory {
    /// The variant.
    pub variant: VariantId,
    /// Its SKU.
    pub sku: Sku,
    /// ISO 4217 currency code.
    pub currency: Currency,
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// The lowest price of the last 30 days; null if it was not sold in them.
    pub lowest_30_days: Option<Price>,
    /// The current reduction, with the lowest price of the 30 days before it; null if there is none.
    pub reduction: Option<Reduction>,
}

/// A price and its period.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PriceEntry))]
pub struct Entry {
    /// The price.
    pub price: Price,
    /// A higher reference price, shown struck through.
    pub compare_at: Option<Price>,
    /// When it began.
    pub from: DateTime<Utc>,
    /// Null for the current price.
    pub until: Option<DateTime<Utc>>,
}

/// A reduction of a price.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reduction {
    /// When the price was reduced.
    pub from: DateTime<Utc>,
    /// The price until then.
    pub previous_price: Price,
    /// The lowest price of the 30 days before.
    pub lowest_before: Price,
}

type Prices = Vec<Entry>;

/// The price history of the variants of a product, from the product's events and their times.
pub fn price_history<'a>(
    events: impl IntoIterator<Item = (DateTime<Utc>, &'a Event)>,
    now: DateTime<Utc>,
) -> Vec<PriceHistory> {
    let mut variants: BTreeMap<VariantId, (Sku, Vec<Prices>)> = BTreeMap::new();
    for (at, event) in events {
        match event {
            Event::VariantAdded { variant, details } => {
                let entry = variants.entry(*variant).or_insert_with(|| (details.sku.clone(), Vec::new()));
                for listed in details.listings() {
                    set(&mut entry.1, listed, at);
                }
            }
            Event::PriceSet { variant, price, compare_at, .. } => {
                if let Some((_, prices)) = variants.get_mut(variant) {
                    set(prices, Listed { price: *price, compare_at: *compare_at }, at);
                }
            }
            Event::PriceWithdrawn { variant, price } => {
                let prices = variants.get_mut(variant).into_iter().flat_map(|(_, prices)| prices);
                prices.filter(|prices| currency(prices) == Some(price.currency())).for_each(|prices| end(prices, at));
            }
            Event::VariantRemoved { variant, .. } => {
                let prices = variants.get_mut(variant).into_iter().flat_map(|(_, prices)| prices);
                prices.for_each(|prices| end(prices, at));
            }
            Event::Created { .. }
            | Event::Revised { .. }
            | Event::OptionsDefined { .. }
            | Event::VariantRevised { .. }
            | Event::ImageAdded(_)
            | Event::ImagesOrdered { .. }
            | Event::ImageDescribed { .. }
            | Event::ImageRemoved { .. }
            | Event::Scheduled(_)
            | Event::PublicationRefused { .. }
            | Event::Published {}
            | Event::Unpublished {}
            | Event::Archived {} => {}
        }
    }
    let histories = variants.into_iter().flat_map(|(variant, (sku, prices))| {
        prices.into_iter().filter_map(move |entries| PriceHistory::of(variant, &sku, entries, now))
    });
    histories.collect()
}

fn currency(prices: &Prices) -> Option<Currency> {
    prices.first().map(|entry| entry.price.currency())
}

fn set(all: &mut Vec<Prices>, listed: Listed, at: DateTime<Utc>) {
    let Listed { price, compare_at } = listed;
    let entry = Entry { price, compare_at, from: at, until: None };
    match all.iter_mut().find(|prices| currency(prices) == Some(price.currency())) {
        Some(prices) => {
            end(prices, at);
            prices.push(entry);
        }
        None => all.push(vec![entry]),
    }
}

fn end(prices: &mut Prices, at: DateTime<Utc>) {
    if let Some(last) = prices.last_mut() {
        last.until.get_or_insert(at);
    }
}

impl PriceHistory {
    fn of(variant: VariantId, sku: &Sku, entries: Prices, now: DateTime<Utc>) -> Option<Self> {
        let currency = currency(&entries)?;
        let (lowest_30_days, reduction) = (lowest(&entries, now - LOOK_BACK, now), reduction(&entries));
        Some(Self { variant, sku: sku.clone(), currency, entries, lowest_30_days, reduction })
    }
}

/// The lowest price that applied at any time from `since` up to `before`.
fn lowest(entries: &[Entry], since: DateTime<Utc>, before: DateTime<Utc>) -> Option<Price> {
    let asked = entries.iter().filter(|it| it.from <= before && it.until.is_none_or(|until| until > since));
    asked.map(|entry| entry.price).min_by_key(|price| price.money().amount)
}

/// The reduction in force: the current price, however often it was set again, if it is below the previous one.
fn reduction(entries: &[Entry]) -> Option<Reduction> {
    let last = entries.last().filter(|last| last.until.is_none())?;
    let run = entries.iter().rev().take_while(|entry| entry.price == last.price).count();
    let (before, run) = entries.split_at(entries.len() - run);
    let (first, previous) = (run.first()?, before.last()?);
    // It was not for sale in between, so there was no price to reduce.
    let followed = previous.until == Some(first.from);
    if !followed || previous.price.money().amount <= last.price.money().amount {
        return None;
    }
    let lowest_before = lowest(before, first.from - LOOK_BACK, first.from)?;
    Some(Reduction { from: first.from, previous_price: previous.price, lowest_before })
}
