//! The book of promotions: the terms of all that are given without a code, in one stream for the shop.
//!
//! ```text
//! (empty) ──listed, unlisted──▶ …
//! ```
//!
//! A checkout looks at every one of them. Here they are one state, which is kept in memory, and one version that the
//! checkout expects; a promotion lists itself in the append that changes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decider::{Asked, Decider};
use crate::ids::{Id as _, PromotionBookId, PromotionId};
use crate::promotion::Terms;

/// Most promotions that run without a code: each is tried at every checkout.
pub const LISTED_MAX: usize = 100;

/// The id of the one book.
pub fn id() -> PromotionBookId {
    PromotionBookId::from_uuid(uuid::Uuid::from_u128(1))
}

/// What happened to the book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A promotion is given on these terms.
    Listed {
        /// The promotion.
        promotion: PromotionId,
        /// Its version that has them.
        version: i64,
        /// What it gives, of what, for whom and when.
        terms: Box<Terms>,
    },
    /// A promotion is not given.
    Unlisted {
        /// The promotion.
        promotion: PromotionId,
    },
}

impl crate::Event for Event {}

/// What the book can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Give a promotion.
    List {
        /// The promotion.
        promotion: PromotionId,
        /// Its version that has the terms.
        version: i64,
        /// What it gives, of what, for whom and when.
        terms: Box<Terms>,
    },
    /// Do not give a promotion.
    Unlist {
        /// The promotion.
        promotion: PromotionId,
    },
}

/// A promotion in the book.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed {
    /// Its version that has the terms.
    pub version: i64,
    /// What it gives, of what, for whom and when.
    pub terms: Terms,
}

/// The book as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PromotionBook {
    /// What is given without a code.
    pub promotions: BTreeMap<PromotionId, Listed>,
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        TooMany => Conflict: "at most {LISTED_MAX} automatic promotions can be active; end or pause one";
    }
}

impl Decider for PromotionBook {
    const CATEGORY: &'static str = "promotion_book";
    const ONE_OF_A_KIND: bool = true;
    type Id = PromotionBookId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::List { promotion, version, terms } => match self.promotions.get(promotion) {
                Some(known) if known.terms == **terms => Ok(vec![]),
                None if self.promotions.len() == LISTED_MAX => Err(Rejection::TooMany),
                Some(_) | None => {
                    Ok(vec![Event::Listed { promotion: *promotion, version: *version, terms: terms.clone() }])
                }
            },
            Command::Unlist { promotion } => {
                let there = self.promotions.contains_key(promotion);
                Ok(if there { vec![Event::Unlisted { promotion: *promotion }] } else { vec![] })
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Listed { promotion, version, terms } => {
                self.promotions.insert(*promotion, Listed { version: *version, terms: (**terms).clone() });
            }
            Event::Unlisted { promotion } => {
                self.promotions.remove(promotion);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests;
