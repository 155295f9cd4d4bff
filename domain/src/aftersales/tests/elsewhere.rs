//! Rules of refunds that a provider made by itself: credited once, taken from sellers once, and not in addition to anything else.

use super::disputes::{claim, of_payment, of_two, paid, refunded, taken};
use super::*;
use crate::payment::GivenBack;
use crate::payment_provider::Provider;

fn back(reference: &str, amount: i64) -> GivenBack {
    GivenBack { reference: text(reference), refund: None, amount: cents(amount), fee_back: cents(0) }
}

fn look(work: &mut Work, given_back: &[GivenBack]) -> Result<bool, Refused> {
    record_made_elsewhere(work, id(PAYMENT), Provider::Paypal, given_back)
}

#[test]
fn what_the_provider_gave_back_has_a_credit_note_and_looking_again_changes_nothing() {
    let mut work = paid(three_lamps());
    let all = [back("R1", 120), back("R2", 180)];
    assert!(look(&mut work, &all[..1]).unwrap());
    assert!(!look(&mut work, &all[..1]).unwrap());
    assert_eq!(of_payment(&work).refundable(), cents(180));
    assert!(look(&mut work, &all).unwrap());
    assert!(!look(&mut work, &all).unwrap());
    assert_eq!((of_payment(&work).refunded, of_payment(&work).refundable()), (cents(300), cents(0)));
    let reasons = [cents(120), cents(180)].map(|total| (total, None));
    assert_eq!(credited(work), reasons);
}

#[test]
fn nothing_is_recorded_while_something_else_may_explain_it() {
    let mut work = paid(three_lamps());
    open_dispute(&mut work, &claim(100)).unwrap();
    assert!(matches!(look(&mut work, &[back("R1", 100)]), Err(Refused::NotYet(_))));
    let lost = Verdict::Lost { amount: None, fee: None };
    conclude_dispute(&mut work, claim(1).id(), lost).unwrap();
    assert!(!look(&mut work, &[back("R1", 100)]).unwrap());
    refund(&mut work, id(PAYMENT), cents(50), &text("a scratch"), &[], None).unwrap();
    assert!(matches!(look(&mut work, &[back("R1", 100), back("R2", 50)]), Err(Refused::NotYet(_))));
    assert_eq!(of_payment(&work).refunded, cents(100));
}

#[test]
fn a_refund_that_the_provider_refused_as_it_had_made_one_itself_has_its_document_already() {
    let mut work = paid(three_lamps());
    refund(&mut work, id(PAYMENT), cents(300), &text("a scratch"), &[], None).unwrap();
    let refund = of_payment(&work).pending_refunds().next().unwrap().0;
    let refused = payment::Command::RecordRefundOutcome { refund, outcome: payment::RefundOutcome::Refused };
    work.decide::<Payment>(id(PAYMENT), &refused).unwrap();
    assert!(look(&mut work, &[back("R1", 300)]).unwrap());
    assert_eq!((of_payment(&work).refunded, of_payment(&work).refundable()), (cents(300), cents(0)));
    assert_eq!(credited(work), [(cents(300), None)]);
}

#[test]
fn no_more_is_recorded_than_is_left() {
    use crate::stored_value::Means;
    let mut work = paid(three_lamps());
    let (refund, cause) = (id(9), RefundCause::Staff { reason: text("sorry") });
    let to = Some(Means::StoreCredit { account: id(5) });
    let request = payment::Command::RequestRefund { refund, amount: Some(cents(200)), cause, to };
    work.decide::<Payment>(id(PAYMENT), &request).unwrap();
    look(&mut work, &[back("R1", 300)]).unwrap();
    assert_eq!((of_payment(&work).refunded, of_payment(&work).refundable()), (cents(100), cents(0)));
}

#[test]
fn the_seller_is_debited_once() {
    let all = 200 - 32 - 24;
    for (part, amount) in [(None, 150), (Some(2), 200), (Some(1), 100), (None, 1)] {
        let mut work = paid(of_two());
        refunded(&mut work, amount, part);
        look(&mut work, &[back("R1", 300 - amount)]).unwrap();
        assert_eq!(taken(work), all, "{part:?} {amount}");
    }
}
