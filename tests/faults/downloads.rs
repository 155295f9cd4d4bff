//! Downloads while the shop is killed: a paid order has them, no more count than the limit, and no link is written down in the clear.

use std::time::Duration;

use byteshop_tests::patience::eventually;
use futures_util::future::join_all;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::keys::{Kiosk, assert_nothing_is_in_the_clear, paid_while_killed};

const LINK: &str = "https://files.example.org/course?access=CANARY";
/// How often a piece can be downloaded; an order has two.
const LIMIT: i64 = 2;
/// How often each order is downloaded at once.
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_order_has_its_downloads_and_none_too_many_whatever_is_killed() {
    let mut chance = crate::chance("downloads");
    let mut kiosk = Kiosk::open().await;
    kiosk.http = Client::builder().timeout(Duration::from_secs(20)).redirect(Policy::none()).build().unwrap();
    let good = format!("/v1/variants/{}/downloads", kiosk.variant);
    kiosk.staff(Method::PUT, &format!("{good}/link"), json!({"link": LINK})).await;
    kiosk.staff(Method::PUT, &format!("{good}/limits"), json!({"downloads": LIMIT})).await;
    for round in 0..crate::rounds(2) {
        let paid = paid_while_killed(&mut kiosk, chance.between(5, 400)).await;
        eprintln!("round {round}: {} orders are paid", paid.len());
        for (path, token) in paid {
            download_while_killed(&mut kiosk, &path, &token, chance.between(1, 60)).await;
        }
    }
    assert_nothing_is_in_the_clear(&kiosk, &["CANARY"]).await;
    kiosk.program.interrupt().await;
}

/// The link of an order; an order that is paid has one.
async fn link(kiosk: &Kiosk, path: &str, token: &str) -> Value {
    eventually("the shop answers", async || {
        let (status, list) = kiosk.guest(Method::GET, &format!("{path}/downloads"), token, json!({})).await?;
        assert_eq!(status, StatusCode::OK, "{list}");
        let link = list["lines"][0]["downloads"]["link"].clone();
        assert!(link.is_object(), "a paid order without its download: {list}");
        Some(link)
    })
    .await
}

/// Follows more URLs at once than count, and kills the shop meanwhile.
async fn download_while_killed(kiosk: &mut Kiosk, path: &str, token: &str, after_ms: u64) {
    let mut urls = Vec::new();
    for _ in 0..AT_ONCE {
        let url = link(kiosk, path, token).await["url"].as_str().unwrap().to_owned();
        urls.push(url[url.find("/v1/").unwrap()..].to_owned());
    }
    let led = {
        let follow = |url: &String| kiosk.http.get(format!("{}{url}", kiosk.base())).send();
        let all = join_all(urls.iter().map(follow));
        tokio::select! {
            done = all => done.iter().filter(|it| it.as_ref().is_ok_and(|it| it.status() == StatusCode::FOUND)).count(),
            () = sleep(Duration::from_millis(after_ms)) => 0,
        }
    };
    kiosk.restart().await;
    let limit = 2 * LIMIT;
    let counted = link(kiosk, path, token).await["downloaded"].as_i64().unwrap();
    assert!(i64::try_from(led).unwrap() <= counted && counted <= limit, "{led} were led, and {counted} counted");
    // A URL that counted before the crash still works, and no other one beyond the limit.
    let mut led = 0;
    for url in &urls {
        let answer = kiosk.http.get(format!("{}{url}", kiosk.base())).send().await.unwrap();
        led += i64::from(answer.status() == StatusCode::FOUND);
    }
    assert_eq!((led, link(kiosk, path, token).await["downloaded"].as_i64()), (limit, Some(limit)));
}
