//! Pictures of products: what is taken, what is refused, what becomes of it, and how it is served.

use std::io::Cursor;

use byteshop_commands::notify::outside::Outside;
use byteshop_commands::notify::words::ShopDetails;
use byteshop_eventstore::Log;
use byteshop_gateway::grpc::v1::catalog_service_client::CatalogServiceClient;
use byteshop_gateway::grpc::v1::get_product_request::By;
use byteshop_gateway::grpc::v1::{GetProductRequest, SearchProductsRequest};
use byteshop_gateway::security::token::Role;
use byteshop_tests::servers::fresh_database;
use byteshop_tests::shop::{Answer, Call, TestShop};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use reqwest::Method;
use serde_json::{Value, json};
use tonic::transport::Channel;

use super::categories::Staff;

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Vec::new();
    picture.write_to(&mut Cursor::new(&mut file), format).unwrap();
    file
}

/// A picture that no other seed gives.
fn picture(seed: u8) -> DynamicImage {
    RgbImage::from_fn(300, 200, |x, y| Rgb([seed, u8::try_from(x % 256).unwrap(), u8::try_from(y % 256).unwrap()]))
        .into()
}

fn photograph(seed: u8) -> Vec<u8> {
    encoded(&picture(seed), ImageFormat::Jpeg)
}

struct Gallery {
    staff: Staff,
    path: String,
}

impl Gallery {
    async fn open() -> Self {
        let staff = Staff::start().await;
        let (product, _) = staff.shop.product("G-1", 100, 0).await;
        Self { staff, path: format!("/v1/products/{product}/images") }
    }

    fn sending(&self, file: Vec<u8>) -> Call {
        self.staff.shop.post(&self.path).by(&self.staff.admin).body_raw(file)
    }

    async fn send(&self, file: Vec<u8>) -> Answer {
        self.sending(file).send().await
    }

