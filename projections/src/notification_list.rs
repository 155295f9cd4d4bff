//! Which notifications are there, and what is their status?

use byteshop_domain::account::Channel;
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::{AccountId, NotificationId, OrderId, ProductId};
use byteshop_domain::notification::{About, Death, Event, Notice, Notification, Recipient, Skip, Template};
use byteshop_domain::text::Label;
use byteshop_domain::{Locale, Reads};
use byteshop_eventstore::Recorded;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use crate::engine::{Key, Keys, View};
use crate::error::Error;
use crate::page::{Ask, List, Page};
use crate::text::{micros, name_of};
use crate::views::Views;

#[cfg(test)]
mod tests;

/// The view.
#[derive(Debug)]
pub struct NotificationList;

/// A notification in a list, without personal data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = NotificationRow))]
pub struct Row {
    /// Its id.
    pub id: NotificationId,
    /// The recipient's account; null for a guest.
    pub account: Option<AccountId>,
    /// The way it is sent.
    pub channel: Channel,
    /// The template.
    pub template: Template,
    /// The language.
    pub locale: Locale,
    /// The order that it is about, if any.
    pub order: Option<OrderId>,
    /// The product that it is about, if any.
    pub product: Option<ProductId>,
    /// `queued`, `attempted`, `failed` (will be retried), `sent`, `dead` or `skipped`.
    pub status: Status,
    /// The number of attempts.
    pub attempts: u32,
    /// Why it is dead: `refused`, `gave_up` or `outcome_unknown` (it may have arrived).
    pub reason: Option<Death>,
    /// Why it was not sent: `preference`, `no_address`, `erased`, `expired` or `too_many`.
    pub skip_reason: Option<Skip>,
    /// The latest error.
    pub error: Option<Label>,
    /// When it is retried.
    #[serde(with = "micros::option")]
    pub retry_at: Option<DateTime<Utc>>,
    /// When it was queued.
    #[serde(with = "micros")]
    pub queued_at: DateTime<Utc>,
    /// When it was sent.
    #[serde(with = "micros::option")]
    pub sent_at: Option<DateTime<Utc>>,
}

/// How far a notification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waiting for its first attempt.
    Queued,
    /// Being sent.
    Attempted,
    /// Waiting for a retry.
    Failed,
    /// Sent.
    Sent,
    /// Not retried automatically.
    Dead,
    /// Not to be sent.
    Skipped,
}

impl View for NotificationList {
    const NAME: &'static str = "notification_list";
    const VERSION: i32 = 2;
    const READS: &'static [Reads] = &[Reads::all::<Notification>()];
    type Fact = Event;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Event>, CodecError> {
        event.event::<Notification>().transpose()
    }

    fn keys(_fact: &Event, event: &Recorded) -> Keys {
        vec![event.id_of::<Notification>().to_string()]
    }

    fn fold(row: Option<Row>, _key: &Key, fact: &Event, event: &Recorded) -> Option<Row> {
        if let Event::Queued(notice) = fact {
            return Some(Row::queued(notice, event));
        }
        let mut row = row?;
        (row.reason, row.skip_reason, row.retry_at) = (None, None, None);
        match fact {
            // The row is made with it.
            Event::Queued(_) => {}
            Event::Attempted { attempt } => {
                row.status = Status::Attempted;
                row.attempts = *attempt;
            }
            Event::Sent { .. } => {
                row.status = Status::Sent;
                row.error = None;
                row.sent_at = Some(event.occurred_at());
            }
            Event::Failed { reason, retry_at } => {
                row.status = Status::Failed;
                row.error = Some(reason.clone());
                row.retry_at = Some(*retry_at);
            }
            Event::Died { cause, reason } => {
                row.status = Status::Dead;
                row.reason = Some(*cause);
                row.error = Some(reason.clone());
            }
            Event::Skipped { because } => {
                row.status = Status::Skipped;
                row.skip_reason = Some(*because);
            }
            Event::Revived {} => row.status = Status::Queued,
        }
        Some(row)
    }
}

impl Row {
    fn queued(notice: &Notice, event: &Recorded) -> Self {
        let (order, product) = match notice.message.about() {
            About::Account | About::Seller(_) | About::Payouts(_) | About::Dispute(..) => (None, None),
            About::Order(order) | About::Download(order, _) => (Some(order), None),
            About::Product(product) | About::Keys(_, product) => (None, Some(product)),
        };
        Self {
            id: event.id_of::<Notification>(),
            account: match notice.recipient {
                Recipient::Account(account) => Some(account),
                Recipient::Order(_) | Recipient::Invitation(_) | Recipient::Staff => None,
            },
            channel: notice.channel,
            template: notice.message.template(),
            locale: notice.locale,
            order,
            product,
            status: Status::Queued,
            attempts: 0,
            reason: None,
            skip_reason: None,
            error: None,
            retry_at: None,
            queued_at: event.occurred_at(),
            sent_at: None,
        }
    }
}

/// Which notifications are wanted, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only to this account.
    pub account: Option<AccountId>,
    /// Only those that are so far.
    pub status: Option<Status>,
    /// Which page.
    pub ask: Ask,
}

impl Views {
    /// How many messages were given up.
    pub async fn notifications_dead(&self) -> Result<i64, Error> {
        let count = sqlx::query_scalar("select count(*) from read.notification_list where status = $1");
        Ok(count.bind(name_of(&Status::Dead)).fetch_one(self.pool()).await?)
    }

    /// A page of notifications, the newest first.
    pub async fn notification_list(&self, query: &Query) -> Result<Page<Row>, Error> {
        let mut sql =
            QueryBuilder::<Postgres>::new("select queued, key, row::text from read.notification_list where true");
        if let Some(account) = query.account {
            sql.push(" and account = ").push_bind(account.to_string());
        }
        if let Some(status) = query.status {
            sql.push(" and status = ").push_bind(name_of(&status));
        }
        let list = List::of(NotificationList::NAME, &(query.account, query.status));
        if let Some((queued, key)) = query.ask.after::<(String, String)>(&list)? {
            sql.push(" and (queued, key) < (").push_bind(queued).push(", ").push_bind(key).push(")");
        }
        sql.push(" order by queued desc, key desc limit ").push_bind(query.ask.limit() + 1);
        let rows: Vec<(String, String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Page::of(rows, &query.ask, &list, |(queued, key, text)| ((queued, key), text))
    }
}
