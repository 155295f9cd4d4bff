//! Importing keys: what is counted, what is refused, and what a break leaves behind.

use byteshop_commands::Intent;
use byteshop_commands::key_upload::Form;
use byteshop_commands::use_cases::sellers::ActsFor;
use byteshop_domain::Actor;
use byteshop_domain::ids::VariantId;
use byteshop_domain::text::KEY_MAX;
use serde_json::{Value, json};

use super::{Kiosk, keys, numbers};
use crate::http::aftersales::shop_stock;

#[tokio::test(flavor = "multi_thread")]
async fn imported_keys_are_counted_and_are_the_stock_of_the_variant() {
    let kiosk = Kiosk::open().await;
    kiosk.shop.get(&kiosk.path()).by(&kiosk.staff).send().await.expect_problem(404, "key_pool.missing");
    let long = "x".repeat(KEY_MAX + 1);
    let file = format!("AAAA-1\r\nAAAA-2\n\nAAAA-1\n{long}\nA\x07\nAAAA-3\n");
    let done = kiosk.send("text/plain; charset=utf-8", file).await.expect(200).body;
    assert_eq!((&done["batch"], &done["imported"]), (&json!(1), &json!(3)));
    assert_eq!((&done["duplicates"], &done["rejected"]), (&json!(1), &json!(3)));
    let faults: Vec<_> = done["faults"].as_array().unwrap().iter().map(|it| (&it["line"], &it["fault"])).collect();
    let expected =
        [(3, "blank"), (4, "duplicate"), (5, "too_long"), (6, "characters")].map(|it| (json!(it.0), json!(it.1)));
    assert_eq!(faults, expected.iter().map(|(line, fault)| (line, fault)).collect::<Vec<_>>());
    assert_eq!(numbers(&done["pool"]), [3, 3, 0, 0, 0]);
    assert_eq!(shop_stock(&kiosk.shop, &kiosk.variant).await, (3, 0));
    assert!(!done.to_string().contains("AAAA"), "{done}");

    // The same keys again, and one more, as a table.
    let table = "id;x,Code\n1,AAAA-2\n2,\"AAAA \"\"4\"\"\"\n";
    let kind = "text/csv";
    kiosk.send(kind, table).await.expect_problem(422, "key_pool.no_column");
    let path = format!("{}?column=code", kiosk.path());
    let more = kiosk.shop.post(&path).by(&kiosk.staff).header("Content-Type", kind).body_raw(table).send().await;
    let more = more.expect(200).body;
    assert_eq!((&more["imported"], &more["duplicates"], &more["faults"][0]["line"]), (&json!(1), &json!(1), &json!(2)));
    assert_eq!(kiosk.pool().await, more["pool"]);
    let nothing = kiosk.send("text/plain", "AAAA-1").await.expect(200).body;
    assert_eq!((&nothing["batch"], &nothing["imported"]), (&Value::Null, &json!(0)));
    assert_eq!(numbers(&nothing["pool"]), [4, 4, 0, 0, 0]);
    assert_eq!(nothing["pool"]["batches"].as_array().unwrap().len(), 2);
    kiosk.send("application/json", "{}").await.expect_problem(415, "request.unsupported_media_type");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_is_refused_whole_and_says_why() {
    let kiosk = Kiosk::open().await;
    let unclosed = "key,note\nA,1\nB,\"2\nC,3\nD,4\n";
    let refused = kiosk.send("text/csv", unclosed).await.expect_problem(422, "key_pool.open_quote");
    assert!(refused.body["detail"].as_str().unwrap().contains("line 3"), "{}", refused.body);
    let wide: Vec<u8> = "KEY-1\nKEY-2".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let refused = kiosk.send("text/plain", wide).await.expect_problem(422, "key_pool.not_text");
    assert!(refused.body["detail"].as_str().unwrap().contains("UTF-16"), "{}", refused.body);
    let zipped: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b";
    let refused = kiosk.send("text/plain", zipped.to_vec()).await.expect_problem(422, "key_pool.not_text");
    assert!(refused.body["detail"].as_str().unwrap().contains("compressed"), "{}", refused.body);
    let call = kiosk.shop.post(&kiosk.path()).by(&kiosk.staff).header("Content-Type", "text/plain");
    let coded = call.header("Content-Encoding", "gzip").body_raw("A").send().await;
    coded.expect_problem(415, "request.unsupported_media_type");
    assert_eq!(numbers(&kiosk.pool().await), [0; 5]);
    let done = kiosk.send("text/plain", "A\u{200b}B\n\u{200b}\nC").await.expect(200).body;
    let faults = json!([{"line": 1, "fault": "invisible"}, {"line": 2, "fault": "invisible"}]);
    assert_eq!((&done["imported"], &done["rejected"], &done["faults"]), (&json!(1), &json!(2), &faults));
    let unknown = kiosk.shop.post("/v1/variants/var_01h455vb4pex5vsknk084sn02q/keys").by(&kiosk.staff);
    let unknown = unknown.header("Content-Type", "text/plain").body_raw("A").send().await;
    unknown.expect_problem(404, "variant.missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_have_no_other_stock_and_are_never_shipped() {
    let kiosk = Kiosk::open().await;
    let (shop, staff) = (&kiosk.shop, &kiosk.staff);
    let stock = format!("/v1/variants/{}/stock", kiosk.variant);
    let movement = |kind: &str, quantity| json!({"type": kind, "quantity": quantity});
    shop.post(&stock).by(staff).json(movement("received", 2)).send().await.expect(200);
    kiosk.send("text/plain", "A").await.expect_problem(409, "stock.not_empty");
    shop.post(&stock).by(staff).json(movement("counted", 0)).send().await.expect(200);
    kiosk.import(&keys("K", 2)).await;
    for (kind, quantity) in [("received", 1), ("lost", 1), ("returned", 1), ("counted", 5)] {
        let moved = shop.post(&stock).by(staff).json(movement(kind, quantity)).send().await;
        moved.expect_problem(409, "stock.keys_pooled");
    }
    let variant = format!("/v1/products/{}/variants/{}", kiosk.product, kiosk.variant);
    let physical = shop.patch(&variant).by(staff).json(json!({"physical": true})).send().await;
    physical.expect_problem(409, "stock.keys_pooled");
    shop.patch(&variant).by(staff).json(json!({"physical": false, "title": "Key"})).send().await.expect(200);
    let (_, mug) = shop.product("MUG", 500, 0).await;
    let mug = shop.post(&format!("/v1/variants/{mug}/keys")).by(staff).header("Content-Type", "text/plain");
    mug.body_raw("A").send().await.expect_problem(409, "key_pool.physical");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_repeated_with_its_idempotency_key_gets_the_first_answer() {
    let kiosk = Kiosk::open().await;
    let send = |file: &'static str| {
        let call = kiosk.shop.post(&kiosk.path()).by(&kiosk.staff).key("import-1").header("Content-Type", "text/plain");
        call.body_raw(file).send()
    };
    let first = send("A\nB").await.expect(200);
    let again = send("A\nB").await.expect(200);
    assert_eq!((again.header("idempotency-replayed"), &again.body), (Some("true"), &first.body));
    send("A\nC").await.expect_problem(422, "idempotency.key_reused");
    assert_eq!(numbers(&kiosk.pool().await), [2, 2, 0, 0, 0]);
    // The key that only the refused request had is not in the pool.
    assert_eq!(kiosk.send("text/plain", "A\nB\nC").await.expect(200).body["imported"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_broken_off_counts_nothing_and_blocks_nothing() {
    let kiosk = Kiosk::open().await;
    let variant: VariantId = kiosk.variant.parse().unwrap();
    let actor = Actor::System { name: "test".into() };
    let intent = Intent::new(actor, "key_pool.start_import", kiosk.shop.commands.clock().new_id());
    let begin = || kiosk.shop.commands.upload_keys(&intent, variant, ActsFor::House, Form::Lines);
    let mut upload = begin().await.unwrap();
    upload.take(keys("K", 5_000).join("\n").as_bytes()).await.unwrap();
    kiosk.send("text/plain", "A").await.expect_problem(409, "key_pool.import_running");
    let rows = async || -> i64 {
        sqlx::query_scalar("select count(*) from log.pool_key").fetch_one(kiosk.shop.log.pool()).await.unwrap()
    };
    assert!(rows().await >= 4_000, "nothing was written before the end");
    drop(upload);
    assert_eq!(numbers(&kiosk.pool().await), [0; 5]);
    let again = byteshop_tests::patience::eventually("the lock is gone with its connection", async || {
        let again = kiosk.send("text/plain", keys("K", 5_000).join("\n")).await;
        (again.status != 409).then_some(again)
    })
    .await;
    let again = again.expect(200).body;
    assert_eq!((&again["imported"], &again["duplicates"]), (&json!(5_000), &json!(0)));
    assert_eq!((rows().await, numbers(&kiosk.pool().await)), (5_000, [5_000, 5_000, 0, 0, 0]));
}

/// `make bench` imports a million.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_keys_are_imported_at_once() {
    let kiosk = Kiosk::open().await;
    let started = std::time::Instant::now();
    let done = kiosk.import(&keys("K", 100_000)).await.body;
    eprintln!("100,000 keys were imported in {:?}", started.elapsed());
    assert_eq!((&done["imported"], &done["rejected"]), (&json!(100_000), &json!(0)));
    let (path, cart) = kiosk.sold(1_500).await;
    let shown = kiosk.shop.post(&format!("{path}/keys/reveal")).with(&cart).json(json!({})).send().await.expect(200);
    assert_eq!(super::keys_of(&shown.body), keys("K", 1_000));
    assert_eq!((&shown.body["lines"][0]["more"], &shown.body["lines"][0]["from"]), (&json!(500), &json!(1)));
    let rest = json!({"variant": kiosk.variant, "from": 1_001});
    let rest = kiosk.shop.post(&format!("{path}/keys/reveal")).with(&cart).json(rest).send().await.expect(200);
    assert_eq!(super::keys_of(&rest.body), keys("K", 1_500)[1_000..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_withdraws_what_nobody_has_bought_and_is_told_once_when_few_keys_are_left() {
    let kiosk = Kiosk::open().await;
    let (shop, staff) = (&kiosk.shop, &kiosk.staff);
    let withdraw = |body: Value| shop.post(&format!("{}/withdraw", kiosk.path())).by(staff).json(body).send();
    let alert =
        |below: Value| shop.put(&format!("{}/alert", kiosk.path())).by(staff).json(json!({"below": below})).send();
    withdraw(json!({"batch": 1})).await.expect_problem(404, "key_pool.missing");
    alert(json!(1)).await.expect_problem(404, "key_pool.missing");
    kiosk.import(&keys("A", 4)).await;
    kiosk.import(&keys("B", 3)).await;
    alert(json!(5)).await.expect(200);
    let low = async |query: &str| {
        let head = shop.log.head().await.unwrap();
        let found = shop.get(&format!("/v1/admin/key-pools{query}")).by(staff).after(head).send().await.expect(200);
        found.body["items"].as_array().unwrap().clone()
    };
    assert_eq!((low("").await.len(), low("?low=true").await.len()), (1, 0));
    let reason = json!({"batch": 2, "quantity": 2, "reason": "leaked"});
    let pool = withdraw(reason).await.expect(200).body;
    assert_eq!((numbers(&pool), &pool["low"]), ([7, 5, 0, 0, 2], &json!(false)));
    withdraw(json!({"batch": 2, "quantity": 2})).await.expect_problem(409, "key_pool.not_enough");
    withdraw(json!({"batch": 9})).await.expect_problem(422, "key_pool.no_such_batch");
    shop.order(&kiosk.variant, 4).await;
    let pool = withdraw(json!({"batch": 1})).await.expect(200).body;
    assert_eq!((numbers(&pool), &pool["low"]), ([7, 0, 4, 0, 3], &json!(true)));
    withdraw(json!({"batch": 1, "quantity": 1})).await.expect_problem(409, "stock.reserved");
    let found = low("?low=true").await;
    assert_eq!((found.len(), &found[0]["left"], &found[0]["variant"]), (1, &json!(4), &json!(kiosk.variant)));
    let told: i64 =
        sqlx::query_scalar("select count(*) from log.event where category = 'key_pool' and type = 'ran_low'")
            .fetch_one(shop.log.pool())
            .await
            .unwrap();
    assert_eq!(told, 1);
    kiosk.import(&keys("C", 9)).await;
    assert_eq!(low("?low=true").await.len(), 0);
    assert_eq!(alert(Value::Null).await.expect(200).body["alert_below"], Value::Null);
}
