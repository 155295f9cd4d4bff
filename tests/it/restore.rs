//! The runbook of docs/ops/restore.md, command by command: after a restored backup nothing is paid and nothing numbered until
//! somebody has confirmed it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use byteshop_domain::Subject;
use byteshop_domain::ids::AccountId;
use byteshop_eventstore::{DataKeys, Log, Vault};
use byteshop_tests::patience::eventually;
use byteshop_tests::program::{Program, binary};
use byteshop_tests::servers::{fresh_database, migrated};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

/// The shell commands of the runbook in their order, without what quotes or indents them.
fn blocks() -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/ops/restore.md");
    let text = fs::read_to_string(page).unwrap();
    let mut blocks: Vec<String> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let line = line.trim();
        match (line, inside) {
            ("```sh", _) => {
                blocks.push(String::new());
                inside = true;
            }
            ("```", _) => inside = false,
            (line, true) => blocks.last_mut().unwrap().extend([line, "\n"]),
            (_, false) => {}
        }
    }
    blocks
}

/// The variables of the runbook.
struct Runbook {
    variables: Vec<(&'static str, String)>,
    blocks: std::vec::IntoIter<String>,
}

impl Runbook {
    /// Runs the next commands, of which the first ones are these; gives what they print.
    fn run(&mut self, starts: &str) -> String {
        let block = self.blocks.next().expect("the runbook has more commands");
        assert!(block.starts_with(starts), "the runbook goes on with {block}");
        let mut command = Command::new("/bin/sh");
        command.args(["-euc", &block]).stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (*name, value.as_str())));
        let output = command.output().unwrap();
        let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{block}\n{said}\n{errors}");
        format!("{said}{errors}")
    }
}

/// A PATH on which the program, and the programs of the Postgres that the shop runs, come first.
fn path() -> String {
    #[expect(clippy::disallowed_methods, reason = "the tests have no configuration but the environment")]
    let (path, given) = (std::env::var("PATH").unwrap_or_default(), std::env::var("BYTESHOP_PG_BIN").ok());
    let program = binary().parent().unwrap().display().to_string();
    let packaged = (15..40).rev().map(|major| format!("/usr/lib/postgresql/{major}/bin"));
    let servers = given.into_iter().chain(packaged).find(|dir| Path::new(dir).join("pg_restore").exists());
    [Some(program), servers, Some(path)].into_iter().flatten().collect::<Vec<_>>().join(":")
}

/// A shop as its customers see it.
struct Counter {
    http: String,
    staff: String,
    client: Client,
    variant: String,
}

impl Counter {
    /// What the operations address of its shop says of its health.
    async fn readiness(&self, shop: &Program) -> Value {
        let run = shop.run_json().unwrap();
        let url = format!("{}/health/ready", run["operations"].as_str().unwrap());
        self.client.get(url).send().await.unwrap().json().await.unwrap()
    }

    fn of(program: &Program, variant: String) -> Self {
        let http = program.run_json().unwrap()["http"].as_str().unwrap().to_owned();
        Self { http, staff: program.say(&["token", "admin"]), client: Client::new(), variant }
    }

    async fn post(&self, path: &str, cart: Option<&str>, body: Value) -> Response {
        let request = self.client.post(format!("{}{path}", self.http)).json(&body);
        let request = match cart {
            Some(token) => request.header("Cart-Token", token),
            None => request.bearer_auth(&self.staff),
        };
        request.send().await.unwrap()
    }

    /// The JSON of an answer that is no refusal.
    async fn json(answer: Response) -> Value {
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{status}: {body}");
        body
    }

    /// A published product with plenty of one variant; gives the variant.
    async fn stock(&self) -> String {
        let product = Self::json(self.post("/v1/products", None, json!({"title": "Kettle"})).await).await;
        let path = format!("/v1/products/{}", product["id"].as_str().unwrap());
        let variant = json!({"sku": "KETTLE", "price": {"amount": 1_500, "currency": "EUR"}});
        let added = Self::json(self.post(&format!("{path}/variants"), None, variant).await).await;
        let variant = added["variants"][0]["id"].as_str().unwrap().to_owned();
        Self::json(self.post(&format!("{path}/publish"), None, json!({})).await).await;
        let received = json!({"type": "received", "quantity": 100});
        Self::json(self.post(&format!("/v1/variants/{variant}/stock"), None, received).await).await;
        variant
    }

