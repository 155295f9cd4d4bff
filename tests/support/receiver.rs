//! A program of a test's own that webhooks and messages are posted to, and that fails as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What was posted.
#[derive(Debug, Clone)]
pub struct Posted {
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
    /// What was answered.
    pub status: u16,
}

impl Posted {
    /// A header.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Book {
    answers: VecDeque<u16>,
    posted: Vec<Posted>,
}

/// The program.
pub struct Receiver {
    /// Where it listens.
    pub url: String,
    book: Arc<Mutex<Book>>,
    _serving: JoinSet<()>,
}

impl Receiver {
    /// A program that answers so to what is posted first, and 200 to all else.
    pub async fn start(answers: &[u16]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let book = Arc::new(Mutex::new(Book { answers: answers.iter().copied().collect(), posted: Vec::new() }));
        let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&book));
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, book, _serving: serving }
    }

    /// What was posted, in order.
    pub fn posted(&self) -> Vec<Posted> {
        self.book.lock().unwrap().posted.clone()
    }

    /// Answers so to what is posted next.
    pub fn answer(&self, status: u16) {
        self.book.lock().unwrap().answers.push_back(status);
    }
}

async fn take(State(book): State<Arc<Mutex<Book>>>, headers: HeaderMap, body: String) -> (StatusCode, &'static str) {
    let mut book = book.lock().unwrap();
    let status = book.answers.pop_front().unwrap_or(200);
    book.posted.push(Posted { headers, body, status });
    (StatusCode::from_u16(status).unwrap(), "{\"id\":\"taken-1\"}")
}
