//! All variants of a product in one request: each combination once, and each by itself.

use byteshop_tests::shop::Answer;
use serde_json::{Value, json};

use super::categories::Staff;

fn euros(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

fn shirt() -> Value {
    json!([{"name": "size", "values": ["S", "M", "L"]}, {"name": "colour", "values": ["red", "sky blue"]}])
}

fn rows(answer: &Answer) -> Vec<(u64, String)> {
    let rows = answer.body["rows"].as_array().unwrap().iter();
    rows.map(|row| (row["status"].as_u64().unwrap(), row["sku"].as_str().unwrap_or("-").to_owned())).collect()
}

async fn product(staff: &Staff, title: &str) -> String {
    format!("/v1/products/{}", staff.post("/v1/products", json!({"title": title})).await.expect(201).id())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_combination_is_made_once_and_refused_by_itself() {
    let staff = Staff::start().await;
    let taken = product(&staff, "Other").await;
    let variant = json!({"sku": "SHIRT-L-red", "price": euros(1)});
    staff.post(&format!("{taken}/variants"), variant).await.expect(201);
    let path = product(&staff, "Shirt").await;
    let matrix = format!("{path}/variants/matrix");
    let body = json!({
        "options": shirt(), "sku": "SHIRT-{size}-{colour}", "price": euros(2_000), "weight_g": 200,
        "variants": [
            {"options": {"size": "L", "colour": "sky blue"}, "price": euros(2_200), "sku": "BIG", "title": "The big one"},
            {"options": {"size": "S", "colour": "red"}, "skip": true},
        ],
    });
    let made = staff.post(&matrix, body.clone()).await.expect(200);
    assert_eq!((&made.body["made"], &made.body["present"], &made.body["refused"]), (&json!(4), &json!(0), &json!(1)));
    let expected =
        [(201, "SHIRT-S-sky-blue"), (201, "SHIRT-M-red"), (201, "SHIRT-M-sky-blue"), (409, "-"), (201, "BIG")];
    assert_eq!(rows(&made), expected.map(|(status, sku)| (status, sku.to_owned())));
    assert_eq!(made.body["rows"][3]["problem"]["code"], "name.taken");
    assert_eq!(made.body["rows"][3]["options"], json!({"size": "L", "colour": "red"}));
    let shown = staff.shop.get(&path).by(&staff.admin).send().await.expect(200);
    let variants = shown.body["variants"].as_array().unwrap();
    let find = |sku: &str| variants.iter().find(|it| it["sku"] == sku).unwrap();
    assert_eq!((variants.len(), &shown.body["options"]), (4, &shirt()));
    let usual = find("SHIRT-M-red");
    assert_eq!(
        (&usual["price"], &usual["weight_g"], &usual["title"]),
        (&euros(2_000), &json!(200), &json!("Shirt, M, red"))
    );
    assert_eq!((&find("BIG")["price"], &find("BIG")["title"]), (&euros(2_200), &json!("The big one")));
    // Each has a stock of its own from the beginning.
    let stock = format!("/v1/variants/{}/stock", find("BIG")["id"].as_str().unwrap());
    let received = json!({"type": "received", "quantity": 3});
    staff.post(&stock, received).await.expect(200);

    // Asked again with a value more, only what is new is made.
    let more = json!({
        "options": [{"name": "size", "values": ["S", "M", "L"]}, {"name": "colour", "values": ["red", "sky blue", "green"]}],
        "sku": "SHIRT-{size}-{colour}-2", "price": euros(2_000),
    });
    let more = staff.post(&matrix, more).await.expect(200);
    assert_eq!((&more.body["made"], &more.body["present"], &more.body["refused"]), (&json!(5), &json!(4), &json!(0)));
    // Without options, it is about those that the product has.
    let again = staff.post(&matrix, json!({"sku": "X-{size}-{colour}", "price": euros(1)})).await.expect(200);
    assert_eq!((&again.body["made"], &again.body["present"]), (&json!(0), &json!(9)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_again_makes_nothing_again() {
    let staff = Staff::start().await;
    let path = format!("{}/variants/matrix", product(&staff, "Shirt").await);
    let body = json!({"options": shirt(), "sku": "K-{size}-{colour}", "price": euros(100)});
    let send = || staff.shop.post(&path).by(&staff.admin).key("matrix").json(body.clone()).send();
    let (first, second) = (send().await.expect(200), send().await.expect(200));
    assert_eq!((first.body["made"].clone(), &first.body), (json!(6), &second.body));
    // Two at once make each combination once.
    let path = format!("{}/variants/matrix", product(&staff, "Other").await);
    let body = json!({"options": shirt(), "sku": "R-{size}-{colour}", "price": euros(100)});
    let send = || staff.shop.post(&path).by(&staff.admin).json(body.clone()).send();
    let (one, other) = tokio::join!(send(), send());
    let sum = |field: &str| one.body[field].as_u64().unwrap() + other.body[field].as_u64().unwrap();
    assert_eq!((sum("made"), sum("present"), sum("refused")), (6, 6, 0), "{} {}", one.body, other.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_matrix_that_makes_no_sense_is_refused_as_a_whole() {
    let staff = Staff::start().await;
    let path = product(&staff, "Shirt").await;
    let matrix = format!("{path}/variants/matrix");
    let with = |fields: Value| {
        let mut body = json!({"options": shirt(), "sku": "S-{size}-{colour}", "price": euros(100)});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    staff.post(&matrix, json!({"sku": "S", "price": euros(1)})).await.expect_problem(422, "request.invalid");
    let many: Vec<String> = (0..101).map(|number| number.to_string()).collect();
    for (fields, status, code, pointer) in [
        (json!({"sku": "S-{length}"}), 422, "request.invalid", "/sku"),
        (json!({"sku": "S-{size"}), 422, "request.invalid", "/sku"),
        (json!({"options": [{"name": "size", "values": []}]}), 422, "product.option_values", "/options/0/values"),
        (json!({"options": [{"name": "size", "values": many}]}), 422, "request.invalid", "/options/0/values"),
        (
            json!({"options": [{"name": "a", "values": many[..11]}, {"name": "b", "values": many[..10]}], "sku": "{a}-{b}"}),
            422,
            "request.invalid",
            "/options",
        ),
        (
            json!({"variants": [{"options": {"size": "XXL", "colour": "red"}}]}),
            422,
            "request.invalid",
            "/variants/0/options",
        ),
        (json!({"price": {"amount": -1, "currency": "EUR"}}), 422, "request.invalid", "/price"),
        (json!({"colour": "red"}), 422, "request.invalid", "/colour"),
    ] {
        let refused = staff.post(&matrix, with(fields)).await.expect_problem(status, code);
        assert_eq!(refused.text("/errors/0/pointer"), pointer, "{}", refused.body);
    }
    // A code that is too long, or on two lines, is that combination's affair.
    for code in ["x".repeat(64), "x\u{2028}".to_owned()] {
        let done = staff.post(&matrix, with(json!({"sku": format!("{code}{{size}}")}))).await.expect(200);
        assert_eq!((&done.body["made"], &done.body["refused"]), (&json!(0), &json!(6)));
    }
    let none = "/v1/products/prod_00000000000000000000000009/variants/matrix";
    staff.post(none, with(json!({}))).await.expect_problem(404, "product.missing");
    let customer = staff.shop.token(byteshop_gateway::security::token::Role::Customer);
    staff.shop.post(&matrix).by(&customer).json(with(json!({}))).send().await.expect_problem(404, "product.missing");
}
