//! Generating keys: those that an order is about to get are made before it gets them, with randomness of the system.
//!
//! A key is written under its number first, and then an event gives the number to an order. If the event is never written, the key
//! stays under its number, and the next order gets it: so two payments at once, or a crash, neither lose a key nor give one twice.

use byteshop_domain::Kind;
use byteshop_domain::ids::Id as _;
use byteshop_domain::key_pool::{self, KeyPool, KeyRange, Pattern};
use byteshop_domain::quantity::Demand;
use byteshop_domain::text::LicenceKey;
use byteshop_eventstore::{StoreError, random};
use uuid::Uuid;

use crate::engine::error::Error;
use crate::engine::unit::Unit;

/// Keys that are written with one statement: some 300 KB.
const CHUNK: usize = 2_000;
/// How often a key is made again because the pool has the same one: two of 65 random bits are the same about never.
const ATTEMPTS: u32 = 4;
/// Random bytes that are taken from the system at a time.
const BLOCK: usize = 64;

/// Makes the keys of the pieces of an order whose pools generate theirs.
pub(crate) async fn make(unit: &Unit, lines: &[Demand]) -> Result<(), Error> {
    for Demand { variant, quantity } in lines {
        let pool = unit.load::<KeyPool>(key_pool::id(*variant)).await?;
        let Some(pattern) = &pool.state.pattern else { continue };
        for KeyRange { first, count, .. } in pool.state.next_keys(*quantity)? {
            let numbers: Vec<u32> = (first..first + count).collect();
            for some in numbers.chunks(CHUNK) {
                make_some(unit, variant.uuid(), pattern, some).await?;
            }
        }
    }
    Ok(())
}

async fn make_some(unit: &Unit, pool: Uuid, pattern: &Pattern, numbers: &[u32]) -> Result<(), Error> {
    let mut lacking = numbers.to_vec();
    for _ in 0..ATTEMPTS {
        let mut keys = Vec::with_capacity(lacking.len());
        for number in lacking {
            keys.push((number, key_of(pattern)?));
        }
        lacking = unit.commands().vault().add_generated_keys(pool, &keys).await?;
        if lacking.is_empty() {
            return Ok(());
        }
    }
    Err(Error::Store(StoreError::Unavailable("no key was found that the pool does not have".into())))
}

fn key_of(pattern: &Pattern) -> Result<LicenceKey, Error> {
    let mut bytes = Vec::with_capacity(pattern.random_bytes() + BLOCK);
    while bytes.len() < pattern.random_bytes() {
        bytes.extend(random::<BLOCK>().map_err(StoreError::from)?);
    }
    let key = pattern.key(&bytes);
    key.ok_or_else(|| Error::refused("key_pool.generated", Kind::Conflict, "the pattern makes no key"))
}
