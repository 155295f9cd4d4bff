//! Connections: accepted, bounded in number and in how long they may dawdle, and ended in order when the shop stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::limits::Limits;
use crate::limits::seats::Seats;
use crate::proxies::Proxies;

/// How long the head of a request may take to arrive, and so how long a connection may be idle: whoever opens thousands
/// and sends a letter a minute holds each of them no longer. An answer may lie unread for as long.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Requests under way on one connection of HTTP/2: as few as RFC 9113, section 6.5.2 recommends.
const STREAMS: u32 = 100;
/// Connections at a time: far more than a machine serves at once.
const CONNECTIONS: usize = 20_000;
/// The part of them that one visitor may have: so many have to come together to fill a shop.
const SHARE: usize = 4;
/// Files that are left for everything but connections: the stores, pictures, keys.
const OTHER_FILES: usize = 256;
/// The pause after the system refuses another connection: it has run out of something that comes back.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// Serves until cancelled; then requests under way are answered, and no more are taken. Where visitors are limited, each has
/// their share of the connections that there are at most; a proxy has those of all its visitors.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, cancel: CancellationToken) {
    let room = room();
    let seats = Seats::new(room, limits.connections_each().map_or(room, |each| each.min(room / SHARE)));
    serve_with(listener, router, (seats, limits.proxies().clone()), cancel, HEAD_TIMEOUT).await;
}

/// The same with another limit on how long a connection may dawdle.
pub async fn serve_with(
    listener: TcpListener,
    router: Router,
    (seats, proxies): (Seats, Proxies),
    cancel: CancellationToken,
    head_timeout: Duration,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head_timeout);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(head_timeout).max_concurrent_streams(STREAMS);
    let (graceful, room) = (GracefulShutdown::new(), Arc::new(Semaphore::new(seats.all())));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = cancel.cancelled() => break,
            accepted = accept(&listener, &room) => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Some((stream, peer, permit)) = accepted else { continue };
        // Who has too many gets no answer: one would cost what the limit is to save.
        let seat = if proxies.contains(peer.ip()) { None } else { Some(seats.take(peer.ip())) };
        let Ok(seat) = seat.transpose() else { continue };
        // Answers are small and written whole: waiting to fill a packet only delays them.
        drop(stream.set_nodelay(true));
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(head_timeout));
        let asked = Arc::new(AtomicBool::new(false));
        let asks = Arc::clone(&asked);
        let from = move |mut request: Request<_>| {
            asks.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        };
        let service = TowerToHyperService::new(router.clone().map_request(from));
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(Box::pin(stream)), service).into_owned();
        let watched = graceful.watch(connection);
        connections.spawn(async move {
            tokio::select! {
                ended = watched => if let Err(error) = ended {
                    // A connection that breaks is its client's affair.
                    tracing::trace!(%error, "a connection ended");
                },
                () = silence(&asked, head_timeout) => {}
            }
            drop((permit, seat));
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// Returns when a connection asked nothing at all in time. Which protocol it speaks is told by its first bytes, and until
/// they are there no other limit holds.
async fn silence(asked: &AtomicBool, patience: Duration) {
    tokio::time::sleep(patience).await;
    if asked.load(Ordering::Relaxed) {
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
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(REFUSED_PAUSE).await;
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn half_a_head_does_not_hold_a_connection_and_a_stop_ends_idle_ones() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (address, cancel) = (listener.local_addr().unwrap(), CancellationToken::new());
        let router = Router::new().route("/", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()));
        let mut serving = JoinSet::new();
        let seats = Seats::new(10, 2);
        serving.spawn(serve_with(
            listener,
            router,
            (seats, Proxies::default()),
            cancel.clone(),
            Duration::from_millis(50),
        ));
        for beginning in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nHost: x"] {
            let mut slow = TcpStream::connect(address).await.unwrap();
            slow.write_all(beginning.as_bytes()).await.unwrap();
            let mut nothing = Vec::new();
            // It ends when the shop closes it, and never if the shop does not.
            slow.read_to_end(&mut nothing).await.unwrap();
        }

        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = [0; 15];
        idle.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        cancel.cancel();
        serving.join_next().await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn an_answer_that_nobody_reads_does_not_hold_a_connection() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (address, cancel) = (listener.local_addr().unwrap(), CancellationToken::new());
        // More than the buffers of both ends hold together.
        let router = Router::new().route("/", get(async || vec![0u8; 64 << 20]));
        let mut serving = JoinSet::new();
        let bounds = (Seats::new(10, 1), Proxies::default());
        serving.spawn(serve_with(listener, router, bounds, cancel, Duration::from_millis(50)));
        let mut deaf = TcpStream::connect(address).await.unwrap();
        deaf.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        // The only seat is free again, while the first one still listens to nothing.
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        loop {
            let mut next = TcpStream::connect(address).await.unwrap();
            drop(next.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await);
            let mut answer = [0; 15];
            if next.read_exact(&mut answer).await.is_ok() {
                assert_eq!(&answer, b"HTTP/1.1 200 OK");
                break;
            }
            assert!(tokio::time::Instant::now() < deadline, "whoever reads nothing holds the connection");
        }
        drop(deaf);
    }
}
