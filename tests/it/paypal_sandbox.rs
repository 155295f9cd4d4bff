//! The stand-in for PayPal over HTTP: every response is held against PayPal's documents.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use byteshop_gateway::paypal_sandbox::{Place, Running, Settings};
use byteshop_tests::patience::eventually;
use byteshop_tests::receiver::{Posted, Receiver};
use jsonschema::Draft;
use reqwest::{Client, Method, Response, StatusCode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

/// The account that is paid.
const PAYEE: &str = "SELLERB234567";
const HOOK: &str = "SANDBOXWEBHOOK";
/// How a certificate with an RSA key of 2048 bits begins to tell it, and how long that part is.
const RSA_KEY: [u8; 24] = [
    0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    0x03, 0x82, 0x01, 0x0f, 0x00,
];
const RSA_KEY_LENGTH: usize = 294;

static DOCUMENTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../paypal-sandbox/openapi");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let documents = files.filter(|path| path.extension().is_some_and(|it| it == "json"));
    documents.map(|path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()).collect()
});

/// Fails unless a response is as PayPal's document says.
fn judge(method: &Method, path: &str, status: StatusCode, body: &Value) {
    let path = path.split('?').next().unwrap();
    let matches = |template: &str| {
        let parts: Vec<&str> = template.split('/').collect();
        let given: Vec<&str> = path.split('/').collect();
        parts.len() == given.len() && parts.iter().zip(&given).all(|(part, it)| part.starts_with('{') || part == it)
    };
    let mut paths = DOCUMENTS.iter().flat_map(|document| {
        document["paths"].as_object().unwrap().iter().map(move |(template, methods)| (document, template, methods))
    });
    let found = paths.find(|(_, template, _)| matches(template));
    let (document, template, methods) = found.unwrap_or_else(|| panic!("no document has {path}"));
    let responses = &methods[method.as_str().to_lowercase()]["responses"];
    let mut described = responses.get(status.as_str()).or(responses.get("default")).unwrap();
    if let Some(at) = described["$ref"].as_str() {
        described = document.pointer(at.trim_start_matches('#')).unwrap();
    }
    let Some(schema) = described.pointer("/content/application~1json/schema") else { return };
    let schema = json!({"allOf": [schema], "components": document["components"]});
    let judge = jsonschema::options().with_draft(Draft::Draft4).build(&schema).unwrap();
    let faults: Vec<String> = judge.iter_errors(body).map(|it| format!("{}: {it}", it.instance_path())).collect();
    assert!(faults.is_empty(), "{method} {template} {status}: {faults:#?}\n{body:#}");
}

/// A sandbox and its caller.
struct Desk {
    sandbox: Running,
    client: Client,
    token: String,
}

impl Desk {
    async fn start(settings: Settings) -> Self {
        Self::start_at(Place::default(), settings).await
    }