    /// A guest's order; gives its path and the token that opens it.
    async fn order(&self) -> (String, String) {
        let cart = Self::json(
            self.client.post(format!("{}/v1/carts", self.http)).json(&json!({"currency": "EUR"})).send().await.unwrap(),
        )
        .await;
        let (id, token) = (cart["id"].as_str().unwrap(), cart["cart_token"].as_str().unwrap().to_owned());
        for (path, body) in [
            (format!("lines/{}", self.variant), json!({"quantity": 1})),
            ("address".to_owned(), byteshop_tests::shop::address("DE")),
        ] {
            let put = self.client.put(format!("{}/v1/carts/{id}/{path}", self.http)).json(&body);
            Self::json(put.header("Cart-Token", &token).send().await.unwrap()).await;
        }
        let placed = Self::json(self.post(&format!("/v1/carts/{id}/checkout"), Some(&token), json!({})).await).await;
        (format!("/v1/orders/{}", placed["id"].as_str().unwrap()), token)
    }

    async fn pay(&self, order: &(String, String)) -> Response {
        let body = json!({"provider": "test", "token": "tok_success"});
        self.post(&format!("{}/payments", order.0), Some(&order.1), body).await
    }

    /// The number of the invoice of an order, once it has one.
    async fn invoice(&self, order: &(String, String)) -> String {
        eventually("the order has an invoice", async || {
            let get = self.client.get(format!("{}{}", self.http, order.0)).header("Cart-Token", &order.1);
            Self::json(get.send().await.unwrap()).await["invoice"].as_str().map(str::to_owned)
        })
        .await
    }

    /// An order that is paid; gives the number of its invoice.
    async fn sell(&self) -> String {
        let order = self.order().await;
        Self::json(self.pay(&order).await).await;
        self.invoice(&order).await
    }
}

fn last(number: &str) -> i64 {
    number.rsplit_once('-').unwrap().1.parse().unwrap()
}

