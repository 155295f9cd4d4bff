//! Clients of a shop that dies under them: they repeat what has no known outcome with the same key until it has one, and
//! write down what they were told.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use byteshop_eventstore::Clock;
use byteshop_tests::random::Chance;
use byteshop_tests::shop::address;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

/// How long one request may take before its client takes it for lost; shorter than some of the stops.
const REQUEST_PATIENCE: Duration = Duration::from_secs(5);
/// How long a client repeats a request before the shop has failed it.
const REPEAT_PATIENCE: Duration = Duration::from_mins(2);
/// Between two tries.
const REPEAT_EVERY: Duration = Duration::from_millis(50);
/// Pieces that staff puts on the shelf at a time.
const DELIVERY: u64 = 20;

/// A command whose outcome its client knows.
#[derive(Debug, Clone)]
pub struct Told {
    /// The key under which it was asked, each time.
    pub key: String,
    /// What the client called the request, the same each time.
    pub request: Uuid,
    /// What was asked.
    pub asked: String,
    /// The status of the answer.
    pub status: StatusCode,
    /// `Log-Position`: a number for staff, a token for everybody else.
    pub position: Option<String>,
    /// Pieces that it put on the shelf, and of which variant.
    pub received: Option<(String, i64)>,
}

/// What the clients share.
#[derive(Debug)]
pub struct Shared {
    /// Where the shop serves now; each request, repeated or not, goes to the next.
    pub bases: Mutex<Vec<String>>,
    /// A token of staff.
    pub staff: Mutex<String>,
    /// What is for sale.
    pub variants: Mutex<Vec<String>>,
    /// Whether orders may be left unpaid.
    pub abandon: AtomicBool,
    /// Ends the clients after the request that they are at.
    pub stop: AtomicBool,
    told: Mutex<Vec<Told>>,
    asked: AtomicUsize,
    repeated: AtomicUsize,
    http: Client,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
enum As<'a> {
    Staff,
    Guest(&'a str),
    Nobody,
}

impl Shared {
    pub fn new() -> Arc<Self> {
        let http = Client::builder().timeout(REQUEST_PATIENCE).connect_timeout(REQUEST_PATIENCE).build().unwrap();
        Arc::new(Self {
            bases: Mutex::default(),
            staff: Mutex::default(),
            variants: Mutex::default(),
            abandon: AtomicBool::new(true),
            stop: AtomicBool::new(false),
            told: Mutex::default(),
            asked: AtomicUsize::new(0),
            repeated: AtomicUsize::new(0),
            http,
        })
    }

    /// Everything that was told so far.
    pub fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// How often a request was repeated.
    pub fn repeated(&self) -> usize {
        self.repeated.load(Ordering::Relaxed)
    }

    /// Puts something up for sale.
    pub async fn offer(&self, sku: &str) -> String {
        let product = self.must(Method::POST, "/v1/products", json!({"title": "A thing"}), As::Staff).await;
        let id = product["id"].as_str().unwrap();
        let variant = json!({"sku": sku, "price": {"amount": 1_999, "currency": "EUR"}});
        let shown = self.must(Method::POST, &format!("/v1/products/{id}/variants"), variant, As::Staff).await;
        self.must(Method::POST, &format!("/v1/products/{id}/publish"), json!({}), As::Staff).await;
        let variant = shown["variants"][0]["id"].as_str().or(shown["id"].as_str()).unwrap().to_owned();
        self.deliver(&variant, 50).await;
        variant
    }

    /// Goods come in.
    async fn deliver(&self, variant: &str, quantity: u64) {
        let body = json!({"type": "received", "quantity": quantity});
        let path = format!("/v1/variants/{variant}/stock");
        let received = Some((variant.to_owned(), i64::try_from(quantity).unwrap()));
        self.ask(Method::POST, &path, body, As::Staff, received).await;
    }

    async fn must(&self, method: Method, path: &str, body: Value, who: As<'_>) -> Value {
        let (status, body) = self.ask(method, path, body, who, None).await;
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    /// Asks until the outcome is known.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Value,
        who: As<'_>,
        received: Option<(String, i64)>,
    ) -> (StatusCode, Value) {
        let (key, request) = (Clock.new_id().to_string(), Clock.new_id());
        let started = Instant::now();
        let mut last = String::new();
        loop {
            assert!(started.elapsed() < REPEAT_PATIENCE, "{method} {path} has no outcome: {last}");
            match self.ask_once(&method, path, &body, who, &key, request).await {
                Ok(response) => {
                    let status = response.status();
                    let position = response.headers().get("log-position").and_then(|it| it.to_str().ok());
                    let position = position.map(str::to_owned);
                    let text = response.text().await;
                    match text {
                        Ok(text) => {
                            let body: Value = serde_json::from_str(&text).unwrap_or_default();
                            let in_flight = body["code"] == "idempotency.in_flight";
                            if !status.is_server_error() && !in_flight && status != StatusCode::TOO_MANY_REQUESTS {
                                let asked = format!("{method} {path}");
                                self.told.lock().unwrap().push(Told {
                                    key,
                                    request,
                                    asked,
                                    status,
                                    position,
                                    received,
                                });
                                return (status, body);
                            }
                            assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{method} {path}: {body}");
                            last = format!("{status} {body}");
                        }
                        Err(error) => last = error.to_string(),
                    }
                }
                Err(error) => last = error.to_string(),
            }
            self.repeated.fetch_add(1, Ordering::Relaxed);
            sleep(REPEAT_EVERY).await;
        }
    }