    async fn start_at(place: Place, settings: Settings) -> Self {
        let sandbox = Running::start(place, settings).await.unwrap();
        let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let mut desk = Self { sandbox, client, token: String::new() };
        let answer = desk.ask_for_token("sandbox-secret").await;
        assert_eq!(answer.status(), 200);
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["expires_in"], 32_400);
        body["access_token"].as_str().unwrap().clone_into(&mut desk.token);
        desk
    }

    async fn ask_for_token(&self, secret: &str) -> Response {
        let url = format!("{}/v1/oauth2/token", self.sandbox.url);
        let request = self.client.post(url).basic_auth("sandbox-client", Some(secret));
        let form = request.header("content-type", "application/x-www-form-urlencoded");
        form.body("grant_type=client_credentials").send().await.unwrap()
    }

    fn request(&self, method: Method, path: &str, id: &str, body: &Value) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.sandbox.url)).bearer_auth(&self.token);
        let request =
            request.header("prefer", "return=representation").header("paypal-auth-assertion", assertion(PAYEE));
        let request = if id.is_empty() { request } else { request.header("paypal-request-id", id) };
        if body.is_null() { request } else { request.json(body) }
    }

    async fn call(&self, method: Method, path: &str, id: &str, body: Value) -> (u16, Value) {
        let answer = self.request(method.clone(), path, id, &body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
        judge(&method, path, status, &body);
        (status.as_u16(), body)
    }

    async fn post(&self, path: &str, id: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, id, body).await
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, "", Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let url = format!("{}/sandbox/{path}", self.sandbox.url);
        let request = self.client.request(method, url);
        let answer = if body.is_null() { request } else { request.json(&body) }.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        let text = answer.text().await.unwrap();
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    async fn books(&self) -> Value {
        self.control(Method::GET, "books", Value::Null).await
    }

    async fn order(&self, intent: &str, value: &str) -> String {
        let (status, order) = self.post("/v2/checkout/orders", "", order(intent, value)).await;
        assert_eq!((status, &order["status"]), (201, &json!("CREATED")), "{order}");
        order["id"].as_str().unwrap().to_owned()
    }

    async fn choose(&self, order: &str, choice: &str) -> Response {
        let url = format!("{}/checkoutnow?token={order}", self.sandbox.url);
        let form = self.client.post(url).header("content-type", "application/x-www-form-urlencoded");
        form.body(format!("choice={choice}")).send().await.unwrap()
    }

    async fn capture(&self, value: &str) -> String {
        let order = self.order("CAPTURE", value).await;
        self.choose(&order, "approve").await;
        let (status, captured) = self.post(&format!("/v2/checkout/orders/{order}/capture"), "", Value::Null).await;
        assert_eq!((status, &captured["status"]), (201, &json!("COMPLETED")), "{captured}");
        captured["purchase_units"][0]["payments"]["captures"][0]["id"].as_str().unwrap().to_owned()
    }
}

