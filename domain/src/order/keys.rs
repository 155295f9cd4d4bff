//! The keys of an order: the first key of a variant is of its first piece, buyers are shown them in that order, and pieces that
//! are given back give up the last ones.

use chrono::{DateTime, Utc};

use super::commands::Wanted;
use super::delivered::{Delivered, Shown};
use super::rejections::KEYS_SHOWN_MAX;
use super::{Decision, Event, LineKeys, Placed, Rejection, RevokedKeys};
use crate::ids::VariantId;
use crate::key_pool::{count_of, part_of};
use crate::licence::KeyNumber;
use crate::quantity::{Demand, Quantity};

impl Placed {
    /// The pieces for which keys are delivered, summed per variant, without those that are cancelled.
    pub fn keyed(&self) -> Vec<Demand> {
        let is_keyed = |variant| self.placement.lines.iter().any(|line| line.keys && line.variant == variant);
        self.demands().into_iter().filter(|line| is_keyed(line.variant)).collect()
    }

    /// The keys of a variant that the buyer can see: those of pieces that are neither given back nor on their way back.
    pub fn keys_left(&self, variant: VariantId) -> i64 {
        (self.keys_kept(variant) - self.coming_back(variant)).max(0)
    }

    /// The keys of a variant that are not revoked; some of them may be on their way back.
    pub fn keys_kept(&self, variant: VariantId) -> i64 {
        self.keys.get(&variant).map_or(0, |it| (count_of(&it.keys) - self.given_up(variant)).max(0))
    }

    /// Whether the buyer can see a key of a variant; none if the order did not get it.
    pub fn shows(&self, key: KeyNumber) -> Option<bool> {
        let mut before = 0;
        for range in &self.keys.get(&key.variant)?.keys {
            let is_in = range.batch == key.batch && (range.first..range.first + range.count).contains(&key.number);
            if is_in {
                return Some(before + i64::from(key.number - range.first) < self.keys_left(key.variant));
            }
            before += i64::from(range.count);
        }
        None
    }

    /// The pieces whose keys are not revoked.
    pub fn pieces_with_keys(&self) -> Vec<Demand> {
        let kept = |variant: &VariantId| {
            Some(Demand { variant: *variant, quantity: Quantity::new(self.keys_kept(*variant)).ok()? })
        };
        self.keys.keys().filter_map(kept).collect()
    }

    /// The keys that are revoked when the order gives up these pieces: the last ones.
    pub fn keys_given_up_with(&self, lines: &[Demand]) -> Vec<RevokedKeys> {
        let of_line = |Demand { variant, quantity }: &Demand| {
            let delivered = self.keys.get(variant)?;
            let kept = self.keys_kept(*variant);
            let count = quantity.get().min(kept);
            let keys = part_of(&delivered.keys, kept - count, count);
            let revealed = (delivered.revealed.min(kept) - (kept - count)).max(0);
            (count > 0).then_some(RevokedKeys { variant: *variant, keys, revealed, taken: None })
        };
        lines.iter().filter_map(of_line).collect()
    }

    /// The keys to show, at most [`KEYS_SHOWN_MAX`].
    pub fn keys_to_show(&self, wanted: &Wanted) -> Result<Vec<Shown>, Rejection> {
        let mut room = KEYS_SHOWN_MAX;
        let mut shown = Vec::new();
        for (variant, delivered) in &self.keys {
            let (left, from) = (self.keys_left(*variant), wanted.from.get());
            if wanted.variant.is_some_and(|wanted| wanted != *variant) || left < from {
                continue;
            }
            if from > delivered.revealed + 1 {
                return Err(Rejection::KeysInTurn { revealed: delivered.revealed });
            }
            let all = left - from + 1;
            let count = wanted.quantity.map_or(all, |quantity| quantity.get().min(all)).min(room);
            room -= count;
            let keys = part_of(&delivered.keys, from - 1, count);
            shown.push(Shown { variant: *variant, from, keys, more: all - count });
        }
        if shown.is_empty() { Err(Rejection::NoKeys) } else { Ok(shown) }
    }

    pub(super) fn reveal_keys(&self, wanted: &Wanted, at: DateTime<Utc>) -> Decision {
        let new = |shown: &Shown| {
            let until = shown.from - 1 + count_of(&shown.keys);
            let seen = self.keys.get(&shown.variant).map_or(0, |it| it.revealed);
            let quantity = Quantity::new(until).ok().filter(|_| until > seen)?;
            Some(Demand { variant: shown.variant, quantity })
        };
        let lines: Vec<Demand> = self.keys_to_show(wanted)?.iter().filter_map(new).collect();
        // The buyer has seen all of them before.
        Ok(if lines.is_empty() { vec![] } else { vec![Event::KeysRevealed { lines, at }] })
    }

    /// How many keys of a variant were given up, and how many of those the buyer had seen.
    pub fn revoked_keys(&self, variant: VariantId) -> (i64, i64) {
        let Some(delivered) = self.keys.get(&variant) else { return (0, 0) };
        let revoked = self.given_up(variant);
        let kept = count_of(&delivered.keys) - revoked;
        (revoked, (delivered.revealed - kept).max(0))
    }

    pub(super) fn note_keys(&mut self, lines: &[LineKeys]) {
        let delivered = |line: &LineKeys| {
            let (keys, gift_cards) = (line.keys.clone(), line.gift_cards.clone());
            (line.variant, Delivered { keys, revealed: 0, revealed_at: None, gift_cards })
        };
        self.keys = lines.iter().map(delivered).collect();
    }

    pub(super) fn note_revealed(&mut self, lines: &[Demand], at: DateTime<Utc>) {
        for line in lines {
            if let Some(delivered) = self.keys.get_mut(&line.variant) {
                (delivered.revealed, delivered.revealed_at) = (line.quantity.get(), Some(at));
            }
        }
    }

    pub(super) fn note_keys_refunded(&mut self, revoked: &[RevokedKeys]) {
        for RevokedKeys { variant, keys, .. } in revoked {
            *self.keys_refunded.entry(*variant).or_default() += count_of(keys);
        }
    }
}
