//! How disputes look from outside.

use byteshop_domain::Personal;
use byteshop_domain::dispute::{Cause, Evidence, Known, Status};
use byteshop_domain::ids::{CreditNoteId, DisputeId, OrderId, PaymentId, SellerId};
use byteshop_domain::money::Money;
use byteshop_domain::payment_provider::Provider;
use byteshop_domain::text::{Comment, FileName, Reference};
use byteshop_projections::dispute_list::{Row, RowShare};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// A dispute about a payment.
#[derive(Serialize, ToSchema)]
pub struct Dispute<'a> {
    id: DisputeId,
    payment: PaymentId,
    order: OrderId,
    /// The provider that decides; null if staff records the outcome.
    provider: Option<Provider>,
    /// What the provider or the bank calls it.
    reference: &'a Reference,
    cause: Cause,
    /// What the buyer claims.
    amount: Money,
    /// What the payment held of it when it was opened: what was refunded before cannot be lost again.
    held: Money,
    status: Status,
    /// Until when the shop can answer; null if it is not known.
    respond_by: Option<DateTime<Utc>>,
    /// The evidence that staff submitted, oldest first.
    evidence: Vec<DisputeEvidence<'a>>,
    /// What the buyer got back; null unless it is lost.
    lost: Option<Money>,
    /// What the provider or the bank charges for it; null if nothing.
    fee: Option<Money>,
    /// The credit note of what was lost; null if there is none.
    credit_note: Option<CreditNoteId>,
    /// The sellers with a part of the order, what is kept back of the balance of each while the dispute is open, and what the loss took.
    shares: Vec<RowShare>,
    opened_at: DateTime<Utc>,
}

/// Evidence for a dispute.
#[derive(Serialize, ToSchema)]
pub struct DisputeEvidence<'a> {
    /// Its number in the dispute, from 1.
    number: usize,
    /// What staff wrote; null if it is a file, and once the buyer was erased.
    text: Option<&'a Personal<Comment>>,
    /// The file that staff sent; null if it is a text.
    file: Option<DisputeEvidenceFile<'a>>,
    at: DateTime<Utc>,
}

/// A file that was submitted as evidence.
#[derive(Serialize, ToSchema)]
pub struct DisputeEvidenceFile<'a> {
    /// Null once the buyer was erased: then the file cannot be downloaded.
    name: Option<&'a Personal<FileName>>,
    media_type: &'static str,
    bytes: u64,
}

impl<'a> DisputeEvidence<'a> {
    fn of(number: usize, it: &'a Evidence) -> Self {
        let file = it.file.as_ref().map(|file| DisputeEvidenceFile {
            name: Some(&file.name),
            media_type: file.media_type.media_type(),
            bytes: file.bytes,
        });
        Self { number, text: it.text.as_ref(), file, at: it.at }
    }
}

impl<'a> Dispute<'a> {
    /// A dispute as staff sees it.
    pub fn of(id: DisputeId, it: &'a Known) -> Self {
        let opening = &it.opening;
        Self {
            id,
            payment: opening.payment,
            order: opening.order,
            provider: opening.provider,
            reference: &opening.reference,
            cause: opening.cause,
            amount: opening.amount,
            held: opening.held,
            status: it.status,
            respond_by: opening.respond_by,
            evidence: (1..).zip(&it.evidence).map(|(number, it)| DisputeEvidence::of(number, it)).collect(),
            lost: it.lost,
            fee: it.fee,
            credit_note: it.credit_note,
            shares: opening.shares.iter().map(|share| RowShare::from(share).lost(&it.taken)).collect(),
            opened_at: it.opened_at,
        }
    }
}

/// A page of the disputes of a seller.
#[derive(Serialize, ToSchema)]
pub struct SellerDisputePage {
    items: Vec<SellerDispute>,
    /// The cursor of the next page.
    next: Option<String>,
}

impl SellerDisputePage {
    /// The disputes of rows.
    pub fn of(seller: SellerId, rows: &[Row], next: Option<String>) -> Self {
        Self { items: rows.iter().filter_map(|row| SellerDispute::of(row, seller)).collect(), next }
    }
}

/// A dispute about an order with a part of a seller, as its members see it.
#[derive(Serialize, ToSchema)]
pub struct SellerDispute {
    id: DisputeId,
    order: OrderId,
    cause: Cause,
    status: Status,
    /// What is kept back of the balance of the seller while the dispute is open.
    amount: Money,
    /// What the loss took from the seller; null unless the dispute is lost, and if it was lost before the shop recorded this.
    lost: Option<Money>,
    /// Until when the shop can answer; null if it is not known.
    respond_by: Option<DateTime<Utc>>,
    opened_at: DateTime<Utc>,
    /// When it last changed.
    changed_at: DateTime<Utc>,
}

impl SellerDispute {
    /// The dispute of a row; none if the seller has no part of its order.
    fn of(row: &Row, seller: SellerId) -> Option<Self> {
        let share = row.shares.iter().find(|share| share.seller == seller)?;
        let RowShare { amount, lost, .. } = *share;
        let Row { id, order, cause, status, respond_by, opened_at, changed_at, .. } = *row;
        Some(Self { id, order, cause, status, amount, lost, respond_by, opened_at, changed_at })
    }
}
