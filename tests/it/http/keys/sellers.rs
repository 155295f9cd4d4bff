//! Keys of sellers: kept by their members, who hear when few are left and when a key that was seen is revoked.

use byteshop_tests::people::Person;
use byteshop_tests::shop::{Answer, TestShop};
use serde_json::json;

use super::{Kiosk, keys};

/// A seller with a published product that is delivered by keys.
struct Stand {
    kiosk: Kiosk,
    seller: String,
    ada: Person,
    bob: Person,
    eve: Person,
}

impl Stand {
    async fn open() -> Self {
        let shop = TestShop::start().await;
        let ada = shop.person("ada@example.org").await;
        let (bob, eve) = (shop.person("bob@example.org").await, shop.person("eve@example.org").await);
        let seller = shop.seller(&ada, "editors").await;
        shop.join(&seller, &ada, &bob, "staff").await;
        shop.seller(&eve, "pans").await;
        let (product, _) = shop.product_of(&seller, &ada, "BOX", 500, 1).await;
        let variant = json!({"sku": "KEY-1", "price": {"amount": 500, "currency": "EUR"}, "physical": false});
        let added = shop.post(&format!("/v1/products/{product}/variants")).by(&ada.token).json(variant).send().await;
        let added = added.expect(201).body;
        let variants = added["variants"].as_array().unwrap();
        let variant = variants.iter().find(|it| it["sku"] == "KEY-1").unwrap()["id"].as_str().unwrap().to_owned();
        let staff = shop.token(byteshop_gateway::security::token::Role::Support);
        Self { kiosk: Kiosk { shop, staff, product, variant }, seller, ada, bob, eve }
    }

    async fn import(&self, by: &Person, count: usize) -> Answer {
        let call = self.kiosk.shop.post(&self.kiosk.path()).by(&by.token).header("Content-Type", "text/plain");
        call.body_raw(keys("K", count).join("\n")).send().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_members_of_a_seller_keep_its_keys() {
    let stand = Stand::open().await;
    let (shop, path) = (&stand.kiosk.shop, stand.kiosk.path());
    assert_eq!(stand.import(&stand.bob, 6).await.expect(200).body["imported"], 6);
    stand.import(&stand.eve, 6).await.expect_problem(403, "product.not_yours");
    let withdraw =
        |by: &Person| shop.post(&format!("{path}/withdraw")).by(&by.token).json(json!({"batch": 1, "quantity": 1}));
    let alert = |by: &Person| shop.put(&format!("{path}/alert")).by(&by.token).json(json!({"below": 5}));
    let see = |by: &Person| shop.get(&path).by(&by.token);
    for refused in [withdraw(&stand.eve).send().await, alert(&stand.eve).send().await, see(&stand.eve).send().await] {
        refused.expect_problem(403, "product.not_yours");
    }
    alert(&stand.ada).send().await.expect(200);
    assert_eq!(withdraw(&stand.ada).send().await.expect(200).body["withdrawn"], 1);
    assert_eq!(see(&stand.bob).send().await.expect(200).body["available"], 5);
    // What the house sells is not theirs, and to those who do not see a product there is no such variant.
    let house = Kiosk::of_house(shop).await;
    let other =
        shop.post(&format!("/v1/variants/{house}/keys")).by(&stand.ada.token).header("Content-Type", "text/plain");
    other.body_raw("A").send().await.expect_problem(403, "product.not_yours");
    shop.post(&format!("/v1/products/{}/unpublish", stand.kiosk.product)).by(&stand.ada.token).send().await.expect(200);
    stand.import(&stand.eve, 6).await.expect_problem(404, "product.missing");
    shop.post(&path).body_raw("A").send().await.expect_problem(401, "auth.missing");
    shop.decide(&stand.seller, "suspend").await.expect(200);
    stand.import(&stand.bob, 7).await.expect_problem(409, "seller.not_active");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_hear_of_few_keys_and_of_revoked_ones_that_were_seen() {
    let stand = Stand::open().await;
    let kiosk = &stand.kiosk;
    stand.import(&stand.ada, 3).await.expect(200);
    let alert = kiosk.shop.put(&format!("{}/alert", kiosk.path())).by(&stand.ada.token).json(json!({"below": 3}));
    alert.send().await.expect(200);
    let (order, cart) = kiosk.sold(2).await;
    for member in ["ada@example.org", "bob@example.org"] {
        let mail = kiosk.mail(member, "Few keys are left").await;
        assert!(mail.contains("KEY-1") || mail.contains("Kettle BOX"), "{mail}");
        assert!(mail.contains(": 1.") && mail.contains("Seller editors"), "{mail}");
    }
    let first = json!({"variant": kiosk.variant, "quantity": 1});
    kiosk.shop.post(&format!("{order}/keys/reveal")).with(&cart).json(first).send().await.expect(200);
    let payment = kiosk.shop.get(&order).with(&cart).send().await.expect(200).body["payment"].clone();
    let all = json!({"amount": {"amount": 1_000, "currency": "EUR"}, "reason": "does not start"});
    let refund = format!("/v1/payments/{}/refunds", payment.as_str().unwrap());
    kiosk.shop.post(&refund).by(&kiosk.staff).json(all).send().await.expect(201);
    let mail = kiosk.mail("bob@example.org", "Keys were revoked").await;
    // Only the key that was seen.
    assert!(mail.contains("batch 1, key 1\n") && !mail.contains("CANARY"), "{mail}");
    let to_eve = kiosk.shop.get("/dev/mail?to=eve@example.org").header("Accept", "application/json").send().await;
    assert!(!to_eve.expect(200).body.to_string().contains("keys"), "a stranger hears of the keys of a seller");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_all_of_a_part_revokes_its_keys() {
    let stand = Stand::open().await;
    let Stand { kiosk, ada, .. } = &stand;
    let shop = &kiosk.shop;
    stand.import(ada, 2).await.expect(200);
    let (_, lamp) = shop.product("LAMP", 700, 1).await;
    let cart = shop.guest_cart().await;
    for variant in [&lamp, &kiosk.variant] {
        let line = format!("/v1/carts/{}/lines/{variant}", cart.id);
        shop.put(&line).with(&cart).json(json!({"quantity": 1})).send().await.expect(200);
    }
    let to = byteshop_tests::shop::address("FR");
    shop.put(&format!("/v1/carts/{}/address", cart.id)).with(&cart).json(to).send().await.expect(200);
    let placed = shop.post(&format!("/v1/carts/{}/checkout", cart.id)).with(&cart).send().await.expect(201);
    let path = format!("/v1/orders/{}", placed.text("/id"));
    kiosk.pay(&path, &cart).await;
    let refund = async |amount: i64, part: i64| {
        let body = json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "does not start", "part": part});
        let refunds = format!("/v1/payments/{}/refunds", placed.text("/payment"));
        shop.post(&refunds).by(&kiosk.staff).json(body).send().await.expect(201);
        kiosk.pool().await["revoked"].clone()
    };
    assert_eq!(refund(700, 1).await, 0, "the part of the house has no keys");
    assert_eq!(refund(499, 2).await, 0, "a cent of the part is left");
    assert_eq!(refund(1, 2).await, 1);
    shop.post(&format!("{path}/keys/reveal")).with(&cart).send().await.expect_problem(409, "order.no_keys");
}
