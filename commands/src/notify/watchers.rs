//! Telling those who wait for a product: all of them, some at a time, each once.

use byteshop_domain::ids::{AccountId, ProductId, VariantId};
use byteshop_domain::money::Price;
use byteshop_domain::notification::Message;
use byteshop_domain::product::{Created, Product, Variant};
use byteshop_domain::seller::Seller;
use byteshop_domain::stock::StockLevel;
use byteshop_domain::text::Title;
use byteshop_domain::watch::{self, Command, Fallen, TOLD_AT_ONCE, Watch};

use super::tell::{Reach, position, queue};
use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::Intent;
use crate::engine::unit::Unit;

/// A variant of a product that is sold.
struct Sold {
    title: Title,
    variant_title: Option<Title>,
    variant: Variant,
}

async fn sold(unit: &Unit, product: ProductId, variant: VariantId) -> Result<Option<Sold>, Error> {
    let product = unit.peek::<Product>(product).await?;
    let Ok(created) = product.state.live() else { return Ok(None) };
    let is_sold = is_sold(unit, created).await?;
    let variant = created.variants.get(&variant).filter(|_| is_sold);
    Ok(variant.map(|variant| Sold {
        title: created.title.clone(),
        variant_title: created.told_apart(variant),
        variant: variant.clone(),
    }))
}

/// Whether a product is for sale. Watchers get no messages about products of a suspended seller.
async fn is_sold(unit: &Unit, created: &Created) -> Result<bool, Error> {
    let seller = match created.seller {
        Some(seller) => Some(unit.peek::<Seller>(seller).await?.state),
        None => None,
    };
    Ok(created.is_sold(seller.as_deref()))
}

/// Queues a message to the owner of an account, unless it is closed.
async fn queue_to(unit: &Unit, intent: &Intent, account: AccountId, message: &Message) -> Result<(), Error> {
    match Reach::account(unit, account).await? {
        Some(reach) => queue(unit, position(intent), &reach, message).await,
        None => Ok(()),
    }
}

impl Commands {
    pub(super) async fn tell_of_stock(&self, intent: &Intent, variant: VariantId) -> Result<(), Error> {
        loop {
            let done = self.run(intent, |unit| async move { tell_some_of_stock(&unit, intent, variant).await }).await?;
            if done.answer < TOLD_AT_ONCE {
                return Ok(());
            }
        }
    }

    pub(super) async fn tell_of_return(&self, intent: &Intent, product: ProductId) -> Result<(), Error> {
        let Some(watch) = self.get::<Watch>(watch::id(product)).await? else { return Ok(()) };
        let Some(found) = self.get::<Product>(product).await? else { return Ok(()) };
        if !watch.state.stock.is_empty() {
            let variants: Vec<VariantId> =
                found.state.live().map(|it| it.variants.keys().copied().collect()).unwrap_or_default();
            for variant in variants {
                self.tell_of_stock(intent, variant).await?;
            }
        }
        loop {
            let done =
                self.run(intent, |unit| async move { tell_some_of_prices(&unit, intent, product).await }).await?;
            if done.answer < TOLD_AT_ONCE {
                return Ok(());
            }
        }
    }

    pub(super) async fn tell_of_price(
        &self,
        intent: &Intent,
        product: ProductId,
        variant: VariantId,
        price: Price,
    ) -> Result<(), Error> {
        loop {
            let done = self
                .run(intent, |unit| async move { tell_some_of_price(&unit, intent, product, variant, price).await })
                .await?;
            if done.answer < TOLD_AT_ONCE {
                return Ok(());
            }
        }
    }
}

/// Returns how many watchers were notified.
async fn tell_some_of_stock(unit: &Unit, intent: &Intent, variant: VariantId) -> Result<usize, Error> {
    let stock = unit.peek::<StockLevel>(variant).await?;
    let Some(product) = stock.state.product.filter(|_| stock.state.available() > 0) else { return Ok(0) };
    let mut watch = unit.load::<Watch>(watch::id(product)).await?;
    let accounts = watch.state.waiting_for_stock();
    if accounts.is_empty() {
        return Ok(0);
    }
    let Some(Sold { title, variant_title, .. }) = sold(unit, product, variant).await? else { return Ok(0) };
    let message = Message::BackInStock { product, variant, title, variant_title };
    for account in &accounts {
        queue_to(unit, intent, *account, &message).await?;
    }
    let told = accounts.len();
    unit.decide(&mut watch, &Command::TellStock { accounts, variant })?;
    Ok(told)
}

/// Returns how many watchers were notified.
async fn tell_some_of_price(
    unit: &Unit,
    intent: &Intent,
    product: ProductId,
    variant: VariantId,
    price: Price,
) -> Result<usize, Error> {
    let mut watch = unit.load::<Watch>(watch::id(product)).await?;
    let waiting = watch.state.waiting_for_price(variant, price);
    if waiting.is_empty() {
        return Ok(0);
    }
    let Some(sold) = sold(unit, product, variant).await? else { return Ok(0) };
    // A price that is another by now has an event of its own.
    if sold.variant.listed(price.currency()).map(|listed| listed.price) != Some(price) {
        return Ok(0);
    }
    for (account, was) in &waiting {
        let (title, variant_title) = (sold.title.clone(), sold.variant_title.clone());
        let message = Message::PriceDropped { product, variant, title, variant_title, was: *was, now: price };
        queue_to(unit, intent, *account, &message).await?;
    }
    let accounts: Vec<AccountId> = waiting.into_iter().map(|(account, _)| account).collect();
    let told = accounts.len();
    unit.decide(&mut watch, &Command::TellPrice { accounts, variant, price })?;
    Ok(told)
}

/// Notifies of every price that fell while a product was not for sale, once it is again: each watcher gets one message,
/// for the lowest price. Returns how many were notified.
async fn tell_some_of_prices(unit: &Unit, intent: &Intent, product: ProductId) -> Result<usize, Error> {
    let mut watch = unit.load::<Watch>(watch::id(product)).await?;
    if watch.state.price.is_empty() {
        return Ok(0);
    }
    let found = unit.peek::<Product>(product).await?;
    let Ok(created) = found.state.live() else { return Ok(0) };
    if !is_sold(unit, created).await? {
        return Ok(0);
    }
    let prices = created.variants.iter().flat_map(|(id, variant)| variant.listings().map(|listed| (*id, listed.price)));
    let waiting = watch.state.waiting_for_prices(&prices.collect::<Vec<_>>());
    let mut told: Vec<(VariantId, Price, Vec<AccountId>)> = Vec::new();
    for (account, fallen) in &waiting {
        let cheapest = fallen.iter().min_by_key(|fallen| (fallen.now.money().amount, fallen.variant));
        if let Some((Fallen { variant, was, now }, sold)) =
            cheapest.and_then(|it| Some((*it, created.variants.get(&it.variant)?)))
        {
            let (title, variant_title) = (created.title.clone(), created.told_apart(sold));
            let message = Message::PriceDropped { product, variant, title, variant_title, was, now };
            queue_to(unit, intent, *account, &message).await?;
        }
        for Fallen { variant, now, .. } in fallen {
            match told.iter_mut().find(|(known, price, _)| known == variant && price == now) {
                Some((.., accounts)) => accounts.push(*account),
                None => told.push((*variant, *now, vec![*account])),
            }
        }
    }
    for (variant, price, accounts) in told {
        unit.decide(&mut watch, &Command::TellPrice { accounts, variant, price })?;
    }
    Ok(waiting.len())
}
