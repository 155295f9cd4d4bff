//! Sends events to webhooks, one after the other, and does what is due by itself.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use reqwest::Client;
use tokio::time::sleep;

use super::books::{Delivery, seconds};
use super::certificates::ALGORITHM;
use super::dice::{Chance, roll};
use super::input::Input;
use super::shared::{Next, Shared};

/// How long a receiver may take; PayPal waits as long.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause after a failure to save what happened.
const PAUSE: Duration = Duration::from_secs(1);

/// Delivers until cancelled.
pub(super) async fn run(shared: Arc<Shared>) {
    let client = Client::builder().no_proxy().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build();
    let Ok(client) = client else { return tracing::error!("cannot create a client for webhooks") };
    let cancel = shared.cancel.clone();
    while let Some(done) = cancel.run_until_cancelled(step(&shared, &client)).await {
        if let Err(error) = done {
            tracing::error!(%error, "cannot deliver");
            cancel.run_until_cancelled(sleep(PAUSE)).await;
        }
    }
}

async fn step(shared: &Shared, client: &Client) -> Result<()> {
    match shared.next() {
        Next::Send { due, delivery, url, body } => {
            let number = delivery.number;
            let is_taken = send(shared, client, (&delivery, &url, body)).await?;
            shared.apply(Input::Delivered { due, number, is_taken })?;
        }
        Next::Drop { due, number } => {
            shared.apply(Input::Delivered { due, number, is_taken: true })?;
        }
        Next::Settle => {
            shared.apply(Input::Tick {})?;
        }
        Next::Wait(None) => shared.wake.notified().await,
        Next::Wait(Some(long)) => {
            tokio::select! {
                () = shared.wake.notified() => {}
                () = sleep(long) => {}
            }
        }
    }
    Ok(())
}

/// Sends a delivery; gives whether the receiver took it.
async fn send(shared: &Shared, client: &Client, what: (&Delivery, &str, String)) -> Result<bool> {
    let (delivery, url, body) = what;
    let now: DateTime<Utc> = shared.now();
    let id = transmission(delivery.number, now);
    let time = seconds(now);
    let signature = shared.certificates.sign(&id, &time, &delivery.webhook, body.as_bytes())?;
    let sent = client
        .post(url)
        .header("content-type", "application/json")
        .header("paypal-transmission-id", id)
        .header("paypal-transmission-time", time)
        .header("paypal-transmission-sig", signature)
        .header("paypal-cert-url", shared.certificate_url())
        .header("paypal-auth-algo", ALGORITHM)
        .header("paypal-auth-version", "v2")
        .body(body)
        .send()
        .await;
    match sent {
        Ok(response) if response.status().is_success() => return Ok(true),
        Ok(response) => tracing::info!(url, status = response.status().as_u16(), "a webhook was refused"),
        Err(error) => tracing::info!(url, %error, "a webhook was not delivered"),
    }
    Ok(false)
}

/// An id of a transmission, in the form of PayPal's.
fn transmission(number: u64, now: DateTime<Utc>) -> String {
    let at = u64::try_from(now.timestamp_micros()).unwrap_or_default();
    let part = |count: u64, below: u64| roll(at, Chance::Id, number * 8 + count, below);
    let (first, second, third) = (part(0, 1 << 32), part(1, 1 << 16), part(2, 1 << 12));
    format!("{first:08x}-{second:04x}-1{third:03x}-{:04x}-{:012x}", 0x8000 | part(3, 1 << 14), part(4, 1 << 48))
}
