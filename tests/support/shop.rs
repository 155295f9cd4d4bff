//! A shop over HTTP in this process: a database of its own, every view, the processes, and a client.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use byteshop_commands::notify::format::Zone;
use byteshop_commands::notify::outside::Outside;
use byteshop_commands::ports::blobs::Blobs;
use byteshop_commands::{Commands, Connected};
use byteshop_domain::ids::{AccountId, Id as _};
use byteshop_eventstore::{Clock, Log};
use byteshop_gateway::config::{OperationsAddress, OutsideConfig, Shown};
use byteshop_gateway::edge::cors::Origins;
use byteshop_gateway::edge::limits::Limits;
use byteshop_gateway::edge::positions::{self, Positions};
use byteshop_gateway::health::Health;
use byteshop_gateway::rotation::KeySource;
use byteshop_gateway::security::password::Passwords;
use byteshop_gateway::security::token::{LIFETIME, Role, Tokens};
use byteshop_gateway::shop::{Messages, Roles, Settings, Shop};
use byteshop_gateway::staff::StaffRules;
use byteshop_gateway::trade::Trade;
use byteshop_projections::Views;
use chrono::TimeDelta;
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use metrics_exporter_prometheus::PrometheusBuilder;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::contract;
use crate::servers::{data_keys, fresh_database, migrated};

/// Any free port of this machine.
const ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// Connections of a shop for reading its log: all shops of a test program share one Postgres.
const CONNECTIONS: u32 = 16;
/// Processes that a shop runs; each writes down how far it is.
const PROCESSES: usize = 8;

/// A running shop; dropped, it ends.
pub struct TestShop {
    /// Where it answers, such as `http://127.0.0.1:40123`.
    pub url: String,
    /// Where operators reach it.
    pub operations: String,
    /// Where its database is, for the owner.
    pub database: String,
    /// Its log.
    pub log: Log,
    /// Its write side.
    pub commands: Commands,
    /// Its read side.
    pub views: Views,
    /// Its token keys.
    pub tokens: Tokens,
    /// What its processes and views do.
    pub health: Health,
    /// What hashes its passwords.
    pub passwords: Passwords,
    /// Where its files are.
    pub files: TempDir,
    client: Client,
    positions: Arc<Positions>,
    running: Shop,
}

/// A shop that starts when this is awaited: the composition of production, with what tests vary. There is no JetStream.
#[must_use]
pub struct Setup {
    /// A fresh one if none is named.
    database: Option<String>,
    limits: Limits,
    cors: Origins,
    messages: Messages,
    trade: Trade,
    /// A directory for the test if none are named.
    files: Option<Blobs>,
    tokens: Tokens,
    staff: StaffRules,
    connected: Connected,
    dev: bool,
}

/// A request on its way to a shop.
#[must_use]
pub struct Call {
    request: RequestBuilder,
    positions: Arc<Positions>,
    /// Whether the response is held against the OpenAPI document.
    is_in_document: bool,
}

/// What a shop answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, null when there is none, a string when it is no JSON.
    pub body: Value,
    /// The position of the command's last event, whether the shop showed it as a number or as a token.
    position: Option<i64>,
}

/// A guest's cart.
#[derive(Debug, Clone)]
pub struct GuestCart {
    /// Its id.
    pub id: String,
    /// What opens it.
    pub token: String,
}

/// A client that is led from page to page of the shop, and to no other host.
fn client() -> Client {
    let within = Policy::custom(|attempt| {
        let from = attempt.previous().last().and_then(|url| url.host_str());
        if from == attempt.url().host_str() { attempt.follow() } else { attempt.stop() }
    });
    Client::builder().timeout(Duration::from_mins(1)).redirect(within).build().unwrap()
}

impl TestShop {
    /// A shop in development with a database of its own and without limits.
    pub fn start() -> Setup {
        Setup {
            database: None,
            limits: Limits::default(),
            cors: Origins::default(),
            messages: Messages::Stored,
            trade: Trade::default(),
            files: None,
            tokens: Tokens::ephemeral().unwrap(),
            staff: StaffRules::default(),
            connected: Connected::emulators(),
            dev: true,
        }
    }

