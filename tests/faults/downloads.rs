//! Downloads while the shop is killed: a paid order has them, no more count than the limit, and no link is written down in the clear.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use byteshop_tests::patience::eventually;
use futures_util::future::join_all;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
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

/// Bytes of a file: enough that its upload takes longer than the shop lives.
const BYTES: usize = 24 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_uploaded_whole_or_not_at_all_whatever_is_killed() {
    let mut chance = crate::chance("files");
    let mut kiosk = Kiosk::open().await;
    let good = format!("/v1/variants/{}/downloads", kiosk.variant);
    kiosk.staff(Method::PUT, &format!("{good}/limits"), json!({"downloads": 1})).await;
    let uploads = kiosk.program.data().join("files/private/uploads");
    let half = half_uploaded(&kiosk, &uploads).await;
    kiosk.restart().await;
    drop(half);
    assert_eq!(age(&uploads), 1, "the half of a file, which a later upload removes");
    assert_eq!(kiosk.staff(Method::GET, &good, json!({})).await["files"], json!([]));
    for round in 0..crate::rounds(2) {
        let content: Vec<u8> = (0..BYTES).map(|at| (at as u64 ^ round).to_le_bytes()[0]).collect();
        let name = format!("file-{round}.bin");
        let token = kiosk.program.say(&["token", "admin"]);
        let killed = {
            let upload = upload(&kiosk, &token, &name, content.clone());
            tokio::select! {
                done = upload => done.is_none(),
                () = sleep(Duration::from_millis(chance.between(5, 400))) => true,
            }
        };
        kiosk.restart().await;
        let shown = kiosk.staff(Method::GET, &good, json!({})).await;
        let known = shown["files"].as_array().unwrap().iter().any(|file| file["name"] == json!(name));
        let left = age(&uploads);
        eprintln!("round {round}: killed: {killed}; the file is there: {known}; left: {left}");
        assert!(killed || known, "a file that was acknowledged is lost");
        if !known {
            assert_eq!(upload(&kiosk, &token, &name, content.clone()).await, Some(StatusCode::CREATED));
        }
        let (path, token) = kiosk.order().await;
        let pay = json!({"provider": "test", "token": "tok_success"});
        kiosk.guest(Method::POST, &format!("{path}/payments"), &token, pay).await.unwrap();
        let url = eventually("the order has the file", async || {
            let (_, list) = kiosk.guest(Method::GET, &format!("{path}/downloads"), &token, json!({})).await?;
            let files = list["lines"][0]["downloads"]["files"].as_array()?;
            let file = files.iter().find(|file| file["name"] == json!(name))?;
            Some(file["url"].as_str()?.to_owned())
        })
        .await;
        let url = format!("{}{}", kiosk.base(), &url[url.find("/v1/").unwrap()..]);
        let got = kiosk.http.get(url).send().await.unwrap().bytes().await.unwrap();
        assert!(got == content, "{} of {BYTES} bytes, or others", got.len());
    }
    // A day later an upload removes what the crashes left, and keeps what is sold.
    let token = kiosk.program.say(&["token", "admin"]);
    assert_eq!(upload(&kiosk, &token, "last.bin", b"last".to_vec()).await, Some(StatusCode::CREATED));
    let shown = kiosk.staff(Method::GET, &good, json!({})).await;
    assert_eq!(age(&uploads), 0, "an upload that was broken off stays");
    let kept: usize = fs::read_dir(uploads.with_file_name("files")).unwrap().map(|it| age(&it.unwrap().path())).sum();
    assert_eq!(kept, shown["files"].as_array().unwrap().len());
    kiosk.program.interrupt().await;
}

/// Makes the files of a directory two days older, and counts them.
fn age(directory: &Path) -> usize {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let written = SystemTime::now() - Duration::from_hours(48);
    let age = |path| fs::File::options().write(true).open(path).unwrap().set_modified(written).unwrap();
    entries.map(|entry| age(entry.unwrap().path())).count()
}

/// Sends half of a file, and waits until the shop writes it.
async fn half_uploaded(kiosk: &Kiosk, uploads: &Path) -> TcpStream {
    let (base, token) = (kiosk.base(), kiosk.program.say(&["token", "admin"]));
    let host = base.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(host).await.unwrap();
    let path = format!("/v1/variants/{}/files?name=half.bin", kiosk.variant);
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: {BYTES}\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&vec![7; BYTES / 2]).await.unwrap();
    let written = || fs::read_dir(uploads).ok()?.find_map(|part| part.ok()?.metadata().ok().filter(|it| it.len() > 0));
    eventually("the shop writes the file", async || written()).await;
    connection
}

/// Uploads a file; none when the shop was killed meanwhile.
async fn upload(kiosk: &Kiosk, token: &str, name: &str, content: Vec<u8>) -> Option<StatusCode> {
    let url = format!("{}/v1/variants/{}/files?name={name}", kiosk.base(), kiosk.variant);
    let request = kiosk.http.post(url).bearer_auth(token).body(content);
    Some(request.send().await.ok()?.status())
}
