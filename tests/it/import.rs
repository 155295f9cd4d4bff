//! The import of real orders, on an excerpt of a retailer's year: every line and every penny, once.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use byteshop_commands::import::{Export, FileError, History, Pace, Report, Total};
use byteshop_domain::ids::{Id as _, VariantId};
use byteshop_domain::name::{NameKind, UniqueName};
use byteshop_domain::order::{Fulfilment, Order, PaymentStatus, Placed, Status};
use byteshop_domain::stock::StockLevel;
use byteshop_domain::text::Label;
use byteshop_domain::{Actor, AnyEvent, Decider as _, name, order};
use byteshop_eventstore::{Clock, Log};
use byteshop_tests::past;
use byteshop_tests::patience::eventually;
use byteshop_tests::servers::fresh_database;
use byteshop_tests::write_side::WriteSide;
use proptest::prelude::*;

const EXCERPT: &str = include_str!("../data/online_retail_excerpt.csv");
const COLUMNS: &str = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n";
/// So little under way that an import can be stopped in the middle.
const SLOW: Pace = Pace { appends: 8, events: 100 };

fn history(text: &str) -> History {
    History::of(Export::of_bytes(text.as_bytes().to_vec()).unwrap())
}

async fn import(shop: &WriteSide, text: &str) -> Report {
    shop.commands.import(history(text), Pace::default(), &|_| ()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_imports_is_the_actor_of_what_is_imported() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let by = Actor::Operator { name: "alice".to_owned() };
    shop.commands.import(history(EXCERPT).by(by.clone()), Pace::default(), &|_| ()).await.unwrap();
    let page = shop.log.read_log(0, 1_000).await.unwrap();
    assert!(!page.is_empty() && page.iter().all(|event| event.meta().unwrap().actor == by));
}

/// What the events say, without what is new in every import: their ids, when they were recorded, by which request.
async fn content(log: &Log) -> Vec<(String, uuid::Uuid, i64, String, String, Option<String>)> {
    sqlx::query_as(
        "select category, stream, version, type, data::text, meta->>'occurred_at' from log.event
         order by category, stream, version",
    )
    .fetch_all(log.pool())
    .await
    .unwrap()
}

#[tokio::test]
async fn the_excerpt_is_imported_to_the_penny() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let report = import(&shop, EXCERPT).await;
    assert_eq!((report.lines, report.imported, report.known, report.products), (1_266, 1_262, 0, 790));
    assert_eq!((report.orders.documents, report.orders.lines, report.orders.amount), (77, 1_190, Total(2_994_011)));
    assert_eq!(
        (report.credit_notes.documents, report.credit_notes.lines, report.credit_notes.amount),
        (44, 65, Total(-1_195_568))
    );
    assert_eq!((report.losses.documents, report.losses.lines, report.losses.amount), (7, 7, Total(0)));
    assert_eq!((report.rejected().lines, report.rejected().amount), (4, Total(-13_617_845)));
    assert_eq!(report.amount, Total(-11_819_402));
    assert_eq!(shop.log.head().await.unwrap(), i64::try_from(report.events).unwrap());
}

