//! The command line as people meet it: the real program, on a real Postgres.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use byteshop_domain::Actor;
use byteshop_domain::ids::{AccountId, ApiKeyId, Id as _, OrderId, ProductId, VariantId};
use byteshop_eventstore::append::append;
use byteshop_eventstore::{Append, Clock, Log, Meta, NewEvent, Outcome, StreamId, database};
use byteshop_gateway::servers::{Options, Servers};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// An empty database on a Postgres that this test program shares.
async fn fresh_database() -> String {
    static SERVERS: OnceCell<Servers> = OnceCell::const_new();
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let servers = SERVERS
        .get_or_init(|| async {
            use std::os::unix::fs::PermissionsExt as _;
            let open = std::fs::Permissions::from_mode(0o755);
            let data = tempfile::Builder::new().prefix("byteshop-cli-").permissions(open).tempdir().unwrap().keep();
            #[expect(clippy::disallowed_methods, reason = "the tests have no configuration but the environment")]
            let place = |name| std::env::var_os(name).map(Into::into);
            let options = Options {
                pg_bin: place("BYTESHOP_PG_BIN"),
                // No command here speaks to NATS.
                nats_url: Some("nats://127.0.0.1:1".into()),
                throw_away: true,
                ..Options::default()
            };
            Servers::start(&data, options).await.unwrap()
        })
        .await;
    let (server, _) = servers.migration_url().rsplit_once('/').unwrap();
    let url = format!("{server}/test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    database::create_when_missing(&url).await.unwrap();
    url
}

/// The program in a directory, with nothing of ours in its environment.
fn byteshop(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_byteshop"));
    command.args(arguments).current_dir(directory).env_clear().stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What it printed, after it did what it was asked.
fn printed(mut command: Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert_eq!(status.code(), Some(0), "{command:?}: {}{}", text(&stdout), text(&stderr));
    text(&stdout)
}

/// What it said on stderr, with the exit status; nothing may be on stdout.
fn refused(mut command: Command) -> (i32, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert_eq!(text(&stdout), "", "{command:?}");
    (status.code().unwrap(), text(&stderr))
}

/// JSON lines.
fn lines(printed: &str) -> Vec<Value> {
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A shop with a little history: an admin stocks a variant, an order reserves, a process commits what was reserved.
struct History {
    url: String,
    directory: tempfile::TempDir,
    admin: AccountId,
    variant: VariantId,
    /// The request that stocked it.
    stocking: Uuid,
}

/// What is noted of an event: who caused it, by which command, in which chain, because of which event.
fn meta(actor: Actor, command: &str, correlation: Uuid, causation: Option<i64>) -> Meta {
    Meta {
        actor,
        command: command.into(),
        request_id: Clock.new_id(),
        correlation_id: correlation,
        causation,
        occurred_at: None,
        trace_id: None,
        client_request_id: None,
    }
}

impl History {
    async fn new() -> Self {
        let url = fresh_database().await;
        let log = Log::open(&url).unwrap();
        log.migrate().await.unwrap();
        let admin = AccountId::from_uuid(Clock.new_id());
        let variant = VariantId::from_uuid(Clock.new_id());
        let order = OrderId::from_uuid(Clock.new_id());
        let product = ProductId::from_uuid(Clock.new_id());
        let (stocking, ordering) = (Clock.new_id(), Clock.new_id());
        let by_admin = meta(Actor::Admin { id: admin }, "stock.open", stocking, None);
        let by_guest = meta(Actor::Guest { cart: None }, "cart.checkout", ordering, None);
        let process = Actor::Process { name: "settle_order".into() };
        let by_process = meta(process, "stock.commit", ordering, Some(3));
        let events = [
            ("opened", json!({"product": product, "sku": "MUG-1"}), &by_admin),
            ("received", json!({"quantity": 5}), &by_admin),
            ("reserved", json!({"order": order, "quantity": 2}), &by_guest),
            ("committed", json!({"order": order, "quantity": 2}), &by_process),
        ];
        let history = Self { url, directory: tempfile::tempdir().unwrap(), admin, variant, stocking };
        let stream = StreamId::named("stock", variant.uuid());
        for (version, (event_type, data, meta)) in (1..).zip(events) {
            let at = history.append(&stream, version, (event_type, &data), meta).await;
            assert_eq!(at, version);
        }
        history
    }

    /// Writes one more event; gives its position.
    async fn append(&self, stream: &StreamId, version: i64, (event_type, data): (&str, &Value), meta: &Meta) -> i64 {
        let event = NewEvent {
            id: Clock.new_id(),
            stream: stream.clone(),
            version,
            event_type: event_type.to_owned(),
            schema: 1,
            data: data.to_string(),
            meta: Arc::from(serde_json::to_string(meta).unwrap()),
            correlation: meta.correlation_id,
            recorded_at: Clock.now(),
        };
        let batch = [Append { expect: vec![(stream.clone(), version - 1)], events: vec![event], receipt: None }];
        let mut writer = Log::open(&self.url).unwrap().writer().await.unwrap();
        let outcome = append(&mut writer, &batch).await.unwrap();
        let [Outcome::Accepted { positions: Some((position, _)) }] = outcome[..] else { panic!("{outcome:?}") };
        position
    }

    fn byteshop(&self, arguments: &[&str]) -> Command {
        let mut command = byteshop(self.directory.path(), arguments);
        command.env("BYTESHOP_DATABASE_URL", &self.url);
        command
    }

    fn ask(&self, arguments: &[&str]) -> String {
        printed(self.byteshop(arguments))
    }
}

/// Long enough for a busy machine to start a shop.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);

/// A whole shop of its own, killed with the test unless it was stopped.
struct Up(std::process::Child);

impl Up {
    /// Starts one and waits for its ready line; gives where it serves.
    fn start(directory: &Path) -> (Self, String) {
        Self::launch(Self::command(directory))
    }

    /// Starts one by a command and waits for its ready line; gives where it serves.
    fn launch(mut command: Command) -> (Self, String) {
        use std::io::BufRead as _;
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            // Everything is read to the end, so that the shop can say that it is stopping.
            for line in lines.map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("ready http://") {
                    let _ = tell.send(address.to_owned());
                }
            }
        });
        let shop = Self(child);
        let address = told.recv_timeout(PATIENCE).expect("the shop gets ready");
        (shop, address)
    }

    fn command(directory: &Path) -> Command {
        let mut command = byteshop(directory, &["up", "--data", "data", "--port", "0"]);
        // The servers look for their programs, and the shop is one for development.
        #[expect(clippy::disallowed_methods, reason = "the tests have no configuration but the environment")]
        for name in ["PATH", "BYTESHOP_PG_BIN", "BYTESHOP_NATS_SERVER"] {
            command.env(name, std::env::var_os(name).unwrap_or_default());
        }
        command.env("BYTESHOP_DEV", "1");
        command
    }

    fn stop(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.0.wait().unwrap().code()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // It has ended already when it was stopped.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The status line of an answer.
fn get(address: &str, path: &str) -> String {
    answer(address, path).lines().next().unwrap_or_default().to_owned()
}

/// A whole answer.
fn answer(address: &str, path: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A series for each route and bound is many: there are few bounds, and the status is only in the counter.
fn measures_requests_with_few_series(metrics: &str) {
    let of = |name: &str| metrics.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect::<Vec<_>>();
    let buckets = of("byteshop_http_request_duration_seconds_bucket{");
    let of_one = buckets.iter().filter(|line| line.contains(r#"route="/health/live""#)).count();
    assert!((1..=7).contains(&of_one) && buckets.iter().all(|line| !line.contains("status=")), "{buckets:?}");
    let requests = of("byteshop_http_requests_total{");
    assert!(requests.iter().any(|line| line.contains(r#"status="200""#)), "{requests:?}");
}

fn open_directory() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let open = std::fs::Permissions::from_mode(0o755);
    tempfile::Builder::new().prefix("byteshop-up-").permissions(open).tempdir().unwrap()
}

#[test]
fn a_whole_shop_starts_answers_stops_and_goes_on_with_its_data() {
    let (one, other) = (open_directory(), open_directory());
    let (shop, address) = Up::start(one.path());
    let (beside, elsewhere) = Up::start(other.path());
    assert_ne!(address, elsewhere);
    for address in [&address, &elsewhere] {
        assert_eq!(get(address, "/health/live"), "HTTP/1.1 200 OK");
    }
    let run: Value = serde_json::from_slice(&std::fs::read(one.path().join("data/run.json")).unwrap()).unwrap();
    assert_eq!((&run["http"], &run["pid"]), (&json!(format!("http://{address}")), &json!(shop.0.id())));
    for data in [one.path(), other.path()] {
        let run: Value = serde_json::from_slice(&std::fs::read(data.join("data/run.json")).unwrap()).unwrap();
        let operations = run["operations"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        let metrics = answer(&operations, "/metrics");
        assert!(metrics.starts_with("HTTP/1.1 200 OK"), "each has an address of its own: {metrics}");
        measures_requests_with_few_series(&metrics);
    }
    // The settings are those of the shop, not of the command beside it.
    let of_shop = printed(byteshop(one.path(), &["config", "--data", "data", "--format", "table"]));
    let of_command = printed(byteshop(one.path(), &["config", "--data", "data", "--own", "--format", "table"]));
    let pid = shop.0.id().to_string();
    assert!(of_shop.contains(&format!("running process {pid}")) && !of_command.contains(&pid), "{of_shop}");
    let dev = |printed: &str| printed.lines().find_map(|line| line.strip_prefix("BYTESHOP_DEV ").map(str::to_owned));
    assert!(dev(&of_shop).unwrap().contains("true  (BYTESHOP_DEV"), "{of_shop}");
    assert!(dev(&of_command).unwrap().contains("false  (default"), "{of_command}");
    // Everything beside it finds it by its directory, development included.
    let token = printed(byteshop(one.path(), &["token", "admin", "--ttl", "5m", "--data", "data"]));
    assert_eq!(token.trim().split('.').count(), 3);
    let minted = printed(byteshop(one.path(), &["audit", "log", "--type", "access_token.minted", "--data", "data"]));
    let minted = &lines(&minted)[0];
    assert_eq!((&minted["data"]["role"], &minted["data"]["lifetime_s"]), (&json!("admin"), &json!(300)));
    assert!(minted["data"]["account"].as_str().unwrap().starts_with("acc_"), "{minted}");
    assert_eq!(minted["meta"]["actor"], json!({"kind": "operator", "name": me()}));
    let seeded = lines(&printed(byteshop(one.path(), &["seed", "--without-images", "--data", "data"])));
    assert!(seeded.iter().filter(|line| line["new"] == true).count() >= 30);
    let admin = json!({"email": "admin@byteshop.example", "password": "harbour-lantern-7", "role": "admin"});
    assert!(seeded.contains(&admin), "programs get the log-ins too");
    let (_, port) = address.rsplit_once(':').unwrap();
    let (status, said) = refused(byteshop(other.path(), &["up", "--data", "third", "--port", port]));
    assert!(status == 1 && said.contains("--port"), "{said}");
    let (status, said) = refused(byteshop(one.path(), &["up", "--data", "data", "--port", "0"]));
    assert!(status == 1 && said.contains("in use"), "{said}");

    assert_eq!((shop.stop(), beside.stop()), (Some(0), Some(0)));
    assert!(!one.path().join("data/run.json").exists());
    let (shop, _) = Up::start(one.path());
    let again = byteshop(one.path(), &["seed", "--without-images", "--format", "json", "--data", "data"]);
    let made: Value = serde_json::from_str(&printed(again)).unwrap();
    assert!(made["products"].as_array().unwrap().iter().all(|product| product["new"] == false));
    assert!(made["logins"].as_array().unwrap().contains(&admin));
    assert_eq!(shop.stop(), Some(0));
}

#[test]
fn every_role_tells_operators_how_it_is() {
    use std::io::BufRead as _;
    let directory = open_directory();
    let (shop, _) = Up::start(directory.path());
    let run = std::fs::read(directory.path().join("data/run.json")).unwrap();
    let run: Value = serde_json::from_slice(&run).unwrap();
    for role in [&["serve", "--port", "0"][..], &["work"], &["relay"]] {
        let mut command = byteshop(directory.path(), role);
        command.args(["--data", "data"]).env("BYTESHOP_DATABASE_URL", run["database_url"].as_str().unwrap());
        command.env("BYTESHOP_NATS_URL", run["nats_url"].as_str().unwrap()).env("BYTESHOP_DEV", "1");
        let mut process = Up(command.stdout(Stdio::piped()).spawn().unwrap());
        let mut lines = std::io::BufReader::new(process.0.stdout.take().unwrap()).lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix("operations http://").map(str::to_owned)).unwrap();
        assert!(lines.any(|line| line.starts_with("ready ")), "{role:?}");
        assert_eq!(get(&address, "/metrics"), "HTTP/1.1 200 OK", "{role:?}");
        let started = std::time::Instant::now();
        // Readiness waits for the first answer of Postgres.
        while get(&address, "/health/ready") != "HTTP/1.1 200 OK" {
            assert!(started.elapsed() < PATIENCE, "{role:?} is not ready");
        }
        assert_eq!(process.stop(), Some(0), "{role:?}");
    }
    assert_eq!(shop.stop(), Some(0));
}

#[test]
fn a_shop_without_the_key_of_its_data_writes_no_other_one() {
    let directory = open_directory();
    let data = directory.path().join("data");
    let (key, kept) = (data.join("data.key"), directory.path().join("kept.key"));
    let (shop, _) = Up::start(directory.path());
    assert_eq!(shop.stop(), Some(0));
    for file in ["data.key", "token.pem"] {
        std::fs::rename(data.join(file), directory.path().join(format!("{file}.kept"))).unwrap();
    }
    std::fs::rename(directory.path().join("data.key.kept"), &kept).unwrap();
    for _ in 0..2 {
        let (status, said) = refused(Up::command(directory.path()));
        assert!(status == 1 && said.contains("data.key") && said.contains("BYTESHOP_DATA_KEY"), "{said}");
        assert!(!key.exists() && !data.join("token.pem").exists());
    }
    std::fs::rename(&kept, &key).unwrap();
    let (shop, address) = Up::start(directory.path());
    assert_eq!(get(&address, "/health/live"), "HTTP/1.1 200 OK");
    assert_eq!(shop.stop(), Some(0));
}

#[test]
fn what_cannot_be_meant_is_answered_with_what_can() {
    let directory = tempfile::tempdir().unwrap();
    let order = OrderId::from_uuid(Uuid::from_u128(7)).to_string();
    for (arguments, parts) in [
        (&["audit", "show", "foo"][..], &["numbers from 1", "audit log", "audit state"][..]),
        (&["audit", "show", &order], &["by its position", "audit log --stream ord_", "audit state ord_"]),
        (&["audit", "log", "--limit", "abc"], &["not a whole number such as 100"]),
        (&["audit", "log", "--from", "1x"], &["2026-11-20T08:00:00Z", "30m, 1h or 2d"]),
        (&["audit", "log", "--type", "price_changed"], &["unknown event type", "did you mean", "product.price_set"]),
        (&["audit", "export", "--type", "order.plcaed"], &["unknown event type", "did you mean", "order.placed"]),
        (&["audit", "state", "ord_foo"], &["not a valid id", "ord_01"]),
        (&["token", "admin", "--ttl", "8x"], &["90s, 30m, 8h or 7d"]),
    ] {
        let (status, said) = refused(byteshop(directory.path(), arguments));
        let all = parts.iter().all(|part| said.contains(part));
        assert!(status == 2 && all, "{arguments:?}: {said}");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_help_with_0() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in [
        &["no-such-command"][..],
        &["audit", "show", "0"],
        &["audit", "state", "ord_nonsense"],
        &["audit", "log", "--from", "tomorrow"],
        &["token", "root"],
        &[],
    ] {
        assert_eq!(refused(byteshop(directory.path(), arguments)).0, 2, "{arguments:?}");
    }
    assert!(printed(byteshop(directory.path(), &["--help"])).contains("audit"));
    assert!(printed(byteshop(directory.path(), &["--version"])).contains(env!("CARGO_PKG_VERSION")));
    for shell in ["bash", "zsh", "fish"] {
        assert!(printed(byteshop(directory.path(), &["completions", shell])).contains("byteshop"));
    }
}

#[test]
fn every_mistake_of_the_configuration_is_told_at_once() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("byteshop.toml"), "prot = 80\n").unwrap();
    let mut command = byteshop(directory.path(), &["config"]);
    command.env("BYTESHOP_PORT", "many").env("BYTESHOP_DATABASE_UR", "x");
    let (status, said) = refused(command);
    assert_eq!(status, 2);
    for part in ["3 mistakes", "did you mean port?", "BYTESHOP_PORT must be", "did you mean BYTESHOP_DATABASE_URL?"] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn the_configuration_is_shown_without_secrets_and_with_its_sources() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("byteshop.toml"), "port = 81\n").unwrap();
    for format in ["table", "json", "jsonl"] {
        let mut command = byteshop(directory.path(), &["config", "--format", format]);
        command.env("BYTESHOP_DATABASE_URL", "postgres://shop:hunter2@db/shop");
        let printed = printed(command);
        assert!(!printed.contains("hunter2"), "{printed}");
        let parts = ["postgres://shop:***@db/shop", "BYTESHOP_DATABASE_URL", "byteshop.toml", "81"];
        for part in parts.into_iter().chain(["8080", "HTTP port", "How long an unpaid order"]) {
            assert!(printed.contains(part), "{part} is missing in {printed}");
        }
        let widest = printed.lines().map(|line| line.chars().count()).max();
        assert!(format != "table" || widest <= Some(100), "{printed}");
        assert!(printed.contains("set BYTESHOP_PAYMENT_PROVIDER"), "the warnings are missing in {printed}");
        let is_warning = |it: &Value| it.as_str().is_some_and(|it| it.contains("BYTESHOP_SMTP_HOST"));
        match format {
            "json" => {
                let all: Value = serde_json::from_str(&printed).unwrap();
                let rows = all["settings"].as_array().unwrap();
                assert!(rows.iter().any(|row| row["variable"] == "BYTESHOP_DATABASE_URL"), "{printed}");
                assert!(all["warnings"].as_array().unwrap().iter().any(is_warning), "{printed}");
            }
            "jsonl" => {
                let mut lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
                assert!(lines.any(|line| is_warning(&line["warning"])), "{printed}");
            }
            _ => {}
        }
    }
}

#[test]
fn a_process_in_a_role_tells_its_settings_at_its_own_address() {
    let directory = tempfile::tempdir().unwrap();
    let config = |arguments: &[&str]| {
        let mut command = byteshop(directory.path(), &[&["config", "--format", "table"], arguments].concat());
        command.env("BYTESHOP_DATABASE_URL", "postgres://a:b@127.0.0.1:1/c").env("BYTESHOP_DEV", "yes");
        command
    };
    let shown = printed(config(&[]));
    assert!(shown.contains("byteshop config --at URL") && !shown.contains("no shop runs"), "{shown}");
    let dev = shown.lines().find(|line| line.starts_with("BYTESHOP_DEV ")).unwrap();
    assert!(dev.contains("true  (BYTESHOP_DEV"), "however it was written: {dev}");
    for junk in ["junk", "127.0.0.1:9464"] {
        let (status, said) = refused(config(&["--at", junk]));
        assert!(status == 2 && said.contains("such as http://127.0.0.1:9464"), "{junk}: {said}");
    }
}

#[test]
fn who_sells_is_asked_for_until_it_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let shown = |set: &[(&str, &str)]| {
        let mut command = byteshop(directory.path(), &["config", "--format", "table"]);
        command.envs(set.iter().copied());
        printed(command)
    };
    let (address, tax_id) = (("BYTESHOP_SELLER_ADDRESS", "Yard 7; 10115 Berlin"), ("BYTESHOP_SELLER_TAX_ID", "DE1"));
    assert!(shown(&[]).contains("set BYTESHOP_SELLER_ADDRESS and BYTESHOP_SELLER_TAX_ID"));
    assert!(shown(&[address]).contains("set BYTESHOP_SELLER_TAX_ID"));
    assert!(!shown(&[address, tax_id]).contains("lack seller details"));
    let unsaid = "do not say where to send returns";
    assert!(shown(&[]).contains(unsaid) && !shown(&[address]).contains(unsaid));
    let place = ("BYTESHOP_RETURN_ADDRESS", "Yard 8; 10115 Berlin");
    assert!(!shown(&[place]).contains(unsaid));
}

#[test]
fn a_shop_in_development_is_for_this_machine_unless_that_is_said_twice() {
    let directory = tempfile::tempdir().unwrap();
    let up = |set: &[(&str, &str)]| {
        let mut command = byteshop(directory.path(), &["up", "--data", "data", "--port", "0"]);
        command.env("BYTESHOP_DEV", "1").env("BYTESHOP_ADDRESS", "0.0.0.0").envs(set.iter().copied());
        refused(command)
    };
    let (status, said) = up(&[]);
    assert!(status == 1 && said.contains("BYTESHOP_DEV_BEYOND_LOOPBACK=true"), "{said}");
    // Said twice, it goes on to look for its servers.
    let (status, said) = up(&[("BYTESHOP_DEV_BEYOND_LOOPBACK", "1"), ("BYTESHOP_PG_BIN", "/nowhere")]);
    assert!(status == 1 && said.contains("Postgres was not found"), "{said}");
}

#[test]
fn an_emulator_outside_of_development_is_told_with_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let shown = |set: &[(&str, &str)]| {
        let mut command = byteshop(directory.path(), &["config", "--format", "table"]);
        command.envs(set.iter().copied());
        printed(command)
    };
    assert!(shown(&[]).contains("set BYTESHOP_PAYMENT_PROVIDER"));
    let named = shown(&[("BYTESHOP_PAYMENT_PROVIDER", "test"), ("BYTESHOP_CARRIER", "simulated")]);
    assert!(named.contains("payments are emulated") && named.contains("parcels are simulated"), "{named}");
    let dev = shown(&[("BYTESHOP_DEV", "1")]);
    assert!(!dev.contains("payments are emulated"), "{dev}");
}

#[tokio::test]
async fn numbers_that_others_have_are_left_out_with_their_reason() {
    let url = fresh_database().await;
    let directory = tempfile::tempdir().unwrap();
    let command = |arguments: &[&str]| {
        let mut command = byteshop(directory.path(), arguments);
        command.env("BYTESHOP_DATABASE_URL", &url);
        command
    };
    printed(command(&["migrate"]));
    let last = |arguments: &[&str]| {
        let shown = lines(&printed(command(arguments)));
        shown.iter().map(|it| it["last"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(last(&["numbers"]), [0, 0]);
    let this_year = lines(&printed(command(&["numbers"])))[0]["year"].as_i64().unwrap();
    let (year, last_year) = (this_year.to_string(), (this_year - 1).to_string());
    let skip = ["numbers", "skip", "invoices", "--year", &year, "--reason", "backup of 3 May restored", "--to"];
    let to = |number| [&skip[..], &[number]].concat();
    for _ in 0..2 {
        assert_eq!(last(&to("1042")), [1_042, 0], "twice is once");
    }
    assert_eq!(last(&["numbers", "--year", "9999"]), [0, 0]);
    let begins = format!("begins in {year}, so leave --year out");
    for (year, why) in
        [("9999", "have been issued yet"), (last_year.as_str(), begins.as_str()), ("1970", begins.as_str())]
    {
        let (status, said) = refused(command(&[&skip[..3], &["--year", year], &skip[5..], &["5"]].concat()));
        assert!(status == 1 && said.contains(why) && said.contains("leave --year out"), "{said}");
    }
    for (number, why) in
        [("7", "already at number 1042"), ("-1", "already at number 1042"), ("999999", "at most 100000")]
    {
        let number = format!("--to={number}");
        let (status, said) = refused(command(&[&skip[..7], &[number.as_str()]].concat()));
        assert!(status == 1 && said.contains(why), "{said}");
    }
    let printed_number = format!("INV-{year}-001043");
    assert_eq!(
        last(&[&skip[..3], &skip[5..], &[printed_number.as_str()]].concat()),
        [1_043, 0],
        "as documents show it"
    );
    for (number, why) in [(format!("CN-{year}-000007"), "other documents"), ("INV-1999-000007".into(), "--year is")] {
        let (status, said) = refused(command(&[&skip[..], &[number.as_str()]].concat()));
        assert!(status == 1 && said.contains(why), "{said}");
    }
    assert_eq!(refused(command(&to("INV-2026"))).0, 2);
    for wrong in [&skip[..7], &["numbers", "skip", "invoices", "--to", "5"], &["numbers", "skip", "orders"]] {
        assert_eq!(refused(command(wrong)).0, 2, "{wrong:?}");
    }
    let gaps = lines(&printed(command(&["audit", "log", "--type", "series.skipped"])));
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    let gap = printed(command(&["audit", "show", "1"]));
    for part in ["backup of 3 May restored", "operator", "1042"] {
        assert!(gap.contains(part), "{part} in {gap}");
    }
}

#[test]
fn without_a_shop_the_way_to_one_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let (status, said) = refused(byteshop(directory.path(), &["audit", "log"]));
    assert_eq!(status, 1);
    assert!(said.contains("byteshop up") && said.contains("BYTESHOP_DATABASE_URL"), "{said}");
    // A run.json of a shop that is gone is no shop. (A process has no number this large.)
    let run = json!({"http": "http://127.0.0.1:1", "database_url": "postgres://a:b@127.0.0.1:1/c",
        "nats_url": "nats://127.0.0.1:1", "pid": 0x7fff_fff0});
    std::fs::write(directory.path().join("run.json"), run.to_string()).unwrap();
    let (status, said) = refused(byteshop(directory.path(), &["audit", "log", "--data", "."]));
    assert_eq!(status, 1);
    assert!(said.contains("no shop runs in ."), "{said}");
}

#[test]
fn a_shop_that_ends_while_a_command_waits_for_its_postgres_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let mut shop = Command::new("sleep").arg("2").spawn().unwrap();
    let run = json!({"http": "http://127.0.0.1:1", "database_url": "postgres://a:b@127.0.0.1:1/c",
        "nats_url": "nats://127.0.0.1:1", "pid": shop.id()});
    std::fs::write(directory.path().join("run.json"), run.to_string()).unwrap();
    let command = byteshop(directory.path(), &["check", "--data", "."]).stderr(Stdio::piped()).spawn().unwrap();
    // The command finds it running, and then waits longer than it lasts.
    shop.wait().unwrap();
    let output = command.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("no shop runs in ."), "{said}");
}

#[test]
fn a_token_takes_a_shop_that_says_itself_that_it_is_in_development() {
    let directory = tempfile::tempdir().unwrap();
    let token = || {
        let mut command = byteshop(directory.path(), &["token", "admin"]);
        command.env("BYTESHOP_DEV", "1");
        command
    };
    let (status, said) = refused(token());
    assert!(status == 1 && said.contains("no shop runs"), "{said}");
    let mut beside = token();
    beside.env("BYTESHOP_DATABASE_URL", "postgres://a:b@127.0.0.1:1/c").env("BYTESHOP_PORT", "1");
    let (status, said) = refused(beside);
    assert!(status == 1 && said.contains("no shop answers at http://127.0.0.1:1"), "{said}");
}

#[test]
fn a_csv_file_of_keys_needs_the_name_of_its_column() {
    let directory = tempfile::tempdir().unwrap();
    let import = ["import-keys", "var_00000000000000000000000001", "keys.csv"];
    let Output { status, stderr, .. } = byteshop(directory.path(), &import).output().unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(text(&stderr).contains("--column"), "{}", text(&stderr));
}

#[test]
fn a_shop_in_production_gives_no_tokens_whatever_the_command_is_told() {
    let directory = open_directory();
    let (mut command, log) = (Up::command(directory.path()), directory.path().join("up.log"));
    command.env("BYTESHOP_DEV", "0").env("BYTESHOP_PAYMENT_PROVIDER", "test");
    command.stderr(std::fs::File::create(&log).unwrap());
    let (shop, address) = Up::launch(command);
    let mut token = byteshop(directory.path(), &["token", "admin", "--ttl", "365d", "--data", "data"]);
    token.env("BYTESHOP_DEV", "1");
    let (status, said) = refused(token);
    assert!(status == 1 && said.contains(&address) && said.contains("not in development"), "{said}");
    // The first admin of a shop is made by its operator, and no other account is.
    let grant = |email| {
        let mut grant = byteshop(directory.path(), &["grant", email, "admin", "--create", "--data", "data"]);
        grant.env("BYTESHOP_DEV", "1");
        grant
    };
    assert!(printed(grant("ada@example.org")).contains("is admin"));
    let (status, said) = refused(grant("eve@example.org"));
    assert!(status == 1 && said.contains("the shop has had an admin"), "{said}");
    let events = lines(&printed(byteshop(directory.path(), &["audit", "log", "--data", "data"])));
    assert!(events.iter().all(|event| event["type"] != "access_token.minted"), "{events:?}");
    assert_eq!(shop.stop(), Some(0));
    // What its operator must know is told at the start.
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("payments are emulated") && log.contains("WARN"), "{log}");
}

/// The operating system's name of whoever runs the tests.
fn me() -> String {
    text(&Command::new("id").arg("-un").output().unwrap().stdout).trim().to_owned()
}

#[tokio::test]
async fn a_run_file_leads_to_the_shop() {
    let history = History::new().await;
    let run = json!({"http": "http://127.0.0.1:1", "database_url": history.url, "nats_url": "nats://127.0.0.1:1",
        "pid": std::process::id()});
    let data = history.directory.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("run.json"), run.to_string()).unwrap();
    let printed = printed(byteshop(history.directory.path(), &["audit", "log", "--data", "data"]));
    assert_eq!(lines(&printed).len(), 4);
}

#[tokio::test]
async fn the_log_answers_who_did_what() {
    let history = History::new().await;
    let positions = |arguments: &[&str]| -> Vec<i64> {
        let all = [&["audit", "log"], arguments].concat();
        lines(&history.ask(&all)).iter().map(|event| event["position"].as_i64().unwrap()).collect()
    };
    assert_eq!(positions(&[]), [1, 2, 3, 4]);
    assert_eq!(positions(&["--limit", "2"]), [3, 4]);
    assert_eq!(positions(&["--limit", "0"]), [1, 2, 3, 4]);
    assert_eq!(positions(&["--after", "1", "--limit", "2"]), [2, 3]);
    assert_eq!(positions(&["--type", "stock.received"]), [2]);
    assert_eq!(positions(&["--type", "reserved"]), [3]);
    assert_eq!(positions(&["--type", "stock.*"]), positions(&["--stream", &history.variant.to_string()]));
    assert_eq!(positions(&["--actor", "settle_order"]), [4]);
    assert_eq!(positions(&["--actor", &history.admin.to_string()]), [1, 2]);
    assert_eq!(positions(&["--actor", "guest"]), [3]);
    assert!(positions(&["--actor", "operator"]).is_empty(), "a kind, although nobody of it has done anything");
    assert_eq!(positions(&["--stream", &history.variant.to_string()]), [1, 2, 3, 4]);
    assert!(positions(&["--until", "2020-01-01"]).is_empty());
    assert_eq!(positions(&["--from", "2020-01-01"]), [1, 2, 3, 4]);
    assert_eq!(positions(&["--from", "1h"]), [1, 2, 3, 4]);
    assert!(positions(&["--until", "1h"]).is_empty());
    let (status, said) = refused(history.byteshop(&["audit", "log", "--from", "1h", "--until", "2h"]));
    assert!(status == 2 && said.contains("is not after --from"), "{said}");
    // A range that cannot hold anything is refused as well, and one that is over ends.
    for (arguments, part) in [
        (&["log", "--from", "2026-02", "--until", "2026-01"][..], "is not after --from"),
        (&["log", "--from", "2999"], "in the future"),
        (&["log", "--from", "0"], "an age such as 30m"),
        (&["log", "--after", "5"], "it ends at 4"),
        (&["export", "--after", "5"], "it ends at 4"),
        (&["state", &history.variant.to_string(), "--at", "5"], "its positions are 1 to 4"),
        (&["state", &history.variant.to_string(), "--at", "2999-01"], "in the future"),
    ] {
        let (status, said) = refused(history.byteshop(&[&["audit"][..], arguments].concat()));
        assert!(matches!(status, 1 | 2) && said.contains(part), "{arguments:?}: {said}");
    }
    assert!(positions(&["--after", "4"]).is_empty());
    assert!(positions(&["--follow", "--until", "2020"]).is_empty());
    let json: Value = serde_json::from_str(&history.ask(&["audit", "log", "--format", "json"])).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 4);
    let table = history.ask(&["audit", "log", "--format", "table"]);
    for part in ["guest", "stock.committed", "process settle_order", "quantity 2", &history.variant.to_string()] {
        assert!(table.contains(part), "{part} is missing in\n{table}");
    }
    let nobody = VariantId::from_uuid(Uuid::nil()).to_string();
    let (status, said) = refused(history.byteshop(&["audit", "log", "--stream", &nobody]));
    assert!(status == 1 && said.contains("has no stock"), "{said}");
    // What the log does not know is refused: an empty answer would look as if nothing had happened.
    for (arguments, part) in [
        (["--actor", "setle_order"], "did you mean settle_order?"),
        (["--actor", "nobody"], "the log has no actor `nobody`"),
        (["--stream", "MUG-2"], "nothing named `MUG-2`"),
        (["--actor", "admin@byteshop.example"], "needs the data key"),
    ] {
        let (status, said) = refused(history.byteshop(&[&["audit", "log"][..], &arguments].concat()));
        assert!(status == 1 && said.contains(part), "{arguments:?}: {said}");
    }
    assert_eq!(positions(&["--type", "received", "--type", "stock.res*"]), [2, 3]);
    assert_eq!(positions(&["--from", "2020-01", "--until", "today"]), [1, 2, 3, 4]);
    // A program is found by its key.
    let key = ApiKeyId::from_uuid(Clock.new_id());
    let by_program = meta(Actor::Service { key }, "stock.receive", Clock.new_id(), None);
    let stream = StreamId::named("stock", history.variant.uuid());
    history.append(&stream, 5, ("received", &json!({"quantity": 1})), &by_program).await;
    for actor in [key.to_string(), format!("service {key}"), "service".to_owned()] {
        assert_eq!(positions(&["--actor", &actor]), [5], "{actor}");
    }
}

