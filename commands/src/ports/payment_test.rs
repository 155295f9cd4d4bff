//! The provider `test`: it moves no money, follows its tokens, and fails on request.
//!
//! It has books in a schema of its own, so it gives the same answers after any crash and from any process, and tests
//! can compare what it captured with the records of the shop.

use std::sync::{Arc, PoisonError, RwLock};

use byteshop_domain::Currency;
use byteshop_domain::ids::{Id as _, PaymentId, RefundId};
use byteshop_domain::ledger::Holding;
use byteshop_domain::money::Money;
use byteshop_domain::payment::{self, DeclineReason, ProviderOutcome, ProviderReference};
use byteshop_eventstore::emulator::{Books, Charge as Booked, NewCharge};
use byteshop_eventstore::{Clock, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, TryFutureExt as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Attempt, Begun, Charge, NoAnswer, NotAccepted, PaymentProvider, RefundAnswer};

/// How long a pending charge takes to settle.
const PENDING_FOR: TimeDelta = TimeDelta::seconds(2);
/// How long a person has to approve a charge.
const REDIRECT_FOR: TimeDelta = TimeDelta::minutes(15);
/// The maximum delay of a notification that is sent out of order.
const SHUFFLED_BY_MS: u128 = 2_000;
/// Copies of a notification at most.
const COPIES_MAX: u8 = 100;

/// The scenario of each token, and the initial state of its charge. docs/api/orders.md lists the tokens, and they never
/// change.
const TOKENS: [(&str, &str, &str); 9] = [
    ("tok_success", "success", "captured"),
    ("tok_declined", "declined", "declined"),
    ("tok_insufficient_funds", "insufficient", "insufficient"),
    ("tok_cancelled", "cancelled", "cancelled"),
    ("tok_failure", "failure", "failed"),
    ("tok_timeout", "timeout", "captured"),
    ("tok_pending_success", "pendingsuccess", "pending"),
    ("tok_pending_failure", "pendingfailure", "pending"),
    ("tok_redirect", "redirect", "pending"),
];

/// Whether a charge with this token waits for a person at the emulator's own page.
pub fn waits_for_a_person(token: &str) -> bool {
    TOKENS.iter().any(|(known, scenario, _)| *known == token && *scenario == "redirect")
}

/// The failure modes of the provider; none by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct FailureModes {
    /// The provider does not answer.
    pub silent: bool,
    /// The provider refuses refunds.
    pub refuses_refunds: bool,
    /// The provider notifies of every charge, not only of those whose outcome its response left open.
    pub tells_all: bool,
    /// Each notification is late by so many milliseconds.
    pub delay_ms: u32,
    /// Each notification is sent this many times more.
    pub duplicates: u8,
    /// The percentage of notifications that are lost.
    pub lost_percent: u8,
    /// Notifications overtake each other.
    pub shuffled: bool,
}

/// A person's decision about a charge that waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Pay.
    Approve,
    /// The bank refuses.
    Decline,
    /// Leave.
    Cancel,
}

/// The provider `test`. Clones share everything.
#[derive(Debug, Clone)]
pub struct TestProvider {
    books: Books,
    failure_modes: Arc<RwLock<FailureModes>>,
}

impl TestProvider {
    /// The provider with its books.
    pub fn new(books: Books) -> Self {
        Self { books, failure_modes: Arc::default() }
    }

