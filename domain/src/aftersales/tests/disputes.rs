//! Rules of disputes over several aggregates: nothing is refunded twice, and a lost dispute is a refund with its credit note.

use super::*;
use crate::commission::{Commission, CommissionTax};
use crate::dispute::{self, Cause, Dispute};
use crate::ids::DisputeId;
use crate::pricing::LineTax;
use crate::product::TaxClass;
use crate::tax_rate::TaxRate;

pub(super) fn claim(amount: i64) -> Claim {
    Claim {
        payment: id(PAYMENT),
        provider: None,
        reference: text("recall 1"),
        cause: Cause::NotReceived,
        amount: cents(amount),
        respond_by: None,
    }
}

pub(super) fn paid(placement: Placement) -> Work {
    let mut work = work_on(placement, true);
    let (order, payment): (OrderId, PaymentId) = (id(ORDER), id(PAYMENT));
    let amount = work.get::<Order>(order).unwrap().live().unwrap().placement.total;
    // Captured by an attempt at the provider, as a payment that is not imported.
    let history = [
        payment::Event::Opened { order, amount },
        payment::Event::Captured { order, amount, method: Method::Test, reference: text("1"), covers: vec![] },
    ];
    work.hold::<Payment>(payment, Arc::new(fold(&history)));
    work.begin::<Dispute>(claim(1).id());
    work
}

/// Staff refunds an amount, and the provider carries it out.
pub(super) fn refunded(work: &mut Work, amount: i64, part: Option<u16>) {
    refund(work, id(PAYMENT), cents(amount), &text("a scratch"), &[], part).unwrap();
    let refund = of_payment(work).pending_refunds().next().unwrap().0;
    let done = payment::Command::RecordRefundOutcome { refund, outcome: payment::RefundOutcome::Done };
    work.decide::<Payment>(id(PAYMENT), &done).unwrap();
}

fn opened(amount: i64) -> Work {
    let mut work = paid(three_lamps());
    open_dispute(&mut work, &claim(amount)).unwrap();
    work
}

fn the_dispute() -> DisputeId {
    claim(1).id()
}

pub(super) fn of_payment(work: &Work) -> payment::Opened {
    work.get::<Payment>(id::<PaymentId>(PAYMENT)).unwrap().live().unwrap().clone()
}

fn lose(work: &mut Work, amount: Option<i64>) -> Result<(), Refused> {
    conclude_dispute(work, the_dispute(), Verdict::Lost { amount: amount.map(cents), fee: None })
}

#[test]
fn a_dispute_after_a_refund_is_about_what_is_left() {
    let mut work = paid(three_lamps());
    refunded(&mut work, 100, None);
    open_dispute(&mut work, &claim(300)).unwrap();
    assert_eq!((of_payment(&work).disputed(), of_payment(&work).refundable()), (cents(200), cents(0)));
    lose(&mut work, None).unwrap();
    // All that is claimed is lost, of which the buyer had some before: the same again is no other outcome.
    lose(&mut work, None).unwrap();
    lose(&mut work, Some(300)).unwrap();
    let shown = work.get::<Dispute>(the_dispute()).unwrap();
    assert_eq!((shown.live().unwrap().lost, shown.live().unwrap().named), (Some(cents(200)), Some(cents(300))));
    let payment = of_payment(&work);
    assert_eq!((payment.refunded, payment.refundable(), payment.disputed()), (cents(300), cents(0), cents(0)));
    // Two documents over all that was paid, and no cent more.
    assert_eq!(credited(work), [(cents(100), None), (cents(200), None)]);
}

#[test]
fn a_loss_waits_for_the_refunds_that_the_provider_has_not_answered() {
    let mut work = paid(three_lamps());
    refund(&mut work, id(PAYMENT), cents(100), &text("a scratch"), &[], None).unwrap();
    open_dispute(&mut work, &claim(300)).unwrap();
    assert!(matches!(lose(&mut work, None), Err(Refused::NotYet(_))));
    // Of what is held nothing is in doubt.
    lose(&mut work, Some(200)).unwrap();
    assert_eq!(of_payment(&work).refundable(), cents(0));
}

