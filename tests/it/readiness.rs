//! Whether a shop says of itself that something has stopped, while it stays open: the real program, with its real servers.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use byteshop_eventstore::nats;
use byteshop_tests::patience::eventually;
use byteshop_tests::program::{Program, binary};
use byteshop_tests::proxy::Wire;
use byteshop_tests::servers::{fresh_database, over_tcp};
use reqwest::{Client, StatusCode};
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

/// A shop that runs by itself, and who runs it.
struct Running {
    program: Program,
    http: String,
    operations: String,
    staff: String,
    client: Client,
}

impl Running {
    async fn start() -> Self {
        let mut program = Program::new();
        program.start().await;
        let run = program.run_json().unwrap();
        let [http, operations] = ["http", "operations"].map(|name| run[name].as_str().unwrap().to_owned());
        let staff = program.say(&["token", "admin"]);
        Self { program, http, operations, staff, client: Client::new() }
    }

    fn server(&self, name: &str) -> String {
        self.program.run_json().unwrap()[name].as_str().unwrap().to_owned()
    }

    async fn sql(&self, statement: &'static str) {
        let mut connection = PgConnection::connect(&self.server("database_url")).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    }

    /// What readiness answers, once it says this and answers with 200.
    async fn says(&self, status: &str) -> Value {
        eventually(&format!("the shop says that it is {status}"), async || {
            for address in [&self.http, &self.operations] {
                let answer = self.client.get(format!("{address}/health/ready")).send().await.unwrap();
                assert_eq!(answer.status(), StatusCode::OK, "nobody is turned away");
            }
            let answer = self.client.get(format!("{}/health/ready", self.operations)).send().await.unwrap();
            let body: Value = answer.json().await.unwrap();
            assert_eq!(body["ready"], true);
            let looked = body["followers"].as_array().is_some_and(|all| !all.is_empty());
            (body["status"] == status && looked).then_some(body)
        })
        .await
    }

