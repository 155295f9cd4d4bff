//! Mails about new versions: each buyer once, and none to those who do not want them or have nothing left.

use byteshop_domain::subscribers::{self, Buyer};
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{Answer, TestShop};
use serde_json::{Value, json};

use super::Outlet;

/// A shop whose mails lead to its API, and a file that it sells.
struct Press {
    outlet: Outlet,
    file: String,
}

impl Press {
    async fn open() -> Self {
        let outlet = Outlet::of(super::super::links::shop_with_an_api().await).await;
        let path = format!("/v1/variants/{}/files?name=book.pdf", outlet.variant);
        let added = outlet.shop.post(&path).by(&outlet.staff).body_raw("%PDF-1").send().await.expect(201);
        let file = added.text("/files/0/file").to_owned();
        Self { outlet, file }
    }

    fn shop(&self) -> &TestShop {
        &self.outlet.shop
    }

    async fn release(&self, content: &'static str) -> Answer {
        let path = format!("/v1/variants/{}/files/{}", self.outlet.variant, self.file);
        let released = self.shop().put(&path).by(&self.outlet.staff).body_raw(content).send().await.expect(200);
        self.shop().at_rest().await;
        released
    }

    /// The mails about new versions to an address.
    async fn mails(&self, to: &str) -> Vec<Value> {
        self.shop().at_rest().await;
        let all = self.shop().get(&format!("/dev/mail?to={to}")).header("Accept", "application/json").send().await;
        let all = all.expect(200).body["items"].as_array().unwrap().clone();
        let is_new =
            |mail: &Value| ["New version of", "Новая версия"].iter().any(|it| mail["subject"].to_string().contains(it));
        all.into_iter().filter(is_new).collect()
    }

    async fn bought(&self, token: &str) -> String {
        let order = self.shop().buy(token, &self.outlet.variant, 1).await.expect(201).id();
        self.shop().pay(token, &order).await.expect(201);
        self.shop().at_rest().await;
        order
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_buyer_hears_once_of_a_new_version() {
    let press = Press::open().await;
    let shop = press.shop();
    let ada = shop.person("ada@example.org").await;
    let russian = json!({"locale": "ru"});
    shop.patch("/v1/me/settings").by(&ada.token).json(russian).send().await.expect(200);
    for _ in 0..2 {
        press.bought(&ada.token).await;
        press.outlet.sold(1).await;
    }
    assert!(press.mails("ada@example.org").await.is_empty(), "the first version is news to no one");
    press.release("%PDF-2").await;
    let (to_ada, to_guest) = (press.mails("ada@example.org").await, press.mails("rahel@example.org").await);
    assert_eq!((to_ada.len(), to_guest.len()), (1, 1), "{to_ada:?} {to_guest:?}");
    assert!(to_ada[0]["text"].as_str().unwrap().contains("Доступна версия 2 файла book.pdf"), "{}", to_ada[0]);
    let text = to_guest[0]["text"].as_str().unwrap();
    assert!(text.contains("Version 2 of book.pdf is available") && text.contains("/downloads/page?"), "{text}");
    press.release("%PDF-3").await;
    assert_eq!((press.mails("ada@example.org").await.len(), press.mails("rahel@example.org").await.len()), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_unsubscribed_given_back_or_left_hears_nothing() {
    let press = Press::open().await;
    let shop = press.shop();
    let (ada, bob) = (shop.person("ada@example.org").await, shop.person("bob@example.org").await);
    let (_, _) = (press.bought(&ada.token).await, press.bought(&bob.token).await);
    let (path, cart) = press.outlet.sold(1).await;
    press.release("%PDF-2").await;
    let mail = press.mails("ada@example.org").await.remove(0);
    let (_, rest) = mail["text"].as_str().unwrap().split_once("/updates/unsubscribe?").unwrap();
    let (before, _) = mail["text"].as_str().unwrap().split_once("/updates/unsubscribe?").unwrap();
    let order = &before[before.rfind("/v1/").unwrap()..];
    let link = format!("{order}/updates/unsubscribe?{}", rest.split_whitespace().next().unwrap());
    let page = shop.get(&link).send().await.expect(200);
    assert!(page.body.as_str().unwrap().contains("new versions of"), "{}", page.body);
    shop.get(&link.replace("seal=", "seal=0")).send().await.expect_problem(403, "link.invalid");
    for _ in 0..2 {
        shop.post(&link)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body_raw("")
            .send()
            .await
            .expect(200);
    }
    // Buying again does not subscribe her again.
    press.bought(&ada.token).await;
    press.outlet.refund(&path, &cart, 500, 0).await.expect(201);
    let gone = json!({"password": byteshop_tests::people::PASSWORD});
    shop.delete("/v1/me").by(&bob.token).json(gone).send().await.expect(204);
    press.release("%PDF-3").await;
    for (address, heard) in [("ada@example.org", 1), ("rahel@example.org", 1)] {
        assert_eq!(press.mails(address).await.len(), heard, "{address}");
    }
    let of_bob = subscribers::part_of(press.outlet.variant.parse().unwrap(), Buyer::Account(bob.id));
    let told: i64 = sqlx::query_scalar(
        "select count(*) from log.event where category = 'notification' and type = 'queued'
            and data->'message'->>'template' = 'file_updated' and data->'recipient'->>'account' = $1",
    )
    .bind(bob.id.to_string())
    .fetch_one(shop.log.pool())
    .await
    .unwrap();
    assert_eq!(told, 1, "an erased buyer is told: {of_bob}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_buyers_hear_each_once() {
    let press = Press::open().await;
    for _ in 0..6 {
        press.outlet.sold(1).await;
    }
    press.release("%PDF-2").await;
    let told: i64 = eventually("the mails are queued", async || {
        let told: i64 = sqlx::query_scalar(
            "select count(*) from log.event where category = 'notification' and type = 'queued'
                and data->'message'->>'template' = 'file_updated'",
        )
        .fetch_one(press.shop().log.pool())
        .await
        .unwrap();
        (told > 0).then_some(told)
    })
    .await;
    // All six orders are of one guest.
    assert_eq!(told, 1);
}