    /// A shop on this database.
    pub fn on(database: String) -> Setup {
        Setup { database: Some(database), ..Self::start() }
    }

    /// Another process of this shop: it has the same database and the same token keys, and shares nothing else.
    pub fn beside(&self) -> Setup {
        Setup { tokens: self.tokens.clone(), ..Self::on(self.database.clone()) }
    }

    async fn of(running: Shop, database: String, files: TempDir) -> Self {
        let app = running.app().expect("it serves").clone();
        Self {
            url: format!("http://{}", running.http().expect("it serves")),
            operations: format!("http://{}", running.operations()),
            database,
            log: app.commands.log().clone(),
            positions: positions_of(&app.commands).await,
            commands: app.commands,
            views: app.views,
            tokens: app.tokens,
            health: app.health,
            passwords: app.passwords,
            files,
            client: client(),
            running,
        }
    }

    /// Stops in order, as Ctrl-C does.
    pub async fn stop(self) {
        self.running.stop().await;
    }

    /// Waits until every process has reacted to everything; gives the end of the log.
    pub async fn at_rest(&self) -> i64 {
        crate::patience::eventually("the processes are at rest", || async {
            let head = self.log.head().await.unwrap();
            let positions: Vec<i64> =
                sqlx::query_scalar("select position from log.process").fetch_all(self.log.pool()).await.unwrap();
            let all_there = positions.len() == PROCESSES && positions.iter().all(|position| *position >= head);
            // A position is written down after what followed from it, so nobody is at it if nothing came since.
            let came_since = self.log.head().await.unwrap() > head;
            (all_there && !came_since).then_some(head)
        })
        .await
    }

    /// An access token of somebody new with this role.
    pub fn token(&self, role: Role) -> String {
        self.token_of(role, AccountId::from_uuid(Clock.new_id()))
    }

    /// An access token of an account.
    pub fn token_of(&self, role: Role, account: AccountId) -> String {
        self.tokens.issue(role, account, LIFETIME).unwrap()
    }

    /// The token that the shop would show for a position.
    pub fn token_at(&self, position: i64) -> String {
        self.positions.seal(position).unwrap()
    }

    /// A request.
    pub fn call(&self, method: Method, path: &str) -> Call {
        let request = self.client.request(method, format!("{}{path}", self.url));
        Call { request, positions: Arc::clone(&self.positions), is_in_document: true }
    }

    /// A query.
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// A query of an operator, whose address is not part of the API.
    pub fn ask_operations(&self, path: &str) -> Call {
        let request = self.client.get(format!("{}{path}", self.operations));
        Call { request, positions: Arc::clone(&self.positions), is_in_document: false }
    }

    /// A command.
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// A command that sets.
    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    /// A command that changes.
    pub fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    /// A command that removes.
    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// A published product with one variant of so many pieces; gives the ids of both.
    pub async fn product(&self, sku: &str, price: i64, on_hand: i64) -> (String, String) {
        let admin = self.token(Role::Admin);
        let made = self.post("/v1/products").by(&admin).json(json!({"title": format!("Thing {sku}")})).send().await;
        let product = made.expect(201).id();
        let path = format!("/v1/products/{product}/variants");
        let variant = json!({"sku": sku, "price": {"amount": price, "currency": "EUR"}});
        let added = self.post(&path).by(&admin).json(variant).send().await.expect(201);
        let variant = added.body["variants"][0]["id"].as_str().unwrap().to_owned();
        self.post(&format!("/v1/products/{product}/publish")).by(&admin).send().await.expect(200);
        if on_hand > 0 {
            let movement = json!({"type": "received", "quantity": on_hand});
            self.post(&format!("/v1/variants/{variant}/stock")).by(&admin).json(movement).send().await.expect(200);
        }
        (product, variant)
    }

