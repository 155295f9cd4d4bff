//! The watchers of a product: the accounts to notify when it is in stock again, or costs less.
//!
//! ```text
//! stock:  not watched ──stock_watched──▶ watched ──stock_told (once), unwatched──▶ not watched
//! price:  not watched ──price_watched──▶ watched ──price_told (each time it falls)──▶ watched ──unwatched──▶ not watched
//! ```
//!
//! There is one stream for each product, so an event of its stock or its price finds all watchers at once. Only accounts can
//! watch: the address of a guest would have to be confirmed first, which is what registering does.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::decider::{Asked, Decider};
use crate::ids::{AccountId, Id as _, ProductId, VariantId, WatchId};
use crate::money::Price;

#[cfg(test)]
mod tests;

/// The maximum number of watchers of a product, of each kind: the state is read whole.
pub const WATCHERS_MAX: usize = 10_000;
/// How many watchers are told in one append.
pub const TOLD_AT_ONCE: usize = 100;

/// The watchers of a product.
pub fn id(product: ProductId) -> WatchId {
    WatchId::from_uuid(product.uuid())
}

/// The product that is watched.
pub fn product(id: WatchId) -> ProductId {
    ProductId::from_uuid(id.uuid())
}

/// What happened to the watchers of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An account watches the product for stock.
    StockWatched {
        /// The account.
        account: AccountId,
    },
    /// An account watches the product for a lower price.
    PriceWatched {
        /// The account.
        account: AccountId,
        /// The prices of its variants at that time.
        prices: BTreeMap<VariantId, Price>,
    },
    /// An account stopped watching the product.
    Unwatched {
        /// The account.
        account: AccountId,
    },
    /// Watchers were told that the product is in stock again; they do not watch for stock any more.
    StockTold {
        /// The accounts.
        accounts: Vec<AccountId>,
        /// The variant.
        variant: VariantId,
    },
    /// Watchers were told that the price was reduced.
    PriceTold {
        /// The accounts.
        accounts: Vec<AccountId>,
        /// The variant.
        variant: VariantId,
        /// The new price.
        price: Price,
    },
}

impl crate::Event for Event {}

/// The commands of a watch.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Watch for stock.
    WatchStock {
        /// The account.
        account: AccountId,
        /// Whether the product is available.
        available: bool,
    },
    /// Watch for a lower price.
    WatchPrice {
        /// The account.
        account: AccountId,
        /// The current prices of its variants.
        prices: BTreeMap<VariantId, Price>,
    },
    /// Stop watching.
    Unwatch {
        /// The account.
        account: AccountId,
    },
    /// Record that watchers are told that the product is in stock again.
    TellStock {
        /// The accounts.
        accounts: Vec<AccountId>,
        /// The variant.
        variant: VariantId,
    },
    /// Record that watchers are told that the price was reduced.
    TellPrice {
        /// The accounts.
        accounts: Vec<AccountId>,
        /// The variant.
        variant: VariantId,
        /// The new price.
        price: Price,
    },
}

/// The watchers of a product.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Watch {
    /// The accounts that watch for stock.
    pub stock: BTreeSet<AccountId>,
    /// The accounts that watch for a lower price, with the prices of the variants that each was last told.
    pub price: BTreeMap<AccountId, BTreeMap<VariantId, Price>>,
}

/// A price that is lower than a watcher was last told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fallen {
    /// The variant.
    pub variant: VariantId,
    /// The price that the watcher was last told.
    pub was: Price,
    /// The current price.
    pub now: Price,
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        InStock => Conflict: "the product is in stock; watch it for price_drop only";
        TooMany => Conflict: "the product already has {WATCHERS_MAX} watchers";
    }
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Watch {
    const CATEGORY: &'static str = "watch";
    type Id = WatchId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Decision {
        match command {
            Command::WatchStock { account, .. } if self.stock.contains(account) => Ok(vec![]),
            Command::WatchStock { available: true, .. } => Err(Rejection::InStock),
            Command::WatchStock { .. } if self.stock.len() >= WATCHERS_MAX => Err(Rejection::TooMany),
            Command::WatchStock { account, .. } => Ok(vec![Event::StockWatched { account: *account }]),
            Command::WatchPrice { account, prices } => match self.price.get(account) {
                Some(known) if known == prices => Ok(vec![]),
                None if self.price.len() >= WATCHERS_MAX => Err(Rejection::TooMany),
                Some(_) | None => Ok(vec![Event::PriceWatched { account: *account, prices: prices.clone() }]),
            },
            Command::Unwatch { account } => {
                let watches = self.stock.contains(account) || self.price.contains_key(account);
                Ok(if watches { vec![Event::Unwatched { account: *account }] } else { vec![] })
            }
            Command::TellStock { accounts, .. } | Command::TellPrice { accounts, .. } if accounts.is_empty() => {
                Ok(vec![])
            }
            Command::TellStock { accounts, variant } => {
                Ok(vec![Event::StockTold { accounts: accounts.clone(), variant: *variant }])
            }
            Command::TellPrice { accounts, variant, price } => {
                Ok(vec![Event::PriceTold { accounts: accounts.clone(), variant: *variant, price: *price }])
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::StockWatched { account } => {
                self.stock.insert(*account);
            }
            Event::PriceWatched { account, prices } => {
                self.price.insert(*account, prices.clone());
            }
            Event::Unwatched { account } => {
                self.stock.remove(account);
                self.price.remove(account);
            }
            Event::StockTold { accounts, .. } => self.stock.retain(|account| !accounts.contains(account)),
            Event::PriceTold { accounts, variant, price } => {
                for account in accounts {
                    if let Some(prices) = self.price.get_mut(account) {
                        prices.insert(*variant, *price);
                    }
                }
            }
        }
        self
    }
}

impl Watch {
    /// The next watchers for stock, as many as are told at once.
    pub fn waiting_for_stock(&self) -> Vec<AccountId> {
        self.stock.iter().take(TOLD_AT_ONCE).copied().collect()
    }

    /// The next watchers who were last told a higher price, with that price.
    pub fn waiting_for_price(&self, variant: VariantId, price: Price) -> Vec<(AccountId, Price)> {
        let fallen = self.price.iter().filter_map(|(account, prices)| {
            let was = prices.get(&variant)?;
            let lower = was.currency() == price.currency() && price.money().amount < was.money().amount;
            lower.then_some((*account, *was))
        });
        fallen.take(TOLD_AT_ONCE).collect()
    }

    /// The next watchers who were last told a higher price for some of these variants, with those prices.
    pub fn waiting_for_prices(&self, now: &[(VariantId, Price)]) -> Vec<(AccountId, Vec<Fallen>)> {
        let fallen = self.price.iter().filter_map(|(account, known)| {
            let fallen = now.iter().filter_map(|(variant, now)| {
                let was = *known.get(variant)?;
                let lower = was.currency() == now.currency() && now.money().amount < was.money().amount;
                lower.then_some(Fallen { variant: *variant, was, now: *now })
            });
            let fallen: Vec<Fallen> = fallen.collect();
            (!fallen.is_empty()).then_some((*account, fallen))
        });
        fallen.take(TOLD_AT_ONCE).collect()
    }
}
