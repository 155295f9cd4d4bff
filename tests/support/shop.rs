//! A shop over HTTP in this process: a database of its own, every view, the processes, and a client.

use std::sync::Arc;
use std::time::Duration;

use byteshop_commands::notify::outside::Outside;
use byteshop_commands::ports::blobs::Blobs;
use byteshop_commands::ports::connected::Provider;
use byteshop_commands::ports::webhook::WebhookClient;
use byteshop_commands::processes::{self, CarryOut};
use byteshop_commands::{Appender, Commands, Committed, Connected, webhooks};
use byteshop_domain::ids::{AccountId, Id as _};
use byteshop_domain::process::forget_person::ForgetPerson;
use byteshop_domain::process::notify::{self, SendNotifications};
use byteshop_domain::process::schedule_products::ScheduleProducts;
use byteshop_domain::process::settle_order::SettleOrder;
use byteshop_eventstore::feed::Feed;
use byteshop_eventstore::{Clock, Log};
use byteshop_gateway::app::{App, Seen};
use byteshop_gateway::config::Shown;
use byteshop_gateway::edge::cors::Origins;
use byteshop_gateway::edge::limits::Limits;
use byteshop_gateway::edge::positions::{self, Positions};
use byteshop_gateway::followers::{self, Followers};
use byteshop_gateway::health::{Health, POSTGRES, RoleState};
use byteshop_gateway::http::{openapi, provider};
use byteshop_gateway::operations::{self, Operations};
use byteshop_gateway::pictures::Pictures;
use byteshop_gateway::restored;
use byteshop_gateway::router::router;
use byteshop_gateway::security::ended_sessions::Ended;
use byteshop_gateway::security::key_uses::Uses;
use byteshop_gateway::security::password::Passwords;
use byteshop_gateway::security::token::{LIFETIME, Role, Tokens};
use byteshop_gateway::serve::serve;
use byteshop_gateway::staff::StaffRules;
use byteshop_gateway::trade::Trade;
use byteshop_projections::Views;
use chrono::TimeDelta;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::contract;
use crate::servers::{data_keys, fresh_database, migrated};

/// Processes that a shop runs; each writes down how far it is.
const PROCESSES: usize = 5;

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
    running: Running,
}

/// What a shop does by itself.
struct Running {
    cancel: CancellationToken,
    tasks: JoinSet<()>,
    /// It ends last: what stops still has something to write.
    writing: JoinSet<()>,
}

/// What differs between shops of tests.
struct Options {
    limits: Limits,
    cors: Origins,
    /// Who carries messages; they are kept when nobody is named.
    outside: Option<Outside>,
    trade: Trade,
    files: Option<Blobs>,
    database: String,
    tokens: Tokens,
    staff: StaffRules,
    connected: Connected,
    dev: bool,
}

impl Options {
    fn on(database: String) -> Self {
        let tokens = Tokens::ephemeral().unwrap();
        Self {
            limits: Limits::default(),
            cors: Origins::default(),
            outside: None,
            trade: Trade::default(),
            files: None,
            database,
            tokens,
            staff: StaffRules::default(),
            connected: Connected::emulators(),
            dev: true,
        }
    }
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

impl TestShop {
    /// Starts a shop without limits.
    pub async fn start() -> Self {
        Self::start_with(Limits::default()).await
    }

    /// Starts a shop.
    pub async fn start_with(limits: Limits) -> Self {
        Self::start_as(Options { limits, ..Options::on(fresh_database().await) }).await
    }

    /// Starts a shop that pages of these origins may ask.
    pub async fn open_to(cors: Origins, limits: Limits) -> Self {
        Self::start_as(Options { limits, cors, ..Options::on(fresh_database().await) }).await
    }

    /// Starts a shop on this database, whose messages these carry.
    pub async fn reaching(database: String, outside: Outside) -> Self {
        Self::start_as(Options { outside: Some(outside), ..Options::on(database) }).await
    }