    /// Whether a follower is up, as the metrics tell.
    async fn up(&self, part: &str, name: &str) -> bool {
        let text = self.client.get(format!("{}/metrics", self.operations)).send().await.unwrap().text().await.unwrap();
        let start = format!("byteshop_follower_up{{part=\"{part}\",name=\"{name}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("no {start} in {text}")) == "1"
    }

    /// A command that is taken.
    async fn make_category(&self, slug: &str) {
        let request = self.client.post(format!("{}/v1/categories", self.http)).bearer_auth(&self.staff);
        let made = request.json(&json!({"slug": slug, "name": slug})).send().await.unwrap();
        assert_eq!(made.status(), StatusCode::CREATED, "{}", made.text().await.unwrap());
    }

    /// How `byteshop check` ends.
    fn check(&self) -> Option<i32> {
        self.ends(&["check"])
    }

    /// How `byteshop check --repair` ends.
    fn repair(&self) -> Option<i32> {
        self.ends(&["check", "--repair"])
    }

    fn ends(&self, arguments: &[&str]) -> Option<i32> {
        let mut command = std::process::Command::new(binary());
        command.arg("--data").arg(self.program.data()).args(arguments);
        command.output().unwrap().status.code()
    }
}

/// The state of a follower.
fn state<'a>(readiness: &'a Value, part: &str, name: &str) -> &'a str {
    let all = readiness["followers"].as_array().unwrap();
    let one = all.iter().find(|it| it["part"] == part && it["name"] == name).unwrap();
    one["status"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_or_a_relay_that_has_stopped_is_told_and_turns_nobody_away() {
    let mut shop = Running::start().await;
    let well = shop.says("ready").await;
    assert_eq!(state(&well, "view", "category_list"), "live");
    assert_eq!(state(&well, "relay", "BYTESHOP"), "live");
    assert!(shop.up("view", "category_list").await && shop.up("relay", "BYTESHOP").await);

    // A row that the view may not write parks it.
    shop.sql("alter table read.category_list add constraint nothing_new check (false) not valid").await;
    shop.make_category("first").await;
    let parked = shop.says("degraded").await;
    assert_eq!((state(&parked, "view", "category_list"), state(&parked, "view", "order_list")), ("parked", "live"));
    assert_eq!(state(&parked, "process", "settle_order"), "live");
    assert!(!shop.up("view", "category_list").await && shop.up("view", "order_list").await);
    assert!(parked.to_string().contains("nothing_new"), "operators are told why: {parked}");
    assert_eq!(shop.check(), Some(1));
    shop.make_category("second").await;
    shop.sql("alter table read.category_list drop constraint nothing_new").await;
    shop.program.say(&["views", "--retry", "category_list"]);
    shop.says("ready").await;

    // What no relay of ours published stops the relay.
    let url = shop.server("nats_url");
    let client = nats::options(&url).connect(&url).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    let published = jetstream.publish("byteshop.0.other.happened", "not ours".into()).await.unwrap();
    published.await.unwrap();
    let stopped = shop.says("degraded").await;
    assert_eq!(state(&stopped, "relay", "BYTESHOP"), "other_history");
    assert!(!shop.up("relay", "BYTESHOP").await && shop.up("view", "category_list").await);
    assert_eq!(shop.check(), Some(1));
    shop.make_category("third").await;
    // It may have been a restored backup, so a repair alone takes no payments again.
    assert_eq!(shop.repair(), Some(1));
    shop.program.say(&["numbers", "confirm"]);
    shop.says("ready").await;
    shop.program.interrupt().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_in_development_is_open_to_pages_of_this_machine() {
    let mut shop = Running::start().await;
    let products = async |origin: &str| {
        let request = shop.client.get(format!("{}/v1/products", shop.http)).header("Origin", origin);
        let answer = request.send().await.unwrap();
        answer.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned())
    };
    let page = "http://localhost:5173";
    assert_eq!((products(page).await.as_deref(), products("https://evil.example").await), (Some(page), None));
    // Its pages are there under the name that people type, too.
    let named = shop.http.replace("127.0.0.1", "localhost");
    for path in ["/docs/", "/dev/mail", "/docs/API.md", "/docs/tour.md"] {
        for base in [&shop.http, &named] {
            let answer = shop.client.get(format!("{base}{path}")).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK, "{base}{path}");
        }
    }
    let mail = shop.client.get(format!("{named}/dev/mail")).header("Accept", "text/html").send().await.unwrap();
    assert!(mail.text().await.unwrap().contains("http-equiv=\"refresh\""), "new mail is shown by itself");
    shop.program.interrupt().await;
}

/// Each change is told once, in the shop's own words.
#[tokio::test(flavor = "multi_thread")]
async fn a_nats_that_was_killed_is_told_when_it_goes_and_when_it_delivers_again() {
    let mut shop = Running::start().await;
    let log = || std::fs::read_to_string(shop.program.data().join("shop.log")).unwrap();
    let is_on_jetstream = async |value: u8| {
        let metrics = reqwest::get(format!("{}/metrics", shop.operations)).await.unwrap().text().await.unwrap();
        metrics.lines().any(|line| line == format!("byteshop_feed_on_jetstream {value}")).then_some(())
    };
    eventually("JetStream delivers, though nothing happens", async || is_on_jetstream(1).await).await;
    shop.make_category("first").await;
    kill_process(shop.program.process("nats-server").unwrap(), Signal::KILL).unwrap();
    let (gone, back) = ("the feed reads Postgres until", "JetStream delivers again");
    eventually("it is told that JetStream is gone", async || log().contains(gone).then_some(())).await;
    eventually("it is told that JetStream is back, though nothing happens", async || {
        log().contains(back).then_some(())
    })
    .await;
    eventually("the metric says so, too", async || is_on_jetstream(1).await).await;
    let said = log();
    assert_eq!((said.matches(gone).count(), said.matches(back).count()), (1, 1), "{said}");
    assert!(!said.contains("max reconnection attempts"), "{said}");
    shop.program.interrupt().await;
}

