//! Which accounts are there, and what may each do? What is personal in it stays sealed.

use byteshop_domain::account::{Account, Event, Profile, Role};
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::AccountId;
use byteshop_domain::text::Email;
use byteshop_domain::{Personal, Reads};
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
pub struct AccountList;

/// How far an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The e-mail address is not confirmed.
    Unconfirmed,
    /// The account can be used.
    Active,
    /// The account is banned.
    Banned,
}

impl Status {
    /// The status of an account; a ban takes precedence.
    pub fn of(banned: bool, confirmed: bool) -> Self {
        match (banned, confirmed) {
            (true, _) => Self::Banned,
            (false, true) => Self::Active,
            (false, false) => Self::Unconfirmed,
        }
    }

    /// The name of the status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Active => "active",
            Self::Banned => "banned",
        }
    }
}

/// An account in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = AccountRow))]
pub struct Row {
    /// Its id.
    pub id: AccountId,
    /// The e-mail address.
    pub email: Personal<Email>,
    /// The profile.
    pub profile: Option<Personal<Profile>>,
    /// The role.
    pub role: Role,
    /// The state of the account.
    pub status: Status,
    /// Whether the address is its owner's, also while it is banned.
    pub confirmed: bool,
    /// When it was registered.
    #[serde(with = "micros")]
    pub registered_at: DateTime<Utc>,
}

impl View for AccountList {
    const NAME: &'static str = "account_list";
    const VERSION: i32 = 1;
    const READS: &'static [Reads] = &[Reads::only::<Account>(&[
        "registered",
        "confirmed",
        "email_changed",
        "role_set",
        "profile_changed",
        "banned",
        "unbanned",
        "erased",
    ])];
    type Fact = Event;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Event>, CodecError> {
        event.event::<Account>().transpose()
    }

    fn keys(_fact: &Event, event: &Recorded) -> Keys {
        vec![event.id_of::<Account>().to_string()]
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS come here")]
    fn fold(row: Option<Row>, _key: &Key, fact: &Event, event: &Recorded) -> Option<Row> {
        match fact {
            Event::Registered { email, .. } => Some(Row {
                id: event.id_of::<Account>(),
                email: email.clone(),
                profile: None,
                role: Role::default(),
                status: Status::Unconfirmed,
                confirmed: false,
                registered_at: event.occurred_at(),
            }),
            Event::Confirmed {} => row.map(|row| {
                let status = Status::of(row.status == Status::Banned, true);
                Row { confirmed: true, status, ..row }
            }),
            Event::EmailChanged { email } => row.map(|row| Row { email: email.clone(), ..row }),
            Event::RoleSet { role } => row.map(|row| Row { role: *role, ..row }),
            Event::ProfileChanged { profile } => row.map(|row| Row { profile: Some(profile.clone()), ..row }),
            Event::Banned { .. } => row.map(|row| Row { status: Status::Banned, ..row }),
            Event::Unbanned {} => row.map(|row| Row { status: Status::of(false, row.confirmed), ..row }),
            Event::Erased {} => None,
            _ => row,
        }
    }
}

/// Which accounts are wanted, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only with this role.
    pub role: Option<Role>,
    /// Only this far.
    pub status: Option<Status>,
    /// Only this one.
    pub account: Option<AccountId>,
    /// Which page.
    pub ask: Ask,
}

impl Views {
    /// A page of accounts, the newest first; what is personal is sealed.
    pub async fn account_list(&self, query: &Query) -> Result<Page<Row>, Error> {
        let mut sql =
            QueryBuilder::<Postgres>::new("select registered, key, row::text from read.account_list where true");
        if let Some(role) = query.role {
            sql.push(" and role = ").push_bind(name_of(&role));
        }
        if let Some(status) = query.status {
            sql.push(" and status = ").push_bind(name_of(&status));
        }
        if let Some(account) = query.account {
            sql.push(" and key = ").push_bind(account.to_string());
        }
        let list = List::of(AccountList::NAME, &(query.role, query.status, query.account));
        if let Some((registered, key)) = query.ask.after::<(String, String)>(&list)? {
            sql.push(" and (registered, key) < (").push_bind(registered).push(", ").push_bind(key).push(")");
        }
        sql.push(" order by registered desc, key desc limit ").push_bind(query.ask.limit() + 1);
        let rows: Vec<(String, String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Page::of(rows, &query.ask, &list, |(registered, key, text)| ((registered, key), text))
    }
}