    /// A guest's empty cart.
    pub async fn guest_cart(&self) -> GuestCart {
        let made = self.post("/v1/carts").json(json!({"currency": "EUR"})).send().await.expect(201);
        GuestCart { id: made.id(), token: made.body["cart_token"].as_str().unwrap().to_owned() }
    }

    /// A guest's cart with so much of a variant and an address, ready for checkout.
    pub async fn full_cart(&self, variant: &str, quantity: i64) -> GuestCart {
        let cart = self.guest_cart().await;
        let line = format!("/v1/carts/{}/lines/{variant}", cart.id);
        self.put(&line).with(&cart).json(json!({"quantity": quantity})).send().await.expect(200);
        let address = address("DE");
        self.put(&format!("/v1/carts/{}/address", cart.id)).with(&cart).json(address).send().await.expect(200);
        cart
    }

    /// A guest's order of so much of a variant, and the cart that opens it.
    pub async fn order(&self, variant: &str, quantity: i64) -> (Answer, GuestCart) {
        let cart = self.full_cart(variant, quantity).await;
        let placed = self.post(&format!("/v1/carts/{}/checkout", cart.id)).with(&cart).send().await;
        (placed.expect(201), cart)
    }
}

impl Setup {
    /// It allows each visitor so much.
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Pages of these origins may ask it.
    pub fn open_to(self, cors: Origins) -> Self {
        Self { cors, ..self }
    }

    /// These carry its messages.
    pub fn reaching(self, outside: Outside) -> Self {
        Self { messages: Messages::Given(outside), ..self }
    }

    /// It trades like this.
    pub fn trading(self, trade: Trade) -> Self {
        Self { trade, ..self }
    }

    /// It keeps its files there.
    pub fn keeping(self, files: Blobs) -> Self {
        Self { files: Some(files), ..self }
    }

    /// It asks this of its staff.
    pub fn staffed(self, staff: StaffRules) -> Self {
        Self { staff, ..self }
    }

    /// It is connected to this.
    pub fn connected_to(self, connected: Connected) -> Self {
        Self { connected, ..self }
    }

    /// It knows its own address, as a shop in development does that `byteshop up` starts, and that of its staff.
    pub fn addressed(self) -> Self {
        let (smtp, sms, push) = (None, None, None);
        let (name, url, api_url, zone) = ("ByteShop".to_owned(), None, None, Zone::default());
        let staff = Some("staff@example.org".to_owned());
        let config = OutsideConfig { name, url, api_url, zone, staff, smtp, sms, push };
        Self { messages: Messages::Configured(Box::new(config)), ..self }
    }

    /// It is not in development: no token of the command line opens it.
    pub fn in_production(self) -> Self {
        Self { dev: false, ..self }
    }

    async fn run(self) -> TestShop {
        let database = match self.database {
            Some(database) => database,
            None => fresh_database().await,
        };
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings {
            database_url: migrated(&database).await,
            database_connections: CONNECTIONS,
            nats: None,
            roles: Roles { serve: Some(ANYWHERE), work: Some(Vec::new()), relay: false },
            operations: OperationsAddress { address: ANYWHERE.to_string(), is_chosen: true },
            shown: Arc::new(Shown { pid: std::process::id(), settings: Vec::new(), warnings: Vec::new() }),
            tokens: Some(self.tokens),
            data_keys: data_keys(),
            key_source: KeySource::Given,
            erased: None,
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            limits: self.limits,
            cors: self.cors,
            refuse_disposable: true,
            pay_within: TimeDelta::minutes(30),
            trade: self.trade,
            staff: self.staff,
            connected: self.connected,
            dev: self.dev,
            messages: self.messages,
            webhook_private: true,
            files: Some(self.files.unwrap_or_else(|| Blobs::local(directory.path()).unwrap())),
        };
        TestShop::of(Shop::start(settings).await.unwrap(), database, directory).await
    }
}