/// While Postgres is away, each follower is unknown, and its last state is not repeated.
async fn nobody_is_said_to_follow(operations: &str) {
    let readiness = eventually("the shop says that Postgres is away", async || {
        let answer = reqwest::get(format!("{operations}/health/ready")).await.unwrap();
        if answer.status() != StatusCode::SERVICE_UNAVAILABLE {
            return None;
        }
        answer.json::<Value>().await.ok()
    })
    .await;
    let followers = readiness["followers"].as_array().unwrap();
    assert!(!followers.is_empty(), "{readiness}");
    for follower in followers {
        assert_eq!((&follower["status"], &follower["lag"]), (&"unknown".into(), &Value::Null), "{follower}");
    }
    for role in ["relay", "views", "postgres"] {
        assert_eq!(readiness["roles"][role]["status"], "down", "{role}: {readiness}");
    }
    eventually("the metrics say so too", async || {
        let metrics = reqwest::get(format!("{operations}/metrics")).await.unwrap().text().await.unwrap();
        let mut up = metrics.lines().filter(|line| line.starts_with("byteshop_follower_up{"));
        let said = up.all(|line| line.ends_with(" 0"))
            && metrics.contains(r#"byteshop_role_up{role="relay"} 0"#)
            && !metrics.contains("byteshop_follower_lag");
        said.then_some(())
    })
    .await;
}

/// A request waits for a store that has just gone. After some seconds it is told at once, by what knows that.
async fn refuses_at_once(http: &str) {
    eventually("requests are refused without waiting", async || {
        let answer = reqwest::get(format!("{http}/v1/products?limit=1")).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers().contains_key("retry-after"));
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "store.unavailable");
        problem["detail"].as_str().unwrap().contains("for several seconds").then_some(())
    })
    .await;
    // What does not take the store is answered all the same.
    let document = reqwest::get(format!("{http}/openapi.json")).await.unwrap();
    assert_eq!(document.status(), StatusCode::OK);
}

/// Everything that reads the log fails again and again meanwhile, and says so once.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_fills_no_log() {
    let database = fresh_database().await;
    let mut url: reqwest::Url = over_tcp(&database).parse().unwrap();
    let server = (Ipv4Addr::LOCALHOST, url.port().unwrap()).into();
    let away = Arc::new(AtomicBool::new(false));
    let is_away = Arc::clone(&away);
    let wire = Wire::before(server, move |_| is_away.load(Ordering::Relaxed)).await;
    url.set_port(Some(wire.address().port())).unwrap();
    let mut program = Program::new();
    program.set("BYTESHOP_DATABASE_URL", url.as_str());
    program.start().await;
    // A store that is away while a shop starts ends the start.
    let http = program.run_json().unwrap()["http"].as_str().unwrap().to_owned();
    eventually("the shop is ready", async || {
        let ready = reqwest::get(format!("{http}/health/ready")).await.ok()?;
        (ready.status() == StatusCode::OK).then_some(())
    })
    .await;
    let operations = program.run_json().unwrap()["operations"].as_str().unwrap().to_owned();
    eventually("the followers are known", async || {
        let answer = reqwest::get(format!("{operations}/health/ready")).await.ok()?;
        let readiness: Value = answer.json().await.ok()?;
        readiness["followers"].as_array().is_some_and(|followers| !followers.is_empty()).then_some(())
    })
    .await;
    let log = || std::fs::read_to_string(program.data().join("shop.log")).unwrap();
    let before = log().len();
    let cuts = wire.cuts();
    away.store(true, Ordering::Relaxed);
    eventually("many have tried in vain", async || (wire.cuts() > cuts + 40).then_some(())).await;
    nobody_is_said_to_follow(&operations).await;
    refuses_at_once(&http).await;
    away.store(false, Ordering::Relaxed);
    eventually("requests are served again", async || {
        let answer = reqwest::get(format!("{http}/v1/products?limit=1")).await.ok()?;
        (answer.status() == StatusCode::OK).then_some(())
    })
    .await;
    eventually("the return is logged", async || log().contains("Postgres answers again").then_some(())).await;
    let said = log().split_off(before);
    let warnings = said.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).count();
    assert_eq!(warnings, 1, "{said}");
    assert_eq!(said.matches("Postgres does not answer").count(), 1, "{said}");
    assert_eq!(said.matches("Postgres answers again").count(), 1, "{said}");
    program.interrupt().await;
}
