//! Whether JetStream holds a history that the log does not have, and the end of such a stream: for whoever restored a backup.

use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use byteshop_eventstore::{Log, nats};
use tokio::time::timeout;

use super::state::{ANSWER_TIMEOUT, End};
use super::{NatsConfig, standing};

/// How long all questions together may take.
const LOOK_WITHIN: Duration = Duration::from_secs(10);

/// What JetStream holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum History {
    /// The log's own events, the last of them at this position; 0 when nothing was delivered yet.
    Same {
        /// The last position.
        position: i64,
    },
    /// What the log does not have. No relay goes on before the stream is deleted.
    Other {
        /// What was found.
        reason: String,
    },
    /// It cannot be told: JetStream is not there, or keeps a stream of somebody else's under this name.
    Unknown {
        /// What was in the way.
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

/// Deletes a stream that holds another history; the relay makes a new one and goes on from the log.
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
