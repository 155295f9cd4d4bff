//! Files: uploaded, downloaded whole and in ranges, replaced by versions, and counted once.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use byteshop_commands::ports::blobs::Blobs;
use byteshop_domain::ids::{Id as _, VariantId};
use byteshop_eventstore::envelope::to_hex;
use byteshop_gateway::security::token::Role;
use byteshop_gateway::trade::Trade;
use byteshop_tests::shop::{Answer, TestShop};
use futures_util::future::join_all;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Outlet, path_of};

/// A response as bytes.
struct Bytes {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Bytes {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// So many bytes, no two hundred of which are alike.
fn content(length: u32, seed: u32) -> Vec<u8> {
    (0..length).map(|at| ((at.wrapping_mul(2_654_435_761) >> 7) ^ seed).to_le_bytes()[0]).collect()
}

/// How many files are in a directory and those in it.
fn files_in(directory: &Path) -> usize {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files_in(&path) } else { 1 }).sum()
}

impl Outlet {
    fn files(&self) -> String {
        format!("/v1/variants/{}/files", self.variant)
    }

    async fn upload(&self, name: &str, content: &[u8]) -> Answer {
        let call = self.shop.post(&format!("{}?name={name}", self.files())).by(&self.staff);
        call.header("Content-Type", "application/epub+zip").body_raw(content.to_vec()).send().await
    }

    async fn replace(&self, file: &str, content: &[u8]) -> Answer {
        let call = self.shop.put(&format!("{}/{file}", self.files())).by(&self.staff);
        call.header("Content-Type", "application/epub+zip").body_raw(content.to_vec()).send().await
    }

    /// A file that is sold with so many downloads.
    async fn of_file(content: &[u8], downloads: Option<u32>) -> (Self, String) {
        let outlet = Self::open().await;
        let added = outlet.upload("book.epub", content).await.expect(201);
        outlet.set_limits(None, downloads).await.expect(200);
        let file = added.text("/files/0/file").to_owned();
        (outlet, file)
    }

    async fn fetch(&self, url: &Value, headers: &[(&str, &str)]) -> Bytes {
        self.fetch_by(Method::GET, url, headers).await
    }

