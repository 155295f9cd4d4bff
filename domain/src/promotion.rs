//! A promotion: a discount with terms, which applies automatically or with a coupon code.
//!
//! ```text
//! (missing) ──created──▶ active ◀──resumed──▶ paused
//!                          └──────ended─────────┴──▶ ended (final)
//! ```
//!
//! Its terms have a period, which needs no event: [`Created::standing`] tells whether it applies at a time. Its terms can be
//! changed until it has ended; orders keep the discounts that they were placed with. The [name](crate::name) of the code keeps
//! two promotions from sharing a code; promotions without a code are listed in the [promotion book](crate::promotion_book), so
//! that a checkout finds all of them in one place. Its uses are counted by its [usage](crate::usage), if it has a limit.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::decider::{Asked, Decider};
use crate::ids::PromotionId;

mod code;
mod commands;
mod events;
mod rejections;
mod terms;

pub use code::{CouponCode, CouponCodeError};
pub use commands::Command;
pub use events::Event;
pub use rejections::{LIST_MAX, Rejection};
pub use terms::{Benefit, Conditions, Limits, QuantityTier, SubtotalTier, Target, Terms};

/// The state of a promotion.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Promotion {
    /// The promotion does not exist.
    #[default]
    Missing,
    /// The promotion exists.
    Created(Box<Created>),
}

/// A promotion that exists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Created {
    /// The status.
    pub status: Status,
    /// The terms.
    pub terms: Terms,
}

/// The status of a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It applies, within its period.
    Active,
    /// It is paused.
    Paused,
    /// It has ended.
    Ended,
}

/// Whether a promotion applies at a time, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Its period has not started.
    Scheduled,
    /// It applies.
    Active,
    /// It is paused.
    Paused,
    /// Its period is over; it would apply again if its terms were changed.
    Over,
    /// It has ended.
    Ended,
}

impl Standing {
    /// The standing of a promotion with this status and period.
    pub fn of(status: Status, from: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>, at: DateTime<Utc>) -> Self {
        match status {
            Status::Ended => Self::Ended,
            Status::Active | Status::Paused if until.is_some_and(|until| until <= at) => Self::Over,
            Status::Paused => Self::Paused,
            Status::Active if from.is_some_and(|from| at < from) => Self::Scheduled,
            Status::Active => Self::Active,
        }
    }
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Promotion {
    const CATEGORY: &'static str = "promotion";
    type Id = PromotionId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        match command {
            Command::Create { terms } => {
                terms.check().and_then(|()| terms.check_until(asked.at))?;
                match self {
                    Self::Missing => Ok(vec![Event::Created { terms: (**terms).clone() }]),
                    Self::Created(_) => Err(Rejection::Exists),
                }
            }
            Command::Revise { terms } => {
                let known = self.going()?;
                terms.check()?;
                if known.terms.code != terms.code {
                    return Err(Rejection::CodeStays);
                }
                if known.terms.seller != terms.seller {
                    return Err(Rejection::SellerStays);
                }
                if known.terms.until != terms.until {
                    terms.check_until(asked.at)?;
                }
                let same = known.terms == **terms;
                Ok(if same { vec![] } else { vec![Event::Revised { terms: (**terms).clone() }] })
            }
            Command::Pause {} => {
                Ok(if self.going()?.status == Status::Paused { vec![] } else { vec![Event::Paused {}] })
            }
            Command::Resume {} => {
                Ok(if self.going()?.status == Status::Active { vec![] } else { vec![Event::Resumed {}] })
            }
            Command::End {} => Ok(if self.live()?.status == Status::Ended { vec![] } else { vec![Event::Ended {}] }),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Created { terms } => {
                Self::Created(Box::new(Created { status: Status::Active, terms: terms.clone() }))
            }
            Event::Revised { terms } => self.with(|it| it.terms = terms.clone()),
            Event::Paused {} => self.with(|it| it.status = Status::Paused),
            Event::Resumed {} => self.with(|it| it.status = Status::Active),
            Event::Ended {} => self.with(|it| it.status = Status::Ended),
        }
    }
}

impl Created {
    /// Whether it applies at a time.
    pub fn standing(&self, at: DateTime<Utc>) -> Standing {
        Standing::of(self.status, self.terms.from, self.terms.until, at)
    }
}

impl Promotion {
    /// The promotion, if it exists.
    pub fn live(&self) -> Result<&Created, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Created(created) => Ok(created),
        }
    }

    /// The promotion, if it has not ended.
    fn going(&self) -> Result<&Created, Rejection> {
        let created = self.live()?;
        match created.status {
            Status::Active | Status::Paused => Ok(created),
            Status::Ended => Err(Rejection::Ended),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Created)) -> Self {
        if let Self::Created(created) = &mut self {
            change(created);
        }
        self
    }
}

#[cfg(test)]
mod tests;