#[tokio::test]
async fn one_event_is_shown_whole() {
    let history = History::new().await;
    let shown = history.ask(&["audit", "show", "4", "--format", "table"]);
    for part in ["stock.committed", "process settle_order", "stock.commit", "because of event 3", "matches its content"]
    {
        assert!(shown.contains(part), "{part} is missing in\n{shown}");
    }
    let event: Value = serde_json::from_str(&history.ask(&["audit", "show", "4"])).unwrap();
    assert_eq!((&event["meta"]["causation"], &event["data"]["quantity"]), (&json!(3), &json!(2)));
    let (status, said) = refused(history.byteshop(&["audit", "show", "5"]));
    assert!(status == 1 && said.contains("its positions are 1 to 4"), "{said}");
}

#[tokio::test]
async fn causes_and_effects_are_a_tree() {
    let history = History::new().await;
    let drawn = history.ask(&["audit", "trace", "4", "--format", "table"]);
    assert!(drawn.contains("cart.checkout by guest"), "{drawn}");
    assert!(drawn.contains("└─ 3  stock.reserved"), "{drawn}");
    assert!(drawn.contains("   └─ +0 ms") || drawn.contains("   └─ +"), "{drawn}");
    assert!(drawn.contains("stock.commit by process settle_order"), "{drawn}");
    let roots = lines(&history.ask(&["audit", "trace", "3"]));
    assert_eq!(roots.len(), 1);
    assert_eq!(roots[0]["events"][0]["led_to"][0]["events"][0]["event"]["position"], 4);
    assert_eq!(lines(&history.ask(&["audit", "trace", &history.variant.to_string()])).len(), 2);
    assert_eq!(refused(history.byteshop(&["audit", "trace", "9"])).0, 1);
    // The chain that began first comes first, although it has touched the thing last.
    let late = meta(Actor::Admin { id: history.admin }, "stock.receive", history.stocking, None);
    let stream = StreamId::named("stock", history.variant.uuid());
    assert_eq!(history.append(&stream, 5, ("received", &json!({"quantity": 1})), &late).await, 5);
    let roots = lines(&history.ask(&["audit", "trace", &history.variant.to_string()]));
    let commands: Vec<&str> = roots.iter().map(|root| root["command"].as_str().unwrap()).collect();
    assert_eq!(commands, ["stock.open", "stock.receive", "cart.checkout"]);
}