    /// Starts another process of this shop: it has the same database and the same token keys, and shares nothing else.
    pub async fn beside(&self) -> Self {
        let tokens = self.tokens.clone();
        Self::start_as(Options { tokens, ..Options::on(self.database.clone()) }).await
    }

    /// Starts another process of this shop, which asks this of its staff and is not in development.
    pub async fn beside_in_production(&self, staff: StaffRules) -> Self {
        let tokens = self.tokens.clone();
        Self::start_as(Options { staff, dev: false, tokens, ..Options::on(self.database.clone()) }).await
    }

    /// Starts another process of this shop, which trades like this.
    pub async fn beside_trading(&self, trade: Trade) -> Self {
        let tokens = self.tokens.clone();
        Self::start_as(Options { trade, tokens, ..Options::on(self.database.clone()) }).await
    }

    /// Starts a shop that trades like this.
    pub async fn trading(trade: Trade) -> Self {
        Self::start_as(Options { trade, ..Options::on(fresh_database().await) }).await
    }

    /// Starts a shop that asks this of its staff, and is not in development: no token of the command line opens it.
    pub async fn in_production(staff: StaffRules) -> Self {
        Self::start_as(Options { staff, dev: false, ..Options::on(fresh_database().await) }).await
    }

    /// Starts a shop that asks this of its staff.
    pub async fn staffed(staff: StaffRules) -> Self {
        Self::start_as(Options { staff, ..Options::on(fresh_database().await) }).await
    }

    /// Starts a shop in development that is connected to this.
    pub async fn connected_to(connected: Connected) -> Self {
        Self::start_as(Options { connected, ..Options::on(fresh_database().await) }).await
    }

    /// Starts another process of this shop, which is not in development and connected to this.
    pub async fn beside_connected_to(&self, connected: Connected) -> Self {
        let tokens = self.tokens.clone();
        Self::start_as(Options { connected, tokens, dev: false, ..Options::on(self.database.clone()) }).await
    }

    /// Starts a shop that keeps its files there.
    pub async fn keeping(files: Blobs) -> Self {
        Self::start_as(Options { files: Some(files), ..Options::on(fresh_database().await) }).await
    }