/// A token that names an account.
fn assertion(merchant: &str) -> String {
    let claims = json!({"iss": "sandbox-client", "payer_id": merchant});
    format!("e30.{}.", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn order(intent: &str, value: &str) -> Value {
    json!({
        "intent": intent,
        "purchase_units": [{
            "custom_id": "order-1",
            "amount": {"currency_code": "EUR", "value": value},
            "payee": {"merchant_id": PAYEE},
            "payment_instruction": {"platform_fees": [{"amount": {"currency_code": "EUR", "value": "1.00"}}]},
        }],
        "application_context": {"return_url": "https://shop.example/back?cart=1", "cancel_url": "https://shop.example/no"},
    })
}

fn location(answer: &Response) -> &str {
    answer.headers()["location"].to_str().unwrap()
}

#[tokio::test]
async fn a_buyer_approves_and_the_money_is_captured_and_refunded() {
    let desk = Desk::start(Settings::default()).await;
    let order = desk.order("CAPTURE", "20.00").await;
    let at = format!("/v2/checkout/orders/{order}");
    let (status, early) = desk.post(&format!("{at}/capture"), "c1", Value::Null).await;
    assert_eq!((status, &early["details"][0]["issue"]), (422, &json!("ORDER_NOT_APPROVED")));

    let page = desk.client.get(format!("{}/checkoutnow?token={order}", desk.sandbox.url)).send().await.unwrap();
    let html = page.text().await.unwrap();
    assert!(html.contains("20.00 EUR") && html.contains("SELLERB234567"), "{html}");
    assert_eq!(location(&desk.choose(&order, "cancel").await), format!("https://shop.example/no?token={order}"));
    desk.choose(&order, "decline").await;
    let (_, declined) = desk.post(&format!("{at}/capture"), "c1", Value::Null).await;
    assert_eq!(declined["details"][0]["issue"], "INSTRUMENT_DECLINED");
    let back = desk.choose(&order, "approve").await;
    assert_eq!(back.status(), 303);
    assert_eq!(location(&back), format!("https://shop.example/back?cart=1&token={order}&PayerID=QYR5Z8XDVJNXQ"));
    assert_eq!(desk.get(&at).await["status"], "APPROVED");

    let (_, captured) = desk.post(&format!("{at}/capture"), "c1", Value::Null).await;
    assert_eq!(desk.post(&format!("{at}/capture"), "c1", Value::Null).await.1, captured);
    let capture = &captured["purchase_units"][0]["payments"]["captures"][0];
    let net = &capture["seller_receivable_breakdown"];
    // 3.49 % and 0.49 for PayPal, 1.00 for the platform.
    assert_eq!((&net["paypal_fee"]["value"], &net["net_amount"]["value"]), (&json!("1.19"), &json!("17.81")));
    let id = capture["id"].as_str().unwrap();
    let part = json!({"amount": {"currency_code": "EUR", "value": "7.50"}, "note_to_payer": "Sorry"});
    let (status, refund) = desk.post(&format!("/v2/payments/captures/{id}/refund"), "r1", part).await;
    assert_eq!((status, &refund["amount"]["value"]), (201, &json!("7.50")));
    let other = desk.request(Method::POST, &format!("/v2/payments/captures/{id}/refund"), "r2", &json!({}));
    let mut other = other.build().unwrap();
    other.headers_mut().insert("paypal-auth-assertion", assertion("MERCHANTA2345").parse().unwrap());
    assert_eq!(desk.client.execute(other).await.unwrap().status(), 403);
    assert_eq!(desk.get(&format!("/v2/payments/captures/{id}")).await["status"], "PARTIALLY_REFUNDED");
    let refund = desk.get(&format!("/v2/payments/refunds/{}", refund["id"].as_str().unwrap())).await;
    assert_eq!(refund["seller_payable_breakdown"]["total_refunded_amount"]["value"], "7.50");
    let books = desk.books().await;
    assert_eq!(books["captures"][0]["amount"], json!({"currency": "EUR", "minor": 2000}));
    assert_eq!((&books["captures"][0]["refunded"], &books["captures"][0]["paypal_fee"]), (&json!(750), &json!(119)));
    desk.sandbox.stop().await;
}

#[tokio::test]
async fn authorizations_payouts_and_disputes_are_as_documented() {
    let desk = Desk::start(Settings::default()).await;
    let order = desk.order("AUTHORIZE", "10.00").await;
    desk.choose(&order, "approve").await;
    let (_, held) = desk.post(&format!("/v2/checkout/orders/{order}/authorize"), "a1", json!({})).await;
    let id = held["purchase_units"][0]["payments"]["authorizations"][0]["id"].as_str().unwrap();
    let at = format!("/v2/payments/authorizations/{id}");
    let (status, _) =
        desk.post(&format!("{at}/capture"), "p1", json!({"amount": {"currency_code": "EUR", "value": "4.00"}})).await;
    assert_eq!((status, &desk.get(&at).await["status"]), (201, &json!("PARTIALLY_CAPTURED")));
    assert_eq!(desk.post(&format!("{at}/void"), "v1", Value::Null).await.0, 200);
    assert_eq!(desk.post(&format!("{at}/reauthorize"), "", json!({})).await.0, 422);

    let items = json!([
        {"receiver": "seller@example.org", "amount": {"currency": "EUR", "value": "3.00"}, "sender_item_id": "1"},
        {"receiver": "unclaimed@example.org", "amount": {"currency": "EUR", "value": "2.00"}, "sender_item_id": "2"},
    ]);
    let batch = json!({"sender_batch_header": {"sender_batch_id": "b1"}, "items": items});
    let (status, made) = desk.post("/v1/payments/payouts", "b1", batch).await;
    assert_eq!(status, 201);
    let at = format!("/v1/payments/payouts/{}", made["batch_header"]["payout_batch_id"].as_str().unwrap());
    let shown = desk.get(&at).await;
    assert_eq!(shown["batch_header"]["batch_status"], "SUCCESS");
    let item = format!("/v1/payments/payouts-item/{}", shown["items"][1]["payout_item_id"].as_str().unwrap());
    assert_eq!(desk.get(&item).await["transaction_status"], "UNCLAIMED");
    assert_eq!(desk.post(&format!("{item}/cancel"), "", Value::Null).await.1["transaction_status"], "RETURNED");

    let capture = desk.capture("9.00").await;
    let opened = desk.control(Method::POST, &format!("captures/{capture}/disputes"), json!({"amount": "5.00"})).await;
    let id = opened["dispute_id"].as_str().unwrap();
    // Without a body it is about all that is left.
    let other = desk.capture("3.00").await;
    let whole = desk.control(Method::POST, &format!("captures/{other}/disputes"), Value::Null).await;
    assert_eq!(whole["dispute_amount"]["value"], "3.00");
    desk.control(
        Method::POST,
        &format!("disputes/{}/decide", whole["dispute_id"].as_str().unwrap()),
        json!({"outcome": "CANCELED_BY_BUYER"}),
    )
    .await;
    let list = desk.get("/v1/customer/disputes?dispute_state=REQUIRED_ACTION").await;
    assert_eq!(list["items"][0]["dispute_id"], id);
    let form = "--x\r\nContent-Disposition: form-data; name=\"input\"\r\nContent-Type: application/json\r\n\r\n\
                {\"evidences\":[{\"evidence_type\":\"PROOF_OF_FULFILLMENT\"}]}\r\n--x--\r\n";
    let at = format!("/v1/customer/disputes/{id}");
    let request = desk.request(Method::POST, &format!("{at}/provide-evidence"), "", &Value::Null);
    let sent = request.header("content-type", "multipart/form-data; boundary=x").body(form).send().await.unwrap();
    assert_eq!(sent.status(), 200);
    assert_eq!(desk.get(&at).await["status"], "UNDER_REVIEW");
    desk.control(Method::POST, &format!("disputes/{id}/decide"), json!({"outcome": "RESOLVED_BUYER_FAVOUR"})).await;
    assert_eq!(desk.get(&at).await["dispute_outcome"]["amount_refunded"]["value"], "5.00");
    desk.control(Method::POST, &format!("captures/{capture}/reverse"), Value::Null).await;
    assert_eq!(desk.get(&format!("/v2/payments/captures/{capture}")).await["status"], "REFUNDED");
    desk.sandbox.stop().await;
}

/// It has settings of its own, so those of a shop may be missing or wrong.
#[test]
fn the_command_reads_no_settings_of_a_shop() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("byteshop.toml"), "nonsense = [").unwrap();
    let mut command = std::process::Command::new(byteshop_tests::program::binary());
    command.current_dir(directory.path()).args(["paypal-sandbox", "--port", "0"]);
    command.env("BYTESHOP_DATABASE_URL", "nonsense").env("BYTESHOP_LOG_FORMAT", "nonsense");
    let (input, output) = (std::process::Stdio::null(), std::process::Stdio::piped());
    let mut child = command.stdin(input).stdout(output).spawn().unwrap();
    let mut first = String::new();
    let read = BufReader::new(child.stdout.take().unwrap()).read_line(&mut first);
    child.kill().unwrap();
    child.wait().unwrap();
    read.unwrap();
    assert!(first.starts_with("ready http://127.0.0.1:"), "{first:?}");
}

