//! A stand-in for PayPal, for development and tests: its interface, with books of its own.
//!
//! The books are a pure function of their inputs: time and chance are arguments (`input`). Requests are held against PayPal's own
//! OpenAPI documents, and so is every response, so a defect of the stand-in is a 500 and never a difference that passes for PayPal's.

mod amount;
mod books;
mod certificates;
mod control;
mod deliver;
mod dice;
mod disputes;
mod evidence;
mod fault;
mod http;
mod input;
mod journal;
mod operation;
mod orders;
mod page;
mod payments;
mod payouts;
mod reading;
mod records;
mod schema;
mod shared;
mod show;
mod switches;
mod webhooks;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use byteshop_eventstore::Clock;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::edge::limits::permits::ConcurrencyLimit;
use crate::edge::proxies::Proxies;
use crate::serve::{Patience, serve_with};

/// Connections at a time: a shop and its tests.
const CONNECTIONS: usize = 512;

/// How a sandbox is started.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens.
    pub address: IpAddr,
    /// The port; 0 for any free one.
    pub port: u16,
    /// Whether it may listen where other machines reach it.
    pub beyond_loopback: bool,
    /// The address that it names in links, without a slash at its end; that of its socket if there is none.
    pub url: Option<String>,
    /// The id of the client.
    pub client_id: String,
    /// The secret of the client.
    pub client_secret: String,
    /// The account that payments without a payee go to.
    pub merchant: String,
    /// A webhook for all events: its id and its address.
    pub webhook: Option<(String, String)>,
    /// The file that keeps the books; without one they end with the program.
    pub file: Option<PathBuf>,
    /// Where chance starts; chosen at random if there is none.
    pub seed: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            port: 0,
            beyond_loopback: false,
            url: None,
            client_id: "sandbox-client".to_owned(),
            client_secret: "sandbox-secret".to_owned(),
            merchant: "MERCHANTA2345".to_owned(),
            webhook: None,
            file: None,
            seed: None,
        }
    }
}

/// A sandbox that runs.
#[derive(Debug)]
pub struct Sandbox {
    /// The address that its links name, without a slash at its end.
    pub url: String,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
}

impl Sandbox {
    /// Starts one.
    ///
    /// # Errors
    /// When it may not listen there or cannot, or when its file cannot be used.
    pub async fn start(settings: Settings) -> Result<Self> {
        if !settings.address.is_loopback() && !settings.beyond_loopback {
            bail!(
                "the sandbox gives money to anyone who asks, so it does not listen on {}: leave the address at 127.0.0.1, or \
                 allow it with --beyond-loopback",
                settings.address
            );
        }
        let address = SocketAddr::new(settings.address, settings.port);
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("cannot listen on {address}: stop what listens there, or choose another port with --port")
        })?;
        let url = settings.url.clone().unwrap_or(format!("http://{}", listener.local_addr()?));
        let cancel = CancellationToken::new();
        let shared = Arc::new(open(&settings, &url, cancel.clone())?);
        if let Some((id, url)) = settings.webhook {
            shared.apply(input::Input::Register { id, url })?;
        }
        let mut tasks = JoinSet::new();
        tasks.spawn(deliver::run(Arc::clone(&shared), url.clone()));
        let bounds = (ConcurrencyLimit::new(CONNECTIONS, CONNECTIONS), Proxies::default());
        tasks.spawn(serve_with(listener, http::router(shared), bounds, cancel.clone(), Patience::default()));
        Ok(Self { url, cancel, tasks })
    }

    /// Stops it. Requests that get no response end.
    pub async fn stop(mut self) {
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Reads the file, if there is one.
fn open(settings: &Settings, url: &str, cancel: CancellationToken) -> Result<shared::Shared> {
    let create = || {
        let random = u64::from_le_bytes(Clock.new_id().into_bytes()[8..].try_into().unwrap_or_default());
        let seed = settings.seed.unwrap_or(random);
        Ok(journal::Head::new(seed, certificates::Certificates::create(Clock.now())?.saved()))
    };
    let (journal, head, lines) = match &settings.file {
        None => (None, create()?, Vec::new()),
        Some(path) => {
            let (journal, head, lines) = journal::Journal::open(path, create)?;
            (Some(journal), head, lines)
        }
    };
    let mut books = books::Books {
        seed: head.seed,
        base: url.to_owned(),
        merchant: settings.merchant.clone(),
        ..books::Books::default()
    };
    for line in lines {
        books.apply(&line.input, line.at);
    }
    let certificates = certificates::Certificates::load(head.certificates)?;
    let client = shared::Client { id: settings.client_id.clone(), secret: settings.client_secret.clone() };
    Ok(shared::Shared::new(books, journal, certificates, client, cancel))
}