#[tokio::test]
async fn the_story_of_an_order_is_told_by_the_number_of_its_credit_note() {
    let history = History::new().await;
    let example = |category: &str, event_type: &str| {
        let forms = byteshop_domain::catalogue();
        forms.into_iter().find(|form| form.category == category && form.event_type == event_type).unwrap().example
    };
    let by_guest = meta(Actor::Guest { cart: None }, "cart.checkout", Clock.new_id(), None);
    for (category, id, event_type) in [("order", 4, "placed"), ("credit_note", 5, "issued")] {
        let stream = StreamId::named(category, Uuid::from_u128(id));
        history.append(&stream, 1, (event_type, &example(category, event_type)), &by_guest).await;
    }
    let number = example("credit_note", "issued")["reference"].as_str().unwrap().to_owned();
    let story = lines(&history.ask(&["audit", "story", &number]));
    let story: Vec<&str> = story.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(story, ["order.placed"]);
    let (status, said) = refused(history.byteshop(&["audit", "story", &history.variant.to_string()]));
    assert!(status == 1 && said.contains("is not an order"), "{said}");
}

#[tokio::test]
async fn a_thing_is_shown_as_it_was() {
    let history = History::new().await;
    let variant = history.variant.to_string();
    let at =
        |at: &str| -> Value { serde_json::from_str(&history.ask(&["audit", "state", &variant, "--at", at])).unwrap() };
    let now: Value = serde_json::from_str(&history.ask(&["audit", "state", &variant])).unwrap();
    assert_eq!((&now["version"], &now["state"]["on_hand"]), (&json!(4), &json!(3)));
    assert_eq!((&at("v2")["state"]["on_hand"], &at("2")["version"]), (&json!(5), &json!(2)));
    assert_eq!(at("today")["version"], 4);
    let table = history.ask(&["audit", "state", &variant, "--format", "table"]);
    assert!(table.contains("on_hand") && table.contains("version 4") && table.contains(&variant), "{table}");
    assert_eq!(refused(history.byteshop(&["audit", "state", &variant, "--at", "2020-01-01"])).0, 1);
    assert_eq!(refused(history.byteshop(&["audit", "state", &variant, "--at", "v9"])).0, 1);
    let changes = lines(&history.ask(&["audit", "diff", &variant, "2", "4"]));
    let on_hand = changes.iter().find(|change| change["path"] == "/on_hand").unwrap();
    assert_eq!((&on_hand["before"], &on_hand["after"]), (&json!(5), &json!(3)));
    let table = history.ask(&["audit", "diff", &variant, "v0", "v1", "--format", "table"]);
    assert!(table.contains("/sku") && table.contains("MUG-1"), "{table}");
    assert_eq!(refused(history.byteshop(&["audit", "diff", &variant, "1", "9"])).0, 1);
}

