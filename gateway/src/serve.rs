//! Connections: accepted, bounded in number and in how long they may dawdle, and ended in order when the shop stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// How long the head of a request may take to arrive, and so how long a connection may be idle: whoever opens thousands
/// and sends a letter a minute holds each of them no longer.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections at a time: far more than a machine serves at once, and fewer than it has file descriptors.
const CONNECTIONS_MAX: usize = 20_000;
/// The pause after the system refuses another connection: it has run out of something that comes back.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// Serves until cancelled; then requests under way are answered, and no more are taken.
pub async fn serve(listener: TcpListener, router: Router, cancel: CancellationToken) {
    serve_with(listener, router, cancel, HEAD_TIMEOUT).await;
}

/// The same with another limit on how long the head of a request may take.
pub async fn serve_with(listener: TcpListener, router: Router, cancel: CancellationToken, head_timeout: Duration) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head_timeout);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(head_timeout);
    let (graceful, room) = (GracefulShutdown::new(), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = cancel.cancelled() => break,
            accepted = accept(&listener, &room) => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Some((stream, peer, permit)) = accepted else { continue };
        // Answers are small and written whole: waiting to fill a packet only delays them.
        drop(stream.set_nodelay(true));
        let from = move |mut request: Request<_>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        };
        let service = TowerToHyperService::new(router.clone().map_request(from));
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let watched = graceful.watch(connection);
        connections.spawn(async move {
            // A connection that breaks is its client's affair.
            if let Err(error) = watched.await {
                tracing::trace!(%error, "a connection ended");
            }
            drop(permit);
        });
    }
    drop(listener);
    graceful.shutdown().await;
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
        serving.spawn(serve_with(listener, router, cancel.clone(), Duration::from_millis(50)));
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nHost: x").await.unwrap();
        let mut nothing = Vec::new();
        // It ends when the shop closes it, and never if the shop does not.
        slow.read_to_end(&mut nothing).await.unwrap();

        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = [0; 15];
        idle.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        cancel.cancel();
        serving.join_next().await.unwrap().unwrap();
    }
}
