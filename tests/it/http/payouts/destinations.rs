//! Where payouts go: only an owner with a recent proof of identity changes it, the owners are told, and it takes a day.

use byteshop_tests::patience::eventually;
use byteshop_tests::payouts::{IBAN, paypal};
use byteshop_tests::shop::Answer;
use serde_json::{Value, json};

use super::Stall;

impl Stall {
    async fn choose(&self, token: &str, body: Value) -> Answer {
        self.shop.put(&self.path("payout-account/destination")).by(token).json(body).send().await
    }

    async fn account(&self, token: &str) -> Value {
        self.shop.get(&self.path("payout-account")).by(token).send().await.expect(200).body
    }
}

fn bank() -> Value {
    json!({"kind": "iban", "iban": "de89 3704 0044 0532 0130 00", "holder": "Ada Lovelace"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_destination_is_used_a_day_later_and_can_be_cancelled_until_then() {
    let stall = Stall::open().await;
    let Stall { shop, ada, seller, .. } = &stall;
    let bob = shop.person("bob@example.org").await;
    shop.join(seller, ada, &bob, "staff").await;
    shop.earned(seller, 5_000).await;
    let shown = stall.choose(&ada.token, bank()).await.expect(200).body;
    assert_eq!((&shown["current"], &shown["coming"]["destination"]["iban"]), (&Value::Null, &json!(IBAN)));
    stall.request(json!({"currency": "EUR"})).await.expect_problem(409, "payout_account.waits");
    assert_eq!(stall.account(&bob.token).await["coming"]["destination"], Value::Null);
    stall.choose(&bob.token, bank()).await.expect_problem(403, "seller.owners_only");
    // The event does not say it in the clear.
    let stored: Vec<String> = sqlx::query_scalar("select data::text from log.event where category = 'payout_account'")
        .fetch_all(shop.log.pool())
        .await
        .unwrap();
    assert!(!stored.is_empty() && stored.iter().all(|data| !data.contains("3704") && !data.contains("Lovelace")));

    let cancel = async || shop.delete(&stall.path("payout-account/destination")).by(&ada.token).send().await;
    assert_eq!(cancel().await.expect(200).body["coming"], Value::Null);
    cancel().await.expect_problem(409, "payout_account.nothing_waits");
    stall.request(json!({"currency": "EUR"})).await.expect_problem(409, "payout_account.no_destination");
    // Until a new one is used, the previous one is.
    shop.pays_to(seller, ada, &paypal("ada@example.org")).await;
    stall.choose(&ada.token, bank()).await.expect(200);
    let account = stall.account(&ada.token).await;
    assert_eq!((&account["current"]["means"], &account["coming"]["means"]), (&json!("paypal"), &json!("sepa")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_needs_a_recent_proof_of_identity_and_every_owner_is_told() {
    let stall = Stall::open().await;
    let Stall { shop, ada, seller, .. } = &stall;
    let eve = shop.person("eve@example.org").await;
    shop.join(seller, ada, &eve, "owner").await;
    shop.age_proof(&ada.session, 11).await;
    stall.choose(&ada.token, bank()).await.expect_problem(401, "auth.reauthentication_required");
    stall.choose(&eve.token, bank()).await.expect(200);
    eventually("both owners are told", async || {
        let head = shop.at_rest().await;
        let told = async |token: &str| {
            let found = shop.get("/v1/me/notifications").by(token).after(head).send().await.expect(200).body;
            let items = found["items"].as_array().unwrap().clone();
            items.iter().any(|it| it["template"] == "payout_destination_chosen")
        };
        (told(&ada.token).await && told(&eve.token).await).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_bank_account_in_sepa_or_an_account_at_paypal_is_a_destination() {
    let stall = Stall::open().await;
    let holder = "Ada Lovelace";
    for (body, pointer) in [
        (json!({"kind": "iban", "iban": "DE89370400440532013001", "holder": holder}), "/iban"),
        (json!({"kind": "iban", "iban": "DE8937040044053201300", "holder": holder}), "/iban"),
        (json!({"kind": "iban", "iban": "SA0380000000608010167519", "holder": holder}), "/iban"),
        (json!({"kind": "iban", "iban": IBAN}), "/holder"),
        (json!({"kind": "iban", "holder": holder}), "/iban"),
        (json!({"kind": "iban", "iban": IBAN, "holder": holder, "email": "ada@example.org"}), "/email"),
        (json!({"kind": "iban", "iban": IBAN, "holder": ""}), "/holder"),
        (json!({"kind": "paypal", "email": "ada"}), "/email"),
    ] {
        let refused = stall.choose(&stall.ada.token, body.clone()).await.expect(422);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{body}: {}", refused.body);
    }
    stall.choose(&stall.ada.token, json!({})).await.expect(422);
    stall.choose(&stall.ada.token, json!({"kind": "paypal", "email": "ada@example.org"})).await.expect(200);
}
