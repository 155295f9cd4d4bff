//! Signed links: a guest's mail opens their order, a browser follows it, staff prints papers; and none opens anything else.

use byteshop_commands::notify::outside::Outside;
use byteshop_commands::notify::words::ShopDetails;
use byteshop_eventstore::Log;
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::servers::fresh_database;
use byteshop_tests::shop::{GuestCart, TestShop};
use chrono::Utc;
use serde_json::{Value, json};

const WINDOW: &str = "https://shop.example.org";

async fn shop_with_a_window() -> TestShop {
    let database = fresh_database().await;
    let details = ShopDetails { name: "ByteShop".into(), url: Some(WINDOW.into()), ..ShopDetails::default() };
    let outside = Outside { details, ..Outside::kept(&Log::open(&database).unwrap()) };
    TestShop::on(database).reaching(outside).await
}

/// A shop whose mails have links to pages of the API.
pub(super) async fn shop_with_an_api() -> TestShop {
    let database = fresh_database().await;
    let api = Some("https://api.shop.example.org".into());
    let details = ShopDetails { name: "ByteShop".into(), api, ..ShopDetails::default() };
    let outside = Outside { details, ..Outside::kept(&Log::open(&database).unwrap()) };
    TestShop::on(database).reaching(outside).await
}

async fn order(shop: &TestShop, sku: &str) -> (String, GuestCart) {
    let (_, variant) = shop.product(sku, 1_000, 9).await;
    let (placed, cart) = shop.order(&variant, 2).await;
    (format!("/v1/orders/{}", placed.text("/id")), cart)
}

async fn pay(shop: &TestShop, order: &str, cart: &GuestCart) {
    let body = json!({"provider": "test", "token": "tok_success"});
    shop.post(&format!("{order}/payments")).with(cart).json(body).send().await.expect(201);
    shop.at_rest().await;
}

