//! Waiting for a product to be back in stock, or to cost less.

use byteshop_commands::notify::outside::Outside;
use byteshop_commands::notify::words::ShopDetails;
use byteshop_commands::ports::smtp::{Smtp, SmtpSettings, Tls};
use byteshop_domain::Locale;
use byteshop_domain::account::Channel;
use byteshop_eventstore::Log;
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::servers::fresh_database;
use byteshop_tests::shop::TestShop;
use byteshop_tests::smtp::SmtpSink;
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
    let set = async |amount: i64| {
        let price = json!({"price": {"amount": amount, "currency": "EUR"}});
        shop.patch(&path).by(&shop.token(Role::Admin)).json(price).send().await.expect(200);
    };
    for amount in [1_200, 900, 950] {
        set(amount).await;
    }
    // Prices that follow each other at once may be told together. Mails that leave at the same time may arrive in any order.
    let all = mails(&shop, "p1@example.org", 1).await;
    set(800).await;
    let last = byteshop_tests::patience::eventually("the last price is told", || async {
        let all = mails(&shop, "p1@example.org", all.len()).await;
        let last = all.last().unwrap().clone();
        last["subject"].as_str().unwrap().contains("8,00").then_some(last)
    })
    .await;
    assert!(last["subject"].as_str().unwrap().starts_with("Thing W-2: новая цена"), "{last}");
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

/// Another variant of a product: its path.
async fn another(shop: &TestShop, product: &str, sku: &str, amount: i64) -> String {
    let path = format!("/v1/products/{product}/variants");
    let variant = json!({"sku": sku, "price": {"amount": amount, "currency": "EUR"}});
    let made = shop.post(&path).by(&shop.token(Role::Admin)).json(variant).send().await.expect(201);
    made.header("location").unwrap().to_owned()
}

async fn reprice(shop: &TestShop, variant: &str, amount: i64) {
    let price = json!({"price": {"amount": amount, "currency": "EUR"}});
    shop.patch(variant).by(&shop.token(Role::Admin)).json(price).send().await.expect(200);
}

