//! The price of an order: examples of each rule, and properties of any order.

use serde_json::{Value, json};

use super::*;
use crate::Currency;
use crate::basis_points::BasisPoints;
use crate::ids::{Id as _, ProductId, PromotionId, UsageId};
use crate::money::Price;
use crate::promotion::{CouponCode, Status};
use crate::shipping_book::{Band, Days, Service, ShippingBook, Zone};
use crate::tax_book::{CountryTax, Rate, TaxBook};
use crate::testing::{cents, id, noon, pieces, price, text};
use crate::text::{Country, PostalCode, Slug};
use crate::usage::Customer;

mod properties;

/// A shop with a tax book, a shipping book and promotions, for which carts are quoted.
struct Counter {
    sellers: Vec<(SellerId, ShippingBook, Option<Slug>)>,
    tax: TaxBook,
    shipping: ShippingBook,
    terms: Vec<Terms>,
    destination: Option<(Country, Option<PostalCode>)>,
    lacks: BTreeSet<Part>,
    service: Option<Slug>,
    used: (i64, i64),
    customers: Vec<Customer>,
    account: Option<crate::ids::AccountId>,
    orders: i64,
    counters: Vec<UsageId>,
    status: Status,
}

fn rate(class: TaxClass, hundredths: u16) -> Rate {
    Rate { class, rate: BasisPoints::new(hundredths).unwrap().into(), valid_from: "2020-01-01".parse().unwrap() }
}

impl Default for Counter {
    fn default() -> Self {
        Self {
            tax: TaxBook::default(),
            shipping: ShippingBook::default(),
            terms: vec![],
            destination: Some((text("DE"), None)),
            lacks: BTreeSet::new(),
            service: None,
            used: (0, 0),
            customers: Vec::new(),
            account: None,
            orders: 0,
            counters: vec![],
            status: Status::Active,
            sellers: vec![],
        }
    }
}

impl Counter {
    fn giving(terms: impl IntoIterator<Item = Value>) -> Self {
        Self { terms: terms.into_iter().map(|fields| promotion(&fields)).collect(), ..Self::default() }
    }

    fn taxing(mut self, included: bool) -> Self {
        let tax = CountryTax {
            country: text("DE"),
            prices_include_tax: included,
            rates: [rate(TaxClass::Standard, 1_900), rate(TaxClass::Reduced, 700)].into(),
            regions: [].into(),
        };
        self.tax.countries.insert(text("DE"), tax);
        self
    }

    fn sending(mut self, service: Option<&str>) -> Self {
        let of = |service: &str, low, high, free: Option<i64>| Service {
            service: text(service),
            name: text(service),
            carrier: None,
            bands: [
                Band { up_to_g: 1_000, prices: [price(low)].into() },
                Band { up_to_g: 5_000, prices: [price(high)].into() },
            ]
            .into(),
            free_over: free.map(price).into_iter().collect(),
            days: Days { min: 1, max: 3 },
            tax_class: TaxClass::Standard,
        };
        let zone = Zone {
            zone: text("home"),
            name: text("Home"),
            countries: [text("DE")].into(),
            areas: [].into(),
            services: [of("express", 990, 1_490, None), of("parcel", 490, 790, Some(10_000))].into(),
        };
        self.shipping.zones.insert(text("home"), zone);
        self.service = service.map(text);
        self
    }

    fn quote(&self, items: &[Item]) -> Quote {
        let candidate = |(number, terms)| Candidate {
            promotion: PromotionId::from_uuid(uuid::Uuid::from_u128(number as u128 + 1)),
            version: 1,
            status: self.status,
            terms,
            used: self.used.0,
            used_by_customer: self.used.1,
        };
        let quote = quote(&Input {
            currency: Currency::EUR,
            at: noon(),
            items: items.to_vec(),
            destination: self.destination.as_ref().map(|(country, area)| Whereto { country, area: area.as_ref() }),
            lacks: &self.lacks,
            service: self.service.as_ref(),
            tax: &self.tax,
            shipping: &self.shipping,
            sellers: self
                .sellers
                .iter()
                .map(|(seller, book, service)| SellerRates { seller: *seller, book, service: service.as_ref() })
                .collect(),
            promotions: self.terms.iter().enumerate().map(candidate).collect(),
            unknown: vec![],
            customers: self.customers.clone(),
            account: self.account,
            orders: self.orders,
            counters: self.counters.clone(),
        });
        let quote = quote.unwrap();
        balanced(&quote);
        quote
    }
}

