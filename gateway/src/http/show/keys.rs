//! How pools of keys look from outside: in numbers, and never with a key.

use byteshop_commands::key_upload::{Fault, Report};
use byteshop_commands::use_cases::keys::Pool;
use byteshop_domain::ids::{ProductId, VariantId};
use byteshop_domain::key_pool::{Batch, Pattern};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::text::Sku;
use serde::Serialize;
use utoipa::ToSchema;

/// The gift cards that a variant delivers.
#[derive(Serialize, ToSchema)]
struct GiftCardTerms {
    /// For how many days after the payment a card is valid; null for ever.
    days: Option<u32>,
}

/// The keys of a variant, in numbers.
#[derive(Serialize, ToSchema)]
pub struct KeyPool<'a> {
    variant: VariantId,
    product: Option<ProductId>,
    sku: Option<&'a Sku>,
    /// The pattern by which keys are generated; null if they are imported.
    #[schema(default = json!({"x-schema": {"example": "ACME-{8}-{8}"}}))]
    pattern: Option<&'a str>,
    /// The gift cards of which the keys are the codes; null if they are no gift cards.
    gift_cards: Option<GiftCardTerms>,
    /// On how many machines a key can be active; null for no limit of the variant.
    activations: Option<Quantity>,
    /// Keys that were imported. With the generated ones: those available, reserved, assigned and withdrawn.
    imported: i64,
    /// Keys that were generated for the orders that got them.
    generated: i64,
    /// Keys that can be sold; 1,000,000,000 without the reserved ones if they are generated.
    available: i64,
    /// Keys that orders reserve until they are paid.
    reserved: i64,
    /// Keys that paid orders have got.
    assigned: i64,
    /// Keys that were withdrawn before they were sold.
    withdrawn: i64,
    /// Keys among the assigned ones whose pieces were given back.
    revoked: i64,
    /// Keys among the revoked ones that their buyer had seen: they may be used.
    revoked_revealed: i64,
    /// Staff is told when fewer keys are unsold; null if not.
    alert_below: Option<Quantity>,
    /// Whether fewer keys are unsold than that.
    low: bool,
    batches: Vec<KeyBatch>,
}

/// A batch of keys: those of one import.
#[derive(Serialize, ToSchema)]
struct KeyBatch {
    /// Its number.
    batch: u32,
    /// Keys that were imported.
    imported: u32,
    /// Unsold keys, reserved or not.
    left: u32,
    /// Keys that paid orders have got.
    assigned: u32,
    /// Keys that were withdrawn.
    withdrawn: u32,
}

impl From<&Batch> for KeyBatch {
    fn from(it: &Batch) -> Self {
        let (imported, assigned, withdrawn) = (it.count, it.next, it.count - it.end);
        Self { batch: it.batch, imported, left: it.left(), assigned, withdrawn }
    }
}

impl<'a> KeyPool<'a> {
    /// The pool as it is.
    pub fn of(variant: VariantId, it: &'a Pool) -> Self {
        let (pool, stock) = (&it.pool.state, &it.stock.state);
        let batches: Vec<KeyBatch> = pool.batches.iter().map(KeyBatch::from).collect();
        Self {
            variant,
            product: pool.product,
            sku: pool.sku.as_ref(),
            activations: pool.activations,
            pattern: pool.pattern.as_ref().map(Pattern::as_str),
            gift_cards: pool.gift_cards.map(|cards| GiftCardTerms { days: cards.days }),
            imported: pool.counts.imported,
            generated: pool.counts.generated,
            available: stock.available(),
            reserved: stock.reserved,
            assigned: pool.counts.assigned,
            withdrawn: pool.counts.withdrawn,
            revoked: pool.counts.revoked,
            revoked_revealed: pool.counts.revoked_revealed,
            alert_below: pool.counts.alert_below,
            low: pool.counts.low,
            batches,
        }
    }
}

/// The outcome of an import.
#[derive(Serialize, ToSchema)]
pub struct KeyImport<'a> {
    /// The batch of the imported keys; null if there are none.
    batch: Option<u32>,
    /// Keys that were imported.
    imported: i64,
    /// Lines with a key that the pool has already, or that an earlier line has.
    duplicates: i64,
    /// Lines that are not keys.
    rejected: i64,
    /// The first lines that were not imported.
    faults: Vec<FaultyKeyLine>,
    pool: KeyPool<'a>,
}

/// A line that was not imported.
#[derive(Serialize, ToSchema)]
struct FaultyKeyLine {
    /// The number of the line, from 1.
    line: u64,
    fault: KeyFault,
}

/// What is wrong with a line.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum KeyFault {
    /// It is empty.
    Blank,
    /// The key is too long.
    TooLong,
    /// It has control characters, or is not UTF-8.
    Characters,
    /// It has characters that no reader sees.
    Invisible,
    /// The pool has the key already, or an earlier line has it.
    Duplicate,
}

impl From<Fault> for KeyFault {
    fn from(it: Fault) -> Self {
        match it {
            Fault::Blank => Self::Blank,
            Fault::TooLong => Self::TooLong,
            Fault::Characters => Self::Characters,
            Fault::Invisible => Self::Invisible,
            Fault::Duplicate => Self::Duplicate,
        }
    }
}

impl<'a> KeyImport<'a> {
    /// What became of an upload.
    pub fn of(variant: VariantId, batch: u32, report: &Report, pool: &'a Pool) -> Self {
        let faults: Vec<FaultyKeyLine> = report
            .faults
            .iter()
            .map(|faulty| FaultyKeyLine { line: faulty.line, fault: faulty.fault.into() })
            .collect();
        Self {
            batch: (report.imported > 0).then_some(batch),
            imported: report.imported,
            duplicates: report.duplicates,
            rejected: report.rejected,
            faults,
            pool: KeyPool::of(variant, pool),
        }
    }
}