impl IntoFuture for Setup {
    type Output = TestShop;
    type IntoFuture = LocalBoxFuture<'static, TestShop>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed_local()
    }
}

/// What seals the positions of a shop.
async fn positions_of(commands: &Commands) -> Arc<Positions> {
    let key = commands.vault().derive(positions::PURPOSE).await.unwrap();
    Arc::new(Positions::new(&key).unwrap())
}

/// An address in a country that a parcel and a mail find.
pub fn address(country: &str) -> Value {
    json!({"country": country, "name": "Rahel Varnhagen", "lines": ["Mauerstraße 36"], "postal_code": "10117",
        "city": "Berlin", "email": "rahel@example.org"})
}

impl Call {
    /// With an access token.
    pub fn by(self, token: &str) -> Self {
        Self { request: self.request.bearer_auth(token), ..self }
    }

    /// With the token of a cart.
    pub fn with(self, cart: &GuestCart) -> Self {
        self.header("Cart-Token", &cart.token)
    }

    /// With an idempotency key.
    pub fn key(self, key: &str) -> Self {
        self.header("Idempotency-Key", key)
    }

    /// With a header.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self { request: self.request.header(name, value), ..self }
    }

    /// Answered only when the views have this position, which is sent as the token that the shop itself would show.
    pub fn after(self, position: impl std::fmt::Display) -> Self {
        let token = self.positions.seal(position.to_string().parse().unwrap()).unwrap();
        self.header("Min-Log-Position", &token)
    }

    /// With a body.
    #[expect(clippy::needless_pass_by_value, reason = "callers make the body where they send it")]
    pub fn json(self, body: Value) -> Self {
        Self { request: self.request.json(&body), ..self }
    }

    /// With any bytes as JSON.
    pub fn body(self, body: impl Into<reqwest::Body>) -> Self {
        Self { request: self.request.header("Content-Type", "application/json").body(body), ..self }
    }

    /// With any bytes, of which nothing is said.
    pub fn body_raw(self, body: impl Into<reqwest::Body>) -> Self {
        Self { request: self.request.body(body), ..self }
    }

    /// Sends it, and holds the response against the OpenAPI document.
    ///
    /// # Panics
    /// When the document does not allow the response.
    pub async fn send(self) -> Answer {
        let (client, request) = self.request.build_split();
        let request = request.expect("the request can be built");
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await.expect("the shop answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // A stream of events has no end.
        let streams = headers.get("content-type").is_some_and(|it| it.as_bytes() == b"text/event-stream");
        let text = if streams { String::new() } else { response.text().await.unwrap() };
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::from(text)) };
        let position = headers.get("log-position").and_then(|value| value.to_str().ok());
        let position = position.and_then(|text| text.parse().ok().or_else(|| self.positions.open(text)));
        let answer = Answer { status, headers, body, position };
        // A repeated command whose response was too large to keep answers with its outcome alone, whatever the operation.
        let is_outcome = answer.header("idempotency-replayed").is_some() && answer.body["status"] == "done";
        if self.is_in_document && !is_outcome {
            let (content_type, body) = (answer.header("content-type"), &answer.body);
            contract::check(contract::Response { method: &method, path: &path, status, content_type, body });
        }
        answer
    }
}

impl Answer {
    /// The answer, which has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// It is this problem.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        self
    }

    /// A header, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The items of a header that holds a list, in however many lines.
    pub fn listed(&self, name: &str) -> Vec<&str> {
        let lines = self.headers.get_all(name).iter().map(|value| value.to_str().unwrap());
        lines.flat_map(|line| line.split(',')).map(str::trim).collect()
    }

    /// The id of the thing in the body.
    #[track_caller]
    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.body)).to_owned()
    }

    /// A text of the body.
    #[track_caller]
    pub fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {}", self.body))
    }

    /// The position of the command's last event.
    #[track_caller]
    pub fn position(&self) -> i64 {
        self.position.unwrap_or_else(|| panic!("no position: {}", self.body))
    }
}
