//! Rules of categories.

use super::*;
use crate::Locale;
use crate::testing::{given, golden, id, text, well_said};

fn created() -> Event {
    Event::Created { name: text("Knives"), slug: text("knives"), parent: Some(id(1)) }
}

fn create() -> Command {
    Command::Create { name: text("Knives"), slug: text("knives"), parent: Some(id(1)) }
}

fn put_under(parent: Option<u128>, ancestors: &[u128]) -> Command {
    let ancestors = ancestors.iter().map(|number| id(*number)).collect();
    Command::Move { category: id(7), parent: parent.map(id), ancestors, below: 0 }
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
    for command in [Command::Rename { name: text("a") }, put_under(None, &[]), Command::Archive { children: 0 }] {
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
    // What is below it comes along.
    let with = |below: usize, above: &[u128]| Command::Move {
        category: id(7),
        parent: Some(id(2)),
        ancestors: above.iter().map(|number| id(*number)).collect(),
        below,
    };
    given::<Category>([created()]).when(&with(1, &above[1..])).then_refused(Rejection::TooDeep);
    given::<Category>([created()]).when(&with(DEPTH_MAX - 1, &[])).then_refused(Rejection::TooDeep);
    given::<Category>([created()]).when(&with(DEPTH_MAX - 2, &[])).then([Event::Moved { parent: Some(id(2)) }]);
}

#[test]
fn an_archived_one_stays_as_it_is() {
    let history = [created(), Event::Archived {}];
    given::<Category>(history.clone()).when(&Command::Archive { children: 2 }).then_nothing();
    given::<Category>(history.clone()).when(&Command::Rename { name: text("a") }).then_refused(Rejection::Archived);
    given::<Category>(history).when(&put_under(None, &[])).then_refused(Rejection::Archived);
}

#[test]
fn it_is_not_archived_over_what_is_under_it() {
    let refused = Rejection::HasChildren { children: 2 };
    given::<Category>([created()]).when(&Command::Archive { children: 2 }).then_refused(refused);
    given::<Category>([created()]).when(&Command::Archive { children: 0 }).then([Event::Archived {}]);
    given::<Category>([]).when(&Command::Archive { children: 0 }).then_refused(Rejection::Missing);
}

fn attribute(name: &str, r#type: AttributeType) -> AttributeDefinition {
    let values = match r#type {
        AttributeType::Choice => vec![text("oak"), text("ash")],
        AttributeType::Text | AttributeType::Number | AttributeType::Boolean => vec![],
    };
    let labels = [(Locale::En, text("Name")), (Locale::Ru, text("Имя"))].into();
    let name = text(name);
    AttributeDefinition { name, r#type, values: values.into(), unit: None, required: false, filterable: false, labels }
}

fn material() -> AttributeDefinition {
    AttributeDefinition { required: true, filterable: true, ..attribute("material", AttributeType::Choice) }
}

fn length() -> AttributeDefinition {
    AttributeDefinition { unit: Some(text("mm")), labels: [].into(), ..attribute("length", AttributeType::Number) }
}

fn declare(attributes: Vec<AttributeDefinition>) -> Command {
    Command::DeclareAttributes { attributes }
}

#[test]
fn it_declares_attributes_that_make_sense() {
    let declared = Event::AttributesDeclared { attributes: vec![material(), length()] };
    let command = declare(vec![material(), length()]);
    given::<Category>([created()]).when(&command).then([declared.clone()]);
    given::<Category>([created(), declared]).when(&command).then_nothing();
    let twice = declare(vec![material(), material()]);
    given::<Category>([created()]).when(&twice).then_refused(Rejection::AttributeTwice { at: 1 });
    let none = AttributeDefinition { values: [].into(), ..material() };
    let same = AttributeDefinition { values: [text("oak"), text("oak")].into(), ..material() };
    let any = AttributeDefinition { values: [text("oak")].into(), ..length() };
    for bad in [none, same, any] {
        given::<Category>([created()]).when(&declare(vec![bad])).then_refused(Rejection::AttributeValues { at: 0 });
    }
    let many = (0..=DEFINITIONS_MAX).map(|number| attribute(&format!("a{number}"), AttributeType::Text));
    let many: Vec<_> = many.collect();
    let most = many[1..].to_vec();
    given::<Category>([created()]).when(&declare(many)).then_refused(Rejection::TooManyAttributes);
    given::<Category>([created()]).when(&declare(most.clone())).then([Event::AttributesDeclared { attributes: most }]);
    given::<Category>([created(), Event::Archived {}]).when(&declare(vec![])).then_refused(Rejection::Archived);
}

#[test]
fn the_nearest_definition_of_a_name_counts() {
    let [near, far] = [AttributeType::Number, AttributeType::Text].map(|it| attribute("size", it));
    let (own, above) = ([near.clone()], [far, material()]);
    let found = effective([&own[..], &above[..]]);
    assert_eq!(found, [&near, &material()]);
}

#[test]
fn it_takes_a_place_among_others() {
    let ranked = Event::Ranked { rank: 3 };
    given::<Category>([created()]).when(&Command::Rank { rank: 3 }).then([ranked.clone()]);
    given::<Category>([created(), ranked]).when(&Command::Rank { rank: 3 }).then_nothing();
    given::<Category>([]).when(&Command::Rank { rank: 0 }).then_refused(Rejection::Missing);
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
            Event::Ranked { rank: 3 },
            Event::AttributesDeclared { attributes: vec![material(), length()] },
            Event::AttributesDeclared { attributes: vec![] },
            Event::Archived {},
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[
        R::Missing,
        R::Exists,
        R::Archived,
        R::HasChildren { children: 1 },
        R::HasChildren { children: 2 },
        R::BranchTooLarge,
        R::Cycle,
        R::TooDeep,
        R::TooManyAttributes,
        R::AttributeTwice { at: 1 },
        R::AttributeValues { at: 1 },
    ]);
}
