//! Given/when/then: rule tests that read as sentences.

use std::fmt::Debug;

use chrono::{DateTime, Utc};

use crate::decider::{Actor, Asked, Decider, fold};

/// A history, waiting for a command.
pub struct Given<A: Decider> {
    state: A,
    asked: Asked,
}

/// What came of a command.
pub struct Outcome<A: Decider>(Result<Vec<A::Event>, A::Rejection>);

/// Starts from a history.
pub fn given<A: Decider>(history: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let history: Vec<_> = history.into_iter().collect();
    Given { state: fold(&history), asked: Asked { at: noon(), by: Actor::System { name: "test".into() } } }
}

/// A fixed moment, 2026-01-01T12:00:00Z: the time of every command that says no other.
pub fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_268_800, 0).expect("a valid moment")
}

impl<A: Decider> Given<A> {
    /// The command is asked by this actor.
    pub fn by(mut self, actor: Actor) -> Self {
        self.asked.by = actor;
        self
    }

    /// The command is asked at this moment.
    pub fn at(mut self, at: DateTime<Utc>) -> Self {
        self.asked.at = at;
        self
    }

    /// Asks.
    pub fn when(self, command: &A::Command) -> Outcome<A> {
        Outcome(self.state.decide(command, &self.asked))
    }
}

impl<A: Decider> Outcome<A>
where
    A::Rejection: Debug,
{
    /// These events happened.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = A::Event>) {
        assert_eq!(self.0, Ok(expected.into_iter().collect::<Vec<_>>()));
    }

    /// Nothing happened, since it was so already.
    #[track_caller]
    pub fn then_nothing(self) {
        assert_eq!(self.0, Ok(vec![]));
    }

    /// It was refused for this reason.
    #[track_caller]
    pub fn then_refused(self, rejection: A::Rejection) {
        assert_eq!(self.0, Err(rejection));
    }
}
