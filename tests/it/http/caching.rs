//! What browsers and caches may keep of the public catalog.

use std::io::Read as _;

use byteshop_gateway::security::token::Role;
use byteshop_tests::shop::TestShop;
use flate2::read::GzDecoder;
use reqwest::header::HeaderMap;
use serde_json::json;

/// Asks with some headers; gives the status, the headers and the bytes as they came.
async fn raw(shop: &TestShop, path: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap, Vec<u8>) {
    let mut request = reqwest::Client::new().get(format!("{}{path}", shop.url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, response.bytes().await.unwrap().to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_catalog_is_cached_compressed_and_not_sent_twice() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let (product, _) = shop.product("CACHE-1", 500, 5).await;
    for number in 2..8 {
        shop.product(&format!("CACHE-{number}"), 500, 5).await;
    }
    let head = shop.log.head().await.unwrap();
    shop.get("/v1/products").after(head).send().await.expect(200);
    for path in ["/v1/products".to_owned(), format!("/v1/products/{product}"), "/v1/categories".into()] {
        let (status, first, plain) = raw(&shop, &path, &[]).await;
        assert_eq!((status, &first["cache-control"]), (200, &"public, max-age=30".parse().unwrap()), "{path}");
        assert!(first["vary"].to_str().unwrap().contains("authorization"), "{path}");
        let tag = first["etag"].to_str().unwrap();
        let alone = reqwest::Client::new().head(format!("{}{path}", shop.url)).send().await.unwrap();
        for name in ["cache-control", "etag", "vary", "content-length"] {
            assert_eq!(alone.headers().get(name), first.get(name), "{name} of HEAD {path}");
        }
        let (status, again, nothing) = raw(&shop, &path, &[("If-None-Match", tag)]).await;
        assert_eq!((status, &again["etag"], nothing.len()), (304, &first["etag"], 0), "{path}");
        let (_, zipped, bytes) = raw(&shop, &path, &[("Accept-Encoding", "br, gzip")]).await;
        if zipped.contains_key("content-encoding") {
            let mut text = Vec::new();
            GzDecoder::new(&bytes[..]).read_to_end(&mut text).unwrap();
            assert!(text == plain && bytes.len() < plain.len(), "{path}");
        } else {
            assert!(plain.len() < 1_024, "{path}");
        }
        // Staff sees more, and whoever waits for a position asks for what is new: neither is kept for others.
        for own in [("Authorization", format!("Bearer {admin}")), ("Min-Log-Position", shop.token_at(head))] {
            let (status, own, _) = raw(&shop, &path, &[(own.0, &own.1), ("Accept-Encoding", "gzip")]).await;
            assert_eq!((status, &own["cache-control"]), (200, &"no-store".parse().unwrap()), "{path}");
            assert!(!own.contains_key("content-encoding"), "{path}");
        }
    }
    // A copy of a list is good for as long as nothing on it changes.
    let path = format!("/v1/products/{product}");
    let tag = raw(&shop, "/v1/products", &[]).await.1["etag"].to_str().unwrap().to_owned();
    let renamed = shop.patch(&path).by(&admin).json(json!({"title": "Renamed"})).send().await.expect(200);
    shop.get("/v1/products").after(renamed.position()).send().await.expect(200);
    let (status, changed, _) = raw(&shop, "/v1/products", &[("If-None-Match", &tag)]).await;
    assert!(status == 200 && changed["etag"] != tag.as_str());
    let past = format!("{path}?at={}", shop.token_at(head));
    assert_eq!(raw(&shop, &past, &[]).await.1["cache-control"], "no-store");
    // What is about a person is neither kept nor compressed.
    let ada = shop.person("ada@example.org").await;
    let (_, own, _) =
        raw(&shop, "/v1/me", &[("Authorization", &format!("Bearer {}", ada.token)), ("Accept-Encoding", "gzip")]).await;
    assert!(own["cache-control"] == "no-store" && !own.contains_key("content-encoding"));
    let (_, document, bytes) = raw(&shop, "/openapi.json", &[("Accept-Encoding", "gzip")]).await;
    let whole = raw(&shop, "/openapi.json", &[]).await.2;
    assert!(document["content-encoding"] == "gzip" && bytes.len() < whole.len() / 5, "{} {}", bytes.len(), whole.len());
}