/// The vault of a running shop, to look whose key is there.
fn vault(program: &Program) -> (Log, Vault) {
    let url = program.run_json().unwrap()["database_url"].as_str().unwrap().to_owned();
    let log = Log::open(&url).unwrap();
    let file = program.data().join("data.key");
    let keys = DataKeys::parse(&fs::read_to_string(&file).unwrap()).unwrap();
    (log.clone(), Vault::new(log, keys.kept_in(file)))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_runbook_of_a_restore_leads_to_a_shop_that_gives_no_number_twice() {
    let mut old = Program::new();
    old.start().await;
    let counter = Counter::of(&old, String::new());
    let counter = Counter { variant: counter.stock().await, ..counter };
    let made = old.say(&["grant", "ada@example.org", "customer", "--create"]);
    let ada: AccountId = made.split_once(' ').unwrap().0.parse().unwrap();
    for expected in 1..=3 {
        assert_eq!(last(&counter.sell().await), expected);
    }

    let mut new = Program::new();
    let places = tempfile::tempdir().unwrap();
    let place = |name: &str| {
        let place = places.path().join(name);
        fs::create_dir(&place).unwrap();
        place.display().to_string()
    };
    let variables = vec![
        ("old", old.data().display().to_string()),
        ("new", new.data().display().to_string()),
        ("backup", place("backup")),
        ("apart", place("apart")),
        ("last_invoice", "5".to_owned()),
        ("reason", "backup of 3 May restored".to_owned()),
        ("PATH", path()),
    ];
    let mut runbook = Runbook { variables, blocks: blocks().into_iter() };
    runbook.run("pg_dump");
    // What the backup does not have: two sales, and somebody who is erased.
    assert_eq!((last(&counter.sell().await), last(&counter.sell().await)), (4, 5));
    old.say(&["erase", &ada.to_string(), "--yes"]);
    old.interrupt().await;

    runbook.run("mkdir");
    runbook.run("byteshop up --data");
    new.start().await;
    let counter = Counter::of(&new, counter.variant);
    let order = counter.order().await;
    let refused = counter.pay(&order).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "shop.restored");
    let ready = counter.readiness(&new).await;
    assert_eq!(
        (ready["ready"].as_bool(), ready["roles"]["payments"]["status"].as_str()),
        (Some(true), Some("down")),
        "{ready}"
    );
    let (log, vault) = vault(&new);
    let sealed = vault.seal(Subject::from(ada), &"Ada").await;
    assert!(sealed.is_err(), "who was erased after the backup has a key again");

    let said = runbook.run("byteshop check --repair");
    assert!(said.contains("nothing to repair") && said.contains("payments and document numbers are stopped"), "{said}");
    assert_eq!(counter.pay(&order).await.status(), StatusCode::SERVICE_UNAVAILABLE, "a repair confirms no number");
    let said = runbook.run("byteshop numbers --data");
    assert!(said.contains("\"last\":3") && said.contains("\"last\":5"), "{said}");
    let said = runbook.run("byteshop numbers confirm");
    assert!(said.contains("payments and document numbers resume"), "{said}");
    let me = Command::new("id").arg("-un").output().unwrap().stdout;
    let confirmed = new.say(&["audit", "log", "--actor", String::from_utf8(me).unwrap().trim()]);
    assert!(confirmed.contains("shop.confirmed"), "{confirmed}");
    assert!(runbook.blocks.next().is_none());
    let paid = async || counter.pay(&order).await.status().is_success().then_some(());
    eventually("payments are taken again", paid).await;
    assert_eq!(last(&counter.invoice(&order).await), 6);
    assert_eq!(log.closed().await.unwrap(), None);
    // Once confirmed it stays so.
    new.interrupt().await;
    new.start().await;
    let counter = Counter::of(&new, counter.variant);
    assert_eq!(last(&counter.sell().await), 7);
    new.say(&["replay", "--all", "--check"]);
    new.interrupt().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_another_database_or_table_is_recognized_until_it_is_confirmed() {
    let owner = fresh_database().await;
    let log = Log::open(&migrated(&owner).await).unwrap();
    for _ in 0..2 {
        assert_eq!(log.recognize().await.unwrap(), None);
    }
    // As `pg_restore --clean` does in the same database.
    let as_owner = Log::open(&owner).unwrap();
    sqlx::raw_sql(
        "create table log.again (like log.event including all); drop table log.event; alter table log.again rename to event;
         grant select, insert on log.event to byteshop_serve",
    )
    .execute(as_owner.pool())
    .await
    .unwrap();
    let closed = log.recognize().await.unwrap().expect("it is another table");
    assert!(closed.reason.contains("restored"), "{closed:?}");
    assert_eq!(log.recognize().await.unwrap(), Some(closed.clone()), "a restart confirms nothing");
    log.close("another reason").await.unwrap();
    assert_eq!(log.closed().await.unwrap(), Some(closed), "the first reason stays");
    assert!(log.confirm().await.unwrap() && !log.confirm().await.unwrap());
    assert_eq!(log.recognize().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_closes_a_restored_shop_that_looks_like_itself() {
    let mut program = Program::new();
    program.start().await;
    let counter = Counter::of(&program, String::new());
    let counter = Counter { variant: counter.stock().await, ..counter };
    let mut check = Command::new(binary());
    check.arg("--data").arg(program.data()).args(["check", "--restored"]);
    assert_eq!(check.output().unwrap().status.code(), Some(1));
    let closed = async || {
        let order = counter.order().await;
        let refused = counter.pay(&order).await;
        (refused.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(order)
    };
    let order = eventually("payments are closed", closed).await;
    program.say(&["numbers", "confirm"]);
    let paid = async || counter.pay(&order).await.status().is_success().then_some(());
    eventually("payments are taken again", paid).await;
    program.interrupt().await;
}
