//! The totals of carts that their owners were last shown.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row as _;
use uuid::Uuid;

use crate::Log;
use crate::error::StoreError;

/// How long a total is kept if no newer one replaces it: longer than any unchanged cart stays open.
const KEPT_FOR: TimeDelta = TimeDelta::days(400);
/// Rows that are too old and go with each new one: more than one, so that they become fewer.
const SWEPT_AT_ONCE: i64 = 10;

/// An amount in minor units, and the code of its currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownTotal {
    /// In minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
}

impl Log {
    /// Remembers the total of a cart that its owner is about to be shown. The same total again only reads, and none waits for the
    /// disk: what a crash takes back leaves the total before, or none.
    pub async fn remember_total(&self, cart: Uuid, total: &ShownTotal, at: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query(
            "with new as (
                 insert into log.cart_total (cart, amount, currency, shown_at)
                 select $1, $2, $3, $4
                  where not exists (select from log.cart_total where (cart, amount, currency) = ($1, $2, $3))
                    and set_config('synchronous_commit', 'off', true) = 'off'
                     on conflict (cart) do update
                    set amount = excluded.amount, currency = excluded.currency, shown_at = excluded.shown_at
                 returning cart)
             delete from log.cart_total
              where exists (select from new) and cart in
                    (select cart from log.cart_total where shown_at < $5 order by shown_at limit $6)",
        )
        .bind(cart)
        .bind(total.amount)
        .bind(&total.currency)
        .bind(at)
        .bind(at - KEPT_FOR)
        .bind(SWEPT_AT_ONCE)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The total of a cart that its owner was last shown, if that is known.
    pub async fn shown_total(&self, cart: Uuid) -> Result<Option<ShownTotal>, StoreError> {
        let row = sqlx::query("select amount, currency from log.cart_total where cart = $1")
            .bind(cart)
            .fetch_optional(self.pool())
            .await?;
        row.map(|row| Ok(ShownTotal { amount: row.try_get(0)?, currency: row.try_get(1)? })).transpose()
    }
}
