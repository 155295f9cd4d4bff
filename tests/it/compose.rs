//! What compose.yaml, the Dockerfile and .dockerignore promise: no secret by default, no process with more than it needs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use byteshop_gateway::edge::limits::memory;
use byteshop_gateway::pictures;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(name)).unwrap()
}

/// The blocks of compose.yaml at a depth: each name with the lines below it, comments left out.
fn blocks(text: &str, depth: usize) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut name = String::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#') && !line.trim().is_empty()) {
        let indent = line.len() - line.trim_start().len();
        if indent < depth {
            name.clear();
        } else if indent == depth {
            name = line.trim().split(':').next().unwrap_or_default().into();
            all.insert(name.clone(), format!("{}\n", line.trim()));
        } else if let Some(block) = all.get_mut(&name) {
            block.push_str(line.trim());
            block.push('\n');
        }
    }
    all
}

fn section(text: &str, name: &str) -> String {
    let (_, rest) = text.split_once(&format!("\n{name}:\n")).unwrap();
    let lines = rest.lines().take_while(|line| line.is_empty() || line.starts_with([' ', '#']));
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn every_service_is_confined_and_reaches_only_what_it_needs() {
    let text = read("compose.yaml");
    let top = blocks(&text, 0);
    for kept in ["read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "pids_limit:", "mem_limit:"] {
        assert!(top["x-confined"].contains(kept), "{kept}");
    }
    assert!(top["x-shop"].contains("<<: *confined"));
    let services = blocks(&section(&text, "services"), 2);
    let expected = [
        ("migrate", "networks: [data]\n"),
        ("nats", "networks: [data]\n"),
        ("postgres", "networks: [data]\n"),
        ("relay", "networks:\ndata: { aliases: [relay-operations] }\ndepends_on:"),
        ("serve", "networks:\ndata: { aliases: [serve-operations] }\nweb:\nvolumes:"),
        ("work", "networks:\ndata: { aliases: [work-operations] }\nout:\nvolumes:"),
    ];
    assert_eq!(services.keys().collect::<Vec<_>>(), expected.map(|(name, _)| name).iter().collect::<Vec<_>>());
    for (name, networks) in expected {
        let service = &services[name];
        assert!(service.contains("<<: *confined") || service.contains("<<: *shop"), "{name}");
        assert!(service.contains(networks), "{name} is in other networks");
        assert_eq!(service.contains("ports:"), name == "serve", "{name}");
    }
    assert!(blocks(&section(&text, "networks"), 2)["data"].contains("internal: true"));
    // Metrics tell how much the shop sells: they are where Postgres is, not where the web or the way out is.
    for name in ["relay", "serve", "work"] {
        let operations = format!("BYTESHOP_OPERATIONS_ADDRESS: {name}-operations:9464");
        assert!(services[name].contains(&operations), "{name} shows its metrics elsewhere");
        assert_eq!(text.matches(&format!("aliases: [{name}-operations]")).count(), 1, "{name}");
    }
    assert_eq!(text.matches("BYTESHOP_OPERATIONS_ADDRESS").count(), 3);
    // Keys and disks: each where it is needed.
    for (name, service) in &services {
        assert_eq!(service.contains("BYTESHOP_JWT_KEY"), name == "serve", "{name} and the key of access tokens");
        assert_eq!(
            service.contains("*data-key"),
            ["serve", "work"].contains(&name.as_str()),
            "{name} and the data key"
        );
        assert_eq!(service.contains("keys:/"), ["serve", "work"].contains(&name.as_str()), "{name} and the keys");
        assert_eq!(service.contains("shop:/"), name == "serve", "{name} and the files");
        let owner = service.contains("{POSTGRES_PASSWORD");
        assert_eq!(owner, ["migrate", "postgres"].contains(&name.as_str()), "{name} and the owner of the database");
    }
}

/// What docs/ops/README.md calls the least for production, and everything that trade and mail go by, gets from .env to the
/// processes that serve and send.
#[test]
fn what_production_needs_is_passed_on() {
    let text = read("compose.yaml");
    let settings = &blocks(&text, 0)["x-settings"];
    let needed = read("docs/ops/README.md");
    let (_, needed) = needed.split_once("Production needs at least").unwrap();
    let (needed, _) = needed.split_once("stays false").unwrap();
    let mut asked = 0;
    for name in needed.split('`').filter(|word| word.starts_with("BYTESHOP_")) {
        let is_passed = settings.lines().any(|line| line == format!("{name}:")) || text.contains(&format!("${{{name}"));
        assert!(is_passed, "{name} is not passed on");
        asked += 1;
    }
    assert!(asked >= 7, "{asked} settings in {needed}");
    for name in
        ["BYTESHOP_SELLER_ADDRESS:", "BYTESHOP_SELLER_TAX_ID:", "BYTESHOP_SMTP_PASSWORD:", "BYTESHOP_RETURN_ADDRESS:"]
    {
        assert!(settings.lines().any(|line| line == name), "{name}");
    }
    let services = blocks(&section(&text, "services"), 2);
    for (name, service) in &services {
        assert_eq!(service.contains("*settings"), ["serve", "work"].contains(&name.as_str()), "{name}");
    }
}

/// Bytes of a size as compose writes it, such as `512m`.
fn bytes(text: &str) -> u64 {
    let (number, unit) = text.split_at(text.len() - 1);
    number.parse::<u64>().unwrap() << if unit == "g" { 30 } else { 20 }
}

#[test]
fn the_process_that_serves_has_room_for_what_it_may_hold() {
    let text = read("compose.yaml");
    let limit = |block: &str| block.lines().find_map(|line| line.strip_prefix("mem_limit: ")).map(bytes);
    let others = limit(&blocks(&text, 0)["x-confined"]).unwrap();
    let serve = limit(&blocks(&section(&text, "services"), 2)["serve"]).unwrap();
    let unread = u64::try_from(memory::share([serve])).unwrap();
    // Beside that it does what every process of the shop does.
    assert!(
        unread + pictures::MEMORY_ALL + others <= serve,
        "{unread} + {} + {others} > {serve}",
        pictures::MEMORY_ALL
    );
}

#[test]
fn no_password_has_a_default_and_no_shop_is_in_development_by_itself() {
    let text = read("compose.yaml");
    for name in ["POSTGRES_PASSWORD", "BYTESHOP_DATABASE_PASSWORD", "NATS_PASSWORD"] {
        let uses = text.matches(&format!("${{{name}")).count();
        assert!(uses > 0 && uses == text.matches(&format!("${{{name}:?")).count(), "{name} has a default");
    }
    assert!(text.contains("BYTESHOP_DEV: ${BYTESHOP_DEV:-false}"));
    assert!(text.contains("${BYTESHOP_PUBLISH:-127.0.0.1}:"));
    assert!(text.contains("authorization { user: byteshop, password: $$NATS_PASSWORD }"));
    assert!(text.contains("http: \"127.0.0.1:8222\"") && !text.contains("http_port"), "the monitor of NATS is open");
}

#[test]
fn images_are_pinned_and_what_is_secret_is_built_into_none() {
    let is_digest = |digest: &str| digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pinned = |line: &str| {
        line.split_once("@sha256:").is_some_and(|(_, rest)| is_digest(rest.split(' ').next().unwrap_or_default()))
    };
    let images = read("compose.yaml");
    let images = images.lines().map(str::trim).filter(|line| line.starts_with("image:") && *line != "image: byteshop");
    let dockerfile = read("Dockerfile");
    let bases = dockerfile.lines().filter(|line| line.starts_with("FROM "));
    let all: Vec<&str> = images.chain(bases).collect();
    assert_eq!(all.len(), 4, "{all:?}");
    for line in all {
        assert!(pinned(line), "{line}");
    }
    assert!(dockerfile.contains("USER 10001"));
    let ignored = read(".dockerignore");
    for secret in ["**/.env", "**/*.pem", "**/*.key", "**/byteshop.toml", ".byteshop", "target", ".git"] {
        assert!(ignored.lines().any(|line| line == secret), "{secret} gets into the builder");
    }
}
