//! Which sellers are there, and which of them sell? Their contacts and their members stay in the sellers themselves.

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::SellerId;
use byteshop_domain::seller::{Event, Seller, Status};
use byteshop_domain::text::{Country, Description, Handle, Name, Reason, search_form};
use byteshop_eventstore::Recorded;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::engine::{Key, Keys, View};
use crate::text::micros;

mod query;
#[cfg(test)]
mod tests;

pub use query::Query;

/// The view.
#[derive(Debug)]
pub struct SellerList;

/// A seller in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its id.
    pub id: SellerId,
    /// The handle.
    pub handle: Handle,
    /// The name.
    pub name: Name,
    /// The name in the form in which it is searched and sorted.
    pub search: String,
    /// The description.
    pub description: Description,
    /// The country that it sells from.
    pub country: Country,
    /// The status.
    pub status: Status,
    /// Why it is rejected or suspended.
    pub reason: Option<Reason>,
    /// When it applied.
    #[serde(with = "micros")]
    pub applied_at: DateTime<Utc>,
    /// When it was approved.
    #[serde(with = "micros::option")]
    pub since: Option<DateTime<Utc>>,
}

impl View for SellerList {
    const NAME: &'static str = "seller_list";
    const VERSION: i32 = 1;
    const READS: &'static [Reads] =
        &[Reads::only::<Seller>(&["applied", "revised", "approved", "rejected", "suspended", "reinstated", "closed"])];
    type Fact = Event;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Event>, CodecError> {
        event.event::<Seller>().transpose()
    }

    fn keys(_fact: &Event, event: &Recorded) -> Keys {
        vec![event.id_of::<Seller>().to_string()]
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS come here")]
    fn fold(row: Option<Row>, _key: &Key, fact: &Event, event: &Recorded) -> Option<Row> {
        let row = row.map(|row| match Status::after(fact) {
            Some(status) => Row { status, reason: None, ..row },
            None => row,
        });
        match fact {
            Event::Applied { handle, name, description, country, contact: _, owner: _, at } => Some(Row {
                id: event.id_of::<Seller>(),
                handle: handle.clone(),
                name: name.clone(),
                search: search_form(name.as_str()),
                description: description.clone(),
                country: country.clone(),
                status: Status::Applied,
                reason: None,
                applied_at: *at,
                since: None,
            }),
            Event::Revised { name, description, contact: _ } => row.map(|mut row| {
                if let Some(name) = name {
                    (row.name, row.search) = (name.clone(), search_form(name.as_str()));
                }
                if let Some(description) = description {
                    row.description.clone_from(description);
                }
                row
            }),
            Event::Approved { at } => row.map(|row| Row { since: Some(*at), ..row }),
            Event::Rejected { reason } | Event::Suspended { reason } => {
                row.map(|row| Row { reason: Some(reason.clone()), ..row })
            }
            _ => row,
        }
    }
}
