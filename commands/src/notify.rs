//! Telling people what happened: notifications are queued because of events, put into words, and handed to carriers.
//!
//! `tell` queues, `watchers` finds those who wait for a product, `send` sends. An attempt is written down before the
//! message leaves, so what crashes in between is never sent again by itself.

pub mod format;
mod send;
mod shown;
mod tell;
mod watchers;
pub mod words;

use byteshop_domain::account::Channel;
use byteshop_domain::process::notify::Errand;
use byteshop_eventstore::Log;
use tokio::sync::SemaphorePermit;

use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::Intent;
use crate::ports::kept::Kept;
use crate::ports::message::Carrier;
use words::Face;

/// Who carries messages out of the shop, and how the shop signs them.
pub struct Outside {
    /// Mail.
    pub mail: Box<dyn Carrier>,
    /// Text messages.
    pub sms: Box<dyn Carrier>,
    /// Messages on the screens of phones.
    pub push: Box<dyn Carrier>,
    /// How the shop signs.
    pub face: Face,
}

impl Outside {
    /// Nothing leaves: every message is kept.
    pub fn kept(log: &Log) -> Self {
        let keep = |channel: Channel| Box::new(Kept::new(log.clone(), channel.as_str()));
        Self {
            mail: keep(Channel::Email),
            sms: keep(Channel::Sms),
            push: keep(Channel::Push),
            face: Face { name: "ByteShop".into(), ..Face::default() },
        }
    }

    fn carrier(&self, channel: Channel) -> &dyn Carrier {
        match channel {
            Channel::Email => self.mail.as_ref(),
            Channel::Sms => self.sms.as_ref(),
            Channel::Push => self.push.as_ref(),
        }
    }
}

/// Messages of a process that leave at a time: as many as its process works on, so that nobody waits for a place.
pub(crate) const LEAVING: u32 = 64;

impl Commands {
    /// A place among the messages that leave: from before an attempt is written down until its outcome is.
    async fn leave(&self) -> SemaphorePermit<'_> {
        match self.leaving().acquire().await {
            Ok(place) => place,
            // The program stops: the next one sends it.
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits until the messages that are under way have left, and lets no more begin: an attempt that is cut off between the
    /// two has no outcome, and nobody would send it again.
    pub(crate) async fn last_messages(&self) {
        if let Ok(all) = self.leaving().acquire_many(LEAVING).await {
            self.leaving().close();
            drop(all);
        }
    }

    /// Runs an errand of the processes that tell people things.
    pub(crate) async fn run_errand(&self, intent: &Intent, errand: &Errand) -> Result<(), Error> {
        match errand {
            Errand::TellAccount { account, message } => self.tell_account(intent, *account, message).await,
            Errand::TellBuyer { order, message } => self.tell_buyer(intent, *order, message).await,
            Errand::TellOfStock { variant } => self.tell_of_stock(intent, *variant).await,
            Errand::TellOfReturn { product } => self.tell_of_return(intent, *product).await,
            Errand::TellOfPrice { product, variant, price } => {
                self.tell_of_price(intent, *product, *variant, *price).await
            }
            Errand::Send { notification, attempt } => self.send_notification(intent, *notification, *attempt).await,
            Errand::GiveUp { notification, attempt } => self.give_up(intent, *notification, *attempt).await,
        }
    }
}

/// What an errand is called in the log.
pub(crate) fn command_of(errand: &Errand) -> &'static str {
    match errand {
        Errand::TellAccount { .. } | Errand::TellBuyer { .. } => "notification.queue",
        Errand::TellOfStock { .. } | Errand::TellOfReturn { .. } | Errand::TellOfPrice { .. } => "watch.tell",
        Errand::Send { .. } => "notification.send",
        Errand::GiveUp { .. } => "notification.give_up",
    }
}
