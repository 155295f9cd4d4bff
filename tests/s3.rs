//! Pictures and files that are sold in a bucket of a real S3-compatible server, which `make s3` starts and names in `BYTESHOP_TEST_S3_*`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

use std::io::Cursor;

use bytes::Bytes;
use byteshop_commands::ports::blobs::{Blobs, Bucket};
use byteshop_commands::ports::private_files::{PrivateFiles, Stored, Waiting};
use byteshop_domain::ids::{Id as _, VariantId};
use byteshop_eventstore::Clock;
use byteshop_gateway::security::token::Role;
use byteshop_tests::shop::{Answer, TestShop};
use chrono::TimeDelta;
use futures_util::TryStreamExt as _;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::Value;
use tokio::net::TcpListener;

/// A bucket that the server's key opens, with names that begin like this.
#[expect(clippy::disallowed_methods, reason = "the tests have no configuration but the environment")]
fn bucket(prefix: &str) -> Bucket {
    let given = |name: &str| {
        let name = format!("BYTESHOP_TEST_S3_{name}");
        std::env::var(&name).unwrap_or_else(|_| panic!("{name} is not set: run `make s3`"))
    };
    Bucket {
        name: given("BUCKET"),
        prefix: prefix.to_owned(),
        endpoint: Some(given("ENDPOINT")),
        region: "us-east-1".to_owned(),
        key_id: Some(given("KEY_ID")),
        secret: Some(given("SECRET")),
    }
}

async fn shop_with(bucket: &Bucket) -> TestShop {
    TestShop::start().keeping(Blobs::bucket(bucket).unwrap()).await
}

/// A picture that no other seed gives, and that cannot be packed much smaller.
fn photograph(seed: u32, width: u32, height: u32) -> Vec<u8> {
    let noise = |x: u32, y: u32| (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503) ^ seed).to_le_bytes();
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let [a, b, c, _] = noise(x, y);
        Rgb([a, b, c])
    });
    let mut file = Vec::new();
    DynamicImage::from(picture).write_to(&mut Cursor::new(&mut file), ImageFormat::Jpeg).unwrap();
    file
}

async fn add(shop: &TestShop, product: &str, file: Vec<u8>) -> Answer {
    let path = format!("/v1/products/{product}/images");
    shop.post(&path).by(&shop.token(Role::Admin)).header("Content-Type", "image/jpeg").body_raw(file).send().await
}

