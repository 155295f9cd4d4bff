//! Folds of payout_list.

use byteshop_domain::ids::Id;
use byteshop_domain::payout_account::Destination;
use byteshop_domain::{Currency, Personal, Subject};
use uuid::Uuid;

use super::*;
use crate::testing::{event, noon, rows, text};

fn id<I: Id>(number: u128) -> I {
    I::from_uuid(Uuid::from_u128(number))
}

#[test]
fn a_row_says_how_far_a_payout_is_as_the_payout_itself_does() {
    let (seller, amount, means) = (id(1), Money::new(5_000, Currency::EUR), Means::Sepa);
    let destination = Personal::<Destination>::new(Subject(Uuid::nil()), "AA");
    let requested = Event::Requested { seller, amount, means, destination, at: noon() };
    let exported = Event::Exported { file: id(3) };
    let submitted = Event::Submitted { batch: text("B"), check_at: noon() };
    let paid = Event::Paid { seller, amount, means, reference: Some(text("T-1")) };
    let because = Some(text("closed"));
    let reference = Some(text("st 44/9"));
    let (refused, sent_back) = (Failure::Refused, Failure::SentBack);
    let (again, why) = (reference.clone(), because.clone());
    let failed = Event::Failed { seller, amount, means, failure: refused, reference: again, because: why };
    let returned = Event::Returned { seller, amount, means, failure: sent_back, reference, because };
    for history in [
        vec![requested.clone()],
        vec![requested.clone(), exported.clone()],
        vec![requested.clone(), submitted, Event::Waited { check_at: noon() }, Event::Unresolved {}],
        vec![requested.clone(), exported.clone(), failed],
        vec![requested.clone(), exported.clone(), paid.clone()],
        vec![requested, exported, paid, returned],
    ] {
        let row = rows::<PayoutList>(history.iter().map(|it| event::<Payout>(7, it)).collect());
        let row = row.into_values().next().unwrap();
        let it: Payout = byteshop_domain::fold(&history);
        let it = it.live().unwrap();
        assert_eq!((row.status, row.file, &row.reference), (it.status, it.file, &it.reference));
        assert_eq!(row.return_reference, it.return_reference);
        assert_eq!((row.failure, &row.reason, row.seller), (it.failure, &it.because, it.seller));
        assert_eq!((row.amount, row.means, row.requested_at), (it.amount, it.means, it.requested_at));
    }
}
