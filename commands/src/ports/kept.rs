//! Messages that are kept and not sent: what development and tests use for every channel.
//!
//! They lie in a table, so that the process that serves them need not be the one that made them, and they are still there
//! after a restart.

use byteshop_eventstore::Log;
use byteshop_eventstore::kept::NewKept;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::message::{Carrier, Message, Taken, Undelivered};

/// A channel whose messages stay here.
pub struct Kept {
    log: Log,
    channel: &'static str,
}

impl Kept {
    /// Keeps the messages of a channel.
    pub fn new(log: Log, channel: &'static str) -> Self {
        Self { log, channel }
    }

    async fn keep(&self, message: &Message) -> Result<Taken, Undelivered> {
        let kept = NewKept {
            id: message.id,
            channel: self.channel,
            recipient: &message.to,
            person: message.person,
            subject: &message.subject,
            text: &message.text,
            html: message.html.as_deref(),
            kept_at: message.at,
        };
        match self.log.keep(&kept).await {
            Ok(()) => Ok("kept".into()),
            Err(_) => Err(Undelivered::NotNow("the store did not answer".into())),
        }
    }
}

impl Carrier for Kept {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Taken, Undelivered>> {
        self.keep(message).boxed()
    }
}
