//! Which process does a view's work: the one that holds its advisory lock. Another one takes over when that is gone.
//!
//! The lease only saves work. Two workers of one view do no harm, since the checkpoint moves by compare-and-swap.

use byteshop_eventstore::delivery::STAND_BY;
use byteshop_eventstore::{Log, is_outage};
use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The lease of a view, and whether this process holds it.
pub(crate) struct Lease {
    view: &'static str,
    held: watch::Sender<bool>,
}

impl Lease {
    pub fn new(view: &'static str) -> (Self, watch::Receiver<bool>) {
        let (held, receiver) = watch::channel(false);
        (Self { view, held }, receiver)
    }
}

/// Gets and keeps the leases, all on one connection, until cancelled.
pub(crate) async fn keep(log: &Log, leases: &[Lease], cancel: &CancellationToken) {
    while !cancel.is_cancelled() {
        if let Err(error) = hold(log, leases, cancel).await
            && !is_outage(&error)
        {
            tracing::warn!(%error, "the leases of the views were lost");
        }
        for lease in leases {
            lease.held.send_replace(false);
        }
        let _ = tokio::time::timeout(STAND_BY, cancel.cancelled()).await;
    }
}

async fn hold(log: &Log, leases: &[Lease], cancel: &CancellationToken) -> Result<(), sqlx::Error> {
    let mut connection = log.options().clone().connect().await?;
    loop {
        try_in(&mut connection, leases).await?;
        if tokio::time::timeout(STAND_BY, cancel.cancelled()).await.is_ok() {
            return connection.close().await;
        }
    }
}

async fn try_in(connection: &mut PgConnection, leases: &[Lease]) -> Result<(), sqlx::Error> {
    let wanted: Vec<&str> = leases.iter().filter(|lease| !*lease.held.borrow()).map(|lease| lease.view).collect();
    // With nothing wanted this only finds out whether the connection, and with it every lease, is still there.
    let got: Vec<String> = sqlx::query_scalar(
        "select view from unnest($1::text[]) view where pg_try_advisory_lock(hashtextextended('byteshop view ' || view, 0))",
    )
    .bind(wanted)
    .fetch_all(connection)
    .await?;
    for lease in leases.iter().filter(|lease| got.iter().any(|view| view == lease.view)) {
        lease.held.send_replace(true);
    }
    Ok(())
}
