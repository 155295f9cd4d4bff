//! Rows that have a line each: what breaks one of them breaks no other, and each is told by its own line.

use byteshop_tests::shop::Answer;
use serde_json::{Value, json};

use super::categories::Staff;

fn row(sku: &str) -> String {
    json!({"title": format!("Thing {sku}"), "variants": [{"sku": sku, "price": {"amount": 100, "currency": "EUR"}}]})
        .to_string()
}

async fn send(staff: &Staff, body: impl Into<Vec<u8>>) -> Answer {
    let call = staff.shop.post("/v1/products/bulk").by(&staff.admin).header("Content-Type", "application/x-ndjson");
    call.body_raw(body.into()).send().await
}

/// Row, line and status of every row.
fn told(answer: &Answer) -> Vec<(u64, u64, u64)> {
    let number = |row: &Value, name: &str| row[name].as_u64().unwrap();
    let rows = answer.body["rows"].as_array().unwrap().iter();
    rows.map(|row| (number(row, "row"), number(row, "line"), number(row, "status"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_line_is_told_by_its_number_and_the_others_go_on() {
    let staff = Staff::start().await;
    // A byte order mark, empty lines, ends of every kind, and none after the last line.
    let body = format!(
        "\u{feff}{}\r\n\n{{\"title\": \"Half\r\n  \t\r\n{}\nnonsense\n[]\n{{\"titel\": \"x\"}}\n{}",
        row("L-1"),
        row("L-2"),
        row("L-3")
    );
    let done = send(&staff, body).await.expect(200);
    let rows = [(0, 1, 201), (1, 3, 400), (2, 5, 201), (3, 6, 400), (4, 7, 422), (5, 8, 422), (6, 9, 201)];
    assert_eq!(told(&done), rows);
    assert_eq!((&done.body["accepted"], &done.body["refused"]), (&json!(3), &json!(4)));
    let problem = |row: usize| &done.body["rows"][row]["problem"];
    assert_eq!(problem(1)["code"], "request.malformed_json");
    let said = problem(1)["detail"].as_str().unwrap();
    assert!(said.starts_with("line 3 is not JSON: it ends too early, at column "), "{said}");
    assert_eq!(problem(3)["detail"], "line 6 is not JSON: a syntax error at column 2");
    assert_eq!(problem(5)["errors"][0]["pointer"], "/titel");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_text_or_too_long_breaks_its_own_line() {
    let staff = Staff::start().await;
    let mut body = b"{\"title\": \"\xff\"}\n\0\n".to_vec();
    let long = format!("{{\"title\": \"Long\", \"description\": \"{}\"}}\n", "x".repeat(1 << 20));
    body.extend_from_slice(long.as_bytes());
    body.extend_from_slice(row("L-4").as_bytes());
    let done = send(&staff, body).await.expect(200);
    assert_eq!(told(&done), [(0, 1, 400), (1, 2, 400), (2, 3, 413), (3, 4, 201)]);
    assert_eq!(done.body["rows"][2]["problem"]["code"], "request.too_large");
    for nothing in ["", "\n\r\n \n", "\u{feff}", "\u{feff}\n"] {
        send(&staff, nothing).await.expect_problem(422, "request.invalid");
    }
    send(&staff, "{\n".repeat(1_001)).await.expect_problem(422, "request.invalid");
    let broken = send(&staff, "{\n".repeat(1_000)).await.expect(200);
    assert_eq!((&broken.body["refused"], &broken.body["rows"][999]["line"]), (&json!(1_000), &json!(1_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_were_mended_are_sent_again_under_the_same_key() {
    let staff = Staff::start().await;
    let send = |body: String| {
        let call = staff.shop.post("/v1/products/bulk").by(&staff.admin).header("Content-Type", "application/x-ndjson");
        call.key("lines").body_raw(body).send()
    };
    let first = send(format!("{}\nbroken\n{}", row("L-5"), row("L-6"))).await.expect(200);
    assert_eq!(told(&first), [(0, 1, 201), (1, 2, 400), (2, 3, 201)]);
    let second = send(format!("{}\n{}\n{}", row("L-5"), row("L-7"), row("L-6"))).await.expect(200);
    assert_eq!(told(&second), [(0, 1, 201), (1, 2, 201), (2, 3, 201)]);
    for place in [0, 2] {
        assert_eq!(first.body["rows"][place]["id"], second.body["rows"][place]["id"]);
    }
}
