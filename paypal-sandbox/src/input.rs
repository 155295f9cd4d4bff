//! Inputs: everything that changes the books. The books follow from the inputs and their times alone, so the inputs are what is saved.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::books::{Books, Remembered};
use super::dice::{Chance, roll};
use super::fault::{Answer, Fault, Outcome};
use super::operation::Operation;
use super::orders::Choice;
use super::records::{DisputeOutcome, SentFile};
use super::switches::Switches;

/// A request to PayPal's interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Call {
    /// What is asked.
    pub operation: Operation,
    /// The id in the path.
    pub id: String,
    /// The `PayPal-Request-Id`.
    pub request_id: Option<String>,
    /// The account for which a platform asks, by its `PayPal-Auth-Assertion`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<String>,
    /// Whether the whole thing is shown, and not only its id, status and links.
    pub is_full: bool,
    /// The body, or null.
    pub body: Value,
    /// The files that came with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<SentFile>,
}

/// An input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Input {
    /// A request.
    Call(Call),
    /// The buyer chooses on the approval page.
    Choose { order: String, choice: Choice },
    /// A dispute is opened.
    Dispute { capture: String, amount: Option<String>, reason: Option<String> },
    /// A dispute is decided.
    Decide { dispute: String, outcome: DisputeOutcome },
    /// A capture is reversed.
    Reverse { capture: String },
    /// The switches are set.
    Switch { switches: Switches },
    /// The clock is advanced.
    Advance { seconds: u32 },
    /// A webhook is registered at the start.
    Register { id: String, url: String },
    /// An attempt of a delivery ended.
    Delivered { due: DateTime<Utc>, number: u64, is_taken: bool },
    /// Time has passed.
    Tick {},
}

impl Books {
    /// Changes the books.
    pub(super) fn apply(&mut self, input: &Input, now: DateTime<Utc>) -> Answer {
        self.settle(now);
        self.react(input, now).unwrap_or_else(|fault| fault.answer(&self.debug_id(now)))
    }

    fn react(&mut self, input: &Input, now: DateTime<Utc>) -> Outcome {
        match input {
            Input::Call(call) => self.call(call, now),
            Input::Choose { order, choice } => {
                let next = self.choose(order, *choice, now)?;
                Ok(Answer { status: 200, body: next.map(Value::String) })
            }
            Input::Dispute { capture, amount, reason } => {
                self.open_dispute(capture, amount.as_deref(), reason.as_deref(), now)
            }
            Input::Decide { dispute, outcome } => self.decide(dispute, *outcome, now),
            Input::Reverse { capture } => self.reverse(capture, now),
            Input::Switch { switches } => {
                self.switches = switches.clone();
                Ok(Answer::empty(204))
            }
            Input::Advance { seconds } => {
                self.ahead_seconds += i64::from(*seconds);
                let then = now + TimeDelta::seconds(i64::from(*seconds));
                self.remembered.retain(|_, it| it.until > then);
                self.settle(then);
                Ok(Answer::empty(204))
            }
            Input::Register { id, url } => {
                self.register(id, url);
                Ok(Answer::empty(204))
            }
            Input::Delivered { due, number, is_taken } => {
                self.delivered(*due, *number, *is_taken, now);
                Ok(Answer::empty(204))
            }
            Input::Tick {} => Ok(Answer::empty(204)),
        }
    }

