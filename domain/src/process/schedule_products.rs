//! Shows and hides products when their moment comes.
//!
//! ```text
//! product scheduled at, until ─▶ timer at ─▶ publish ;  timer until ─▶ unpublish
//! product published ─▶ clear the first timer ;  unpublished, archived ─▶ clear both
//! ```
//!
//! A timer that fires all the same changes nothing: the product knows which moment is planned.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Process, Reaction};
use crate::ids::ProductId;
use crate::product::{Event, Product, Schedule};
use crate::{AnyEvent, Reads};

/// A step of the process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Step {
    /// [`product::Command::PublishDue`](crate::product::Command::PublishDue).
    PublishProduct {
        /// The product.
        product: ProductId,
        /// The moment that was planned.
        at: DateTime<Utc>,
    },
    /// [`product::Command::UnpublishDue`](crate::product::Command::UnpublishDue).
    UnpublishProduct {
        /// The product.
        product: ProductId,
        /// The moment that was planned.
        until: DateTime<Utc>,
    },
}

/// The process.
#[derive(Debug, Clone, Copy)]
pub struct ScheduleProducts;

impl Process for ScheduleProducts {
    const NAME: &'static str = "schedule_products";
    const READS: &'static [Reads] =
        &[Reads::only::<Product>(&["scheduled", "published", "unpublished", "archived", "publication_refused"])];
    type Step = Step;

    fn react(event: &AnyEvent, _recorded_at: DateTime<Utc>) -> Vec<Reaction<Step>> {
        let AnyEvent::Product(product, event) = event else { return vec![] };
        product_moved(*product, event)
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn product_moved(product: ProductId, event: &Event) -> Vec<Reaction<Step>> {
    match event {
        Event::Scheduled(Schedule { at, until }) => {
            let publish = |at| Step::PublishProduct { product, at };
            let unpublish = |until| Step::UnpublishProduct { product, until };
            vec![planned(showing(product), *at, publish), planned(hiding(product), *until, unpublish)]
        }
        Event::Published {} => vec![Reaction::ClearTimer { key: showing(product) }],
        // Staff decides again about both moments.
        Event::Unpublished {} | Event::Archived {} | Event::PublicationRefused { .. } => {
            [showing(product), hiding(product)].map(|key| Reaction::ClearTimer { key }).into()
        }
        _ => vec![],
    }
}

fn planned(key: String, moment: Option<DateTime<Utc>>, step: impl FnOnce(DateTime<Utc>) -> Step) -> Reaction<Step> {
    match moment {
        Some(at) => Reaction::SetTimer { at, key, step: step(at) },
        None => Reaction::ClearTimer { key },
    }
}

/// The timer that shows a product.
pub fn showing(product: ProductId) -> String {
    format!("{product}/publish")
}

/// The timer that hides it.
pub fn hiding(product: ProductId) -> String {
    format!("{product}/unpublish")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{id, noon, timer_form};

    fn reactions(event: Event) -> Vec<Reaction<Step>> {
        ScheduleProducts::react(&AnyEvent::Product(id(1), event), noon())
    }

    #[test]
    fn each_moment_that_is_planned_has_a_timer() {
        let (product, at) = (id(1), noon());
        let show = Reaction::SetTimer { at, key: showing(product), step: Step::PublishProduct { product, at } };
        let clear = [showing(product), hiding(product)].map(|key| Reaction::<Step>::ClearTimer { key });
        let scheduled = reactions(Event::Scheduled(Schedule { at: Some(at), until: None }));
        assert_eq!(scheduled, [show, clear[1].clone()]);
        let until = reactions(Event::Scheduled(Schedule { at: None, until: Some(at) }));
        let hide = Step::UnpublishProduct { product, until: at };
        assert_eq!(until[1], Reaction::SetTimer { at, key: hiding(product), step: hide });
        for event in [Event::Unpublished {}, Event::Archived {}, Event::Scheduled(Schedule::default())] {
            assert_eq!(reactions(event), clear);
        }
        assert_eq!(reactions(Event::Published {}), clear[..1]);
    }

    #[test]
    fn each_product_has_a_timer_of_its_own_for_either_end() {
        let keys = [showing(id(1)), hiding(id(1)), showing(id(2)), hiding(id(2))];
        assert_eq!(keys[0], "prod_00000000000000000000000001/publish");
        assert_eq!(keys[1], "prod_00000000000000000000000001/unpublish");
        assert_eq!(keys.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
    }

    #[test]
    fn a_step_in_a_timer_keeps_its_stored_form() {
        timer_form(
            &Step::PublishProduct { product: id(1), at: noon() },
            r#"{"do":"publish_product","product":"prod_00000000000000000000000001","at":"2026-01-01T12:00:00Z"}"#,
        );
        timer_form(
            &Step::UnpublishProduct { product: id(1), until: noon() },
            r#"{"do":"unpublish_product","product":"prod_00000000000000000000000001","until":"2026-01-01T12:00:00Z"}"#,
        );
    }
}
