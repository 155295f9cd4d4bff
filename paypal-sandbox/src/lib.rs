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

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use tokio_util::sync::CancellationToken;

/// Whom the stand-in serves, and how it keeps its books.
#[derive(Debug, Clone)]
pub struct Settings {
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
            client_id: "sandbox-client".to_owned(),
            client_secret: "sandbox-secret".to_owned(),
            merchant: "MERCHANTA2345".to_owned(),
            webhook: None,
            file: None,
            seed: None,
        }
    }
}

/// A stand-in with its books.
#[derive(Debug)]
pub struct Sandbox {
    shared: Arc<shared::Shared>,
}

impl Sandbox {
    /// Opens the books of a stand-in that names `url`, without a slash at its end, in its links.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(settings: Settings, url: &str, cancel: CancellationToken) -> Result<Self> {
        let create = || {
            let seed = settings.seed.map_or_else(|| shared::random().map(u64::from_le_bytes), Ok)?;
            Ok(journal::Head::new(seed, certificates::Certificates::create(shared::clock())?.saved()))
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
            merchant: settings.merchant,
            ..books::Books::default()
        };
        for line in lines {
            books.apply(&line.input, line.at);
        }
        let certificates = certificates::Certificates::load(head.certificates)?;
        let client = shared::Client { id: settings.client_id, secret: settings.client_secret };
        let shared = Arc::new(shared::Shared::new(books, journal, certificates, client, cancel));
        if let Some((id, url)) = settings.webhook {
            shared.apply(input::Input::Register { id, url })?;
        }
        Ok(Self { shared })
    }

    /// PayPal's interface, the page for approvals and the switches. Requests that get no response end when the stand-in is cancelled.
    pub fn router(&self) -> Router {
        http::router(Arc::clone(&self.shared))
    }

    /// Sends webhooks, and does what is due by itself, until cancelled.
    pub async fn deliver(self) {
        deliver::run(self.shared).await;
    }
}
