//! Connections: accepted, bounded in number and in how long they may dawdle, and ended in order when the shop stops.

mod progress;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use http::Request;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulConnection;
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::edge::limits::Limits;
use crate::edge::limits::permits::ConcurrencyLimit;
use crate::edge::proxies::Proxies;
use progress::{Activity, Streams, watched};

/// Requests under way on one connection of HTTP/2: as few as RFC 9113, section 6.5.2 recommends.
const STREAMS: u32 = 100;
/// Connections at a time: far more than a machine serves at once.
const CONNECTIONS: usize = 20_000;
/// The part of them that one visitor may have: so many have to come together to fill a shop.
const SHARE: usize = 4;
/// The part of them that is reserved for visitors with [`FEW`] connections, however many others come together.
const RESERVE: usize = 4;
/// Connections that a visitor may have of the reserve: what one browser opens.
const FEW: usize = 8;
/// Files that are left for everything but connections: the stores, pictures, keys.
const OTHER_FILES: usize = 256;
/// The pause after the system refuses another connection: it has run out of something that comes back.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The time limit for the head of a request, which also bounds how long an HTTP/1 connection may be idle: a client
    /// that opens thousands of connections and sends a byte a minute holds each of them no longer. A response, or over
    /// HTTP/2 16 KiB of it, may stay unread for as long.
    pub head: Duration,
    /// Between two requests of an HTTP/2 connection that answers pings.
    pub idle: Duration,
    /// For all requests of a connection together: afterwards the client opens another one, which a load balancer may send to
    /// another process.
    pub age: Duration,
    /// For the requests that are under way when a connection has reached its age.
    pub drain: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            idle: Duration::from_mins(3),
            age: Duration::from_hours(1),
            drain: Duration::from_mins(1),
        }
    }
}

/// Serves until cancelled; then requests in progress are completed, and new ones are refused. If visitors are limited,
/// each may have a share of all connections; a proxy may have the shares of all its visitors.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, cancel: CancellationToken) {
    let limit = connections(limits.connections_each(), room());
    serve_with(listener, router, (limit, limits.proxies().clone()), cancel, Patience::default()).await;
}

/// The limit on connections, of which each visitor may have as many as that, if that is limited.
fn connections(each: Option<usize>, room: usize) -> ConcurrencyLimit {
    match each {
        Some(each) => ConcurrencyLimit::new(room, each.min(room / SHARE)).reserving(room / RESERVE, FEW),
        None => ConcurrencyLimit::new(room, room),
    }
}

/// The same with another patience.
pub async fn serve_with(
    listener: TcpListener,
    router: Router,
    (limit, proxies): (ConcurrencyLimit, Proxies),
    cancel: CancellationToken,
    patience: Patience,
) {
    let mut builder = Builder::new(Streams { patience: patience.head });
    builder.http1().timer(TokioTimer::new()).header_read_timeout(patience.head);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(patience.head).max_concurrent_streams(STREAMS);
    let room = Arc::new(Semaphore::new(limit.all()));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = cancel.cancelled() => break,
            accepted = accept(&listener, &room) => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Some((stream, peer, permit)) = accepted else { continue };
        // Who has too many gets no answer: one would cost what the limit is to save.
        let visitor_permit = if proxies.contains(peer.ip()) { None } else { Some(limit.acquire(peer.ip())) };
        let Ok(visitor_permit) = visitor_permit.transpose() else { continue };
        // Answers are small and written whole: waiting to fill a packet only delays them.
        drop(stream.set_nodelay(true));
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(patience.head));
        let activity = Activity::new();
        let from = move |mut request: Request<_>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        };
        let of_requests = Arc::clone(&activity);
        let service = router.clone().map_request(from).map_future(move |it| watched(Arc::clone(&of_requests), it));
        let service = TowerToHyperService::new(service);
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(Box::pin(stream)), service).into_owned();
        let cancel = cancel.clone();
        connections.spawn(async move {
            keep(connection, &activity, patience, &cancel).await;
            drop((permit, visitor_permit));
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Serves a connection until it ends, has asked nothing in time, or has been open for long enough.
async fn keep<C: GracefulConnection>(
    connection: C,
    activity: &Activity,
    patience: Patience,
    cancel: &CancellationToken,
) {
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // A connection that breaks is its client's affair.
        _ = connection.as_mut() => return,
        () = silence(activity, patience.head) => return,
        () = activity.spent(patience.idle, patience.age) => {}
        () = cancel.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    // When the shop stops it ends what is left by itself.
    tokio::select! {
        _ = connection => {}
        () = tokio::time::sleep(patience.drain) => {}
    }
}

/// Returns if a connection sends nothing at all in time. Its first bytes determine the protocol, and until they arrive
/// no other limit applies.
async fn silence(activity: &Activity, patience: Duration) {
    tokio::time::sleep(patience).await;
    if activity.has_asked() {
        std::future::pending::<()>().await;
    }
}

/// How many connections there are files for: as many as the system lets this process have, without those that it needs itself.
fn room() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where it may not be raised, it stays.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let files = getrlimit(Resource::Nofile).current.and_then(|files| usize::try_from(files).ok());
    files.map_or(CONNECTIONS, |files| files.saturating_sub(OTHER_FILES).max(files / 2)).min(CONNECTIONS)
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(REFUSED_PAUSE).await;
            None
        }
    }
}

#[cfg(test)]
mod tests;