    async fn fetch_by(&self, method: Method, url: &Value, headers: &[(&str, &str)]) -> Bytes {
        let mut request = Client::new().request(method, format!("{}{}", self.shop.url, path_of(url)));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Bytes { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_buyer_of_a_paid_order_downloads_the_file() {
    let book = content(9_000_000, 1);
    let (outlet, file) = Outlet::of_file(&book, Some(2)).await;
    let shop = &outlet.shop;
    let buyer = shop.person("buyer@example.org").await;
    let order = shop.buy(&buyer.token, &outlet.variant, 1).await.expect(201).id();
    shop.pay(&buyer.token, &order).await.expect(201);
    shop.at_rest().await;
    let bought = async || {
        let head = shop.log.head().await.unwrap();
        let page = shop.get("/v1/me/purchases").by(&buyer.token).after(head).send().await.expect(200);
        page.body["items"][0]["lines"][0]["downloads"]["files"][0].clone()
    };
    let it = bought().await;
    assert_eq!((&it["file"], &it["name"], &it["version"]), (&json!(file), &json!("book.epub"), &json!(1)));
    assert_eq!((&it["bytes"], &it["media_type"]), (&json!(9_000_000), &json!("application/epub+zip")));
    assert_eq!((&it["downloaded"], &it["remaining"]), (&json!(0), &json!(2)));
    let head = outlet.fetch_by(Method::HEAD, &it["url"], &[]).await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "9000000", 0));
    assert_eq!(bought().await["downloaded"], 0, "a HEAD counts");
    let got = outlet.fetch(&it["url"], &[]).await;
    assert!(got.status == 200 && got.body == book, "{} with {} bytes", got.status, got.body.len());
    assert_eq!(got.header("content-disposition"), "attachment; filename=\"book.epub\"; filename*=UTF-8''book.epub");
    assert_eq!(got.header("content-type"), "application/epub+zip");
    assert_eq!((got.header("content-length"), got.header("accept-ranges")), ("9000000", "bytes"));
    assert_eq!((got.header("x-content-type-options"), got.header("cache-control")), ("nosniff", "private, no-cache"));
    assert_eq!((bought().await["downloaded"].clone(), bought().await["remaining"].clone()), (json!(1), json!(1)));
    let stored = outlet.everything_stored().await;
    let digest = to_hex(&Sha256::digest(&book));
    assert!(stored.contains("file_added") && !stored.contains(&digest), "the address of a file is in the clear");
    // Not even who knows the address gets the file.
    for ending in ["", ".jpg", ".png", ".epub"] {
        shop.get(&format!("/v1/files/{digest}{ending}")).send().await.expect_problem(404, "file.missing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_of_one_url_are_one_download() {
    let book = content(100_000, 2);
    let (outlet, _) = Outlet::of_file(&book, Some(1)).await;
    let (path, cart) = outlet.sold(1).await;
    let url = outlet.downloads(&path, &cart).await["files"][0]["url"].clone();
    let spare = outlet.downloads(&path, &cart).await["files"][0]["url"].clone();
    let outside = outlet.fetch(&url, &[("Range", "bytes=100000-")]).await;
    assert_eq!((outside.status, outside.header("content-range")), (416, "bytes */100000"));
    assert_eq!(outlet.counted().await, 0, "what is refused counts");
    let mut got = Vec::new();
    for start in (0..100_000).step_by(30_000) {
        let end = (start + 29_999).min(99_999);
        let part = outlet.fetch(&url, &[("Range", &format!("bytes={start}-{}", start + 29_999))]).await;
        assert_eq!((part.status, part.header("content-range")), (206, &*format!("bytes {start}-{end}/100000")));
        assert_eq!(part.header("content-length"), (end - start + 1).to_string());
        got.extend(part.body);
    }
    assert!(got == book);
    let last = outlet.fetch(&url, &[("Range", "bytes=-5")]).await;
    assert_eq!((last.status, last.body), (206, book[99_995..].to_vec()));
    let tag = last.headers["etag"].to_str().unwrap().to_owned();
    let same = outlet.fetch(&url, &[("Range", "bytes=0-9"), ("If-Range", &tag)]).await;
    assert_eq!((same.status, same.body.len()), (206, 10));
    let other = outlet.fetch(&url, &[("Range", "bytes=0-9"), ("If-Range", "\"another\"")]).await;
    assert_eq!((other.status, other.body.len()), (200, 100_000));
    let zipped = outlet.fetch(&url, &[("Range", "bytes=0-9"), ("Accept-Encoding", "gzip")]).await;
    assert_eq!((zipped.header("content-encoding"), &*zipped.body), ("", &book[..10]));
    let known = outlet.fetch(&url, &[("If-None-Match", &tag)]).await;
    assert_eq!((known.status, known.body.len()), (304, 0));
    assert_eq!(outlet.counted().await, 1);
    let used_up = outlet.fetch(&spare, &[("Range", "bytes=0-9")]).await;
    assert_eq!(used_up.status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_downloads_at_once_no_more_count_than_the_limit() {
    let book = content(200_000, 3);
    let (outlet, _) = Outlet::of_file(&book, Some(3)).await;
    let (path, cart) = outlet.sold(1).await;
    let mut urls = Vec::new();
    for _ in 0..50 {
        urls.push(outlet.downloads(&path, &cart).await["files"][0]["url"].clone());
    }
    let got = join_all(urls.iter().map(|url| outlet.fetch(url, &[]))).await;
    let whole = got.iter().filter(|it| it.status == 200 && it.body == book).count();
    assert!(got.iter().all(|it| [200, 409].contains(&it.status)));
    assert_eq!((whole, outlet.counted().await), (3, 3));
    // The parts of one download, all at once.
    let (path, cart) = outlet.sold(1).await;
    let url = outlet.downloads(&path, &cart).await["files"][0]["url"].clone();
    let ranges: Vec<String> = (0..50).map(|part| format!("bytes={}-{}", part * 4_000, part * 4_000 + 3_999)).collect();
    let parts = join_all(ranges.iter().map(async |range| outlet.fetch(&url, &[("Range", range)]).await)).await;
    assert!(parts.iter().all(|it| it.status == 206));
    assert!(parts.into_iter().flat_map(|it| it.body).eq(book));
    assert_eq!(outlet.counted().await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_is_for_those_who_bought_and_an_old_url_keeps_its_own() {
    let (first, second) = (content(5_000, 4), content(6_000, 5));
    let (outlet, file) = Outlet::of_file(&first, Some(5)).await;
    let (path, cart) = outlet.sold(1).await;
    let old = outlet.downloads(&path, &cart).await["files"][0]["url"].clone();
    outlet.replace(&file, &first).await.expect_problem(409, "digital_good.same_content");
    let replaced = outlet.replace(&file, &second).await.expect(200);
    assert_eq!(
        (&replaced.body["files"][0]["version"], &replaced.body["files"][0]["bytes"]),
        (&json!(2), &json!(6_000))
    );
    let it = outlet.downloads(&path, &cart).await["files"][0].clone();
    let versions: Vec<&Value> = it["versions"].as_array().unwrap().iter().map(|it| &it["version"]).collect();
    assert_eq!((versions, &it["version"]), (vec![&json!(2), &json!(1)], &json!(2)));
    let new = outlet.fetch(&it["url"], &[]).await;
    assert_eq!((new.status, new.body), (200, second));
    let resumed = outlet.fetch(&old, &[("Range", "bytes=10-")]).await;
    assert_eq!((resumed.status, resumed.body), (206, first[10..].to_vec()));
    assert_ne!(new.headers["etag"], resumed.headers["etag"]);
    assert_eq!(outlet.downloads(&path, &cart).await["files"][0]["downloaded"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_file_stays_with_those_who_had_ordered_it() {
    let (outlet, file) = Outlet::of_file(&content(5_000, 4), None).await;
    let (path, cart) = outlet.sold(1).await;
    let (placed, unpaid) = outlet.shop.order(&outlet.variant, 1).await;
    let remove = async || outlet.shop.delete(&format!("{}/{file}", outlet.files())).by(&outlet.staff).send().await;
    let removed = remove().await.expect(200);
    assert_eq!(removed.body["files"], json!([]));
    remove().await.expect_problem(404, "digital_good.no_such_file");
    outlet.replace(&file, &content(9, 6)).await.expect_problem(404, "digital_good.no_such_file");
    outlet.is_not_sold().await;
    let url = outlet.downloads(&path, &cart).await["files"][0]["url"].clone();
    assert_eq!(outlet.fetch(&url, &[]).await.status, 200);
    // An order that is paid later than the file is removed was placed before.
    let paid_later = format!("/v1/orders/{}", placed.text("/id"));
    outlet.pay(&paid_later, &unpaid).await;
    let url = outlet.downloads(&paid_later, &unpaid).await["files"][0]["url"].clone();
    assert_eq!(outlet.fetch(&url, &[]).await.status, 200);
    outlet.upload("other.epub", &content(6_000, 4)).await.expect(201);
    let (later, cart_of_later) = outlet.sold(1).await;
    let files = outlet.downloads(&later, &cart_of_later).await["files"].clone();
    assert_eq!((files.as_array().unwrap().len(), &files[0]["name"]), (1, &json!("other.epub")));
}

#[tokio::test(flavor = "multi_thread")]
async fn given_back_files_and_files_of_others_are_not_downloaded() {
    let (outlet, _) = Outlet::of_file(&content(5_000, 7), None).await;
    let (path, cart) = outlet.sold(1).await;
    let url = outlet.downloads(&path, &cart).await["files"][0]["url"].clone();
    assert_eq!(outlet.fetch(&url, &[]).await.status, 200);
    let text = path_of(&url);
    for forged in
        [text.replace("version=1", "version=2"), text.replace("&version=1", ""), text.replace("seal=", "seal=0")]
    {
        assert_ne!(forged, text);
        outlet.shop.get(&forged).send().await.expect_problem(403, "link.invalid");
    }
    outlet.refund(&path, &cart, 500, 0).await.expect(201);
    assert_eq!(outlet.fetch(&url, &[("Range", "bytes=0-9")]).await.status, 409);
    assert_eq!(outlet.fetch_by(Method::HEAD, &url, &[]).await.status, 409);
    assert_eq!(outlet.downloads(&path, &cart).await["files"][0]["url"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_are_refused_that_are_too_large_empty_or_no_files() {
    let trade = Trade { file_max: 10_000, ..Trade::default() };
    let blobs = tempfile::tempdir().unwrap();
    let outlet = Outlet::of(TestShop::start().trading(trade).keeping(Blobs::local(blobs.path()).unwrap()).await).await;
    let shop = &outlet.shop;
    outlet.upload("a.epub", &content(10_001, 1)).await.expect_problem(413, "request.too_large");
    outlet.upload("a.epub", &[]).await.expect_problem(422, "digital_good.empty_file");
    for name in ["..", ".hidden", "a%2Fb", "a%5Cb", "%22x", "a%00b", "", "con%0Atrol"] {
        outlet.upload(name, b"x").await.expect_problem(400, "request.invalid_query");
    }
    let path = format!("{}?name=a.zip", outlet.files());
    let send =
        |kind: &str| shop.post(&path).by(&outlet.staff).header("Content-Type", kind).body_raw("PK\u{3}\u{4}…").send();
    send("multipart/form-data; boundary=x").await.expect_problem(415, "request.unsupported_media_type");
    let added = send("application/octet-stream").await.expect(201);
    assert_eq!(added.body["files"][0]["media_type"], "application/zip");
    send("application/zip").await.expect_problem(409, "digital_good.same_name");
    outlet.upload("%C3%9Cbung%201.epub", &content(10_000, 1)).await.expect(201);
    let (_, lamp) = shop.product("LAMP", 500, 1).await;
    let call = shop.post(&format!("/v1/variants/{lamp}/files?name=a.zip")).by(&outlet.staff).body_raw("PK");
    call.send().await.expect_problem(409, "digital_good.physical");
    // Repeated with its key, an upload is the first one; and no two files have one name.
    let keyed = || shop.post(&format!("{}?name=k.bin", outlet.files())).by(&outlet.staff).key("u-1").body_raw("once");
    let first = keyed().send().await.expect(201);
    assert_eq!(keyed().send().await.expect(201).body, first.body);
    let shown = shop.get(&outlet.path("")).by(&outlet.staff).send().await.expect(200);
    assert_eq!(shown.body["files"].as_array().unwrap().len(), 3);
    // What was refused or repeated leaves nothing in the store.
    assert_eq!(
        (files_in(&blobs.path().join("private/files")), files_in(&blobs.path().join("private/uploads"))),
        (3, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_keepers_upload_and_what_a_suspended_seller_sold_is_downloaded() {
    let (outlet, seller, ada, eve) = super::links::stall(TestShop::start().await).await;
    let shop = &outlet.shop;
    let path = format!("{}?name=a.zip", outlet.files());
    let send = |token: &str| shop.post(&path).by(token).body_raw("PK").send();
    send(&eve.token).await.expect_problem(403, "product.not_yours");
    send(&shop.token(Role::Customer)).await.expect_problem(403, "product.not_yours");
    shop.post(&path).body_raw("PK").send().await.expect_problem(401, "auth.missing");
    let added = send(&ada.token).await.expect(201);
    let file = format!("{}/{}", outlet.files(), added.text("/files/0/file"));
    shop.put(&file).by(&eve.token).body_raw("PK2").send().await.expect_problem(403, "product.not_yours");
    shop.delete(&file).by(&eve.token).send().await.expect_problem(403, "product.not_yours");
    let (order, cart) = outlet.sold(1).await;
    shop.decide(&seller, "suspend").await.expect(200);
    shop.put(&file).by(&ada.token).body_raw("PK2").send().await.expect_problem(409, "seller.not_active");
    let url = outlet.downloads(&order, &cart).await["files"][0]["url"].clone();
    let got = outlet.fetch(&url, &[]).await;
    assert_eq!((got.status, got.body), (200, b"PK".to_vec()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_lost_counts_nothing() {
    let blobs = tempfile::tempdir().unwrap();
    let shop = TestShop::start().keeping(Blobs::local(blobs.path()).unwrap()).await;
    let outlet = Outlet::of(shop).await;
    outlet.upload("book.epub", &content(5_000, 8)).await.expect(201);
    let (path, cart) = outlet.sold(1).await;
    let url = outlet.downloads(&path, &cart).await["files"][0]["url"].clone();
    fs::remove_dir_all(blobs.path().join("private")).unwrap();
    assert_eq!(outlet.fetch(&url, &[]).await.status, 404);
    assert_eq!(outlet.counted().await, 0);
}

/// As the store is when the shop was killed between the event and the move of its file, or before the event.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_is_kept_if_it_was_added_and_deleted_otherwise() {
    let blobs = tempfile::tempdir().unwrap();
    let outlet = Outlet::of(TestShop::start().keeping(Blobs::local(blobs.path()).unwrap()).await).await;
    let book = content(5_000, 9);
    outlet.upload("book.epub", &book).await.expect(201);
    let (files, uploads) = (blobs.path().join("private/files"), blobs.path().join("private/uploads"));
    let directory = fs::read_dir(&files).unwrap().next().unwrap().unwrap().path();
    let kept = fs::read_dir(directory).unwrap().next().unwrap().unwrap();
    let number = kept.file_name().to_str().unwrap()[64..].to_owned();
    let variant: VariantId = outlet.variant.parse().unwrap();
    let waiting = |variant: Uuid, number: &str| uploads.join(format!("{}-{number}", variant.simple()));
    fs::rename(kept.path(), waiting(variant.uuid(), &number)).unwrap();
    let orphans = [waiting(variant.uuid(), &"a".repeat(32)), waiting(Uuid::from_u128(1), &number)];
    let old = SystemTime::now() - Duration::from_hours(48);
    for path in &orphans {
        fs::write(path, "never added").unwrap();
    }
    for entry in fs::read_dir(&uploads).unwrap() {
        fs::File::options().write(true).open(entry.unwrap().path()).unwrap().set_modified(old).unwrap();
    }
    let (path, cart) = outlet.sold(1).await;
    let url = outlet.downloads(&path, &cart).await["files"][0]["url"].clone();
    assert_eq!((files_in(&files), files_in(&uploads)), (0, 3));
    assert!(outlet.fetch(&url, &[]).await.body == book, "a file that waits is not read");
    outlet.upload("more.epub", &content(6_000, 9)).await.expect(201);
    assert_eq!((files_in(&files), files_in(&uploads)), (2, 0));
    assert!(outlet.fetch(&url, &[]).await.body == book, "a file is lost");
}
