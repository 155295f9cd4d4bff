//! Downloads: what a variant delivers is for the buyers of paid orders alone, as often and as long as it was sold.

mod files;
mod links;
mod versions;

use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{Answer, GuestCart, TestShop};
use reqwest::Method;
use serde_json::{Value, json};

/// A shop that sells downloads.
pub(super) struct Outlet {
    pub(super) shop: TestShop,
    pub(super) staff: String,
    pub(super) variant: String,
}

impl Outlet {
    pub(super) async fn open() -> Self {
        Self::of(TestShop::start().await).await
    }

    /// A shop with a variant that is no physical item.
    pub(super) async fn of(shop: TestShop) -> Self {
        let staff = shop.token(Role::Support);
        let (product, _) = shop.product("APP-CASE", 500, 0).await;
        let variant = json!({"sku": "APP-1", "price": {"amount": 500, "currency": "EUR"}, "physical": false});
        let path = format!("/v1/products/{product}/variants");
        let added = shop.post(&path).by(&staff).json(variant).send().await.expect(201);
        let variants = added.body["variants"].as_array().unwrap();
        let variant = variants.iter().find(|it| it["sku"] == "APP-1").unwrap()["id"].as_str().unwrap().to_owned();
        Self { shop, staff, variant }
    }

    /// The path of what the variant delivers.
    pub(super) fn path(&self, of: &str) -> String {
        format!("/v1/variants/{}/downloads{of}", self.variant)
    }

    pub(super) async fn set_link(&self, link: &str) -> Answer {
        self.shop.put(&self.path("/link")).by(&self.staff).json(json!({"link": link})).send().await
    }

    pub(super) async fn set_limits(&self, days: Option<u32>, downloads: Option<u32>) -> Answer {
        let limits = json!({"days": days, "downloads": downloads});
        self.shop.put(&self.path("/limits")).by(&self.staff).json(limits).send().await
    }

    /// Checks that there is nothing to buy.
    pub(super) async fn is_not_sold(&self) {
        let stock = format!("/v1/variants/{}/stock", self.variant);
        let stock = self.shop.get(&stock).by(&self.staff).send().await.expect(200).body;
        assert_eq!((&stock["available"], &stock["suspended"]), (&json!(0), &json!(true)));
        let cart = self.shop.guest_cart().await;
        let line = self.shop.put(&format!("/v1/carts/{}/lines/{}", cart.id, self.variant)).with(&cart);
        line.json(json!({"quantity": 1})).send().await.expect_problem(409, "stock.not_enough");
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

    /// What a guest's order can download.
    pub(super) async fn downloads(&self, path: &str, cart: &GuestCart) -> Value {
        let list = self.shop.get(&format!("{path}/downloads")).with(cart).send().await.expect(200);
        list.body["lines"][0]["downloads"].clone()
    }

    /// Refunds so much of a guest's order for so many of its pieces.
    pub(super) async fn refund(&self, path: &str, cart: &GuestCart, amount: i64, pieces: i64) -> Answer {
        let order = self.shop.get(path).with(cart).send().await.expect(200);
        let mut body = json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "does not start"});
        if pieces > 0 {
            body["lines"] = json!([{"variant": self.variant, "quantity": pieces}]);
        }
        let refunds = format!("/v1/payments/{}/refunds", order.text("/payment"));
        self.shop.post(&refunds).by(&self.staff).json(body).send().await
    }

    /// Follows a URL that the shop has signed.
    pub(super) async fn follow(&self, url: &Value) -> Answer {
        self.shop.get(&path_of(url)).send().await
    }

    pub(super) async fn head(&self, url: &Value) -> Answer {
        self.shop.call(Method::HEAD, &path_of(url)).send().await
    }

    /// What is in the tables of the log and of the views.
    pub(super) async fn everything_stored(&self) -> String {
        let tables: Vec<String> = sqlx::query_scalar(
            "select table_schema || '.' || table_name from information_schema.tables
              where table_schema in ('log', 'read') and table_type = 'BASE TABLE'",
        )
        .fetch_all(self.shop.log.pool())
        .await
        .unwrap();
        let mut all = String::new();
        for table in tables {
            let rows = sqlx::AssertSqlSafe(format!("select coalesce(string_agg(t::text, ' '), '') from {table} t"));
            all += &sqlx::query_scalar::<_, String>(rows).fetch_one(self.shop.log.pool()).await.unwrap();
        }
        all
    }

    /// How many downloads the log has.
    pub(super) async fn counted(&self) -> i64 {
        sqlx::query_scalar("select count(*) from log.event where category = 'download' and type = 'started'")
            .fetch_one(self.shop.log.pool())
            .await
            .unwrap()
    }
}

/// The path and the query of a URL of the shop.
pub(super) fn path_of(url: &Value) -> String {
    let url = url.as_str().unwrap_or_else(|| panic!("no URL but {url}"));
    url[url.find("/v1/").unwrap()..].to_owned()
}
