//! Shows and hides products when their moment comes.
//!
//! ```text
//! product scheduled at, until ─▶ timer at ─▶ publish ;  timer until ─▶ unpublish
//! product published ─▶ forget the first timer ;  unpublished, archived ─▶ forget both
//! ```
//!
//! A timer that fires all the same changes nothing: the product knows which moment is planned.

use chrono::{DateTime, Utc};

use super::{Process, Step};
use crate::ids::ProductId;
use crate::product::{self, Event, Schedule};
use crate::{AnyEvent, Decider};

/// The process.
#[derive(Debug, Clone, Copy)]
pub struct ScheduleProducts;

impl Process for ScheduleProducts {
    const NAME: &'static str = "schedule_products";
    const READS: &'static [&'static str] = &[product::Product::CATEGORY];

    fn react(event: &AnyEvent, _recorded_at: DateTime<Utc>) -> Vec<Step> {
        let AnyEvent::Product(product, event) = event else { return vec![] };
        product_moved(*product, event)
    }
}

fn product_moved(product: ProductId, event: &Event) -> Vec<Step> {
    match event {
        Event::Scheduled(Schedule { at, until }) => {
            let publish = |at| Step::PublishProduct { product, at };
            let unpublish = |until| Step::UnpublishProduct { product, until };
            vec![planned(showing(product), *at, publish), planned(hiding(product), *until, unpublish)]
        }
        Event::Published {} => vec![Step::Forget { key: showing(product) }],
        // Whoever looks at it now decides anew, about both moments.
        Event::Unpublished {} | Event::Archived {} | Event::PublicationRefused { .. } => {
            vec![Step::Forget { key: showing(product) }, Step::Forget { key: hiding(product) }]
        }
        Event::Created { .. }
        | Event::Revised { .. }
        | Event::OptionsDefined { .. }
        | Event::VariantAdded { .. }
        | Event::VariantRevised { .. }
        | Event::PriceSet { .. }
        | Event::PriceWithdrawn { .. }
        | Event::VariantRemoved { .. }
        | Event::ImageAdded(_)
        | Event::ImagesOrdered { .. }
        | Event::ImageDescribed { .. }
        | Event::ImageRemoved { .. } => vec![],
    }
}

fn planned(key: String, moment: Option<DateTime<Utc>>, step: impl FnOnce(DateTime<Utc>) -> Step) -> Step {
    match moment {
        Some(at) => Step::Wake { at, key, step: Box::new(step(at)) },
        None => Step::Forget { key },
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

    fn steps(event: Event) -> Vec<Step> {
        ScheduleProducts::react(&AnyEvent::Product(id(1), event), noon())
    }

    #[test]
    fn each_moment_that_is_planned_has_a_timer() {
        let (product, at) = (id(1), noon());
        let wake = Step::Wake { at, key: showing(product), step: Box::new(Step::PublishProduct { product, at }) };
        let forget = [showing(product), hiding(product)].map(|key| Step::Forget { key });
        let scheduled = steps(Event::Scheduled(Schedule { at: Some(at), until: None }));
        assert_eq!(scheduled, [wake, forget[1].clone()]);
        let until = steps(Event::Scheduled(Schedule { at: None, until: Some(at) }));
        let hide = Step::UnpublishProduct { product, until: at };
        assert_eq!(until[1], Step::Wake { at, key: hiding(product), step: Box::new(hide) });
        for event in [Event::Unpublished {}, Event::Archived {}, Event::Scheduled(Schedule::default())] {
            assert_eq!(steps(event), forget);
        }
        assert_eq!(steps(Event::Published {}), forget[..1]);
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
