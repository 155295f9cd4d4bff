//! The pool of keys of a variant: preloaded licence keys, of which each bought piece gets exactly one.
//!
//! ```text
//! (missing) ──opened──▶ open ─┐ import started, imported: a batch of keys is added
//!                        ▲    │ assigned: an order that is paid gets the next keys, oldest batch first
//!                        └────┘ withdrawn: the last unsold keys of a batch cannot be sold any more
//!                               revoked: an order gave pieces back; their keys stay with it and are never given again
//!
//! a batch      0 … assigned … next … left … end … withdrawn … count
//!              imported = assigned + left + withdrawn
//! ```
//!
//! The keys themselves lie encrypted beside the log and never in it: a key is known here by its batch and its number in the batch.
//! What is left is the stock of the variant, so each change of the pool is [decided together](crate::key_delivery) with its stock.
//!
//! An import takes its number first and adds its keys at its end. Only the import that started last may end, so that the keys of one
//! that was broken off can be deleted without regard to it.

use serde::{Deserialize, Serialize};

use crate::decider::{Asked, Decider};
use crate::ids::{Id as _, KeyPoolId, OrderId, ProductId, VariantId};
use crate::quantity::Quantity;
use crate::text::{Reason, Sku};

#[cfg(test)]
mod tests;

/// The maximum number of batches of a pool: a new one each day for 27 years, and the state stays small.
pub const BATCHES_MAX: usize = 10_000;

/// The pool of a variant.
pub fn id(variant: VariantId) -> KeyPoolId {
    KeyPoolId::from_uuid(variant.uuid())
}

/// The variant of a pool.
pub fn variant(id: KeyPoolId) -> VariantId {
    VariantId::from_uuid(id.uuid())
}

/// Consecutive keys of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRange {
    /// The number of the batch, from 1.
    pub batch: u32,
    /// The number of the first key in its batch, from 0.
    pub first: u32,
    /// How many keys.
    pub count: u32,
}

/// The number of keys in some ranges.
pub fn count_of(keys: &[KeyRange]) -> i64 {
    keys.iter().map(|range| i64::from(range.count)).sum()
}

/// A part of some ranges: so many keys after the first `skip`.
pub fn part_of(keys: &[KeyRange], skip: i64, count: i64) -> Vec<KeyRange> {
    let (mut skip, mut count) = (u32::try_from(skip).unwrap_or(u32::MAX), u32::try_from(count).unwrap_or(0));
    let mut part = Vec::new();
    for range in keys {
        let skipped = skip.min(range.count);
        skip -= skipped;
        let taken = (range.count - skipped).min(count);
        count -= taken;
        if taken > 0 {
            part.push(KeyRange { batch: range.batch, first: range.first + skipped, count: taken });
        }
    }
    part
}

/// What happened to a pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A variant has a pool of keys from now on.
    Opened {
        /// The product.
        product: ProductId,
        /// The SKU.
        sku: Sku,
    },
    /// An import began; every earlier one that has not ended never will.
    ImportStarted {
        /// The number of its batch.
        batch: u32,
    },
    /// An import ended: its keys can be sold.
    Imported {
        /// The number of its batch.
        batch: u32,
        /// How many keys.
        count: Quantity,
    },
    /// Keys were assigned to an order when it was paid.
    Assigned {
        /// The order.
        order: OrderId,
        /// The keys.
        keys: Vec<KeyRange>,
    },
    /// Unsold keys were withdrawn for good.
    Withdrawn {
        /// The keys.
        keys: KeyRange,
        /// The reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// An order gave pieces back: their keys are not shown any more, and are never assigned again.
    Revoked {
        /// The order.
        order: OrderId,
        /// How many keys.
        count: Quantity,
        /// How many of them the buyer had been shown: they may be used.
        revealed: i64,
        /// The keys, of which the first ones had been shown; older events do not say it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        keys: Vec<KeyRange>,
    },
    /// The number was set below which staff is told that few keys are left.
    AlertSet {
        /// The number; absent if staff is not to be told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        below: Option<Quantity>,
    },
    /// Fewer keys are left than the number that was set.
    RanLow {
        /// How many are left.
        left: i64,
    },
}

impl crate::Event for Event {}

