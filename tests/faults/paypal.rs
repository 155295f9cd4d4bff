//! Payments with PayPal while the shop is killed around its calls: afterwards the books of the stand-in are those of the shop, to the
//! cent and in both directions, although webhooks are repeated, late or lost and answers do not come. Buyers dispute some payments, PayPal
//! reverses some by itself, and the clearing account of the ledger is what PayPal has after its fees.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use byteshop_eventstore::Clock;
use byteshop_tests::paypal::{StandIn, kept};
use byteshop_tests::program::Program;
use byteshop_tests::random::Chance;
use byteshop_tests::shop::address;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Payments of a short run; `make paypal` makes ten thousand.
const PAYMENTS: u64 = 40;
/// Buyers at once, and in a long run: most of them wait for answers that do not come.
const BUYERS: (u64, u64) = (8, 32);
/// Payments of each buyer in a long run.
const EACH: u64 = 100;
/// One of so many captures is reversed by PayPal.
const REVERSED: usize = 10;
/// One of so many captures is disputed by its buyer.
const DISPUTED: usize = 6;
/// How long one request may take: longer than the shop waits for PayPal.
const REQUEST_PATIENCE: Duration = Duration::from_secs(15);
/// How long a buyer tries.
const BUYER_PATIENCE: Duration = Duration::from_mins(10);
/// How long the shop may take to conclude everything.
const SETTLING: Duration = Duration::from_mins(5);
/// Between two tries.
const AGAIN: Duration = Duration::from_millis(50);

/// What the buyers share.
struct Market {
    paypal: StandIn,
    http: Client,
    base: Mutex<String>,
    staff: Mutex<String>,
    variant: Mutex<String>,
    left: AtomicU64,
    stop: AtomicBool,
    payments: Mutex<Vec<String>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_books_of_paypal_are_those_of_the_shop_whatever_is_killed() {
    let mut chance = crate::chance("paypal");
    let paypal = StandIn::start().await;
    let mut program = Program::new();
    paypal.connects(&mut program, "paypal").await;
    let payments = crate::number("BYTESHOP_TEST_PAYPAL_PAYMENTS").unwrap_or(PAYMENTS);
    let market = Arc::new(Market {
        paypal,
        http: Client::builder().timeout(REQUEST_PATIENCE).build().unwrap(),
        base: Mutex::default(),
        staff: Mutex::default(),
        variant: Mutex::default(),
        left: AtomicU64::new(payments),
        stop: AtomicBool::new(false),
        payments: Mutex::default(),
    });
    market.start(&mut program).await;
    market.offer(payments).await;
    let money = ["orders.create", "orders.capture", "orders.get", "captures.refund"];
    let switches = json!({"seed": chance.number() % 1_000, "operations": money, "silent_percent": 2, "error_percent": 5,
        "too_many_percent": 2, "duplicate_percent": 30, "reorder_percent": 20, "loss_percent": 5});
    market.paypal.switch(switches).await;
    let mut buyers = JoinSet::new();
    for _ in 0..(payments / EACH).clamp(BUYERS.0, BUYERS.1) {
        buyers.spawn(Arc::clone(&market).buy_all(chance.fork()));
    }
    let mut kills = 0;
    while !buyers.is_empty() {
        // The first comes soon: an idle machine makes the payments of a short run in a second. In a long run there is always a step that
        // waits for an answer which does not come: a process goes on only if it lives longer than that.
        let (least, most) = match (kills, payments > EACH) {
            (0, _) => (100, 300),
            (_, false) => (1_000, 4_000),
            (_, true) => (12_000, 30_000),
        };
        let pause = Duration::from_millis(chance.between(least, most));
        tokio::select! {
            Some(bought) = buyers.join_next() => bought.unwrap(),
            () = sleep(pause) => {
                program.kill();
                market.start(&mut program).await;
                kills += 1;
            }
        }
    }
    let disputing = tokio::spawn(Arc::clone(&market).dispute(chance.fork()));
    while !disputing.is_finished() {
        sleep(Duration::from_millis(chance.between(300, 2_000))).await;
        program.kill();
        market.start(&mut program).await;
        kills += 1;
    }
    let disputed = disputing.await.unwrap();
    let reversed = market.reverse().await;
    market.paypal.switch(json!({})).await;
    // What lost webhooks would have told is asked for at the start.
    program.kill();
    market.start(&mut program).await;
    let moved = market.settle().await;
    eprintln!(
        "{payments} payments, the shop was killed {kills} times, {moved} captures at PayPal, {disputed} disputed, {reversed} reversed"
    );
    assert!(kills > 0 && moved > 0 && disputed > 0 && reversed > 0);
    program.interrupt().await;
}

impl Market {
    /// Starts the shop, at whatever port.
    async fn start(&self, program: &mut Program) {
        program.start().await;
        let base = program.run_json().unwrap()["http"].as_str().unwrap().to_owned();
        self.paypal.tells(&base);
        *self.staff.lock().unwrap() = program.say(&["token", "admin"]);
        *self.base.lock().unwrap() = base;
    }