    /// Does what is due by itself, each thing at its own time.
    fn settle(&mut self, now: DateTime<Utc>) {
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((at, _), id) = entry.remove_entry();
            if self.batches.contains_key(&id) {
                self.carry_out(&id, at);
            } else if self.items.contains_key(&id) {
                self.return_unclaimed(&id, at);
            } else if self.authorizations.contains_key(&id) {
                self.expire(&id, at);
            } else {
                self.overdue(&id, at);
            }
        }
    }

    /// Executes a request, unless it is remembered: then it gets its first response. Only what was carried out is remembered.
    fn call(&mut self, call: &Call, now: DateTime<Utc>) -> Outcome {
        let hours = call.operation.row().remembered_hours;
        let name = call.request_id.clone().filter(|_| hours > 0);
        let name = name.map(|request_id| (call.operation, call.id.clone(), request_id));
        if let Some(first) = name.as_ref().and_then(|name| self.remembered.get(name)).filter(|it| now < it.until) {
            return if first.request == call.body { Ok(first.answer.clone()) } else { Err(Fault::conflict()) };
        }
        let answer = self.execute(call, now)?;
        if let Some(name) = name.filter(|_| answer.is_success()) {
            let until = now + TimeDelta::hours(hours);
            let remembered = Remembered { request: call.body.clone(), answer: answer.clone(), until };
            self.remembered.insert(name, remembered);
        }
        Ok(answer)
    }

    fn execute(&mut self, call: &Call, now: DateTime<Utc>) -> Outcome {
        let (id, body, is_full) = (call.id.as_str(), &call.body, call.is_full);
        if matches!(call.operation, Operation::Void | Operation::Refund) {
            self.ensure_asked_for_payee(id, call.merchant.as_deref())?;
        }
        match call.operation {
            Operation::CreateOrder => self.create_order(body, call.request_id.is_some(), is_full, now),
            Operation::AuthorizeOrder => self.authorize_order(id, is_full, now),
            Operation::CaptureOrder => self.capture_order(id, is_full, now),
            Operation::CaptureAuthorization => self.capture_authorization(id, body, is_full, now),
            Operation::Reauthorize => self.reauthorize(id, body, is_full, now),
            Operation::Void => self.void(id, is_full, now),
            Operation::Refund => self.refund(id, body, is_full, now),
            Operation::CreatePayout => self.create_payout(body, now),
            Operation::CancelPayoutItem => self.cancel_item(id, now),
            Operation::ProvideEvidence => self.provide_evidence(id, body, &call.files, now),
            Operation::AcceptClaim => self.accept_claim(id, body, now),
            Operation::CreateWebhook => self.create_webhook(body),
            Operation::DeleteWebhook => self.delete_webhook(id),
            Operation::ResendEvent => self.resend(id, body, now),
            Operation::GetOrder
            | Operation::GetAuthorization
            | Operation::GetCapture
            | Operation::GetRefund
            | Operation::GetPayout
            | Operation::GetPayoutItem
            | Operation::ListDisputes
            | Operation::GetDispute
            | Operation::ListWebhooks
            | Operation::GetWebhook
            | Operation::VerifySignature
            | Operation::ListEvents
            | Operation::GetEvent => self.read(call.operation, id, &[]),
        }
    }

    /// Answers a request that changes nothing.
    pub(super) fn look(
        &self,
        operation: Operation,
        id: &str,
        query: &[(String, String)],
        now: DateTime<Utc>,
    ) -> Answer {
        self.read(operation, id, query).unwrap_or_else(|fault| fault.answer(&self.debug_id(now)))
    }

    fn read(&self, operation: Operation, id: &str, query: &[(String, String)]) -> Outcome {
        match operation {
            Operation::GetOrder => self.get_order(id),
            Operation::GetAuthorization => self.get_authorization(id),
            Operation::GetCapture => self.get_capture(id),
            Operation::GetRefund => self.get_refund(id),
            Operation::GetPayout => self.get_payout(id, query),
            Operation::GetPayoutItem => self.get_item(id),
            Operation::ListDisputes => self.list_disputes(query),
            Operation::GetDispute => self.get_dispute(id),
            Operation::ListWebhooks => Ok(self.list_webhooks()),
            Operation::GetWebhook => self.get_webhook(id),
            Operation::ListEvents => self.list_events(query),
            Operation::GetEvent => self.get_event(id),
            Operation::CreateOrder
            | Operation::AuthorizeOrder
            | Operation::CaptureOrder
            | Operation::CaptureAuthorization
            | Operation::Reauthorize
            | Operation::Void
            | Operation::Refund
            | Operation::CreatePayout
            | Operation::CancelPayoutItem
            | Operation::ProvideEvidence
            | Operation::AcceptClaim
            | Operation::CreateWebhook
            | Operation::DeleteWebhook
            | Operation::VerifySignature
            | Operation::ResendEvent => Err(Fault::missing_v1()),
        }
    }

    /// Whether something is to be done by itself.
    pub(super) fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.due.first_key_value().is_some_and(|((at, _), _)| *at <= now)
    }

    /// An id for an error. It is not a part of the books.
    pub(super) fn debug_id(&self, now: DateTime<Utc>) -> String {
        let at = u64::try_from(now.timestamp_micros()).unwrap_or_default();
        format!("{:013x}", roll(self.seed, Chance::Id, at, 1 << 52))
    }
}

#[cfg(test)]
mod tests;