    async fn ask_once(
        &self,
        method: &Method,
        path: &str,
        body: &Value,
        who: As<'_>,
        key: &str,
        request: Uuid,
    ) -> Result<Response, reqwest::Error> {
        let next = self.asked.fetch_add(1, Ordering::Relaxed);
        let base = {
            let bases = self.bases.lock().unwrap();
            bases[next % bases.len()].clone()
        };
        let asked = self.http.request(method.clone(), format!("{base}{path}")).json(body);
        let asked = asked.header("idempotency-key", key).header("x-request-id", request.to_string());
        let asked = match who {
            As::Staff => asked.bearer_auth(self.staff.lock().unwrap().as_str()),
            As::Guest(token) => asked.header("cart-token", token),
            As::Nobody => asked,
        };
        asked.send().await
    }

    /// One visitor after the other, until told to stop.
    pub async fn visit(self: Arc<Self>, mut chance: Chance) {
        while !self.stop.load(Ordering::Relaxed) {
            let variants = self.variants.lock().unwrap().clone();
            if chance.once_in(12) {
                let variants: Vec<&str> = variants.iter().map(String::as_str).collect();
                self.deliver(chance.one_of(&variants), DELIVERY).await;
            } else {
                self.buy(&variants, &mut chance).await;
            }
        }
    }

    /// A cart, some lines, a checkout, and whatever becomes of the order.
    async fn buy(&self, variants: &[String], chance: &mut Chance) {
        let cart = self.must(Method::POST, "/v1/carts", json!({"currency": "EUR"}), As::Nobody).await;
        let (id, token) = (cart["id"].as_str().unwrap(), cart["cart_token"].as_str().unwrap());
        let guest = As::Guest(token);
        let first = usize::try_from(chance.between(0, variants.len() as u64 - 1)).unwrap();
        for line in 0..usize::try_from(chance.between(1, 2)).unwrap() {
            let variant = &variants[(first + line) % variants.len()];
            let quantity = json!({"quantity": chance.between(1, 3)});
            let path = format!("/v1/carts/{id}/lines/{variant}");
            let (status, body) = self.ask(Method::PUT, &path, quantity, guest, None).await;
            if !status.is_success() {
                // Sold out is an answer; the next visitor may find more.
                assert_eq!(body["code"], "stock.not_enough", "{path}: {body}");
                return;
            }
        }
        self.must(Method::PUT, &format!("/v1/carts/{id}/address"), address("DE"), guest).await;
        let path = format!("/v1/carts/{id}/checkout");
        let (status, order) = self.ask(Method::POST, &path, json!({}), guest, None).await;
        if !status.is_success() {
            assert_eq!(status, StatusCode::CONFLICT, "{path}: {order}");
            return;
        }
        let (order, payment) = (order["id"].as_str().unwrap(), order["payment"].as_str().unwrap());
        let abandon = self.abandon.load(Ordering::Relaxed) && !self.stop.load(Ordering::Relaxed);
        if abandon && chance.once_in(10) {
            return;
        }
        self.end(order, guest, chance).await;
        if chance.once_in(4) {
            // It may be refused, as not everybody has paid.
            let path = format!("/v1/payments/{payment}/refunds");
            let body = json!({"amount": {"amount": 100, "currency": "EUR"}, "reason": "a scratch"});
            let give_back = self.ask(Method::POST, &path, body, As::Staff, None);
            if chance.once_in(4) {
                // At the same moment its buyer calls it off.
                let path = format!("/v1/orders/{order}/cancel");
                tokio::join!(give_back, self.ask(Method::POST, &path, json!({}), guest, None));
            } else {
                give_back.await;
            }
        }
    }

    /// Pays, sometimes with trouble, sometimes to cancel it after all.
    async fn end(&self, order: &str, guest: As<'_>, chance: &mut Chance) {
        let pay = format!("/v1/orders/{order}/payments");
        let cancel = format!("/v1/orders/{order}/cancel");
        if !chance.once_in(10) {
            let token = chance.one_of(&[
                "tok_success",
                "tok_success",
                "tok_success",
                "tok_success",
                "tok_pending_success",
                "tok_timeout",
                "tok_failure",
                "tok_cancelled",
                "tok_pending_failure",
                "tok_declined",
            ]);
            let body = json!({"provider": "test", "token": token});
            self.ask(Method::POST, &pay, body, guest, None).await;
            if matches!(token, "tok_declined" | "tok_failure" | "tok_cancelled") {
                let body = json!({"provider": "test", "token": "tok_success"});
                self.ask(Method::POST, &pay, body, guest, None).await;
            }
            // One that fails later leaves its order to be paid; nobody does.
            if token != "tok_pending_failure" && !chance.once_in(10) {
                return;
            }
        }
        self.ask(Method::POST, &cancel, json!({}), guest, None).await;
    }
}