    /// Puts something up for sale.
    async fn offer(&self, pieces: u64) {
        let staff = || Some(("authorization", format!("Bearer {}", self.staff.lock().unwrap())));
        let product = self.ask(Method::POST, "/v1/products", json!({"title": "A thing"}), staff()).await;
        let path = format!("/v1/products/{}", product["id"].as_str().unwrap());
        let variant = json!({"sku": "PAYPAL", "price": {"amount": 1_999, "currency": "EUR"}});
        let shown = self.ask(Method::POST, &format!("{path}/variants"), variant, staff()).await;
        self.ask(Method::POST, &format!("{path}/publish"), json!({}), staff()).await;
        let variant = shown["variants"][0]["id"].as_str().unwrap().to_owned();
        let received = json!({"type": "received", "quantity": pieces});
        self.ask(Method::POST, &format!("/v1/variants/{variant}/stock"), received, staff()).await;
        *self.variant.lock().unwrap() = variant;
    }

    /// Asks until there is an answer, with one key.
    async fn ask(&self, method: Method, path: &str, body: Value, who: Option<(&str, String)>) -> Value {
        let (key, started) = (Clock.new_id().to_string(), Instant::now());
        loop {
            assert!(started.elapsed() < BUYER_PATIENCE, "{method} {path} has no outcome");
            let url = format!("{}{path}", self.base.lock().unwrap());
            let request = self.http.request(method.clone(), url).header("idempotency-key", &key).json(&body);
            let request = who.iter().fold(request, |request, (name, value)| request.header(*name, value));
            if let Ok(answer) = request.send().await {
                let status = answer.status();
                let body: Value = answer.json().await.unwrap_or_default();
                let is_later = status.is_server_error() || body["code"] == "idempotency.in_flight";
                assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{method} {path}: {body}");
                if !is_later && !body.is_null() {
                    return body;
                }
            }
            sleep(AGAIN).await;
        }
    }

    async fn buy_all(self: Arc<Self>, mut chance: Chance) {
        let take = || self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        while take() && !self.stop.load(Ordering::Relaxed) {
            self.buy(&mut chance).await;
        }
    }

    async fn buy(&self, chance: &mut Chance) {
        let variant = self.variant.lock().unwrap().clone();
        let cart = self.ask(Method::POST, "/v1/carts", json!({"currency": "EUR"}), None).await;
        let guest = || Some(("cart-token", cart["cart_token"].as_str().unwrap().to_owned()));
        let path = format!("/v1/carts/{}", cart["id"].as_str().unwrap());
        self.ask(Method::PUT, &format!("{path}/lines/{variant}"), json!({"quantity": 1}), guest()).await;
        self.ask(Method::PUT, &format!("{path}/address"), address("DE"), guest()).await;
        let order = self.ask(Method::POST, &format!("{path}/checkout"), json!({}), guest()).await;
        let payment = order["payment"].as_str().unwrap_or_else(|| panic!("{order}")).to_owned();
        self.payments.lock().unwrap().push(payment.clone());
        let path = format!("/v1/orders/{}", order["id"].as_str().unwrap());
        let Some(page) = self.begin(&path, &payment, &guest).await else { return };
        let choice =
            chance.one_of(&["approve", "approve", "approve", "approve", "approve", "approve", "decline", "cancel"]);
        let back = self.paypal.choose(&page, choice).await;
        if chance.once_in(2) {
            // The port may be that of a shop that was killed.
            let path = back.split_once("/pay/").map(|(_, path)| format!("/pay/{path}")).unwrap();
            let url = format!("{}{path}", self.base.lock().unwrap());
            drop(self.http.get(url).send().await);
        }
        if choice == "approve" && chance.once_in(3) {
            self.regret(&path, &payment, chance).await;
        }
    }

    /// Begins a payment until there is a page of PayPal; none if the order cannot be paid any more.
    async fn begin(
        &self,
        order: &str,
        payment: &str,
        guest: &impl Fn() -> Option<(&'static str, String)>,
    ) -> Option<String> {
        let started = Instant::now();
        loop {
            let begun =
                self.ask(Method::POST, &format!("{order}/payments"), json!({"provider": "paypal"}), guest()).await;
            let now = self.ask(Method::GET, &format!("/v1/payments/{payment}"), json!({}), guest()).await;
            assert!(started.elapsed() < BUYER_PATIENCE, "{payment} has no page: {begun} {now}");
            if let Some(page) = now["action_url"].as_str() {
                return Some(page.to_owned());
            }
            if matches!(now["status"].as_str(), Some("voided" | "failed")) {
                return None;
            }
            sleep(AGAIN).await;
        }
    }

    /// Staff refunds a part of a payment that is captured by then, or cancels the order.
    async fn regret(&self, order: &str, payment: &str, chance: &mut Chance) {
        let staff = || Some(("authorization", format!("Bearer {}", self.staff.lock().unwrap())));
        if chance.once_in(2) {
            self.ask(Method::POST, &format!("{order}/cancel"), json!({}), staff()).await;
            return;
        }
        for amount in [100, 250] {
            let body = json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "a scratch"});
            self.ask(Method::POST, &format!("/v1/payments/{payment}/refunds"), body, staff()).await;
        }
    }

