//! The list of returns, from which staff works: what waits for an answer, and what became of the rest.

use byteshop_gateway::security::token::Role;
use byteshop_projections::replay::Replay;
use byteshop_tests::shop::{Answer, TestShop};
use serde_json::json;

use super::aftersales::{Paid, lines, paid};

struct Desk {
    shop: TestShop,
    staff: String,
    variant: String,
}

impl Desk {
    async fn new() -> Self {
        let shop = TestShop::start().await;
        let staff = shop.token(Role::Support);
        let (_, variant) = shop.product("R-1", 500, 9).await;
        Self { shop, staff, variant }
    }

    /// An order that has arrived.
    async fn sold(&self, quantity: i64) -> Paid {
        let order = paid(&self.shop, &self.variant, quantity).await;
        self.shop.post(&format!("{}/fulfil", order.path)).by(&self.staff).send().await.expect(200);
        order
    }

    /// A piece of it is to come back; gives the return's id.
    async fn wanted_back(&self, order: &Paid, comment: &str) -> String {
        let back = json!({"lines": lines(&self.variant, 1), "reason": "damaged", "comment": comment});
        let path = format!("{}/returns", order.path);
        self.shop.post(&path).with(&order.cart).json(back).send().await.expect(201).id()
    }

    async fn does(&self, id: &str, what: &str, body: serde_json::Value) -> Answer {
        self.shop.post(&format!("/v1/returns/{id}/{what}")).by(&self.staff).json(body).send().await.expect(200)
    }

    async fn asks(&self, query: &str) -> Answer {
        let head = self.shop.log.head().await.unwrap().to_string();
        let path = format!("/v1/returns{query}");
        self.shop.get(&path).by(&self.staff).after(&head).send().await
    }

    /// The ids of the returns that are found, the newest first.
    async fn finds(&self, query: &str) -> Vec<String> {
        let found = self.asks(query).await.expect(200);
        found.body["items"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_sees_the_returns_of_all_orders_and_what_waits_for_it() {
    let desk = Desk::new().await;
    let (one, other) = (desk.sold(3).await, desk.sold(1).await);
    let mut ids = Vec::new();
    for (order, comment) in [(&one, "Rahel fell over it"), (&one, "no"), (&one, "no"), (&other, "no")] {
        ids.push(desk.wanted_back(order, comment).await);
    }
    let [back, kept, worn, new] = &ids[..] else { panic!("{ids:?}") };
    desk.does(back, "approve", json!({})).await;
    assert_eq!(desk.finds("?status=approved").await, std::slice::from_ref(back));
    let came = json!([{"variant": desk.variant, "quantity": 1, "condition": "used", "restock": false}]);
    desk.does(back, "receive", json!({"lines": came})).await;
    desk.does(kept, "withdraw", json!({})).await;
    desk.does(worn, "reject", json!({"reason": "Rahel wore it"})).await;
    one.awaits(&desk.shop, "/payment_status", "partly_refunded").await;
    desk.shop.at_rest().await;

    let newest_first: Vec<_> = ids.iter().rev().cloned().collect();
    assert_eq!(desk.finds("").await, newest_first);
    for (status, id) in [("requested", new), ("withdrawn", kept), ("rejected", worn), ("refunded", back)] {
        assert_eq!(desk.finds(&format!("?status={status}")).await, std::slice::from_ref(id), "{status}");
    }
    assert_eq!(desk.finds("?status=received").await, [""; 0]);
    let order = one.path.trim_start_matches("/v1/orders/");
    assert_eq!(desk.finds(&format!("?order={order}")).await, newest_first[1..]);
    assert_eq!(desk.finds(&format!("?order={order}&status=rejected")).await, std::slice::from_ref(worn));
    assert_eq!(desk.finds(&format!("?order={order}&status=requested")).await, [""; 0]);

    // Pages go on within what is asked for.
    let page = desk.asks(&format!("?order={order}&limit=2")).await.expect(200);
    assert_eq!(page.body["items"].as_array().unwrap().len(), 2);
    let rest = desk.asks(&format!("?order={order}&limit=2&cursor={}", page.text("/next"))).await.expect(200);
    assert_eq!((rest.text("/items/0/id"), rest.body["next"].is_null()), (back.as_str(), true));

    // A row says what the return itself does, save for what people say in their own words.
    let row = &rest.body["items"][0];
    let it = desk.shop.get(&format!("/v1/returns/{back}")).by(&desk.staff).send().await.expect(200).body;
    for field in ["id", "order", "status", "lines", "reason", "amount", "refund", "credit_note"] {
        assert_eq!((&row[field], row[field].is_null()), (&it[field], false), "{field}");
    }
    assert_eq!((&row["quantity"], &row["amount"]["amount"]), (&json!(1), &json!(500)));
    assert!(row["requested_at"].as_str() < row["changed_at"].as_str(), "{row}");
    let all = desk.asks("").await.expect(200).body.to_string();
    assert!(!all.contains("Rahel") && !all.contains("comment") && !all.contains("sealed"), "{all}");

    let report = desk.shop.views.replay("return_list", Replay::Check, &|_| {}).await.unwrap();
    assert_eq!((report.different, report.rows), (0, 4), "{:?}", report.differences);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_returns_is_for_staff_and_its_questions_are_read_closely() {
    let desk = Desk::new().await;
    let order = desk.sold(1).await;
    let it = desk.wanted_back(&order, "no").await;
    for (query, parameter) in [
        ("status=lost", "status"),
        ("status=", "status"),
        ("status=requested&status=approved", "status"),
        ("order=7", "order"),
        ("order=pay_01h455vb4pex5vsknk084sn02q", "order"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=nonsense", "cursor"),
        ("reason=damaged", "reason"),
    ] {
        let refused = desk.asks(&format!("?{query}")).await.expect_problem(400, "request.invalid_query");
        assert_eq!(refused.text("/errors/0/parameter"), parameter, "{query}: {}", refused.body);
    }
    let ada = desk.shop.person("ada@example.org").await;
    desk.shop.get("/v1/returns").by(&ada.token).send().await.expect_problem(403, "auth.forbidden");
    desk.shop.get("/v1/returns").with(&order.cart).send().await.expect_problem(401, "auth.missing");
    desk.shop.get("/v1/returns").send().await.expect_problem(401, "auth.missing");
    assert_eq!(desk.finds("?limit=100").await, [it]);
}