/// The query of the link to an order in the first mail about it.
async fn link_in_mail(shop: &TestShop, order: &str) -> String {
    let page = format!("{WINDOW}{}?", order.replace("/v1", ""));
    eventually("the mail is there", async || {
        let mails = shop.get("/dev/mail?to=rahel@example.org").header("Accept", "application/json").send().await;
        let text = mails.expect(200).body["items"].as_array()?.iter().find_map(|mail| {
            let text = mail["text"].as_str()?;
            text.split_once(&page).map(|(_, rest)| rest.to_owned())
        });
        Some(text?.split_whitespace().next()?.to_owned())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_in_a_guests_mail_opens_their_order_and_nothing_else() {
    let shop = shop_with_a_window().await;
    let (path, cart) = order(&shop, "LINK-1").await;
    let (other, _) = order(&shop, "LINK-2").await;
    let link = link_in_mail(&shop, &path).await;
    let seen = shop.get(&format!("{path}?{link}")).send().await.expect(200);
    let own = shop.get(&path).with(&cart).send().await.expect(200);
    assert_eq!(seen.body, own.body);
    assert_eq!(seen.text("/address/name"), "Rahel Varnhagen");
    // Positions are shown as tokens, of which no two are alike.
    for (part, field) in [("history", "story"), ("shipments", "items")] {
        let with_cart = shop.get(&format!("{path}/{part}")).with(&cart).send().await.expect(200);
        let with_link = shop.get(&format!("{path}/{part}?{link}")).send().await.expect(200);
        assert!(with_link.body[field].is_array(), "{}", with_link.body);
        assert_eq!(with_link.body[field], with_cart.body[field], "{part}");
    }
    // It reads and does nothing, opens neither another order nor the papers of staff, and is nothing without all of it.
    shop.post(&format!("{path}/cancel?{link}")).send().await.expect(400);
    let (until, seal) = link.split_once('&').unwrap();
    let later = format!("until={}&{seal}", until.trim_start_matches("until=").parse::<i64>().unwrap() + 1);
    for wrong in [
        format!("{other}?{link}"),
        format!("{other}/history?{link}"),
        format!("{path}/packing-list?{link}"),
        format!("{path}/invoice?{link}"),
        format!("{path}?{until}"),
        format!("{path}?{seal}"),
        format!("{path}?{later}"),
    ] {
        // Whoever shows it, the link is judged alone.
        for call in [shop.get(&wrong), shop.get(&wrong).with(&cart), shop.get(&wrong).by(&shop.token(Role::Admin))] {
            call.send().await.expect_problem(403, "link.invalid");
        }
    }
    let past = Utc::now().timestamp() - 1;
    let seal = shop.commands.vault().blind("paper", &format!("{path} {past}")).await.unwrap();
    let over = shop.get(&format!("{path}?until={past}&seal={seal}")).send().await;
    over.expect_problem(403, "link.expired");
    // What staff may see is not shown for it, even to staff.
    let note = json!({"text": "Not for the buyer."});
    shop.post(&format!("{path}/notes")).by(&shop.token(Role::Support)).json(note).send().await.expect(200);
    let seen = shop.get(&format!("{path}?{link}")).by(&shop.token(Role::Support)).send().await.expect(200);
    assert_eq!((&seen.body["notes"], &seen.body["papers"]["packing_list"]), (&Value::Null, &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_to_somebody_with_an_account_has_no_seal() {
    let shop = shop_with_a_window().await;
    let (_, variant) = shop.product("LINK-3", 1_000, 9).await;
    let ada = shop.person("ada@example.org").await;
    let placed = shop.buy(&ada.token, &variant, 1).await.expect(201);
    let page = format!("{WINDOW}/orders/{}", placed.text("/id"));
    let mail = eventually("the mail is there", async || {
        let mails = shop.get("/dev/mail?to=ada@example.org").header("Accept", "application/json").send().await;
        let mails = mails.expect(200).body["items"].as_array()?.clone();
        mails.into_iter().find(|mail| mail["text"].as_str().is_some_and(|text| text.contains(&page)))
    })
    .await;
    assert!(!mail.to_string().contains("seal="), "{mail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_follows_an_order_without_a_header() {
    let shop = TestShop::start().await;
    let (path, cart) = order(&shop, "LINK-4").await;
    let shown = shop.get(&path).with(&cart).send().await.expect(200);
    let stream = shown.text("/links/stream").to_owned();
    assert!(stream.starts_with(&format!("{path}/stream?until=")), "{stream}");
    let mut events = reqwest::get(format!("{}{stream}", shop.url)).await.unwrap();
    assert_eq!(
        (events.status().as_u16(), &events.headers()["content-type"]),
        (200, &"text/event-stream".parse().unwrap())
    );
    let first = events.chunk().await.unwrap().unwrap();
    assert!(std::str::from_utf8(&first).unwrap().contains("event: order.placed"), "{first:?}");
    shop.post(&format!("{path}/cancel")).with(&cart).send().await.expect(200);
    let next = events.chunk().await.unwrap().unwrap();
    assert!(std::str::from_utf8(&next).unwrap().contains("event: order.cancelled"), "{next:?}");
    // The link of the changes opens nothing but those.
    let (_, query) = stream.split_once('?').unwrap();
    shop.get(&format!("{path}?{query}")).send().await.expect_problem(403, "link.invalid");
    shop.get(&format!("{path}/stream?{query}0")).send().await.expect_problem(403, "link.invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_prints_papers_in_a_browser_again_after_the_parcel_has_left() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (path, cart) = order(&shop, "LINK-5").await;
    pay(&shop, &path, &cart).await;
    let made = shop.post(&format!("{path}/shipments")).by(&staff).send().await.expect(201);
    let parcel = format!("/v1/shipments/{}", made.id());
    let link = async |path: &str, pointer: &str| {
        let shown = shop.get(path).by(&staff).send().await.expect(200);
        shown.text(pointer).to_owned()
    };
    let page = async |url: &str| {
        let page = shop.get(url).header("Accept", "text/html").send().await.expect(200);
        page.body.as_str().unwrap().to_owned()
    };
    let (list, label) = (link(&path, "/papers/packing_list").await, link(&parcel, "/papers/label").await);
    assert_eq!(link(&format!("{path}/shipments"), "/items/0/papers/label").await, label);
    let before = page(&list).await;
    assert!(before.contains("2 items to pack") && before.contains("Thing LINK-5"), "{before}");
    assert!(page(&label).await.contains("Weight not recorded"));
    shop.post(&format!("{parcel}/pack")).by(&staff).json(json!({"weight_g": 900})).send().await.expect(200);
    shop.post(&format!("{parcel}/hand-over")).by(&staff).send().await.expect(200);
    let label_now = page(&label).await;
    assert!(label_now.contains("900") && !label_now.contains("Weight not recorded"), "{label_now}");
    let after = page(&list).await;
    assert!(after.contains("Thing LINK-5") && after.contains("handed over"), "{after}");
    assert!(after.contains("0 items to pack") && !after.contains("Nothing is left to pack"), "{after}");

    // Buyers get no such links, and cannot make one of theirs.
    let seen = shop.get(&path).with(&cart).send().await.expect(200);
    assert_eq!(seen.body["papers"]["packing_list"], Value::Null);
    let parcels = shop.get(&format!("{path}/shipments")).with(&cart).send().await.expect(200);
    assert_eq!(parcels.body["items"][0]["papers"], Value::Null);
    let (_, query) = seen.text("/papers/invoice").split_once('?').unwrap();
    for paper in [format!("{path}/packing-list"), format!("{parcel}/label")] {
        shop.get(&format!("{paper}?{query}")).send().await.expect_problem(403, "link.invalid");
        shop.get(&paper).send().await.expect_problem(401, "auth.missing");
        shop.get(&paper).by(&shop.token(Role::Customer)).send().await.expect_problem(403, "auth.forbidden");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_sees_in_the_list_who_bought_as_a_guest() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (path, cart) = order(&shop, "LINK-6").await;
    let head = shop.at_rest().await.to_string();
    let listed =
        async |head: &str| shop.get("/v1/orders").by(&staff).header("Min-Log-Position", head).send().await.expect(200);
    let row = listed(&head).await;
    assert_eq!((row.text("/items/0/address/name"), row.text("/items/0/address/city")), ("Rahel Varnhagen", "Berlin"));
    let stored: String =
        sqlx::query_scalar("select row::text from read.order_list").fetch_one(shop.log.pool()).await.unwrap();
    assert!(!stored.contains("Rahel") && stored.contains("$sealed"), "{stored}");
    shop.delete(&format!("{path}/buyer")).with(&cart).send().await.expect(204);
    let forgotten = listed(&shop.at_rest().await.to_string()).await;
    assert_eq!(forgotten.body["items"][0]["address"], Value::Null);
}
