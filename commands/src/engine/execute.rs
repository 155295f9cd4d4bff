//! Execution of a command: attempts, the append, the receipt, and repeated requests.

use std::sync::Arc;

use byteshop_eventstore::{Append, NewReceipt, Outcome, StoreError};
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Commands;
use crate::engine::appender::{Submitted, Unavailable};
use crate::engine::cache::Change;
use crate::engine::error::{Error, Rejected};
use crate::engine::in_flight::Running;
use crate::engine::intent::{Intent, Key};
use crate::engine::unit::{Unit, Work};

/// Attempts before a command fails with `store.contended`. Most retries happen in memory, so only many processes that
/// write the same stream can use up all attempts.
const MAX_ATTEMPTS: usize = 64;

/// The result of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<T> {
    /// The response of the command.
    pub answer: T,
    /// The position of its last event; none if it changed nothing.
    pub position: Option<i64>,
    /// Whether the command had been executed before, so that this is its first response again.
    pub replayed: bool,
}

/// The content of a receipt.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stored<T> {
    Accepted(T),
    Rejected(Rejected),
    Version(i64),
}

/// The decision of a command on the states that it loads.
type Decide<'a, T> = dyn Fn(Unit) -> BoxFuture<'a, Result<T, Error>> + Send + Sync + 'a;

/// The outcome of an attempt.
enum Attempt<T> {
    Finished(Result<Done<T>, Error>),
    Again,
}

impl Commands {
    /// Executes a command: `work` loads states and decides; its events are appended in one append, or not at all.
    ///
    /// After a version conflict `work` runs again on the newer states, so it must have no other effects.
    pub async fn run<T, F, Fut>(&self, intent: &Intent, work: F) -> Result<Done<T>, Error>
    where
        T: Serialize + DeserializeOwned + Send,
        F: Fn(Unit) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Error>> + Send,
    {
        let _running = self.enter(intent)?;
        self.run_entered(intent, work).await
    }

    /// Reserves the idempotency key of a command, if it has one.
    pub(crate) fn enter(&self, intent: &Intent) -> Result<Option<Running>, Error> {
        intent.key.as_ref().map(|key| self.in_flight().enter(key).ok_or(Error::InFlight)).transpose()
    }

    /// [`Commands::run`] for a caller that has already reserved the key.
    pub(crate) async fn run_entered<T, F, Fut>(&self, intent: &Intent, work: F) -> Result<Done<T>, Error>
    where
        T: Serialize + DeserializeOwned + Send,
        F: Fn(Unit) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Error>> + Send,
    {
        self.decide_until_appended(intent, &|unit| Box::pin(work(unit))).await
    }

    /// The attempts, compiled once for each type of answer and not for each command.
    async fn decide_until_appended<T: Serialize + DeserializeOwned + Send>(
        &self,
        intent: &Intent,
        work: &Decide<'_, T>,
    ) -> Result<Done<T>, Error> {
        let intent = Arc::new(intent.clone());
        let meta: Arc<str> = serde_json::to_string(&intent.meta())?.into();
        for _ in 0..MAX_ATTEMPTS {
            let unit = Unit::new(self.clone(), Arc::clone(&intent), Arc::clone(&meta));
            let decided = work(unit.clone()).await;
            let work = unit.take();
            let shown = work.shown;
            match self.finish(&intent, work, decided).await? {
                Attempt::Finished(done) => {
                    count(intent.command, done.as_ref().err());
                    // The first response shows the state of that time, which may have been replaced since.
                    if let (Some((cart, total)), Ok(Done { replayed: false, .. })) = (shown, &done) {
                        self.remember_total(cart, Some(total)).await;
                    }
                    return done;
                }
                Attempt::Again => metrics::counter!("byteshop_command_retries_total").increment(1),
            }
        }
        count(intent.command, Some(&Error::Contended));
        Err(Error::Contended)
    }

    async fn finish<T: Serialize + DeserializeOwned>(
        &self,
        intent: &Intent,
        work: Work,
        decided: Result<T, Error>,
    ) -> Result<Attempt<T>, Error> {
        let (stored, events) = match decided {
            Ok(answer) => (Stored::Accepted(answer), work.events),
            // A refusal writes nothing, so it must not be based on cached states alone.
            Err(Error::Rejected(rejected)) => (Stored::Rejected(rejected), Vec::new()),
            Err(Error::Version { current }) => (Stored::Version(current), Vec::new()),
            Err(other) => return Ok(Attempt::Finished(Err(other))),
        };
        if events.is_empty() && intent.key.is_none() && !work.cached {
            return Ok(Attempt::Finished(stored.into_result(None, false)));
        }
        let changes = if events.is_empty() { work.changes.into_iter().map(only_read).collect() } else { work.changes };
        let append = Append {
            expect: changes.iter().map(|change| (change.stream.clone(), change.from)).collect(),
            events,
            receipt: intent.key.as_ref().map(|key| self.receipt(key, &stored)).transpose()?,
        };
        let submit = |handle, depends| self.appender().submit_after(append, handle, depends);
        let Some(submitted) = self.cache().submit(&changes, submit) else {
            return Ok(Attempt::Again);
        };
        self.await_outcome(intent, &changes, submitted, stored).await
    }

