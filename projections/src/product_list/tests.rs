//! Folds of product_list.

use byteshop_domain::Currency;
use byteshop_domain::ids::Id as _;
use byteshop_domain::money::Price;
use byteshop_domain::product::{self, VariantChange};
use uuid::Uuid;

use super::*;
use crate::testing::{event, rows, text};

fn variant(number: u128) -> VariantId {
    VariantId::from_uuid(Uuid::from_u128(number))
}

fn price(amount: i64, currency: Currency) -> Price {
    Price::new(Money::new(amount, currency)).unwrap()
}

fn added(number: u128, amount: i64) -> Event {
    Event::VariantAdded {
        variant: variant(number),
        details: product::Variant::new(
            text(&format!("MUG-{number}")),
            text("Mug"),
            price(amount, Currency::EUR),
            product::Options::new(),
        ),
    }
}

fn created() -> Event {
    Event::Created {
        title: text("Mug"),
        description: text("A mug"),
        category: None,
        attributes: product::Attributes::new(),
        seller: None,
    }
}

fn row(history: &[Event]) -> Row {
    let rows = rows::<ProductList>(history.iter().map(|it| event::<Product>(1, it)).collect());
    rows.into_values().next().unwrap()
}

#[test]
fn a_row_has_what_the_product_itself_has() {
    let category = Some(CategoryId::from_uuid(Uuid::from_u128(8)));
    let history = [
        created(),
        added(1, 500),
        added(2, 700),
        Event::Published {},
        Event::Revised { title: Some(text("Cup")), description: None, category: Some(category), attributes: None },
        Event::VariantRevised {
            variant: variant(2),
            change: VariantChange { title: Some(text("Big")), ..VariantChange::default() },
        },
        Event::PriceSet { variant: variant(2), price: price(100, Currency::EUR), compare_at: None, from: None },
        Event::Unpublished {},
        Event::VariantRemoved { variant: variant(2), sku: text("MUG-2") },
        Event::Archived {},
    ];
    for length in 1..=history.len() {
        let row = row(&history[..length]);
        let product: Product = byteshop_domain::fold(&history[..length]);
        let product = product.live().unwrap();
        assert_eq!(
            (row.status, &row.title, &row.description, row.category, &row.attributes),
            (product.status, &product.title, &product.description, product.category, &product.attributes)
        );
        let variants = row.variants.iter().map(|it| (it.id, it.details()));
        assert_eq!(variants.collect::<BTreeMap<_, _>>(), product.variants);
    }
}

#[test]
fn the_range_of_prices_follows_the_variants() {
    let eur = |amount| Some(Money::new(amount, Currency::EUR));
    let range = |history: &[Event]| {
        let row = row(history);
        (row.price_min, row.price_max)
    };
    assert_eq!(range(&[created()]), (None, None));
    assert_eq!(range(&[created(), added(1, 500), added(2, 700)]), (eur(500), eur(700)));
    // One yen is not less than five euros.
    let yen = Event::PriceSet { variant: variant(1), price: price(1, Currency::JPY), compare_at: None, from: None };
    assert_eq!(range(&[created(), added(1, 500), added(2, 700), yen]), (eur(500), eur(700)));
}
