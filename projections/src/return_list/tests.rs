//! Folds of return_list.

use byteshop_domain::ids::{Id, VariantId};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::returns::{Condition, Received};
use byteshop_domain::{Currency, Personal, Subject};
use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::testing::{event, noon, rows, text};

fn id<I: Id>(number: u128) -> I {
    I::from_uuid(Uuid::from_u128(number))
}

fn fold(events: &[Event]) -> Row {
    let rows = rows::<ReturnList>(events.iter().map(|it| event::<Return>(7, it)).collect());
    rows.into_values().next().unwrap()
}

fn order() -> OrderId {
    id(1)
}

fn requested() -> Event {
    let line = |variant, quantity| Demand { variant: id(variant), quantity: Quantity::new(quantity).unwrap() };
    Event::Requested { order: order(), lines: vec![line(4, 2), line(5, 1)], why: Why::Damaged, comment: None }
}

fn received(refund: Option<RefundId>) -> Event {
    let variant: VariantId = id(4);
    let came = Received { variant, quantity: Quantity::ONE, condition: Condition::Used, restock: true };
    let amount = Money::new(500, Currency::EUR);
    Event::Received { order: order(), lines: vec![came], amount, refund, credit_note: id(6) }
}

#[test]
fn a_row_says_how_far_a_return_is_as_the_return_itself_does() {
    let approved = Event::Approved { order: order() };
    let rejected = Event::Rejected { order: order(), reason: text("worn") };
    let withdrawn = Event::Withdrawn { order: order() };
    let back = |refund| Event::Refunded { order: order(), refund: id(refund) };
    let here = [requested(), approved.clone(), received(Some(id(8)))];
    let histories = [
        vec![requested()],
        vec![requested(), approved.clone()],
        vec![requested(), rejected],
        vec![requested(), withdrawn.clone()],
        vec![requested(), approved.clone(), withdrawn],
        vec![requested(), approved, received(None)],
        here.to_vec(),
        [&here[..], &[back(8)]].concat(),
        // At the second try.
        [&here[..], &[back(9)]].concat(),
    ];
    for history in &histories {
        let row = fold(history);
        let it: Return = byteshop_domain::fold(history);
        let it = it.live().unwrap();
        let arrival = it.progress.arrival();
        assert_eq!(
            (row.status, row.order, &row.lines, row.reason),
            (it.progress.stage(), it.order, &it.lines, it.why),
            "{history:?}"
        );
        assert_eq!(
            (row.amount, row.refund, row.credit_note),
            (arrival.map(|it| it.amount), arrival.and_then(|it| it.refund), arrival.map(|it| it.credit_note)),
            "{history:?}"
        );
        let last = i64::try_from(history.len()).unwrap();
        assert_eq!(row.quantity, 3);
        assert_eq!(row.requested_at, noon() + TimeDelta::seconds(1));
        assert_eq!(row.changed_at, noon() + TimeDelta::seconds(last));
    }
}

#[test]
fn a_row_is_written_like_this_and_without_what_the_buyer_says() {
    let comment = Some(Personal::new(Subject(Uuid::from_u128(2)), "b3VjaA"));
    let Event::Requested { order, lines, why, .. } = requested() else { unreachable!() };
    let row = fold(&[Event::Requested { order, lines, why, comment }, received(Some(id(8)))]);
    assert_eq!(
        serde_json::to_string(&row).unwrap(),
        concat!(
            r#"{"id":"ret_00000000000000000000000007","order":"ord_00000000000000000000000001","status":"received","#,
            r#""lines":[{"variant":"var_00000000000000000000000004","quantity":2},"#,
            r#"{"variant":"var_00000000000000000000000005","quantity":1}],"reason":"damaged","quantity":3,"#,
            r#""amount":{"amount":500,"currency":"EUR"},"refund":"rfd_00000000000000000000000008","#,
            r#""credit_note":"crn_00000000000000000000000006","#,
            r#""requested_at":"2026-01-01T12:00:01.000000Z","changed_at":"2026-01-01T12:00:02.000000Z"}"#
        )
    );
}
