//! Disputes v1: open, provide evidence, accept, decide.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::amount::Amount;
use super::books::{Books, link, seconds, text};
use super::fault::{Answer, Fault, Outcome};
use super::payments::GivenBack;
use super::records::{Cause, Dispute, DisputeOutcome, DisputeStatus, SentFile};

/// Days within which the merchant answers; afterwards the buyer gets the money.
const RESPONSE_DAYS: i64 = 10;
/// Disputes of a page, unless the request says otherwise.
const PAGE: usize = 10;
/// Most disputes of a page.
const PAGE_MAX: usize = 50;
/// The reason of a dispute that names none.
const NOT_RECEIVED: &str = "MERCHANDISE_OR_SERVICE_NOT_RECEIVED";

impl Books {
    /// Opens a dispute about a capture: about all that can be refunded, or about the amount that is given.
    pub(super) fn open_dispute(
        &mut self,
        capture: &str,
        value: Option<&str>,
        reason: Option<&str>,
        now: DateTime<Utc>,
    ) -> Outcome {
        let found = self.captures.get(capture).ok_or_else(Fault::missing)?;
        let amount = match value {
            None => found.amount.of(found.refundable()),
            Some(value) => Amount::parse(found.amount.code(), value)
                .map_err(|_| Fault::invalid_v1("amount", "the amount is not valid for the currency of the capture"))?,
        };
        if amount.minor <= 0 || amount.minor > found.refundable() {
            return Err(Fault::unprocessable("REFUND_AMOUNT_EXCEEDED"));
        }
        let id = format!("PP-R-{}", self.new_id(12));
        let respond_by = now + TimeDelta::days(RESPONSE_DAYS);
        let dispute = Dispute {
            id: id.clone(),
            capture: capture.to_owned(),
            amount,
            reason: reason.unwrap_or(NOT_RECEIVED).to_owned(),
            status: DisputeStatus::WaitingForSellerResponse,
            outcome: None,
            refunded: None,
            evidence: Vec::new(),
            files: Vec::new(),
            created: now,
            updated: now,
            respond_by,
        };
        if let Some(capture) = self.captures.get_mut(capture) {
            capture.disputed += amount.minor;
        }
        self.disputes.insert(id.clone(), dispute);
        self.look_again(respond_by, &id);
        self.tell_dispute(&id, "CUSTOMER.DISPUTE.CREATED", now);
        let shown = self.get_dispute(&id)?;
        Ok(Answer { status: 201, ..shown })
    }

    fn tell_dispute(&mut self, id: &str, kind: &str, now: DateTime<Utc>) {
        if let Some(shown) = self.disputes.get(id).map(|it| self.show_dispute(it, true)) {
            self.tell(kind, "dispute", "A dispute changed", &shown, now);
        }
    }

    /// The disputes that match a query, the newest first.
    pub(super) fn list_disputes(&self, query: &[(String, String)]) -> Outcome {
        let asked = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let time = |name: &str| -> Outcome<Option<DateTime<Utc>>> {
            let read = |text| DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
            asked(name).map(read).transpose().map_err(|_| Fault::invalid_v1(name, "is not a time"))
        };
        let (start, before, after) = (time("start_time")?, time("update_time_before")?, time("update_time_after")?);
        let states = asked("dispute_state").map(|it| it.split(',').collect::<Vec<_>>());
        let matches = |it: &&Dispute| {
            start.is_none_or(|start| it.created >= start)
                && before.is_none_or(|before| it.updated <= before)
                && after.is_none_or(|after| it.updated >= after)
                && asked("disputed_transaction_id").is_none_or(|id| it.capture == id)
                && states.as_ref().is_none_or(|states| states.contains(&state(it)))
        };
        let number = |name| asked(name).and_then(|it| it.parse::<usize>().ok());
        let size = number("page_size").unwrap_or(PAGE).clamp(1, PAGE_MAX);
        let skipped = number("next_page_token").unwrap_or_default();
        let mut found = self.disputes.values().rev().filter(matches).skip(skipped);
        let items: Vec<Value> = found.by_ref().take(size).map(|it| self.show_dispute(it, false)).collect();
        let at = format!("{}/v1/customer/disputes", self.base);
        let mut links = vec![link(at.clone(), "self", "GET")];
        if found.next().is_some() {
            let next = format!("{at}?page_size={size}&next_page_token={}", skipped + size);
            links.push(link(next, "next", "GET"));
        }
        let mut page = json!({"links": links});
        // The document has no empty list.
        if !items.is_empty() {
            page["items"] = json!(items);
        }
        Ok(Answer::new(200, page))
    }