#[tokio::test]
async fn invalid_requests_get_the_errors_of_paypal() {
    let desk = Desk::start(Settings::default()).await;
    assert_eq!(desk.ask_for_token("wrong").await.status(), 401);
    let mut body = order("BUY", "1.00");
    body["purchase_units"][0]["amount"]["value"] = json!(1);
    let (status, refused) = desk.post("/v2/checkout/orders", "", body).await;
    assert_eq!((status, &refused["name"]), (400, &json!("INVALID_REQUEST")));
    assert!(refused["details"].as_array().unwrap().iter().any(|it| it["field"] == "/intent"), "{refused}");
    let unknown = desk.call(Method::GET, "/v2/payments/captures/NONE", "", Value::Null).await;
    assert_eq!((unknown.0, &unknown.1["name"]), (404, &json!("RESOURCE_NOT_FOUND")));
    let text = desk.request(Method::POST, "/v2/checkout/orders", "", &Value::Null).body("{").send().await.unwrap();
    assert_eq!(text.status(), 400);
    let url = format!("{}/v2/checkout/orders/X", desk.sandbox.url);
    let stranger = desk.client.get(&url).bearer_auth("A21AAwrong").send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    judge(&Method::GET, "/v2/checkout/orders/X", stranger.status(), &stranger.json().await.unwrap());
    let foreign = desk.client.get(&url).header("host", "evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), 403);
    desk.sandbox.stop().await;
}

#[tokio::test]
async fn a_request_without_a_response_was_executed_once() {
    let desk = Desk::start(Settings::default()).await;
    let order = desk.order("CAPTURE", "5.00").await;
    desk.choose(&order, "approve").await;
    let path = format!("/v2/checkout/orders/{order}/capture");
    desk.control(Method::PUT, "switches", json!({"silent_percent": 100, "operations": ["orders.capture"]})).await;
    let request = desk.request(Method::POST, &path, "once", &Value::Null).timeout(Duration::from_millis(300));
    assert!(request.send().await.unwrap_err().is_timeout());
    assert_eq!(desk.books().await["captures"].as_array().unwrap().len(), 1);
    desk.control(Method::PUT, "switches", json!({"error_percent": 100})).await;
    assert!([500, 503].contains(&desk.post(&path, "once", Value::Null).await.0));
    desk.control(Method::PUT, "switches", json!({"too_many_percent": 100, "retry_after_seconds": 7})).await;
    let refused = desk.request(Method::POST, &path, "once", &Value::Null).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    desk.control(Method::PUT, "switches", json!({})).await;
    assert_eq!(desk.post(&path, "once", Value::Null).await.1["status"], "COMPLETED");
    // Six hours later the request id is forgotten, and the order says what it is.
    desk.control(Method::POST, "clock", json!({"advance_seconds": 6 * 3600})).await;
    assert_eq!(desk.post(&path, "once", Value::Null).await.1["details"][0]["issue"], "ORDER_ALREADY_CAPTURED");
    assert_eq!(desk.books().await["captures"].as_array().unwrap().len(), 1);
    desk.sandbox.stop().await;
}

/// Fails unless the leaf of the root signed what was posted.
async fn verify(desk: &Desk, posted: &Posted) {
    let of = |url: String| async { desk.client.get(url).send().await.unwrap().bytes().await.unwrap() };
    let leaf = CertificateDer::from_pem_slice(&of(posted.header("paypal-cert-url").to_owned()).await).unwrap();
    let root = CertificateDer::from_pem_slice(&of(format!("{}/sandbox/root.pem", desk.sandbox.url)).await).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(root).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
    let name = "messageverificationcerts.sandbox.paypal.com".try_into().unwrap();
    let now = rustls::pki_types::UnixTime::now();
    rustls::client::danger::ServerCertVerifier::verify_server_cert(&*verifier, &leaf, &[], &name, &[], now).unwrap();
    let at = leaf.windows(RSA_KEY.len()).position(|part| part == RSA_KEY).unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &leaf[at..at + RSA_KEY_LENGTH]);
    let mut sum = flate2::Crc::new();
    sum.update(posted.body.as_bytes());
    let [id, time] = ["paypal-transmission-id", "paypal-transmission-time"].map(|name| posted.header(name));
    let message = format!("{id}|{time}|{HOOK}|{}", sum.sum());
    let signature = STANDARD.decode(posted.header("paypal-transmission-sig")).unwrap();
    key.verify(message.as_bytes(), &signature).unwrap();
    let mut asked = json!({
        "auth_algo": posted.header("paypal-auth-algo"),
        "cert_url": posted.header("paypal-cert-url"),
        "transmission_id": id,
        "transmission_sig": posted.header("paypal-transmission-sig"),
        "transmission_time": time,
        "webhook_id": HOOK,
        "webhook_event": posted.json(),
    });
    let path = "/v1/notifications/verify-webhook-signature";
    assert_eq!(desk.post(path, "", asked.clone()).await.1["verification_status"], "SUCCESS");
    asked["webhook_event"]["summary"] = json!("Something else");
    assert_eq!(desk.post(path, "", asked).await.1["verification_status"], "FAILURE");
}