/// The log says the same as the report: what was ordered, what came back, and that no stock ever went below zero.
#[tokio::test]
async fn the_log_holds_what_the_file_says() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let report = import(&shop, EXCERPT).await;
    let (mut sold, mut given_back, mut returned) = (0, 0, 0);
    let mut stock = std::collections::HashMap::<_, StockLevel>::new();
    let mut orders = std::collections::HashMap::<_, Order>::new();
    let mut after = 0;
    loop {
        let page = shop.log.read_log(after, 1_000).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.position;
        for recorded in page {
            assert!(recorded.occurred_at() < recorded.recorded_at, "{recorded:?}");
            match AnyEvent::decode(
                &recorded.category,
                recorded.stream,
                &recorded.event_type,
                recorded.schema,
                &recorded.data,
            ) {
                Ok(AnyEvent::Order(id, event)) => {
                    match &event {
                        order::Event::Placed(placement) => sold += i128::from(placement.total.amount),
                        order::Event::Returned { amount, .. } => returned += i128::from(amount.amount),
                        _ => {}
                    }
                    let order = orders.remove(&id).unwrap_or_default();
                    orders.insert(id, order.evolve(&event));
                }
                Ok(AnyEvent::Stock(id, event)) => {
                    let level = stock.remove(&id).unwrap_or_default().evolve(&event);
                    assert!(level.on_hand >= 0 && level.available() >= 0, "{id}: {level:?}");
                    stock.insert(id, level);
                }
                Ok(AnyEvent::CreditNote(_, byteshop_domain::credit_note::Event::Issued(content))) => {
                    given_back += i128::from(content.total.amount);
                }
                Ok(_) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert_eq!((Total(sold), Total(-given_back)), (report.orders.amount, report.credit_notes.amount));
    assert!(returned > 0 && returned <= given_back, "{returned} of {given_back}");
    assert!(stock.values().all(|level| level.reserved == 0));
    for order in orders.values() {
        let placed = order.live().unwrap();
        assert!(placed.placement.imported && placed.progress.status == Status::Completed, "{placed:?}");
        assert_ne!(placed.progress.payment_status, PaymentStatus::Awaiting);
        assert_eq!(placed.progress.fulfilment == Fulfilment::Fulfilled, placed.returned.is_empty());
        // Credit notes name variants, and take it that all lines of one are taxed alike.
        assert!(placed.placement.lines.iter().all(|line| line.tax.is_none()) && placed.invoiced.is_empty());
    }
    let has_one_twice = |placed: &Placed| placed.variants().len() < placed.placement.lines.len();
    assert!(orders.values().any(|order| order.live().is_ok_and(has_one_twice)));
}

#[tokio::test]
async fn a_second_import_appends_nothing() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let first = import(&shop, EXCERPT).await;
    let head = shop.log.head().await.unwrap();
    let second = import(&shop, EXCERPT).await;
    assert_eq!(shop.log.head().await.unwrap(), head);
    assert_eq!((second.imported, second.known, second.products, second.events), (0, first.imported, 0, 0));
    assert_eq!((second.orders, second.credit_notes, second.losses), (first.orders, first.credit_notes, first.losses));
    assert_eq!(second.rejects, first.rejects);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_was_killed_goes_on_as_if_it_had_not_been() {
    let whole = WriteSide::start(&fresh_database().await).await;
    import(&whole, EXCERPT).await;
    let url = fresh_database().await;
    for lines in [0, 200, 700, 1_100] {
        // Dropped in the middle of whatever it does, its appender too.
        let shop = WriteSide::start(&url).await;
        let settled = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&settled);
        let (commands, text) = (shop.commands.clone(), history(EXCERPT));
        let importing = tokio::spawn(async move {
            commands.import(text, SLOW, &move |lines| seen.store(lines, Ordering::Relaxed)).await.map(|_| ())
        });
        eventually("some of the lines", || async {
            (settled.load(Ordering::Relaxed) > lines || shop.log.head().await.unwrap() > 0 && lines == 0).then_some(())
        })
        .await;
        importing.abort();
        drop(shop);
    }
    let shop = WriteSide::start(&url).await;
    let report = import(&shop, EXCERPT).await;
    assert!(report.known > 700 && report.known + report.imported == 1_262, "{report:?}");
    assert_eq!(content(&shop.log).await, content(&whole.log).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_imports_at_once_import_every_line_once() {
    let url = fresh_database().await;
    let (one, two) = (WriteSide::start(&url).await, WriteSide::start(&url).await);
    let run = |shop: &WriteSide| {
        let commands = shop.commands.clone();
        async move { commands.import(history(EXCERPT), SLOW, &|_| ()).await.unwrap() }
    };
    let (first, second) = tokio::join!(run(&one), run(&two));
    assert_eq!(first.imported + second.imported, 1_262);
    assert_eq!((first.amount, first.orders), (second.amount, second.orders));
    assert_eq!(one.log.head().await.unwrap(), i64::try_from(first.events + second.events).unwrap());
}

/// A shop that is open, another process, moves the same stock meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_shop_and_an_import_share_the_streams() {
    let url = fresh_database().await;
    let (shop, other) = (WriteSide::start(&url).await, WriteSide::start(&url).await);
    let variant = byteshop_commands::import::variant_of("21523");
    let (settled, seen) = tokio::sync::watch::channel(0);
    let receiving = tokio::spawn(async move {
        let (mut seen, mut received) = (seen, 0);
        // Between any two steps of the import, until it ends.
        while seen.changed().await.is_ok() {
            other.receive(variant, 1).await;
            received += 1;
        }
        received
    });
    let lines: Vec<String> =
        (1..300).map(|number| format!("{number},21523,MAT,2,2010-01-01 10:00:00,5.95,,EIRE\n")).collect();
    let lines = lines.concat();
    let progress = |lines| {
        settled.send_replace(lines);
    };
    let report = shop.commands.import(history(&format!("{COLUMNS}{lines}")), SLOW, &progress).await.unwrap();
    drop(settled);
    assert_eq!((report.imported, report.orders.amount), (299, Total(299 * 1_190)));
    let received = receiving.await.unwrap();
    assert!(received > 0);
    // The opening balance covers what was sold, so what came in meanwhile is left.
    assert_eq!(shop.stock(variant).await.on_hand, received);
}

#[tokio::test]
async fn what_cannot_be_imported_is_told_line_by_line() {
    let shop = WriteSide::start(&fresh_database().await).await;
    shop.product("TAKEN", 500, 3).await;
    let text = format!(
        "{COLUMNS}1,A,LAMP,2,2010-01-01 10:00:00,1.00,7,EIRE\n\
         1,TAKEN,LAMP,2,2010-01-01 10:00:00,1.00,7,EIRE\n\
         1,A,\"LAMP,2,2010-01-01 10:00:00,1.00,7,EIRE\n\
         \n\
         A9,B,Adjust bad debt,1,2010-01-01 10:00:00,-12.50,,EIRE\n\
         C8,M,Manual,1,2010-01-01 10:00:00,3.00,,EIRE\n\
         2,A,LAMP,1,2010-01-01 10:00:00,1.00,7,EIRE,more\n\
         1,B,SHADE,3,2010-01-01 10:01:00,0.335,7,EIRE"
    );
    let report = import(&shop, &text).await;
    let told: Vec<(u64, &str)> = report.rejects.iter().map(|reject| (reject.line, reject.reason.as_ref())).collect();
    assert_eq!(
        told,
        [
            (3, "the SKU belongs to another product of the shop"),
            (4, "a quotation mark is missing or in the wrong place"),
            (5, "the line is empty"),
            (6, "an accounting adjustment is not a sale"),
            (7, "a cancellation must have a negative quantity"),
            (8, "the line has 9 columns instead of 8"),
        ]
    );
    assert_eq!((report.imported, report.lines, report.orders.amount), (2, 8, Total(200 + 101)));
    assert_eq!(report.amount, Total(200 + 200 - 1_250 + 300 + 101));
    let again = import(&shop, &text).await;
    assert_eq!((again.known, again.events, &again.rejects), (2, 0, &report.rejects));
}

#[tokio::test]
async fn an_invoice_with_other_content_is_not_imported_again() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let line = "1,A,LAMP,2,2010-01-01 10:00:00,1.00,7,EIRE\n";
    import(&shop, &format!("{COLUMNS}{line}")).await;
    let head = shop.log.head().await.unwrap();
    let changed = import(&shop, &format!("{COLUMNS}{}", line.replace(",2,", ",3,"))).await;
    assert_eq!(changed.rejects[0].reason, "imported earlier with different content");
    assert_eq!((changed.imported, shop.log.head().await.unwrap()), (0, head));
}

/// A second export of the same retailer goes on with the same products; stock that it needs and is not there is opened.
#[tokio::test]
async fn another_export_goes_on_with_the_same_products() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let sale = |invoice: u32, quantity: u32, price: &str| {
        format!("{invoice},A,LAMP,{quantity},2010-01-0{invoice} 10:00:00,{price},7,EIRE\n")
    };
    import(&shop, &format!("{COLUMNS}{}", sale(1, 5, "1.00"))).await;
    let report = import(&shop, &format!("{COLUMNS}{}{}", sale(1, 5, "1.00"), sale(2, 4, "1.20"))).await;
    assert_eq!((report.known, report.imported, report.products), (1, 1, 0));
    let variant = byteshop_commands::import::variant_of("A");
    assert_eq!(shop.stock(variant).await.on_hand, 0);
    let held = shop.commands.get::<name::UniqueName>(name::id(name::NameKind::Sku, "A")).await.unwrap().unwrap();
    assert!(matches!(&*held.state, name::UniqueName::Held { owner, .. } if *owner == variant.to_string()));
}

