//! The page of a product: from memory, and as current as its readers can tell.

use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::TestShop;
use serde_json::{Value, json};

/// Changes of a product while it is read.
const CHANGES: u64 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_product_has_what_was_answered_before() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Admin);
    let (product, variant) = shop.product("PAGE-1", 500, 1).await;
    let path = format!("/v1/products/{product}");
    let page = async || shop.get(&path).send().await.expect(200).body;
    for number in 1..=10 {
        let title = json!({"title": format!("Edition {number}")});
        shop.patch(&path).by(&staff).json(title.clone()).send().await.expect(200);
        assert_eq!(page().await["title"], title["title"]);
        let price = json!({"price": {"amount": 500 + number, "currency": "EUR"}});
        shop.patch(&format!("{path}/variants/{variant}")).by(&staff).json(price).send().await.expect(200);
        let received = json!({"type": "received", "quantity": 1});
        shop.post(&format!("/v1/variants/{variant}/stock")).by(&staff).json(received).send().await.expect(200);
        let shown = page().await["variants"][0].clone();
        assert_eq!((&shown["price"]["amount"], &shown["available"]), (&json!(500 + number), &json!(1 + number)));
        shop.post(&format!("{path}/unpublish")).by(&staff).send().await.expect(200);
        shop.get(&path).send().await.expect_problem(404, "product.missing");
        assert_eq!(shop.get(&path).by(&staff).send().await.expect(200).body["status"], "unpublished");
        shop.post(&format!("{path}/publish")).by(&staff).send().await.expect(200);
    }
    // A reservation of a buyer shows as well.
    shop.order(&variant, 3).await;
    assert_eq!(page().await["variants"][0]["available"], 8);
    let tag = shop.get(&path).send().await.expect(200).headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(shop.get(&path).header("If-None-Match", &tag).send().await.status, 304);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_products_of_a_suspended_seller_are_missing_in_every_process() {
    let here = TestShop::start().await;
    let there = here.beside().await;
    let ada = here.person("ada@example.org").await;
    let staff = here.token(Role::Support);
    let seller = here.seller(&ada, "kettles").await;
    let (product, _) = here.product_of(&seller, &ada, "K-1", 900, 9).await;
    let path = format!("/v1/products/{product}");
    for waits in [true, false, true, false] {
        // What a visitor would be refused is read from the log, so it is there at once.
        for shop in [&here, &there, &here, &there] {
            assert_eq!(shop.get(&path).send().await.expect(200).text("/seller/handle"), "kettles");
        }
        let suspended = here.decide(&seller, "suspend").await.expect(200);
        here.get(&path).send().await.expect_problem(404, "product.missing");
        if waits {
            there.get(&path).after(suspended.position()).send().await.expect_problem(404, "product.missing");
        } else {
            let missing = || async { (there.get(&path).send().await.status == 404).then_some(()) };
            eventually("the other process looks at the log", missing).await;
        }
        for keeper in [&ada.token, &staff] {
            there.get(&path).by(keeper).send().await.expect(200);
        }
        here.decide(&seller, "reinstate").await.expect(200);
    }
}

/// The number in the title of a product, by its page.
async fn number(shop: &TestShop, path: &str) -> u64 {
    let page = shop.get(path).send().await.expect(200);
    page.text("/title").rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_read_while_its_product_changes_never_goes_back() {
    let here = TestShop::start().await;
    let there = here.beside().await;
    let staff = here.token(Role::Admin);
    let (product, _) = here.product("RACE-1", 500, 1).await;
    let path = format!("/v1/products/{product}");
    let changed = async |number: u64| {
        let title: Value = json!({"title": format!("Edition {number}")});
        here.patch(&path).by(&staff).json(title).send().await.expect(200).position()
    };
    changed(0).await;
    let writing = async {
        for change in 1..=CHANGES {
            let position = changed(change).await;
            assert_eq!(number(&here, &path).await, change);
            if change % 4 == 0 {
                let waited = there.get(&path).after(position).send().await.expect(200);
                assert_eq!(waited.text("/title"), format!("Edition {change}"));
            }
        }
    };
    let reading = |shop| {
        let path = &path;
        async move {
            let mut last = 0;
            while last < CHANGES {
                let seen = number(shop, path).await;
                assert!(seen >= last, "{seen} after {last}");
                last = seen;
            }
        }
    };
    tokio::join!(writing, reading(&here), reading(&there), reading(&there));
}