    async fn ids(&self) -> Vec<String> {
        let product = self.staff.shop.get(self.path.trim_end_matches("/images")).send().await.expect(200);
        product.body["images"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    }

    async fn file(&self, url: &str) -> reqwest::Response {
        reqwest::get(format!("{}{url}", self.staff.shop.url)).await.unwrap()
    }
}

fn form(fields: &[(&str, Option<&str>, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, filename, content) in fields {
        let filename = filename.map(|it| format!("; filename=\"{it}\"")).unwrap_or_default();
        let head = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{filename}\r\n\r\n");
        body.extend([head.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend(b"--edge--\r\n");
    ("multipart/form-data; boundary=edge".to_owned(), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_kept_with_smaller_copies_and_served() {
    let gallery = Gallery::open().await;
    let added = gallery.sending(photograph(1)).header("Content-Type", "image/jpeg").send().await.expect(201);
    let image = &added.body["images"][0];
    let shape = ["type", "width", "height", "alt"].map(|field| image[field].clone());
    assert_eq!(shape, [json!("jpeg"), json!(300), json!(200), Value::Null]);
    let id = image["id"].as_str().unwrap();
    assert_eq!(added.header("location"), Some(format!("{}/{id}", gallery.path).as_str()));

    let url = image["url"].as_str().unwrap();
    let served = gallery.file(url).await;
    let header = |name: &str| served.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "image/jpeg");
    assert_eq!(header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("content-security-policy"), "default-src 'none'; sandbox");
    let tag = header("etag");
    let read = image::load_from_memory(&served.bytes().await.unwrap()).unwrap();
    assert_eq!((read.width(), read.height()), (300, 200));
    for value in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let known = gallery.staff.shop.get(url).header("If-None-Match", &value).send().await;
        assert_eq!((known.status, &known.body), (304, &Value::Null), "{value}");
    }
    assert_eq!(gallery.staff.shop.get(url).header("If-None-Match", "\"x\"").send().await.status, 200);
    let range = async |range: &str| gallery.staff.shop.get(url).header("Range", range).send().await;
    let whole = gallery.file(url).await.bytes().await.unwrap();
    let part = reqwest::Client::new().get(format!("{}{url}", gallery.staff.shop.url)).header("Range", "bytes=10-19");
    let part = part.send().await.unwrap();
    let told = |name: &str| part.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((part.status().as_u16(), told("content-range")), (206, format!("bytes 10-19/{}", whole.len())));
    assert_eq!((told("etag"), told("accept-ranges")), (tag.clone(), "bytes".to_owned()));
    assert_eq!(part.bytes().await.unwrap(), whole[10..20]);
    let beyond = range(&format!("bytes={}-", whole.len())).await;
    assert_eq!(beyond.header("content-range"), Some(format!("bytes */{}", whole.len()).as_str()));
    beyond.expect_problem(416, "request.range_not_satisfiable");
    assert_eq!(range("bytes=0-1,4-5").await.status, 200, "several ranges are answered with the whole file");
    let stale = gallery.staff.shop.get(url).header("Range", "bytes=0-1").header("If-Range", "\"x\"").send().await;
    assert_eq!(stale.status, 200);
    let sizes: Vec<_> = image["thumbnails"].as_array().unwrap().iter().map(|it| it["size"].clone()).collect();
    assert_eq!(sizes, [160, 640]);
    let small = gallery.file(image["thumbnails"][0]["url"].as_str().unwrap()).await;
    let small = image::load_from_memory(&small.bytes().await.unwrap()).unwrap();
    assert_eq!((small.width(), small.height()), (160, 107));
    let head = gallery.staff.shop.call(Method::HEAD, url).send().await;
    assert_eq!((head.status, head.header("etag")), (200, Some(tag.as_str())));

    // Lists show it too, and the log knows nothing but what it is.
    let at = added.position().to_string();
    let listed = gallery.staff.shop.get("/v1/products").after(&at).send().await.expect(200);
    assert_eq!(listed.body["items"][0]["images"], added.body["images"]);
    let (shop, variant) = (&gallery.staff.shop, added.text("/variants/0/id"));
    let received = json!({"type": "received", "quantity": 1});
    gallery.staff.post(&format!("/v1/variants/{variant}/stock"), received).await.expect(200);
    let cart = shop.guest_cart().await;
    let line = format!("/v1/carts/{}/lines/{variant}", cart.id);
    let in_cart = shop.put(&line).with(&cart).json(json!({"quantity": 1})).send().await.expect(200);
    assert_eq!(in_cart.body["lines"][0]["image"], *image);
}

/// The URLs of an image and of its thumbnails.
fn urls(image: &Value) -> Vec<&str> {
    let thumbnails = image["thumbnails"].as_array().unwrap().iter();
    [image].into_iter().chain(thumbnails).map(|it| it["url"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_at_the_public_address_of_the_api_wherever_they_are_shown() {
    const API: &str = "https://api.shop.example.org";
    let database = fresh_database().await;
    let details = ShopDetails { api: Some(API.into()), ..ShopDetails::default() };
    let outside = Outside { details, ..Outside::kept(&Log::open(&database).unwrap()) };
    let shop = TestShop::on(database).reaching(outside).await;
    let admin = shop.token(Role::Admin);
    let (product, variant) = shop.product("G-1", 100, 5).await;
    let path = format!("/v1/products/{product}");
    let added = shop.post(&format!("{path}/images")).by(&admin).body_raw(photograph(1)).send().await.expect(201);
    let images = &added.body["images"];
    let shown = urls(&images[0]);
    assert_eq!(shown.len(), 3);
    for url in shown {
        let file = url.strip_prefix(API).unwrap_or_else(|| panic!("{url} is not at the address of the API"));
        assert!(file.starts_with("/v1/files/"), "{url}");
        shop.get(file).send().await.expect(200);
    }
    let at = added.position();
    assert_eq!(&shop.get(&path).after(at).send().await.expect(200).body["images"], images);
    for query in ["", "?currency=EUR", "?q=G-1", "?status=all"] {
        // The second time it comes from memory.
        for _ in 0..2 {
            let call = shop.get(&format!("/v1/products{query}")).by(&admin).after(at);
            assert_eq!(&call.send().await.expect(200).body["items"][0]["images"], images, "{query}");
        }
    }
    let cart = shop.full_cart(&variant, 1).await;
    let in_cart = shop.get(&format!("/v1/carts/{}", cart.id)).with(&cart).send().await.expect(200);
    assert_eq!(in_cart.body["lines"][0]["image"], images[0]);

    let channel = Channel::from_shared(shop.url.clone()).unwrap().connect().await.unwrap();
    let mut catalog = CatalogServiceClient::new(channel);
    let by = Some(By::Product(product));
    let one = catalog.get_product(GetProductRequest { by }).await.unwrap().into_inner().product.unwrap();
    let found = catalog.search_products(SearchProductsRequest::default()).await.unwrap().into_inner();
    for image in [&one.images[0], &found.products[0].images[0]] {
        let thumbnails = image.thumbnails.iter().map(|it| &it.url);
        assert_eq!([&image.url].into_iter().chain(thumbnails).collect::<Vec<_>>(), urls(&images[0]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_type_is_told_by_what_is_in_it_and_nothing_else_of_the_file_is_kept() {
    let gallery = Gallery::open().await;
    let clear: DynamicImage = RgbaImage::from_pixel(20, 10, Rgba([1, 2, 3, 100])).into();
    for (file, expected) in [
        (encoded(&picture(1), ImageFormat::Png), "png"),
        (encoded(&picture(2), ImageFormat::Gif), "png"),
        (encoded(&picture(3), ImageFormat::WebP), "jpeg"),
        (encoded(&clear, ImageFormat::WebP), "png"),
        (photograph(4), "jpeg"),
    ] {
        // Whatever it is called.
        let sent = gallery.sending(file).header("Content-Type", "image/gif").send().await.expect(201);
        let images = sent.body["images"].as_array().unwrap();
        assert_eq!(images.last().unwrap()["type"], expected);
    }
    // A polyglot: a picture that is also a page, and carries words about where it was made.
    let words = b"<script>alert(1)</script>GPS 52.5N 13.4E";
    let mut file = photograph(5);
    let length = u16::try_from(words.len() + 2).unwrap().to_be_bytes();
    file.splice(2..2, [&[0xff, 0xe1][..], &length, words].concat());
    file.extend(b"PK\x03\x04<html><script>alert(2)</script>");
    let sent = gallery.send(file).await.expect(201);
    let url = sent.body["images"][5]["url"].as_str().unwrap();
    let served = gallery.file(url).await.bytes().await.unwrap();
    for needle in [&b"script"[..], b"GPS", b"PK\x03\x04", b"html"] {
        assert!(!served.windows(needle.len()).any(|window| window == needle));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photograph_is_turned_upright() {
    let gallery = Gallery::open().await;
    // Exif, orientation 6 (CIPA DC-008, 4.6.4): the camera was turned by a quarter.
    let exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    let mut file = photograph(1);
    file.splice(2..2, [&[0xff, 0xe1][..], &length, exif].concat());
    let sent = gallery.send(file).await.expect(201);
    assert_eq!((&sent.body["images"][0]["width"], &sent.body["images"][0]["height"]), (&json!(200), &json!(300)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_picture_is_refused() {
    let gallery = Gallery::open().await;
    let mut cut = encoded(&picture(1), ImageFormat::Png);
    cut.truncate(cut.len() / 3);
    for (file, status, code) in [
        (b"".to_vec(), 415, "image.unsupported"),
        (b"GIF".to_vec(), 422, "image.broken"),
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>".to_vec(), 415, "image.unsupported"),
        (b"%PDF-1.7\n".to_vec(), 415, "image.unsupported"),
        (b"PK\x03\x04".repeat(100), 415, "image.unsupported"),
        (b"\x89PNG\r\n\x1a\n".to_vec(), 422, "image.broken"),
        ([&b"\xff\xd8\xff\xe0"[..], &[0; 64]].concat(), 422, "image.broken"),
        (cut, 422, "image.broken"),
    ] {
        let refused = gallery.sending(file).header("Content-Type", "image/png").send().await;
        refused.expect_problem(status, code);
    }
    let html = gallery.sending(photograph(1)).header("Content-Type", "text/html").send().await;
    html.expect_problem(415, "request.unsupported_media_type");
    let json = gallery.staff.post(&gallery.path, json!({"file": "x"})).await;
    json.expect_problem(415, "request.unsupported_media_type");
    assert_eq!(gallery.ids().await, Vec::<String>::new());
}

/// A PNG that claims a size, with the checksum that belongs to it (RFC 2083, sections 3.4 and 4.1.1).
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let mut file = encoded(&DynamicImage::new_rgb8(1, 1), ImageFormat::Png);
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    };
    let checksum = !file[12..29].iter().fold(!0, step);
    file[29..33].copy_from_slice(&checksum.to_be_bytes());
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_is_refused_by_its_header_and_a_flood_by_its_length() {
    let gallery = Gallery::open().await;
    for (width, height) in [(50_000, 50_000), (12_001, 1), (8_000, 8_000), (u32::MAX >> 1, 1)] {
        let refused = gallery.send(claiming(width, height)).await;
        refused.expect_problem(422, "image.too_large");
    }
    // As many as are sent at once: nothing is unpacked, so nothing grows.
    let bombs = (0..20).map(|_| gallery.send(claiming(60_000, 60_000)));
    for refused in futures_util::future::join_all(bombs).await {
        refused.expect_problem(422, "image.too_large");
    }
    for size in [11 << 20, 50 << 20] {
        let flood = gallery.sending(vec![0; size]).header("Content-Type", "image/png").send().await;
        flood.expect_problem(413, "request.too_large");
    }
    let (kind, body) = form(&[("file", Some("big.png"), &vec![0; (10 << 20) + 1])]);
    let flood = gallery.sending(body).header("Content-Type", &kind).send().await;
    flood.expect_problem(413, "request.too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_are_read_and_the_names_of_their_files_mean_nothing() {
    let gallery = Gallery::open().await;
    let names = ["../../../etc/passwd", "..\\..\\x.png", "/etc/cron.d/x", "con", ".htaccess"];
    for (seed, name) in names.iter().enumerate() {
        let file = photograph(u8::try_from(seed).unwrap());
        let (kind, body) = form(&[("alt", None, "Лампа".as_bytes()), ("file", Some(name), &file)]);
        let sent = gallery.sending(body).header("Content-Type", &kind).send().await.expect(201);
        let image = sent.body["images"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(image["alt"], "Лампа");
        let url = image["url"].as_str().unwrap();
        assert!(url.len() == "/v1/files/".len() + 64 + 4 && !url.contains(".."), "{url}");
    }
    // Every file lies in the store, in a directory named by its first digits.
    let mut directories = std::fs::read_dir(gallery.staff.shop.files.path()).unwrap();
    assert!(directories.all(|it| it.unwrap().file_name().len() == 2));

    let file = photograph(99);
    for fields in [
        &[("alt", None, &b"no file"[..])][..],
        &[("file", None, &file), ("file", None, &file)],
        &[("file", None, &file), ("price", None, b"1")],
        &[("file", None, &file), ("alt", None, &[b'x'; 201])],
        &[("file", None, &file), ("alt", None, "a\u{2028}b".as_bytes())],
        &[("file", None, &file), ("alt", None, "\u{200b}".as_bytes())],
    ] {
        let (kind, body) = form(fields);
        gallery.sending(body).header("Content-Type", &kind).send().await.expect_problem(422, "request.invalid");
    }
    let (kind, body) = form(&[("file", Some("a\0b.png"), &file)]);
    gallery.sending(body).header("Content-Type", &kind).send().await.expect_problem(400, "request.malformed_form");
    for kind in ["multipart/form-data", "multipart/form-data; boundary=other"] {
        let (_, body) = form(&[("file", None, &file)]);
        let refused = gallery.sending(body).header("Content-Type", kind).send().await;
        refused.expect_problem(400, "request.malformed_form");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_but_a_files_own_name_reaches_the_store() {
    let gallery = Gallery::open().await;
    let digest = "0a".repeat(32);
    for name in [
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/etc/passwd",
        "passwd",
        &format!("{digest}.html"),
        &format!("{digest}.svg"),
        &format!("{digest}%2f..%2fx.jpg"),
        &format!("{digest}-999.jpg"),
        &format!("{digest}.jpg"),
        &digest.to_uppercase(),
        "%00",
        "0a/x",
    ] {
        let found = gallery.staff.shop.get(&format!("/v1/files/{name}")).send().await;
        assert_eq!(found.status, 404, "{name}: {}", found.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_ordered_described_and_removed() {
    let gallery = Gallery::open().await;
    let product = gallery.path.trim_end_matches("/images");
    for seed in 0..3 {
        gallery.sending(photograph(seed)).key(&format!("picture-{seed}")).send().await.expect(201);
    }
    let again = gallery.sending(photograph(0)).key("picture-0").send().await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    gallery.send(photograph(0)).await.expect_problem(409, "product.image_twice");
    let ids = gallery.ids().await;
    let order = |ids: &[&String]| json!({"images": ids});
    let turned = [&ids[2], &ids[0], &ids[1]];
    let ordered = gallery.staff.put(&gallery.path, order(&turned)).await.expect(200);
    assert_eq!(gallery.ids().await.iter().collect::<Vec<_>>(), turned);
    gallery.staff.put(&gallery.path, order(&turned[1..])).await.expect_problem(409, "product.images_differ");
    let one = format!("{}/{}", gallery.path, ids[0]);
    let described = gallery.staff.patch(&one, json!({"alt": "A lamp"})).await.expect(200);
    assert_eq!(described.body["images"][1]["alt"], "A lamp");
    gallery.staff.patch(&one, json!({"alt": "x".repeat(201)})).await.expect_problem(422, "request.invalid");

    // Of those who put it into an order at once and have seen the same version, one does.
    let tag = described.header("etag").unwrap();
    let orders = [[0, 1, 2], [1, 0, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]];
    let calls = orders.iter().map(|it| {
        let body = order(&it.map(|index| &ids[index]));
        gallery.staff.shop.put(&gallery.path).by(&gallery.staff.admin).header("If-Match", tag).json(body).send()
    });
    let answers = futures_util::future::join_all(calls).await;
    let done: Vec<_> = answers.iter().enumerate().filter(|(_, answer)| answer.status == 200).collect();
    assert_eq!(done.len(), 1);
    assert!(answers.iter().all(|answer| [200, 412].contains(&answer.status)));
    assert_eq!(gallery.ids().await, orders[done[0].0].map(|index| ids[index].clone()));
    assert_ne!(ordered.header("etag"), described.header("etag"));

    gallery.staff.shop.delete(&one).by(&gallery.staff.admin).send().await.expect(204);
    gallery.staff.shop.delete(&one).by(&gallery.staff.admin).send().await.expect(204);
    gallery.staff.patch(&one, json!({"alt": null})).await.expect_problem(404, "product.no_such_image");
    assert_eq!(gallery.ids().await.len(), 2);

    let customer = gallery.staff.shop.token(Role::Customer);
    let sent = gallery.staff.shop.post(&gallery.path).by(&customer).body_raw(photograph(9)).send().await;
    sent.expect_problem(403, "product.not_yours");
    gallery.staff.shop.post(&gallery.path).body_raw(photograph(9)).send().await.expect_problem(401, "auth.missing");
    let nowhere = "/v1/products/prod_00000000000000000000000009/images";
    let sent = gallery.staff.shop.post(nowhere).by(&gallery.staff.admin).body_raw(photograph(9)).send().await;
    sent.expect_problem(404, "product.missing");
    gallery.staff.post(&format!("{product}/archive"), json!({})).await.expect(200);
    gallery.send(photograph(9)).await.expect_problem(409, "product.archived");
}