    async fn start_as(options: Options) -> Self {
        let (log, views) = stores(&options.database).await;
        let cancel = CancellationToken::new();
        let feed = Feed::start(log.clone(), None, 0, cancel.clone());
        let (commands, writing, of_webhooks) = write_side(&log, options.connected.clone(), feed.clone());
        commands.sell_as(options.trade.seller.clone());
        let mut running = JoinSet::new();
        let webhooks_client = WebhookClient::new(true).unwrap();
        if let Some(outside) = options.outside {
            commands.reach(outside);
        }
        running.spawn(webhooks::run(commands.clone(), webhooks_client.clone(), of_webhooks, cancel.clone()));
        react(&mut running, &commands, &feed, &cancel);
        let of_views = (views.clone(), cancel.clone());
        running.spawn(async move { of_views.0.run(feed, &[], of_views.1).await.unwrap() });
        let (passwords, tokens) = (Passwords::new().unwrap(), options.tokens);
        let health = opened(&mut running, &commands, &cancel).await;
        let files = tempfile::tempdir().unwrap();
        let (ended, follower) = Ended::of(&log).await.unwrap();
        running.spawn(follower.follow(cancel.clone()));
        let operations = watch(&mut running, &log, &views, &health, &cancel).await;
        let app = App {
            commands: commands.clone(),
            views: views.clone(),
            tokens: tokens.clone(),
            health: health.clone(),
            contract: openapi::contract(),
            limits: options.limits,
            cors: options.cors,
            passwords: passwords.clone(),
            refuse_disposable: true,
            pay_within: TimeDelta::minutes(30),
            trade: options.trade,
            staff: options.staff,
            dev: options.dev,
            webhooks: webhooks_client,
            closing: cancel.clone(),
            ended,
            seen: Seen::default(),
            pictures: Pictures::in_blobs(options.files.unwrap_or_else(|| Blobs::local(files.path()).unwrap())),
            uses: Uses::default(),
        };
        running.spawn(app.uses.clone().keep(log.clone(), cancel.clone()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        if options.connected.has_provider(Provider::Test) {
            running.spawn(provider::tell(commands.clone(), url.clone(), cancel.clone()));
        }
        let limits = app.limits.clone();
        running.spawn(serve(listener, router(app), limits, cancel.clone()));
        let client = Client::builder().timeout(Duration::from_mins(1)).build().unwrap();
        let positions = positions_of(&commands).await;
        let database = options.database;
        let running = Running { cancel, tasks: running, writing };
        Self {
            url,
            operations,
            database,
            log,
            commands,
            views,
            tokens,
            health,
            passwords,
            files,
            client,
            positions,
            running,
        }
    }

    /// Stops in order, as Ctrl-C does.
    pub async fn stop(self) {
        let mut running = self.running;
        running.cancel.cancel();
        while running.tasks.join_next().await.is_some() {}
        running.writing.shutdown().await;
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

/// The log and the views of a database, up to date.
async fn stores(database: &str) -> (Log, Views) {
    let log = Log::open(&migrated(database).await).unwrap();
    let views = Views::beside(log.clone());
    (log, views)
}

/// The write side of a log, what it does by itself, and what wakes the webhooks.
fn write_side(log: &Log, connected: Connected, feed: Feed) -> (Commands, JoinSet<()>, Arc<Notify>) {
    let hint = Arc::new(Notify::new());
    let webhooks = Arc::clone(&hint);
    let committed = move |committed: Committed| {
        feed.offer(committed.events());
        hint.notify_one();
    };
    let (appender, appending) = Appender::new(log.clone(), committed, CancellationToken::new());
    let mut writing = JoinSet::new();
    writing.spawn(appending);
    (Commands::new(log.clone(), appender, data_keys(), connected), writing, webhooks)
}

/// The health of a shop that looks whether its log was restored.
async fn opened(running: &mut JoinSet<()>, commands: &Commands, cancel: &CancellationToken) -> Health {
    let health = Health::default();
    health.set("views", RoleState::Up);
    health.set(POSTGRES, RoleState::Up);
    health.emulate(commands.connected().emulated());
    restored::recognize(commands, &health).await.unwrap();
    running.spawn(restored::watch(commands.clone(), health.clone(), cancel.clone()));
    health
}

/// Runs the processes.
fn react(running: &mut JoinSet<()>, commands: &Commands, feed: &Feed, cancel: &CancellationToken) {
    let on = || (commands.clone(), feed.clone(), cancel.clone());
    process::<SettleOrder>(running, on());
    process::<notify::Notify>(running, on());
    process::<SendNotifications>(running, on());
    process::<ScheduleProducts>(running, on());
    process::<ForgetPerson>(running, on());
}

fn process<P: CarryOut + 'static>(
    running: &mut JoinSet<()>,
    (commands, feed, cancel): (Commands, Feed, CancellationToken),
) {
    running.spawn(processes::run::<P>(commands, feed, cancel));
}

/// Watches what follows the log and shows it to operators; gives where.
async fn watch(
    running: &mut JoinSet<()>,
    log: &Log,
    views: &Views,
    health: &Health,
    cancel: &CancellationToken,
) -> String {
    let (log, views, health) = (log.clone(), views.clone(), health.clone());
    let seen = Followers { log: log.clone(), views: views.clone(), nats: None };
    running.spawn(followers::watch(seen, followers::Pace::default(), health.clone(), cancel.clone()));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle();
    let settings = Arc::new(Shown { pid: std::process::id(), settings: Vec::new(), warnings: Vec::new() });
    let shown = Operations { health, metrics, views, log, settings };
    running.spawn(operations::serve(listener, shown, cancel.clone()));
    url
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
        if self.is_in_document {
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
