//! Folds of dispute_list.

use byteshop_domain::ids::Id;
use byteshop_domain::{Currency, Personal, Subject};
use uuid::Uuid;

use super::*;
use crate::testing::{event, noon, rows, text};

fn id<I: Id>(number: u128) -> I {
    I::from_uuid(Uuid::from_u128(number))
}

#[test]
fn a_row_says_how_far_a_dispute_is_as_the_dispute_itself_does() {
    let amount = Money::new(5_000, Currency::EUR);
    let content = Box::new(Opening {
        payment: id(1),
        order: id(2),
        provider: None,
        reference: text("bank 7"),
        cause: Cause::NotReceived,
        amount,
        held: amount,
        shares: vec![Share { seller: id(3), amount }],
        respond_by: Some(noon()),
    });
    let opened = Event::Opened { content, at: noon() };
    let evidence =
        Event::EvidenceSubmitted { text: Some(Personal::new(Subject(Uuid::nil()), "AA")), file: None, at: noon() };
    let reminded = Event::Reminded { order: id(2), sellers: vec![], respond_by: noon() };
    let lost = Event::Lost {
        order: id(2),
        sellers: vec![id(3)],
        amount,
        named: None,
        shares: vec![Share { seller: id(3), amount: Money::new(4_000, Currency::EUR) }],
        beyond: None,
        fee: Some(amount),
        by_hand: true,
        credit_note: Some(id(4)),
    };
    for history in [
        vec![opened.clone()],
        vec![opened.clone(), reminded, evidence.clone(), Event::EvidenceSent { count: 1 }],
        vec![opened.clone(), Event::Waited { check_at: noon() }],
        vec![opened.clone(), evidence, Event::Won { order: id(2), sellers: vec![] }],
        vec![opened.clone(), Event::Accepted {}, lost.clone()],
        vec![opened, lost, Event::FeeCorrected { order: id(2), fee: None, difference: amount, by_hand: true }],
    ] {
        let row = rows::<DisputeList>(history.iter().map(|it| event::<Dispute>(7, it)).collect());
        let row = row.into_values().next().unwrap();
        let it: Dispute = byteshop_domain::fold(&history);
        let it = it.live().unwrap();
        assert_eq!((row.status, row.lost, row.fee, row.credit_note), (it.status, it.lost, it.fee, it.credit_note));
        assert_eq!((row.payment, row.order, row.cause), (it.opening.payment, it.opening.order, it.opening.cause));
        assert_eq!((row.respond_by, row.opened_at), (it.opening.respond_by, it.opened_at));
        let shares = it.opening.shares.iter().map(|share| RowShare::from(share).lost(&it.taken)).collect::<Vec<_>>();
        assert_eq!(row.shares, shares);
        let lost = it.lost.map(|_| Money::new(4_000, Currency::EUR));
        assert_eq!((row.shares[0].amount, row.shares[0].lost), (amount, lost));
    }
}
