//! The downloads of an order: its buyer has those of the pieces that are paid and not given back.

use super::{PaymentStatus, Placed, Status};
use crate::download::Rejection;
use crate::ids::VariantId;
use crate::quantity::{Demand, Quantity};

impl Placed {
    /// The pieces that are delivered as downloads, summed per variant, without those that are cancelled.
    pub fn downloadable(&self) -> Vec<Demand> {
        self.demands().into_iter().filter(|line| self.is_downloadable(line.variant)).collect()
    }

    /// Whether the pieces of a variant are delivered as downloads.
    pub fn is_downloadable(&self, variant: VariantId) -> bool {
        self.placement.lines.iter().any(|line| line.downloads && line.variant == variant)
    }

    /// Refuses the downloads of an order that is not paid, or is not any more.
    pub fn check_downloads(&self) -> Result<(), Rejection> {
        match self.progress.payment_status {
            PaymentStatus::Awaiting | PaymentStatus::Authorized | PaymentStatus::OnDelivery | PaymentStatus::Voided => {
                Err(Rejection::Unpaid)
            }
            PaymentStatus::Paid
            | PaymentStatus::PartlyRefunded
            | PaymentStatus::Refunded
            | PaymentStatus::RefundDue => Ok(()),
        }
    }

    /// The pieces of a variant whose downloads the buyer has: none on their way back is among them.
    pub fn downloads_left(&self, variant: VariantId) -> i64 {
        (self.downloads_kept(variant) - self.coming_back(variant)).max(0)
    }

    /// The pieces of a variant whose downloads are not revoked; some of them may be on their way back.
    pub fn downloads_kept(&self, variant: VariantId) -> i64 {
        let is_delivered = match self.progress.status {
            Status::Open | Status::Completed => self.is_paid(),
            Status::Cancelled | Status::Expired => false,
        };
        let kept = self.bought(variant) - self.off(variant) - self.given_up(variant);
        if is_delivered && self.is_downloadable(variant) { kept.max(0) } else { 0 }
    }

    /// The pieces of a variant whose keys or downloads are not revoked.
    pub(super) fn kept_of_delivered(&self, variant: VariantId) -> i64 {
        // A piece with both gives up both at once.
        if self.keys.contains_key(&variant) { self.keys_kept(variant) } else { self.downloads_kept(variant) }
    }

    /// Whether keys or downloads of the order were given up.
    pub fn has_given_up_deliveries(&self) -> bool {
        let is_delivered = |variant: &VariantId| self.keys.contains_key(variant) || self.is_downloadable(*variant);
        self.variants().iter().filter(|variant| is_delivered(variant)).any(|variant| self.given_up(*variant) > 0)
    }

    /// The pieces whose keys or downloads are not revoked.
    pub fn pieces_to_revoke(&self) -> Vec<Demand> {
        let kept = |variant: VariantId| {
            Some(Demand { variant, quantity: Quantity::new(self.kept_of_delivered(variant)).ok()? })
        };
        self.variants().into_iter().filter_map(kept).collect()
    }

    /// The pieces among these that have downloads and no keys: keys say themselves that they are given up.
    pub(super) fn downloads_given_up_with(&self, lines: &[Demand]) -> Vec<Demand> {
        let is_download = |line: &&Demand| !self.keys.contains_key(&line.variant) && self.is_downloadable(line.variant);
        lines.iter().filter(is_download).copied().collect()
    }

    pub(super) fn note_downloads_refunded(&mut self, lines: &[Demand]) {
        for Demand { variant, quantity } in lines {
            *self.keys_refunded.entry(*variant).or_default() += quantity.get();
        }
    }

    /// The lines without those whose pieces are keys or downloads: there is nothing to send back or to put in stock.
    pub fn goods_among(&self, lines: Vec<Demand>) -> Vec<Demand> {
        let is_goods = |line: &Demand| !self.keys.contains_key(&line.variant) && !self.is_downloadable(line.variant);
        lines.into_iter().filter(is_goods).collect()
    }
}