    /// The books.
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// The failure modes.
    pub fn failure_modes(&self) -> FailureModes {
        *self.failure_modes.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the failure modes, in this process.
    pub fn behave(&self, failure_modes: FailureModes) {
        *self.failure_modes.write().unwrap_or_else(PoisonError::into_inner) = failure_modes;
    }

    /// A person decides a charge that waits for them; gives what it then is, none when there is no such charge.
    pub async fn decide(&self, payment: PaymentId, verdict: Verdict) -> Result<Option<Booked>, StoreError> {
        let Some(charge) = self.books.last_of(payment.uuid()).await? else { return Ok(None) };
        if charge.scenario != "redirect" || charge.state != "pending" {
            return Ok(Some(charge));
        }
        let to = match verdict {
            Verdict::Approve => granted(&charge),
            Verdict::Decline => "declined",
            Verdict::Cancel => "cancelled",
        };
        let turned = self.books.turn(&charge.reference, &["pending"], to).await?;
        if let Some(charge) = &turned {
            self.announce(charge, Clock.now()).await?;
        }
        Ok(turned)
    }

    /// The charge that a person has to decide for a payment, or the last one that there was.
    pub async fn last_of(&self, payment: PaymentId) -> Result<Option<Booked>, StoreError> {
        self.books.last_of(payment.uuid()).await
    }

    fn answers(&self) -> Result<(), NoAnswer> {
        if self.failure_modes().silent { Err(NoAnswer("it is down".into())) } else { Ok(()) }
    }

    async fn make(&self, charge: Charge<'_>, now: DateTime<Utc>) -> Result<ProviderOutcome, NoAnswer> {
        self.answers()?;
        let Some((_, scenario, state)) = TOKENS.iter().find(|(token, _, _)| Some(*token) == charge.token) else {
            return Ok(ProviderOutcome::Failed);
        };
        let automatic = charge.capture.is_automatic();
        let state = if *state == "captured" && !automatic { "authorized" } else { state };
        let waits = if *scenario == "redirect" { REDIRECT_FOR } else { PENDING_FOR };
        let new = NewCharge {
            reference: charge.reference.as_str(),
            payment: charge.payment.uuid(),
            amount: charge.amount.amount,
            currency: charge.amount.currency.code(),
            scenario,
            state,
            automatic,
            made_at: now,
            settles_at: now + waits,
        };
        let booked = self.books.charge(&new).await.map_err(down)?;
        let untold = matches!(*scenario, "timeout" | "pendingsuccess" | "pendingfailure");
        if untold || self.failure_modes().tells_all {
            let at = if booked.state == "pending" { booked.settles_at } else { now };
            self.announce(&booked, at).await.map_err(down)?;
        }
        if *scenario == "timeout" {
            // The charge is made, and the answer gets lost: the look-up finds it.
            return Err(NoAnswer("timed out".into()));
        }
        Ok(outcome(&booked, now))
    }

    async fn find_charge(
        &self,
        reference: &ProviderReference,
        now: DateTime<Utc>,
    ) -> Result<ProviderOutcome, NoAnswer> {
        self.answers()?;
        let Some(mut charge) = self.books.find(reference.as_str()).await.map_err(down)? else {
            return Ok(ProviderOutcome::NotFound);
        };
        if charge.state == "pending" && charge.settles_at <= now {
            let to = match charge.scenario.as_str() {
                "pendingsuccess" => granted(&charge),
                "redirect" => "cancelled",
                _ => "failed",
            };
            let turned = self.books.turn(reference.as_str(), &["pending"], to).await.map_err(down)?;
            charge = turned.unwrap_or(charge);
        }
        Ok(outcome(&charge, now))
    }

    async fn withdraw(&self, reference: &ProviderReference, now: DateTime<Utc>) -> Result<ProviderOutcome, NoAnswer> {
        self.answers()?;
        let Some(charge) = self.books.find(reference.as_str()).await.map_err(down)? else {
            return Ok(ProviderOutcome::NotFound);
        };
        if charge.scenario != "redirect" {
            return Ok(outcome(&charge, now));
        }
        // The books turn it once: either the person was first, or they come too late.
        let turned = self.books.turn(reference.as_str(), &["pending"], "cancelled").await.map_err(down)?;
        Ok(outcome(&turned.unwrap_or(charge), now))
    }

    async fn take(&self, reference: &ProviderReference) -> Result<(), NoAnswer> {
        self.answers()?;
        let charge = self.books.turn(reference.as_str(), &["authorized"], "captured").await.map_err(down)?;
        match charge {
            Some(charge) if charge.state == "captured" => Ok(()),
            Some(charge) => Err(NoAnswer(format!("the charge is {}", charge.state))),
            None => Err(NoAnswer("there is no such charge".into())),
        }
    }

    async fn void_charge(&self, reference: &ProviderReference) -> Result<(), NoAnswer> {
        self.answers()?;
        let charge = self.books.turn(reference.as_str(), &["pending", "authorized"], "voided").await.map_err(down)?;
        if let Some(charge) = charge.filter(|charge| charge.state == "captured") {
            // Under the key of the refund of all that is left, so that both are one, should the shop ask for that as well.
            let whole = payment::whole(PaymentId::from_uuid(charge.payment)).uuid();
            self.books.refund(reference.as_str(), whole, None, Clock.now()).await.map_err(down)?;
        }
        Ok(())
    }

    async fn give_back(
        &self,
        reference: &ProviderReference,
        refund: RefundId,
        amount: Money,
    ) -> Result<bool, NoAnswer> {
        self.answers()?;
        let (reference, key) = (reference.as_str(), refund.uuid());
        // What was done once is done, whatever it says of a new one.
        if self.failure_modes().refuses_refunds {
            let done = self.books.refunded(reference, key).await.map_err(down)?;
            return Ok(done == Some(amount.amount));
        }
        self.books.refund(reference, key, Some(amount.amount), Clock.now()).await.map_err(down)
    }

    async fn list_holdings(&self) -> Result<Vec<Holding>, NoAnswer> {
        self.answers()?;
        let charges = self.books.all().await.map_err(down)?;
        let captured = charges.into_iter().filter(|charge| charge.state == "captured");
        let holding = |charge: Booked| {
            let amount =
                Money { amount: charge.amount - charge.refunded, currency: Currency::from_code(&charge.currency)? };
            Some(Holding { reference: ProviderReference::new(&charge.reference).ok()?, order: None, amount, fee: None })
        };
        Ok(captured.filter_map(holding).collect())
    }

    /// Queues the notifications of a charge, delayed, duplicated and lost as the failure modes say.
    async fn announce(&self, charge: &Booked, at: DateTime<Utc>) -> Result<(), StoreError> {
        let failure_modes = self.failure_modes();
        for _ in 0..=failure_modes.duplicates.min(COPIES_MAX) {
            let id = Clock.new_id();
            // The last bits of an id are random.
            let chance = id.as_u128() & 0xffff_ffff;
            if chance % 100 < u128::from(failure_modes.lost_percent) {
                continue;
            }
            let shuffled = if failure_modes.shuffled { chance / 100 % SHUFFLED_BY_MS } else { 0 };
            let late = i64::from(failure_modes.delay_ms) + i64::try_from(shuffled).unwrap_or(0);
            self.books.tell(id, charge, at + TimeDelta::milliseconds(late)).await?;
        }
        Ok(())
    }
}

impl PaymentProvider for TestProvider {
    fn reference(&self, token: Option<&str>, id: Uuid) -> Option<ProviderReference> {
        let (_, scenario, _) = TOKENS.iter().find(|(known, _, _)| Some(*known) == token)?;
        ProviderReference::new(&format!("test-{scenario}-{}", id.simple())).ok()
    }

