//! The stand-in for PayPal as a server of this program: where it listens, and whom it lets in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result, bail};
use axum::middleware::from_fn;
use byteshop_paypal_sandbox::Sandbox;
pub use byteshop_paypal_sandbox::Settings;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::edge::limits::permits::ConcurrencyLimit;
use crate::edge::local;
use crate::edge::proxies::Proxies;
use crate::serve::{Patience, serve_with};

/// Connections at a time: a shop and its tests.
const CONNECTIONS: usize = 512;

/// Where a stand-in listens.
#[derive(Debug, Clone)]
pub struct Place {
    /// The address.
    pub address: IpAddr,
    /// The port; 0 for any free one.
    pub port: u16,
    /// Whether the address may be one that other machines reach.
    pub beyond_loopback: bool,
    /// The address that it names in links, without a slash at its end; that of its socket if there is none.
    pub url: Option<String>,
}

impl Default for Place {
    fn default() -> Self {
        Self { address: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 0, beyond_loopback: false, url: None }
    }
}

/// A stand-in that runs.
#[derive(Debug)]
pub struct Running {
    /// The address that its links name, without a slash at its end.
    pub url: String,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
}

impl Running {
    /// Starts one.
    ///
    /// # Errors
    /// When it may not listen there or cannot, or when its file cannot be used.
    pub async fn start(place: Place, settings: Settings) -> Result<Self> {
        if !place.address.is_loopback() && !place.beyond_loopback {
            bail!(
                "the sandbox gives money to anyone who asks, so it does not listen on {}: leave the address at 127.0.0.1, or \
                 allow it with --beyond-loopback",
                place.address
            );
        }
        let address = SocketAddr::new(place.address, place.port);
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("cannot listen on {address}: stop what listens there, or choose another port with --port")
        })?;
        let url = place.url.unwrap_or(format!("http://{}", listener.local_addr()?));
        let cancel = CancellationToken::new();
        let sandbox = Sandbox::open(settings, &url, cancel.clone())?;
        let router = sandbox.router().layer(from_fn(local::only));
        let bounds = (ConcurrencyLimit::new(CONNECTIONS, CONNECTIONS), Proxies::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(sandbox.deliver());
        tasks.spawn(serve_with(listener, router, bounds, cancel.clone(), Patience::default()));
        Ok(Self { url, cancel, tasks })
    }

    /// Stops it. Requests that get no response end.
    pub async fn stop(mut self) {
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}