#[tokio::test]
async fn webhooks_are_signed_repeated_and_sent_again() {
    let receiver = Receiver::start(&[500]).await;
    let webhook = Some((HOOK.to_owned(), receiver.url.clone()));
    let desk = Desk::start(Settings { webhook, ..Settings::default() }).await;
    let order = desk.order("CAPTURE", "5.00").await;
    desk.choose(&order, "approve").await;
    eventually("the first attempt", async || (receiver.posted().len() == 1).then_some(())).await;
    // The pause before the second attempt passes at once.
    desk.control(Method::POST, "clock", json!({"advance_seconds": 60})).await;
    let posted = eventually("the second attempt", async || receiver.posted().get(1).cloned()).await;
    assert_eq!(posted.body, receiver.posted()[0].body);
    assert_eq!(posted.json()["event_type"], "CHECKOUT.ORDER.APPROVED");
    assert_eq!(posted.json()["resource"]["id"], order);
    verify(&desk, &posted).await;

    let list = desk.get("/v1/notifications/webhooks-events?event_type=CHECKOUT.ORDER.APPROVED").await;
    assert_eq!((&list["count"], &list["events"][0]), (&json!(1), &posted.json()));
    let event = list["events"][0]["id"].as_str().unwrap();
    let path = format!("/v1/notifications/webhooks-events/{event}/resend");
    assert_eq!(desk.post(&path, "", json!({"webhook_ids": [HOOK]})).await.0, 202);
    let again = eventually("the event again", async || receiver.posted().get(2).cloned()).await;
    assert_eq!(again.body, posted.body);

    // What is lost is only in the list.
    desk.control(Method::PUT, "switches", json!({"loss_percent": 100})).await;
    desk.capture("6.00").await;
    let list = desk.get("/v1/notifications/webhooks-events?page_size=1").await;
    assert_eq!((&list["count"], &desk.books().await["events"]), (&json!(1), &json!(4)));
    assert!(list["links"].as_array().unwrap().iter().any(|it| it["rel"] == "next"), "{list}");
    assert_eq!(receiver.posted().len(), 3);

    let all = desk.get("/v1/notifications/webhooks").await;
    assert_eq!(all["webhooks"][0]["id"], HOOK);
    let at = format!("/v1/notifications/webhooks/{HOOK}");
    assert_eq!(desk.get(&at).await["url"], receiver.url);
    assert_eq!(desk.call(Method::DELETE, &at, "", Value::Null).await.0, 204);
    let other = json!({"url": "https://shop.example/hook", "event_types": [{"name": "PAYMENT.CAPTURE.COMPLETED"}]});
    assert_eq!(desk.post("/v1/notifications/webhooks", "", other).await.0, 201);
    desk.sandbox.stop().await;
}

