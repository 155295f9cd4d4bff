//! Questions to the audit trail by the names that people know, and the answers: stories, chains, personal data, spreadsheets.

use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use byteshop_domain::account;
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::program::binary;
use byteshop_tests::shop::{GuestCart, TestShop};
use serde_json::{Value, json};

/// The key that the shops of tests seal personal data with, as the setting has it.
fn data_key() -> String {
    STANDARD.encode([42; 32])
}

/// What a question answers on stdout, or on stderr when it is refused.
fn ask(shop: &TestShop, with_key: bool, arguments: &[&str]) -> Result<String, String> {
    run(shop, with_key, &[&["audit"], arguments].concat())
}

/// What a command says on stdout, or on stderr when it is refused.
fn run(shop: &TestShop, with_key: bool, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(binary());
    let directory = tempfile::tempdir().unwrap();
    command.args(arguments).current_dir(directory.path()).env_clear().stdin(Stdio::null());
    command.env("BYTESHOP_DATABASE_URL", &shop.database);
    if with_key {
        command.env("BYTESHOP_DATA_KEY", data_key());
    }
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if status.success() { Ok(text(stdout)) } else { Err(text(stderr)) }
}

fn lines(printed: &str) -> Vec<Value> {
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A guest's order that was declined, paid, partly returned and refunded.
struct Bought {
    path: String,
    cart: GuestCart,
    body: Value,
}

async fn buy(shop: &TestShop, variant: &str) -> Bought {
    let (placed, cart) = shop.order(variant, 2).await;
    let path = format!("/v1/orders/{}", placed.text("/id"));
    for token in ["tok_declined", "tok_success"] {
        let pay = json!({"provider": "test", "token": token});
        shop.post(&format!("{path}/payments")).with(&cart).json(pay).send().await.expect(201);
    }
    is(shop, &path, &cart, "paid").await;
    let staff = shop.token(Role::Admin);
    shop.post(&format!("{path}/fulfil")).by(&staff).send().await.expect(200);
    let asked = json!({"lines": [{"variant": variant, "quantity": 1}], "reason": "damaged"});
    let returned = shop.post(&format!("{path}/returns")).with(&cart).json(asked).send().await.expect(201).id();
    shop.post(&format!("/v1/returns/{returned}/approve")).by(&staff).send().await.expect(200);
    let came = json!({"lines": [{"variant": variant, "quantity": 1, "condition": "damaged", "restock": false}]});
    shop.post(&format!("/v1/returns/{returned}/receive")).by(&staff).json(came).send().await.expect(200);
    let body = is(shop, &path, &cart, "partly_refunded").await;
    Bought { path, cart, body }
}

async fn is(shop: &TestShop, path: &str, cart: &GuestCart, payment_status: &str) -> Value {
    eventually(&format!("the order is {payment_status}"), async || {
        let order = shop.get(path).with(cart).send().await.expect(200);
        (order.text("/payment_status") == payment_status).then_some(order.body)
    })
    .await
}

impl Bought {
    fn id(&self) -> &str {
        self.body["id"].as_str().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn things_are_found_by_the_names_that_people_know() {
    let shop = TestShop::start().await;
    let (product, variant) = shop.product("AUDIT-CUP", 1_000, 10).await;
    let bought = buy(&shop, &variant).await;
    let notes = shop.get(&format!("{}/credit-notes", bought.path)).with(&bought.cart).send().await.expect(200);
    let note = (notes.text("/items/0/number").to_owned(), notes.text("/items/0/id").to_owned());
    let (number, invoice) = (bought.body["number"].as_str().unwrap(), bought.body["invoice"].as_str().unwrap());
    // The view that knows orders by their numbers follows the log.
    eventually("the order is found by its number", async || {
        ask(&shop, false, &["state", number, "--format", "json"]).ok()
    })
    .await;
    for (name, id) in [
        (bought.id(), bought.id()),
        (number, bought.id()),
        (&number.to_lowercase(), bought.id()),
        (invoice, bought.id()),
        (&note.0, &note.1),
        ("AUDIT-CUP", &product),
        (&variant, &variant),
    ] {
        let state: Value = serde_json::from_str(&ask(&shop, false, &["state", name]).unwrap()).unwrap();
        assert_eq!(state["id"], id, "{name}");
    }
    // A SKU is a variant of a product and its stock: events of both are meant.
    let of_sku = lines(&ask(&shop, false, &["log", "--stream", "AUDIT-CUP", "--limit", "0"]).unwrap());
    let has = |wanted: &str| of_sku.iter().any(|event| event["type"] == wanted);
    assert!(has("product.price_set") || has("product.variant_added"), "{of_sku:?}");
    assert!(has("stock.received"), "{of_sku:?}");
    let refused = ask(&shop, false, &["log", "--stream", "AUDIT-POT"]).unwrap_err();
    assert!(refused.contains("the log has nothing named `AUDIT-POT`"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_found_by_their_e_mail_addresses() {
    let shop = TestShop::start().await;
    let registered = json!({"email": "ada@example.org", "password": "analytical-engine-1", "name": "Ada Lovelace"});
    shop.post("/v1/auth/register").json(registered).send().await.expect(202);
    let found = eventually("the account is in the log", async || {
        ask(&shop, true, &["log", "--stream", "Ada@Example.org"]).ok()
    })
    .await;
    let events = lines(&found);
    assert_eq!(events[0]["type"], "account.registered", "{found}");
    assert!(!found.contains("Lovelace"), "{found}");
    let revealed = ask(&shop, true, &["log", "--stream", "ada@example.org", "--reveal"]).unwrap();
    assert!(revealed.contains("ada@example.org") && revealed.contains("Lovelace"), "{revealed}");
    assert!(!revealed.contains("argon2"), "hashes of passwords stay hidden: {revealed}");
    let table = ask(&shop, true, &["log", "--stream", "ada@example.org", "--format", "table"]).unwrap();
    assert!(table.contains("(sealed)") && !table.contains("$sealed"), "{table}");
    let account = events[0]["stream"].as_str().unwrap();
    let nobody = ask(&shop, true, &["log", "--actor", "grace@example.org"]).unwrap_err();
    assert!(nobody.contains("no account has the e-mail address grace@example.org"), "{nobody}");
    let keyless = ask(&shop, false, &["log", "--stream", account, "--reveal"]).unwrap_err();
    assert!(keyless.contains("--reveal needs the data key"), "{keyless}");
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_are_found_by_their_e_mail_addresses_and_their_address_is_shown_when_it_is_revealed() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("AUDIT-BOWL", 1_000, 10).await;
    let cart = shop.full_cart(&variant, 1).await;
    let address = json!({"country": "DE", "name": "Ada Lovelace", "email": "Ada@Example.org", "phone": "+4930123456",
        "lines": ["Invalidenstraße 43", "the second yard, left of the very old and crooked apple tree"],
        "postal_code": "10115", "city": "Berlin"});
    shop.put(&format!("/v1/carts/{}/address", cart.id)).with(&cart).json(address).send().await.expect(200);
    let placed = shop.post(&format!("/v1/carts/{}/checkout", cart.id)).with(&cart).send().await.expect(201);
    let found = eventually("the order is found by the address", async || {
        ask(&shop, true, &["log", "--stream", "ada@example.org"]).ok()
    })
    .await;
    let events = lines(&found);
    assert!(events.iter().all(|event| event["stream"] == placed.text("/id")), "{found}");
    assert_eq!(events[0]["type"], "order.placed");
    assert!(!found.contains("Lovelace"), "{found}");
    let state: Value = serde_json::from_str(&ask(&shop, true, &["state", "ada@example.org"]).unwrap()).unwrap();
    assert_eq!(state["id"], placed.text("/id"));
    // Who registers later has an account beside.
    let registered = json!({"email": "ada@example.org", "password": "analytical-engine-1"});
    shop.post("/v1/auth/register").json(registered).send().await.expect(202);
    eventually("the account is found too", async || {
        let found = lines(&ask(&shop, true, &["log", "--stream", "ada@example.org", "--limit", "0"]).ok()?);
        let has = |wanted: &str| found.iter().any(|event| event["type"] == wanted);
        (has("account.registered") && has("order.placed")).then_some(())
    })
    .await;
    let nobody = ask(&shop, true, &["log", "--stream", "grace@example.org"]).unwrap_err();
    assert!(nobody.contains("no account and no order of a guest has the e-mail address grace@example.org"), "{nobody}");
    let order = placed.text("/id");
    for question in [&["log", "--stream", order][..], &["trace", order], &["state", order]] {
        let table = [question, &["--format", "table"]].concat();
        let sealed = ask(&shop, true, &table).unwrap();
        assert!(!sealed.contains("Lovelace"), "{sealed}");
        let revealed = ask(&shop, true, &[&table[..], &["--reveal"]].concat()).unwrap();
        for part in [
            "Ada Lovelace",
            "Ada@Example.org",
            "+4930123456",
            "Invalidenstraße 43",
            "crooked apple tree",
            "10115",
            "Berlin",
        ] {
            assert!(revealed.contains(part), "{part} is missing in {question:?}:\n{revealed}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_is_listed_by_its_ids_and_names_are_shown_only_when_revealed() {
    let shop = TestShop::start().await;
    let [ada, grace] = ["ada@example.org", "grace@example.org"];
    let ada = shop.staff(ada, account::Role::Support).await;
    shop.staff(grace, account::Role::Admin).await;
    shop.person("buyer@example.org").await;
    shop.patch("/v1/me").by(&ada.token).json(json!({"profile": {"name": "Ada Lovelace"}})).send().await.expect(200);
    let staff = eventually("the view has the name", async || {
        let staff = run(&shop, true, &["accounts", "--staff", "--reveal"]).ok()?;
        staff.contains("Lovelace").then_some(staff)
    })
    .await;
    let roles: Vec<Value> = lines(&staff).iter().map(|line| json!([line["role"], line["email"]])).collect();
    assert_eq!(roles, [json!(["admin", grace]), json!(["support", ada.email])]);
    assert_eq!(lines(&staff)[1]["id"], json!(ada.id));
    let sealed = run(&shop, false, &["accounts"]).unwrap();
    assert_eq!(lines(&sealed).len(), 3);
    assert!(!sealed.contains("Lovelace") && !sealed.contains('@') && !sealed.contains("$sealed"), "{sealed}");
    let keyless = run(&shop, false, &["accounts", "--reveal"]).unwrap_err();
    assert!(keyless.contains("--reveal needs the data key"), "{keyless}");
    let table = run(&shop, true, &["accounts", "--staff", "--reveal", "--format", "table"]).unwrap();
    assert!(table.contains("e-mail address") && table.contains("Ada Lovelace"), "{table}");

    let acted = ["log", "--actor", &ada.email, "--format", "table"];
    let log = ask(&shop, true, &acted).unwrap();
    assert!(log.contains(&format!("support {}", ada.id)) && !log.contains("Lovelace"), "{log}");
    let log = ask(&shop, true, &[&acted[..], &["--reveal"]].concat()).unwrap();
    assert!(log.contains(&format!("support {} (Ada Lovelace)", ada.id)), "{log}");
    let json = lines(&ask(&shop, true, &["log", "--actor", &ada.email, "--reveal"]).unwrap());
    assert!(json.iter().any(|event| event["actor_name"] == "Ada Lovelace"));
    let position = json.last().unwrap()["position"].to_string();
    let shown = ask(&shop, true, &["show", &position, "--reveal", "--format", "table"]).unwrap();
    assert!(shown.contains("(Ada Lovelace)"), "{shown}");
    let chain = ask(&shop, true, &["trace", &position, "--reveal", "--format", "table"]).unwrap();
    assert!(chain.contains("(Ada Lovelace)"), "{chain}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_and_the_chains_of_an_order_include_its_payments_and_returns() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("AUDIT-POT", 1_000, 10).await;
    let bought = buy(&shop, &variant).await;
    let story = ask(&shop, false, &["story", bought.id(), "--format", "table"]).unwrap();
    for part in ["ordered 2 items", "declined", "paid", "return", "admin acc_", "guest cart_"] {
        assert!(story.contains(part), "{part} is missing in\n{story}");
    }
    let told = lines(&ask(&shop, false, &["story", bought.id()]).unwrap());
    let positions: Vec<_> = told.iter().map(|line| line["position"].as_i64().unwrap()).collect();
    assert!(positions.is_sorted() && told.len() > 8, "{told:?}");
    assert!(ask(&shop, false, &["story", "AUDIT-POT"]).unwrap_err().contains("is not an order"));
    let drawn = ask(&shop, false, &["trace", bought.id(), "--chains", "100", "--format", "table"]).unwrap();
    for part in ["payment.attempted", "payment.declined", "return.requested", "return.approved", "return.received"] {
        assert!(drawn.contains(part), "{part} is missing in\n{drawn}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_buyers_and_staff_wrote_is_shown_only_when_revealed() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("AUDIT-JUG", 1_000, 10).await;
    let (placed, cart) = shop.order(&variant, 2).await;
    let path = format!("/v1/orders/{}", placed.text("/id"));
    let staff = shop.token(Role::Admin);
    shop.post(&format!("{path}/notes")).by(&staff).json(json!({"text": "rang twice"})).send().await.expect(200);
    let pay = json!({"provider": "test", "token": "tok_success"});
    shop.post(&format!("{path}/payments")).with(&cart).json(pay).send().await.expect(201);
    is(&shop, &path, &cart, "paid").await;
    shop.post(&format!("{path}/fulfil")).by(&staff).send().await.expect(200);
    let asked = json!({"lines": [{"variant": variant, "quantity": 1}], "reason": "damaged", "comment": "a crack"});
    shop.post(&format!("{path}/returns")).with(&cart).json(asked).send().await.expect(201);
    for (event, written) in [("order.noted", "rang twice"), ("return.requested", "a crack")] {
        let found = lines(&ask(&shop, false, &["log", "--type", event]).unwrap());
        let position = found[0]["position"].to_string();
        for question in ["show", "trace"] {
            let table = [question, position.as_str(), "--format", "table"];
            let sealed = ask(&shop, true, &table).unwrap();
            assert!(sealed.contains("(sealed)") && !sealed.contains(written), "{sealed}");
            let revealed = ask(&shop, true, &[&table[..], &["--reveal"]].concat()).unwrap();
            assert!(revealed.contains(written), "{revealed}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_filtered_like_the_log_and_fits_a_spreadsheet() {
    let shop = TestShop::start().await;
    let (product, variant) = shop.product("AUDIT-TIN", 1_999, 10).await;
    buy(&shop, &variant).await;
    let filter = ["--stream", product.as_str(), "--type", "product.*", "--from", "today", "--actor", "admin"];
    let listed = lines(&ask(&shop, false, &[&["log", "--limit", "0"], &filter[..]].concat()).unwrap());
    let csv = ask(&shop, false, &[&["export", "--format", "csv"], &filter[..]].concat()).unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), listed.len());
    for (row, event) in rows.iter().zip(&listed) {
        assert_eq!(
            (&row[column("stream")], &row[column("type")]),
            (event["stream"].as_str().unwrap(), event["type"].as_str().unwrap())
        );
    }
    let all = ask(&shop, false, &["export", "--format", "csv", "--type", "order.placed"]).unwrap();
    let mut reader = csv::Reader::from_reader(all.as_bytes());
    let placed = reader.records().next().unwrap().unwrap();
    assert_eq!((&placed[column("amount")], &placed[column("currency")]), ("39.98", "EUR"));
    assert!(placed.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{placed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_found_in_whatever_form_they_are_written() {
    let shop = TestShop::start().await;
    let (product, _) = shop.product("CAF\u{c9}-1", 1_000, 0).await;
    let coupon = json!({"label": "Once", "code": "ONCE-ONLY", "benefit": {"kind": "percent", "percent_bps": 1000}});
    let admin = shop.token(Role::Admin);
    let coupon = shop.post("/v1/admin/promotions").by(&admin).json(coupon).send().await.expect(201).id();
    for (written, id) in [
        ("CAF\u{c9}-1", &product),
        ("CAFE\u{301}-1", &product),
        ("ONCE-ONLY", &coupon),
        ("once\u{2011}only", &coupon),
        ("\u{ff2f}nce\u{2013}only", &coupon),
    ] {
        let state: Value = serde_json::from_str(&ask(&shop, false, &["state", written]).unwrap()).unwrap();
        assert_eq!(state["id"], **id, "{written}");
    }
}
