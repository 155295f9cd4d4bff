//! Queueing notifications: who is reached how, and what they do not want to hear.

use std::collections::BTreeSet;

use byteshop_domain::Locale;
use byteshop_domain::account::{Account, Channel};
use byteshop_domain::ids::{AccountId, InvitationId, MailboxId, OrderId};
use byteshop_domain::mailbox::{self, Mailbox, Treatment};
use byteshop_domain::notification::{self, About, Command, Message, Notice, Notification, Recipient, Skip, Template};
use byteshop_domain::order::{Order, PaymentStatus, Placed, Status};

use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::Intent;
use crate::engine::unit::Unit;

/// The channels of a recipient.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    recipient: Recipient,
    locale: Locale,
    channels: BTreeSet<Channel>,
    /// The mailbox, where it is a guest's.
    mailbox: Option<MailboxId>,
}

impl Reach {
    /// The owner of an account, if it is open.
    pub(super) async fn account(unit: &Unit, id: AccountId) -> Result<Option<Self>, Error> {
        let account = unit.peek::<Account>(id).await?;
        Ok(account.state.live().ok().map(|open| Self {
            recipient: Recipient::Account(id),
            locale: open.settings.locale,
            channels: open.settings.channels.clone(),
            mailbox: None,
        }))
    }

    /// The buyer of an order: the owner of its account, or else the recipient of its goods.
    pub(super) async fn buyer(unit: &Unit, id: OrderId, placed: &Placed) -> Result<Option<Self>, Error> {
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
            mailbox: placed.placement.destination.mailbox().map(|hash| mailbox::id(hash.as_str())),
        }))
    }
}

/// Queues a message to a recipient on every channel of their choice. `position` is that of the event: queueing for the
/// same event again has no effect.
pub(super) async fn queue(unit: &Unit, position: i64, reach: &Reach, message: &Message) -> Result<(), Error> {
    for channel in [Channel::Email, Channel::Sms, Channel::Push] {
        let wanted = reach.channels.contains(&channel);
        let about_account = matches!(message.about(), About::Account | About::Payouts(_) | About::Dispute(..));
        // What protects the account, or the money of a seller, comes by mail and in no other way, wanted or not.
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

/// Queues a message to a guest, as far as their mailbox accepts it. `known_as` is who they are for this event.
pub(super) async fn tell_guest(
    unit: &Unit,
    position: i64,
    reach: &Reach,
    known_as: &Recipient,
    placed: &Placed,
    message: &Message,
) -> Result<(), Error> {
    let id = notification::id(position, message.template(), Channel::Email, known_as);
    let mut notification = unit.load::<Notification>(id).await?;
    // The event was told before, and its mail is counted.
    if notification.state.notice.is_some() {
        return Ok(());
    }
    let treatment = mailbox::treatment(placed, message);
    if treatment == Treatment::Omit {
        return Ok(());
    }
    let (recipient, locale) = (reach.recipient, reach.locale);
    let notice = Notice { recipient, channel: Channel::Email, locale, message: message.clone() };
    let Some(mailbox) = reach.mailbox else { return unit.decide(&mut notification, &Command::Queue(notice)) };
    let mut mailbox = unit.load::<Mailbox>(mailbox).await?;
    if treatment == Treatment::Count && !mailbox.state.accepts(unit.now()) {
        return unit.decide(&mut notification, &Command::Skip { notice, because: Skip::TooMany });
    }
    let counted = if treatment == Treatment::Write { mailbox::Command::Prove {} } else { mailbox::Command::Write {} };
    unit.decide(&mut mailbox, &counted)?;
    unit.decide(&mut notification, &Command::Queue(notice))
}

/// The position of the event that led to a command; a notification task always has one.
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
        Ok(account.and_then(|account| account.state.live().ok().map(|open| open.settings.locale)))
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

    /// Writes to an address that a seller gave: by mail, as nothing else is known of who has it.
    pub(super) async fn tell_invited(
        &self,
        intent: &Intent,
        invitation: InvitationId,
        locale: Locale,
        message: &Message,
    ) -> Result<(), Error> {
        self.tell_by_mail(intent, Recipient::Invitation(invitation), locale, message).await
    }

    /// Writes to staff, if its address is set.
    pub(super) async fn tell_staff(&self, intent: &Intent, message: &Message) -> Result<(), Error> {
        if self.outside().staff.is_none() {
            return Ok(());
        }
        self.tell_by_mail(intent, Recipient::Staff, Locale::default(), message).await
    }

    async fn tell_by_mail(
        &self,
        intent: &Intent,
        recipient: Recipient,
        locale: Locale,
        message: &Message,
    ) -> Result<(), Error> {
        let channel = Channel::Email;
        let id = notification::id(position(intent), message.template(), channel, &recipient);
        self.run(intent, |unit| async move {
            let mut notification = unit.load::<Notification>(id).await?;
            let notice = Notice { recipient, channel, locale, message: message.clone() };
            unit.decide(&mut notification, &Command::Queue(notice))
        })
        .await?;
        Ok(())
    }

    pub(super) async fn tell_buyer(&self, intent: &Intent, id: OrderId, message: &Message) -> Result<(), Error> {
        self.run(intent, |unit| async move {
            let order = unit.peek::<Order>(id).await?;
            let Ok(placed) = order.state.live() else { return Ok(()) };
            // The payment or the cancellation has its own message.
            let unpaid = matches!(
                placed.progress.payment_status,
                PaymentStatus::Awaiting | PaymentStatus::Authorized | PaymentStatus::OnDelivery
            );
            let asks_for_money = matches!(message.template(), Template::OrderPlaced | Template::PaymentInstructions);
            if asks_for_money && !(unpaid && placed.progress.status == Status::Open) {
                return Ok(());
            }
            match Reach::buyer(&unit, id, placed).await? {
                Some(reach) => match reach.mailbox {
                    Some(_) => tell_guest(&unit, position(intent), &reach, &reach.recipient, placed, message).await,
                    None => queue(&unit, position(intent), &reach, message).await,
                },
                None => Ok(()),
            }
        })
        .await?;
        Ok(())
    }
}
