//! The ledger is compared with PayPal's books charge by charge, at any time and once a day.

use byteshop_domain::reconciliation::Comparison;
use byteshop_eventstore::Clock;
use byteshop_gateway::reconcile::compare_until;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Connected, Order, eventually};

impl Connected {
    /// Compares a page of charges.
    pub(super) async fn compared(&self, query: &str) -> Value {
        let head = self.shop.at_rest().await;
        let path = format!("/v1/admin/ledger/reconciliation?provider=paypal{query}");
        self.shop.get(&path).by(&self.staff).after(head).send().await.expect(200).body
    }

    /// The comparison of today, as the one of a day that is over.
    async fn compared_today(&self) -> Option<Comparison> {
        self.shop.at_rest().await;
        compare_until(&self.shop.commands, &self.shop.views, Clock.now()).await.unwrap()
    }

    async fn recorded_days(&self) -> Vec<Value> {
        let found = self.shop.get("/v1/admin/ledger/reconciliations").by(&self.staff).send().await.expect(200).body;
        found["items"].as_array().unwrap().clone()
    }
}

fn euro(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

#[tokio::test(flavor = "multi_thread")]
async fn charges_that_moved_are_compared_page_by_page() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PC-1", 1999, 99).await;
    let orders: Vec<Order> = join_all((0..5).map(|_| it.paid(&variant))).await;
    assert_eq!(it.compared("").await, json!({"charges": 5, "different": 0, "items": [], "next": null}));
    let (mut charges, mut cursor) = (vec![], String::new());
    loop {
        let page = it.compared(&format!("&limit=2{cursor}")).await;
        charges.push(page["charges"].as_u64().unwrap());
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(charges, [2, 2, 1]);
    let long_ago = it.compared("&from=2020-01-01T00:00:00Z&until=2020-02-01T00:00:00Z").await;
    // Days are as good as times.
    assert_eq!(it.compared("&from=2020-01-01&until=2020-02-01").await, long_ago);
    assert_ne!(it.compared("&from=2020-01-01").await, long_ago);
    assert_eq!(long_ago["charges"], 0);
    // Something moves at PayPal that the shop has not heard of.
    it.paypal.switch(json!({"loss_percent": 100})).await;
    it.refunds_at_paypal(&orders[0], "5.00").await;
    let found = it.compared("").await;
    assert_eq!((&found["charges"], &found["different"]), (&json!(5), &json!(1)), "{found}");
    let item = &found["items"][0];
    assert_eq!((&item["ledger"], &item["provider"]), (&euro(1_999), &euro(1_499)));
    assert_eq!(
        (&item["ledger_fee"], item["order"].as_str()),
        (&item["provider_fee"], orders[0].path.rsplit('/').next())
    );
    it.paypal.switch(json!({"operations": ["orders.get"], "error_percent": 100})).await;
    let path = "/v1/admin/ledger/reconciliation?provider=paypal";
    it.shop.get(path).by(&it.staff).send().await.expect_problem(503, "payment.provider_unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_compared_once_and_what_lost_webhooks_would_have_told_is_recorded() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PC-2", 1999, 99).await;
    let [kept, refunded, disputed] = [it.paid(&variant).await, it.paid(&variant).await, it.paid(&variant).await];
    it.paypal.switch(json!({"loss_percent": 100})).await;
    it.refunds_at_paypal(&refunded, "5.00").await;
    it.disputes(&disputed, Some("3.00")).await;
    it.refunds_at_paypal(&disputed, "2.00").await;
    // Yesterday is over, and nothing had moved.
    let yesterday = eventually("yesterday is compared", async || it.recorded_days().await.first().cloned()).await;
    assert_eq!((&yesterday["charges"], &yesterday["differences"]), (&json!(0), &json!([])));
    let found = it.compared_today().await.unwrap();
    assert_eq!((found.charges, found.different), (3, 1), "{found:?}");
    // The refund is recorded; what may be a part of the open dispute is a difference.
    assert_eq!(it.counts(&refunded).await, [0, 1_499, 500]);
    assert_eq!(it.counts(&disputed).await, [300, 1_699, 0]);
    let days = it.recorded_days().await;
    assert_eq!((days.len(), &days[0]["provider"], &days[0]["different"]), (2, &json!("paypal"), &json!(1)));
    let difference = &days[0]["differences"][0];
    assert_eq!((&difference["ledger"], &difference["provider"]), (&euro(1_999), &euro(1_799)));
    assert_eq!(difference["order"].as_str(), disputed.path.rsplit('/').next());
    // The same day again changes nothing.
    assert_eq!(it.compared_today().await, None);
    assert_eq!(it.recorded_days().await, days);
    assert_eq!(it.counts(&kept).await, [0, 1_999, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn comparisons_are_for_staff() {
    let it = Connected::start().await;
    let path = "/v1/admin/ledger/reconciliations";
    it.shop.get(path).send().await.expect_problem(401, "auth.missing");
    it.shop
        .get("/v1/admin/ledger/reconciliation?provider=cash")
        .by(&it.staff)
        .send()
        .await
        .expect_problem(400, "request.invalid_query");
}
