//! How a promotion looks from outside.

use byteshop_domain::ids::PromotionId;
use byteshop_domain::promotion::{self, Standing};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// A promotion.
#[derive(Serialize, ToSchema)]
pub struct Promotion<'a> {
    id: PromotionId,
    /// `scheduled` (before its period), `active`, `paused`, `over` (after its period) or `ended`.
    status: Standing,
    terms: &'a promotion::Terms,
    /// Uses by orders that are not cancelled; null unless the total is limited and one promotion is asked for as it is now.
    used: Option<i64>,
}

impl<'a> Promotion<'a> {
    /// A promotion as it stands at a moment.
    pub fn of(id: PromotionId, it: &'a promotion::Created, at: DateTime<Utc>, used: Option<i64>) -> Self {
        Self { id, status: it.standing(at), terms: &it.terms, used }
    }
}
