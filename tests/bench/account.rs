//! The whole journey of somebody new, from registering to the paid order and the mails about it: with a search, a coupon, an address,
//! a shipping service and taxes; once as a customer with an account, once as a guest.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use byteshop_eventstore::Clock;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::http::Client;
use crate::journey::settle;
use crate::processes;
use crate::report::{Report, percentile};
use crate::shop::{Goods, Shop, text};
use crate::statements::{self, Totals};

/// How many journeys are measured at so many clients; each hashes two passwords, so most of their time is Argon2's.
const MEASURED: [(usize, usize); 3] = [(1, 40), (8, 200), (32, 400)];
/// The same for guests, who have no password.
const GUESTS: [(usize, usize); 3] = [(1, 200), (8, 1_000), (32, 2_000)];
/// The longest that one number of clients is measured.
const AT_MOST: Duration = Duration::from_secs(40);
/// Statements are counted in so many times fewer journeys.
const COUNTED_AGAIN: usize = 4;
/// How long a mail, or a payment, may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two questions.
const ASK_AGAIN: Duration = Duration::from_millis(5);
/// A password that nobody guesses.
const PASSWORD: &str = "correct horse battery staple";
/// A code is longer than any word of a mail.
const CODE: usize = 30;
/// What takes ten percent off.
const COUPON: &str = "BENCH10";

/// Measures and reports.
pub async fn run(shop: &Shop, goods: &Arc<Vec<Goods>>, report: &mut Report) -> Result<()> {
    rules(shop).await?;
    for (clients, journeys) in GUESTS {
        at(shop, goods, clients, journeys, false, report).await?;
    }
    for (clients, journeys) in MEASURED {
        at(shop, goods, clients, journeys, true, report).await?;
    }
    Ok(())
}

/// Taxes, shipping and a coupon.
async fn rules(shop: &Shop) -> Result<()> {
    let mut client = Client::connect(&shop.base).await?;
    let taxes = json!({"countries": [{"country": "DE", "rates": [{"class": "standard", "rate_bps": 1900, "valid_from": "2007-01-01"}]}]});
    shop.staff(&mut client, "PUT", "/v1/admin/tax-rates", &taxes, 200).await?;
    let bands = json!([{"up_to_g": 30_000, "prices": [{"amount": 490, "currency": "EUR"}]}]);
    let service = json!({"service": "parcel", "name": "Parcel", "bands": bands, "days": {"min": 1, "max": 3}});
    let zones = json!({"zones": [{"zone": "germany", "name": "Germany", "countries": ["DE"], "services": [service]}]});
    shop.staff(&mut client, "PUT", "/v1/admin/shipping", &zones, 200).await?;
    let coupon = json!({"label": "Ten percent", "code": COUPON, "benefit": {"kind": "percent", "percent_bps": 1000}});
    shop.staff(&mut client, "POST", "/v1/admin/promotions", &coupon, 201).await?;
    Ok(())
}

async fn at(
    shop: &Shop,
    goods: &Arc<Vec<Goods>>,
    clients: usize,
    journeys: usize,
    account: bool,
    report: &mut Report,
) -> Result<()> {
    let (totals, before) = (Totals::read(shop).await?, processes::cost(shop.pid)?);
    let started = Instant::now();
    let Walked { mut times, emails } = many(shop, goods, clients, journeys, account).await?;
    let seconds = started.elapsed().as_secs_f64();
    settle(shop).await?;
    let cost = processes::cost(shop.pid)?.since(&before).total();
    let mut reader = Client::connect(&shop.base).await?;
    for email in &emails {
        // One of the order, one of its payment, and for an account the one with the code.
        mails(&mut reader, email, if account { 3 } else { 2 }).await?;
    }
    let caused = Totals::read(shop).await?.since(&totals);
    times.sort_by(f64::total_cmp);
    let who = if account { "account" } else { "guest" };
    let name = |what: &str| format!("whole journey as {who}, {clients} clients, {what}");
    let of_one = |all: f64| all / times.len() as f64;
    report.add(name("rate"), times.len() as f64 / seconds, "journeys/s");
    for (share, label) in [(0.5, "p50"), (0.99, "p99")] {
        report.add(name(label), percentile(&times, share), "ms");
    }
    report.add(name("processor"), of_one(cost), "CPU-ms");
    report.add(name("events"), of_one(caused.events), "events");
    report.add(name("transactions"), of_one(caused.transactions), "transactions");
    // Postgres' log of statements costs time, so they are counted in a run of their own.
    let again = times.len().div_ceil(COUNTED_AGAIN);
    let said = statements::counted(shop, many(shop, goods, clients, again, account)).await?;
    report.add(name("statements"), said.total() / again as f64, "statements");
    Ok(())
}

/// Journeys that were made.
#[derive(Default)]
struct Walked {
    /// The milliseconds that each took, up to the paid order.
    times: Vec<f64>,
    /// Whom it wrote mails to.
    emails: Vec<String>,
}

