//! PayPal's stand-in over HTTP, and a shop that is connected to it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use byteshop_commands::Connected;
use byteshop_commands::ports::connected::{ConnectedCarrier, Provider};
use byteshop_commands::ports::paypal::Paypal;
use byteshop_commands::ports::paypal::account::Account;
use byteshop_gateway::paypal_sandbox::{Place, Running, Settings};
use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::program::Program;

/// The id of the webhook.
pub const WEBHOOK: &str = "WEBHOOK-1";

/// What passes webhooks on: the stand-in names their address before the shop has one.
struct Post {
    client: Client,
    /// Where the shop is, once it is known.
    shop: Mutex<Option<String>>,
}

/// A stand-in for PayPal.
pub struct StandIn {
    /// Where it is.
    pub url: String,
    /// What an account there is called.
    settings: Settings,
    client: Client,
    post: Arc<Post>,
    _sandbox: Running,
    _passing: JoinSet<()>,
}

impl StandIn {
    /// Starts one, with books of its own.
    pub async fn start() -> Self {
        let client = Client::builder().timeout(Duration::from_mins(1)).redirect(Policy::none()).build().unwrap();
        let post = Arc::new(Post { client: client.clone(), shop: Mutex::default() });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let hook = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post_on()).with_state(Arc::clone(&post));
        let mut passing = JoinSet::new();
        passing.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let settings = Settings { webhook: Some((WEBHOOK.to_owned(), hook)), ..Settings::default() };
        let sandbox = Running::start(Place::default(), settings.clone()).await.unwrap();
        Self { url: sandbox.url.clone(), settings, client, post, _sandbox: sandbox, _passing: passing }
    }

    /// The account of a shop there.
    pub async fn account(&self) -> Account {
        let roots = self.client.get(format!("{}/sandbox/root.pem", self.url)).send().await.unwrap();
        Account {
            url: self.url.clone(),
            client_id: self.settings.client_id.clone(),
            client_secret: self.settings.client_secret.clone(),
            merchant_id: self.settings.merchant.clone(),
            partner_id: None,
            webhook_id: WEBHOOK.to_owned(),
            webhook_roots: Some(roots.text().await.unwrap()),
        }
    }

    /// Connects a program that is not running yet, beside its other providers.
    pub async fn connects(&self, program: &mut Program, providers: &str) {
        let account = self.account().await;
        let roots = program.data().join("paypal.pem");
        std::fs::create_dir_all(program.data()).unwrap();
        std::fs::write(&roots, account.webhook_roots.unwrap()).unwrap();
        program.set("BYTESHOP_PAYMENT_PROVIDER", providers);
        program.set("BYTESHOP_PAYPAL_URL", account.url);
        program.set("BYTESHOP_PAYPAL_CLIENT_ID", account.client_id);
        program.set("BYTESHOP_PAYPAL_CLIENT_SECRET", account.client_secret);
        program.set("BYTESHOP_PAYPAL_MERCHANT_ID", account.merchant_id);
        program.set("BYTESHOP_PAYPAL_WEBHOOK_ID", WEBHOOK);
        program.set("BYTESHOP_PAYPAL_WEBHOOK_ROOTS", roots.to_str().unwrap());
    }

    /// What connects a shop to it, and to the emulators.
    pub async fn connected(&self) -> Connected {
        Connected {
            providers: vec![Provider::Test, Provider::Paypal],
            paypal: Some(Paypal::new(self.account().await).unwrap()),
            carriers: vec![ConnectedCarrier::Simulated],
        }
    }

    /// The same, for a shop that is a platform there.
    pub async fn connected_as_platform(&self) -> Connected {
        let account = Account { partner_id: Some("BYTESHOP_SP".to_owned()), ..self.account().await };
        Connected { paypal: Some(Paypal::new(account).unwrap()), ..self.connected().await }
    }

    /// Webhooks reach this shop from now on.
    pub fn tells(&self, shop: &str) {
        *self.post.shop.lock().unwrap() = Some(format!("{shop}/v1/webhooks/paypal"));
    }

    /// Sets the switches; what is not named is off.
    pub async fn switch(&self, switches: Value) {
        let answer = self.client.put(format!("{}/sandbox/switches", self.url)).json(&switches).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Advances its clock.
    pub async fn advance(&self, seconds: u32) {
        let body = json!({"advance_seconds": seconds});
        let answer = self.client.post(format!("{}/sandbox/clock", self.url)).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Its books.
    pub async fn books(&self) -> Value {
        self.client.get(format!("{}/sandbox/books", self.url)).send().await.unwrap().json().await.unwrap()
    }

    /// The buyer decides on the page: `approve`, `decline` or `cancel`. Gives where they are sent.
    pub async fn choose(&self, page: &str, choice: &str) -> String {
        let body = format!("choice={choice}");
        let request = self.client.post(page).header("Content-Type", "application/x-www-form-urlencoded").body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{}", answer.text().await.unwrap());
        answer.headers()["location"].to_str().unwrap().to_owned()
    }
}

fn post_on() -> axum::routing::MethodRouter<Arc<Post>> {
    post(async |State(post): State<Arc<Post>>, headers: HeaderMap, body: Bytes| {
        let shop = post.shop.lock().unwrap().clone();
        let Some(shop) = shop else { return StatusCode::SERVICE_UNAVAILABLE };
        let signed = headers.into_iter().filter_map(|(name, value)| Some((name?, value)));
        let signed = signed.filter(|(name, _)| name.as_str().starts_with("paypal-") || name == "content-type");
        let answer = post.client.post(shop).headers(signed.collect()).body(body).send().await;
        answer.map_or(StatusCode::BAD_GATEWAY, |answer| answer.status())
    })
}

/// What is held of each attempt by its reference (`invoice_id`), or of each payment (`custom_id`): what was captured there and not
/// refunded, in minor units.
pub fn kept(books: &Value, by: &str) -> BTreeMap<String, i64> {
    let mut kept = BTreeMap::new();
    for capture in books["captures"].as_array().unwrap() {
        let number = |name: &str| capture[name].as_i64().unwrap();
        let amount = capture["amount"]["minor"].as_i64().unwrap();
        let reference = capture[by].as_str().unwrap().to_owned();
        *kept.entry(reference).or_default() += amount - number("refunded") - number("reversed");
    }
    kept
}