    fn accepts(&self, _amount: Money) -> Result<(), NotAccepted> {
        Ok(())
    }

    fn authorize<'a>(&'a self, charge: Charge<'a>, now: DateTime<Utc>) -> BoxFuture<'a, Result<Begun, NoAnswer>> {
        self.make(charge, now).map_ok(Begun::ended).boxed()
    }

    fn capture<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Result<Option<Money>, NoAnswer>> {
        self.take(attempt.reference).map_ok(|()| None).boxed()
    }

    fn release<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Result<Option<Money>, NoAnswer>> {
        self.void_charge(attempt.reference).map_ok(|()| None).boxed()
    }

    fn refund<'a>(
        &'a self,
        attempt: Attempt<'a>,
        refund: RefundId,
        amount: Money,
    ) -> BoxFuture<'a, Result<RefundAnswer, NoAnswer>> {
        let made = self.give_back(attempt.reference, refund, amount);
        made.map_ok(|is_made| if is_made { RefundAnswer::Made { fee: None } } else { RefundAnswer::Refused }).boxed()
    }

    fn cancel_attempt<'a>(
        &'a self,
        attempt: Attempt<'a>,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<ProviderOutcome, NoAnswer>> {
        self.withdraw(attempt.reference, now).boxed()
    }

    fn look_up<'a>(
        &'a self,
        attempt: Attempt<'a>,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<ProviderOutcome, NoAnswer>> {
        self.find_charge(attempt.reference, now).boxed()
    }

    fn find<'a>(
        &'a self,
        attempt: Attempt<'a>,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<ProviderOutcome, NoAnswer>> {
        self.find_charge(attempt.reference, now).boxed()
    }

    fn statement(&self) -> BoxFuture<'_, Result<Vec<Holding>, NoAnswer>> {
        self.list_holdings().boxed()
    }
}

/// Where a person decides a charge that waits for them, if one does.
pub fn action_path(reference: &ProviderReference, payment: PaymentId) -> Option<String> {
    reference.as_str().starts_with("test-redirect-").then(|| format!("/dev/pay/{payment}"))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what errors are mapped with")]
fn down(error: StoreError) -> NoAnswer {
    NoAnswer(error.to_string())
}

/// The state of a charge that is granted.
fn granted(charge: &Booked) -> &'static str {
    if charge.automatic { "captured" } else { "authorized" }
}

fn outcome(charge: &Booked, now: DateTime<Utc>) -> ProviderOutcome {
    match charge.state.as_str() {
        // Asked for less and less often, the longer it takes.
        "pending" => {
            let again = now + (now - charge.made_at).max(PENDING_FOR);
            ProviderOutcome::Pending { check_at: charge.settles_at.min(again) }
        }
        "authorized" | "captured" => ProviderOutcome::Authorized,
        "declined" => ProviderOutcome::Declined { reason: DeclineReason::Declined },
        "insufficient" => ProviderOutcome::Declined { reason: DeclineReason::InsufficientFunds },
        "cancelled" => ProviderOutcome::Cancelled,
        "failed" => ProviderOutcome::Failed,
        // A released charge counts as never made.
        _ => ProviderOutcome::NotFound,
    }
}
