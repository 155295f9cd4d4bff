//! A licence: the machines on which the key of a pool is active, as the programs that it is for report them.
//!
//! ```text
//! no machine ──activated──▶ one machine ──activated──▶ … up to the limit of the variant
//!            ◀─deactivated─             ◀─deactivated─
//! ```
//!
//! Whether the key is valid is not decided here: the order that got it says whether it is revoked. A machine is known by the keyed
//! hash of the id that its program gives it. One licence is one stream, so of many machines at once no more are active than the limit.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decider::{Asked, Decider};
use crate::ids::{Id as _, LicenceId, VariantId};
use crate::quantity::Quantity;
use crate::text::Hash;

#[cfg(test)]
mod tests;

/// Namespace of the ids; any fixed number would do, and it can never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x6b1d_70f4_2c88_4e39_9a5e_d3f0_17c6_824b);
/// The maximum number of machines of a licence without a limit of its own: the state is read whole.
pub const MACHINES_MAX: i64 = 1_000;

/// A key of a pool, by its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyNumber {
    /// The variant whose pool it is.
    pub variant: VariantId,
    /// The number of its batch.
    pub batch: u32,
    /// Its number in the batch, from 0.
    pub number: u32,
}

/// The licence of a key.
pub fn id(key: KeyNumber) -> LicenceId {
    let KeyNumber { variant, batch, number } = key;
    LicenceId::from_uuid(Uuid::new_v5(&NAMESPACE, format!("{variant}/{batch}/{number}").as_bytes()))
}

/// What happened to a licence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The key is active on a machine.
    Activated {
        /// The key.
        key: KeyNumber,
        /// The keyed hash of the id of the machine.
        machine: Hash,
        /// The time.
        at: DateTime<Utc>,
    },
    /// The key is not active on a machine any more.
    Deactivated {
        /// The keyed hash of the id of the machine.
        machine: Hash,
        /// The time.
        at: DateTime<Utc>,
    },
}

impl crate::Event for Event {}

/// The commands of a licence.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Activate the key on a machine.
    Activate {
        /// The key.
        key: KeyNumber,
        /// The keyed hash of the id of the machine.
        machine: Hash,
        /// On how many machines the key can be active.
        limit: Option<Quantity>,
    },
    /// Deactivate the key on a machine.
    Deactivate {
        /// The keyed hash of the id of the machine.
        machine: Hash,
    },
}

/// The state of a licence.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Licence {
    /// The machines on which the key is active, and since when.
    pub machines: BTreeMap<Hash, DateTime<Utc>>,
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        Unknown => Missing: "there is no such key for this product";
        Revoked => Conflict: "the key is revoked";
        TooManyMachines { limit: i64 } => Conflict at "/machine":
            "the key is active on as many machines as it can be ({limit}); deactivate one of them first";
    }
}

impl Decider for Licence {
    const CATEGORY: &'static str = "licence";
    type Id = LicenceId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Activate { machine, .. } if self.machines.contains_key(machine) => Ok(vec![]),
            Command::Activate { key, machine, limit } => {
                let limit = limit.map_or(MACHINES_MAX, Quantity::get);
                if self.count() >= limit {
                    return Err(Rejection::TooManyMachines { limit });
                }
                Ok(vec![Event::Activated { key: *key, machine: machine.clone(), at: asked.at }])
            }
            Command::Deactivate { machine } if self.machines.contains_key(machine) => {
                Ok(vec![Event::Deactivated { machine: machine.clone(), at: asked.at }])
            }
            // It is not active there: already done.
            Command::Deactivate { .. } => Ok(vec![]),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Activated { machine, at, .. } => drop(self.machines.insert(machine.clone(), *at)),
            Event::Deactivated { machine, .. } => drop(self.machines.remove(machine)),
        }
        self
    }
}

impl Licence {
    /// On how many machines the key is active.
    pub fn count(&self) -> i64 {
        i64::try_from(self.machines.len()).unwrap_or(i64::MAX)
    }
}
