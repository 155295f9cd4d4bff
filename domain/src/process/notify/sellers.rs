//! What sellers are told, and staff about disputes.

use super::{KeyNews, NotificationTask};
use crate::dispute;
use crate::ids::{DisputeId, PayoutId, SellerId, VariantId};
use crate::key_pool::{self, part_of};
use crate::money::Money;
use crate::notification::{DisputeNews, Message};
use crate::payout::{self, Failure};
use crate::payout_account::{self, Means};
use crate::seller;
use crate::text::Reason;

/// A key that its buyer was never shown is of no use to them, so its seller has nothing to do.
#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
pub(super) fn of_keys(variant: VariantId, event: &key_pool::Event) -> Option<NotificationTask> {
    let news = match event {
        key_pool::Event::RanLow { left } => KeyNews::RanLow { left: *left },
        key_pool::Event::Revoked { revealed, keys, .. } => {
            let keys = part_of(keys, 0, *revealed);
            if keys.is_empty() {
                return None;
            }
            KeyNews::Revoked { keys }
        }
        _ => return None,
    };
    Some(NotificationTask::TellOfKeys { variant, news })
}

pub(super) fn of_seller(seller: SellerId, event: &seller::Event) -> Option<NotificationTask> {
    let seller::Event::MemberInvited { invitation, email, role, code, locale, expires_at, .. } = event else {
        return None;
    };
    let (email, code) = (email.clone(), code.clone());
    let message = Message::SellerInvitation { email, code, seller, role: *role, expires_at: *expires_at };
    Some(NotificationTask::TellInvited { invitation: *invitation, locale: *locale, message })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
pub(super) fn of_payout(id: PayoutId, event: &payout::Event) -> Option<NotificationTask> {
    let (seller, message) = match event {
        payout::Event::Paid { seller, amount, means, .. } => {
            (*seller, Message::PayoutSent { seller: *seller, amount: *amount, means: *means })
        }
        payout::Event::Failed { seller, amount, means, failure, because, .. } => {
            (*seller, not_paid(id, (*seller, *amount, *means), false, *failure, because.clone()))
        }
        payout::Event::Returned { seller, amount, means, failure, because, .. } => {
            (*seller, not_paid(id, (*seller, *amount, *means), true, *failure, because.clone()))
        }
        _ => return None,
    };
    Some(NotificationTask::TellOwners { seller, message })
}

fn not_paid(
    payout: PayoutId,
    (seller, amount, means): (SellerId, Money, Means),
    returned: bool,
    failure: Failure,
    because: Option<Reason>,
) -> Message {
    Message::PayoutFailed { seller, amount, means, payout: Some(payout), returned, failure: Some(failure), because }
}

/// Each seller hears of its own share, and staff of all.
pub(super) fn of_dispute(id: DisputeId, event: &dispute::Event) -> Vec<NotificationTask> {
    let sellers = of_dispute_to_sellers(event);
    of_dispute_to_staff(id, event).into_iter().chain(sellers).collect()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn of_dispute_to_staff(dispute: DisputeId, event: &dispute::Event) -> Option<NotificationTask> {
    let (order, news, amount, respond_by) = match event {
        dispute::Event::Opened { content, .. } => {
            (content.order, DisputeNews::Opened, Some(content.amount), content.respond_by)
        }
        dispute::Event::Reminded { order, respond_by, .. } => (*order, DisputeNews::Due, None, Some(*respond_by)),
        dispute::Event::Won { order, .. } => (*order, DisputeNews::Won, None, None),
        dispute::Event::Lost { order, amount, .. } => (*order, DisputeNews::Lost, Some(*amount), None),
        _ => return None,
    };
    let message = Message::DisputeForStaff { dispute, order, news, amount, respond_by };
    Some(NotificationTask::TellStaff { message })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn of_dispute_to_sellers(event: &dispute::Event) -> Vec<NotificationTask> {
    let tell = |seller: SellerId, message: Message| NotificationTask::TellOwners { seller, message };
    match event {
        dispute::Event::Opened { content, .. } => {
            let order = content.order;
            let of = |share: &dispute::Share| {
                let (seller, amount) = (share.seller, share.amount);
                tell(seller, Message::DisputeOpened { seller, order, amount })
            };
            content.shares.iter().map(of).collect()
        }
        dispute::Event::Reminded { order, sellers, respond_by } => {
            let (order, respond_by) = (*order, *respond_by);
            sellers.iter().map(|it| tell(*it, Message::DisputeDue { seller: *it, order, respond_by })).collect()
        }
        dispute::Event::Won { order, sellers } | dispute::Event::Lost { order, sellers, .. } => {
            let (order, won) = (*order, matches!(event, dispute::Event::Won { .. }));
            sellers.iter().map(|it| tell(*it, Message::DisputeEnded { seller: *it, order, won })).collect()
        }
        _ => vec![],
    }
}

/// A thief of a session who chose it is found out before it is used.
pub(super) fn of_destination(seller: SellerId, event: &payout_account::Event) -> Option<NotificationTask> {
    let payout_account::Event::DestinationChosen { means, at, usable_from, .. } = event else {
        return None;
    };
    let (means, at_once) = (Some(*means), usable_from <= at);
    let message = Message::PayoutDestinationChosen { seller, means, usable_from: *usable_from, at_once };
    Some(NotificationTask::TellOwners { seller, message })
}
