//! Rules of promotions.

use serde_json::{Value, json};

use super::*;
use crate::decider::fold;
use crate::testing::{given, golden, noon, well_said};

/// Terms with these fields beside the least that there must be.
fn terms(fields: &Value) -> Terms {
    let mut json = json!({"label": "Ten off", "benefit": {"kind": "percent", "percent_bps": 1000}});
    json.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(json).unwrap()
}

fn created(terms: Terms) -> Event {
    Event::Created { terms }
}

fn create(terms: Terms) -> Command {
    Command::Create { terms: Box::new(terms) }
}

fn revise(terms: Terms) -> Command {
    Command::Revise { terms: Box::new(terms) }
}

#[test]
fn it_runs_pauses_and_ends_for_good() {
    let plain = || terms(&json!({}));
    let other = || terms(&json!({"priority": 5}));
    given::<Promotion>([]).when(&create(plain())).then([created(plain())]);
    given::<Promotion>([created(plain())]).when(&create(plain())).then_refused(Rejection::Exists);
    given::<Promotion>([created(plain())]).when(&revise(other())).then([Event::Revised { terms: other() }]);
    given::<Promotion>([created(plain())]).when(&revise(plain())).then_nothing();
    given::<Promotion>([created(plain())]).when(&Command::Pause {}).then([Event::Paused {}]);
    given::<Promotion>([created(plain())]).when(&Command::Resume {}).then_nothing();
    given::<Promotion>([created(plain()), Event::Paused {}]).when(&Command::Resume {}).then([Event::Resumed {}]);
    given::<Promotion>([created(plain()), Event::Paused {}]).when(&Command::End {}).then([Event::Ended {}]);
    let over = [created(plain()), Event::Ended {}];
    given::<Promotion>(over.clone()).when(&Command::End {}).then_nothing();
    given::<Promotion>(over.clone()).when(&Command::Resume {}).then_refused(Rejection::Ended);
    given::<Promotion>(over).when(&revise(other())).then_refused(Rejection::Ended);
    given::<Promotion>([]).when(&Command::Pause {}).then_refused(Rejection::Missing);
}

#[test]
fn a_promotion_is_of_the_whole_when_it_looks_at_how_much_or_what_else_is_bought() {
    let product = "prod_00000000000000000000000001";
    let lines = json!({"kind": "products", "products": [product]});
    for (fields, expected) in [
        (json!({}), false),
        (json!({"conditions": {"first_order": true}}), false),
        (json!({"conditions": {"minimum_subtotal": [{"amount": 100, "currency": "EUR"}]}}), true),
        (json!({"conditions": {"minimum_quantity": 2}}), true),
        (json!({"conditions": {"contains": lines}}), true),
    ] {
        assert_eq!(terms(&fields).is_of_whole(), expected, "{fields}");
    }
}

#[test]
fn its_end_lies_ahead_when_it_is_set() {
    let until = |moment: &str| terms(&json!({"until": moment}));
    let past = Rejection::Past;
    let (now, soon) = ("2026-01-01T12:00:00Z", "2026-01-01T12:00:01Z");
    given::<Promotion>([]).when(&create(until(now))).then_refused(past);
    given::<Promotion>([]).when(&create(until(soon))).then([created(until(soon))]);
    given::<Promotion>([created(terms(&json!({})))]).when(&revise(until(now))).then_refused(past);
    // One that is over already is given another name, or more time.
    let renamed = terms(&json!({"until": now, "label": "Was ten off"}));
    given::<Promotion>([created(until(now))]).when(&revise(renamed.clone())).then([Event::Revised { terms: renamed }]);
    given::<Promotion>([created(until(now))]).when(&revise(until(soon))).then([Event::Revised { terms: until(soon) }]);
}

#[test]
fn where_it_stands_depends_on_the_moment() {
    use Standing as S;
    let [before, first, last, after] = [-1, 0, 59, 60].map(|seconds| noon() + chrono::TimeDelta::seconds(seconds));
    let period = terms(&json!({"from": "2026-01-01T12:00:00Z", "until": "2026-01-01T12:01:00Z"}));
    let stands = |events: &[Event]| {
        let history = [vec![created(period.clone())], events.to_vec()].concat();
        let promotion: Promotion = fold(&history);
        [before, first, last, after].map(|at| promotion.live().unwrap().standing(at))
    };
    assert_eq!(stands(&[]), [S::Scheduled, S::Active, S::Active, S::Over]);
    assert_eq!(stands(&[Event::Paused {}]), [S::Paused, S::Paused, S::Paused, S::Over]);
    assert_eq!(stands(&[Event::Ended {}]), [S::Ended; 4]);
    let always: Promotion = fold(&[created(terms(&json!({})))]);
    assert_eq!(always.live().unwrap().standing(after), S::Active);
}

#[test]
fn its_code_stays() {
    let coded = |code: &str| terms(&json!({"code": code}));
    given::<Promotion>([created(coded("ABC"))]).when(&revise(coded("abd"))).then_refused(Rejection::CodeStays);
    given::<Promotion>([created(coded("ABC"))]).when(&revise(terms(&json!({})))).then_refused(Rejection::CodeStays);
    given::<Promotion>([created(coded("ABC"))]).when(&revise(coded("abc"))).then_nothing();
}