/// Properties of every quote.
#[track_caller]
fn balanced(quote: &Quote) {
    let sum = |amounts: &mut dyn Iterator<Item = Money>| Money::sum(quote.total.currency, amounts).unwrap();
    for (index, line) in quote.lines.iter().enumerate() {
        assert!((0..=line.amount.amount).contains(&line.discount.amount), "{line:?}");
        let shares = quote.discounts.iter().flat_map(|it| &it.lines).filter(|share| share.line == index);
        assert_eq!(sum(&mut shares.map(|share| share.amount)), line.discount);
    }
    for discount in &quote.discounts {
        assert!(discount.amount.amount > 0, "{discount:?}");
        let parts = discount.lines.iter().map(|share| share.amount).chain(discount.shipping);
        assert_eq!(sum(&mut parts.into_iter()), discount.amount);
    }
    let shipping = quote.shipping.as_ref();
    let off_shipping = sum(&mut quote.discounts.iter().filter_map(|discount| discount.shipping));
    assert_eq!(shipping.map_or(cents(0), |it| it.discount), off_shipping);
    assert!(shipping.is_none_or(|it| it.discount.amount <= it.price.money().amount));
    let of_parts = quote.part_shipping.iter().map(|it| it.shipping.tax);
    let taxes =
        quote.lines.iter().map(|line| line.tax).chain([shipping.and_then(|it| it.tax)]).chain(of_parts).flatten();
    let on_top = sum(&mut taxes.clone().filter(|tax| !tax.included).map(|tax| tax.amount));
    assert_eq!(sum(&mut taxes.map(|tax| tax.amount)), quote.tax);
    assert_eq!(sum(&mut quote.lines.iter().map(|line| line.amount)), quote.subtotal);
    let paid = quote.subtotal.amount + quote.shipping_price.amount - quote.discount.amount + on_top.amount;
    assert_eq!(quote.total.amount, paid);
    assert!(quote.total.amount >= 0 && quote.tax.amount >= 0);
}

fn item(variant: u128, number: i64, amount: i64) -> Item {
    Item {
        variant: id(variant),
        product: id(variant * 10),
        seller: None,
        categories: vec![id(variant * 100), id(1_000)],
        unit_price: price(amount),
        quantity: pieces(number),
        tax_class: TaxClass::Standard,
        weight_g: Some(200),
        physical: true,
        gift_card: false,
    }
}

/// Terms with these fields beside the required ones.
fn promotion(fields: &Value) -> Terms {
    let mut json = json!({"label": "Less"});
    json.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let terms: Terms = serde_json::from_value(json).unwrap();
    terms.check().unwrap();
    terms
}

fn percent(hundredths: u16) -> Value {
    json!({"benefit": {"kind": "percent", "percent_bps": hundredths}})
}

fn euro(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

/// One value with the fields of another.
fn with(mut one: Value, other: Value) -> Value {
    let Value::Object(other) = other else { panic!("an object is needed") };
    one.as_object_mut().unwrap().extend(other);
    one
}

/// The discount of each line.
fn off(quote: &Quote) -> Vec<i64> {
    quote.lines.iter().map(|line| line.discount.amount).collect()
}

fn codes(quote: &Quote) -> Vec<&'static str> {
    quote.problems.iter().map(Problem::code).collect()
}

#[test]
fn without_books_and_promotions_an_order_costs_its_lines() {
    let quote = Counter::default().quote(&[item(1, 2, 1_999), item(2, 1, 1)]);
    assert_eq!((quote.total, quote.subtotal, quote.tax), (cents(3_999), cents(3_999), cents(0)));
    assert!(quote.problems.is_empty() && quote.discounts.is_empty() && quote.claims.is_empty());
}

#[test]
fn a_share_is_taken_off_each_line_of_the_target() {
    let items = [item(1, 3, 333), item(2, 1, 1_000)];
    assert_eq!(off(&Counter::giving([percent(1_000)]).quote(&items)), [100, 100]);
    for target in [
        json!({"kind": "variants", "variants": [items[1].variant]}),
        json!({"kind": "products", "products": [items[1].product]}),
        json!({"kind": "categories", "categories": [items[1].categories[0]]}),
    ] {
        let quote = Counter::giving([with(percent(5_000), json!({"target": target}))]).quote(&items);
        assert_eq!(off(&quote), [0, 500]);
    }
    let above = json!({"target": {"kind": "categories", "categories": [items[1].categories[1]]}});
    assert_eq!(off(&Counter::giving([with(percent(10_000), above)]).quote(&items)), [999, 1_000]);
}