/// The commands of a pool.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Open the pool.
    Open {
        /// The product.
        product: ProductId,
        /// The SKU.
        sku: Sku,
    },
    /// Start an import.
    StartImport {},
    /// End an import.
    Import {
        /// The number of its batch.
        batch: u32,
        /// How many keys.
        count: Quantity,
    },
    /// Assign the next keys to an order.
    Assign {
        /// The order.
        order: OrderId,
        /// How many keys.
        quantity: Quantity,
    },
    /// Take the last keys of a batch away.
    Withdraw {
        /// The number of the batch.
        batch: u32,
        /// How many keys.
        quantity: Quantity,
        /// The reason.
        reason: Option<Reason>,
    },
    /// Record that an order gave pieces back.
    Revoke {
        /// The order.
        order: OrderId,
        /// How many keys.
        count: Quantity,
        /// How many of them the buyer had been shown.
        revealed: i64,
        /// The keys, of which the first ones had been shown.
        keys: Vec<KeyRange>,
    },
    /// Set below which number staff is told.
    SetAlert {
        /// The number; `None` if staff is not to be told.
        below: Option<Quantity>,
    },
}

/// The keys of one import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Batch {
    /// Its number.
    pub batch: u32,
    /// How many keys were imported.
    pub count: u32,
    /// The next key to assign: those before it are assigned.
    pub next: u32,
    /// The end of the keys that are left: those from it on are withdrawn.
    pub end: u32,
}

impl Batch {
    /// The number of unsold keys.
    pub fn left(&self) -> u32 {
        self.end - self.next
    }
}

/// The keys of a pool in numbers, folded from its own events alone: the pool decides by them, and the list of pools shows them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// How many keys were imported.
    pub imported: i64,
    /// How many keys orders have got.
    pub assigned: i64,
    /// How many keys were withdrawn.
    pub withdrawn: i64,
    /// How many of the assigned keys were given back.
    pub revoked: i64,
    /// How many of those had been shown.
    pub revoked_revealed: i64,
    /// Staff is told when fewer keys are left.
    pub alert_below: Option<Quantity>,
    /// Whether staff was told since the pool last had enough keys.
    pub low: bool,
}

impl Counts {
    /// The number of unsold keys: the pieces on hand.
    pub fn left(&self) -> i64 {
        self.imported - self.assigned - self.withdrawn
    }

    /// Applies an event of the pool.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Opened { .. } | Event::ImportStarted { .. } => {}
            Event::Imported { count, .. } => self.imported += count.get(),
            Event::Assigned { keys, .. } => self.assigned += count_of(keys),
            Event::Withdrawn { keys, .. } => self.withdrawn += i64::from(keys.count),
            Event::Revoked { count, revealed, .. } => {
                self.revoked += count.get();
                self.revoked_revealed += revealed;
            }
            Event::AlertSet { below } => {
                self.alert_below = *below;
                self.low = false;
            }
            Event::RanLow { .. } => self.low = true,
        }
        // Staff is told again once the pool has had enough keys.
        self.low &= self.has_few();
    }

    fn has_few(&self) -> bool {
        self.alert_below.is_some_and(|below| self.left() < below.get())
    }
}

