//! Sending one notification: everything is made ready, the attempt is written down, the message leaves, the outcome is
//! written down.

use std::time::Duration;

use byteshop_domain::Subject;
use byteshop_domain::account::{Account, Channel};
use byteshop_domain::address::Address;
use byteshop_domain::ids::{Id as _, NotificationId};
use byteshop_domain::notification::{Command, Message, Notice, Notification, Outcome, Recipient, Skip};
use byteshop_domain::order::Order;
use byteshop_domain::text::{LABEL_MAX, Label};
use tokio::sync::SemaphorePermit;
use tokio::time::timeout;

use super::words;
use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::Intent;
use crate::ports::message::{Carrier, Message as Letter, Taken, Undelivered};

/// How long a message waits for its turn at a carrier; the next ones wait behind it.
const TURN_WITHIN: Duration = Duration::from_secs(30);

/// The next step for a notification.
enum Ready {
    /// The message can be sent.
    Message(Letter),
    /// The message is not to be sent.
    Not(Outcome),
}

impl Commands {
    /// Hands a notification over, unless that attempt was made already.
    pub(super) async fn send_notification(
        &self,
        intent: &Intent,
        id: NotificationId,
        attempt: Option<u32>,
    ) -> Result<(), Error> {
        let Some(found) = self.seen::<Notification>(id).await? else { return Ok(()) };
        let (Some(due), Some(notice)) = (found.due(), &found.notice) else { return Ok(()) };
        if attempt.is_some_and(|attempt| attempt != due) {
            return Ok(());
        }
        // What takes time or can fail comes first: between the attempt and its outcome lies nothing but the carrier.
        let ready = self.make_ready(id, notice).await?;
        let carrier = self.outside().carrier(notice.channel);
        let turn = turn(carrier).await;
        let _leaving = self.leave().await;
        self.run(intent, |unit| async move {
            let mut notification = unit.load::<Notification>(id).await?;
            unit.decide(&mut notification, &Command::Attempt { attempt: due })
        })
        .await?;
        let outcome = match (ready, &turn) {
            (Ready::Message(message), Ok(_)) => outcome(id, due, carrier.send(&message).await),
            (Ready::Message(_), Err(busy)) => outcome(id, due, Err(busy.clone())),
            (Ready::Not(outcome), _) => outcome,
        };
        count(notice.channel, &outcome);
        self.conclude(intent, id, due, &outcome).await
    }

    /// Notes that an attempt has no outcome, unless it has one.
    pub(super) async fn give_up(&self, intent: &Intent, id: NotificationId, attempt: u32) -> Result<(), Error> {
        let reason = label("the process that made the attempt did not record its outcome");
        self.conclude(intent, id, attempt, &Outcome::Unknown { reason }).await
    }

    async fn conclude(
        &self,
        intent: &Intent,
        id: NotificationId,
        attempt: u32,
        outcome: &Outcome,
    ) -> Result<(), Error> {
        self.run(intent, |unit| async move {
            let mut notification = unit.load::<Notification>(id).await?;
            unit.decide(&mut notification, &Command::Conclude { attempt, outcome: outcome.clone() })
        })
        .await?;
        Ok(())
    }

    async fn make_ready(&self, id: NotificationId, notice: &Notice) -> Result<Ready, Error> {
        let pointless = |because| Ok(Ready::Not(Outcome::Pointless { because }));
        let now = self.clock().now();
        if notice.message.expires_at().is_some_and(|expires_at| expires_at <= now) {
            return pointless(Skip::Expired);
        }
        let (person, to) = match self.address(notice).await? {
            Ok(found) => found,
            Err(because) => return pointless(because),
        };
        let Some(shown) = self.shown(notice).await? else { return pointless(Skip::Erased) };
        let words = match words::write(notice.message.template(), notice.locale, &shown) {
            Ok(words) => words,
            Err(error) => {
                tracing::error!(notification = %id, %error, "a notification cannot be rendered");
                return Ok(Ready::Not(Outcome::Refused { reason: label("the template cannot be filled") }));
            }
        };
        let mail = notice.channel == Channel::Email;
        Ok(Ready::Message(Letter {
            id: id.uuid(),
            to,
            person,
            subject: words.subject,
            text: if mail { words.text } else { words.short },
            html: mail.then_some(words.html),
            at: now,
            unsubscribe: shown.unsubscribe.filter(|_| mail),
        }))
    }