#[test]
fn a_coupon_of_a_seller_is_for_its_goods_alone() {
    let (kettles, pans): (SellerId, SellerId) = (id(71), id(72));
    let sold_by = |seller, item: Item| Item { seller, ..item };
    let items = [
        sold_by(Some(kettles), item(1, 2, 500)),
        sold_by(Some(pans), item(2, 1, 1_000)),
        sold_by(None, item(3, 1, 1_000)),
    ];
    let of_kettles = |fields: Value| with(fields, json!({"seller": kettles, "code": "KETTLES"}));
    let coupon = |fields: Value| Counter::giving([of_kettles(fields)]).quote(&items);
    assert_eq!(off(&coupon(percent(1_000))), [100, 0, 0]);
    let fixed = json!({"benefit": {"kind": "fixed", "amounts": [euro(5_000)]}});
    assert_eq!(off(&coupon(fixed)), [1_000, 0, 0]);
    let tiers = json!({"benefit": {"kind": "by_quantity", "tiers": [{"from": 3, "percent_bps": 1_000}]}});
    assert_eq!(coupon(tiers).problems, [not_for("KETTLES", UnmetCondition::MinimumQuantity)]);
    let third = json!({"benefit": {"kind": "buy_get", "buy": 1, "get": 1, "percent_bps": 10_000}});
    assert_eq!(off(&coupon(third)), [500, 0, 0]);
    // The goods of others count for nothing, and are nothing to it if they are named.
    let least = |amount| with(percent(1_000), json!({"conditions": {"minimum_subtotal": [euro(amount)]}}));
    assert_eq!(off(&coupon(least(1_000))), [100, 0, 0]);
    assert_eq!(coupon(least(1_001)).problems, [not_for("KETTLES", UnmetCondition::MinimumSubtotal)]);
    let named = with(percent(1_000), json!({"target": {"kind": "variants", "variants": [items[1].variant]}}));
    assert_eq!(coupon(named).problems, [not_for("KETTLES", UnmetCondition::Goods)]);
}

#[test]
fn an_amount_is_shared_by_what_lines_cost_and_never_more_than_that() {
    let fixed = |amount| json!({"benefit": {"kind": "fixed", "amounts": [euro(amount)]}});
    let items = [item(1, 1, 1_000), item(2, 1, 1_000), item(3, 1, 1_000)];
    assert_eq!(off(&Counter::giving([fixed(100)]).quote(&items)), [34, 33, 33]);
    assert_eq!(off(&Counter::giving([fixed(10_000)]).quote(&items)), [1_000; 3]);
    let pounds = json!({"benefit": {"kind": "fixed", "amounts": [{"amount": 1, "currency": "GBP"}]}, "code": "GBP-1"});
    let quote = Counter::giving([pounds]).quote(&items);
    assert_eq!(quote.problems, [not_for("GBP-1", UnmetCondition::Currency)]);
}

fn not_for(code: &str, reason: UnmetCondition) -> Problem {
    Problem::CouponNotApplicable { coupon: CouponCode::new(code).unwrap(), reason }
}

#[test]
fn some_are_bought_and_the_cheapest_are_free() {
    let rule = |fields| {
        let benefit = json!({"kind": "buy_get", "buy": 2, "get": 1, "percent_bps": 10_000});
        json!({"benefit": with(benefit, fields)})
    };
    let items = [item(1, 4, 500), item(2, 3, 300)];
    assert_eq!(off(&Counter::giving([rule(json!({}))]).quote(&items)), [0, 600]);
    assert_eq!(off(&Counter::giving([rule(json!({"times": 1}))]).quote(&items)), [0, 300]);
    assert_eq!(off(&Counter::giving([rule(json!({"percent_bps": 5_000}))]).quote(&items)), [0, 300]);
    assert_eq!(off(&Counter::giving([rule(json!({}))]).quote(&[item(1, 3, 500)])), [500]);
    let coded = with(rule(json!({})), json!({"code": "TWO-ONE"}));
    let few = Counter::giving([coded]).quote(&[item(1, 2, 500)]);
    assert_eq!(few.problems, [not_for("TWO-ONE", UnmetCondition::MinimumQuantity)]);
    // Other goods: for two of anything, one of the second.
    let others = rule(json!({"of": {"kind": "variants", "variants": [items[1].variant]}}));
    assert_eq!(off(&Counter::giving([others.clone()]).quote(&items)), [0, 600]);
    assert_eq!(off(&Counter::giving([others]).quote(&[item(1, 1, 500), item(2, 9, 300)])), [0, 900]);
}

#[test]
fn what_may_be_free_counts_as_bought_while_it_is_sold_at_its_full_price() {
    let (trousers, shirts) = (|number| item(1, number, 3_000), |number| item(2, number, 1_500));
    let both = json!({"kind": "categories", "categories": [trousers(1).categories[1]]});
    let benefit = |buy, get| {
        let of = json!({"kind": "variants", "variants": [shirts(1).variant]});
        json!({"kind": "buy_get", "buy": buy, "get": get, "of": of, "percent_bps": 10_000})
    };
    let four_for_one = json!({"code": "FIVE", "target": both, "benefit": benefit(4, 1)});
    let quote = |items: &[Item]| Counter::giving([four_for_one.clone()]).quote(items);
    assert_eq!(off(&quote(&[trousers(4), shirts(1)])), [0, 1_500]);
    assert_eq!(off(&quote(&[shirts(5)])), [1_500]);
    assert_eq!(off(&quote(&[trousers(3), shirts(2)])), [0, 1_500]);
    assert_eq!(off(&quote(&[trousers(7), shirts(3)])), [0, 3_000]);
    assert_eq!(quote(&[shirts(4)]).problems, [not_for("FIVE", UnmetCondition::MinimumQuantity)]);
    assert_eq!(quote(&[trousers(5)]).problems, [not_for("FIVE", UnmetCondition::MinimumQuantity)]);
    // One piece is there of the two that two bought ones give.
    let two_for_two = json!({"target": both, "benefit": benefit(2, 2)});
    assert_eq!(off(&Counter::giving([two_for_two]).quote(&[trousers(2), shirts(1)])), [0, 1_500]);
}