/// The pool of a variant.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct KeyPool {
    /// The product of the variant; absent before the pool is opened.
    pub product: Option<ProductId>,
    /// The SKU of the variant; absent before the pool is opened.
    pub sku: Option<Sku>,
    /// The batches, oldest first.
    pub batches: Vec<Batch>,
    /// The number of the last import that began.
    pub started: u32,
    /// Its keys in numbers.
    #[serde(flatten)]
    pub counts: Counts,
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        Missing => Missing: "the variant has no pool of keys";
        Physical => Conflict: "the variant is a physical item, and keys are delivered for others only";
        NoSuchBatch => Invalid at "/batch": "the pool has no such batch";
        TooManyBatches => Conflict: "a pool can have at most {BATCHES_MAX} batches";
        Overtaken => Conflict: "another import into this pool began meanwhile; import the keys again";
        Empty { left: i64 } => Conflict: "the pool has only {left} keys left";
        NotEnough { left: i64 } => Conflict at "/quantity": "only {left} keys of this batch can be withdrawn";
    }
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for KeyPool {
    const CATEGORY: &'static str = "key_pool";
    type Id = KeyPoolId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Decision {
        if let Command::Open { product, sku } = command {
            let open = || Event::Opened { product: *product, sku: sku.clone() };
            return Ok(if self.product.is_some() { vec![] } else { vec![open()] });
        }
        if self.product.is_none() {
            return Err(Rejection::Missing);
        }
        match command {
            // Opened above.
            Command::Open { .. } => Ok(vec![]),
            Command::StartImport {} if self.batches.len() >= BATCHES_MAX => Err(Rejection::TooManyBatches),
            Command::StartImport {} => Ok(vec![Event::ImportStarted { batch: self.started + 1 }]),
            Command::Import { batch, count } => self.import(*batch, *count),
            Command::Assign { order, quantity } => self.assign(*order, *quantity),
            Command::Withdraw { batch, quantity, reason } => self.withdraw(*batch, *quantity, reason.as_ref()),
            Command::Revoke { order, count, revealed, keys } => {
                let (order, count, revealed, keys) = (*order, *count, *revealed, keys.clone());
                Ok(vec![Event::Revoked { order, count, revealed, keys }])
            }
            Command::SetAlert { below } if *below == self.counts.alert_below => Ok(vec![]),
            Command::SetAlert { below } => Ok(self.and_alert(Event::AlertSet { below: *below })),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        self.counts.note(event);
        match event {
            Event::Opened { product, sku } => {
                self.product = Some(*product);
                self.sku = Some(sku.clone());
            }
            Event::ImportStarted { batch } => self.started = *batch,
            Event::Imported { batch, count } => {
                // A quantity is at most a million.
                let count = u32::try_from(count.get()).unwrap_or(0);
                self.batches.push(Batch { batch: *batch, count, next: 0, end: count });
            }
            Event::Assigned { keys, .. } => {
                for range in keys {
                    self.change(range.batch, |it| it.next = range.first + range.count);
                }
            }
            Event::Withdrawn { keys, .. } => self.change(keys.batch, |it| it.end = keys.first),
            // They change the numbers alone.
            Event::Revoked { .. } | Event::AlertSet { .. } | Event::RanLow { .. } => {}
        }
        self
    }
}

impl KeyPool {
    /// The imports that began and have not ended: their keys can be deleted.
    pub fn unfinished(&self) -> Vec<u32> {
        let ended = |number: &u32| self.batches.binary_search_by_key(number, |batch| batch.batch).is_ok();
        (1..=self.started).filter(|number| !ended(number)).collect()
    }

    /// A batch.
    pub fn batch(&self, number: u32) -> Result<&Batch, Rejection> {
        if self.product.is_none() {
            return Err(Rejection::Missing);
        }
        let at = self.batches.binary_search_by_key(&number, |batch| batch.batch);
        at.ok().and_then(|at| self.batches.get(at)).ok_or(Rejection::NoSuchBatch)
    }

    /// The keys that are assigned next, oldest batch first.
    pub fn next_keys(&self, quantity: Quantity) -> Result<Vec<KeyRange>, Rejection> {
        let mut wanted = u32::try_from(quantity.get()).unwrap_or(u32::MAX);
        let mut keys = Vec::new();
        for batch in self.batches.iter().filter(|batch| batch.left() > 0) {
            let count = batch.left().min(wanted);
            if count == 0 {
                break;
            }
            keys.push(KeyRange { batch: batch.batch, first: batch.next, count });
            wanted -= count;
        }
        if wanted > 0 { Err(Rejection::Empty { left: self.counts.left() }) } else { Ok(keys) }
    }

    fn change(&mut self, number: u32, change: impl FnOnce(&mut Batch)) {
        if let Ok(at) = self.batches.binary_search_by_key(&number, |batch| batch.batch) {
            change(&mut self.batches[at]);
        }
    }

    /// The event, and the alert that follows from it.
    fn and_alert(&self, event: Event) -> Vec<Event> {
        let mut after = self.counts;
        after.note(&event);
        let alert = (after.has_few() && !after.low).then(|| Event::RanLow { left: after.left() });
        [event].into_iter().chain(alert).collect()
    }

    fn import(&self, batch: u32, count: Quantity) -> Decision {
        if batch != self.started || self.batch(batch).is_ok() {
            return Err(Rejection::Overtaken);
        }
        Ok(self.and_alert(Event::Imported { batch, count }))
    }

    fn assign(&self, order: OrderId, quantity: Quantity) -> Decision {
        Ok(self.and_alert(Event::Assigned { order, keys: self.next_keys(quantity)? }))
    }

    fn withdraw(&self, batch: u32, quantity: Quantity, reason: Option<&Reason>) -> Decision {
        let batch = self.batch(batch)?;
        let left = i64::from(batch.left());
        let count = u32::try_from(quantity.get()).unwrap_or(u32::MAX);
        if quantity.get() > left {
            return Err(Rejection::NotEnough { left });
        }
        let keys = KeyRange { batch: batch.batch, first: batch.end - count, count };
        Ok(self.and_alert(Event::Withdrawn { keys, reason: reason.cloned() }))
    }
}
