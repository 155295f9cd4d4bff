//! Rules of the commission book.

use chrono::NaiveDate;

use super::*;
use crate::Currency;
use crate::fold;
use crate::ids::{CategoryId, ProductId, SellerId};
use crate::money::{Money, Price};
use crate::testing::{cents, given, golden, id, noon, pieces, price, text, well_said};

fn rule(name: &str) -> Rule {
    Rule {
        rule: text(name),
        seller: None,
        category: None,
        product: None,
        bands: [].into(),
        rate_ppm: 100_000,
        fixed: [].into(),
        minimum: [].into(),
        maximum: [].into(),
        valid_from: None,
        valid_until: None,
    }
}

fn band(from: i64, below: Option<i64>) -> PriceBand {
    PriceBand { from: price(from), below: below.map(price) }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn seller() -> SellerId {
    id(71)
}

/// Lamps are below lights, and lights below goods.
fn categories() -> [CategoryId; 3] {
    [id(3), id(2), id(1)]
}

/// So many lamps at this price without tax.
fn sold(categories: &[CategoryId], number: i64, amount: i64) -> Sold<'_> {
    Sold {
        seller: seller(),
        product: id(9),
        categories,
        unit_price: price(amount),
        quantity: pieces(number),
        net: cents(amount * number),
        at: noon(),
    }
}

fn set(rules: impl Into<Vec<Rule>>) -> Command {
    Command::Set { rules: rules.into(), tax_ppm: None }
}

fn book(rules: impl IntoIterator<Item = Rule>) -> CommissionBook {
    fold(&rules.into_iter().map(Event::RuleSet).collect::<Vec<_>>())
}

/// The name of the rule that applies to a lamp for 10.00.
fn applied(rules: &[Rule]) -> Option<String> {
    let (book, categories) = (book(rules.iter().cloned()), categories());
    book.rule(&sold(&categories, 1, 1_000)).map(|known| known.rule.rule.to_string())
}

/// The commission on lamps, its tax, and the version of the rule.
fn charged(book: &CommissionBook, number: i64, amount: i64) -> (i64, Option<i64>, Option<i64>) {
    let Commission { amount, tax, rule } = book.on(&sold(&categories(), number, amount)).unwrap();
    (amount.amount, tax.map(|tax| tax.amount.amount), rule.map(|rule| rule.version))
}

