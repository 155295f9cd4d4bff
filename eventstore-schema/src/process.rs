//! How far each process has reacted to the log, and what it wants done later.

use chrono::{DateTime, Utc};

use crate::Log;
use crate::delivery::Lead;
use crate::error::StoreError;

/// Where a process stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessCheckpoint {
    /// The last position that it has reacted to.
    pub position: i64,
    /// The leaf hash there: another one means another history.
    pub leaf: Option<Vec<u8>>,
    /// The error that parked it, if it is parked.
    pub error: Option<String>,
}

crate::from_row!(ProcessCheckpoint { position, leaf, error });

/// Where a process stands against the log, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessStatus {
    /// The process.
    pub name: String,
    /// The last position that it has reacted to.
    pub position: i64,
    /// Events that it has not seen yet.
    pub lag: i64,
    /// The error that parked it, if it is parked.
    pub error: Option<String>,
    /// Whether the log has what it has read: a restored one may not.
    pub same_history: bool,
}

crate::from_row!(ProcessStatus { name, position, lag, error, same_history });

/// Something to be done later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// Names it within its process; setting it again replaces it.
    pub key: String,
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// The step to execute, as the process recorded it.
    pub step: String,
    /// The position of the event that asked for it.
    pub position: i64,
}

crate::from_row!(Timer { key, due_at, step, position });

/// A change to a process's timers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimerChange {
    /// Set, or replaced.
    Set(Timer),
    /// No longer wanted.
    Clear(String),
}

impl Log {
    /// Where a process stands; the beginning when it never ran.
    pub async fn process_checkpoint(&self, name: &str) -> Result<ProcessCheckpoint, StoreError> {
        Ok(sqlx::query_as("select position, leaf, error from log.process where name = $1")
            .bind(name)
            .fetch_optional(self.pool())
            .await?
            .unwrap_or_default())
    }

    /// Parks a process: it stops at its position, and says why.
    pub async fn park_process(&self, name: &str, error: &str) -> Result<(), StoreError> {
        sqlx::query(
            "insert into log.process (name, position, error) values ($1, 0, $2)
             on conflict (name) do update set error = excluded.error",
        )
        .bind(name)
        .bind(error)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Every process that ever ran, by name.
    pub async fn processes(&self) -> Result<Vec<ProcessStatus>, StoreError> {
        Ok(sqlx::query_as(
            "select p.name, p.position, greatest(h.position - p.position, 0) as lag, p.error,
                    p.position = 0 or log.leaf_at(p.position) is not distinct from p.leaf as same_history
             from log.process p cross join log.head h order by p.name",
        )
        .fetch_all(self.pool())
        .await?)
    }

    /// Lets a process begin again at the beginning of the log: what it carries out a second time changes nothing. False
    /// when it runs just now.
    pub async fn restart_process(&self, name: &str) -> Result<bool, StoreError> {
        let Some(lead) = self.lead(name).await? else { return Ok(false) };
        // Not on the connection of the lead: an operator's order cannot be derived from the log again.
        sqlx::query(
            "with timers as (delete from log.timer where process = $1) delete from log.process where name = $1",
        )
        .bind(name)
        .execute(self.pool())
        .await?;
        lead.resign().await;
        Ok(true)
    }

    /// Deletes a timer that has fired, unless it was set again in the meantime.
    pub async fn drop_timer(&self, process: &str, timer: &Timer) -> Result<(), StoreError> {
        sqlx::query("delete from log.timer where process = $1 and key = $2 and position = $3")
            .bind(process)
            .bind(&timer.key)
            .bind(timer.position)
            .execute(self.pool())
            .await?;
        Ok(())
    }
}

impl Lead {
    /// Moves the process of the lead on, together with its timers, each of which is named once; false when it is no longer where it
    /// was thought to be, or the log has another event there than the one with this leaf hash. One statement, hence one transaction.
    ///
    /// # Errors
    /// [`StoreError::Postgres`] when the connection is gone, and the lead with it.
    pub async fn advance(
        &mut self,
        from: i64,
        to: i64,
        leaf: Option<&[u8]>,
        timers: &[TimerChange],
    ) -> Result<bool, StoreError> {
        let mut cleared: Vec<&str> = Vec::new();
        let mut set: Vec<&Timer> = Vec::new();
        for change in timers {
            match change {
                TimerChange::Set(timer) => set.push(timer),
                TimerChange::Clear(key) => cleared.push(key),
            }
        }
        Ok(sqlx::query_scalar(
            "with moved as (
                insert into log.process (name, position, leaf)
                select $1, $3, at.leaf from (select coalesce(log.leaf_at($3), ''::bytea) as leaf) at
                where ($4::bytea is null or at.leaf = $4)
                  and ($2 = 0 or exists (select from log.process where name = $1 and position = $2))
                on conflict (name) do update set position = excluded.position, leaf = excluded.leaf, error = null
                    where log.process.position = $2
                returning name),
             cleared as (
                delete from log.timer where process = $1 and key = any ($5) and exists (select from moved)),
             set as (
                insert into log.timer (process, key, due_at, step, position)
                select $1, t.* from unnest($6::text[], $7::timestamptz[], $8::text[], $9::bigint[]) t
                where exists (select from moved)
                on conflict (process, key) do update
                    set due_at = excluded.due_at, step = excluded.step, position = excluded.position)
             select exists (select from moved)",
        )
        .bind(&self.name)
        .bind(from)
        .bind(to)
        .bind(leaf)
        .bind(cleared)
        .bind(set.iter().map(|timer| timer.key.as_str()).collect::<Vec<_>>())
        .bind(set.iter().map(|timer| timer.due_at).collect::<Vec<_>>())
        .bind(set.iter().map(|timer| timer.step.as_str()).collect::<Vec<_>>())
        .bind(set.iter().map(|timer| timer.position).collect::<Vec<_>>())
        .fetch_one(&mut self.connection)
        .await?)
    }

    /// The timers of the process of the lead that are due, the oldest first.
    ///
    /// # Errors
    /// [`StoreError::Postgres`] when the connection is gone, and the lead with it.
    pub async fn due_timers(&mut self, now: DateTime<Utc>, limit: i64) -> Result<Vec<Timer>, StoreError> {
        Ok(sqlx::query_as(
            "select key, due_at, step, position from log.timer where process = $1 and due_at <= $2 order by due_at limit $3",
        )
        .bind(&self.name)
        .bind(now)
        .bind(limit)
        .fetch_all(&mut self.connection)
        .await?)
    }
}
