//! The provider `test`: it moves no money, and does what its tokens say.
//!
//! It keeps no state of its own. The reference of a charge says what becomes of it and when it was made, as a real
//! provider's books would, so it answers the same after any crash, and from any process.

use byteshop_domain::ids::RefundId;
use byteshop_domain::money::Money;
use byteshop_domain::payment::{DeclineReason, ProviderOutcome, ProviderReference};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use uuid::Uuid;

use super::{Charge, NoAnswer, PaymentProvider};

/// How long a pending charge takes to settle.
const PENDING_FOR: TimeDelta = TimeDelta::seconds(2);

/// What a token makes happen. The names are api.md's and never change.
const TOKENS: [(&str, &str); 8] = [
    ("tok_success", "success"),
    ("tok_declined", "declined"),
    ("tok_insufficient_funds", "insufficient"),
    ("tok_cancelled", "cancelled"),
    ("tok_failure", "failure"),
    ("tok_timeout", "timeout"),
    ("tok_pending_success", "pendingsuccess"),
    ("tok_pending_failure", "pendingfailure"),
];

/// The provider `test`.
#[derive(Debug, Clone, Copy, Default)]
pub struct TestProvider;

impl PaymentProvider for TestProvider {
    fn knows(&self, token: &str) -> bool {
        TOKENS.iter().any(|(known, _)| *known == token)
    }

    fn reference(&self, token: &str, id: Uuid) -> Option<ProviderReference> {
        let (_, scenario) = TOKENS.iter().find(|(known, _)| *known == token)?;
        ProviderReference::new(&format!("test-{scenario}-{}", id.simple())).ok()
    }

    fn authorize<'a>(
        &'a self,
        charge: Charge<'a>,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<ProviderOutcome, NoAnswer>> {
        let answer = match scenario(charge.reference) {
            // The charge is made, and the answer gets lost: the look-up finds it.
            Some("timeout") => Err(NoAnswer("timed out".into())),
            Some("pendingsuccess" | "pendingfailure") => Ok(ProviderOutcome::Pending { check_at: now + PENDING_FOR }),
            Some(scenario) => Ok(settled(scenario)),
            None => Ok(ProviderOutcome::NotFound),
        };
        ready(answer).boxed()
    }

    fn capture<'a>(&'a self, _reference: &'a ProviderReference) -> BoxFuture<'a, Result<(), NoAnswer>> {
        ready(Ok(())).boxed()
    }

    fn release<'a>(&'a self, _reference: &'a ProviderReference) -> BoxFuture<'a, Result<(), NoAnswer>> {
        ready(Ok(())).boxed()
    }

    fn refund<'a>(
        &'a self,
        _reference: &'a ProviderReference,
        _refund: RefundId,
        _amount: Money,
    ) -> BoxFuture<'a, Result<bool, NoAnswer>> {
        ready(Ok(true)).boxed()
    }

    fn look_up<'a>(
        &'a self,
        reference: &'a ProviderReference,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<ProviderOutcome, NoAnswer>> {
        let due = made_at(reference).map(|made| made + PENDING_FOR);
        let answer = match (scenario(reference), due) {
            (Some("pendingsuccess" | "pendingfailure"), Some(due)) if now < due => {
                ProviderOutcome::Pending { check_at: due }
            }
            (Some(scenario), _) => settled(scenario),
            (None, _) => ProviderOutcome::NotFound,
        };
        ready(Ok(answer)).boxed()
    }
}

fn scenario(reference: &ProviderReference) -> Option<&str> {
    reference.as_str().strip_prefix("test-")?.split_once('-').map(|(scenario, _)| scenario)
}

fn made_at(reference: &ProviderReference) -> Option<DateTime<Utc>> {
    let id: Uuid = reference.as_str().rsplit_once('-')?.1.parse().ok()?;
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
}

fn settled(scenario: &str) -> ProviderOutcome {
    match scenario {
        "success" | "timeout" | "pendingsuccess" => ProviderOutcome::Authorized,
        "declined" => ProviderOutcome::Declined { reason: DeclineReason::Declined },
        "insufficient" => ProviderOutcome::Declined { reason: DeclineReason::InsufficientFunds },
        "cancelled" => ProviderOutcome::Cancelled,
        "failure" | "pendingfailure" => ProviderOutcome::Failed,
        _ => ProviderOutcome::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pending_charge_settles_in_its_time() {
        let made = DateTime::from_timestamp(1_767_268_800, 0).unwrap();
        let id = Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, 1_767_268_800, 0));
        let reference = TestProvider.reference("tok_pending_success", id).unwrap();
        let due = made + PENDING_FOR;
        let early = TestProvider.look_up(&reference, made).await.unwrap();
        assert_eq!(early, ProviderOutcome::Pending { check_at: due });
        assert_eq!(TestProvider.look_up(&reference, due).await.unwrap(), ProviderOutcome::Authorized);
    }

    #[tokio::test]
    async fn an_unknown_token_has_no_reference() {
        assert!(!TestProvider.knows("tok_other"));
        assert_eq!(TestProvider.reference("tok_other", Uuid::nil()), None);
    }
}
