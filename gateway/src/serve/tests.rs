//! Connections that dawdle: raw sockets, and HTTP/2 clients that read as little as they like.

use std::net::IpAddr;

use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use h2::client::SendRequest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;

use super::*;
use crate::edge::limits::permits::{Held, hold_until_body_sent};

fn brief() -> Patience {
    Patience { head: Duration::from_millis(50), ..Patience::default() }
}

#[test]
fn greedy_visitors_leave_connections_to_others() {
    let limit = connections(Some(1_000), 64);
    let visitor = |last: u8| IpAddr::from([192, 0, 2, last]);
    let greedy: Vec<_> =
        (1..=8).map(|last| std::iter::from_fn(|| limit.acquire(visitor(last)).ok()).collect::<Vec<_>>()).collect();
    let most = greedy.iter().map(Vec::len).max();
    assert_eq!(most, Some(64 / SHARE), "a visitor has a share of all");
    // Without a reserve, four of them would have had all.
    assert!(greedy[4].len() >= FEW, "the fifth got {}", greedy[4].len());
    assert!(connections(None, 64).acquire(visitor(9)).is_ok());
}

#[tokio::test]
async fn half_a_head_does_not_hold_a_connection_and_a_stop_ends_idle_ones() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (address, cancel) = (listener.local_addr().unwrap(), CancellationToken::new());
    let router = Router::new().route("/", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()));
    let mut serving = JoinSet::new();
    let limit = ConcurrencyLimit::new(10, 2);
    serving.spawn(serve_with(listener, router, (limit, Proxies::default()), cancel.clone(), brief()));
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
    let bounds = (ConcurrencyLimit::new(10, 1), Proxies::default());
    serving.spawn(serve_with(listener, router, bounds, cancel, brief()));
    let mut deaf = TcpStream::connect(address).await.unwrap();
    deaf.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    // The only permit is free again, while the first one still listens to nothing.
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

/// A server whose `/long` has a megabyte and whose `/short` has ten bytes, both counted in `held`.
struct Server {
    address: SocketAddr,
    held: ConcurrencyLimit,
    serving: JoinSet<()>,
}

impl Server {
    async fn start(patience: Patience) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (address, held) = (listener.local_addr().unwrap(), ConcurrencyLimit::new(1 << 30, usize::MAX));
        let counted = move |held: ConcurrencyLimit, length: usize| async move {
            let visitor = IpAddr::V4(1.into());
            let permit = held.acquire_many(visitor, length).unwrap();
            hold_until_body_sent(Body::from(vec![7; length]), None, Held::Whole(Arc::new(permit)))
        };
        let (of_long, of_short) = (held.clone(), held.clone());
        let router = Router::new()
            .route("/long", get(move || counted(of_long, 1 << 20)))
            .route("/short", get(move || counted(of_short, 10)));
        let bounds = (ConcurrencyLimit::new(10, 10), Proxies::default());
        let mut serving = JoinSet::new();
        serving.spawn(serve_with(listener, router, bounds, CancellationToken::new(), patience));
        Self { address, held, serving }
    }

    /// A client with this window for each stream, which answers pings until the connection ends.
    async fn client(&self, window: u32) -> (SendRequest<Bytes>, JoinHandle<()>) {
        let socket = TcpStream::connect(self.address).await.unwrap();
        let mut client = h2::client::Builder::new();
        client.initial_window_size(window);
        let (sender, connection) = client.handshake(socket).await.unwrap();
        let ended = tokio::runtime::Handle::current().spawn(async move { drop(connection.await) });
        (sender, ended)
    }

    /// Returns when no bytes of a response are in memory any more.
    async fn is_empty(&self) {
        let visitor = IpAddr::V4(1.into());
        while self.held.held_by(visitor) > 0 {
            tokio::task::yield_now().await;
        }
    }
}

async fn ask(sender: &mut SendRequest<Bytes>, path: &str) -> h2::RecvStream {
    let request = Request::get(format!("http://shop{path}")).body(()).unwrap();
    std::future::poll_fn(|context| sender.poll_ready(context)).await.unwrap();
    let (response, _) = sender.send_request(request, true).unwrap();
    response.await.unwrap().into_body()
}

/// Reads all of a response, or until it is reset.
async fn read(body: &mut h2::RecvStream) -> (usize, Option<h2::Reason>) {
    let mut length = 0;
    while let Some(data) = body.data().await {
        match data {
            Ok(data) => length += data.len(),
            Err(error) => return (length, error.reason()),
        }
    }
    (length, None)
}

#[tokio::test]
async fn a_response_that_nobody_reads_is_reset_and_its_neighbours_are_not() {
    let server = Server::start(brief()).await;
    let (mut sender, _connection) = server.client(16 << 10).await;
    let mut unread = ask(&mut sender, "/long").await;
    let mut neighbour = ask(&mut sender, "/long").await;
    let mut length = 0;
    // The neighbour reads on until the other one is reset, and to its end after that.
    while let Some(data) = neighbour.data().await {
        let data = data.unwrap();
        length += data.len();
        neighbour.flow_control().release_capacity(data.len()).unwrap();
    }
    assert_eq!(length, 1 << 20);
    assert_eq!(read(&mut unread).await, (16 << 10, Some(h2::Reason::CANCEL)));
    server.is_empty().await;
    assert!(!server.serving.is_empty());
}

#[tokio::test]
async fn a_window_of_nothing_holds_no_response() {
    let server = Server::start(brief()).await;
    for (window, path) in [(0, "/long"), (0, "/short"), (1, "/short"), (9, "/short")] {
        let (mut sender, _connection) = server.client(window).await;
        let mut bodies = Vec::new();
        for _ in 0..50 {
            bodies.push(ask(&mut sender, path).await);
        }
        for mut body in bodies {
            let expected = (usize::try_from(window).unwrap(), Some(h2::Reason::CANCEL));
            assert_eq!(read(&mut body).await, expected, "{window} {path}");
        }
        server.is_empty().await;
    }
}

#[tokio::test]
async fn a_connection_that_only_answers_pings_ends_and_so_does_one_that_is_too_old() {
    let minute = Duration::from_mins(1);
    let (idle, old) = (Duration::from_millis(50), Duration::from_millis(200));
    let patience = Patience { head: minute, idle, age: minute, drain: minute };
    let server = Server::start(patience).await;
    let (mut sender, ended) = server.client(64 << 10).await;
    assert_eq!(read(&mut ask(&mut sender, "/short").await).await, (10, None));
    ended.await.unwrap();

    // One that asks all the time is told to go away when its time has come, and cut off when it does not.
    let patience = Patience { head: minute, idle: minute, age: old, drain: Duration::from_millis(50) };
    let server = Server::start(patience).await;
    let (mut sender, ended) = server.client(0).await;
    let _unread = ask(&mut sender, "/long").await;
    ended.await.unwrap();
    server.is_empty().await;
}