#[tokio::test]
async fn the_export_is_whole_and_faithful() {
    let history = History::new().await;
    let events = lines(&history.ask(&["audit", "export"]));
    let positions: Vec<_> = events.iter().map(|event| event["position"].as_i64().unwrap()).collect();
    assert_eq!(positions, [1, 2, 3, 4]);
    assert!(events.iter().all(|event| event["leaf"].as_str().unwrap().len() == 64));
    let csv = history.ask(&["audit", "export", "--format", "csv", "--after", "2"]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(&rows[1][column("actor")], "process settle_order");
    assert_eq!(&rows[1][column("actor_name")], "");
    assert!(header.iter().any(|column| column == "recorded_at_utc"), "{header:?}");
    assert_eq!(&rows[1][column("type")], "stock.committed");
    assert_eq!(&rows[1][column("stream")], history.variant.to_string());
    let some = lines(&history.ask(&["audit", "export", "--type", "stock.res*", "--actor", "guest"]));
    assert_eq!(some.iter().map(|event| event["position"].as_i64().unwrap()).collect::<Vec<_>>(), [3]);
    assert_eq!(serde_json::from_str::<Value>(&rows[1][column("data")]).unwrap()["quantity"], 2);
}

#[tokio::test]
async fn a_process_that_has_read_another_log_is_found_and_begins_again() {
    let history = History::new().await;
    history.ask(&["migrate"]);
    let log = Log::open(&history.url).unwrap();
    // It has read up to an event that this log does not have.
    let mut lead = log.lead("settle_order").await.unwrap().unwrap();
    assert!(lead.advance(0, 1_000, None, &[]).await.unwrap());
    lead.resign().await;
    log.park_process("send_notifications", "no event of ours").await.unwrap();
    let check = |arguments: &[&str]| {
        let Output { status, stdout, .. } = history.byteshop(arguments).output().unwrap();
        (status.code().unwrap(), text(&stdout))
    };
    let state_of = |rows: &[Value], name: &str| {
        rows.iter().find(|row| row["name"] == name).map(|row| row["status"].as_str().unwrap().to_owned())
    };
    let (status, found) = check(&["check"]);
    let found = lines(&found);
    assert_eq!(status, 1);
    assert_eq!(state_of(&found, "settle_order").as_deref(), Some("other_history"));
    assert_eq!(state_of(&found, "send_notifications").as_deref(), Some("parked"));
    assert_eq!(state_of(&found, "product_list").as_deref(), Some("live"));
    let outcome_of = |name: &str| {
        let row = found.iter().find(|row| row["name"] == name).unwrap();
        (row["outcome"].as_str().unwrap(), row["reason"].as_str())
    };
    assert_eq!(outcome_of("settle_order"), ("failed", Some("it has read events that the log does not have")));
    assert_eq!(outcome_of("send_notifications"), ("failed", Some("no event of ours")));
    assert_eq!(outcome_of("product_list"), ("ok", None));
    // The address of NATS is not set.
    let (left_out, reason) = outcome_of("BYTESHOP");
    assert!(left_out == "left_out" && reason.unwrap().contains("BYTESHOP_NATS_URL"), "{found:?}");
    let (_, told) = check(&["check", "--format", "table"]);
    assert!(told.contains("`byteshop check --repair`"), "{told}");
    assert!(told.contains("left out") && told.contains("set BYTESHOP_NATS_URL"), "{told}");

    // Somebody leads: it is running, and nothing is taken from under it.
    let lead = log.lead("settle_order").await.unwrap().unwrap();
    assert!(refused(history.byteshop(&["check", "--repair"])).1.contains("stop the shop"));
    lead.resign().await;
    let (status, repaired) = check(&["check", "--repair", "--format", "table"]);
    assert!(repaired.contains("restarted the process settle_order from the start of the log"), "{repaired}");
    let (again, found) = check(&["check", "--repair"]);
    let settle_order = state_of(&lines(&found), "settle_order");
    assert_eq!((status, again, settle_order), (1, 1, None), "the parked one waits");
    assert_eq!(log.process_checkpoint("settle_order").await.unwrap().position, 0);
    assert!(log.restart_process("send_notifications").await.unwrap());
    assert_eq!(check(&["check"]).0, 0);
    let nowhere = history.byteshop(&["check"]).env("BYTESHOP_NATS_URL", "nats://127.0.0.1:1").output().unwrap();
    assert_eq!(
        (nowhere.status.code(), state_of(&lines(&text(&nowhere.stdout)), "BYTESHOP").as_deref()),
        (Some(1), Some("unknown"))
    );
}

#[test]
fn only_the_private_servers_are_started_alone() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = byteshop(directory.path(), &["up", "--only-servers", "--data", "."]);
    command.env("BYTESHOP_DATABASE_URL", "postgres://127.0.0.1:1/shop").env("BYTESHOP_NATS_URL", "nats://127.0.0.1:1");
    let (status, said) = refused(command);
    assert!(status == 1 && said.contains("BYTESHOP_DATABASE_URL and BYTESHOP_NATS_URL name others"), "{said}");
}

