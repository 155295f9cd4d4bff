//! Pools of connections: when a connection is checked, and how a pool is used, for metrics.

use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, PgPool};

/// A connection that was idle for so long is checked before it is used again; a check is a round trip.
const CHECK_AFTER: Duration = Duration::from_secs(1);

/// A pool of so many connections at most, which checks only connections that were idle for a while.
pub fn options(max_connections: u32) -> PgPoolOptions {
    PgPoolOptions::new().max_connections(max_connections).test_before_acquire(false).before_acquire(
        |connection, use_so_far| {
            Box::pin(async move {
                if use_so_far.idle_for >= CHECK_AFTER {
                    connection.ping().await?;
                }
                Ok(true)
            })
        },
    )
}

/// The connections of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// The purpose of the pool.
    pub name: &'static str,
    /// Connections that are open.
    pub open: u32,
    /// The number of idle connections.
    pub idle: u32,
    /// Connections that there may be.
    pub max: u32,
}

impl PoolUse {
    /// How a pool is used just now.
    pub fn of(name: &'static str, pool: &PgPool) -> Self {
        let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
        Self { name, open: pool.size(), idle, max: pool.options().get_max_connections() }
    }
}