#[test]
fn a_loss_of_what_store_credit_was_given_for_is_recorded_whole() {
    use crate::stored_value::Means;
    let mut work = paid(three_lamps());
    let (refund, cause) = (id(9), RefundCause::Staff { reason: text("sorry") });
    let to = Some(Means::StoreCredit { account: id(5) });
    let request = payment::Command::RequestRefund { refund, amount: Some(cents(200)), cause, to };
    work.decide::<Payment>(id(PAYMENT), &request).unwrap();
    open_dispute(&mut work, &claim(300)).unwrap();
    assert_eq!(of_payment(&work).disputed(), cents(100));
    lose(&mut work, None).unwrap();
    let shown = work.get::<Dispute>(the_dispute()).unwrap();
    let known = shown.live().unwrap();
    assert_eq!((known.lost, known.beyond), (Some(cents(300)), Some(cents(200))));
    assert_eq!(of_payment(&work).refunded, cents(100));
}

#[test]
fn a_loss_of_gift_cards_is_recorded_although_staff_could_not_refund_it() {
    let mut cards = three_lamps();
    cards.lines[0].gift_cards = true;
    let mut by_staff = paid(cards.clone());
    let refused = refund(&mut by_staff, id(PAYMENT), cents(200), &text("a scratch"), &[], None).unwrap_err();
    assert_eq!(refused, Refused::from(order::Rejection::TooMuchBesideGiftCards { left: cents(0) }));
    let mut work = paid(cards);
    open_dispute(&mut work, &claim(300)).unwrap();
    lose(&mut work, Some(200)).unwrap();
    assert_eq!(credited(work), [(cents(200), None)]);
}

#[test]
fn what_is_disputed_is_neither_refunded_nor_cancelled_nor_taken_back() {
    let mut work = opened(300);
    let refused = refund(&mut work, id(PAYMENT), cents(1), &text("a scratch"), &[], None).unwrap_err();
    assert_eq!(refused, Refused::from(payment::Rejection::TooMuchRefunded { left: cents(0) }));
    let held = Refused::from(payment::Rejection::Disputed { held: cents(300) });
    assert_eq!(cancel(&mut work, id(ORDER), REASON, true).unwrap_err(), held);
    assert_eq!(cancel_lines(&mut work, id(ORDER), &[lamps(1)], REASON, true, None).unwrap_err(), held);
    conclude_dispute(&mut work, the_dispute(), Verdict::Won).unwrap();
    cancel_lines(&mut work, id(ORDER), &[lamps(1)], REASON, true, None).unwrap();
    assert_eq!(credited(work), [(cents(100), None)]);
}

#[test]
fn a_dispute_has_one_outcome_and_the_same_again_changes_nothing() {
    let mut work = opened(300);
    conclude_dispute(&mut work, the_dispute(), Verdict::Won).unwrap();
    conclude_dispute(&mut work, the_dispute(), Verdict::Won).unwrap();
    let won = Refused::from(dispute::Rejection::Ended { status: dispute::Status::Won });
    assert_eq!(lose(&mut work, None).unwrap_err(), won);
    assert_eq!(open_dispute(&mut work, &claim(300)).unwrap_err(), Refused::from(dispute::Rejection::Exists));
    let mut work = opened(300);
    lose(&mut work, Some(120)).unwrap();
    lose(&mut work, Some(120)).unwrap();
    let (amount, fee) = (cents(120), None);
    let otherwise = Refused::from(dispute::Rejection::LostOtherwise { amount, fee });
    for another in [None, Some(119), Some(300)] {
        assert_eq!(lose(&mut work, another).unwrap_err(), otherwise);
    }
    // Accepting it again changes nothing either.
    accept_dispute(&mut work, the_dispute()).unwrap();
    let lost = Refused::from(dispute::Rejection::Ended { status: dispute::Status::Lost });
    assert_eq!(conclude_dispute(&mut work, the_dispute(), Verdict::Won).unwrap_err(), lost);
    // What was not lost can be refunded.
    assert_eq!(of_payment(&work).refundable(), cents(180));
    assert_eq!(credited(work), [(cents(120), None)]);
}

#[test]
fn an_accepted_dispute_without_a_provider_is_lost() {
    let mut work = opened(300);
    accept_dispute(&mut work, the_dispute()).unwrap();
    accept_dispute(&mut work, the_dispute()).unwrap();
    let shown = work.get::<Dispute>(the_dispute()).unwrap();
    assert_eq!(shown.live().unwrap().status, dispute::Status::Lost);
    assert_eq!(credited(work), [(cents(300), None)]);
}