#[tokio::test]
async fn a_reader_who_leaves_is_no_failure() {
    let history = History::new().await;
    for arguments in [&["audit", "log"][..], &["audit", "export"], &["audit", "trace", "4"], &["completions", "bash"]] {
        // The reading end is closed before anything is written.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = history.byteshop(arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()), "{arguments:?}");
    }
}

#[tokio::test]
async fn the_database_is_brought_up_to_date_twice_without_harm() {
    let url = fresh_database().await;
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let mut command = byteshop(directory.path(), &["migrate"]);
        command.env("BYTESHOP_DATABASE_URL", &url);
        assert!(printed(command).contains("up to date"));
    }
}

#[tokio::test]
async fn the_demo_leaves_the_taxes_and_shipping_of_a_shop_that_has_its_own() {
    let url = fresh_database().await;
    let directory = tempfile::tempdir().unwrap();
    let ask = |arguments: &[&str]| {
        let mut command = byteshop(directory.path(), arguments);
        command.env("BYTESHOP_DATABASE_URL", &url);
        printed(command)
    };
    ask(&["migrate"]);
    let rate = json!({"class": "standard", "rate_bps": 888, "valid_from": "2021-01-01"});
    let band = json!({"up_to_g": 2_000, "prices": [{"amount": 490, "currency": "EUR"}]});
    let service = json!({"service": "freight", "name": "Freight", "bands": [band], "days": {"min": 1, "max": 3}});
    let own = [
        ("tax_book", "country_set", json!({"country": "US", "prices_include_tax": false, "rates": [rate]})),
        (
            "shipping_book",
            "zone_set",
            json!({"zone": "germany", "name": "Germany", "countries": ["DE"], "services": [service]}),
        ),
    ];
    let log = Log::open(&url).unwrap();
    let mut writer = log.writer().await.unwrap();
    for (category, event_type, data) in own {
        let stream = StreamId::named(category, Uuid::from_u128(1));
        let event = by_operator(stream.clone(), event_type, &data);
        let batch = [Append { expect: vec![(stream, 0)], events: vec![event], receipt: None }];
        assert!(matches!(append(&mut writer, &batch).await.unwrap()[..], [Outcome::Accepted { .. }]));
    }
    for _ in 0..2 {
        let seeded = lines(&ask(&["seed", "--without-images"]));
        let left: Vec<&Value> = seeded.iter().filter_map(|line| line.get("left")).collect();
        assert_eq!(left, ["tax_rates", "shipping_zones"]);
    }
    let table = ask(&["seed", "--without-images", "--format", "table"]);
    assert!(table.contains("The shop has its own tax rates and shipping zones; they are unchanged"), "{table}");
    for event_type in ["tax_book.country_removed", "shipping_book.zone_removed"] {
        assert_eq!(ask(&["audit", "log", "--type", event_type]), "");
    }
}

