//! Where a view stands: one row of `read.checkpoint`, moved by compare-and-swap only.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgPool, PgTypeInfo, PgValueRef, Postgres};

use crate::error::Error;

/// The state of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The view follows the log.
    Live,
    /// The view cannot fold an event, and waits for a repair.
    Parked,
    /// The log under it is not the one that it was built from: it must be rebuilt.
    OtherHistory,
}

/// Where a view stands, as the table has it.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoint {
    /// The version of the view's rows.
    pub version: i32,
    /// Raised whenever the rows are replaced or a repair is made, so that no worker continues from the previous rows.
    pub epoch: i64,
    /// The position up to which events are in the rows.
    pub position: i64,
    /// The leaf hash there.
    pub leaf: Option<Vec<u8>>,
    /// The state of the view.
    pub state: State,
    /// Whether the log has that leaf at that position.
    pub same_history: bool,
}

byteshop_eventstore::from_row!(Checkpoint { version, epoch, position, leaf, state, same_history });

/// The checkpoint of a view, made when there is none.
pub(crate) async fn load(pool: &PgPool, view: &str, version: i32) -> Result<Checkpoint, Error> {
    sqlx::query("insert into read.checkpoint (view, version) values ($1, $2) on conflict do nothing")
        .bind(view)
        .bind(version)
        .execute(pool)
        .await?;
    Ok(sqlx::query_as(
        "select version, epoch, position, leaf, state, position = 0 or log.leaf_at(position) is not distinct from leaf as same_history
         from read.checkpoint where view = $1",
    )
    .bind(view)
    .fetch_one(pool)
    .await?)
}

/// The position that a view has reached in the table; 0 when it never ran, or when what it has read is another history.
pub(crate) async fn position(pool: &PgPool, view: &str) -> Result<i64, Error> {
    Ok(sqlx::query_scalar(
        "select case when state = 'other_history' then 0 else position end from read.checkpoint where view = $1",
    )
    .bind(view)
    .fetch_optional(pool)
    .await?
    .unwrap_or(0))
}

/// A move of a checkpoint from one position to another.
#[derive(Debug, Clone)]
pub(crate) struct Move {
    pub view: &'static str,
    pub version: i32,
    pub epoch: i64,
    pub from: i64,
    pub to: i64,
    /// The leaf hash of the event at `to`, as the worker was given it.
    pub leaf: Vec<u8>,
    /// Events per second of late.
    pub rate: i64,
}

/// The compare-and-swap of many checkpoints, $1 to $7 as in [`Move`], column by column. What JetStream delivered counts only
/// if Postgres has the same leaf at both ends: an event that Postgres does not hold is no event.
pub(crate) const ADVANCE: &str =
    "update read.checkpoint c set position = m.after, leaf = m.leaf, rate = m.rate, moved_at = now()
     from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bigint[])
        m(view, version, epoch, before, after, leaf, rate)
     where c.view = m.view and c.version = m.version and c.epoch = m.epoch and c.position = m.before and c.state = 'live'
       and (m.before = 0 or log.leaf_at(m.before) = c.leaf) and log.leaf_at(m.after) = m.leaf
     returning c.view";

/// Stops a view where it stands, and says why.
pub(crate) async fn stop(
    pool: &PgPool,
    view: &str,
    epoch: i64,
    state: State,
    error: &str,
    position: i64,
) -> Result<(), Error> {
    sqlx::query(
        "update read.checkpoint set state = $3, error = $4, error_position = $5 where view = $1 and epoch = $2 and state = 'live'",
    )
    .bind(view)
    .bind(epoch)
    .bind(state)
    .bind(error)
    .bind(position)
    .execute(pool)
    .await?;
    Ok(())
}

/// Lets a parked view try again; false when it was not parked.
pub(crate) async fn unpark(pool: &PgPool, view: &str) -> Result<bool, Error> {
    let changed = sqlx::query(
        "update read.checkpoint set state = 'live', error = null, error_position = null, epoch = epoch + 1
         where view = $1 and state = 'parked'",
    )
    .bind(view)
    .execute(pool)
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// Sets the checkpoint of a rebuilt table.
pub(crate) async fn replace(
    executor: impl PgExecutor<'_>,
    view: &str,
    version: i32,
    position: i64,
    leaf: Option<&[u8]>,
) -> Result<(), Error> {
    sqlx::query(
        "insert into read.checkpoint (view, version, position, leaf) values ($1, $2, $3, $4)
         on conflict (view) do update set version = excluded.version, position = excluded.position, leaf = excluded.leaf,
            epoch = read.checkpoint.epoch + 1, state = 'live', error = null, error_position = null, moved_at = now()",
    )
    .bind(view)
    .bind(version)
    .bind(position)
    .bind(leaf)
    .execute(executor)
    .await?;
    Ok(())
}

/// Where a view stands, for people.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Status {
    /// The view.
    pub view: String,
    /// The version of its rows.
    pub version: i32,
    /// The position up to which events are in its rows.
    pub position: i64,
    /// Events that it has not seen yet.
    pub lag: i64,
    /// Events per second when it last moved; 0 when that is some seconds ago.
    pub rate: i64,
    /// The state of the view.
    #[serde(rename = "status")]
    pub state: State,
    /// Why it stopped, if it did.
    pub error: Option<String>,
    /// The position at which it stopped.
    pub error_position: Option<i64>,
    /// When it last moved.
    pub moved_at: Option<DateTime<Utc>>,
}

byteshop_eventstore::from_row!(Status { view, version, position, lag, rate, state, error, error_position, moved_at });

/// How long a rate is shown after the view has last moved.
const RATE_SECONDS: i32 = 5;

/// Where all views stand against a head of the log.
pub(crate) async fn status(pool: &PgPool, views: &[(&str, i32)], head: i64) -> Result<Vec<Status>, Error> {
    Ok(sqlx::query_as(
        "select v.view, coalesce(c.version, v.version) as version, coalesce(c.position, 0) as position,
                greatest($3 - coalesce(c.position, 0), 0) as lag,
                case when c.moved_at > now() - make_interval(secs => $4::int) then c.rate else 0 end as rate,
                case when c.position > 0 and log.leaf_at(c.position) is distinct from c.leaf then 'other_history'
                     else coalesce(c.state, 'live') end as state, c.error, c.error_position, c.moved_at
         from unnest($1::text[], $2::int[]) with ordinality v(view, version, n)
         left join read.checkpoint c on c.view = v.view
         order by v.n",
    )
    .bind(views.iter().map(|(view, _)| *view).collect::<Vec<_>>())
    .bind(views.iter().map(|(_, version)| *version).collect::<Vec<_>>())
    .bind(head)
    .bind(RATE_SECONDS)
    .fetch_all(pool)
    .await?)
}

impl sqlx::Type<Postgres> for State {
    fn type_info() -> PgTypeInfo {
        <str as sqlx::Type<Postgres>>::type_info()
    }
}

impl sqlx::Encode<'_, Postgres> for State {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        sqlx::Encode::<Postgres>::encode_by_ref(&self.as_str(), buffer)
    }
}

impl<'r> sqlx::Decode<'r, Postgres> for State {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let name = <&str as sqlx::Decode<Postgres>>::decode(value)?;
        let state = [Self::Live, Self::Parked, Self::OtherHistory].into_iter().find(|state| state.as_str() == name);
        state.ok_or_else(|| format!("`{name}` is not the state of a view").into())
    }
}

impl serde::Serialize for State {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl State {
    /// The name, as the table and the CLI write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Parked => "parked",
            Self::OtherHistory => "other_history",
        }
    }
}