    async fn await_outcome<T: DeserializeOwned>(
        &self,
        intent: &Intent,
        changes: &[Change],
        submitted: Submitted,
        stored: Stored<T>,
    ) -> Result<Attempt<T>, Error> {
        // If the caller is dropped, its submitted states must still be settled in the cache.
        let mut guard = RevokeOnDrop { commands: self, changes: Some(changes) };
        let outcome = submitted.outcome().await;
        let attempt = match outcome {
            Ok(Outcome::Accepted { positions }) => {
                guard.changes = None;
                self.cache().confirm(changes);
                Attempt::Finished(stored.into_result(positions.map(|(_, last)| last), false))
            }
            Ok(Outcome::Conflict) => Attempt::Again,
            Ok(Outcome::Duplicate) => Attempt::Finished(self.answer_again(intent).await),
            Err(Unavailable(reason)) => {
                return Err(Error::Store(StoreError::Unavailable(reason)));
            }
        };
        Ok(attempt)
    }

    fn receipt<T: Serialize>(&self, key: &Key, stored: &Stored<T>) -> Result<NewReceipt, serde_json::Error> {
        let recorded_at = self.clock().now();
        Ok(NewReceipt {
            who: key.who.clone(),
            key: key.key.clone(),
            fingerprint: key.fingerprint.clone(),
            response: serde_json::to_string(stored)?,
            recorded_at,
            expires_at: key.kept_for.map(|kept_for| recorded_at + kept_for),
        })
    }

    async fn answer_again<T: DeserializeOwned>(&self, intent: &Intent) -> Result<Done<T>, Error> {
        match &intent.key {
            Some(key) => self.first_answer(key).await?.ok_or(Error::Contended),
            None => Err(Error::Contended),
        }
    }

    /// The first response to a command that was executed before, if there is one.
    ///
    /// # Errors
    /// [`Error::KeyReused`] when the key belongs to another request, [`Error::Replayed`] when it was refused.
    pub async fn first_answer<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<Done<T>>, Error> {
        let Some(receipt) = self.log().receipt(&key.who, &key.key).await? else { return Ok(None) };
        if receipt.fingerprint != key.fingerprint {
            return Err(Error::KeyReused);
        }
        let stored: Stored<T> = serde_json::from_str(&receipt.response)?;
        stored.into_result(receipt.last_position, true).map(Some)
    }
}

impl<T> Stored<T> {
    fn into_result(self, position: Option<i64>, replayed: bool) -> Result<Done<T>, Error> {
        let refusal = match self {
            Self::Accepted(answer) => return Ok(Done { answer, position, replayed }),
            Self::Rejected(rejected) => Error::Rejected(rejected),
            Self::Version(current) => Error::Version { current },
        };
        Err(if replayed { Error::Replayed(Box::new(refusal)) } else { refusal })
    }
}

fn only_read(change: Change) -> Change {
    Change { to: None, ..change }
}

/// Removes submitted states from the cache on drop, unless they were confirmed.
struct RevokeOnDrop<'a> {
    commands: &'a Commands,
    changes: Option<&'a [Change]>,
}

impl Drop for RevokeOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(changes) = self.changes {
            self.commands.cache().revoke(changes);
        }
    }
}

fn count(command: &'static str, error: Option<&Error>) {
    let outcome = match error {
        None => "accepted",
        Some(Error::Rejected(_) | Error::Replayed(_) | Error::Unproven(_)) => "rejected",
        Some(Error::Version { .. } | Error::KeyReused | Error::InFlight | Error::Contended | Error::NotYet(_)) => {
            "conflict"
        }
        Some(Error::NoProvider { .. } | Error::Closed { .. }) => "closed",
        Some(Error::Store(_) | Error::Files(_) | Error::Codec(_) | Error::Provider(_) | Error::OtherHistory { .. }) => {
            "failed"
        }
    };
    metrics::counter!("byteshop_commands_total", "command" => command, "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use byteshop_domain::stock::{Rejection, StockLevel};

    use super::*;

    fn text<T: Serialize>(stored: &Stored<T>) -> String {
        serde_json::to_string(stored).unwrap()
    }

    /// Receipts are kept for days, so a newer program reads what an older one wrote.
    #[test]
    fn a_receipt_keeps_its_stored_form() {
        assert_eq!(text(&Stored::Accepted(7)), r#"{"accepted":7}"#);
        assert_eq!(text(&Stored::<()>::Version(3)), r#"{"version":3}"#);
        let rejected = Rejected::of::<StockLevel>(&Rejection::Missing);
        assert!(text(&Stored::<()>::Rejected(rejected)).starts_with(r#"{"rejected":{"code":"stock.missing""#));
    }

    #[test]
    fn a_repeated_command_gets_its_first_response_and_is_told_so() {
        let done = Stored::Accepted(7).into_result(Some(9), true).unwrap();
        assert_eq!(done, Done { answer: 7, position: Some(9), replayed: true });
        let refused = |replayed| Stored::<()>::Version(3).into_result(None, replayed).unwrap_err();
        assert!(matches!(refused(false), Error::Version { current: 3 }));
        assert!(matches!(refused(true), Error::Replayed(first) if matches!(*first, Error::Version { current: 3 })));
    }
}