#[test]
fn a_file_that_is_no_export_is_refused_as_a_whole() {
    let of = |bytes: &[u8]| Export::read(bytes).unwrap_err();
    let gzip = |text: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text).unwrap();
        packed.finish().unwrap()
    };
    assert!(matches!(of(b""), FileError::Empty));
    assert!(matches!(of(b"Invoice,StockCode\n1,2\n"), FileError::Columns { .. }));
    assert!(matches!(of(b"\x89PNG\r\n\x1a\n"), FileError::Encoding));
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(COLUMNS.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert!(matches!(of(&utf16), FileError::Encoding));
    assert!(matches!(of(&utf16[2..]), FileError::Encoding));
    let packed = gzip(EXCERPT.as_bytes());
    assert_eq!(History::of(Export::read(packed.as_slice()).unwrap()).lines(), 1_266);
    assert!(matches!(of(&packed[..packed.len() / 2]), FileError::CutOff));
    assert!(matches!(of(&packed[..5]), FileError::CutOff));
    let mut damaged = packed.clone();
    damaged[packed.len() / 2] ^= 0x55;
    damaged[packed.len() / 2 + 1] ^= 0x55;
    assert!(matches!(of(&damaged), FileError::Damaged(_) | FileError::CutOff));
    assert!(matches!(of(&gzip(b"")), FileError::Empty));
}

proptest! {
    #[test]
    fn any_bytes_are_an_export_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300), packed in any::<bool>()) {
        let bytes = if packed { [&[0x1f, 0x8b], bytes.as_slice()].concat() } else { bytes };
        let _ = Export::read(bytes.as_slice());
    }
}

/// A SKU that an earlier version claimed in another form of Unicode is held by its variant all the same.
#[tokio::test]
async fn a_code_that_is_held_in_another_form_gets_no_second_variant() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let (id, text) = (name::id(NameKind::Sku, "85123e\u{301}"), Label::new("85123e\u{301}").unwrap());
    let owner = VariantId::from_uuid(Clock.new_id()).to_string();
    past::record::<UniqueName>(&shop.log, id, &[name::Command::Claim { kind: NameKind::Sku, text, owner }]).await;
    let line = "500001,85123\u{e9},CUP,1,2010-12-01 08:26:00,2.55,17850,United Kingdom\n";
    let report = import(&shop, &format!("{COLUMNS}{line}")).await;
    assert_eq!((report.products, report.imported, report.rejected().lines), (0, 0, 1));
}