#[tokio::test]
async fn the_books_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("books.jsonl");
    let settings = Settings { file: Some(file.clone()), ..Settings::default() };
    let desk = Desk::start(settings.clone()).await;
    let capture = desk.capture("12.34").await;
    let path = format!("/v2/payments/captures/{capture}/refund");
    let some = json!({"amount": {"currency_code": "EUR", "value": "0.34"}});
    let (_, refund) = desk.post(&path, "r1", some.clone()).await;
    desk.control(Method::POST, "clock", json!({"advance_seconds": 86_400})).await;
    let before = desk.books().await;
    let in_use = Running::start(Place::default(), settings.clone()).await.unwrap_err();
    assert!(in_use.to_string().contains("another sandbox"), "{in_use:#}");
    let port: u16 = desk.sandbox.url.rsplit(':').next().unwrap().parse().unwrap();
    desk.sandbox.stop().await;

    // A line that was not written whole was never answered.
    let mut text = fs::read_to_string(&file).unwrap();
    text.push_str("{\"at\":\"2026-");
    fs::write(&file, text).unwrap();
    let desk = Desk::start_at(Place { port, ..Place::default() }, settings).await;
    assert_eq!(desk.books().await, before);
    assert_eq!(desk.post(&path, "r1", some).await.1, refund);
    desk.sandbox.stop().await;
}

#[tokio::test]
async fn it_listens_on_this_machine_alone_unless_that_is_said_twice() {
    let anywhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let place = Place { address: anywhere, ..Place::default() };
    let refused = Running::start(place.clone(), Settings::default()).await.unwrap_err();
    assert!(refused.to_string().contains("--beyond-loopback"), "{refused:#}");
    let allowed = Place { beyond_loopback: true, ..place };
    Running::start(allowed, Settings::default()).await.unwrap().stop().await;
}

#[tokio::test]
async fn the_same_seed_gives_the_same_ids_and_losses() {
    let mut seen: HashMap<u64, Vec<String>> = HashMap::new();
    for seed in [1, 1, 2] {
        let desk = Desk::start(Settings { seed: Some(seed), ..Settings::default() }).await;
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(desk.order("CAPTURE", "1.00").await);
        }
        if let Some(first) = seen.insert(seed, ids.clone()) {
            assert_eq!(first, ids);
        }
        desk.sandbox.stop().await;
    }
    assert_ne!(seen[&1], seen[&2]);
}
