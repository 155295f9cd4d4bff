//! Buying keys: with the payment, for the buyer's eyes only, and given back.

use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use serde_json::{Value, json};

use super::{Kiosk, keys, keys_of, numbers, set};

#[tokio::test(flavor = "multi_thread")]
async fn each_piece_gets_its_own_key_with_the_payment() {
    let kiosk = Kiosk::open().await;
    kiosk.import(&keys("K", 5)).await;
    let (placed, cart) = kiosk.shop.order(&kiosk.variant, 3).await;
    let path = format!("/v1/orders/{}", placed.text("/id"));
    let reveal = |body: Value| kiosk.shop.post(&format!("{path}/keys/reveal")).with(&cart).json(body).send();
    reveal(json!({})).await.expect_problem(409, "order.no_keys");
    assert_eq!(numbers(&kiosk.pool().await), [5, 2, 3, 0, 0]);
    kiosk.pay(&path, &cart).await;
    assert_eq!(numbers(&kiosk.pool().await), [5, 2, 0, 3, 0]);
    let order = kiosk.shop.get(&path).with(&cart).send().await.expect(200).body;
    assert_eq!((&order["stage"], &order["fulfilment"]), (&json!("completed"), &json!("fulfilled")));
    let counts = |order: &Value| order["lines"][0]["keys"].clone();
    assert_eq!((&counts(&order)["delivered"], &counts(&order)["revealed"]), (&json!(3), &json!(0)));

    let variant = json!({"variant": kiosk.variant, "quantity": 2});
    let first = reveal(variant.clone()).await.expect(200);
    assert_eq!((keys_of(&first.body), first.header("cache-control")), (keys("K", 2), Some("no-store")));
    assert_eq!(first.body["lines"][0]["more"], 1);
    let again = reveal(variant).await.expect(200);
    assert_eq!(keys_of(&again.body), keys("K", 2));
    assert_eq!(again.header("etag"), first.header("etag"), "what was seen before is recorded once more");
    reveal(json!({"variant": kiosk.variant, "from": 4})).await.expect_problem(409, "order.no_keys");
    reveal(json!({"from": 2})).await.expect_problem(422, "request.invalid");
    assert_eq!(keys_of(&reveal(json!({})).await.expect(200).body), keys("K", 3));
    let order = kiosk.shop.get(&path).with(&cart).send().await.expect(200).body;
    assert_eq!((&counts(&order)["revealed"], counts(&order)["revealed_at"].is_string()), (&json!(3), true));
    let story =
        kiosk.shop.get(&format!("{path}/history")).with(&cart).send().await.expect(200).body["story"].to_string();
    assert!(story.contains("was shown 3 keys"), "{story}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_revealed_in_their_order() {
    let kiosk = Kiosk::open().await;
    kiosk.import(&keys("K", 3)).await;
    let (path, cart) = kiosk.sold(3).await;
    let reveal = |from: i64| {
        let body = json!({"variant": kiosk.variant, "from": from, "quantity": 1});
        kiosk.shop.post(&format!("{path}/keys/reveal")).with(&cart).json(body).send()
    };
    reveal(2).await.expect_problem(409, "order.keys_in_turn");
    for number in 1..=3 {
        let key = &keys("K", 3)[number - 1];
        assert_eq!(keys_of(&reveal(number as i64).await.expect(200).body), std::slice::from_ref(key));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_to_its_buyer_and_to_nobody_else() {
    let kiosk = Kiosk::open().await;
    let shop = &kiosk.shop;
    kiosk.import(&keys("K", 4)).await;
    let (buyer, other) = (shop.person("buyer@example.org").await, shop.person("other@example.org").await);
    let order = shop.buy(&buyer.token, &kiosk.variant, 1).await.expect(201).id();
    shop.pay(&buyer.token, &order).await.expect(201);
    shop.at_rest().await;
    let (guests, cart) = kiosk.sold(1).await;
    let (more, others_cart) = kiosk.sold(1).await;
    let path = format!("/v1/orders/{order}");
    let page = |path: &str| format!("{path}/keys");
    let reveal = |path: &str| shop.post(&format!("{path}/keys/reveal")).json(json!({}));
    for foreign in [&path, &guests] {
        // Staff knows of the order, so it hears why it is not shown its keys.
        let (strange, of_staff) = ((404, "order.missing"), (403, "order.keys_of_buyer"));
        for (token, (status, code)) in
            [(&other.token, strange), (&kiosk.staff, of_staff), (&shop.token(Role::Admin), of_staff)]
        {
            reveal(foreign).by(token).send().await.expect_problem(status, code);
            shop.get(&page(foreign)).by(token).send().await.expect_problem(status, code);
            shop.post(&page(foreign)).by(token).send().await.expect_problem(status, code);
        }
        reveal(foreign).with(&others_cart).send().await.expect_problem(404, "order.missing");
        reveal(foreign).send().await.expect_problem(404, "order.missing");
    }
    let mine = keys_of(&reveal(&path).by(&buyer.token).key("r-1").send().await.expect(200).body);
    let again = reveal(&path).by(&buyer.token).key("r-1").send().await.expect(200);
    assert_eq!((keys_of(&again.body), again.header("idempotency-replayed")), (mine.clone(), Some("true")));
    let all = [mine, kiosk.revealed(&guests, &cart).await, kiosk.revealed(&more, &others_cart).await].concat();
    assert_eq!(set(&all).len(), 3);

    let purchases = async |token: &str| {
        let head = shop.log.head().await.unwrap();
        shop.get("/v1/me/purchases").by(token).after(head).send().await.expect(200).body
    };
    let bought = purchases(&buyer.token).await;
    assert_eq!((&bought["items"][0]["order"], bought["items"].as_array().unwrap().len()), (&json!(order), 1));
    let line = &bought["items"][0]["lines"][0];
    assert_eq!((&line["sku"], &line["keys"], &line["revealed"]), (&json!("KEY-1"), &json!(1), &json!(1)));
    assert_eq!(purchases(&other.token).await["items"], json!([]));
    let second = shop.buy(&buyer.token, &kiosk.variant, 1).await.expect(201).id();
    shop.pay(&buyer.token, &second).await.expect(201);
    shop.at_rest().await;
    let page = async |query: &str| {
        let head = shop.log.head().await.unwrap();
        let call = shop.get(&format!("/v1/me/purchases?limit=1{query}")).by(&buyer.token).after(head);
        call.send().await.expect(200).body
    };
    let newest = page("").await;
    let oldest = page(&format!("&cursor={}", newest["next"].as_str().unwrap())).await;
    assert_eq!([&newest["items"][0]["order"], &oldest["items"][0]["order"]], [&json!(second), &json!(order)]);
    assert_eq!(oldest["next"], Value::Null);
    shop.get("/v1/me/purchases").send().await.expect_problem(401, "auth.missing");
    // The canary: whatever was written down has no key in it, receipts included.
    let stored = kiosk.everything_stored().await;
    assert!(stored.contains("key_pool") && stored.contains("r-1"), "the tables were not read");
    assert!(!stored.contains("CANARY"), "a key is stored in the clear");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_opens_the_page_with_the_keys_by_the_link_in_the_mail() {
    let kiosk = Kiosk::of(super::super::links::shop_with_an_api().await).await;
    kiosk.import(&keys("K", 2)).await;
    let (order, _) = kiosk.sold(2).await;
    let link = eventually("the mail is there", async || {
        let mails = kiosk.shop.get("/dev/mail?to=rahel@example.org").header("Accept", "application/json").send().await;
        let mails = mails.expect(200).body;
        let text = mails["items"].as_array()?.iter().find_map(|mail| {
            let (_, rest) = mail["text"].as_str()?.split_once(&format!("{order}/keys?"))?;
            rest.split_whitespace().next().map(str::to_owned)
        })?;
        assert!(!mails.to_string().contains("CANARY"), "a mail has a key in it");
        Some(text)
    })
    .await;
    let page = format!("{order}/keys?{link}");
    let browser = |call: byteshop_tests::shop::Call| call.header("Accept", "text/html");
    let shown = browser(kiosk.shop.get(&page)).send().await.expect(200);
    assert!(!shown.body.to_string().contains("CANARY"), "a link alone reveals a key");
    let pressed = browser(kiosk.shop.post(&page)).send().await.expect(200);
    for key in keys("K", 2) {
        assert!(pressed.body.as_str().unwrap().contains(&key));
    }
    assert!(pressed.header("cache-control").unwrap().contains("no-store"));
    browser(kiosk.shop.get(&page.replace("seal=", "seal=0"))).send().await.expect(403);
    let signed = link.split('&').filter(|it| !it.starts_with("locale")).collect::<Vec<_>>().join("&");
    let by_link = kiosk.shop.post(&format!("{order}/keys/reveal?{signed}")).json(json!({})).send().await.expect(200);
    assert_eq!(keys_of(&by_link.body), keys("K", 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_given_back_are_revoked_and_never_sold_again() {
    let kiosk = Kiosk::open().await;
    let shop = &kiosk.shop;
    kiosk.import(&keys("K", 4)).await;
    let (path, cart) = kiosk.sold(3).await;
    let reveal = |body: Value| shop.post(&format!("{path}/keys/reveal")).with(&cart).json(body).send();
    reveal(json!({"variant": kiosk.variant, "quantity": 2})).await.expect(200);
    let back = json!({"lines": [{"variant": kiosk.variant, "quantity": 2}], "reason": "changed_mind"});
    let back = shop.post(&format!("{path}/returns")).with(&cart).json(back).send().await.expect(201).id();
    // What is on its way back is not shown any more.
    assert_eq!(keys_of(&reveal(json!({})).await.expect(200).body), keys("K", 1));
    let came = json!([{"variant": kiosk.variant, "quantity": 2, "condition": "used", "restock": true}]);
    let receive = shop.post(&format!("/v1/returns/{back}/receive")).by(&kiosk.staff);
    shop.post(&format!("/v1/returns/{back}/approve")).by(&kiosk.staff).send().await.expect(200);
    receive.json(json!({"lines": came})).send().await.expect(200);
    let pool = kiosk.pool().await;
    assert_eq!(numbers(&pool), [4, 1, 0, 3, 0]);
    assert_eq!((&pool["revoked"], &pool["revoked_revealed"]), (&json!(2), &json!(1)));
    let order = shop.get(&path).with(&cart).send().await.expect(200).body;
    let counts = &order["lines"][0]["keys"];
    assert_eq!((&counts["delivered"], &counts["revealed"]), (&json!(3), &json!(2)));
    assert_eq!((&counts["revoked"], &counts["revoked_revealed"]), (&json!(2), &json!(1)));
    assert_eq!(keys_of(&reveal(json!({})).await.expect(200).body), keys("K", 1));
    let (next, cart) = kiosk.sold(1).await;
    assert_eq!(kiosk.revealed(&next, &cart).await, keys("K", 4)[3..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_keys_and_goods_is_fulfilled_in_part_by_its_payment() {
    let kiosk = Kiosk::open().await;
    let shop = &kiosk.shop;
    kiosk.import(&keys("K", 2)).await;
    let (_, mug) = shop.product("MUG", 500, 2).await;
    let cart = shop.full_cart(&kiosk.variant, 2).await;
    let line = shop.put(&format!("/v1/carts/{}/lines/{mug}", cart.id)).with(&cart).json(json!({"quantity": 1}));
    line.send().await.expect(200);
    let placed = shop.post(&format!("/v1/carts/{}/checkout", cart.id)).with(&cart).send().await.expect(201);
    let path = format!("/v1/orders/{}", placed.text("/id"));
    kiosk.pay(&path, &cart).await;
    let order = shop.get(&path).with(&cart).send().await.expect(200).body;
    assert_eq!((&order["stage"], &order["fulfilment"]), (&json!("paid"), &json!("partly_fulfilled")));
    assert_eq!(kiosk.revealed(&path, &cart).await, keys("K", 2));
    let off = json!({"lines": [{"variant": kiosk.variant, "quantity": 1}]});
    let off = shop.post(&format!("{path}/cancel")).by(&kiosk.staff).json(off).send().await;
    off.expect_problem(409, "order.too_many_cancelled");
    let goods = json!({"lines": [{"variant": mug, "quantity": 1}]});
    let order = shop.post(&format!("{path}/cancel")).by(&kiosk.staff).json(goods).send().await.expect(200).body;
    assert_eq!((&order["stage"], &order["fulfilment"]), (&json!("completed"), &json!("fulfilled")));
}