async fn watch(shop: &TestShop, product: &str, email: &str) -> String {
    let id = account(shop, email, Locale::En, &[Channel::Email]).await;
    let token = shop.token_of(Role::Customer, id);
    let path = format!("/v1/products/{product}/watch");
    shop.post(&path).by(&token).json(json!({"on": ["price_drop"]})).send().await.expect(200);
    token
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_mail_names_the_variant_that_costs_less() {
    let shop = TestShop::start().await;
    let (product, first) = shop.product("W-4", 1_000, 1).await;
    let second = another(&shop, &product, "W-4-XL", 2_000).await;
    watch(&shop, &product, "v1@example.org").await;
    reprice(&shop, &format!("/v1/products/{product}/variants/{first}"), 900).await;
    let cheap = mails(&shop, "v1@example.org", 1).await;
    assert_eq!(cheap[0]["subject"], "Thing W-4 (W-4) is now €9.00");
    reprice(&shop, &second, 1_500).await;
    let both = mails(&shop, "v1@example.org", 2).await;
    assert_eq!(both[1]["subject"], "Thing W-4 (W-4-XL) is now €15.00");
    let title = json!({"title": "Thing W-4, extra large"});
    shop.patch(&second).by(&shop.token(Role::Admin)).json(title).send().await.expect(200);
    reprice(&shop, &second, 1_400).await;
    let all = mails(&shop, "v1@example.org", 3).await;
    assert_eq!(all[2]["subject"], "Thing W-4, extra large is now €14.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_fell_while_a_product_was_hidden_is_told_when_it_is_shown_again() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let (product, first) = shop.product("W-5", 1_000, 1).await;
    let first = format!("/v1/products/{product}/variants/{first}");
    let second = another(&shop, &product, "W-5-XL", 2_000).await;
    watch(&shop, &product, "h1@example.org").await;
    let step = async |step: &str| {
        shop.post(&format!("/v1/products/{product}/{step}")).by(&admin).send().await.expect(200);
        shop.at_rest().await;
    };
    step("unpublish").await;
    reprice(&shop, &first, 800).await;
    reprice(&shop, &second, 1_500).await;
    // What rose again before anybody saw it is no news.
    reprice(&shop, &second, 2_100).await;
    shop.at_rest().await;
    let kept = async || shop.log.kept(None, 100).await.unwrap().len();
    assert_eq!(kept().await, 0, "a product that cannot be bought is not advertised");
    step("publish").await;
    let told = mails(&shop, "h1@example.org", 1).await;
    assert_eq!(told[0]["subject"], "Thing W-5 (W-5) is now €8.00");
    // Shown once more at the same prices, it is told once.
    step("unpublish").await;
    step("publish").await;
    assert_eq!(kept().await, 1);
    // Of several that fell meanwhile one mail tells, and all of them are known.
    step("unpublish").await;
    reprice(&shop, &first, 700).await;
    reprice(&shop, &second, 1_900).await;
    shop.at_rest().await;
    step("publish").await;
    let told = mails(&shop, "h1@example.org", 2).await;
    assert_eq!(told[1]["subject"], "Thing W-5 (W-5) is now €7.00");
    reprice(&shop, &second, 1_950).await;
    reprice(&shop, &second, 1_900).await;
    shop.at_rest().await;
    assert_eq!(kept().await, 2, "no lower than what was there when they were told");
}

const API: &str = "https://api.example.org";

/// A shop whose mails go to a server of the test's and lead to the API.
async fn shop_with_links(sink: &SmtpSink) -> TestShop {
    let database = fresh_database().await;
    let settings = SmtpSettings {
        host: "127.0.0.1".into(),
        port: sink.port,
        tls: Tls::None,
        authorities: None,
        login: None,
        from: "ByteShop <shop@example.org>".into(),
        reply_to: None,
    };
    let details = ShopDetails { name: "ByteShop".into(), api: Some(API.into()), ..ShopDetails::default() };
    let kept = Outside::kept(&Log::open(&database).unwrap());
    TestShop::on(database).reaching(Outside { mail: Box::new(Smtp::new(settings).unwrap()), details, ..kept }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_click_unsubscribes_from_the_messages_about_a_product() {
    let sink = SmtpSink::start(&[]).await;
    let shop = shop_with_links(&sink).await;
    let (product, variant) = shop.product("W-6", 1_000, 1).await;
    let variant = format!("/v1/products/{product}/variants/{variant}");
    let (ada, _) = (watch(&shop, &product, "u1@example.org").await, watch(&shop, &product, "u2@example.org").await);
    reprice(&shop, &variant, 900).await;
    let taken = eventually("both are told", async || Some(sink.taken()).filter(|taken| taken.len() == 2)).await;
    let mail = taken.iter().find(|mail| mail.to.contains("u1@")).unwrap();
    let header = mail.header("List-Unsubscribe").unwrap();
    assert_eq!(mail.header("List-Unsubscribe-Post").as_deref(), Some("List-Unsubscribe=One-Click"));
    let url = header.strip_prefix('<').and_then(|url| url.strip_suffix('>')).unwrap();
    let path = url.strip_prefix(API).unwrap();
    assert!(path.starts_with(&format!("/v1/products/{product}/watch/unsubscribe?account=acc_")), "{path}");
    let body = mail.data.replace("=\r\n", "").replace("=3D", "=");
    assert!(body.contains("Stop these messages: https://api.example.org/"), "{body}");

    // Programs that look where links lead change nothing, and a person is asked.
    let page = shop.get(path).header("Accept", "text/html").send().await.expect(200);
    let page = page.body.as_str().unwrap().to_owned();
    assert!(page.contains("<form method=\"post\"") && page.contains("Thing W-6"), "{page}");
    let on = async |token: &str| {
        let watching = shop.post(&format!("/v1/products/{product}/watch")).by(token);
        watching.json(json!({"on": ["price_drop"]})).send().await
    };
    reprice(&shop, &variant, 800).await;
    eventually("both are told again", async || (sink.taken().len() == 4).then_some(())).await;

    let click = async |path: &str| {
        let click = reqwest::Client::new().post(format!("{}{path}", shop.url)).body("List-Unsubscribe=One-Click");
        let click = click.header("Content-Type", "application/x-www-form-urlencoded").send().await.unwrap();
        click.status().as_u16()
    };
    let other = path.replace("account=acc_0", "account=acc_1");
    assert_eq!(click(&other).await, 403);
    assert_eq!(click(&path.replace("seal=", "seal=0")).await, 403);
    for _ in 0..2 {
        assert_eq!(click(path).await, 200);
    }
    reprice(&shop, &variant, 700).await;
    let told = eventually("the other is told", async || Some(sink.taken()).filter(|taken| taken.len() == 5)).await;
    assert!(told[4].to.contains("u2@"), "{:?}", told[4].to);
    shop.at_rest().await;
    assert_eq!(sink.taken().len(), 5);
    // They can come back by themselves.
    on(&ada).await.expect(200);
}
