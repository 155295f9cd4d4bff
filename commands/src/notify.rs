//! Telling people what happened: notifications are queued because of events, put into words, and handed to carriers.
//!
//! `tell` queues, `watchers` finds those who wait for a product, `versions` those who have a file, `send` sends. An attempt is written down before the
//! message leaves, so what crashes in between is never sent again by itself.

pub mod format;
pub mod outside;
mod sellers;
mod send;
mod shown;
mod tell;
mod versions;
mod watchers;
pub mod words;

use byteshop_domain::process::notify::{NotificationTask, Sending};
use tokio::sync::SemaphorePermit;

use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::Intent;
use outside::LEAVING;
use versions::NewVersion;

impl Commands {
    /// A place among the messages that leave: from before an attempt is written down until its outcome is.
    async fn leave(&self) -> SemaphorePermit<'_> {
        match self.leaving().acquire().await {
            Ok(place) => place,
            // The program stops: the next one sends it.
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits until the messages in progress have been sent, and starts no new ones: an attempt that is interrupted
    /// before its outcome is recorded would never be repeated.
    pub(crate) async fn last_messages(&self) {
        if let Ok(all) = self.leaving().acquire_many(LEAVING).await {
            self.leaving().close();
            drop(all);
        }
    }

    /// Queues the notifications of a task.
    pub(crate) async fn run_notification_task(&self, intent: &Intent, task: &NotificationTask) -> Result<(), Error> {
        match task {
            NotificationTask::TellAccount { account, message } => self.tell_account(intent, *account, message).await,
            NotificationTask::TellBuyer { order, message } => self.tell_buyer(intent, *order, message).await,
            NotificationTask::TellInvited { invitation, locale, message } => {
                self.tell_invited(intent, *invitation, *locale, message).await
            }
            NotificationTask::TellStaff { message } => self.tell_staff(intent, message).await,
            NotificationTask::TellOwners { seller, message } => self.tell_owners(intent, *seller, message).await,
            NotificationTask::TellOfKeys { variant, news } => self.tell_of_keys(intent, *variant, news).await,
            NotificationTask::TellOfVersion { variant, file, version } => {
                let (variant, file, version) = (*variant, *file, *version);
                self.tell_of_version(intent, NewVersion { variant, file, version }).await
            }
            NotificationTask::TellOfStock { variant } => self.tell_of_stock(intent, *variant).await,
            NotificationTask::TellOfReturn { product } => self.tell_of_return(intent, *product).await,
            NotificationTask::TellOfPrice { product, variant, price } => {
                self.tell_of_price(intent, *product, *variant, *price).await
            }
        }
    }

    /// Sends a notification, or gives an attempt up.
    pub(crate) async fn run_sending(&self, intent: &Intent, sending: &Sending) -> Result<(), Error> {
        match sending {
            Sending::Send { notification, attempt } => self.send_notification(intent, *notification, *attempt).await,
            Sending::GiveUp { notification, attempt } => self.give_up(intent, *notification, *attempt).await,
        }
    }
}

/// The name of a task in the log.
pub(crate) fn command_of(task: &NotificationTask) -> &'static str {
    match task {
        NotificationTask::TellAccount { .. }
        | NotificationTask::TellBuyer { .. }
        | NotificationTask::TellInvited { .. }
        | NotificationTask::TellOwners { .. }
        | NotificationTask::TellStaff { .. }
        | NotificationTask::TellOfVersion { .. }
        | NotificationTask::TellOfKeys { .. } => "notification.queue",
        NotificationTask::TellOfStock { .. }
        | NotificationTask::TellOfReturn { .. }
        | NotificationTask::TellOfPrice { .. } => "watch.tell",
    }
}

/// The name of what is done with a notification in the log.
pub(crate) fn command_of_sending(sending: &Sending) -> &'static str {
    match sending {
        Sending::Send { .. } => "notification.send",
        Sending::GiveUp { .. } => "notification.give_up",
    }
}
