//! Licence keys: imported, sold, shown to their buyer and to nobody else, and each of them once.

mod buying;
mod generating;
mod importing;
mod races;
mod refunds;
mod sellers;

use std::collections::BTreeSet;

use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{Answer, GuestCart, TestShop};
use serde_json::{Value, json};

/// A shop that sells keys.
pub(super) struct Kiosk {
    pub(super) shop: TestShop,
    pub(super) staff: String,
    pub(super) product: String,
    pub(super) variant: String,
}

impl Kiosk {
    pub(super) async fn open() -> Self {
        Self::of(TestShop::start().await).await
    }

    /// A shop with a variant that is no physical item.
    pub(super) async fn of(shop: TestShop) -> Self {
        let staff = shop.token(Role::Support);
        let (product, _) = shop.product("KEY-CASE", 500, 0).await;
        let variant = json!({"sku": "KEY-1", "price": {"amount": 500, "currency": "EUR"}, "physical": false});
        let path = format!("/v1/products/{product}/variants");
        let added = shop.post(&path).by(&staff).json(variant).send().await.expect(201);
        let variants = added.body["variants"].as_array().unwrap();
        let variant = variants.iter().find(|it| it["sku"] == "KEY-1").unwrap()["id"].as_str().unwrap().to_owned();
        Self { shop, staff, product, variant }
    }

    pub(super) fn path(&self) -> String {
        format!("/v1/variants/{}/keys", self.variant)
    }

    /// Sends a file.
    pub(super) async fn send(&self, kind: &str, file: impl Into<reqwest::Body>) -> Answer {
        self.shop.post(&self.path()).by(&self.staff).header("Content-Type", kind).body_raw(file).send().await
    }

    /// Imports these keys, a line each.
    pub(super) async fn import(&self, keys: &[String]) -> Answer {
        self.send("text/plain", keys.join("\n")).await.expect(200)
    }

    pub(super) async fn pool(&self) -> Value {
        self.shop.get(&self.path()).by(&self.staff).send().await.expect(200).body
    }

    /// An order of a guest that is paid.
    pub(super) async fn sold(&self, quantity: i64) -> (String, GuestCart) {
        let (placed, cart) = self.shop.order(&self.variant, quantity).await;
        let path = format!("/v1/orders/{}", placed.text("/id"));
        self.pay(&path, &cart).await;
        (path, cart)
    }

    pub(super) async fn pay(&self, path: &str, cart: &GuestCart) {
        let pay = json!({"provider": "test", "token": "tok_success"});
        self.shop.post(&format!("{path}/payments")).with(cart).json(pay).send().await.expect(201);
        eventually("the order is paid", async || {
            let order = self.shop.get(path).with(cart).send().await.expect(200);
            (order.body["payment_status"] == "paid").then_some(())
        })
        .await;
    }

    /// The keys of an order, as its buyer sees them.
    pub(super) async fn revealed(&self, path: &str, cart: &GuestCart) -> Vec<String> {
        let reveal = self.shop.post(&format!("{path}/keys/reveal")).with(cart).json(json!({}));
        keys_of(&reveal.send().await.expect(200).body)
    }

    /// A variant of the house that is no physical item.
    pub(super) async fn of_house(shop: &TestShop) -> String {
        let (product, _) = shop.product("HOUSE-CASE", 500, 0).await;
        let variant = json!({"sku": "HOUSE-1", "price": {"amount": 500, "currency": "EUR"}, "physical": false});
        let path = format!("/v1/products/{product}/variants");
        let added = shop.post(&path).by(&shop.token(Role::Support)).json(variant).send().await.expect(201);
        let variants = added.body["variants"].as_array().unwrap();
        variants.iter().find(|it| it["sku"] == "HOUSE-1").unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// The text of the mail to an address whose subject has these words.
    pub(super) async fn mail(&self, to: &str, words: &str) -> String {
        let path = format!("/dev/mail?to={to}");
        eventually(&format!("the mail to {to}: {words}"), async || {
            let mails = self.shop.get(&path).header("Accept", "application/json").send().await.expect(200).body;
            let found = mails["items"].as_array()?.iter().find(|mail| mail["subject"].to_string().contains(words))?;
            Some(found["text"].as_str()?.to_owned())
        })
        .await
    }

    /// What is in the tables of the log and of the views that are not the keys themselves.
    pub(super) async fn everything_stored(&self) -> String {
        let mut all = String::new();
        for table in self.tables().await {
            if table != "log.pool_key" {
                let rows = sqlx::AssertSqlSafe(format!("select coalesce(string_agg(t::text, ' '), '') from {table} t"));
                all += &sqlx::query_scalar::<_, String>(rows).fetch_one(self.shop.log.pool()).await.unwrap();
            }
        }
        all
    }

    async fn tables(&self) -> Vec<String> {
        sqlx::query_scalar(
            "select table_schema || '.' || table_name from information_schema.tables
              where table_schema in ('log', 'read', 'emulator') and table_type = 'BASE TABLE'",
        )
        .fetch_all(self.shop.log.pool())
        .await
        .unwrap()
    }
}

/// So many keys with this beginning.
pub(super) fn keys(beginning: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{beginning}-{number:06}-CANARY")).collect()
}

/// The keys in an answer that reveals them.
pub(super) fn keys_of(body: &Value) -> Vec<String> {
    let lines = body["lines"].as_array().unwrap();
    let keys = lines.iter().flat_map(|line| line["keys"].as_array().unwrap());
    keys.map(|key| key.as_str().unwrap().to_owned()).collect()
}

pub(super) fn set(keys: &[String]) -> BTreeSet<&str> {
    keys.iter().map(String::as_str).collect()
}

/// The numbers of a pool: imported, available, reserved, assigned, withdrawn.
pub(super) fn numbers(pool: &Value) -> [i64; 5] {
    ["imported", "available", "reserved", "assigned", "withdrawn"].map(|name| pool[name].as_i64().unwrap())
}
