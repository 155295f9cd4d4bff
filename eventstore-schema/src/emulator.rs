//! The books of the emulated payment provider: each charge and refund once, whatever is asked how often.
//!
//! They belong to the emulator and not to the shop, and lie here because this crate speaks SQL. A row is locked while it
//! changes, so two questions at once are answered one after the other, as a real provider would.

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnection, PgPool};
use uuid::Uuid;

use crate::Log;
use crate::error::StoreError;

/// The books. Clones share everything.
#[derive(Debug, Clone)]
pub struct Books {
    pool: PgPool,
}

/// A charge that is asked for.
#[derive(Debug, Clone)]
pub struct NewCharge<'a> {
    /// The provider's reference.
    pub reference: &'a str,
    /// The payment of the shop.
    pub payment: Uuid,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: &'a str,
    /// The scenario.
    pub scenario: &'a str,
    /// The initial state.
    pub state: &'a str,
    /// Whether it is taken together with its authorization.
    pub automatic: bool,
    /// When it is made.
    pub made_at: DateTime<Utc>,
    /// When it is decided, if it is pending.
    pub settles_at: DateTime<Utc>,
}

/// A charge in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The provider's reference.
    pub reference: String,
    /// The payment of the shop.
    pub payment: Uuid,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The scenario.
    pub scenario: String,
    /// `pending`, `authorized`, `captured`, `voided`, `declined`, `insufficient`, `cancelled` or `failed`.
    pub state: String,
    /// Whether it is taken together with its authorization.
    pub automatic: bool,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// When it is decided, if it is pending.
    pub settles_at: DateTime<Utc>,
    /// The refunded amount.
    pub refunded: i64,
}

crate::from_row!(Charge {
    reference,
    payment,
    amount,
    currency,
    scenario,
    state,
    automatic,
    made_at,
    settles_at,
    refunded
});

/// Something that the emulator is to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The id.
    pub id: Uuid,
    /// The charge.
    pub reference: String,
    /// The payment of the shop.
    pub payment: Uuid,
}

crate::from_row!(Notification { id, reference, payment });

const CHARGE: &str = "select c.*, coalesce((select sum(r.amount) from emulator.refund r where r.reference = c.reference), 0)::bigint as refunded
     from emulator.charge c";

impl Books {
    /// The books beside a log.
    pub fn beside(log: &Log) -> Self {
        Self { pool: log.pool().clone() }
    }

    /// Makes a charge, unless there is one under its key; gives the one that there is.
    pub async fn charge(&self, new: &NewCharge<'_>) -> Result<Charge, StoreError> {
        // In one round trip: a row that is there is touched, so that it is given too.
        Ok(sqlx::query_as(
            "insert into emulator.charge as c (reference, payment, amount, currency, scenario, state, automatic, made_at, settles_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (reference) do update set reference = excluded.reference
             returning c.*, coalesce((select sum(r.amount) from emulator.refund r where r.reference = c.reference), 0)::bigint as refunded",
        )
        .bind(new.reference)
        .bind(new.payment)
        .bind(new.amount)
        .bind(new.currency)
        .bind(new.scenario)
        .bind(new.state)
        .bind(new.automatic)
        .bind(new.made_at)
        .bind(new.settles_at)
        .fetch_one(&self.pool)
        .await?)
    }

    /// A charge.
    pub async fn find(&self, reference: &str) -> Result<Option<Charge>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        find_in(&mut connection, reference).await
    }

    /// The last charge of a payment.
    pub async fn last_of(&self, payment: Uuid) -> Result<Option<Charge>, StoreError> {
        let statement = format!("{CHARGE} where c.payment = $1 order by c.made_at desc limit 1");
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(payment).fetch_optional(&self.pool).await?)
    }

    /// Every charge, the first first.
    pub async fn all(&self) -> Result<Vec<Charge>, StoreError> {
        let statement = format!("{CHARGE} order by c.made_at, c.reference");
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(statement)).fetch_all(&self.pool).await?)
    }

    /// Sets the state of a charge if it is in one of the given states; returns the charge.
    pub async fn turn(&self, reference: &str, from: &[&str], to: &str) -> Result<Option<Charge>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        sqlx::query("update emulator.charge set state = $3 where reference = $1 and state = any ($2)")
            .bind(reference)
            .bind(from)
            .bind(to)
            .execute(&mut *connection)
            .await?;
        find_in(&mut connection, reference).await
    }

    /// Refunds a part of a captured charge; true if it is refunded, now or before with the same key.
    pub async fn refund(
        &self,
        reference: &str,
        key: Uuid,
        amount: Option<i64>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("select from emulator.charge where reference = $1 for update")
            .bind(reference)
            .execute(&mut *transaction)
            .await?;
        if let Some(done) = refunded_in(&mut transaction, reference, key).await? {
            return Ok(amount.is_none_or(|amount| amount == done));
        }
        let Some(charge) = find_in(&mut transaction, reference).await? else { return Ok(false) };
        let left = charge.amount - charge.refunded;
        let amount = amount.unwrap_or(left);
        if charge.state != "captured" || amount > left || amount < 0 {
            return Ok(false);
        }
        sqlx::query("insert into emulator.refund (reference, key, amount, made_at) values ($1, $2, $3, $4)")
            .bind(reference)
            .bind(key)
            .bind(amount)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The amount refunded with a key.
    pub async fn refunded(&self, reference: &str, key: Uuid) -> Result<Option<i64>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        refunded_in(&mut connection, reference, key).await
    }

    /// Notes that the shop is to be told of a charge.
    pub async fn tell(&self, id: Uuid, charge: &Charge, due_at: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query("insert into emulator.notification (id, reference, payment, due_at) values ($1, $2, $3, $4)")
            .bind(id)
            .bind(&charge.reference)
            .bind(charge.payment)
            .bind(due_at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Takes the notifications that are due; each is taken by one caller only.
    pub async fn due(&self, now: DateTime<Utc>, limit: i64) -> Result<Vec<Notification>, StoreError> {
        Ok(sqlx::query_as(
            "delete from emulator.notification where id in
             (select id from emulator.notification where due_at <= $1 order by due_at limit $2 for update skip locked)
             returning id, reference, payment",
        )
        .bind(now)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// With what the emulator signs: `new` the first time, and ever the same then.
    pub async fn secret(&self, new: &[u8]) -> Result<Vec<u8>, StoreError> {
        sqlx::query("insert into emulator.secret (secret) values ($1) on conflict do nothing")
            .bind(new)
            .execute(&self.pool)
            .await?;
        Ok(sqlx::query_scalar("select secret from emulator.secret").fetch_one(&self.pool).await?)
    }
}

async fn refunded_in(connection: &mut PgConnection, reference: &str, key: Uuid) -> Result<Option<i64>, StoreError> {
    Ok(sqlx::query_scalar("select amount from emulator.refund where reference = $1 and key = $2")
        .bind(reference)
        .bind(key)
        .fetch_optional(connection)
        .await?)
}

async fn find_in(connection: &mut PgConnection, reference: &str) -> Result<Option<Charge>, StoreError> {
    let statement = format!("{CHARGE} where c.reference = $1");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(reference).fetch_optional(connection).await?)
}
