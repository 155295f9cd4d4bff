//! How a pool of connections is used, for metrics.

use sqlx::PgPool;

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
