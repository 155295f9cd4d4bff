//! Rules of fees: what a provider keeps in all is recorded once, and never counts as refunded.

use super::*;

pub(super) fn charged(amount: i64) -> Event {
    Event::FeeCharged { order: id(1), reference: text("pay-1"), amount: cents(amount) }
}

fn keeps(reference: &str, total: i64) -> Command {
    Command::RecordFee { reference: text(reference), total: cents(total) }
}

#[test]
fn a_fee_is_what_the_provider_keeps_in_all() {
    let taken = [opened(), attempted("pay-1"), authorized("pay-1")];
    given::<Payment>(taken.clone()).when(&keeps("pay-1", 99)).then([charged(99)]);
    let known = after(&taken, &[charged(99)]);
    given::<Payment>(known.clone()).when(&keeps("pay-1", 99)).then_nothing();
    given::<Payment>(known.clone()).when(&keeps("pay-1", 80)).then([charged(-19)]);
    let less = after(&known, &[charged(-19)]);
    given::<Payment>(less.clone()).when(&keeps("pay-1", 0)).then([charged(-80)]);
    let it = crate::fold::<Payment>(&less);
    let it = it.live().unwrap();
    assert_eq!((it.fee(), it.fee_of(&text("pay-1")), it.refunded), (cents(80), cents(80), cents(0)));
}

#[test]
fn each_attempt_has_its_own_fee_and_a_strange_one_has_none() {
    let history = [opened(), attempted("pay-1"), declined("pay-1", DeclineReason::BuyerLeft), attempted("pay-2")];
    // An earlier attempt succeeded after all, and was given back.
    given::<Payment>(history.clone()).when(&keeps("pay-1", 99)).then([charged(99)]);
    let both = after(&history, &[charged(99)]);
    let second = Event::FeeCharged { order: id(1), reference: text("pay-2"), amount: cents(99) };
    given::<Payment>(both.clone()).when(&keeps("pay-2", 99)).then([second]);
    let released = after(&both, &[Event::StrayReleased { reference: text("pay-1") }]);
    given::<Payment>(released).when(&keeps("pay-1", 90)).then([charged(-9)]);
    given::<Payment>(history.clone()).when(&keeps("pay-9", 99)).then_nothing();
    given::<Payment>(history.clone()).when(&keeps("pay-1", -1)).then_nothing();
    let dollars = Money { currency: crate::Currency::USD, ..cents(99) };
    let strange = Command::RecordFee { reference: text("pay-1"), total: dollars };
    given::<Payment>(history).when(&strange).then_nothing();
}