/// The first event of a stream, as an operator's.
fn by_operator(stream: StreamId, event_type: &str, data: &Value) -> NewEvent {
    let id = Clock.new_id();
    let meta = Meta {
        actor: Actor::Operator { name: "test".into() },
        command: "test".into(),
        request_id: id,
        correlation_id: id,
        causation: None,
        occurred_at: None,
        trace_id: None,
        client_request_id: None,
    };
    NewEvent {
        id,
        stream,
        version: 1,
        event_type: event_type.into(),
        schema: 1,
        data: data.to_string(),
        meta: Arc::from(serde_json::to_string(&meta).unwrap()),
        correlation: id,
        recorded_at: Clock.now(),
    }
}

#[tokio::test]
async fn a_seed_that_was_stopped_goes_on_drawing() {
    let url = fresh_database().await;
    let directory = tempfile::tempdir().unwrap();
    let command = |arguments: &[&str]| {
        let mut command = byteshop(directory.path(), arguments);
        command.env("BYTESHOP_DATABASE_URL", &url);
        command
    };
    printed(command(&["migrate"]));
    printed(command(&["seed", "--without-images"]));
    let mut hung = 0;
    for _ in 0..2 {
        let mut seed = command(&["seed"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_mins(1);
        let added = loop {
            let added = lines(&printed(command(&["audit", "log", "--type", "product.image_added", "--limit", "0"])));
            if added.len() > hung {
                break added;
            }
            assert!(Instant::now() < deadline, "no picture is hung");
        };
        seed.kill().unwrap();
        seed.wait().unwrap();
        hung = added.len();
        let mut digests: Vec<&str> = added.iter().map(|event| event["data"]["digest"].as_str().unwrap()).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), hung, "a picture hangs twice");
    }
}

