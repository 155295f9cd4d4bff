//! Waiting for a product to be back in stock, or to cost less.

use byteshop_domain::Locale;
use byteshop_domain::account::Channel;
use byteshop_gateway::token::Role;
use byteshop_tests::shop::TestShop;
use serde_json::json;

use super::{account, mails};

#[tokio::test(flavor = "multi_thread")]
async fn watchers_hear_once_when_there_is_stock_again() {
    let shop = TestShop::start().await;
    let (product, variant) = shop.product("W-1", 500, 0).await;
    let path = format!("/v1/products/{product}/watch");
    let on = json!({"on": ["back_in_stock"]});
    let mut watchers = Vec::new();
    for name in ["w1@example.org", "w2@example.org"] {
        let id = account(&shop, name, Locale::En, &[Channel::Email]).await;
        let token = shop.token_of(Role::Customer, id);
        let watching = shop.post(&path).by(&token).json(on.clone()).send().await.expect(200);
        assert_eq!(watching.body, json!({"product": product, "on": ["back_in_stock"]}));
        watchers.push(token);
    }
    let gone = account(&shop, "w3@example.org", Locale::En, &[Channel::Email]).await;
    let token = shop.token_of(Role::Customer, gone);
    shop.post(&path).by(&token).json(on.clone()).send().await.expect(200);
    shop.delete(&path).by(&token).send().await.expect(204);
    let stock = format!("/v1/variants/{variant}/stock");
    for quantity in [5, 3] {
        let received = json!({"type": "received", "quantity": quantity});
        shop.post(&stock).by(&shop.token(Role::Admin)).json(received).send().await.expect(200);
    }
    for name in ["w1@example.org", "w2@example.org"] {
        let mails = mails(&shop, name, 1).await;
        assert_eq!(mails[0]["subject"], "Thing W-1 is back in stock");
    }
    shop.post(&path).by(&watchers[0]).json(on).send().await.expect_problem(409, "watch.in_stock");
    assert_eq!(shop.log.kept(None, 100).await.unwrap().len(), 2, "each hears once, and who left hears nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_hear_of_each_lower_price_and_of_no_higher_one() {
    let shop = TestShop::start().await;
    let (product, variant) = shop.product("W-2", 1_000, 1).await;
    let id = account(&shop, "p1@example.org", Locale::Ru, &[Channel::Email]).await;
    let token = shop.token_of(Role::Customer, id);
    let watch = format!("/v1/products/{product}/watch");
    shop.post(&watch).by(&token).json(json!({"on": ["price_drop"]})).send().await.expect(200);
    let path = format!("/v1/products/{product}/variants/{variant}");
    for amount in [1_200, 900, 950, 800] {
        let price = json!({"price": {"amount": amount, "currency": "EUR"}});
        shop.patch(&path).by(&shop.token(Role::Admin)).json(price).send().await.expect(200);
    }
    // Prices that follow each other at once may be told together: the last one always is.
    let all = mails(&shop, "p1@example.org", 1).await;
    let last = byteshop_tests::patience::eventually("the last price is told", || async {
        let all = mails(&shop, "p1@example.org", all.len()).await;
        let last = all.last().unwrap().clone();
        last["subject"].as_str().unwrap().contains("8,00").then_some(last)
    })
    .await;
    assert!(last["subject"].as_str().unwrap().starts_with("Thing W-2 подешевел"), "{last}");
    // Two that are told together are told as the later one, so 9.50 may take the place of 9.00, but never follow it.
    let told = shop.log.kept(None, 100).await.unwrap().into_iter().rev().map(|mail| {
        let digits: String = mail.subject.rsplit(':').next().unwrap().chars().filter(char::is_ascii_digit).collect();
        digits.parse::<i64>().unwrap()
    });
    let told: Vec<i64> = [1_000].into_iter().chain(told).collect();
    assert!(told.is_sorted_by(|one, next| one > next), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_drafts_are_not_watched() {
    let shop = TestShop::start().await;
    let (product, _) = shop.product("W-3", 500, 0).await;
    let path = format!("/v1/products/{product}/watch");
    let on = json!({"on": ["back_in_stock"]});
    shop.post(&path).json(on.clone()).send().await.expect_problem(401, "auth.missing");
    let buyer = shop.token(Role::Customer);
    shop.post(&path).by(&buyer).json(json!({"on": []})).send().await.expect_problem(422, "request.invalid");
    shop.post(&path).by(&buyer).json(json!({"on": ["rain"]})).send().await.expect_problem(422, "request.invalid");
    let draft = shop.post("/v1/products").by(&shop.token(Role::Admin)).json(json!({"title": "Draft"})).send().await;
    let path = format!("/v1/products/{}/watch", draft.id());
    shop.post(&path).by(&buyer).json(on).send().await.expect_problem(404, "product.missing");
    shop.delete("/v1/products/prod_00000000000000000000000001/watch")
        .by(&buyer)
        .send()
        .await
        .expect_problem(404, "product.missing");
}
