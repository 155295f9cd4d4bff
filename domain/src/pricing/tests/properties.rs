//! For any order and any promotions: parts add up to the whole, nothing is below zero, and the order of lines does not matter.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn items() -> impl Strategy<Value = Vec<Item>> {
    let one = (1i64..40, prop_oneof![Just(0i64), 1i64..500, 500i64..1_000_000], 0u8..4, any::<bool>(), 0u32..400);
    vec(one, 1..8).prop_map(|lines| {
        let of = |(index, (number, amount, class, physical, weight)): (usize, _)| Item {
            tax_class: [TaxClass::Standard, TaxClass::Reduced, TaxClass::SuperReduced, TaxClass::Zero]
                [usize::from(class)],
            physical,
            weight_g: Some(weight),
            ..item(index as u128 + 1, number, amount)
        };
        lines.into_iter().enumerate().map(of).collect()
    })
}

fn target() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"kind": "order"})),
        vec(1u128..6, 1..4).prop_map(|of| {
            json!({"kind": "variants", "variants": of.into_iter().map(id::<VariantId>).collect::<Vec<_>>()})
        }),
        (1u128..6).prop_map(|of| json!({"kind": "categories", "categories": [id::<CategoryId>(of * 100)]})),
    ]
}

fn benefit() -> impl Strategy<Value = Value> {
    let rate = 1u16..=10_000;
    prop_oneof![
        rate.clone().prop_map(|rate| json!({"kind": "percent", "percent_bps": rate})),
        (1i64..1_000_000).prop_map(|amount| json!({"kind": "fixed", "amounts": [euro(amount)]})),
        Just(json!({"kind": "free_shipping"})),
        (1i64..5, 1i64..5, rate.clone(), option::of(target()), option::of(1i64..4)).prop_map(
            |(buy, get, rate, of, times)| {
                let fields = json!({"kind": "buy_get", "buy": buy, "get": get, "percent_bps": rate});
                with(fields, json!({"of": of, "times": times}))
            }
        ),
        (1i64..100_000, rate.clone()).prop_map(|(from, rate)| {
            json!({"kind": "by_subtotal", "tiers": [{"from": euro(from), "percent_bps": rate}]})
        }),
        (1i64..40, rate).prop_map(|(from, rate)| {
            json!({"kind": "by_quantity", "tiers": [{"from": from, "percent_bps": rate}]})
        }),
    ]
}

fn terms() -> impl Strategy<Value = Vec<Value>> {
    let one = (benefit(), target(), -3i16..3, any::<bool>(), any::<bool>(), any::<bool>());
    vec(one, 0..6).prop_map(|all| {
        let of = |(index, (benefit, target, priority, exclusive, combinable, coded)): (usize, _)| {
            let code = Some(format!("CODE-{index}")).filter(|_| coded);
            json!({"benefit": benefit, "target": target, "priority": priority, "exclusive": exclusive,
                "combinable": combinable, "code": code})
        };
        all.into_iter().enumerate().map(of).collect()
    })
}

fn shop(terms: Vec<Value>, tax: Option<bool>, service: Option<Option<&str>>) -> Counter {
    let mut shop = Counter::giving(terms);
    if let Some(included) = tax {
        shop = shop.taxing(included);
    }
    match service {
        Some(service) => shop.sending(service),
        None => shop,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_quote_is_balanced(
        items in items(),
        terms in terms(),
        tax in option::of(any::<bool>()),
        service in option::of(option::of(select(vec!["parcel", "express", "boat"]))),
    ) {
        // Every quote of a counter is checked.
        shop(terms, tax, service).quote(&items);
    }

    #[test]
    fn the_order_of_the_lines_changes_nothing(
        items in items(),
        terms in terms(),
        included in any::<bool>(),
        by_rate in any::<bool>(),
        turn in 0usize..8,
    ) {
        let mut shop = shop(terms, Some(included), Some(Some("parcel")));
        shop.tax.rounding = if by_rate { Rounding::Rate } else { Rounding::Line };
        let mut turned = items.clone();
        turned.rotate_left(turn % items.len());
        turned.swap(0, items.len() - 1);
        let (one, other) = (shop.quote(&items), shop.quote(&turned));
        prop_assert_eq!((one.total, one.tax, one.discount), (other.total, other.tax, other.discount));
        prop_assert_eq!(&one.problems, &other.problems);
        prop_assert_eq!(&one.claims, &other.claims);
        for (item, line) in items.iter().zip(&one.lines) {
            let place = turned.iter().position(|other| other.variant == item.variant).unwrap();
            prop_assert_eq!(line, &other.lines[place]);
        }
    }

    #[test]
    fn the_tax_of_each_rate_is_rounded_once_and_its_parts_are_the_whole(
        items in items(),
        terms in terms(),
        included in any::<bool>(),
    ) {
        let mut shop = shop(terms, Some(included), Some(Some("parcel")));
        shop.tax.rounding = Rounding::Rate;
        let quote = shop.quote(&items);
        let of_lines = quote.lines.iter().filter_map(|line| Some((line.tax?, line.amount.minus(line.discount).ok()?)));
        let shipping = quote.shipping.as_ref();
        let of_shipping = shipping.and_then(|it| Some((it.tax?, it.price.money().minus(it.discount).ok()?)));
        let mut groups: BTreeMap<(TaxRate, bool), (i64, i64)> = BTreeMap::new();
        for (tax, left) in of_lines.chain(of_shipping) {
            let group = groups.entry((tax.rate, tax.included)).or_default();
            *group = (group.0 + tax.amount.amount, group.1 + left.amount);
            // No part differs from its own tax by a whole unit or more.
            let own = if included { tax.rate.within(left) } else { tax.rate.of(left) };
            prop_assert!((own.unwrap().amount - tax.amount.amount).abs() <= 1, "{:?}", tax);
        }
        for ((rate, included), (tax, left)) in groups {
            let whole = if included { rate.within(cents(left)) } else { rate.of(cents(left)) };
            prop_assert_eq!(cents(tax), whole.unwrap());
        }
    }

    #[test]
    fn the_order_of_the_promotions_changes_nothing_but_ids(items in items(), rate in 1u16..=10_000) {
        // One that takes all leaves nothing for others, wherever it stands.
        let all = with(percent(10_000), json!({"priority": 9}));
        for terms in [[all.clone(), percent(rate)], [percent(rate), all]] {
            let quote = Counter::giving(terms).quote(&items);
            prop_assert_eq!(quote.total, cents(0));
            prop_assert!(quote.discounts.len() <= 1);
        }
    }
}