#[tokio::test]
async fn the_demo_shop_is_made_once_and_its_views_are_rebuilt_and_checked() {
    let url = fresh_database().await;
    let directory = tempfile::tempdir().unwrap();
    let ask = |arguments: &[&str]| {
        let mut command = byteshop(directory.path(), arguments);
        command.env("BYTESHOP_DATABASE_URL", &url);
        printed(command)
    };
    ask(&["migrate"]);
    let made = lines(&ask(&["seed", "--without-images"]));
    assert!(made.len() >= 30 && made.iter().all(|product| product["new"] == true));
    let again = lines(&ask(&["seed", "--without-images"]));
    assert!(again.iter().all(|product| product["new"] == false));
    assert_eq!(made[0]["product"], again[0]["product"]);
    let events = lines(&ask(&["audit", "log", "--limit", "100"]));
    let operator = json!({"kind": "operator", "name": me()});
    assert!(events.len() == 100 && events.iter().all(|event| event["meta"]["actor"] == operator), "{events:?}");
    let variants: i64 = made.iter().map(|product| product["variants"].as_i64().unwrap()).sum();
    let head = lines(&ask(&["audit", "log", "--limit", "1"]))[0]["position"].as_i64().unwrap();

    let views = lines(&ask(&["views"]));
    assert!(views.iter().all(|view| view["position"] == 0 && view["lag"] == head && view["status"] == "live"));
    let rebuilt = lines(&ask(&["replay", "--all"]));
    assert_eq!(rebuilt.len(), views.len());
    let stock = rebuilt.iter().find(|report| report["view"] == "stock_level").unwrap();
    assert_eq!((&stock["rows"], &stock["position"]), (&json!(variants), &json!(head)));
    assert!(
        rebuilt.iter().all(|report| report["outcome"] == "rebuilt" && report.get("reason").is_none()),
        "{rebuilt:?}"
    );
    assert_eq!(lines(&ask(&["replay", "sales", "--check"]))[0]["outcome"], "equal");
    let mut beyond = byteshop(directory.path(), &["replay", "sales", "--until", "999999"]);
    let beyond = beyond.env("BYTESHOP_DATABASE_URL", &url).output().unwrap();
    let failed = &lines(&text(&beyond.stdout))[0];
    assert_eq!((&failed["view"], &failed["outcome"]), (&json!("sales"), &json!("failed")));
    let reason = failed["reason"].as_str().unwrap();
    assert!(reason.contains("999999") && text(&beyond.stderr).contains(reason), "{failed}");
    assert!(ask(&["replay", "stock_level", "--check", "--format", "table"]).contains("equal, row by row"));
    let mut replay = byteshop(directory.path(), &["replay", "stock_level"]);
    let said = text(&replay.env("BYTESHOP_DATABASE_URL", &url).output().unwrap().stderr);
    assert!(said.contains("an operator rebuilds stock_level") && said.contains(&me()), "{said}");
    let past = lines(&ask(&["replay", "product_list", "--until", "0"]));
    assert_eq!((&past[0]["rows"], &past[0]["table"]), (&json!(0), &json!("read.product_list__until")));
    let left = json!({"view": "product_list", "table": "read.product_list__until", "dropped": false});
    assert_eq!(lines(&ask(&["replay", "--leftovers"])), [left]);
    assert_eq!(lines(&ask(&["replay", "sales", "--leftovers", "--drop"])), [] as [Value; 0]);
    let dropped = ask(&["replay", "--leftovers", "--drop", "--format", "table"]);
    assert!(dropped.contains("product_list__until") && dropped.contains("dropped"), "{dropped}");
    assert_eq!(lines(&ask(&["replay", "--leftovers"])), [] as [Value; 0]);
    let table = ask(&["views", "--format", "table"]);
    assert!(table.contains("product_list") && table.contains("live"), "{table}");

    for (arguments, status) in [
        (&["replay"][..], 2),
        (&["replay", "no_such_view"], 2),
        (&["replay", "--all", "--check", "--until", "1"], 2),
        (&["views", "--retry", "sales"], 1),
    ] {
        let mut command = byteshop(directory.path(), arguments);
        command.env("BYTESHOP_DATABASE_URL", &url);
        assert_eq!(refused(command).0, status, "{arguments:?}");
    }
}