    /// Shows a dispute.
    pub(super) fn get_dispute(&self, id: &str) -> Outcome {
        let dispute = self.disputes.get(id).ok_or_else(Fault::missing_v1)?;
        Ok(Answer::new(200, self.show_dispute(dispute, true)))
    }

    /// A dispute that the merchant can answer.
    fn unanswered(&mut self, id: &str) -> Outcome<&mut Dispute> {
        let dispute = self.disputes.get_mut(id).ok_or_else(Fault::missing_v1)?;
        if dispute.status == DisputeStatus::WaitingForSellerResponse {
            return Ok(dispute);
        }
        Err(Fault::new(422, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE", "The dispute does not wait for the seller."))
    }

    /// Takes the merchant's evidence; then PayPal decides.
    pub(super) fn provide_evidence(
        &mut self,
        id: &str,
        body: &Value,
        files: &[SentFile],
        now: DateTime<Utc>,
    ) -> Outcome {
        let evidence = body.get("evidences").and_then(Value::as_array).filter(|all| !all.is_empty());
        let evidence = evidence.ok_or_else(|| Fault::invalid_v1("evidences", "MISSING_REQUIRED_PARAMETER"))?.clone();
        let dispute = self.unanswered(id)?;
        dispute.evidence.extend(evidence);
        dispute.files.extend_from_slice(files);
        dispute.status = DisputeStatus::UnderReview;
        dispute.updated = now;
        self.tell_dispute(id, "CUSTOMER.DISPUTE.UPDATED", now);
        Ok(self.next_steps(id))
    }

    /// Gives the buyer what they claim, or a part of it.
    pub(super) fn accept_claim(&mut self, id: &str, body: &Value, now: DateTime<Utc>) -> Outcome {
        let dispute = self.unanswered(id)?;
        let claimed = dispute.amount;
        let part = |name: &str| text(body, &format!("/refund_amount/{name}")).unwrap_or_default();
        let amount = if body.get("refund_amount").is_some() {
            Amount::parse(&part("currency_code"), &part("value"))
                .ok()
                .filter(|it| it.is_same_currency(claimed) && it.minor > 0 && it.minor <= claimed.minor)
        } else {
            Some(claimed)
        };
        let amount = amount.ok_or_else(|| Fault::invalid_v1("refund_amount", "INVALID_REFUND_AMOUNT"))?;
        self.resolve(id, DisputeOutcome::Accepted, Some((amount, Cause::ClaimAccepted)), now);
        Ok(self.next_steps(id))
    }

    /// Decides a dispute, as PayPal does when both sides were heard.
    pub(super) fn decide(&mut self, id: &str, outcome: DisputeOutcome, now: DateTime<Utc>) -> Outcome {
        let dispute = self.disputes.get(id).ok_or_else(Fault::missing_v1)?;
        if dispute.status == DisputeStatus::Resolved {
            return Err(Fault::new(422, "DISPUTE_ALREADY_RESOLVED", "The dispute is resolved."));
        }
        let lost = Some((dispute.amount, Cause::DisputeLost));
        let back = match outcome {
            DisputeOutcome::ResolvedBuyerFavour => lost,
            DisputeOutcome::Accepted => Some((dispute.amount, Cause::ClaimAccepted)),
            DisputeOutcome::ResolvedSellerFavour | DisputeOutcome::CanceledByBuyer => None,
        };
        self.resolve(id, outcome, back, now);
        self.get_dispute(id)
    }

    /// Decides for the buyer when the merchant has not answered in time.
    pub(super) fn overdue(&mut self, id: &str, now: DateTime<Utc>) {
        let waits = |it: &Dispute| it.status == DisputeStatus::WaitingForSellerResponse;
        if let Some(dispute) = self.disputes.get(id).filter(|it| waits(it)) {
            let lost = Some((dispute.amount, Cause::DisputeLost));
            self.resolve(id, DisputeOutcome::ResolvedBuyerFavour, lost, now);
        }
    }

    fn resolve(&mut self, id: &str, outcome: DisputeOutcome, back: Option<(Amount, Cause)>, now: DateTime<Utc>) {
        let Some(dispute) = self.disputes.get_mut(id) else { return };
        dispute.status = DisputeStatus::Resolved;
        dispute.outcome = Some(outcome);
        dispute.refunded = back.map(|(amount, _)| amount);
        dispute.updated = now;
        let (capture, claimed) = (dispute.capture.clone(), dispute.amount);
        if let Some(capture) = self.captures.get_mut(&capture) {
            capture.disputed -= claimed.minor;
        }
        if let Some((amount, cause)) = back {
            let refund = self.give_back(&capture, GivenBack::of(amount, cause), now);
            let kind =
                if cause == Cause::ClaimAccepted { "PAYMENT.CAPTURE.REFUNDED" } else { "PAYMENT.CAPTURE.REVERSED" };
            self.tell_refund(&refund, kind, now);
        }
        self.tell_dispute(id, "CUSTOMER.DISPUTE.RESOLVED", now);
    }

    fn next_steps(&self, id: &str) -> Answer {
        let at = format!("{}/v1/customer/disputes/{id}", self.base);
        Answer::new(200, json!({"links": [link(at, "self", "GET")]}))
    }

    fn show_dispute(&self, it: &Dispute, is_full: bool) -> Value {
        let at = format!("{}/v1/customer/disputes/{}", self.base, it.id);
        let mut links = vec![link(at.clone(), "self", "GET")];
        let mut shown = json!({
            "dispute_id": it.id,
            "create_time": seconds(it.created),
            "update_time": seconds(it.updated),
            "reason": it.reason,
            "status": it.status,
            "dispute_state": state(it),
            "dispute_amount": it.amount.show(),
            "dispute_life_cycle_stage": "CHARGEBACK",
            "dispute_channel": "INTERNAL",
        });
        if it.status == DisputeStatus::WaitingForSellerResponse {
            shown["seller_response_due_date"] = json!(seconds(it.respond_by));
            for (path, rel) in [("provide-evidence", "provide_evidence"), ("accept-claim", "accept_claim")] {
                links.push(link(format!("{at}/{path}"), rel, "POST"));
            }
        }
        shown["links"] = json!(links);
        if !is_full {
            return shown;
        }
        if let Some(capture) = self.captures.get(&it.capture) {
            let mut transaction = json!({
                "seller_transaction_id": capture.id,
                "create_time": seconds(capture.created),
                "transaction_status": capture.status(),
                "gross_amount": capture.amount.show(),
                "buyer": {"name": "Sandy Buyer"},
            });
            if let Some(id) = &capture.payee.merchant_id {
                transaction["seller"] = json!({"merchant_id": id});
            }
            shown["disputed_transactions"] = json!([transaction]);
        }
        if let Some(outcome) = it.outcome {
            shown["dispute_outcome"] = json!({"outcome_code": outcome});
            if let Some(amount) = it.refunded {
                shown["dispute_outcome"]["amount_refunded"] = amount.show();
            }
        }
        if !it.evidence.is_empty() {
            shown["evidences"] = json!(it.evidence);
        }
        shown
    }
}

fn state(it: &Dispute) -> &'static str {
    match it.status {
        DisputeStatus::WaitingForSellerResponse => "REQUIRED_ACTION",
        DisputeStatus::UnderReview => "UNDER_PAYPAL_REVIEW",
        DisputeStatus::Resolved => "RESOLVED",
    }
}
