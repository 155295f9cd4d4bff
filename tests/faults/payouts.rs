//! Payouts through PayPal while the shop is killed around its calls: afterwards the books of the stand-in are those of the shop, to the
//! cent and in both directions, although answers do not come.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use byteshop_domain::account::{self, Account};
use byteshop_domain::ids::{AccountId, Id as _, SellerId};
use byteshop_domain::seller::{self, Seller};
use byteshop_domain::text::{Country, Description, Handle, Name};
use byteshop_domain::{Locale, Personal, Subject};
use byteshop_eventstore::{Clock, Log, Vault};
use byteshop_tests::past::record;
use byteshop_tests::payouts::{IBAN, bank, earn, pay_to, paypal};
use byteshop_tests::paypal::StandIn;
use byteshop_tests::program::Program;
use byteshop_tests::servers::data_keys;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The data key of the tests' servers, so that the test can seal a destination.
const DATA_KEY: &str = "KioqKioqKioqKioqKioqKioqKioqKioqKioqKioqKio=";
/// What each seller has, in cents.
const EARNED: i64 = 20_000;
/// What a request asks for.
const ASKED: i64 = 1_500;
/// Requests of each seller: more than there is money for.
const REQUESTS: u32 = 16;
/// Kills of a short run.
const KILLS: u64 = 4;
/// How long one request may take.
const REQUEST_PATIENCE: Duration = Duration::from_secs(15);
/// How long the shop may take to conclude everything.
const SETTLING: Duration = Duration::from_mins(5);

/// A seller, and the token of its owner.
struct Paid {
    seller: SellerId,
    owner: AccountId,
    token: String,
}

struct Shop {
    http: Client,
    base: Mutex<String>,
    admin: Mutex<String>,
    /// Whether nothing is killed any more.
    calm: AtomicBool,
}

impl Shop {
    async fn start(&self, program: &mut Program) {
        program.start().await;
        program.run_json().unwrap()["http"].as_str().unwrap().clone_into(&mut self.base.lock().unwrap());
        *self.admin.lock().unwrap() = program.say(&["token", "admin"]);
    }

