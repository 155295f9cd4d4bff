//! Many products at once: every row by itself, and none twice.

use byteshop_gateway::security::token::Role;
use byteshop_tests::shop::Answer;
use serde_json::{Value, json};

use super::categories::Staff;

const BULK: &str = "/v1/products/bulk";

fn euros(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

fn new(sku: &str) -> Value {
    json!({"title": format!("Thing {sku}"), "variants": [{"sku": sku, "price": euros(100)}], "publish": true})
}

fn statuses(answer: &Answer) -> Vec<u64> {
    answer.body["rows"].as_array().unwrap().iter().map(|row| row["status"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_made_changed_or_refused_by_itself() {
    let staff = Staff::start().await;
    let category = staff.category("things", None).await;
    let rows = json!([
        new("B-1"),
        {"title": "Draft", "category": category, "attributes": {"colour": "red"}},
        {"title": "", "variants": []},
        {"title": "No price", "variants": [{"sku": "B-2"}]},
        new("B-1"),
        {"id": "prod_00000000000000000000000009", "title": "Gone"},
        {"title": "Odd", "colour": "red"},
        [],
        {"title": "Nowhere", "category": "cat_00000000000000000000000009"},
        {"title": "Bare", "publish": true},
        {"description": "Without a title"},
    ]);
    let done = staff.post(BULK, rows).await.expect(200);
    assert_eq!((&done.body["accepted"], &done.body["refused"]), (&json!(2), &json!(9)));
    // Of two that want one code, either may be first.
    let mut first = statuses(&done);
    assert_eq!([first[1], first[2], first[3], first[5]], [201, 422, 422, 404]);
    assert_eq!(first[6..], [422, 422, 422, 409, 422]);
    first.sort_unstable();
    let codes: Vec<_> =
        done.body["rows"].as_array().unwrap().iter().map(|row| row["problem"]["code"].clone()).collect();
    assert_eq!(
        [&codes[3], &codes[5], &codes[8], &codes[9]],
        ["request.invalid", "product.missing", "category.missing", "product.no_variant"]
    );
    let refused = &done.body["rows"][3]["problem"]["errors"][0]["pointer"];
    assert_eq!((refused, &done.body["rows"][3]["row"]), (&json!("/variants/0/price"), &json!(3)));
    assert!(codes.contains(&json!("name.taken")));

    let made = done.body["rows"].as_array().unwrap().iter().find(|row| row["status"] == 201).unwrap();
    let id = made["id"].as_str().unwrap();
    let shown = staff.shop.get(&format!("/v1/products/{id}")).by(&staff.admin).send().await.expect(200);
    let variant = shown.body["variants"][0]["sku"].as_str().unwrap_or("none").to_owned();
    let change = json!([
        {"id": id, "title": "Other", "publish": false, "variants": [
            {"sku": variant, "price": euros(90), "compare_at": euros(100), "weight_g": 5},
            {"sku": "B-9", "price": euros(70), "prices": [{"price": {"amount": 80, "currency": "USD"}}]},
        ]},
    ]);
    let changed = staff.post(BULK, change).await.expect(200);
    assert_eq!(statuses(&changed), [200], "{}", changed.body);
    let shown = staff.shop.get(&format!("/v1/products/{id}")).by(&staff.admin).send().await.expect(200);
    assert_eq!((shown.text("/title"), shown.body["variants"].as_array().unwrap().len()), ("Other", 2));
    let listed = staff.shop.get("/v1/products?status=all").by(&staff.admin);
    let listed = listed.after(changed.position()).send().await.expect(200);
    assert_eq!(listed.body["total"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_rows_again_are_not_made_again() {
    let staff = Staff::start().await;
    let send = |rows: Value| staff.shop.post(BULK).by(&staff.admin).key("import-1").json(rows).send();
    let rows: Vec<Value> = (0..150).map(|number| new(&format!("R-{number}"))).collect();
    let first = send(json!(rows[..50])).await.expect(200);
    assert_eq!(first.body["accepted"], 50);
    // What was cut off is sent again, and more with it.
    let second = send(json!(rows)).await.expect(200);
    assert_eq!((&second.body["accepted"], &second.body["rows"][7]["id"]), (&json!(150), &first.body["rows"][7]["id"]));
    let at = second.position().to_string();
    let listed = staff.shop.get("/v1/products").after(&at).send().await.expect(200);
    assert_eq!(listed.body["total"], 150);
    // Another row in the place of one that was made is another request.
    let mut other = rows[..2].to_vec();
    other[1] = new("R-other");
    let refused = send(json!(other)).await.expect(200);
    assert_eq!(statuses(&refused), [201, 422]);
    assert_eq!(refused.body["rows"][1]["problem"]["code"], "idempotency.key_reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_read_line_by_line_too_and_nonsense_is_refused() {
    let staff = Staff::start().await;
    let send = |kind: &str, body: String| {
        staff.shop.post(BULK).by(&staff.admin).header("Content-Type", kind).body_raw(body).send()
    };
    let lines = format!("{}\n\n{}\r\n", new("N-1"), new("N-2"));
    assert_eq!(statuses(&send("application/x-ndjson", lines).await.expect(200)), [201, 201]);
    send("application/json", "[".into()).await.expect_problem(400, "request.malformed_json");
    // What is JSON of another form is refused as all bodies are.
    for other in ["{}", r#"{"title": "Cup"}"#, "\"rows\"", "null", ""] {
        let refused = send("application/json", other.into()).await.expect_problem(422, "request.invalid");
        assert_eq!((refused.text("/errors/0/pointer"), refused.text("/detail")), ("", "the body must be a JSON array"));
    }
    send("application/json", "[]".into()).await.expect_problem(422, "request.invalid");
    send("text/csv", "a,b".into()).await.expect_problem(415, "request.unsupported_media_type");
    let many = vec![json!({}); 1001];
    staff.post(BULK, json!(many)).await.expect_problem(422, "request.invalid");
    let large = format!("[\"{}\"]", "x".repeat(17 << 20));
    send("application/json", large).await.expect_problem(413, "request.too_large");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(statuses(&send("application/json", deep).await.expect(200)), [422]);
    let customer = staff.shop.token(Role::Customer);
    staff.shop.post(BULK).by(&customer).json(json!([new("X")])).send().await.expect_problem(403, "auth.forbidden");
}