/// The picture behind a path, as wide and high as it is.
async fn served(shop: &TestShop, path: &Value) -> (u32, u32) {
    let answer = reqwest::get(format!("{}{}", shop.url, path.as_str().unwrap())).await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let read = image::load_from_memory(&answer.bytes().await.unwrap()).unwrap();
    (read.width(), read.height())
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_kept_in_the_bucket_served_replaced_and_taken_off() {
    let shop = shop_with(&bucket("kept")).await;
    let (product, _) = shop.product("B-1", 100, 0).await;
    let first = add(&shop, &product, photograph(1, 900, 600)).await.expect(201).body["images"][0].clone();
    assert_eq!(served(&shop, &first["url"]).await, (900, 600));
    assert_eq!(served(&shop, &first["thumbnails"][0]["url"]).await, (160, 107));
    assert_eq!(served(&shop, &first["thumbnails"][1]["url"]).await, (640, 427));
    // The same picture elsewhere is the same file, also for another process that keeps files there.
    let other = shop_with(&bucket("kept")).await;
    let (twin, _) = other.product("B-2", 100, 0).await;
    let again = add(&other, &twin, photograph(1, 900, 600)).await.expect(201).body["images"][0].clone();
    assert_eq!(again["url"], first["url"]);
    // Another one takes its place.
    let second = add(&shop, &product, photograph(2, 300, 200)).await.expect(201).body["images"][1].clone();
    let path = format!("/v1/products/{product}/images/{}", first["id"].as_str().unwrap());
    shop.delete(&path).by(&shop.token(Role::Admin)).send().await.expect(204);
    let shown = shop.get(&format!("/v1/products/{product}")).send().await.expect(200);
    assert_eq!(shown.body["images"].as_array().unwrap(), std::slice::from_ref(&second));
    assert_eq!(served(&shop, &second["url"]).await, (300, 200));
    // Orders and old pages may still show it.
    assert_eq!(served(&other, &first["url"]).await, (900, 600));
    let unknown = format!("/v1/files/{}.jpg", "0a".repeat(32));
    shop.get(&unknown).send().await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_big_picture_goes_there_and_back() {
    let shop = shop_with(&bucket("big")).await;
    let (product, _) = shop.product("B-3", 100, 0).await;
    let file = photograph(3, 2_400, 1_800);
    assert!(file.len() > 2_000_000, "{} bytes", file.len());
    let added = add(&shop, &product, file).await.expect(201).body["images"][0].clone();
    assert_eq!(served(&shop, &added["url"]).await, (2_400, 1_800));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_refuses_is_told_and_nothing_is_written() {
    let known = bucket("refused");
    // Nobody listens where somebody has just stopped to.
    let gone = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    for (what, bucket) in [
        ("a wrong key", Bucket { secret: Some("wrong".to_owned()), ..known.clone() }),
        ("an unknown key", Bucket { key_id: Some("AKIANOBODY".to_owned()), ..known.clone() }),
        ("no such bucket", Bucket { name: "nobodys".to_owned(), ..known.clone() }),
        ("no server", Bucket { endpoint: Some(format!("http://{gone}")), ..known.clone() }),
    ] {
        let shop = shop_with(&bucket).await;
        let (product, _) = shop.product("B-4", 100, 0).await;
        let before = shop.at_rest().await;
        let refused = add(&shop, &product, photograph(4, 300, 200)).await;
        assert_eq!((refused.status, refused.body["code"].as_str()), (503, Some("store.unavailable")), "{what}");
        assert_eq!(shop.log.head().await.unwrap(), before, "{what}: a picture that is nowhere is in the log");
        assert!(!refused.body.to_string().contains("AKIA"), "{what}: {}", refused.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_sold_is_written_in_parts_waits_there_and_is_kept_or_discarded() {
    let files = PrivateFiles::beside(&Blobs::bucket(&bucket("sold")).unwrap());
    let content: Vec<u8> = (0..12_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    let variant = VariantId::from_uuid(Clock.new_id());
    let stored = async || {
        let mut upload = files.upload(Waiting { variant, number: Clock.new_id() }).await.unwrap();
        for piece in content.chunks(700_000) {
            upload.take(&Bytes::copy_from_slice(piece)).await.unwrap();
        }
        upload.end().await.unwrap()
    };
    let read = async |it: &Stored| {
        let pieces = files.read(variant, &it.address, 5_999_990..6_000_010).await.unwrap()?;
        Some(pieces.try_collect::<Vec<_>>().await.unwrap().concat())
    };
    let (kept, discarded) = (stored().await, stored().await);
    let later = Clock.now() + TimeDelta::days(2);
    let mut waiting = files.sweep(later).await.unwrap();
    waiting.sort_by_key(|it| it.number);
    assert_eq!(waiting, [kept.waiting, discarded.waiting]);
    assert!(read(&kept).await.unwrap() == content[5_999_990..6_000_010]);
    for _ in 0..2 {
        files.keep(kept.waiting, &kept.address).await.unwrap();
        files.discard(discarded.waiting).await.unwrap();
    }
    assert_eq!((files.sweep(later).await.unwrap(), read(&discarded).await), (vec![], None));
    assert!(read(&kept).await.unwrap() == content[5_999_990..6_000_010]);
    let mut broken_off = files.upload(Waiting { variant, number: Clock.new_id() }).await.unwrap();
    broken_off.take(&Bytes::from(content)).await.unwrap();
    broken_off.abort().await;
    assert_eq!(files.sweep(later).await.unwrap(), []);
}