    /// Asks until there is an answer, with one key.
    async fn ask(&self, method: Method, path: &str, body: Value, token: &str) -> Value {
        let (key, started) = (Clock.new_id().to_string(), Instant::now());
        loop {
            assert!(started.elapsed() < SETTLING, "{method} {path} has no outcome");
            let url = format!("{}{path}", self.base.lock().unwrap());
            let request = self.http.request(method.clone(), url).header("idempotency-key", &key).bearer_auth(token);
            let request = if method == Method::GET { request } else { request.json(&body) };
            if let Ok(answer) = request.send().await {
                let is_later = answer.status().is_server_error();
                let body: Value = answer.json().await.unwrap_or_default();
                if !is_later && !body.is_null() && body["code"] != "idempotency.in_flight" {
                    return body;
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn request_all(self: Arc<Self>, seller: SellerId, token: String) {
        for _ in 0..REQUESTS {
            let body = json!({"currency": "EUR", "amount": {"amount": ASKED, "currency": "EUR"}});
            self.ask(Method::POST, &format!("/v1/sellers/{seller}/payouts"), body, &token).await;
            if !self.calm.load(Ordering::Relaxed) {
                sleep(Duration::from_millis(200)).await;
            }
        }
    }

    /// Every payout.
    async fn payouts(&self) -> Vec<Value> {
        let token = self.admin.lock().unwrap().clone();
        self.ask(Method::GET, "/v1/admin/payouts?limit=100", json!({}), &token).await["items"]
            .as_array()
            .unwrap()
            .clone()
    }
}

/// A seller that has earned money, and is paid at PayPal under an address.
async fn seller(log: &Log, vault: &Vault, program: &Program, number: u32, email: &str) -> Paid {
    let owner = AccountId::from_uuid(Clock.new_id());
    let subject = Subject::from(owner);
    let (password, locale) = (Personal::new(subject, "sealed"), Locale::En);
    let register = account::Command::Register { email: Personal::new(subject, "sealed"), password, locale };
    record::<Account>(log, owner, &[register, account::Command::ConfirmByHand {}]).await;
    let apply = seller::Command::Apply {
        handle: Handle::new(&format!("paid-{number}")).unwrap(),
        name: Name::new("Kettles").unwrap(),
        description: Description::new("").unwrap(),
        country: Country::new("DE").unwrap(),
        contact: Personal::new(subject, "sealed"),
        owner,
    };
    let seller = SellerId::from_uuid(Clock.new_id());
    record::<Seller>(log, seller, &[apply, seller::Command::Approve {}]).await;
    earn(log, seller, EARNED).await;
    pay_to(log, vault, seller, subject, &paypal(email)).await;
    let token = program.say(&["token", "seller", "--account", &owner.to_string()]);
    Paid { seller, owner, token }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paypal_paid_out_what_the_shop_says_whatever_is_killed() {
    let mut chance = crate::chance("payouts");
    let paypal = StandIn::start().await;
    let mut program = Program::new();
    paypal.connects(&mut program, "paypal").await;
    program.set("BYTESHOP_DATA_KEY", DATA_KEY);
    program.set("BYTESHOP_PAYOUT_IBAN", "NL91 ABNA 0417 1643 00");
    let http = Client::builder().timeout(REQUEST_PATIENCE).build().unwrap();
    let shop = Shop { http, base: Mutex::default(), admin: Mutex::default(), calm: AtomicBool::new(false) };
    let shop = Arc::new(shop);
    shop.start(&mut program).await;
    let log = Log::open(program.run_json().unwrap()["database_url"].as_str().unwrap()).unwrap();
    let vault = Vault::new(log.clone(), data_keys());
    let mut sellers = Vec::new();
    for (number, email) in (0..).zip(["ada@example.org", "unclaimed@example.org", "failed@example.org"]) {
        sellers.push(seller(&log, &vault, &program, number, email).await);
    }
    let operations = ["payouts.post", "payouts.get", "payouts-item.cancel"];
    let switches = json!({"seed": chance.number() % 1_000, "operations": operations, "silent_percent": 20,
        "error_percent": 15, "too_many_percent": 5});
    paypal.switch(switches).await;
    let mut asking = JoinSet::new();
    for it in &sellers {
        asking.spawn(Arc::clone(&shop).request_all(it.seller, it.token.clone()));
    }
    for _ in 0..crate::rounds(KILLS) {
        sleep(Duration::from_millis(chance.between(700, 3_000))).await;
        program.kill();
        shop.start(&mut program).await;
    }
    shop.calm.store(true, Ordering::Relaxed);
    paypal.switch(json!({})).await;
    while let Some(asked) = asking.join_next().await {
        asked.unwrap();
    }
    let ended = concluded(&shop).await;
    // Of the money of the first seller all that could be asked for was paid, and nothing of the others.
    let reached: Vec<&Value> = ended.iter().filter(|payout| payout["status"] == "paid").collect();
    assert_eq!(i64::try_from(reached.len()).unwrap(), EARNED / ASKED, "{ended:?}");
    let ours: BTreeMap<&str, i64> =
        reached.iter().map(|it| (it["id"].as_str().unwrap(), it["amount"]["amount"].as_i64().unwrap())).collect();
    let books = paypal.books().await;
    let items = books["payout_items"].as_array().unwrap();
    let theirs: Vec<(&str, i64)> = items
        .iter()
        .filter(|item| item["status"] == "SUCCESS")
        .map(|item| (item["sender_item_id"].as_str().unwrap(), item["amount"]["minor"].as_i64().unwrap()))
        .collect();
    assert_eq!((theirs.len(), theirs.into_iter().collect::<BTreeMap<_, _>>()), (ours.len(), ours.clone()));
    let admin = shop.admin.lock().unwrap().clone();
    for it in &sellers {
        let path = format!("/v1/sellers/{}/balance", it.seller);
        let found = shop.ask(Method::GET, &path, json!({}), &admin).await;
        let figure = |name: &str| found["items"][0][name]["amount"].as_i64().unwrap();
        assert_eq!(figure("in_transit"), 0, "{} of {}: {found}", it.seller, it.owner);
        assert_eq!(figure("available") + figure("paid_out"), EARNED, "{found}");
    }
    export(&shop, &program, &log, &vault, &sellers[1]).await;
    program.interrupt().await;
}

/// A payout to a bank goes into a file that an operator writes.
async fn export(shop: &Shop, program: &Program, log: &Log, vault: &Vault, it: &Paid) {
    pay_to(log, vault, it.seller, Subject::from(it.owner), &bank()).await;
    let asked = json!({"currency": "EUR", "amount": {"amount": ASKED, "currency": "EUR"}});
    let made = shop.ask(Method::POST, &format!("/v1/sellers/{}/payouts", it.seller), asked, &it.token).await;
    let payout = made["id"].as_str().unwrap_or_else(|| panic!("{made}")).replace('_', "-");
    let to = program.data().join("payouts.xml");
    let said = program.say(&["payouts", "export", to.to_str().unwrap()]);
    assert!(said.ends_with("transfers: 1"), "{said}");
    let xml = std::fs::read_to_string(&to).unwrap();
    assert!(xml.contains(&format!("<EndToEndId>{payout}</EndToEndId>")) && xml.contains(IBAN), "{xml}");
}

/// Waits until every payout has an outcome.
async fn concluded(shop: &Shop) -> Vec<Value> {
    let started = Instant::now();
    loop {
        let payouts = shop.payouts().await;
        let open = |it: &&Value| matches!(it["status"].as_str(), Some("requested" | "submitted"));
        let waiting = payouts.iter().filter(open).count();
        if waiting == 0 {
            return payouts;
        }
        assert!(started.elapsed() < SETTLING, "{waiting} payouts wait: {payouts:?}");
        sleep(Duration::from_millis(500)).await;
    }
}
