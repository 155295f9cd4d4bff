//! Batched reads: the reads of concurrent requests share one round trip.
//!
//! As with group commit, reads that are requested while one is in progress are collected for the next one, so the
//! number of round trips falls as the load grows, while a single request waits for one.

use std::collections::HashMap;
use std::sync::Arc;

use byteshop_eventstore::read::{PAGE, read_many_on};
use byteshop_eventstore::{Connection, Log, Recorded, StoreError, StreamId};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinSet;

/// Concurrent reads: a long stream that is read for the first time does not delay all others.
const READERS: usize = 2;
/// Streams in one read at most.
const MAX_STREAMS: usize = 1_024;

/// A stream, and the version after which it is to be read.
pub type Wanted = (StreamId, i64);

/// The result of a read: a page of each stream, in the order of the request.
type Answer = Result<Vec<Arc<[Recorded]>>, StoreError>;

struct Asked {
    wanted: Vec<Wanted>,
    done: oneshot::Sender<Answer>,
}

/// The queue of all reads of streams in this process.
pub struct Reader {
    queue: mpsc::UnboundedSender<Asked>,
    /// Ends the tasks when the reader is dropped.
    _tasks: JoinSet<()>,
}

impl Reader {
    /// Starts the tasks.
    pub fn start(log: &Log) -> Self {
        let (queue, asked) = mpsc::unbounded_channel();
        let asked = Arc::new(Mutex::new(asked));
        let tasks = (0..READERS).map(|_| run(log.clone(), Arc::clone(&asked))).collect();
        Self { queue, _tasks: tasks }
    }

    /// The next page of each stream after its version, at most [`PAGE`] events of each, in the order asked for.
    pub async fn read(&self, wanted: Vec<Wanted>) -> Answer {
        let (done, answer) = oneshot::channel();
        // If the tasks have ended, the sender is dropped, and the caller sees that below.
        let _ = self.queue.send(Asked { wanted, done });
        answer.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the program is stopping".into())))
    }
}

async fn run(log: Log, asked: Arc<Mutex<mpsc::UnboundedReceiver<Asked>>>) {
    let mut connection = None;
    while let Some(batch) = gather(&asked).await {
        let mut places: HashMap<&Wanted, usize> = HashMap::new();
        let mut streams: Vec<Wanted> = Vec::new();
        for wanted in batch.iter().flat_map(|asked| &asked.wanted) {
            places.entry(wanted).or_insert_with(|| {
                streams.push(wanted.clone());
                streams.len() - 1
            });
        }
        let read = read(&log, &mut connection, &streams).await;
        let places: Vec<Vec<usize>> = batch
            .iter()
            .map(|asked| asked.wanted.iter().filter_map(|wanted| places.get(wanted).copied()).collect())
            .collect();
        let pages: Result<Vec<Arc<[Recorded]>>, StoreError> =
            read.map(|pages| pages.into_iter().map(Arc::from).collect());
        for (asked, places) in batch.into_iter().zip(places) {
            let answer = match &pages {
                Ok(pages) => Ok(places.into_iter().map(|place| Arc::clone(&pages[place])).collect()),
                Err(error) => Err(StoreError::Unavailable(error.to_string())),
            };
            // A dropped caller needs no response.
            let _ = asked.done.send(answer);
        }
    }
}

/// Reads on the kept connection, and after a failure once more on a new one: reading twice is harmless.
async fn read(log: &Log, kept: &mut Option<Connection>, streams: &[Wanted]) -> Result<Vec<Vec<Recorded>>, StoreError> {
    if let Some(connection) = kept {
        match read_many_on(connection, streams, PAGE).await {
            Ok(pages) => return Ok(pages),
            Err(error) => tracing::debug!(%error, "retrying the read on a new connection"),
        }
    }
    *kept = None;
    let connection = kept.insert(log.connect().await?);
    let pages = read_many_on(connection, streams, PAGE).await;
    if pages.is_err() {
        *kept = None;
    }
    pages
}

/// Waits for the first request and adds all others that are waiting.
async fn gather(asked: &Mutex<mpsc::UnboundedReceiver<Asked>>) -> Option<Vec<Asked>> {
    let mut asked = asked.lock().await;
    let mut batch = vec![asked.recv().await?];
    // Requests that are about to be made join this read instead of making a round trip of their own.
    tokio::task::yield_now().await;
    let mut streams = batch[0].wanted.len();
    while streams < MAX_STREAMS {
        let Ok(next) = asked.try_recv() else { break };
        streams += next.wanted.len();
        batch.push(next);
    }
    Some(batch)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn requests_that_wait_share_a_read_until_it_has_as_many_streams_as_it_may() {
        let (queue, waiting) = mpsc::unbounded_channel();
        for streams in [1, MAX_STREAMS - 2, 1, 1] {
            let wanted = vec![(StreamId::named("order", Uuid::nil()), 0); streams];
            assert!(queue.send(Asked { wanted, done: oneshot::channel().0 }).is_ok());
        }
        drop(queue);
        let waiting = Mutex::new(waiting);
        let mut sizes = Vec::new();
        while let Some(batch) = gather(&waiting).await {
            sizes.push(batch.iter().map(|asked| asked.wanted.len()).collect::<Vec<_>>());
        }
        assert_eq!(sizes, [vec![1, MAX_STREAMS - 2, 1], vec![1]]);
    }
}
