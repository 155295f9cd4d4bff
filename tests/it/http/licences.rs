//! Licences: what a program learns of its key, on how many machines it is active, and that keys cannot be found by trying.

use byteshop_gateway::edge::limits::Limits;
use byteshop_tests::shop::{Answer, TestShop};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::keys::{Kiosk, keys};

/// Machines that activate the same key at once.
const MACHINES: usize = 50;

async fn ask(kiosk: &Kiosk, what: &str, key: &str, machine: Option<&str>) -> Answer {
    let head = kiosk.shop.log.head().await.unwrap();
    let mut body = json!({"product": kiosk.product, "key": key});
    if let Some(machine) = machine {
        body["machine"] = json!(machine);
    }
    kiosk.shop.post(&format!("/v1/licences/{what}")).after(head).json(body).send().await
}

async fn status(kiosk: &Kiosk, key: &str) -> Value {
    ask(kiosk, "check", key, None).await.expect(200).body["status"].clone()
}

async fn limit(kiosk: &Kiosk, limit: Value) {
    let call = kiosk.shop.put(&format!("{}/activations", kiosk.path())).by(&kiosk.staff);
    call.json(json!({"limit": limit})).send().await.expect(200);
}

async fn refund(kiosk: &Kiosk, order: &str, cart: &byteshop_tests::shop::GuestCart) -> Answer {
    let payment = kiosk.shop.get(order).with(cart).send().await.expect(200).body["payment"].clone();
    let all = json!({"amount": {"amount": 500, "currency": "EUR"}, "reason": "does not start"});
    let path = format!("/v1/payments/{}/refunds", payment.as_str().unwrap());
    kiosk.shop.post(&path).by(&kiosk.staff).json(all).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_learns_whether_its_key_is_valid() {
    let kiosk = Kiosk::open().await;
    kiosk.import(&keys("K", 3)).await;
    let [sold, unsold, _] = &keys("K", 3)[..] else { panic!("three keys") };
    let (order, cart) = kiosk.sold(1).await;
    let unknown = json!({"status": "unknown", "product": kiosk.product, "variant": null, "activations": 0,
        "limit": null, "active": null});
    for key in [unsold.as_str(), "K-0", "", "\u{200b}"] {
        assert_eq!(ask(&kiosk, "check", key, Some("m")).await.expect(200).body, unknown, "{key}");
        ask(&kiosk, "activate", key, Some("m")).await.expect_problem(404, "licence.unknown");
        ask(&kiosk, "deactivate", key, Some("m")).await.expect_problem(404, "licence.unknown");
    }
    let elsewhere = json!({"product": "prod_01h455vb4pex5vsknk084sn02q", "key": sold});
    let elsewhere = kiosk.shop.post("/v1/licences/check").json(elsewhere).send().await.expect(200).body;
    assert_eq!(elsewhere["status"], "unknown");
    limit(&kiosk, json!(1)).await;
    ask(&kiosk, "activate", sold, Some(" ")).await.expect_problem(422, "request.invalid");
    let first = ask(&kiosk, "activate", &format!(" {sold} "), Some("machine-CANARY-1")).await.expect(200).body;
    let standing = json!({"status": "valid", "product": kiosk.product, "variant": kiosk.variant, "activations": 1,
        "limit": 1, "active": true});
    assert_eq!(first, standing);
    ask(&kiosk, "activate", sold, Some("machine-CANARY-2")).await.expect_problem(409, "licence.too_many_machines");
    assert_eq!(ask(&kiosk, "activate", sold, Some("machine-CANARY-1")).await.expect(200).body, standing);
    let other = ask(&kiosk, "check", sold, Some("machine-CANARY-2")).await.expect(200).body;
    assert_eq!((&other["active"], &other["activations"]), (&json!(false), &json!(1)));
    let off = ask(&kiosk, "deactivate", sold, Some("machine-CANARY-1")).await.expect(200).body;
    assert_eq!((&off["active"], &off["activations"]), (&json!(false), &json!(0)));
    limit(&kiosk, Value::Null).await;
    ask(&kiosk, "activate", sold, Some("machine-CANARY-2")).await.expect(200);
    ask(&kiosk, "activate", sold, Some("machine-CANARY-3")).await.expect(200);
    refund(&kiosk, &order, &cart).await.expect(201);
    let revoked = ask(&kiosk, "check", sold, Some("machine-CANARY-2")).await.expect(200).body;
    assert_eq!((&revoked["status"], &revoked["active"]), (&json!("revoked"), &json!(true)));
    ask(&kiosk, "activate", sold, Some("machine-CANARY-4")).await.expect_problem(409, "licence.revoked");
    let off = ask(&kiosk, "deactivate", sold, Some("machine-CANARY-2")).await.expect(200).body;
    assert_eq!((&off["status"], &off["activations"]), (&json!("revoked"), &json!(1)));
    // Neither the key nor a machine is stored in the clear.
    let stored = kiosk.everything_stored().await;
    assert!(stored.contains("licence") && !stored.contains("CANARY"), "a key or a machine is stored in the clear");
}

#[tokio::test(flavor = "multi_thread")]
async fn generated_keys_are_checked_like_imported_ones_and_a_return_revokes_them() {
    let kiosk = Kiosk::open().await;
    let pattern = kiosk.shop.put(&format!("{}/pattern", kiosk.path())).by(&kiosk.staff);
    pattern.json(json!({"pattern": "ACME-{16}"})).send().await.expect(200);
    let (order, cart) = kiosk.sold(2).await;
    let shown = kiosk.revealed(&order, &cart).await;
    for key in &shown {
        assert_eq!(status(&kiosk, key).await, "valid");
    }
    let back = json!({"lines": [{"variant": kiosk.variant, "quantity": 1}], "reason": "other"});
    let path = format!("{order}/returns");
    let back = kiosk.shop.post(&path).with(&cart).json(back).send().await.expect(201).id();
    assert_eq!([status(&kiosk, &shown[0]).await, status(&kiosk, &shown[1]).await], ["valid", "revoked"]);
    let no = json!({"reason": "it was used"});
    kiosk.shop.post(&format!("/v1/returns/{back}/reject")).by(&kiosk.staff).json(no).send().await.expect(200);
    assert_eq!(status(&kiosk, &shown[1]).await, "valid");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_machines_at_once_no_more_are_active_than_the_limit() {
    let kiosk = Kiosk::open().await;
    kiosk.import(&keys("K", 1)).await;
    limit(&kiosk, json!(3)).await;
    kiosk.sold(1).await;
    let key = &keys("K", 1)[0];
    assert_eq!(status(&kiosk, key).await, "valid");
    let machines: Vec<String> = (0..MACHINES).map(|number| format!("machine-{number}")).collect();
    let answers = join_all(machines.iter().map(|machine| ask(&kiosk, "activate", key, Some(machine)))).await;
    let active = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(active, 3);
    assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status)), "an activation was not decided");
    let standing = ask(&kiosk, "check", key, None).await.expect(200).body;
    assert_eq!((&standing["activations"], &standing["limit"]), (&json!(3), &json!(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_activated_before_its_refund_or_not_at_all() {
    let kiosk = Kiosk::open().await;
    kiosk.import(&keys("K", 6)).await;
    for key in &keys("K", 6) {
        let (order, cart) = kiosk.sold(1).await;
        assert_eq!(status(&kiosk, key).await, "valid");
        let (active, refunded) = tokio::join!(ask(&kiosk, "activate", key, Some("m")), refund(&kiosk, &order, &cart));
        refunded.expect(201);
        let standing = ask(&kiosk, "check", key, Some("m")).await.expect(200).body;
        assert_eq!((&standing["status"], &standing["active"]), (&json!("revoked"), &json!(active.status == 200)));
        if active.status != 200 {
            active.expect_problem(409, "licence.revoked");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_cannot_try_many_keys() {
    let kiosk = Kiosk::of(TestShop::start().limits(Limits::default().with_licences(3)).await).await;
    let body = |what: &str| json!({"product": kiosk.product, "key": what, "machine": "m"});
    let ask = |what: &str| kiosk.shop.post(&format!("/v1/licences/{what}")).json(body("K")).send();
    ask("check").await.expect(200);
    ask("activate").await.expect_problem(404, "licence.unknown");
    ask("deactivate").await.expect_problem(404, "licence.unknown");
    for what in ["check", "activate", "deactivate"] {
        let refused = ask(what).await;
        assert_eq!(refused.status, 429, "{}", refused.body);
        assert!(refused.header("retry-after").is_some());
    }
}
