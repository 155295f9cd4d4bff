//! Races for keys: the last one, imports and withdrawals against buyers.

use byteshop_tests::patience::eventually;
use futures_util::future::join_all;
use serde_json::json;

use super::{Kiosk, keys, numbers, set};

/// Buyers at once.
const BUYERS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn the_last_key_is_sold_once() {
    let kiosk = Kiosk::open().await;
    let shop = &kiosk.shop;
    kiosk.import(&keys("K", 1)).await;
    let carts = join_all((0..BUYERS).map(|_| shop.full_cart(&kiosk.variant, 1))).await;
    let checkouts = carts.iter().map(|cart| shop.post(&format!("/v1/carts/{}/checkout", cart.id)).with(cart).send());
    let placed = join_all(checkouts).await;
    let won: Vec<_> = placed.iter().zip(&carts).filter(|(answer, _)| answer.status == 201).collect();
    assert_eq!(won.len(), 1);
    assert!(placed.iter().all(|answer| answer.status == 201 || answer.status == 409));
    let path = format!("/v1/orders/{}", won[0].0.text("/id"));
    kiosk.pay(&path, won[0].1).await;
    assert_eq!(kiosk.revealed(&path, won[0].1).await, keys("K", 1));
    assert_eq!(numbers(&kiosk.pool().await), [1, 0, 0, 1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn buyers_imports_and_withdrawals_share_no_key_and_lose_none() {
    let kiosk = Kiosk::open().await;
    let shop = &kiosk.shop;
    kiosk.import(&keys("A", 30)).await;
    let buy = |number: usize| {
        let kiosk = &kiosk;
        async move {
            let cart = kiosk.shop.full_cart(&kiosk.variant, 1 + i64::try_from(number % 3).unwrap()).await;
            let placed = kiosk.shop.post(&format!("/v1/carts/{}/checkout", cart.id)).with(&cart).send().await;
            if placed.status != 201 {
                return Vec::new();
            }
            let path = format!("/v1/orders/{}", placed.text("/id"));
            kiosk.pay(&path, &cart).await;
            let shown = kiosk.revealed(&path, &cart).await;
            assert_eq!(shown.len(), 1 + number % 3);
            shown
        }
    };
    let imports = async {
        for beginning in ["B", "C", "D"] {
            kiosk.import(&keys(beginning, 10)).await;
        }
    };
    let withdrawals = async {
        for _ in 0..5 {
            let body = json!({"batch": 1, "quantity": 2});
            let done = shop.post(&format!("{}/withdraw", kiosk.path())).by(&kiosk.staff).json(body).send().await;
            assert!([200, 409].contains(&done.status), "{}", done.body);
        }
    };
    let (bought, (), ()) = tokio::join!(join_all((0..BUYERS).map(buy)), imports, withdrawals);
    let bought = bought.concat();
    assert_eq!(set(&bought).len(), bought.len(), "a key was sold twice");
    let pool = eventually("nothing is reserved", async || {
        let pool = kiosk.pool().await;
        (pool["reserved"] == 0).then_some(pool)
    })
    .await;
    let [imported, available, _, assigned, withdrawn] = numbers(&pool);
    assert_eq!((imported, imported), (60, available + assigned + withdrawn));
    assert_eq!(assigned, i64::try_from(bought.len()).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_imports_at_once_are_one_after_the_other() {
    let kiosk = Kiosk::open().await;
    let imports = (0..4).map(|_| kiosk.send("text/plain", keys("K", 3_000).join("\n")));
    let done = join_all(imports).await;
    assert!(done.iter().all(|answer| answer.status == 200 || answer.body["code"] == "key_pool.import_running"));
    let imported: i64 = done.iter().filter_map(|answer| answer.body["imported"].as_i64()).sum();
    assert_eq!((imported, numbers(&kiosk.pool().await)), (3_000, [3_000, 3_000, 0, 0, 0]));
}
