//! `byteshop paypal-sandbox`: a stand-in for PayPal, for development and tests.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use super::end::End;
use super::failure::Failure;
use super::output;
use crate::paypal_sandbox::{Place, Running, Settings};

/// The arguments of `paypal-sandbox`.
#[derive(Debug, clap::Args)]
pub(super) struct PaypalSandboxArgs {
    /// The port; 0 for any free one
    #[arg(long, default_value_t = 8095)]
    port: u16,
    /// The address to listen on
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    address: IpAddr,
    /// Allow an address that other machines reach
    #[arg(long)]
    beyond_loopback: bool,
    /// The address in links, where it is not the one that the sandbox listens on
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The file that keeps the books; without it they end with the program
    #[arg(long, value_name = "FILE")]
    books: Option<PathBuf>,
    /// The client id
    #[arg(long, default_value = "sandbox-client", value_name = "ID")]
    client_id: String,
    /// The client secret
    #[arg(long, default_value = "sandbox-secret", value_name = "SECRET")]
    client_secret: String,
    /// The merchant of payments that name no payee
    #[arg(long, default_value = "MERCHANTA2345", value_name = "ID")]
    merchant: String,
    /// Where all events are sent
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// The id of this webhook, which is a part of every signature
    #[arg(long, default_value = "SANDBOXWEBHOOK", value_name = "ID")]
    webhook_id: String,
    /// Where chance starts, for ids that are the same in each run
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
}

/// Runs the stand-in until it is asked to stop.
pub(super) async fn run(args: PaypalSandboxArgs) -> Result<(), Failure> {
    let end = End::listen()?;
    let place = Place {
        address: args.address,
        port: args.port,
        beyond_loopback: args.beyond_loopback,
        url: args.url.map(|url| url.trim_end_matches('/').to_owned()),
    };
    let settings = Settings {
        client_id: args.client_id,
        client_secret: args.client_secret,
        merchant: args.merchant,
        webhook: args.webhook.map(|url| (args.webhook_id, url)),
        file: args.books,
        seed: args.seed,
    };
    let sandbox = Running::start(place, settings).await.map_err(Failure::Refused)?;
    output::line(&format!("ready {}", sandbox.url))?;
    end.asked_for().await;
    output::line("stopping")?;
    sandbox.stop().await;
    Ok(())
}