#[test]
fn an_order_that_is_cancelled_has_its_document_already() {
    let mut work = paid(three_lamps());
    cancel(&mut work, id(ORDER), REASON, true).unwrap();
    // Its refund is not requested yet.
    assert!(matches!(open_dispute(&mut work, &claim(300)), Err(Refused::NotYet(_))));
    let (refund, cause) = (payment::whole(id(PAYMENT)), RefundCause::OrderCancelled);
    let request = payment::Command::RequestRefund { refund, amount: None, cause, to: None };
    work.decide::<Payment>(id(PAYMENT), &request).unwrap();
    open_dispute(&mut work, &claim(300)).unwrap();
    assert_eq!(of_payment(&work).disputed(), cents(0));
    // The provider refuses the refund, as the amount is disputed.
    let refused = payment::Command::RecordRefundOutcome { refund, outcome: payment::RefundOutcome::Refused };
    work.decide::<Payment>(id(PAYMENT), &refused).unwrap();
    assert_eq!(of_payment(&work).disputed(), cents(300));
    lose(&mut work, None).unwrap();
    assert_eq!((of_payment(&work).refunded, of_payment(&work).refundable()), (cents(300), cents(0)));
    assert_eq!(credited(work), [(cents(300), None)]);
}

/// A lamp of the house for 1.00 and two of a seller for 1.00 each, of which the house keeps 10 % and tax on that.
pub(super) fn of_two() -> Placement {
    let rate = TaxRate::new(190_000).unwrap();
    let tax_on_it = CommissionTax { rate, amount: cents(4) };
    let commission = Commission { amount: cents(20), tax: Some(tax_on_it), rule: None };
    let tax = LineTax { class: TaxClass::Standard, rate, included: true, amount: cents(32) };
    let sold = Line { seller: Some(id(71)), commission: Some(commission), tax: Some(tax), ..line(5, 2, 100) };
    Placement { lines: vec![line(VARIANT, 1, 100), sold], ..three_lamps() }
}

/// What the documents take back of the seller, in all.
#[expect(clippy::wildcard_enum_match_arm, reason = "only credit notes are counted")]
pub(super) fn taken(work: Work) -> i64 {
    let events = work.decided().events;
    let notes = events.iter().filter_map(|event| match event {
        AnyEvent::CreditNote(_, crate::credit_note::Event::Issued(content)) => Some(content),
        _ => None,
    });
    notes.flat_map(|note| &note.sellers).map(|share| share.owed().amount).sum()
}

/// The failure of other systems: a dispute beside a refund debits the seller twice.
#[test]
fn a_dispute_beside_a_refund_debits_the_seller_once() {
    let all = 200 - 32 - 24;
    for (part, amount) in [(None, 150), (Some(2), 200), (Some(1), 100), (None, 1)] {
        let mut work = paid(of_two());
        refunded(&mut work, amount, part);
        open_dispute(&mut work, &claim(300)).unwrap();
        let shown = work.get::<Dispute>(the_dispute()).unwrap();
        let withheld: i64 = shown.live().unwrap().opening.shares.iter().map(|share| share.amount.amount).sum();
        let before = work.get::<Order>(id::<OrderId>(ORDER)).unwrap();
        let kept: i64 = before.live().unwrap().kept.shares().iter().map(|share| share.owed().amount).sum();
        // All that is left is disputed, so all that the seller still has is kept back.
        assert_eq!(withheld, kept, "{part:?} {amount}");
        lose(&mut work, None).unwrap();
        assert_eq!(taken(work), all, "{part:?} {amount}");
    }
}

#[test]
fn what_is_withheld_is_what_the_loss_takes() {
    for amount in [1, 7, 150, 299, 300] {
        let mut work = paid(of_two());
        open_dispute(&mut work, &claim(amount)).unwrap();
        let shown = work.get::<Dispute>(the_dispute()).unwrap();
        let withheld: Vec<_> =
            shown.live().unwrap().opening.shares.iter().map(|it| (it.seller, it.amount.amount)).collect();
        lose(&mut work, None).unwrap();
        assert_eq!(lost_by(&work), withheld, "{amount}");
        assert_eq!(withheld, [(id(71), taken(work))], "{amount}");
    }
}

/// What the loss says that it took from each seller.
fn lost_by(work: &Work) -> Vec<(crate::ids::SellerId, i64)> {
    let shown = work.get::<Dispute>(the_dispute()).unwrap();
    shown.live().unwrap().taken.iter().map(|it| (it.seller, it.amount.amount)).collect()
}

#[test]
fn a_loss_says_what_it_took_from_each_seller_whatever_was_withheld() {
    for amount in [1, 7, 150, 299] {
        let mut work = paid(of_two());
        open_dispute(&mut work, &claim(300)).unwrap();
        lose(&mut work, Some(amount)).unwrap();
        let said = lost_by(&work);
        assert_eq!(said, [(id(71), taken(work))], "{amount}");
    }
}
