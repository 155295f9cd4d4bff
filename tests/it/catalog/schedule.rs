//! Products that are shown and hidden by themselves, and what their prices were.

use byteshop_eventstore::Clock;
use byteshop_tests::patience::eventually;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::categories::Staff;

fn soon(milliseconds: i64) -> DateTime<Utc> {
    Clock.now() + TimeDelta::milliseconds(milliseconds)
}

async fn draft(staff: &Staff, sku: &str) -> String {
    let made = staff.post("/v1/products", json!({"title": "Thing"})).await.expect(201);
    let path = format!("/v1/products/{}", made.id());
    let variant = json!({"sku": sku, "price": {"amount": 100, "currency": "EUR"}});
    staff.post(&format!("{path}/variants"), variant).await.expect(201);
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_shown_and_hidden_when_its_moments_come() {
    let staff = Staff::start().await;
    let path = draft(&staff, "T-1").await;
    let (at, until) = (soon(700), soon(2200));
    let planned = staff.post(&format!("{path}/publish"), json!({"at": at, "until": until})).await.expect(200);
    assert_eq!((planned.text("/status"), &planned.body["schedule"]), ("draft", &json!({"at": at, "until": until})));
    staff.shop.get(&path).send().await.expect_problem(404, "product.missing");
    for expected in [200, 404] {
        eventually("the product is shown, then hidden", || async {
            let shown = staff.shop.get(&path).send().await;
            // When it will be hidden is nothing for buyers.
            assert!(shown.status != 200 || shown.body["schedule"].is_null(), "{}", shown.body);
            (shown.status == expected).then_some(())
        })
        .await;
    }
    let hidden = staff.shop.get(&path).by(&staff.admin).send().await.expect(200);
    assert_eq!((hidden.text("/status"), &hidden.body["schedule"]), ("unpublished", &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_planned_is_taken_back() {
    let staff = Staff::start().await;
    let (first, other) = (draft(&staff, "T-1").await, draft(&staff, "T-2").await);
    for path in [&first, &other] {
        staff.post(&format!("{path}/publish"), json!({"at": soon(600)})).await.expect(200);
    }
    let back = staff.post(&format!("{first}/unpublish"), json!({})).await.expect(200);
    assert_eq!((back.text("/status"), &back.body["schedule"]), ("draft", &Value::Null));
    // When the other one is shown, the moment of the first has passed too.
    eventually("the other product is shown", || async {
        (staff.shop.get(&other).send().await.status == 200).then_some(())
    })
    .await;
    staff.shop.get(&first).send().await.expect_problem(404, "product.missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_makes_no_sense_is_refused() {
    let staff = Staff::start().await;
    let path = draft(&staff, "T-1").await;
    let publish = async |body: Value| staff.post(&format!("{path}/publish"), body).await;
    let [near, far] = [soon(60_000), soon(120_000)];
    publish(json!({"at": far, "until": near})).await.expect_problem(422, "product.schedule_order");
    publish(json!({"until": soon(-1)})).await.expect_problem(422, "product.schedule_order");
    publish(json!({"at": "tomorrow"})).await.expect_problem(422, "request.invalid");
    publish(json!({"from": near})).await.expect_problem(422, "request.invalid");
    publish(json!({"until": far})).await.expect(200);
    publish(json!({"at": near})).await.expect_problem(409, "product.already_published");
    let for_good = publish(json!({})).await.expect(200);
    assert_eq!((for_good.text("/status"), &for_good.body["schedule"]), ("published", &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_prices_tells_what_a_reduction_is_told_with() {
    let staff = Staff::start().await;
    let (product, variant) = staff.shop.product("P-1", 2000, 0).await;
    let path = format!("/v1/products/{product}");
    let dollars = json!({"amount": 900, "currency": "USD"});
    for euros in [1200, 2500, 1800] {
        let prices = json!([{"price": {"amount": euros, "currency": "EUR"}}, {"price": dollars}]);
        staff.patch(&format!("{path}/variants/{variant}"), json!({"prices": prices})).await.expect(200);
    }
    let found = staff.shop.get(&format!("{path}/price-history")).send().await.expect(200);
    let histories = found.body["items"].as_array().unwrap();
    assert_eq!(histories.len(), 2);
    let euros = histories.iter().find(|history| history["currency"] == "EUR").unwrap();
    let amounts: Vec<_> = euros["entries"].as_array().unwrap().iter().map(|it| it["price"]["amount"].clone()).collect();
    assert_eq!(amounts, [2000, 1200, 2500, 1800]);
    assert_eq!((&euros["variant"], &euros["sku"]), (&json!(variant), &json!("P-1")));
    assert_eq!(euros["lowest_30_days"], json!({"amount": 1200, "currency": "EUR"}));
    assert_eq!(euros["reduction"]["lowest_before"], json!({"amount": 1200, "currency": "EUR"}));
    assert_eq!(euros["reduction"]["previous_price"], json!({"amount": 2500, "currency": "EUR"}));
    let last = &euros["entries"][3];
    assert_eq!((&last["until"], &last["compare_at"]), (&Value::Null, &Value::Null));
    let usd = histories.iter().find(|history| history["currency"] == "USD").unwrap();
    assert_eq!((usd["entries"].as_array().unwrap().len(), &usd["reduction"]), (1, &Value::Null));

    // The product itself says it as soon as a reduction is announced.
    let lowest = async || {
        let product = staff.shop.get(&path).send().await.expect(200);
        let prices = product.body["variants"][0]["prices"].as_array().unwrap().clone();
        prices.into_iter().map(|it| it["lowest_before"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(lowest().await, [Value::Null, Value::Null]);
    let announced =
        json!({"price": {"amount": 1800, "currency": "EUR"}, "compare_at": {"amount": 2500, "currency": "EUR"}});
    staff.patch(&format!("{path}/variants/{variant}"), announced).await.expect(200);
    assert_eq!(lowest().await, [json!({"amount": 1200, "currency": "EUR"}), Value::Null]);

    let hidden = draft(&staff, "P-2").await;
    staff.shop.get(&format!("{hidden}/price-history")).send().await.expect_problem(404, "product.missing");
    staff.shop.get(&format!("{hidden}/price-history")).by(&staff.admin).send().await.expect(200);
    let none = "/v1/products/prod_00000000000000000000000009/price-history";
    staff.shop.get(none).send().await.expect_problem(404, "product.missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_shown_by_then_is_not_and_says_why() {
    let staff = Staff::start().await;
    let category = staff.category("knives", None).await;
    let path = draft(&staff, "T-9").await;
    staff.patch(&path, json!({"category": category})).await.expect(200);
    let at = soon(1_500);
    staff.post(&format!("{path}/publish"), json!({"at": at})).await.expect(200);
    // Between the plan and its moment the category begins to ask for something.
    let length = json!([{"name": "length", "type": "text", "required": true}]);
    staff.declare(&category, length).await.expect(200);
    let refused = eventually("its moment came", || async {
        let product = staff.shop.get(&path).by(&staff.admin).send().await.expect(200);
        product.body["publication_refused"].is_object().then_some(product)
    })
    .await;
    assert_eq!((refused.text("/status"), &refused.body["schedule"]), ("draft", &Value::Null));
    assert_eq!(refused.body["publication_refused"]["at"], json!(at));
    let now = staff.post(&format!("{path}/publish"), json!({})).await;
    assert_eq!(now.body["code"], refused.body["publication_refused"]["code"], "{}", now.body);
    staff.shop.get(&path).send().await.expect_problem(404, "product.missing");
    // Put right, it is shown, and nothing is said any more.
    staff.patch(&path, json!({"attributes": {"length": "20 cm"}})).await.expect(200);
    let shown = staff.post(&format!("{path}/publish"), json!({})).await.expect(200);
    assert_eq!((shown.text("/status"), &shown.body["publication_refused"]), ("published", &Value::Null));
}
