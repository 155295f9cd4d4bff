//! Responses that their client does not read: they take up a bounded part of the memory, and nobody else's.

use bytes::Bytes;
use byteshop_gateway::edge::limits::Limits;
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::TestShop;
use h2::RecvStream;
use h2::client::SendRequest;
use serde_json::json;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// An HTTP/2 client with windows of nothing, which answers pings and reads no response.
struct Deaf {
    sender: SendRequest<Bytes>,
    unread: Vec<RecvStream>,
    _connection: JoinSet<()>,
}

impl Deaf {
    /// Connects from an address of this machine.
    async fn from(address: &str, shop: &TestShop) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
        let server = shop.url.strip_prefix("http://").unwrap().parse().unwrap();
        let socket: TcpStream = socket.connect(server).await.unwrap();
        let mut client = h2::client::Builder::new();
        client.initial_window_size(0);
        let (sender, connection) = client.handshake(socket).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { drop(connection.await) });
        Self { sender, unread: Vec::new(), _connection: tasks }
    }

    /// Asks and does not read what is answered; gives the status.
    async fn ask(&mut self, path: &str) -> u16 {
        std::future::poll_fn(|context| self.sender.poll_ready(context)).await.unwrap();
        let request = http::Request::get(format!("http://shop{path}")).body(()).unwrap();
        let (response, _) = self.sender.send_request(request, true).unwrap();
        let response = response.await.unwrap();
        let status = response.status().as_u16();
        self.unread.push(response.into_body());
        status
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_visitor_holds_only_so_many_bytes_and_all_of_them_together_too() {
    let limits = Limits::per_minute(10_000, 0).with_held(30_000, 20_000);
    let shop = TestShop::start().limits(limits).await;
    let admin = shop.token(Role::Admin);
    // Two of them are what one visitor may hold, three what all may.
    let body = json!({"title": "Long", "description": "x".repeat(9_000)});
    let product = shop.post("/v1/products").by(&admin).json(body).send().await.expect(201).id();
    let path = format!("/v1/products/{product}");
    let variant = json!({"sku": "LONG", "price": {"amount": 500, "currency": "EUR"}});
    shop.post(&format!("{path}/variants")).by(&admin).json(variant).send().await.expect(201);
    shop.post(&format!("{path}/publish")).by(&admin).send().await.expect(200);

    let mut one = Deaf::from("127.0.0.2", &shop).await;
    for _ in 0..90 {
        assert_eq!(one.ask("/openapi.json").await, 200, "what lies in the program is not counted");
    }
    assert_eq!([one.ask(&path).await, one.ask(&path).await, one.ask(&path).await], [200, 200, 429]);
    let mut other = Deaf::from("127.0.0.3", &shop).await;
    assert_eq!([other.ask(&path).await, other.ask(&path).await], [200, 503]);
    let refused = shop.get(&path).send().await.expect_problem(503, "server.busy");
    assert!(refused.header("retry-after").is_some());

    // Whoever goes away leaves nothing behind.
    drop(one);
    eventually("there is room again", || async { (shop.get(&path).send().await.status == 200).then_some(()) }).await;
    assert_eq!(other.ask(&path).await, 200);
}
