//! Keys while the shop is killed: an import counts wholly or not at all, a paid order has its keys, none is given twice, and none of
//! them is written down anywhere in the clear.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use async_nats::jetstream;
use byteshop_eventstore::nats;
use byteshop_tests::patience::eventually;
use byteshop_tests::program::Program;
use byteshop_tests::shop::address;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::sleep;

/// Keys in a file: enough that its import takes longer than the shop lives.
const KEYS: usize = 20_000;
/// Orders in a round.
const ORDERS: usize = 6;
/// How long one request may take before it is asked again.
const PATIENCE: Duration = Duration::from_secs(20);

/// A shop that is killed, and those who ask it again until it answers.
pub(crate) struct Kiosk {
    pub(crate) program: Program,
    pub(crate) http: Client,
    pub(crate) variant: String,
}

impl Kiosk {
    pub(crate) async fn open() -> Self {
        let http = Client::builder().timeout(PATIENCE).build().unwrap();
        let mut kiosk = Self { program: Program::new(), http, variant: String::new() };
        kiosk.program.start().await;
        let product = kiosk.staff(Method::POST, "/v1/products", json!({"title": "A key"})).await;
        let product = product["id"].as_str().unwrap().to_owned();
        let variant = json!({"sku": "KEY", "price": {"amount": 500, "currency": "EUR"}, "physical": false});
        let shown = kiosk.staff(Method::POST, &format!("/v1/products/{product}/variants"), variant).await;
        kiosk.variant = shown["variants"][0]["id"].as_str().unwrap().to_owned();
        kiosk.staff(Method::POST, &format!("/v1/products/{product}/publish"), json!({})).await;
        kiosk
    }

    pub(crate) fn base(&self) -> String {
        self.program.run_json().unwrap()["http"].as_str().unwrap().to_owned()
    }

    pub(crate) fn keys(&self) -> String {
        format!("/v1/variants/{}/keys", self.variant)
    }

