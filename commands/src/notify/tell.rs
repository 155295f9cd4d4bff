//! Queueing notifications: who is reached how, and what they do not want to hear.

use std::collections::BTreeSet;

use byteshop_domain::Locale;
use byteshop_domain::account::{Account, Channel};
use byteshop_domain::ids::{AccountId, OrderId};
use byteshop_domain::notification::{self, About, Command, Message, Notice, Notification, Recipient, Skip};
use byteshop_domain::order::{Order, Placed};

use crate::Commands;
use crate::error::Error;
use crate::intent::Intent;
use crate::unit::Unit;

/// How somebody is reached.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    recipient: Recipient,
    locale: Locale,
    channels: BTreeSet<Channel>,
}

impl Reach {
    /// The owner of an account, if it is open.
    pub(super) async fn account(unit: &Unit, id: AccountId) -> Result<Option<Self>, Error> {
        let account = unit.peek::<Account>(id).await?;
        Ok(account.state.open().ok().map(|open| Self {
            recipient: Recipient::Account(id),
            locale: open.settings.locale,
            channels: open.settings.channels.clone(),
        }))
    }

    /// Whoever placed an order: the owner of its account, or else whoever its goods go to.
    async fn buyer(unit: &Unit, id: OrderId) -> Result<Option<Self>, Error> {
        let order = unit.peek::<Order>(id).await?;
        let Ok(placed) = order.state.placed() else { return Ok(None) };
        // An order of the past was told of when it was the present.
        if placed.placement.imported {
            return Ok(None);
        }
        if let Some(account) = placed.placement.buyer.account
            && let Some(reach) = Self::account(unit, account).await?
        {
            return Ok(Some(reach));
        }
        Ok(Some(Self {
            recipient: Recipient::Order(id),
            locale: placed.placement.destination.locale.unwrap_or_default(),
            channels: BTreeSet::from([Channel::Email]),
        }))
    }
}

/// Queues a message to somebody in every way in which they want it. `position` is the event's: the same one queues nothing twice.
pub(super) async fn queue(unit: &Unit, position: i64, reach: &Reach, message: &Message) -> Result<(), Error> {
    for channel in [Channel::Email, Channel::Sms, Channel::Push] {
        let wanted = reach.channels.contains(&channel);
        let about_account = message.about() == About::Account;
        // What protects the account comes by mail and in no other way, wanted or not.
        let made = channel == Channel::Email || (wanted && !about_account);
        if !made {
            continue;
        }
        let id = notification::id(position, message.template(), channel, &reach.recipient);
        let notice = Notice { recipient: reach.recipient, channel, locale: reach.locale, message: message.clone() };
        let mut notification = unit.load::<Notification>(id).await?;
        let command = if wanted || about_account {
            Command::Queue(notice)
        } else {
            Command::Skip { notice, because: Skip::Preference }
        };
        unit.decide(&mut notification, &command)?;
    }
    Ok(())
}

/// The position of the event that led to a command; an errand always has one.
pub(super) fn position(intent: &Intent) -> i64 {
    intent.causation.unwrap_or_default()
}

impl Commands {
    /// The language that the buyer of an order is written to in.
    pub async fn locale_of(&self, placed: &Placed) -> Result<Locale, Error> {
        let placement = &placed.placement;
        let own = match placement.buyer.account {
            Some(account) => self.locale_of_account(account).await?,
            None => None,
        };
        Ok(own.or(placement.destination.locale).unwrap_or_default())
    }

    /// The language that the owner of an account is written to in; nothing when it is closed or was never there.
    pub async fn locale_of_account(&self, id: AccountId) -> Result<Option<Locale>, Error> {
        let account = self.get::<Account>(id).await?;
        Ok(account.and_then(|account| account.state.open().ok().map(|open| open.settings.locale)))
    }

    pub(super) async fn tell_account(&self, intent: &Intent, id: AccountId, message: &Message) -> Result<(), Error> {
        self.run(intent, |unit| async move {
            match Reach::account(&unit, id).await? {
                Some(reach) => queue(&unit, position(intent), &reach, message).await,
                None => Ok(()),
            }
        })
        .await?;
        Ok(())
    }

    pub(super) async fn tell_buyer(&self, intent: &Intent, id: OrderId, message: &Message) -> Result<(), Error> {
        self.run(intent, |unit| async move {
            match Reach::buyer(&unit, id).await? {
                Some(reach) => queue(&unit, position(intent), &reach, message).await,
                None => Ok(()),
            }
        })
        .await?;
        Ok(())
    }
}