#[test]
fn the_book_holds_what_it_is_told_and_nothing_else() {
    let history = [Event::RuleSet(rule("all"))];
    given::<CommissionBook>([]).when(&set([rule("all")])).then(history.clone());
    given::<CommissionBook>(history.clone()).when(&set([rule("all")])).then_nothing();
    let gone = Event::RuleRemoved { rule: text("all") };
    given::<CommissionBook>(history.clone())
        .when(&set([rule("other")]))
        .then([gone.clone(), Event::RuleSet(rule("other"))]);
    given::<CommissionBook>(history.clone()).when(&set([])).then([gone.clone()]);
    let taxed = |tax_ppm| Command::Set { rules: vec![rule("all")], tax_ppm: Some(tax_ppm) };
    given::<CommissionBook>(history.clone()).when(&taxed(190_000)).then([Event::TaxSet { tax_ppm: 190_000 }]);
    given::<CommissionBook>(history.clone()).when(&taxed(0)).then_nothing();
    // A rule that changes keeps its age, and one that is removed and set again does not.
    let changed = Event::RuleSet(Rule { rate_ppm: 5, ..rule("all") });
    let ages = |more: &[Event]| -> Vec<(i64, i64)> {
        let book: CommissionBook = fold(&[&history[..], more].concat());
        book.rules.values().map(|known| (known.since, known.version)).collect()
    };
    assert_eq!(ages(std::slice::from_ref(&changed)), [(1, 2)]);
    assert_eq!(ages(&[gone, changed]), [(3, 3)]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |rules: Vec<Rule>, rejection| {
        given::<CommissionBook>([]).when(&set(rules)).then_refused(rejection);
    };
    refused(vec![rule("a"), rule("a")], Rejection::RuleTwice { at: 1 });
    refused(vec![rule("a"), Rule { rate_ppm: 1_000_001, ..rule("b") }], Rejection::NoRate { at: 1 });
    let pounds = Price::new(Money { amount: 9_000, currency: Currency::GBP }).unwrap();
    for bands in [
        vec![band(500, Some(500))],
        vec![band(1, None), band(500, None)],
        vec![PriceBand { from: price(1), below: Some(pounds) }],
    ] {
        refused(vec![Rule { bands: bands.into(), ..rule("a") }], Rejection::NoBand { at: 0 });
    }
    let twice = Rule { fixed: [price(1), pounds, price(2)].into(), ..rule("a") };
    refused(vec![twice], Rejection::AmountTwice { at: 0, field: "fixed" });
    let twice = Rule { maximum: [price(1), price(2)].into(), ..rule("a") };
    refused(vec![twice], Rejection::AmountTwice { at: 0, field: "maximum" });
    let (minimum, maximum) = ([price(2)].into(), [pounds, price(1)].into());
    refused(vec![Rule { minimum, maximum, ..rule("a") }], Rejection::NoRange { at: 0 });
    let (valid_from, valid_until) = (Some(day("2026-01-02")), Some(day("2026-01-01")));
    refused(vec![Rule { valid_from, valid_until, ..rule("a") }], Rejection::NoPeriod { at: 0 });
    let named = |number: usize| rule(&format!("r{number}"));
    refused((0..=RULES_MAX).map(named).collect(), Rejection::TooMany);
    refused(vec![Rule { fixed: vec![price(1); AMOUNTS_MAX + 1].into(), ..rule("a") }], Rejection::TooMany);
    let taxed = Command::Set { rules: vec![], tax_ppm: Some(1_000_001) };
    given::<CommissionBook>([]).when(&taxed).then_refused(Rejection::NoTax);
}

#[test]
fn the_most_specific_rule_applies() {
    let all = rule("all");
    let of_band = Rule { bands: [band(1_000, None)].into(), ..rule("band") };
    let of_seller = Rule { seller: Some(seller()), ..rule("seller") };
    let of_both = Rule { bands: [band(0, Some(1_001))].into(), ..Rule { rule: text("both"), ..of_seller.clone() } };
    let goods = Rule { category: Some(id(1)), ..rule("goods") };
    let lamps = Rule { category: Some(id(3)), ..rule("lamps") };
    let of_product = Rule { product: Some(id::<ProductId>(9)), ..rule("product") };
    let rules = [all, of_band, of_seller, of_both, goods, lamps, of_product];
    let names = ["all", "band", "seller", "both", "goods", "lamps", "product"];
    for (number, name) in (1..).zip(names) {
        assert_eq!(applied(&rules[..number]).as_deref(), Some(name));
        let turned: Vec<Rule> = rules[..number].iter().rev().cloned().collect();
        assert_eq!(applied(&turned).as_deref(), Some(name), "the age decides only among equals");
    }
}

#[test]
fn of_equally_specific_rules_the_oldest_applies() {
    let other = Rule { rate_ppm: 5, ..rule("a") };
    assert_eq!(applied(&[rule("b"), other.clone()]).as_deref(), Some("b"));
    assert_eq!(applied(&[other.clone(), rule("b"), rule("a")]).as_deref(), Some("a"), "a change keeps the age");
}

#[test]
fn a_rule_for_something_else_does_not_apply() {
    let foreign = [
        Rule { seller: Some(id(72)), ..rule("a") },
        Rule { category: Some(id(4)), ..rule("a") },
        Rule { product: Some(id(8)), ..rule("a") },
        Rule { bands: [band(1_001, None)].into(), ..rule("a") },
        Rule { bands: [band(0, Some(1_000))].into(), ..rule("a") },
        Rule { valid_from: Some(day("2026-01-02")), ..rule("a") },
        Rule { valid_until: Some(day("2025-12-31")), ..rule("a") },
    ];
    for rule in foreign {
        assert_eq!(applied(std::slice::from_ref(&rule)), None, "{rule:?}");
    }
    let today = Rule { valid_from: Some(day("2026-01-01")), valid_until: Some(day("2026-01-01")), ..rule("a") };
    assert_eq!(applied(&[today]).as_deref(), Some("a"));
    assert_eq!(charged(&CommissionBook::default(), 1, 1_000), (0, None, None));
}

#[test]
fn the_rate_and_the_fixed_amount_are_added_within_the_limits_of_all_pieces() {
    let exact = Rule { rate_ppm: 88_750, fixed: [price(30)].into(), ..rule("a") };
    // 8.875 % of 30.00 is 2.6625.
    assert_eq!(charged(&book([exact.clone()]), 3, 1_000), (266 + 90, None, Some(1)));
    let limited = Rule { minimum: [price(50)].into(), maximum: [price(100)].into(), ..exact };
    let book = book([limited]);
    assert_eq!(charged(&book, 3, 100), (150, None, Some(1)));
    assert_eq!(charged(&book, 3, 5_000), (300, None, Some(1)));
    assert_eq!(charged(&book, 3, 500), (133 + 90, None, Some(1)));
}

#[test]
fn a_commission_with_its_tax_is_never_more_than_the_price() {
    let least = Rule { minimum: [price(150)].into(), ..rule("a") };
    let book: CommissionBook = fold(&[Event::RuleSet(least), Event::TaxSet { tax_ppm: 190_000 }]);
    assert_eq!(charged(&book, 2, 1_000), (300, Some(57), Some(1)));
    assert_eq!(charged(&book, 1, 119), (100, Some(19), Some(1)));
    assert_eq!(charged(&book, 1, 0), (0, Some(0), Some(1)));
}

#[test]
fn every_stored_form_is_golden() {
    let whole = Rule {
        seller: Some(seller()),
        category: Some(id(3)),
        product: Some(id(9)),
        bands: [band(0, Some(5_000))].into(),
        rate_ppm: 88_750,
        fixed: [price(30)].into(),
        minimum: [price(50)].into(),
        maximum: [price(900)].into(),
        valid_from: Some(day("2026-01-01")),
        valid_until: Some(day("2026-12-31")),
        ..rule("lamps")
    };
    let removed = Event::RuleRemoved { rule: text("lamps") };
    let samples = [Event::RuleSet(rule("all")), Event::RuleSet(whole), removed, Event::TaxSet { tax_ppm: 190_000 }];
    golden(include_str!("golden.json"), &samples);
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[
        R::RuleTwice { at: 0 },
        R::NoRate { at: 0 },
        R::NoBand { at: 0 },
        R::AmountTwice { at: 0, field: "fixed" },
        R::NoRange { at: 0 },
        R::NoPeriod { at: 0 },
        R::NoTax,
        R::TooMany,
    ]);
}
