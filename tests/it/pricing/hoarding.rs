//! Nobody holds the whole stock without paying: how many orders wait for their payment at once, and how fast guests order.

use byteshop_gateway::edge::limits::Limits;
use byteshop_gateway::trade::Trade;
use futures_util::future::join_all;

use super::*;

async fn strict(unpaid_orders: u32) -> TestShop {
    TestShop::start().trading(Trade { unpaid_orders, ..Trade::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_so_many_orders_that_wait_for_their_payment() {
    let shop = strict(2).await;
    let (_, variant) = shop.product("H-1", 1_000, 99).await;
    let [ada, berta] = [shop.token(Role::Customer), shop.token(Role::Customer)];
    let first = shop.buy(&ada, &variant, 1).await.expect(201).text("/id").to_owned();
    let second = shop.buy(&ada, &variant, 1).await.expect(201).text("/id").to_owned();
    shop.buy(&ada, &variant, 1).await.expect_problem(409, "cart.too_many_unpaid");
    shop.buy(&berta, &variant, 1).await.expect(201);
    // What is paid for, or called off, waits no more.
    shop.pay(&ada, &first).await.expect(201);
    shop.at_rest().await;
    shop.buy(&ada, &variant, 1).await.expect(201);
    shop.buy(&ada, &variant, 1).await.expect_problem(409, "cart.too_many_unpaid");
    shop.post(&format!("/v1/orders/{second}/cancel")).by(&ada).send().await.expect(200);
    shop.buy(&ada, &variant, 1).await.expect(201);
    shop.buy(&ada, &variant, 1).await.expect_problem(409, "cart.too_many_unpaid");
}

/// Somebody who asks for a cart in another currency and back has two in the first one, and so on.
#[tokio::test(flavor = "multi_thread")]
async fn many_carts_at_once_are_counted_too() {
    let shop = strict(3).await;
    let there = shop.beside().trading(Trade { unpaid_orders: 3, ..Trade::default() }).await;
    let (product, variant) = shop.product("H-2", 1_000, 99).await;
    // An account has one cart in each currency.
    let currencies = ["EUR", "GBP", "USD", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF"];
    let prices = currencies.map(|currency| json!({"price": {"amount": 1_000, "currency": currency}}));
    let path = format!("/v1/products/{product}/variants/{variant}");
    let change = shop.patch(&path).by(&shop.token(Role::Admin)).json(json!({"prices": prices}));
    change.send().await.expect(200);
    let ada = shop.token(Role::Customer);
    let mut carts = Vec::new();
    for currency in currencies {
        let made = shop.post("/v1/carts").by(&ada).json(json!({"currency": currency})).send().await.expect(201);
        let cart = format!("/v1/carts/{}", made.id());
        let line = shop.put(&format!("{cart}/lines/{variant}")).by(&ada).json(json!({"quantity": 1}));
        line.send().await.expect(200);
        shop.put(&format!("{cart}/address")).by(&ada).json(to("DE")).send().await.expect(200);
        carts.push(cart);
    }
    let check_out = |(number, cart): (usize, &String)| {
        let process = if number % 2 == 0 { &shop } else { &there };
        process.post(&format!("{cart}/checkout")).by(&ada).send()
    };
    let answers = join_all(carts.iter().enumerate().map(check_out)).await;
    let placed = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(placed, 3, "{answers:?}");
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        answer.expect_problem(409, "cart.too_many_unpaid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_of_one_address_order_only_so_fast() {
    let shop = TestShop::start().limits(Limits::default().with_checkouts(2)).await;
    let (_, variant) = shop.product("H-3", 1_000, 99).await;
    for _ in 0..2 {
        shop.order(&variant, 1).await;
    }
    let cart = shop.full_cart(&variant, 1).await;
    let refused = check_out(&shop, &cart).await.expect_problem(429, "request.too_many");
    assert!(refused.header("retry-after").is_some());
    shop.buy(&shop.token(Role::Customer), &variant, 1).await.expect(201);
}
