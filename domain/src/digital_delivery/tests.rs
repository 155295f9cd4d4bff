//! Rules of digital goods, stock and payments together.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::decider::{Actor, Asked};
use crate::digital_good::Limits;
use crate::fold;
use crate::product;
use crate::testing::{id, noon, pieces, price, text};

fn variant_id() -> VariantId {
    id(3)
}

fn work(physical: bool) -> Work {
    let asked = Asked { at: noon(), by: Actor::System { name: "test".to_owned() } };
    let mut work = Work::new(asked, None, Uuid::nil);
    let details = product::Variant {
        physical,
        ..product::Variant::new(text("APP-1"), text("App"), price(500), product::Options::default())
    };
    let created = product::Event::Created {
        title: text("App"),
        description: text(""),
        category: None,
        attributes: BTreeMap::new(),
        seller: None,
    };
    let added = product::Event::VariantAdded { variant: variant_id(), details };
    work.hold::<Product>(id(4), Arc::new(fold(&[created, added])));
    let opened = stock::Event::Opened { product: id(4), sku: text("APP-1") };
    work.hold::<StockLevel>(variant_id(), Arc::new(fold(&[opened])));
    work.begin::<DigitalGood>(digital_good::id(variant_id()));
    work
}

fn limit(work: &mut Work, downloads: u32) -> Result<(), Refused> {
    let limits = Limits { days: None, downloads: Some(downloads) };
    change(work, id(4), variant_id(), &Command::SetLimits(limits))
}

fn granted(work: &mut Work, order: u128) -> Option<u32> {
    let lines = [Demand { variant: variant_id(), quantity: pieces(1) }];
    let download = download::id(id(order), variant_id());
    work.begin::<Download>(download);
    let buyer = Buyer::Account(id(9));
    work.begin::<Subscribers>(subscribers::part_of(variant_id(), buyer));
    grant(work, id(order), buyer, &lines).unwrap();
    let subscribers = work.get::<Subscribers>(subscribers::part_of(variant_id(), buyer)).unwrap();
    assert_eq!(subscribers.buyers[&buyer], [id(order)]);
    work.get::<Download>(download).unwrap().limits.downloads
}

#[test]
fn the_first_change_opens_the_good_and_its_stock_has_no_limit() {
    let mut work = work(false);
    limit(&mut work, 5).unwrap();
    let stock = work.get::<StockLevel>(variant_id()).unwrap();
    assert!(stock.downloadable && stock.unlimited);
    assert_eq!(work.get::<DigitalGood>(digital_good::id(variant_id())).unwrap().product, Some(id(4)));
}

#[test]
fn without_a_link_it_is_not_sold() {
    let mut work = work(false);
    let available = |work: &Work| work.get::<StockLevel>(variant_id()).unwrap().available();
    limit(&mut work, 5).unwrap();
    assert_eq!(available(&work), 0);
    let link = || Some(crate::Personal::new(crate::personal::Subject(Uuid::nil()), "AA"));
    change(&mut work, id(4), variant_id(), &Command::SetLink { link: link() }).unwrap();
    assert_eq!(available(&work), stock::ON_HAND_MAX);
    change(&mut work, id(4), variant_id(), &Command::SetLink { link: None }).unwrap();
    assert_eq!(available(&work), 0);
}

#[test]
fn physical_items_are_not_downloaded() {
    assert_eq!(limit(&mut work(true), 5), Err(Rejection::Physical.into()));
}

#[test]
fn later_limits_hold_for_later_orders() {
    let mut work = work(false);
    limit(&mut work, 5).unwrap();
    assert_eq!(granted(&mut work, 1), Some(5));
    limit(&mut work, 2).unwrap();
    assert_eq!(granted(&mut work, 2), Some(2));
    assert_eq!(work.get::<Download>(download::id(id(1), variant_id())).unwrap().limits.downloads, Some(5));
}
