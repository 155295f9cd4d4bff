//! Many at once: a limited code, in one process and in two.

use std::collections::BTreeMap;
use std::sync::Arc;

use byteshop_commands::Error;
use byteshop_commands::use_cases::{carts, promotions};
use byteshop_domain::cart::Cart;
use byteshop_domain::ids::PromotionId;
use byteshop_domain::promotion::{self, CouponCode};
use byteshop_domain::usage::{self, Usage};
use byteshop_tests::servers::fresh_database;
use byteshop_tests::write_side::{WINDOW, WriteSide};
use futures_util::future::join_all;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_for_one_use_under_two_hundred_checkouts_is_used_once() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("R-1", 1_000, 1_000).await;
    let coupon = promotion(&shop, json!({"code": "LAST-ONE", "limits": {"total": 1}})).await;
    let mut carts = Vec::new();
    for _ in 0..200 {
        let cart = shop.full_cart(&variant, 1).await;
        enter(&shop, &cart, "LAST-ONE").await.expect(200);
        carts.push(cart);
    }
    let placed = join_all(carts.iter().map(|cart| check_out(&shop, cart))).await;
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for answer in &placed {
        let code = answer.body["code"].as_str().unwrap_or("placed").to_owned();
        *outcomes.entry(code).or_default() += 1;
    }
    assert_eq!(outcomes.get("placed"), Some(&1), "{outcomes:?}");
    assert_eq!(outcomes.get("cart.coupon_used_up"), Some(&199), "{outcomes:?}");
    let path = format!("/v1/admin/promotions/{coupon}");
    let used = shop.get(&path).by(&shop.token(Role::Admin)).send().await.expect(200);
    assert_eq!(used.body["used"], 1);
}

/// Two processes of one shop give the same ten uses away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_give_no_more_than_there_is() {
    let url = fresh_database().await;
    let (one, two) = (Arc::new(WriteSide::start(&url).await), Arc::new(WriteSide::start(&url).await));
    let variant = one.product("R-2", 1_000, 1_000).await;
    let code = CouponCode::new("TEN-USES").unwrap();
    let terms: promotion::Terms =
        serde_json::from_value(terms(&json!({"code": code, "limits": {"total": 10}}))).unwrap();
    let terms = &terms;
    let made = one.run("promotion.create", |unit| async move {
        let promotion = promotions::create(&unit, terms.clone()).await?;
        Ok(promotion.id)
    });
    let promotion: PromotionId = made.await.unwrap().answer;
    let buyers = (0..60).map(|number| {
        let shop = Arc::clone(if number % 2 == 0 { &one } else { &two });
        let code = code.clone();
        tokio::spawn(async move {
            let cart = shop.cart(variant, 1).await?;
            let codes = &[code];
            shop.run("cart.set_coupon", |unit| async move {
                let mut cart = unit.load::<Cart>(cart).await?;
                carts::set_coupons(&unit, &mut cart, codes).await
            })
            .await?;
            shop.check_out(cart, WINDOW).await
        })
    });
    let outcomes: Vec<Result<_, Error>> = join_all(buyers).await.into_iter().map(Result::unwrap).collect();
    let placed = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(placed, 10);
    for shop in [&one, &two] {
        let uses = shop.commands.get::<Usage>(usage::of_promotion(promotion)).await.unwrap().unwrap();
        assert_eq!(uses.state.used, 10);
    }
}