#[test]
fn a_percentage_is_taken_of_the_whole_and_split_over_its_lines() {
    let small: Vec<Item> = (1..=10).map(|variant| item(variant, 1, 5)).collect();
    let quote = Counter::giving([percent(1_000)]).quote(&small);
    assert_eq!((quote.discount, quote.total), (cents(5), cents(45)));
    assert_eq!(off(&quote), [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
    let thirds = [item(1, 1, 99), item(2, 1, 99), item(3, 1, 99)];
    assert_eq!(off(&Counter::giving([percent(3_333)]).quote(&thirds)), [33, 33, 33]);
    assert_eq!(off(&Counter::giving([percent(5_000)]).quote(&thirds)), [50, 50, 49]);
}

#[test]
fn rates_have_as_many_digits_as_laws_do() {
    let mut shop = Counter::default().taxing(false);
    let eight = Rate { rate: TaxRate::new(88_750).unwrap(), ..rate(TaxClass::Standard, 0) };
    shop.tax.countries.get_mut(&text::<Country>("DE")).unwrap().rates = [eight].into();
    let quote = shop.quote(&[item(1, 1, 100_000), item(2, 1, 500)]);
    assert_eq!((quote.tax, quote.total), (cents(8_919), cents(109_419)));
}

#[test]
fn taxes_are_rounded_by_line_or_by_rate() {
    let items: Vec<Item> = (1..=3).map(|variant| item(variant, 1, 13)).collect();
    let quote = |rounding, included| {
        let mut shop = Counter::default().taxing(included);
        shop.tax.rounding = rounding;
        shop.quote(&items)
    };
    // 19 % of 0.13 is 0.0247, of 0.39 it is 0.0741.
    let taxes = |quote: &Quote| quote.lines.iter().map(|line| line.tax.unwrap().amount.amount).collect::<Vec<_>>();
    let by_line = quote(Rounding::Line, false);
    assert_eq!((taxes(&by_line), by_line.tax, by_line.rounding), (vec![2, 2, 2], cents(6), Rounding::Line));
    let by_rate = quote(Rounding::Rate, false);
    assert_eq!((taxes(&by_rate), by_rate.tax, by_rate.rounding), (vec![3, 2, 2], cents(7), Rounding::Rate));
    assert_eq!((by_line.total, by_rate.total), (cents(45), cents(46)));
    assert_eq!((quote(Rounding::Line, true).total, quote(Rounding::Rate, true).total), (cents(39), cents(39)));
    assert_eq!(quote(Rounding::Rate, true).tax, cents(6));
}

#[test]
fn tiers_grow_with_the_subtotal_or_the_pieces() {
    let tier = |from: Value, rate: u16| json!({"from": from, "percent_bps": rate});
    let by_subtotal = json!({"benefit": {"kind": "by_subtotal", "tiers": [
        tier(euro(5_000), 1_000), tier(euro(1_000), 500)
    ]}});
    let of = |amount| off(&Counter::giving([by_subtotal.clone()]).quote(&[item(1, 1, amount)]));
    assert_eq!([of(999), of(1_000), of(4_999), of(5_000)], [[0], [50], [250], [500]]);
    let by_quantity =
        json!({"benefit": {"kind": "by_quantity", "tiers": [tier(json!(10), 1_000), tier(json!(5), 500)]}});
    let of = |number| off(&Counter::giving([by_quantity.clone()]).quote(&[item(1, number, 100)]));
    assert_eq!([of(4), of(5), of(10)], [[0], [25], [100]]);
}

#[test]
fn shipping_costs_by_weight_and_is_free_from_a_subtotal_on() {
    let shop = Counter::default().sending(Some("parcel"));
    let quote = shop.quote(&[item(1, 5, 100)]);
    assert_eq!((quote.shipping_price, quote.total), (cents(490), cents(990)));
    assert_eq!(shop.quote(&[item(1, 6, 100)]).shipping_price, cents(790));
    assert_eq!(shop.quote(&[item(1, 5, 2_000)]).shipping_price, cents(0));
    assert_eq!(codes(&shop.quote(&[item(1, 26, 100)])), ["no_shipping"]);
    assert_eq!(codes(&Counter::default().sending(None).quote(&[item(1, 1, 100)])), ["shipping_not_chosen"]);
    assert_eq!(codes(&Counter::default().sending(Some("boat")).quote(&[item(1, 1, 100)])), ["shipping_gone"]);
    let nowhere = Counter { destination: Some((text("FR"), None)), ..Counter::default().sending(Some("parcel")) };
    assert_eq!(codes(&nowhere.quote(&[item(1, 1, 100)])), ["no_shipping"]);
    let named = Counter { destination: Some((text("Germany"), None)), ..Counter::default().taxing(true) };
    assert_eq!(codes(&named.quote(&[item(1, 1, 100)])), ["country_unknown"]);
    let data = Item { physical: false, ..item(1, 1, 100) };
    assert_eq!(Counter::default().sending(None).quote(&[data]).problems, []);
    let unknown = Counter { destination: None, ..Counter::default().sending(None) };
    assert_eq!(unknown.quote(&[item(1, 1, 100)]).problems, []);
}

#[test]
fn free_shipping_is_a_discount_of_its_own() {
    let free = |services: Value| json!({"benefit": {"kind": "free_shipping", "services": services}});
    let quote = Counter::giving([free(json!([]))]).sending(Some("express")).quote(&[item(1, 1, 100)]);
    assert_eq!((quote.shipping_price, quote.discount, quote.total), (cents(990), cents(990), cents(100)));
    assert_eq!(quote.discounts[0].shipping, Some(cents(990)));
    let quote = Counter::giving([free(json!(["parcel"]))]).sending(Some("express")).quote(&[item(1, 1, 100)]);
    assert_eq!((quote.discounts.len(), quote.total), (0, cents(1_090)));
    // A buyer whose code has no effect is told why, once there is a service that it could be for.
    let code = || with(free(json!(["parcel"])), json!({"code": "FREE-1"}));
    let quote = Counter::giving([code()]).sending(Some("express")).quote(&[item(1, 1, 100)]);
    assert_eq!(quote.problems, [not_for("FREE-1", UnmetCondition::Service)]);
    assert_eq!(codes(&Counter::giving([code()]).sending(None).quote(&[item(1, 1, 100)])), ["shipping_not_chosen"]);
}

#[test]
fn gift_cards_have_neither_discounts_nor_tax() {
    let card = Item { gift_card: true, physical: false, ..item(2, 1, 5_000) };
    let quote = Counter::giving([percent(5_000)]).taxing(false).quote(&[item(1, 1, 1_000), card.clone()]);
    assert_eq!(
        (quote.lines[1].discount, quote.lines[1].tax, quote.lines[1].total()),
        (cents(0), None, Ok(cents(5_000)))
    );
    assert_eq!((quote.discount, quote.lines[0].discount), (cents(500), cents(500)));
    let alone = Counter::giving([percent(5_000)]).taxing(true).quote(&[card]);
    assert_eq!((alone.discount, alone.tax, alone.total), (cents(0), cents(0), cents(5_000)));
}

#[test]
fn tax_is_within_prices_or_on_top_of_them() {
    let items = [item(1, 1, 1_190), Item { tax_class: TaxClass::Reduced, ..item(2, 1, 107) }];
    let within = Counter::default().taxing(true).sending(Some("parcel")).quote(&items);
    assert_eq!((within.tax, within.total), (cents(190 + 7 + 78), cents(1_297 + 490)));
    let on_top = Counter::default().taxing(false).sending(Some("parcel")).quote(&items);
    assert_eq!((on_top.tax, on_top.total), (cents(226 + 7 + 93), cents(1_297 + 490 + 326)));
    assert_eq!(on_top.lines[1].tax.unwrap().rate, TaxRate::new(70_000).unwrap());
    let discounted = Counter::giving([percent(5_000)]).taxing(false).quote(&items);
    assert_eq!(discounted.lines[0].tax.unwrap().amount, cents(113));
    let abroad = Counter { destination: Some((text("CH"), None)), ..Counter::default().taxing(true) };
    assert_eq!((abroad.quote(&items).tax, abroad.quote(&items).lines[0].tax), (cents(0), None));
}

#[test]
fn promotions_follow_each_other_by_priority_on_what_is_left() {
    let items = [item(1, 1, 1_000)];
    let first = with(percent(5_000), json!({"priority": 5, "label": "First"}));
    let then = json!({"benefit": {"kind": "fixed", "amounts": [euro(100)]}, "label": "Then"});
    let quote = Counter::giving([then, first]).quote(&items);
    let told: Vec<_> = quote.discounts.iter().map(|it| (it.label.as_str(), it.amount.amount)).collect();
    assert_eq!(told, [("First", 500), ("Then", 100)]);
    let coupon_first = Counter::giving([percent(1_000), with(percent(5_000), json!({"code": "HALF"}))]).quote(&items);
    let told: Vec<_> = coupon_first.discounts.iter().map(|it| it.amount.amount).collect();
    assert_eq!(told, [500, 50]);
}

#[test]
fn an_exclusive_promotion_is_given_alone() {
    let items = [item(1, 1, 1_000)];
    let alone = |priority: i16| with(percent(3_000), json!({"exclusive": true, "priority": priority, "code": "ALONE"}));
    let first = Counter::giving([percent(1_000), alone(1)]).quote(&items);
    assert_eq!((first.discount, first.discounts.len()), (cents(300), 1));
    let late = Counter::giving([percent(1_000), alone(-1)]).quote(&items);
    assert_eq!((late.discount, codes(&late)), (cents(100), vec!["coupon_not_combinable"]));
}

#[test]
fn codes_are_given_together_only_if_all_of_them_may_be() {
    let items = [item(1, 1, 1_000)];
    let coded = |code: &str, combinable| with(percent(1_000), json!({"code": code, "combinable": combinable}));
    assert_eq!(off(&Counter::giving([coded("ONE", true), coded("TWO", true)]).quote(&items)), [190]);
    for (one, two) in [(true, false), (false, true), (false, false)] {
        let quote = Counter::giving([coded("ONE", one), coded("TWO", two)]).quote(&items);
        assert_eq!((off(&quote), codes(&quote)), (vec![100], vec!["coupon_not_combinable"]));
    }
    // What is given by itself does not count as a code.
    assert_eq!(off(&Counter::giving([percent(1_000), coded("ONE", false)]).quote(&items)), [190]);
}

#[test]
fn a_code_says_which_of_its_conditions_is_not_met() {
    let items = [item(1, 2, 1_000)];
    let conditions = |conditions: Value| with(percent(1_000), json!({"code": "IF-SO", "conditions": conditions}));
    for (condition, because) in [
        (json!({"minimum_subtotal": [euro(2_001)]}), Some(UnmetCondition::MinimumSubtotal)),
        (json!({"minimum_subtotal": [euro(2_000)]}), None),
        (json!({"minimum_subtotal": [{"amount": 1, "currency": "GBP"}]}), Some(UnmetCondition::Currency)),
        (json!({"minimum_quantity": 3}), Some(UnmetCondition::MinimumQuantity)),
        (json!({"minimum_quantity": 2}), None),
        (json!({"contains": {"kind": "products", "products": [id::<ProductId>(9)]}}), Some(UnmetCondition::Goods)),
        (json!({"contains": {"kind": "products", "products": [items[0].product]}}), None),
        (json!({"customers": [id::<crate::ids::AccountId>(9)]}), Some(UnmetCondition::Customer)),
        (json!({"customers": [id::<crate::ids::AccountId>(5)]}), None),
        (json!({"countries": ["FR"]}), Some(UnmetCondition::Country)),
        (json!({"countries": ["DE"]}), None),
        (json!({"currencies": ["GBP"]}), Some(UnmetCondition::Currency)),
        (json!({"first_order": true}), None),
    ] {
        let shop = Counter {
            account: Some(id(5)),
            customers: vec![Customer::account(id(5))],
            ..Counter::giving([conditions(condition.clone())])
        };
        let expected: Vec<_> = because.map(|because| not_for("IF-SO", because)).into_iter().collect();
        let quote = shop.quote(&items);
        assert_eq!(quote.problems, expected, "{condition}");
        assert_eq!(quote.discount.amount == 0, because.is_some(), "{condition}");
    }
    let other_goods = with(
        percent(1_000),
        json!({"code": "IF-SO", "target": {"kind": "variants", "variants": [id::<VariantId>(9)]}}),
    );
    assert_eq!(Counter::giving([other_goods]).quote(&items).problems, [not_for("IF-SO", UnmetCondition::Goods)]);
}

#[test]
fn a_code_has_its_time() {
    let items = [item(1, 1, 1_000)];
    let within = |from: &str, until: &str| {
        let period =
            json!({"code": "NOW", "from": format!("2026-01-01T{from}Z"), "until": format!("2026-01-01T{until}Z")});
        codes(&Counter::giving([with(percent(1_000), period)]).quote(&items))
    };
    assert_eq!(within("12:00:00", "12:00:01"), [] as [&str; 0]);
    assert_eq!(within("12:00:01", "13:00:00"), ["coupon_too_early"]);
    assert_eq!(within("11:00:00", "12:00:00"), ["coupon_expired"]);
    let coded = with(percent(1_000), json!({"code": "NOW"}));
    for status in [Status::Paused, Status::Ended] {
        let shop = Counter { status, ..Counter::giving([coded.clone()]) };
        assert_eq!(codes(&shop.quote(&items)), ["coupon_expired"]);
    }
}

#[test]
fn what_is_limited_is_claimed_and_refused_when_it_is_used_up() {
    let items = [item(1, 1, 1_000)];
    let limited = with(percent(1_000), json!({"code": "LIMIT", "limits": {"total": 3, "per_customer": 2}}));
    let shop = |used, customers: &[Customer]| Counter {
        used,
        customers: customers.to_vec(),
        ..Counter::giving([limited.clone()])
    };
    let known = Customer::email("00ff");
    let quote = shop((2, 1), std::slice::from_ref(&known)).quote(&items);
    let claim = |usage, limit| Claim { usage, promotion: Some(id(1)), limit: Some(limit) };
    let expected = [claim(crate::usage::of_promotion(id(1)), 3), claim(crate::usage::by_customer(id(1), &known), 2)];
    assert_eq!((quote.claims.as_slice(), codes(&quote)), (expected.as_slice(), vec![]));
    assert_eq!(codes(&shop((3, 0), std::slice::from_ref(&known)).quote(&items)), ["coupon_used_up"]);
    assert_eq!(codes(&shop((2, 2), std::slice::from_ref(&known)).quote(&items)), ["coupon_used_up"]);
    assert_eq!(codes(&shop((0, 0), &[]).quote(&items)), ["coupon_needs_email"]);
    // Who is known by two names uses it under both.
    let both = shop((0, 0), &[Customer::account(id(5)), known.clone()]).quote(&items);
    assert_eq!((both.claims.len(), both.claims.last()), (3, expected.last()));
    // A promotion for everybody claims nothing.
    assert_eq!(Counter { customers: vec![known], ..Counter::giving([percent(1_000)]) }.quote(&items).claims, []);
}

#[test]
fn a_first_order_is_an_accounts_first_and_an_e_mails_first_with_it() {
    let items = [item(1, 1, 1_000)];
    let first = with(percent(1_000), json!({"code": "HELLO", "conditions": {"first_order": true}}));
    let account = |orders| Counter {
        account: Some(id(5)),
        customers: vec![Customer::account(id(5))],
        orders,
        ..Counter::giving([first.clone()])
    };
    let counters = vec![crate::usage::orders_of(&Customer::account(id(5)))];
    let quote = Counter { counters, ..account(0) }.quote(&items);
    // The use by this customer, and the order of this customer.
    assert_eq!((quote.discount, quote.claims.len()), (cents(100), 2));
    assert_eq!(quote.claims[1].limit, None);
    assert_eq!(account(1).quote(&items).problems, [not_for("HELLO", UnmetCondition::FirstOrder)]);
    let guest = Counter { customers: vec![Customer::email("00ff")], ..Counter::giving([first.clone()]) };
    assert_eq!(guest.quote(&items).claims.len(), 1);
    assert_eq!(codes(&Counter { used: (0, 1), ..guest }.quote(&items)), ["coupon_used_up"]);
    // A customer with the same mailbox has bought before, with or without an account.
    let again = Counter { orders: 1, customers: vec![Customer::email("00ff")], ..Counter::giving([first.clone()]) };
    assert_eq!(again.quote(&items).problems, [not_for("HELLO", UnmetCondition::FirstOrder)]);
    assert_eq!(codes(&Counter::giving([first]).quote(&items)), ["coupon_needs_email"]);
}

#[test]
fn a_parcel_needs_an_address_and_a_guest_a_way_to_be_written_to() {
    use Part::{City, Email, Lines, Name};
    let digital = || Item { physical: false, ..item(1, 1, 100) };
    let all = || BTreeSet::from([Name, Lines, City, Email]);
    let asked = |lacks, account, item| {
        let counter = Counter { lacks, account, ..Counter::default() };
        counter.quote(&[item]).problems
    };
    let missing = |parts: &[Part]| vec![Problem::AddressIncomplete { missing: parts.to_vec() }];
    assert_eq!(asked(all(), None, item(1, 1, 100)), missing(&[Name, Lines, City, Email]));
    assert_eq!(asked(all(), Some(id(5)), item(1, 1, 100)), missing(&[Name, Lines, City]));
    assert_eq!(asked(all(), None, digital()), missing(&[Email]));
    assert_eq!(asked(all(), Some(id(5)), digital()), []);
    assert_eq!(asked(BTreeSet::from([City]), None, item(1, 1, 100)), missing(&[City]));
    assert_eq!(asked(BTreeSet::new(), None, item(1, 1, 100)), []);
}

/// Each of these sellers ships at prices of its own.
fn at_own_prices(mut counter: Counter, sellers: &[(u128, Option<&str>)]) -> Counter {
    let own = |(seller, service): &(u128, Option<&str>)| {
        (id(*seller), Counter::default().sending(None).shipping, service.map(text))
    };
    counter.sellers = sellers.iter().map(own).collect();
    counter
}

fn sold(seller: u128, item: Item) -> Item {
    Item { seller: Some(id(seller)), ..item }
}

#[test]
fn a_seller_with_prices_of_its_own_ships_its_goods_by_itself() {
    // 0.8 kg of the house and of a seller without prices, 1.2 kg of one with prices, 0.2 kg of another one.
    let items = [item(1, 2, 100), sold(71, item(2, 2, 100)), sold(72, item(3, 6, 100)), sold(73, item(4, 1, 100))];
    let shipped = |counter: &Counter| {
        let quote = counter.quote(&items);
        let of = |it: &Shipping| (it.service.to_string(), it.weight_g, it.price.money().amount);
        let own: Vec<_> = quote.part_shipping.iter().map(|it| of(&it.shipping)).collect();
        (quote.shipping.as_ref().map(of), own, quote.shipping_price.amount)
    };
    let parcel = |weight, price| ("parcel".to_owned(), weight, price);
    let express = |weight, price| ("express".to_owned(), weight, price);
    let house = Counter::default().sending(Some("parcel"));
    assert_eq!(shipped(&house), (Some(parcel(2_200, 790)), vec![], 790));
    // Without a choice it is the service of the same name, or else the cheapest.
    let two = at_own_prices(Counter::default().sending(Some("parcel")), &[(72, None), (73, Some("express"))]);
    assert_eq!(shipped(&two), (Some(parcel(800, 490)), vec![parcel(1_200, 790), express(200, 990)], 2_270));
    let mut other = at_own_prices(Counter::default().sending(Some("express")), &[(72, None), (73, None)]);
    assert_eq!(shipped(&other), (Some(express(800, 990)), vec![express(1_200, 1_490), express(200, 990)], 3_470));
    other.service = None;
    let quote = other.quote(&items[2..]);
    assert_eq!((quote.part_shipping.len(), quote.shipping_price, quote.problems), (2, cents(1_280), vec![]));
}

#[test]
fn a_seller_that_does_not_ship_there_prevents_the_order() {
    let items = [sold(72, item(3, 1, 100)), item(1, 1, 100)];
    let seller = Some(id(72));
    let problems = |counter: &Counter| counter.quote(&items).problems;
    let gone = at_own_prices(Counter::default().sending(Some("parcel")), &[(72, Some("boat"))]);
    assert_eq!(problems(&gone), [Problem::ShippingGone { service: text("boat"), seller }]);
    let mut abroad = at_own_prices(Counter::default(), &[(72, None)]);
    abroad.destination = Some((text("FR"), None));
    assert_eq!(problems(&abroad), [Problem::NoShipping { country: text("FR"), seller }]);
    // Nothing of it is shipped.
    let file = Item { physical: false, ..sold(72, item(3, 1, 100)) };
    assert_eq!(abroad.quote(&[file]).problems, []);
}

#[test]
fn promotions_take_nothing_off_the_shipping_of_a_seller_and_it_is_taxed() {
    let free = json!({"benefit": {"kind": "free_shipping"}});
    let counter = Counter::giving([free]).taxing(true).sending(Some("parcel"));
    let quote = at_own_prices(counter, &[(72, None)]).quote(&[item(1, 1, 11_900), sold(72, item(3, 1, 1_190))]);
    let own = &quote.part_shipping[0].shipping;
    assert_eq!((own.discount, own.total().unwrap(), own.tax.unwrap().amount), (cents(0), cents(490), cents(78)));
    // The house ships for nothing from 100.00 on, and so does the seller with its own goods.
    assert_eq!((quote.shipping.unwrap().total().unwrap(), quote.total), (cents(0), cents(13_580)));
    assert_eq!(quote.tax, cents(1_900 + 190 + 78));
}

#[test]
fn what_cannot_be_counted_is_an_error() {
    let dear = |variant| item(variant, 1_000_000, crate::money::PRICE_MAX);
    let items: Vec<_> = (1..=10).map(dear).collect();
    let (tax, shipping, lacks) = (TaxBook::default(), ShippingBook::default(), BTreeSet::new());
    let input = |items| Input {
        currency: Currency::EUR,
        at: noon(),
        items,
        destination: None,
        lacks: &lacks,
        service: None,
        tax: &tax,
        shipping: &shipping,
        sellers: vec![],
        promotions: vec![],
        unknown: vec![],
        customers: vec![],
        account: None,
        orders: 0,
        counters: vec![],
    };
    assert_eq!(quote(&input(items)), Err(MoneyError::Overflow));
    let pounds = Price::new(Money::new(1, Currency::GBP)).unwrap();
    assert_eq!(quote(&input(vec![Item { unit_price: pounds, ..item(1, 1, 1) }])), Err(MoneyError::Currency));
}