    /// The recipient's address, or the reason why there is none.
    async fn address(&self, notice: &Notice) -> Result<Result<(Subject, String), Skip>, Error> {
        if let Message::ConfirmNewEmail { email, .. } | Message::SellerInvitation { email, .. } = &notice.message {
            let opened = self.vault().open(email).await?;
            return Ok(opened.map(|opened| (email.subject(), opened.as_str().to_owned())).ok_or(Skip::Erased));
        }
        let channel = notice.channel;
        match notice.recipient {
            Recipient::Account(id) => {
                let account = self.get::<Account>(id).await?;
                let Some(open) = account.as_ref().and_then(|account| account.state.live().ok()) else {
                    return Ok(Err(Skip::Erased));
                };
                let person = Subject::from(id);
                match channel {
                    Channel::Email => {
                        let email = self.vault().open(&open.email).await?;
                        Ok(email.map(|email| (person, email.as_str().to_owned())).ok_or(Skip::Erased))
                    }
                    Channel::Sms => {
                        let Some(profile) = &open.profile else { return Ok(Err(Skip::NoAddress)) };
                        let Some(profile) = self.vault().open(profile).await? else { return Ok(Err(Skip::Erased)) };
                        Ok(profile.phone.map(|phone| (person, phone.as_str().to_owned())).ok_or(Skip::NoAddress))
                    }
                    // The provider knows the devices of an account.
                    Channel::Push => Ok(Ok((person, id.to_string()))),
                }
            }
            Recipient::Order(id) => {
                // Where an order goes does not change.
                let order = self.seen::<Order>(id).await?;
                let placed = order.as_ref().and_then(|order| order.live().ok());
                let sealed = placed.and_then(|placed| placed.placement.destination.address.as_ref());
                let Some(sealed) = sealed else { return Ok(Err(Skip::NoAddress)) };
                let Some(address) = self.vault().open(sealed).await? else { return Ok(Err(Skip::Erased)) };
                Ok(contact(address, channel).map(|to| (sealed.subject(), to)).ok_or(Skip::NoAddress))
            }
            // Its address is part of its message.
            Recipient::Invitation(_) => Ok(Err(Skip::NoAddress)),
            Recipient::Staff => {
                let staff = self.outside().staff.clone();
                Ok(staff.map(|staff| (Subject::SHOP, staff)).ok_or(Skip::NoAddress))
            }
        }
    }
}

/// A turn at a carrier, where it has only some.
async fn turn(carrier: &dyn Carrier) -> Result<Option<SemaphorePermit<'_>>, Undelivered> {
    let Some(turns) = carrier.turns() else { return Ok(None) };
    match timeout(TURN_WITHIN, turns.acquire()).await {
        Ok(Ok(turn)) => Ok(Some(turn)),
        Ok(Err(_)) | Err(_) => Err(Undelivered::NotNow("earlier messages took too long".into())),
    }
}

fn contact(address: Address, channel: Channel) -> Option<String> {
    match channel {
        Channel::Email => address.email.map(|email| email.as_str().to_owned()),
        Channel::Sms => address.phone.map(|phone| phone.as_str().to_owned()),
        Channel::Push => None,
    }
}

fn outcome(id: NotificationId, attempt: u32, sent: Result<Taken, Undelivered>) -> Outcome {
    match sent {
        Ok(taken) => Outcome::Taken { reference: label(&taken) },
        Err(Undelivered::NotNow(reason)) => Outcome::NotNow { reason: label(&reason), spread: spread(id, attempt) },
        Err(Undelivered::Refused(reason)) => Outcome::Refused { reason: label(&reason) },
        Err(Undelivered::Unknown(reason)) => Outcome::Unknown { reason: label(&reason) },
    }
}

/// Where in the spread of its pause a failure lies: ids are hashes, so theirs is as good as a die's.
fn spread(id: NotificationId, attempt: u32) -> u16 {
    let bits = (id.uuid().as_u128() >> (attempt % 8 * 10)) % 1_000;
    u16::try_from(bits).unwrap_or_default()
}

/// A reason or a reference as it is stored; what is no such text is left out.
fn label(text: &str) -> Label {
    let short: String = text.chars().filter(|letter| !letter.is_control()).take(LABEL_MAX).collect();
    Label::new(&short).unwrap_or_else(|_| Label::new("unspecified").expect("a text without control characters"))
}

fn count(channel: Channel, outcome: &Outcome) {
    let outcome = match outcome {
        Outcome::Taken { .. } => "sent",
        Outcome::NotNow { .. } => "not_now",
        Outcome::Refused { .. } => "refused",
        Outcome::Unknown { .. } => "unknown",
        Outcome::Pointless { .. } => "skipped",
    };
    metrics::counter!("byteshop_notifications_total", "channel" => channel.as_str(), "outcome" => outcome).increment(1);
}
