//! Progress of connections and responses: whether a client still reads, and when it last sent a request.
//!
//! HTTP/2 multiplexes responses over one socket, so a write timeout of the socket does not detect a client that leaves
//! one response unread. Here a response is passed to the connection in pieces, the next one only when the last has been
//! written out. A piece that stays queued for too long ends its stream: hyper then resets it with CANCEL (RFC 9113,
//! section 5.4.2).

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper_util::rt::TokioExecutor;
use tokio::time::Instant;

/// Bytes that are handed to an HTTP/2 connection at a time: one frame of the default size (RFC 9113, section 4.2). A client
/// must read that much within the patience of the server, which even the slowest mobile line does.
const PIECE: usize = 16 << 10;

tokio::task_local! {
    /// The progress of the HTTP/2 stream that the current task serves.
    static STREAM: Arc<Progress>;
}

/// Spawns the streams of HTTP/2 connections, and ends those whose client has stopped reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streams {
    /// How long a piece of a response may stay unread.
    pub(super) patience: Duration,
}

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        let (progress, patience) = (Arc::<Progress>::default(), self.patience);
        TokioExecutor::new().execute(STREAM.scope(Arc::clone(&progress), async move {
            tokio::select! {
                _ = stream => {}
                () = progress.stuck(patience) => tracing::debug!("a response was not read in time; its stream is reset"),
            }
        }));
    }
}

/// How far the client of one HTTP/2 stream has read.
#[derive(Debug, Default)]
struct Progress(Mutex<Queued>);

#[derive(Debug, Default)]
struct Queued {
    /// Since when a piece waits to be written out; none while the stream waits for the shop.
    since: Option<Instant>,
    /// The waker of the task that sends the next piece.
    waker: Option<Waker>,
}

impl Progress {
    fn queued(&self) -> MutexGuard<'_, Queued> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when a piece has been queued for too long.
    async fn stuck(&self, patience: Duration) {
        loop {
            let since = self.queued().since;
            // With nothing queued yet, one look at a quarter of the patience finds what is queued soon enough.
            let until = since.map_or_else(|| Instant::now() + patience / 4, |since| since + patience);
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }
}

/// A piece of a response; dropped when it has been written to the socket, or with its stream.
struct Piece {
    bytes: Bytes,
    progress: Arc<Progress>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut queued = self.progress.queued();
        queued.since = None;
        let waker = queued.waker.take();
        drop(queued);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The requests of one connection that are under way, and when there was last one.
#[derive(Debug)]
pub(super) struct Activity {
    began: Instant,
    requests: Mutex<Requests>,
}

#[derive(Debug)]
struct Requests {
    under_way: usize,
    total: u64,
    idle_since: Instant,
}

/// A request that is under way; over when it is dropped.
struct Request(Arc<Activity>);

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        let began = Instant::now();
        Arc::new(Self { began, requests: Mutex::new(Requests { under_way: 0, total: 0, idle_since: began }) })
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(self: Arc<Self>) -> Request {
        let mut requests = self.requests();
        requests.under_way += 1;
        requests.total += 1;
        drop(requests);
        Request(self)
    }

    /// Whether the connection ever asked anything.
    pub(super) fn has_asked(&self) -> bool {
        self.requests().total > 0
    }

    /// Returns when the connection has asked nothing for so long, or is older than any may get.
    pub(super) async fn spent(&self, idle: Duration, age: Duration) {
        let oldest = self.began + age;
        loop {
            let now = Instant::now();
            let idle_since = {
                let requests = self.requests();
                if requests.under_way > 0 { now } else { requests.idle_since }
            };
            let until = (idle_since + idle).min(oldest);
            if until <= now {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let mut requests = self.0.requests();
        requests.under_way = requests.under_way.saturating_sub(1);
        requests.idle_since = Instant::now();
    }
}

/// A response whose body tells the connection when it is over, and over HTTP/2 goes out in pieces.
pub(super) async fn watched(
    activity: Arc<Activity>,
    response: impl Future<Output = Result<Response, Infallible>>,
) -> Result<Response, Infallible> {
    let request = activity.begin();
    let response = response.await?;
    let progress = STREAM.try_with(Arc::clone).ok();
    Ok(response.map(|body| Body::new(Watched { body, rest: Bytes::new(), progress, _request: request })))
}

struct Watched {
    body: Body,
    /// The rest of the last frame of the body.
    rest: Bytes,
    progress: Option<Arc<Progress>>,
    _request: Request,
}

impl Watched {
    /// The next piece of what is left.
    fn piece(&mut self, progress: Arc<Progress>) -> Frame<Bytes> {
        let bytes = self.rest.split_to(self.rest.len().min(PIECE));
        progress.queued().since = Some(Instant::now());
        Frame::data(Bytes::from_owner(Piece { bytes, progress }))
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(progress) = self.progress.clone() else { return Pin::new(&mut self.body).poll_frame(context) };
        {
            let mut queued = progress.queued();
            if queued.since.is_some() {
                queued.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
        }
        if self.rest.is_empty() {
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) if !bytes.is_empty() => self.rest = bytes,
                    Ok(empty) => return Poll::Ready(Some(Ok(Frame::data(empty)))),
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other @ (Poll::Ready(_) | Poll::Pending) => return other,
            }
        }
        Poll::Ready(Some(Ok(self.piece(progress))))
    }

    fn is_end_stream(&self) -> bool {
        let queued = self.progress.as_ref().is_some_and(|progress| progress.queued().since.is_some());
        !queued && self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper().and_then(|upper| upper.checked_add(rest)) {
            hint.set_upper(upper);
        }
        hint
    }
}
