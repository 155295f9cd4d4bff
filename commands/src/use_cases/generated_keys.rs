//! Generating keys, and the codes of gift cards: those that an order is about to get are made before it gets them, with randomness of
//! the system.
//!
//! A key is written under its number first, and then an event gives the number to an order. If the event is never written, the key
//! stays under its number, and the next order gets it: so two payments at once, or a crash, neither lose a key nor give one twice.

use byteshop_domain::Kind;
use byteshop_domain::gift_card_delivery::Cards;
use byteshop_domain::ids::Id as _;
use byteshop_domain::key_pool::{self, KeyPool, KeyRange, Pattern};
use byteshop_domain::quantity::Demand;
use byteshop_domain::stored_value::{CODE_BYTES, GiftCode};
use byteshop_domain::text::LicenceKey;
use byteshop_eventstore::{StoreError, random};
use uuid::Uuid;

use crate::engine::error::Error;
use crate::engine::unit::Unit;
use crate::use_cases::stored_values::id_of;

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
        let Some(form) = Form::of(&pool.state) else { continue };
        for KeyRange { first, count, .. } in pool.state.next_keys(*quantity)? {
            let numbers: Vec<u32> = (first..first + count).collect();
            for some in numbers.chunks(CHUNK) {
                make_some(unit, variant.uuid(), form, some).await?;
            }
        }
    }
    Ok(())
}

async fn make_some(unit: &Unit, pool: Uuid, form: Form<'_>, numbers: &[u32]) -> Result<(), Error> {
    let mut lacking = numbers.to_vec();
    for _ in 0..ATTEMPTS {
        let mut keys = Vec::with_capacity(lacking.len());
        for number in lacking {
            keys.push((number, form.key()?));
        }
        lacking = unit.commands().vault().add_generated_keys(pool, &keys).await?;
        if lacking.is_empty() {
            return Ok(());
        }
    }
    Err(Error::Store(StoreError::Unavailable("no key was found that the pool does not have".into())))
}

/// What the keys of a pool are made by.
#[derive(Clone, Copy)]
enum Form<'a> {
    Pattern(&'a Pattern),
    GiftCode,
}

impl<'a> Form<'a> {
    /// None if the keys are imported.
    fn of(pool: &'a KeyPool) -> Option<Self> {
        let cards = pool.gift_cards.map(|_| Self::GiftCode);
        cards.or(pool.pattern.as_ref().map(Self::Pattern))
    }

    fn key(self) -> Result<LicenceKey, Error> {
        match self {
            Self::Pattern(pattern) => key_of(pattern),
            Self::GiftCode => {
                let code = GiftCode::of(random::<CODE_BYTES>().map_err(StoreError::from)?);
                let text = LicenceKey::new(&code.to_string());
                text.map_err(|error| Error::refused("stored_value.code", Kind::Invalid, error.to_string()))
            }
        }
    }
}

/// The gift cards of which the next keys of these pools are the codes, in the order of the keys; the keys are made already.
pub(crate) async fn gift_cards(unit: &Unit, lines: &[Demand]) -> Result<Cards, Error> {
    let (mut all, vault) = (Cards::new(), unit.commands().vault());
    for Demand { variant, quantity } in lines {
        let pool = unit.load::<KeyPool>(key_pool::id(*variant)).await?;
        if pool.state.gift_cards.is_none() {
            continue;
        }
        let mut cards = Vec::new();
        for sealed in vault.pool_keys(variant.uuid(), &pool.state.next_keys(*quantity)?).await? {
            let code = vault.open(&sealed).await?.and_then(|code| GiftCode::read(code.as_str()).ok());
            let lost = || Error::Store(StoreError::Unavailable("the code of a gift card cannot be read".into()));
            cards.push(id_of(unit.commands(), &code.ok_or_else(lost)?).await?);
        }
        all.insert(*variant, cards);
    }
    Ok(all)
}

fn key_of(pattern: &Pattern) -> Result<LicenceKey, Error> {
    let mut bytes = Vec::with_capacity(pattern.random_bytes() + BLOCK);
    while bytes.len() < pattern.random_bytes() {
        bytes.extend(random::<BLOCK>().map_err(StoreError::from)?);
    }
    let key = pattern.key(&bytes);
    key.ok_or_else(|| Error::refused("key_pool.generated", Kind::Conflict, "the pattern makes no key"))
}
