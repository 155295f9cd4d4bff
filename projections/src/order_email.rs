//! Which orders did a guest with this e-mail address place?
//!
//! A view beside [`order_list`](crate::order_list), whose rows are returned as they are: the hash of an address must
//! not be visible.

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_domain::order::{Event, Order};
use byteshop_domain::text::Label;
use byteshop_eventstore::Recorded;
use serde::{Deserialize, Serialize};

use crate::engine::{Key, Keys, View};

/// The view.
#[derive(Debug)]
pub struct OrderEmail;

/// The guest's address in an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// They gave it.
    Gave(Label),
    /// They are forgotten.
    Forgotten,
}

/// The hash by which an order is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The keyed hash of the address.
    pub email_hash: Label,
}

impl View for OrderEmail {
    const NAME: &'static str = "order_email";
    const VERSION: i32 = 2;
    // An address never changes after its order is placed, until its owner is erased.
    const READS: &'static [Reads] = &[Reads::only::<Order>(&["placed", "buyer_forgotten"])];
    type Fact = Fact;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Fact>, CodecError> {
        let order = event.event::<Order>().transpose()?;
        if let Some(Event::Placed(placement)) = order {
            // The orders of an account are found by it.
            let is_guest = placement.buyer.account.is_none();
            return Ok(placement.destination.email_hash.filter(|_| is_guest).map(Fact::Gave));
        }
        Ok(matches!(order, Some(Event::BuyerForgotten { .. })).then_some(Fact::Forgotten))
    }

    fn keys(_fact: &Fact, event: &Recorded) -> Keys {
        vec![event.id_of::<Order>().to_string()]
    }

    fn fold(_row: Option<Row>, _key: &Key, fact: &Fact, _event: &Recorded) -> Option<Row> {
        match fact {
            Fact::Gave(email_hash) => Some(Row { email_hash: email_hash.clone() }),
            Fact::Forgotten => None,
        }
    }
}
