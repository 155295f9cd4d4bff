//! Whether JetStream holds a history that the log does not have, and the deletion of such a stream after a restored
//! backup.

use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use byteshop_eventstore::{Log, nats};
use tokio::time::timeout;

use super::state::{ANSWER_TIMEOUT, End};
use super::{NatsConfig, standing};

/// How long all questions together may take.
const LOOK_WITHIN: Duration = Duration::from_secs(10);

/// The content of JetStream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum History {
    /// The log's own events, the last of them at this position; 0 when nothing was delivered yet.
    Same {
        /// The last position.
        position: i64,
    },
    /// A history that the log does not have. No relay continues until the stream is deleted.
    Other {
        /// The difference.
        reason: String,
    },
    /// Unknown: JetStream does not answer, or has a stream of this name that belongs to another program.
    Unknown {
        /// The obstacle.
        reason: String,
    },
}

/// Compares the stream with the log. Changes nothing.
pub async fn compare(log: &Log, config: &NatsConfig) -> History {
    let looking = async { standing::look(log, config, &jetstream(config).await.map_err(End::Trouble)?).await };
    match timeout(LOOK_WITHIN, looking).await {
        Ok(Ok(position)) => History::Same { position },
        Ok(Err(End::Stopped(reason))) => History::Other { reason },
        Ok(Err(End::Trouble(reason) | End::Outage(reason))) => History::Unknown { reason },
        Ok(Err(End::Cancelled | End::LeadLost)) | Err(_) => {
            History::Unknown { reason: "JetStream does not answer".into() }
        }
    }
}

/// Deletes a stream with another history; the relay creates a new one and continues from the log.
///
/// # Errors
/// Why JetStream did not delete it.
pub async fn delete(config: &NatsConfig) -> Result<(), String> {
    let deleting = async {
        let jetstream = jetstream(config).await?;
        jetstream.delete_stream(&config.stream).await.map_err(|error| error.to_string())
    };
    match timeout(LOOK_WITHIN, deleting).await {
        Ok(deleted) => deleted.map(|_| ()),
        Err(_) => Err("JetStream does not answer".into()),
    }
}

async fn jetstream(config: &NatsConfig) -> Result<Context, String> {
    let connecting = nats::options(&config.url).name("byteshop check").connect(&config.url);
    let client = connecting.await.map_err(|error| format!("NATS cannot be reached: {error}"))?;
    Ok(ContextBuilder::new().timeout(ANSWER_TIMEOUT).build(client))
}