#[tokio::test]
async fn a_database_that_is_away_or_empty_is_told_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let empty = fresh_database().await;
    let wrong = empty.replace("/test_", "/no_such_");
    let (_, place) = empty.rsplit_once('@').unwrap();
    let early = format!("postgres://shop_serve:secret@{place}");
    for (url, advice) in [
        ("postgres://nobody:secret@127.0.0.1:1/shop", "check that Postgres is running"),
        (empty.as_str(), "byteshop migrate"),
        (wrong.as_str(), "check the user"),
        (early.as_str(), "`byteshop migrate` creates the role with the owner's URL"),
    ] {
        let mut command = byteshop(directory.path(), &["audit", "log"]);
        command.env("BYTESHOP_DATABASE_URL", url);
        let (status, said) = refused(command);
        assert!(status == 1 && said.contains(advice) && !said.contains("secret"), "{said}");
    }
}

#[tokio::test]
async fn the_first_admin_is_made_here_and_a_person_is_forgotten_here() {
    let url = fresh_database().await;
    let directory = tempfile::tempdir().unwrap();
    let command = |arguments: &[&str], dev: bool| {
        let mut command = byteshop(directory.path(), arguments);
        command.env("BYTESHOP_DATABASE_URL", &url).env("BYTESHOP_DEV", if dev { "1" } else { "0" });
        // Nothing answers there, so the configuration is believed.
        command.env("BYTESHOP_PORT", "1");
        command
    };
    printed(command(&["migrate"], false));
    let (status, said) = refused(command(&["grant", "ada@example.org", "admin"], false));
    assert!(status == 1 && said.contains("no account has"), "{said}");
    let (status, said) = refused(command(&["grant", "ada@example.org", "support", "--create"], false));
    assert!(status == 1 && said.contains("--create is for development mode"), "{said}");
    for wrong in [&["grant", "ada", "admin"][..], &["grant", "ada@example.org", "emperor"], &["erase", "ada"]] {
        assert_eq!(refused(command(wrong, true)).0, 2, "{wrong:?}");
    }
    // The first admin needs no mail server; the second one registers like anybody else.
    let made = printed(command(&["grant", "ada@example.org", "admin", "--create"], false));
    let (status, said) = refused(command(&["grant", "eve@example.org", "admin", "--create"], false));
    assert!(status == 1 && said.contains("the shop has had an admin"), "{said}");
    let (id, password) = made.trim().split_once(" is admin\npassword ").unwrap();
    assert!(id.starts_with("acc_") && password.len() >= 20, "{made}");
    assert_eq!(printed(command(&["grant", "Ada@Example.org", "support"], false)), format!("{id} is support\n"));
    let events = lines(&printed(command(&["audit", "log", "--stream", id], false)));
    let types: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["account.registered", "account.confirmed", "account.role_set", "account.role_set"]);
    assert!(!format!("{events:?}").contains("ada@example.org"), "{events:?}");
    for event in &events {
        assert_eq!(event["meta"]["actor"], json!({"kind": "operator", "name": me()}), "{event}");
    }
    let who = me();
    assert_eq!(lines(&printed(command(&["audit", "log", "--actor", &who], false))).len(), events.len() + 1);
    let reset = printed(command(&["reset-second-factor", "ada@example.org"], false));
    assert_eq!(reset, format!("{id} has no second factor\n"));

    let (status, said) = refused(command(&["erase", "ada@example.org"], false));
    assert!(status == 1 && said.contains("--yes"), "{said}");
    assert!(printed(command(&["erase", "ada@example.org", "--yes"], false)).contains(id));
    assert!(printed(command(&["erase", id, "--yes"], false)).contains(id), "once more is no error");
    let (status, said) = refused(command(&["grant", "ada@example.org", "admin"], false));
    assert!(status == 1 && said.contains("no account has"), "{said}");
    let again = printed(command(&["grant", "ada@example.org", "customer", "--create"], true));
    assert!(!again.contains(id), "the address is somebody else's now: {again}");
}

#[tokio::test]
async fn keys_are_listed_changed_and_removed() {
    let (url, directory) = (fresh_database().await, tempfile::tempdir().unwrap());
    let on_database = |arguments: &[&str]| {
        let mut command = byteshop(directory.path(), arguments);
        command.env("BYTESHOP_DATABASE_URL", &url);
        command
    };
    let keys = |what: &str| on_database(&["keys", what, "--data", "shop"]);
    printed(on_database(&["migrate"]));
    let (status, said) = refused(keys("rotate"));
    assert!(status == 1 && said.contains("start the shop first"), "{said}");
    let mut token = byteshop(directory.path(), &["token", "admin", "--data", "shop"]);
    token.env("BYTESHOP_DEV", "1");
    assert_eq!(refused(token).0, 1, "a token under a key that nobody has");
    let shop = directory.path().join("shop");
    std::fs::create_dir(&shop).unwrap();
    // openssl genpkey -algorithm ed25519: the key of RFC 8032, section 7.1, test 1.
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    std::fs::write(shop.join("token.pem"), pem).unwrap();
    assert!(printed(keys("rotate")).contains("signs them in 10 seconds"));
    let listed = lines(&printed(keys("list")));
    let uses: Vec<bool> = listed.iter().map(|key| key["signs"].as_bool().unwrap()).collect();
    assert_eq!(
        (uses, listed[0]["kid"].as_str().unwrap()),
        (vec![true, false], "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
    );
    assert!(printed(keys("prune")).contains("nothing to remove"));
    // It is on record who has changed them.
    let events = lines(&printed(on_database(&["audit", "log", "--actor", &me()])));
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((&event["type"], &event["data"]["key"]), (&json!("shop.token_key_rotated"), &listed[1]["kid"]));
    let (status, said) = refused(byteshop(directory.path(), &["keys", "rotate", "--data", "shop"]));
    assert!(status == 1 && said.contains("no shop runs"), "{said}");
}