#[test]
fn terms_that_make_no_sense_are_refused() {
    let euro = |amount: i64| json!({"amount": amount, "currency": "EUR"});
    for (fields, error) in [
        (json!({"benefit": {"kind": "percent", "percent_bps": 0}}), Rejection::GivesNothing),
        (json!({"benefit": {"kind": "fixed", "amounts": []}}), Rejection::GivesNothing),
        (json!({"benefit": {"kind": "fixed", "amounts": [euro(1), euro(2)]}}), Rejection::Twice),
        (json!({"benefit": {"kind": "by_quantity", "tiers": []}}), Rejection::GivesNothing),
        (
            json!({"benefit": {"kind": "by_subtotal", "tiers": [
                {"from": euro(1), "percent_bps": 1}, {"from": euro(1), "percent_bps": 2}
            ]}}),
            Rejection::Twice,
        ),
        (json!({"target": {"kind": "products", "products": []}}), Rejection::List),
        (json!({"from": "2026-01-02T00:00:00Z", "until": "2026-01-02T00:00:00Z"}), Rejection::Period),
        (json!({"limits": {"total": 0}}), Rejection::Limit),
        (json!({"conditions": {"countries": ["Germany"]}}), Rejection::Country),
    ] {
        given::<Promotion>([]).when(&create(terms(&fields))).then_refused(error);
    }
}

#[test]
fn unknown_fields_and_absurd_numbers_are_no_terms() {
    for fields in [
        json!({"colour": "red"}),
        json!({"benefit": {"kind": "percent", "percent_bps": 10_001}}),
        json!({"benefit": {"kind": "percent", "percent_bps": 100, "off": 1}}),
        json!({"benefit": {"kind": "fixed", "amounts": [{"amount": -1, "currency": "EUR"}]}}),
        json!({"benefit": {"kind": "give_away"}}),
        json!({"target": {"kind": "order", "products": []}}),
        json!({"limits": {"total": -1}}),
        json!({"code": "a b"}),
    ] {
        let mut all = json!({"label": "Ten off", "benefit": {"kind": "percent", "percent_bps": 1000}});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert!(serde_json::from_value::<Terms>(all).is_err(), "{fields}");
    }
}

#[test]
fn a_promotion_of_a_seller_has_a_code_and_keeps_its_seller() {
    let of = |number: u128, fields: Value| {
        let seller: crate::ids::SellerId = crate::testing::id(number);
        let mut all = json!({"code": "KETTLES", "seller": seller});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        terms(&all)
    };
    given::<Promotion>([]).when(&create(of(1, json!({})))).then([created(of(1, json!({})))]);
    let bare = Terms { code: None, ..of(1, json!({})) };
    given::<Promotion>([]).when(&create(bare)).then_refused(Rejection::CodeNeeded);
    let shipping = of(1, json!({"benefit": {"kind": "free_shipping"}}));
    given::<Promotion>([]).when(&create(shipping)).then_refused(Rejection::ShippingOfSeller);
    let made = created(of(1, json!({})));
    given::<Promotion>([made.clone()]).when(&revise(of(2, json!({})))).then_refused(Rejection::SellerStays);
    let of_all = Terms { seller: None, ..of(1, json!({})) };
    given::<Promotion>([made]).when(&revise(of_all)).then_refused(Rejection::SellerStays);
}

#[test]
fn every_stored_form_is_golden() {
    let full = terms(&json!({
        "code": "KNIVES-10",
        "benefit": {"kind": "buy_get", "buy": 2, "get": 1, "percent_bps": 10_000, "times": 3,
            "of": {"kind": "variants", "variants": ["var_00000000000000000000000004"]}},
        "target": {"kind": "categories", "categories": ["cat_00000000000000000000000002"]},
        "conditions": {
            "minimum_subtotal": [{"amount": 5000, "currency": "EUR"}], "minimum_quantity": 2,
            "contains": {"kind": "products", "products": ["prod_00000000000000000000000003"]}, "first_order": true,
            "customers": ["acc_00000000000000000000000005"], "countries": ["DE"], "currencies": ["EUR"]
        },
        "limits": {"total": 100, "per_customer": 1}, "priority": 5, "exclusive": true, "combinable": true,
        "from": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z"
    }));
    let euro = |amount: i64| json!({"amount": amount, "currency": "EUR"});
    let of = |benefit: Value| created(terms(&json!({"benefit": benefit})));
    let of_seller = terms(&json!({"code": "KETTLES", "seller": "sel_00000000000000000000000007"}));
    golden(
        include_str!("golden.json"),
        &[
            created(full),
            created(of_seller),
            of(json!({"kind": "fixed", "amounts": [euro(500)]})),
            of(json!({"kind": "free_shipping"})),
            of(json!({"kind": "free_shipping", "services": ["parcel"]})),
            of(json!({"kind": "by_subtotal", "tiers": [{"from": euro(5_000), "percent_bps": 500}]})),
            of(json!({"kind": "by_quantity", "tiers": [{"from": 10, "percent_bps": 500}]})),
            Event::Revised { terms: terms(&json!({})) },
            Event::Paused {},
            Event::Resumed {},
            Event::Ended {},
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[
        R::Missing,
        R::Exists,
        R::Ended,
        R::CodeStays,
        R::CodeNeeded,
        R::SellerStays,
        R::ShippingOfSeller,
        R::GivesNothing,
        R::Twice,
        R::List,
        R::Period,
        R::Past,
        R::Limit,
        R::Country,
    ]);
}
