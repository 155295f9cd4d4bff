//! Pages of other origins: which may ask, what they may send and read, and what none of them sees.

use byteshop_gateway::edge::cors::Origins;
use byteshop_gateway::edge::limits::Limits;
use byteshop_tests::shop::{Answer, Call, TestShop};
use reqwest::Method;
use serde_json::json;

const WINDOW: &str = "https://window.example";

/// What a browser asks before it sends a command with headers of its own.
fn preflight(shop: &TestShop, path: &str, origin: &str) -> Call {
    let call = shop.call(Method::OPTIONS, path).header("Origin", origin);
    call.header("Access-Control-Request-Method", "PUT")
        .header("Access-Control-Request-Headers", "cart-token,content-type,idempotency-key")
}

fn allowed(answer: &Answer) -> Option<&str> {
    answer.header("access-control-allow-origin")
}

/// Whether a list in a header names all of these.
fn names(answer: &Answer, header: &str, wanted: &[&str]) -> bool {
    let listed = answer.listed(header);
    wanted.iter().all(|name| listed.contains(name))
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_named_origins_may_ask_and_others_may_not() {
    let shop = TestShop::start().open_to(format!("{WINDOW},http://localhost:5173").parse().unwrap()).await;
    let path = "/v1/carts/cart_00000000000000000000000001/address";
    for origin in [WINDOW, "http://localhost:5173"] {
        let answer = preflight(&shop, path, origin).send().await.expect(200);
        assert_eq!((allowed(&answer), answer.header("access-control-max-age")), (Some(origin), Some("600")));
        assert!(
            names(&answer, "access-control-allow-methods", &["GET", "POST", "PUT", "PATCH", "DELETE"]),
            "{answer:?}"
        );
        let sent = ["authorization", "cart-token", "content-type", "idempotency-key", "if-match", "min-log-position"];
        assert!(names(&answer, "access-control-allow-headers", &sent), "{answer:?}");
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
    for origin in ["https://evil.example", "https://window.example.evil.example", "http://window.example", "null"] {
        let answer = preflight(&shop, path, origin).send().await;
        assert_eq!((allowed(&answer), answer.header("vary")), (None, Some("origin")), "{origin}");
        // It is answered like anybody's; the browser does not show it to the page.
        let answer = shop.get("/v1/products").header("Origin", origin).send().await.expect(200);
        assert_eq!((allowed(&answer), names(&answer, "vary", &["origin"])), (None, true), "{origin}");
    }

    let of_window = |call: Call| call.header("Origin", WINDOW);
    let made = of_window(shop.post("/v1/carts")).json(json!({"currency": "EUR"})).send().await.expect(201);
    assert_eq!((allowed(&made), made.header("vary")), (Some(WINDOW), Some("origin")));
    let told = ["etag", "location", "log-position", "idempotency-replayed", "retry-after", "x-request-id"];
    assert!(names(&made, "access-control-expose-headers", &told), "{made:?}");

    // A page must be able to read why it was refused.
    let refused = of_window(shop.get("/v1/nothing")).send().await.expect_problem(404, "request.not_found");
    assert_eq!(allowed(&refused), Some(WINDOW));
    let refused = of_window(shop.get("/v1/me")).send().await.expect_problem(401, "auth.missing");
    assert_eq!(allowed(&refused), Some(WINDOW));
    let refused = of_window(shop.put("/v1/products")).send().await.expect_problem(405, "request.method_not_allowed");
    assert_eq!(allowed(&refused), Some(WINDOW));
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_for_leave_counts_for_nobody_and_too_many_requests_are_told_so() {
    let shop = TestShop::start().open_to(WINDOW.parse().unwrap()).limits(Limits::per_minute(12, 0)).await;
    for _ in 0..4 {
        assert_eq!(allowed(&preflight(&shop, "/v1/carts", WINDOW).send().await.expect(200)), Some(WINDOW));
    }
    let ask = || shop.get("/v1/products").header("Origin", WINDOW).send();
    assert_eq!((ask().await.status, ask().await.status), (200, 200));
    assert_eq!(allowed(&ask().await.expect_problem(429, "request.too_many")), Some(WINDOW));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_star_is_anybody_and_pages_of_development_are_still_nobody_elses() {
    let shop = TestShop::start().open_to(Origins::Any).await;
    let answer = preflight(&shop, "/v1/carts", "https://anybody.example").send().await.expect(200);
    assert_eq!(allowed(&answer), Some("*"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    for path in ["/dev/provider", "/dev/mail"] {
        let answer = preflight(&shop, path, "https://anybody.example").send().await;
        assert_eq!((answer.status == 200, allowed(&answer)), (false, None), "{path}");
        let answer = shop.get(path).header("Origin", "https://anybody.example").send().await;
        assert_eq!((allowed(&answer), answer.header("vary")), (None, None), "{path}");
    }
    let change = shop.put("/dev/provider").header("Origin", "https://anybody.example").json(json!({})).send().await;
    assert_eq!(allowed(&change.expect(403)), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_word_no_page_of_anybody_else_may_ask() {
    let shop = TestShop::start().await;
    let answer = preflight(&shop, "/v1/carts", WINDOW).send().await.expect_problem(405, "request.method_not_allowed");
    assert_eq!((allowed(&answer), answer.header("vary")), (None, None));
    let answer = shop.get("/v1/products").header("Origin", WINDOW).send().await.expect(200);
    assert_eq!((allowed(&answer), names(&answer, "vary", &["origin"])), (None, false));
}