/// Many journeys by some clients beside each other.
async fn many(shop: &Shop, goods: &Arc<Vec<Goods>>, clients: usize, journeys: usize, account: bool) -> Result<Walked> {
    let (next, started) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let mut running = JoinSet::new();
    for _ in 0..clients {
        let (base, goods, next) = (shop.base.clone(), Arc::clone(goods), Arc::clone(&next));
        running.spawn(async move {
            let mut client = Client::connect(&base).await?;
            let mut walked = Walked::default();
            while started.elapsed() < AT_MOST {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= journeys {
                    break;
                }
                let begun = Instant::now();
                walked.emails.push(Journey::begin(&mut client).walk(&goods[number % goods.len()], account).await?);
                walked.times.push(begun.elapsed().as_secs_f64() * 1_000.0);
            }
            anyhow::Ok(walked)
        });
    }
    let mut all = Walked::default();
    while let Some(walked) = running.join_next().await {
        let Walked { times, emails } = walked??;
        all.times.extend(times);
        all.emails.extend(emails);
    }
    Ok(all)
}

struct Journey<'a> {
    client: &'a mut Client,
    email: String,
    /// What opens the cart and the order: a header with its value.
    opens: (&'static str, String),
}

impl<'a> Journey<'a> {
    fn begin(client: &'a mut Client) -> Self {
        let email = format!("{}@example.org", Clock.new_id().simple());
        Self { client, email, opens: ("Cart-Token", String::new()) }
    }

    /// Up to the paid order; gives the address that its mails go to.
    async fn walk(mut self, goods: &Goods, account: bool) -> Result<String> {
        if account {
            self.log_in().await?;
        }
        self.ask("GET", "/v1/products?q=thing&limit=20", None, 200).await?;
        self.ask("GET", &format!("/v1/products/{}", goods.product), None, 200).await?;
        let cart = self.ask("POST", "/v1/carts", Some(json!({"currency": "EUR"})), 201).await?;
        if !account {
            self.opens.1 = text(&cart, "cart_token")?;
        }
        let cart = format!("/v1/carts/{}", text(&cart, "id")?);
        self.ask("PUT", &format!("{cart}/lines/{}", goods.variant), Some(json!({"quantity": 2})), 200).await?;
        self.ask("PUT", &format!("{cart}/coupons"), Some(json!({"coupons": [COUPON]})), 200).await?;
        let address = json!({"country": "DE", "name": "Ada Lovelace", "email": self.email, "postal_code": "10115",
            "city": "Berlin", "lines": ["Invalidenstraße 43"]});
        self.ask("PUT", &format!("{cart}/address"), Some(address), 200).await?;
        self.ask("PUT", &format!("{cart}/shipping"), Some(json!({"service": "parcel"})), 200).await?;
        let placed = self.ask("POST", &format!("{cart}/checkout"), None, 201).await?;
        let order = format!("/v1/orders/{}", text(&placed, "id")?);
        let payment = json!({"provider": "test", "token": "tok_success"});
        self.ask("POST", &format!("{order}/payments"), Some(payment), 201).await?;
        let begun = Instant::now();
        while self.ask("GET", &order, None, 200).await?["payment_status"] != "paid" {
            wait(begun, "the order is never paid").await?;
        }
        Ok(self.email)
    }

    async fn log_in(&mut self) -> Result<()> {
        let registration = json!({"email": self.email, "password": PASSWORD, "name": "Ada Lovelace"});
        self.ask("POST", "/v1/auth/register", Some(registration), 202).await?;
        let mails = mails(self.client, &self.email, 1).await?;
        let text_of_mail = text(&mails["items"][0], "text")?;
        let code = text_of_mail.split_whitespace().find(|word| word.len() >= CODE && !word.contains('/'));
        let code = code.with_context(|| format!("no code in {text_of_mail}"))?;
        self.ask("POST", "/v1/auth/confirm", Some(json!({"code": code})), 204).await?;
        let keys = json!({"email": self.email, "password": PASSWORD});
        let keys = self.ask("POST", "/v1/auth/login", Some(keys), 200).await?;
        self.opens = ("Authorization", format!("Bearer {}", text(&keys, "access_token")?));
        Ok(())
    }

    async fn ask(&mut self, method: &str, path: &str, body: Option<Value>, expected: u16) -> Result<Value> {
        let headers = [(self.opens.0, self.opens.1.as_str())];
        let headers = if self.opens.1.is_empty() { &[][..] } else { &headers[..] };
        let body = body.map(|body| body.to_string());
        let answer = self.client.ask(method, path, headers, body.as_deref()).await?;
        if answer.status == expected && answer.body.is_empty() {
            return Ok(Value::Null);
        }
        answer.json(expected).with_context(|| format!("{method} {path}"))
    }
}

/// Waits until so many mails have come.
async fn mails(client: &mut Client, email: &str, number: usize) -> Result<Value> {
    let (begun, path) = (Instant::now(), format!("/dev/mail?to={email}"));
    loop {
        let answer = client.ask("GET", &path, &[("Accept", "application/json")], None).await?.json(200)?;
        if answer["items"].as_array().is_some_and(|mails| mails.len() >= number) {
            return Ok(answer);
        }
        wait(begun, "the mails do not come").await?;
    }
}

async fn wait(since: Instant, otherwise: &'static str) -> Result<()> {
    if since.elapsed() > PATIENCE {
        bail!(otherwise);
    }
    tokio::time::sleep(ASK_AGAIN).await;
    Ok(())
}