    pub(crate) async fn staff(&self, method: Method, path: &str, body: Value) -> Value {
        let token = self.program.say(&["token", "admin"]);
        let url = format!("{}{path}", self.base());
        let answer = self.http.request(method, url).bearer_auth(token).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    async fn pool(&self) -> Value {
        self.staff(Method::GET, &self.keys(), json!({})).await
    }

    /// Sends a file; none when the shop was killed meanwhile.
    async fn import(&self, file: String) -> Option<(StatusCode, Value)> {
        let (url, token) = (format!("{}{}", self.base(), self.keys()), self.program.say(&["token", "admin"]));
        let request = self.http.post(url).bearer_auth(token).header("Content-Type", "text/plain").body(file);
        let answer = request.send().await.ok()?;
        Some((answer.status(), answer.json().await.ok()?))
    }

    pub(crate) async fn restart(&mut self) {
        self.program.kill();
        self.program.start().await;
    }

    /// A guest asks; none when the shop was killed meanwhile.
    pub(crate) async fn guest(
        &self,
        method: Method,
        path: &str,
        cart: &str,
        body: Value,
    ) -> Option<(StatusCode, Value)> {
        let url = format!("{}{path}", self.base());
        let request = self.http.request(method, url).header("Cart-Token", cart).json(&body);
        let answer = request.send().await.ok()?;
        Some((answer.status(), answer.json().await.ok()?))
    }

    /// A guest's order of two keys; gives its path and the token that opens it.
    pub(crate) async fn order(&self) -> (String, String) {
        let (_, cart) = self.guest(Method::POST, "/v1/carts", "", json!({"currency": "EUR"})).await.unwrap();
        let (id, token) = (cart["id"].as_str().unwrap(), cart["cart_token"].as_str().unwrap().to_owned());
        let path = format!("/v1/carts/{id}");
        let line = format!("{path}/lines/{}", self.variant);
        self.guest(Method::PUT, &line, &token, json!({"quantity": 2})).await.unwrap();
        self.guest(Method::PUT, &format!("{path}/address"), &token, address("DE")).await.unwrap();
        let (status, order) = self.guest(Method::POST, &format!("{path}/checkout"), &token, json!({})).await.unwrap();
        assert_eq!(status, StatusCode::CREATED, "{order}");
        (format!("/v1/orders/{}", order["id"].as_str().unwrap()), token)
    }
}

fn file_of(round: u64) -> Vec<String> {
    (0..KEYS).map(|number| format!("R{round}-{number:05}-CANARY")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_imported_whole_and_given_once_whatever_is_killed() {
    let mut chance = crate::chance("keys");
    let mut kiosk = Kiosk::open().await;
    let (mut imported, mut given) = (0, BTreeSet::new());
    for round in 0..crate::rounds(2) {
        let keys = file_of(round);
        eprintln!("round {round}: {imported} keys are imported, {} are given", given.len());
        imported += import_while_killed(&mut kiosk, &keys, chance.between(50, 1_500)).await;
        assert_eq!(kiosk.pool().await["imported"], imported);
        for key in buy_while_killed(&mut kiosk, chance.between(5, 400)).await {
            assert!(given.insert(key.clone()), "{key} was given twice");
        }
    }
    let pool = kiosk.pool().await;
    assert_eq!(pool["assigned"], given.len());
    assert_eq!(pool["available"], imported - i64::try_from(given.len()).unwrap());
    assert_nothing_is_in_the_clear(&kiosk, &["CANARY"]).await;
    kiosk.program.interrupt().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_generated_and_given_once_whatever_is_killed() {
    let mut chance = crate::chance("generated keys");
    let mut kiosk = Kiosk::open().await;
    kiosk.staff(Method::PUT, &format!("{}/pattern", kiosk.keys()), json!({"pattern": "ACME-{16}"})).await;
    let mut given = BTreeSet::new();
    for round in 0..crate::rounds(3) {
        eprintln!("round {round}: {} keys are given", given.len());
        for key in buy_while_killed(&mut kiosk, chance.between(5, 400)).await {
            assert!(given.insert(key.clone()), "{key} was given twice");
        }
    }
    let pool = kiosk.pool().await;
    assert_eq!((&pool["assigned"], &pool["generated"]), (&json!(given.len()), &json!(given.len())));
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    assert_nothing_is_in_the_clear(&kiosk, &given).await;
    kiosk.program.interrupt().await;
}

/// Imports a file, kills the shop in the middle, and imports it again; gives how many keys were imported in all.
async fn import_while_killed(kiosk: &mut Kiosk, keys: &[String], after_ms: u64) -> i64 {
    let file = keys.join("\n");
    let before = kiosk.pool_or_nothing().await;
    let killed = {
        let import = kiosk.import(file.clone());
        tokio::select! {
            done = import => done.is_none(),
            () = sleep(Duration::from_millis(after_ms)) => true,
        }
    };
    kiosk.restart().await;
    let left = kiosk.pool_or_nothing().await - before;
    let whole = i64::try_from(keys.len()).unwrap();
    assert!(left == 0 || left == whole, "{left} of {whole} keys were imported");
    // The lock of an import goes with its connection, which Postgres may not have missed yet.
    eprintln!("killed: {killed}; {left} keys were imported");
    let again = eventually("the import is repeated", async || {
        let (status, body) = kiosk.import(file.clone()).await?;
        (status != StatusCode::CONFLICT).then_some((status, body))
    })
    .await;
    assert_eq!(again.0, StatusCode::OK, "{}", again.1);
    assert_eq!(again.1["imported"], whole - left, "killed: {killed}, {}", again.1);
    assert_eq!(again.1["duplicates"], left);
    whole
}

impl Kiosk {
    /// How many keys were imported; a pool that was never opened has none.
    async fn pool_or_nothing(&self) -> i64 {
        let (url, token) = (format!("{}{}", self.base(), self.keys()), self.program.say(&["token", "admin"]));
        let answer = self.http.get(url).bearer_auth(token).send().await.unwrap();
        if answer.status() == StatusCode::NOT_FOUND {
            return 0;
        }
        answer.json::<Value>().await.unwrap()["imported"].as_i64().unwrap()
    }
}

/// Buyers who pay while the shop is killed; gives the keys that they see afterwards.
pub(crate) async fn buy_while_killed(kiosk: &mut Kiosk, after_ms: u64) -> Vec<String> {
    let mut keys = Vec::new();
    for (path, token) in paid_while_killed(kiosk, after_ms).await {
        let reveal = format!("{path}/keys/reveal");
        let (status, shown) = kiosk.guest(Method::POST, &reveal, &token, json!({})).await.unwrap();
        assert_eq!(status, StatusCode::OK, "{shown}");
        let shown = shown["lines"][0]["keys"].as_array().unwrap();
        assert_eq!(shown.len(), 2, "a paid order without its keys");
        keys.extend(shown.iter().map(|key| key.as_str().unwrap().to_owned()));
    }
    keys
}

/// Buyers who pay while the shop is killed; gives the paths of the orders that are paid then, and what opens them.
pub(crate) async fn paid_while_killed(kiosk: &mut Kiosk, after_ms: u64) -> Vec<(String, String)> {
    let mut orders = Vec::new();
    for _ in 0..ORDERS {
        orders.push(kiosk.order().await);
    }
    let pay = |kiosk: &Kiosk, path: &str, token: &str| {
        let (http, url, token) = (kiosk.http.clone(), format!("{}{path}/payments", kiosk.base()), token.to_owned());
        async move {
            let body = json!({"provider": "test", "token": "tok_success"});
            http.post(url).header("Cart-Token", token).json(&body).send().await.ok()
        }
    };
    let paying = futures_util::future::join_all(orders.iter().map(|(path, token)| pay(kiosk, path, token)));
    tokio::select! {
        _ = paying => {}
        () = sleep(Duration::from_millis(after_ms)) => {}
    }
    kiosk.restart().await;
    eprintln!("the shop is killed while {} orders are paid", orders.len());
    let mut paid = Vec::new();
    for (path, token) in orders {
        let (path, token) = (&path, &token);
        let order = eventually("the order is paid or over", async || {
            // Again by whom the shop left without an answer; a payment that is under way or done is refused.
            pay(kiosk, path, token).await;
            let (_, order) = kiosk.guest(Method::GET, path, token, json!({})).await?;
            (order["payment_status"] == "paid" || order["status"] != "open").then_some(order)
        })
        .await;
        if order["payment_status"] == "paid" {
            paid.push((path.clone(), token.clone()));
        }
    }
    paid
}

/// Greps what the programs wrote, and every message of JetStream.
pub(crate) async fn assert_nothing_is_in_the_clear(kiosk: &Kiosk, secrets: &[&str]) {
    let is_clean = |text: &str| secrets.iter().all(|secret| !text.contains(secret));
    for entry in fs::read_dir(kiosk.program.data()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "log") {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            assert!(is_clean(&text), "{} has a secret in it", path.display());
        }
    }
    let run = kiosk.program.run_json().unwrap();
    let url = run["nats_url"].as_str().unwrap();
    let jetstream = jetstream::new(nats::options(url).connect(url).await.unwrap());
    let mut stream = jetstream.get_stream("BYTESHOP").await.unwrap();
    let state = stream.info().await.unwrap().state.clone();
    for sequence in state.first_sequence..=state.last_sequence {
        let message = stream.get_raw_message(sequence).await.unwrap();
        assert!(is_clean(&String::from_utf8_lossy(&message.payload)), "message {sequence} has a secret in it");
    }
}
