//! Folds of seller_list.

use byteshop_domain::ids::{AccountId, Id as _};
use byteshop_domain::{Personal, Subject};
use uuid::Uuid;

use super::*;
use crate::testing::{event, noon, rows, text};

fn applied() -> Event {
    let owner = AccountId::from_uuid(Uuid::from_u128(7));
    Event::Applied {
        handle: text("copper-kettles"),
        name: text("Copper KETTLES"),
        description: text("By hand"),
        country: text("DE"),
        contact: Personal::new(Subject::from(owner), "contact"),
        owner,
        at: noon(),
    }
}

fn row(more: &[Event]) -> Row {
    let events = [applied()].iter().chain(more).map(|it| event::<Seller>(1, it)).collect();
    rows::<SellerList>(events).into_values().next().unwrap()
}

#[test]
fn a_row_has_what_the_seller_itself_has() {
    let reason: Reason = text("Complaints");
    let history = [
        Event::Revised { name: Some(text("Ёж & Co")), description: Some(text("New")), contact: None },
        Event::Approved { at: noon() },
        Event::Suspended { reason: reason.clone() },
        Event::Reinstated {},
        Event::MemberLeft { account: AccountId::from_uuid(Uuid::from_u128(7)) },
        Event::Closed {},
    ];
    for length in 0..=history.len() {
        let row = row(&history[..length]);
        let seller: Seller = byteshop_domain::fold([applied()].iter().chain(&history[..length]));
        let known = seller.live().unwrap();
        assert_eq!(
            (row.status, &row.name, &row.description, &row.handle, &row.country),
            (known.status, &known.name, &known.description, &known.handle, &known.country)
        );
        assert_eq!((row.reason, row.since, row.applied_at), (known.reason.clone(), known.since, known.applied_at));
        assert_eq!(row.search, search_form(known.name.as_str()));
    }
    assert_eq!(row(&[Event::Rejected { reason: reason.clone() }]).reason, Some(reason));
}

#[test]
fn nothing_personal_is_in_a_row() {
    let text = serde_json::to_string(&row(&[])).unwrap();
    assert!(!text.contains("contact") && !text.contains("acc_"), "{text}");
}
