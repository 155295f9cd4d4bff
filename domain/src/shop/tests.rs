//! Rules of what operators do to the whole shop.

use super::*;
use crate::testing::{given, golden, id, text, well_said};

const KID: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

fn acts() -> [(Command, Event); 4] {
    let data_key = || text::<Reference>("3f9a0c51d2e84b67");
    [
        (Command::Confirm {}, Event::Confirmed {}),
        (Command::RotateDataKey { key: data_key() }, Event::DataKeyRotated { key: data_key() }),
        (Command::RotateTokenKey { key: text(KID) }, Event::TokenKeyRotated { key: text(KID) }),
        (Command::PruneTokenKeys { count: 2 }, Event::TokenKeysPruned { count: 2 }),
    ]
}

#[test]
fn what_an_operator_does_is_recorded_each_time() {
    let operator = || Actor::Operator { name: "alice".to_owned() };
    for (command, event) in acts() {
        given::<Shop>([]).by(operator()).when(&command).then([event.clone()]);
        given::<Shop>([event.clone()]).by(operator()).when(&command).then([event]);
    }
}

#[test]
fn only_an_operator_does_it() {
    for actor in [Actor::Admin { id: id(7) }, Actor::System { name: "seed".to_owned() }] {
        for (command, _) in acts() {
            given::<Shop>([]).by(actor.clone()).when(&command).then_refused(Rejection::NoOperator);
        }
    }
}

#[test]
fn the_names_of_the_last_keys_are_known() {
    let shop = acts().iter().fold(Shop::default(), |shop, (_, event)| shop.evolve(event));
    assert_eq!(shop, Shop { data_key: Some(text("3f9a0c51d2e84b67")), token_key: Some(text(KID)) });
}

#[test]
fn every_stored_form_is_golden() {
    golden(include_str!("golden.json"), &acts().map(|(_, event)| event));
}

#[test]
fn rejections_are_well_said() {
    well_said(&[Rejection::NoOperator]);
}
