//! Rules of categories.

use super::*;
use crate::testing::{given, golden, id, text, well_said};

fn created() -> Event {
    Event::Created { name: text("Knives"), slug: text("knives"), parent: Some(id(1)) }
}

fn create() -> Command {
    Command::Create { name: text("Knives"), slug: text("knives"), parent: Some(id(1)) }
}

fn put_under(parent: Option<u128>, ancestors: &[u128]) -> Command {
    let ancestors = ancestors.iter().map(|number| id(*number)).collect();
    Command::Move { category: id(7), parent: parent.map(id), ancestors }
}

#[test]
fn it_is_created_once() {
    given::<Category>([]).when(&create()).then([created()]);
    given::<Category>([created()]).when(&create()).then_nothing();
    let other = Command::Create { name: text("Forks"), slug: text("forks"), parent: None };
    given::<Category>([created()]).when(&other).then_refused(Rejection::Exists);
}

#[test]
fn what_does_not_exist_is_not_changed() {
    for command in [Command::Rename { name: text("a") }, put_under(None, &[]), Command::Archive {}] {
        given::<Category>([]).when(&command).then_refused(Rejection::Missing);
    }
}

#[test]
fn it_is_renamed_and_the_same_name_again_is_nothing() {
    let renamed = Event::Renamed { name: text("Blades") };
    given::<Category>([created()]).when(&Command::Rename { name: text("Blades") }).then([renamed.clone()]);
    given::<Category>([created(), renamed]).when(&Command::Rename { name: text("Blades") }).then_nothing();
}

#[test]
fn it_moves_under_another_and_to_the_root() {
    given::<Category>([created()]).when(&put_under(Some(2), &[3])).then([Event::Moved { parent: Some(id(2)) }]);
    given::<Category>([created()]).when(&put_under(None, &[])).then([Event::Moved { parent: None }]);
    given::<Category>([created()]).when(&put_under(Some(1), &[])).then_nothing();
}

#[test]
fn it_cannot_be_under_itself() {
    given::<Category>([created()]).when(&put_under(Some(7), &[])).then_refused(Rejection::Cycle);
    given::<Category>([created()]).when(&put_under(Some(8), &[9, 7])).then_refused(Rejection::Cycle);
}

#[test]
fn the_tree_is_not_bottomless() {
    let above: Vec<u128> = (10..).take(DEPTH_MAX - 1).collect();
    given::<Category>([created()]).when(&put_under(Some(2), &above)).then_refused(Rejection::TooDeep);
    given::<Category>([created()]).when(&put_under(Some(2), &above[1..])).then([Event::Moved { parent: Some(id(2)) }]);
}

#[test]
fn an_archived_one_stays_as_it_is() {
    let history = [created(), Event::Archived {}];
    given::<Category>(history.clone()).when(&Command::Archive {}).then_nothing();
    given::<Category>(history.clone()).when(&Command::Rename { name: text("a") }).then_refused(Rejection::Archived);
    given::<Category>(history).when(&put_under(None, &[])).then_refused(Rejection::Archived);
}

#[test]
fn every_stored_form_is_golden() {
    golden(
        include_str!("golden.json"),
        &[
            created(),
            Event::Created { name: text("Kitchen"), slug: text("kitchen"), parent: None },
            Event::Renamed { name: text("Blades") },
            Event::Moved { parent: Some(id(2)) },
            Event::Moved { parent: None },
            Event::Archived {},
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[R::Missing, R::Exists, R::Archived, R::Cycle, R::TooDeep]);
}
