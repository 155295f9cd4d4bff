//! Receipts: those that have expired are deleted to the last, by one process at a time.

use std::time::Duration;

use byteshop_commands::receipts;
use tokio_util::sync::CancellationToken;

use super::*;

/// So many receipts that expire at once, one that expires tomorrow, and one that never does.
async fn shop_with_receipts(expired: i64) -> WriteSide {
    let shop = WriteSide::start(&fresh_database().await).await;
    sqlx::query(
        "insert into log.receipt
         select 'cart:x', n::text, '', null, null, '{}', now(),
            case when n <= $1 then now() when n = $1 + 1 then now() + interval '1 day' end
         from generate_series(1, $1 + 2) n",
    )
    .bind(expired)
    .execute(shop.log.pool())
    .await
    .unwrap();
    shop
}

async fn kept(shop: &WriteSide) -> i64 {
    sqlx::query_scalar("select count(*) from log.receipt").fetch_one(shop.log.pool()).await.unwrap()
}

#[tokio::test]
async fn what_has_expired_is_deleted_to_the_last_and_nothing_else() {
    for expired in [0, 1_000, 2_500] {
        let shop = shop_with_receipts(expired).await;
        let deleted = shop.commands.delete_expired_receipts(Clock.now()).await.unwrap();
        assert_eq!(deleted, expired.unsigned_abs());
        assert_eq!(kept(&shop).await, 2);
    }
}

#[tokio::test]
async fn one_process_at_a_time_deletes_what_has_expired() {
    let shop = shop_with_receipts(3).await;
    let lead = shop.log.lead("receipts").await.unwrap().unwrap();
    let run = |cancel: &CancellationToken| tokio::spawn(receipts::run(shop.commands.clone(), cancel.clone()));
    let (standing_by, leading) = (CancellationToken::new(), CancellationToken::new());
    let other = run(&standing_by);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(kept(&shop).await, 5, "another process leads");
    standing_by.cancel();
    other.await.unwrap();
    lead.resign().await;
    let running = run(&leading);
    eventually("they are deleted", async || (kept(&shop).await == 2).then_some(())).await;
    leading.cancel();
    running.await.unwrap();
}
