//! Refunds of money alone for keys: what is refunded is not shown any more, and those who can block a key hear which one.

use byteshop_tests::shop::{Answer, GuestCart};
use serde_json::{Value, json};

use super::{Kiosk, keys, keys_of};

/// An order of keys, with its payment.
struct Sale<'a> {
    kiosk: &'a Kiosk,
    path: String,
    cart: GuestCart,
    payment: String,
}

impl<'a> Sale<'a> {
    async fn of(kiosk: &'a Kiosk, quantity: i64) -> Self {
        let (path, cart) = kiosk.sold(quantity).await;
        let order = kiosk.shop.get(&path).with(&cart).send().await.expect(200).body;
        let payment = order["payment"].as_str().unwrap().to_owned();
        Self { kiosk, path, cart, payment }
    }

    async fn refund(&self, amount: i64, keys: i64) -> Answer {
        let mut body = json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "does not start"});
        if keys > 0 {
            body["lines"] = json!([{"variant": self.kiosk.variant, "quantity": keys}]);
        }
        let path = format!("/v1/payments/{}/refunds", self.payment);
        self.kiosk.shop.post(&path).by(&self.kiosk.staff).json(body).send().await
    }

    async fn reveal(&self, body: Value) -> Answer {
        self.kiosk.shop.post(&format!("{}/keys/reveal", self.path)).with(&self.cart).json(body).send().await
    }

    /// The numbers of the keys: revoked, and of those the ones that had been shown.
    async fn revoked(&self) -> (i64, i64) {
        let order = self.kiosk.shop.get(&self.path).with(&self.cart).send().await.expect(200).body;
        let counts = &order["lines"][0]["keys"];
        (counts["revoked"].as_i64().unwrap(), counts["revoked_revealed"].as_i64().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_money_alone_revokes_the_keys_that_it_is_for() {
    let kiosk = Kiosk::open().await;
    kiosk.import(&keys("K", 4)).await;
    let sale = Sale::of(&kiosk, 3).await;
    assert_eq!(keys_of(&sale.reveal(json!({})).await.expect(200).body), keys("K", 3));
    // A part of the price, as a goodwill.
    sale.refund(100, 0).await.expect(201);
    assert_eq!(sale.revoked().await, (0, 0));
    sale.refund(400, 4).await.expect_problem(409, "order.too_many_keys");
    sale.refund(400, 1).await.expect(201);
    assert_eq!(sale.revoked().await, (1, 1));
    assert_eq!(keys_of(&sale.reveal(json!({})).await.expect(200).body), keys("K", 2));
    let third = json!({"variant": kiosk.variant, "from": 3});
    sale.reveal(third).await.expect_problem(409, "order.no_keys");
    let back = |quantity: i64| json!({"lines": [{"variant": kiosk.variant, "quantity": quantity}], "reason": "other"});
    let ask = async |quantity| {
        kiosk.shop.post(&format!("{}/returns", sale.path)).with(&sale.cart).json(back(quantity)).send().await
    };
    ask(3).await.expect_problem(409, "order.too_many_returned");
    // A return that is open when all the money is refunded has nothing left to take back.
    let open = ask(1).await.expect(201).id();
    kiosk.shop.post(&format!("/v1/returns/{open}/approve")).by(&kiosk.staff).send().await.expect(200);
    sale.refund(1_000, 0).await.expect(201);
    assert_eq!(sale.revoked().await, (3, 3));
    sale.reveal(json!({})).await.expect_problem(409, "order.no_keys");
    let came = json!({"lines": [{"variant": kiosk.variant, "quantity": 1, "condition": "used", "restock": false}]});
    let receive = kiosk.shop.post(&format!("/v1/returns/{open}/receive")).by(&kiosk.staff).json(came);
    receive.send().await.expect_problem(409, "order.too_many_returned");
    let pool = kiosk.pool().await;
    assert_eq!((&pool["revoked"], &pool["revoked_revealed"], &pool["available"]), (&json!(3), &json!(3), &json!(1)));
    let story = kiosk.shop.get(&format!("{}/history", sale.path)).with(&sale.cart).send().await.expect(200);
    let story = story.body["story"].to_string();
    assert!(story.contains("1 key of the order was revoked; 1 of them had been shown."), "{story}");
    let told: String = sqlx::query_scalar(
        "select string_agg(data::text, ' ' order by position) from log.event where category = 'key_pool' and type = 'revoked'",
    )
    .fetch_one(kiosk.shop.log.pool())
    .await
    .unwrap();
    assert!(told.contains(r#""keys":[{"batch":1,"first":2,"count":1}]"#), "{told}");
    assert!(told.contains(r#""keys":[{"batch":1,"first":0,"count":2}]"#), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_dispute_revokes_the_keys_and_one_that_is_won_or_of_a_part_does_not() {
    let kiosk = Kiosk::open().await;
    kiosk.import(&keys("K", 6)).await;
    for (amount, won, revoked) in [(Some(500), false, 0), (None, true, 0), (None, false, 2)] {
        let sale = Sale::of(&kiosk, 2).await;
        sale.reveal(json!({})).await.expect(200);
        let amount = amount.map(|amount| json!({"amount": amount, "currency": "EUR"}));
        let body = json!({"payment": sale.payment, "amount": amount});
        let dispute = kiosk.shop.post("/dev/disputes").json(body).send().await.expect(201).id();
        let path = format!("/v1/payments/{}", sale.payment);
        let payment = kiosk.shop.get(&path).by(&kiosk.staff).send().await.expect(200).body;
        assert_ne!(payment["disputed"]["amount"], 0);
        kiosk.shop.post(&format!("/dev/disputes/{dispute}")).json(json!({"won": won})).send().await.expect(204);
        assert_eq!(sale.revoked().await, (revoked, revoked), "{amount:?} {won}");
    }
    // What the emulated provider holds is what the ledger says.
    let head = kiosk.shop.at_rest().await;
    let compared =
        kiosk.shop.get("/v1/admin/ledger/reconciliation").by(&kiosk.staff).after(head).send().await.expect(200);
    assert_eq!(compared.body["items"], json!([]), "{}", compared.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_before_its_refund_or_not_at_all() {
    let kiosk = Kiosk::open().await;
    kiosk.import(&keys("K", 8)).await;
    for number in 0..8 {
        let sale = Sale::of(&kiosk, 1).await;
        let (shown, refunded) = tokio::join!(sale.reveal(json!({})), sale.refund(500, 1));
        refunded.expect(201);
        if shown.status == 200 {
            assert_eq!(keys_of(&shown.body), keys("K", 8)[number..=number]);
            assert_eq!(sale.revoked().await, (1, 1), "a key was shown that counts as unseen");
        } else {
            shown.expect_problem(409, "order.no_keys");
            assert_eq!(sale.revoked().await, (1, 0));
        }
    }
    let pool = kiosk.pool().await;
    assert_eq!((&pool["revoked"], &pool["assigned"]), (&json!(8), &json!(8)));
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_about_keys_do_not_ask_to_send_anything_back() {
    let kiosk = Kiosk::open().await;
    kiosk.import(&keys("K", 2)).await;
    let sale = Sale::of(&kiosk, 2).await;
    let back = json!({"lines": [{"variant": kiosk.variant, "quantity": 1}], "reason": "changed_mind"});
    let back = kiosk.shop.post(&format!("{}/returns", sale.path)).with(&sale.cart).json(back).send().await;
    let back = back.expect(201).id();
    kiosk.shop.post(&format!("/v1/returns/{back}/approve")).by(&kiosk.staff).send().await.expect(200);
    sale.refund(500, 1).await.expect(201);
    let approved = kiosk.mail("rahel@example.org", "is approved").await;
    assert!(approved.contains("There is nothing to send.") && !approved.contains("parcel"), "{approved}");
    let refunded = kiosk.mail("rahel@example.org", "refunded for order").await;
    assert!(refunded.contains("are no longer available"), "{refunded}");
}
