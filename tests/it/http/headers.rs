//! What every response tells browsers, and requests that do not say whom they are for.

use byteshop_tests::shop::TestShop;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The headers and the text of an answer.
async fn raw(shop: &TestShop, path: &str) -> (HeaderMap, String) {
    let response = reqwest::get(format!("{}{path}", shop.url)).await.unwrap();
    (response.headers().clone(), response.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_response_says_what_a_browser_may_do_with_it() {
    let shop = TestShop::start().await;
    for path in [
        "/v1/products",
        "/v1/nothing",
        "/health/live",
        "/openapi.json",
        "/docs/",
        "/docs/swagger-ui-bundle.js",
        "/dev/mail",
    ] {
        let (headers, _) = raw(&shop, path).await;
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        // The development mailbox frames its own messages.
        let ancestors = if path == "/dev/mail" { "frame-ancestors 'self'" } else { "frame-ancestors 'none'" };
        assert!(policy.starts_with("default-src 'none'") && policy.contains(ancestors), "{path}: {policy}");
    }
    for path in ["/health/ready", "/metrics", "/config"] {
        let answer = shop.ask_operations(path).send().await.expect(200);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"), "{path}");
    }
    let (_, page) = raw(&shop, "/docs/").await;
    let inline = page.split("<script").skip(1).find(|script| !script.contains("src="));
    assert_eq!(inline, None, "the policy of the page lets no script run that stands in it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_names_its_host_once() {
    let shop = TestShop::start().await;
    let hosts = [
        ("Host: shop\r\n", 200),
        ("Host: shop.example:8080\r\n", 200),
        ("", 400),
        ("Host: shop\r\nHost: shop\r\n", 400),
        ("Host: a\r\nhost: b\r\n", 400),
        ("Host: a b@c\r\n", 400),
        ("Host: a@b\r\n", 400),
        ("Host: a:port\r\n", 400),
        ("Host:\r\n", 400),
    ];
    for (url, (hosts, status)) in [&shop.url, &shop.operations].into_iter().flat_map(|url| hosts.map(|it| (url, it))) {
        let address = url.strip_prefix("http://").unwrap();
        let mut socket = TcpStream::connect(address).await.unwrap();
        let request = format!("GET /health/live HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{hosts:?}: {answer}");
        if status == 400 {
            let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
            assert_eq!(body["code"], "request.invalid_host");
            assert!(!answer.contains("a b@c"), "{answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_cut_off_or_malformed_is_not_called_too_large() {
    let shop = TestShop::start().await;
    let address = shop.url.strip_prefix("http://").unwrap();
    let head = "POST /v1/carts HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n";
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
    for request in [format!("{chunked}ZZ\r\n{{}}\r\n0\r\n\r\n"), format!("{head}Content-Length: 18\r\n\r\n{{\"curr")] {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        socket.shutdown().await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("request.broken_body"), "{request}: {answer}");
    }
}