    /// Buyers dispute some captures; PayPal decides most of these disputes, and leaves some open. Gives how many there were.
    async fn dispute(self: Arc<Self>, mut chance: Chance) -> usize {
        let books = self.paypal.books().await;
        let (mut disputed, mut rest) = (0, Vec::new());
        for capture in books["captures"].as_array().unwrap().iter().skip(1).step_by(DISPUTED) {
            let amount = chance.one_of(&[None, Some("1.00")]);
            let body = json!({"amount": amount, "reason": "UNAUTHORISED"});
            let url = format!("{}/sandbox/captures/{}/disputes", self.paypal.url, capture["id"].as_str().unwrap());
            let answer = self.http.post(url).json(&body).send().await.unwrap();
            // One that was refunded in full is not disputed.
            if answer.status().is_success() {
                let dispute: Value = answer.json().await.unwrap();
                rest.push(dispute["dispute_id"].as_str().unwrap().to_owned());
                disputed += 1;
            }
            sleep(Duration::from_millis(chance.between(0, 20))).await;
        }
        let outcomes =
            [None, Some("RESOLVED_BUYER_FAVOUR"), Some("RESOLVED_BUYER_FAVOUR"), Some("RESOLVED_SELLER_FAVOUR")];
        for dispute in rest {
            if let Some(outcome) = chance.one_of(&outcomes) {
                let url = format!("{}/sandbox/disputes/{dispute}/decide", self.paypal.url);
                let answer = self.http.post(url).json(&json!({"outcome": outcome})).send().await.unwrap();
                assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
            }
            sleep(Duration::from_millis(chance.between(0, 20))).await;
        }
        disputed
    }

    /// PayPal takes some captures back, without being asked; gives how many.
    async fn reverse(&self) -> usize {
        let books = self.paypal.books().await;
        let mut reversed = 0;
        for capture in books["captures"].as_array().unwrap().iter().step_by(REVERSED) {
            let url = format!("{}/sandbox/captures/{}/reverse", self.paypal.url, capture["id"].as_str().unwrap());
            // One that was refunded in full is not reversed.
            reversed += usize::from(self.http.post(url).send().await.unwrap().status().is_success());
        }
        reversed
    }

    /// The balance of the accounts of the ledger that have the money at providers, and what is disputed of it.
    async fn clearing(&self) -> i64 {
        let staff = Some(("authorization", format!("Bearer {}", self.staff.lock().unwrap())));
        let found = self.ask(Method::GET, "/v1/admin/ledger", json!({}), staff).await;
        let is_there = |it: &&Value| it["account"] == "clearing" || it["account"] == "disputes";
        let found = found["items"].as_array().unwrap().iter().filter(is_there);
        found.map(|it| it["balance"]["amount"].as_i64().unwrap()).sum()
    }

    /// Waits until every payment is concluded and both books say the same; gives the number of captures at PayPal.
    async fn settle(&self) -> usize {
        let (started, payments) = (Instant::now(), self.payments.lock().unwrap().clone());
        loop {
            let (mut believed, mut disputed) = (BTreeMap::new(), 0);
            let mut waiting = Vec::new();
            for payment in &payments {
                let staff = Some(("authorization", format!("Bearer {}", self.staff.lock().unwrap())));
                let shown = self.ask(Method::GET, &format!("/v1/payments/{payment}"), json!({}), staff).await;
                let is_requested = shown["refunds"].as_array().unwrap().iter().any(|it| it["status"] == "requested");
                let is_open =
                    matches!(shown["status"].as_str(), Some("attempted" | "pending" | "unresolved" | "authorized"));
                if is_requested || is_open {
                    waiting.push(shown.clone());
                }
                let held =
                    shown["captured"]["amount"].as_i64().unwrap() - shown["refunded"]["amount"].as_i64().unwrap();
                believed.insert(payment.clone(), held);
                disputed += shown["disputed"]["amount"].as_i64().unwrap();
            }
            let books = self.paypal.books().await;
            let mut theirs = kept(&books, "custom_id");
            believed.retain(|_, held| *held != 0);
            theirs.retain(|_, held| *held != 0);
            let captures = books["captures"].as_array().unwrap();
            let fees: i64 = captures.iter().map(|it| it["paypal_fee"].as_i64().unwrap()).sum();
            let has = theirs.values().sum::<i64>() - fees;
            let claimed: i64 = captures.iter().map(|it| it["disputed"].as_i64().unwrap()).sum();
            let clearing = self.clearing().await;
            if waiting.is_empty() && believed == theirs && clearing == has && disputed == claimed {
                return captures.len();
            }
            let said = format!(
                "waiting: {waiting:?}\nours: {believed:?}, {clearing}, {disputed} disputed\nPayPal's: {theirs:?}, {has}, {claimed} disputed"
            );
            assert!(started.elapsed() < SETTLING, "{said}");
            sleep(Duration::from_secs(1)).await;
        }
    }
}
