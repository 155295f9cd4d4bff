//! The write side: races, receipts, payments and the process that settles orders.

mod receipts;
mod states;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use byteshop_commands::ports::connected::Provider;
use byteshop_commands::use_cases::stock::{count, lose, receive};
use byteshop_commands::use_cases::{carts, orders, payments};
use byteshop_commands::{At, Commands, Done, Error, Intent, Key, Loaded, Paying, Unit};
use byteshop_domain::aftersales::Wanted;
use byteshop_domain::cart::Cart;
use byteshop_domain::credit_note::CreditNote;
use byteshop_domain::ids::{CartId, Id as _, OrderId};
use byteshop_domain::money::Money;
use byteshop_domain::order::{self, CancelReason, Order, PaymentStatus, Status};
use byteshop_domain::payment::{CaptureMode, Payment, Stage};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::stock::{self, StockLevel};
use byteshop_domain::text::Reason;
use byteshop_domain::{Actor, Currency, codec};
use byteshop_eventstore::{Append, Clock, NewEvent, Outcome, StreamId};
use byteshop_tests::patience::eventually;
use byteshop_tests::servers::fresh_database;
use byteshop_tests::write_side::{WINDOW, WriteSide};
use chrono::TimeDelta;
use futures_util::future::join_all;

fn code(error: &Error) -> &str {
    match error {
        Error::Rejected(rejected) => &rejected.code,
        Error::Replayed(first) => code(first),
        other => panic!("{other:?}"),
    }
}

/// A payment by the emulated provider that succeeds.
fn test_payment(capture: CaptureMode) -> Paying<'static> {
    Paying { provider: Provider::Test, token: Some("tok_success"), capture, return_url: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_buyers_of_the_last_hundred_buy_exactly_those() {
    let shop = Arc::new(WriteSide::start(&fresh_database().await).await);
    let variant = shop.product("HOT-1", 1_000, 100).await;
    let buyers = (0..500).map(|_| {
        let shop = Arc::clone(&shop);
        tokio::spawn(async move {
            let cart = shop.cart(variant, 1).await?;
            shop.check_out(cart, WINDOW).await
        })
    });
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for outcome in join_all(buyers).await {
        let name = match outcome.unwrap() {
            Ok(_) => "placed".to_owned(),
            Err(error) => code(&error).to_owned(),
        };
        *outcomes.entry(name).or_default() += 1;
    }
    assert_eq!(outcomes.get("placed"), Some(&100), "{outcomes:?}");
    assert!(
        outcomes.keys().all(|name| ["placed", "cart.not_enough", "stock.not_enough"].contains(&name.as_str())),
        "{outcomes:?}"
    );
    let stock = shop.stock(variant).await;
    assert_eq!((stock.on_hand, stock.reserved, stock.available()), (100, 100, 0));
}

/// Two processes of one shop sell the same hundred.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_sell_no_more_than_there_is() {
    let url = fresh_database().await;
    let (one, two) = (Arc::new(WriteSide::start(&url).await), Arc::new(WriteSide::start(&url).await));
    let variant = one.product("HOT-2", 1_000, 20).await;
    let buyers = (0..60).map(|number| {
        let shop = Arc::clone(if number % 2 == 0 { &one } else { &two });
        tokio::spawn(async move {
            let cart = shop.cart(variant, 1).await?;
            shop.check_out(cart, WINDOW).await
        })
    });
    let placed = join_all(buyers).await.into_iter().filter(|outcome| matches!(outcome, Ok(Ok(_)))).count();
    assert_eq!(placed, 20);
    assert_eq!(one.stock(variant).await.reserved, 20);
    assert_eq!(two.stock(variant).await.reserved, 20);
}

/// The double checkout of ACIDRain (Warszawski and Bailis, SIGMOD 2017): one cart, many checkouts at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cart_checked_out_many_times_at_once_becomes_one_order() {
    let shop = Arc::new(WriteSide::start(&fresh_database().await).await);
    let variant = shop.product("ONE-1", 500, 50).await;
    let cart = shop.cart(variant, 2).await.unwrap();
    let attempts = (0..50).map(|_| {
        let shop = Arc::clone(&shop);
        tokio::spawn(async move { shop.check_out(cart, WINDOW).await })
    });
    let outcomes: Vec<_> = join_all(attempts).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(
        outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).all(|error| code(error) == "cart.checked_out")
    );
    assert_eq!(shop.stock(variant).await.reserved, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_set_while_the_cart_is_checked_out_is_in_the_order_or_refused() {
    let shop = Arc::new(WriteSide::start(&fresh_database().await).await);
    let variant = shop.product("RACE-1", 500, 1_000).await;
    for _ in 0..20 {
        let cart = shop.cart(variant, 1).await.unwrap();
        let (checkout, change) = tokio::join!(
            shop.check_out(cart, WINDOW),
            shop.run("cart.set_line", |unit| async move {
                let mut cart = unit.load::<Cart>(cart).await?;
                carts::set_line(&unit, &mut cart, variant, Quantity::new(7).unwrap()).await
            })
        );
        let order = shop.commands.get::<Order>(checkout.unwrap().order).await.unwrap().unwrap();
        let bought = order.state.live().unwrap().placement.lines[0].quantity.get();
        match change {
            Ok(_) => assert_eq!(bought, 7),
            Err(error) => assert_eq!((code(&error), bought), ("cart.checked_out", 1)),
        }
    }
}

#[tokio::test]
async fn a_paid_order_takes_its_goods_off_the_stock() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let variant = shop.product("PAY-1", 1_999, 10).await;
    let cart = shop.cart(variant, 3).await.unwrap();
    let placed = shop.check_out(cart, WINDOW).await.unwrap();
    assert_eq!(shop.stock(variant).await.available(), 7);
    let done = shop.pay(placed.order, "tok_success").await.unwrap();
    assert_eq!(done.answer, "Ok(Captured)");
    shop.order_becomes(placed.order, |order| order.progress.payment_status == PaymentStatus::Paid).await;
    shop.stock_becomes(variant, 7, 0).await;
    let again = shop.pay(placed.order, "tok_success").await.unwrap_err();
    assert_eq!(code(&again), "order.already_paid");
}

#[tokio::test]
async fn a_declined_payment_may_be_tried_again_and_ends_after_five() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let variant = shop.product("PAY-2", 1_999, 10).await;
    let placed = shop.check_out(shop.cart(variant, 1).await.unwrap(), WINDOW).await.unwrap();
    for _ in 0..4 {
        assert_eq!(shop.pay(placed.order, "tok_declined").await.unwrap().answer, "Ok(Open)");
    }
    shop.pay(placed.order, "tok_insufficient_funds").await.unwrap();
    shop.order_becomes(placed.order, |order| order.progress.cancelled == Some(CancelReason::PaymentFailed)).await;
    shop.stock_becomes(variant, 10, 0).await;
}

#[tokio::test]
async fn an_order_whose_payment_fails_or_is_left_can_be_paid_by_another_attempt() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let variant = shop.product("PAY-3", 1_999, 10).await;
    for (token, left) in [("tok_failure", 8), ("tok_cancelled", 6), ("tok_pending_failure", 4)] {
        let placed = shop.check_out(shop.cart(variant, 2).await.unwrap(), WINDOW).await.unwrap();
        shop.pay(placed.order, token).await.unwrap();
        shop.payment_becomes(placed.payment, |stage| stage == Stage::Open).await;
        shop.order_becomes(placed.order, |order| order.progress.payment_status == PaymentStatus::Awaiting).await;
        shop.pay(placed.order, "tok_success").await.unwrap();
        shop.order_becomes(placed.order, |order| order.progress.payment_status == PaymentStatus::Paid).await;
        shop.stock_becomes(variant, left, 0).await;
    }
}

#[tokio::test]
async fn an_answer_that_comes_late_or_gets_lost_is_found_by_asking() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let variant = shop.product("PAY-4", 1_999, 10).await;
    for token in ["tok_pending_success", "tok_timeout"] {
        let placed = shop.check_out(shop.cart(variant, 1).await.unwrap(), WINDOW).await.unwrap();
        shop.pay(placed.order, token).await.unwrap();
        shop.order_becomes(placed.order, |order| order.progress.payment_status == PaymentStatus::Paid).await;
    }
    shop.stock_becomes(variant, 8, 0).await;
}

#[tokio::test]
async fn an_order_that_nobody_pays_is_cancelled_by_its_timer() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let variant = shop.product("PAY-5", 1_999, 3).await;
    let placed = shop.check_out(shop.cart(variant, 3).await.unwrap(), TimeDelta::seconds(1)).await.unwrap();
    shop.order_becomes(placed.order, |order| order.progress.cancelled == Some(CancelReason::PaymentWindowPassed)).await;
    shop.stock_becomes(variant, 3, 0).await;
    shop.payment_becomes(placed.payment, |stage| matches!(stage, Stage::Voided { .. })).await;
}

#[tokio::test]
async fn money_that_comes_after_the_cancellation_goes_back() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let variant = shop.product("PAY-6", 1_999, 3).await;
    let placed = shop.check_out(shop.cart(variant, 1).await.unwrap(), WINDOW).await.unwrap();
    shop.pay(placed.order, "tok_pending_success").await.unwrap();
    cancel(&shop, placed.order).await;
    shop.payment_becomes(placed.payment, |stage| matches!(stage, Stage::Voided { .. } | Stage::Refunded)).await;
    shop.order_becomes(placed.order, |order| order.progress.status == Status::Cancelled).await;
    shop.stock_becomes(variant, 3, 0).await;
}

#[tokio::test]
async fn a_paid_order_that_is_cancelled_is_refunded_and_its_goods_come_back() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let variant = shop.product("PAY-7", 1_999, 3).await;
    let placed = shop.check_out(shop.cart(variant, 2).await.unwrap(), WINDOW).await.unwrap();
    shop.pay(placed.order, "tok_success").await.unwrap();
    shop.stock_becomes(variant, 1, 0).await;
    cancel(&shop, placed.order).await;
    shop.order_becomes(placed.order, |order| order.progress.payment_status == PaymentStatus::Refunded).await;
    shop.payment_becomes(placed.payment, |stage| stage == Stage::Refunded).await;
    shop.stock_becomes(variant, 3, 0).await;
}

/// A credit note that was decided a moment ago is in no log yet, and the order names it already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_credited_just_now_is_not_credited_again() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let variant = shop.product("CREDIT", 1_000, 100).await;
    let (seven, why) = (Money::new(7, Currency::EUR), Reason::new("a scratch").unwrap());
    let why = &why;
    for _ in 0..95 {
        let placed = shop.check_out(shop.cart(variant, 1).await.unwrap(), WINDOW).await.unwrap();
        shop.pay(placed.order, "tok_success").await.unwrap();
        shop.order_becomes(placed.order, order::Placed::is_paid).await;
        let give = shop.run("payment.refund", |unit| async move {
            let mut payment = unit.load::<Payment>(placed.payment).await?;
            let wanted = Wanted { reason: why, keys: &[], part: None, to_credit: false };
            payments::refund(&unit, &mut payment, seven, &wanted).await
        });
        let call_off = shop.run("order.cancel", |unit| async move {
            let mut order = unit.load::<Order>(placed.order).await?;
            orders::cancel(&unit, &mut order, CancelReason::StaffRequest, true).await
        });
        let (given, off) = tokio::join!(give, call_off);
        off.unwrap();
        // All that is left goes back by itself, or has.
        let refused = ["order.cancelled", "payment.too_much_refunded"];
        assert!(given.is_ok() || given.is_err_and(|error| refused.contains(&code(&error))));
        let order = shop.commands.get::<Order>(placed.order).await.unwrap().unwrap();
        let mut credited = 0;
        for note in &order.state.live().unwrap().credit_notes {
            let note = shop.commands.get::<CreditNote>(*note).await.unwrap().unwrap();
            credited += note.state.issued().unwrap().total.amount;
        }
        assert_eq!(credited, 1_000, "what was paid, and no more");
    }
}

async fn cancel(shop: &WriteSide, order: OrderId) {
    shop.run("order.cancel", |unit| async move {
        let mut order = unit.load::<Order>(order).await?;
        orders::cancel(&unit, &mut order, CancelReason::StaffRequest, true).await
    })
    .await
    .unwrap();
}

fn keyed(key: &str, body: &str) -> Intent {
    let actor = Actor::System { name: "test".into() };
    let key = Key { who: "me".into(), key: key.into(), fingerprint: body.into(), kept_for: None };
    Intent { key: Some(key), ..Intent::new(actor, "cart.create", Clock.new_id()) }
}

async fn create_cart(commands: &Commands, intent: &Intent) -> Result<Done<String>, Error> {
    let create = commands.run(intent, |unit| async move {
        let cart = carts::open_cart_of_guest(&unit, None, Currency::EUR, 30)?;
        Ok(cart.id.to_string())
    });
    create.await
}

async fn discard_cart(commands: &Commands, intent: &Intent, cart: CartId) -> Result<Done<()>, Error> {
    let discard = commands.run(intent, |unit| async move {
        let mut cart = unit.load::<Cart>(cart).await?.exists()?;
        carts::discard(&unit, &mut cart)
    });
    discard.await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_repeated_with_its_key_is_answered_as_the_first_time() {
    let url = fresh_database().await;
    let (here, there) = (WriteSide::start(&url).await, WriteSide::start(&url).await);
    let first = create_cart(&here.commands, &keyed("k", "a")).await.unwrap();
    assert!(!first.replayed);
    for commands in [&here.commands, &there.commands] {
        let again = create_cart(commands, &keyed("k", "a")).await.unwrap();
        assert_eq!(
            (again.answer.as_str(), again.position, again.replayed),
            (first.answer.as_str(), first.position, true)
        );
        let other = create_cart(commands, &keyed("k", "b")).await;
        assert!(matches!(other, Err(Error::KeyReused)), "{other:?}");
    }
    assert_eq!(here.log.head().await.unwrap(), 1);

    // A refusal is the first answer too, even when it would be granted now.
    let unknown = CartId::from_uuid(Clock.new_id());
    let refused = discard_cart(&here.commands, &keyed("r", "a"), unknown).await.unwrap_err();
    assert_eq!(code(&refused), "cart.missing");
    let known: CartId = first.answer.parse().unwrap();
    let again = discard_cart(&there.commands, &keyed("r", "a"), known).await.unwrap_err();
    assert_eq!(code(&again), "cart.missing");
    assert_eq!(here.log.head().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_with_one_key_one_is_carried_out() {
    let url = fresh_database().await;
    let (here, there) = (Arc::new(WriteSide::start(&url).await), Arc::new(WriteSide::start(&url).await));
    let tasks = (0..40).map(|number| {
        let shop = Arc::clone(if number % 2 == 0 { &here } else { &there });
        tokio::spawn(async move { create_cart(&shop.commands, &keyed("k", "a")).await })
    });
    let mut answers = std::collections::BTreeSet::new();
    for outcome in join_all(tasks).await {
        match outcome.unwrap() {
            Ok(done) => drop(answers.insert(done.answer)),
            Err(Error::InFlight) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(answers.len(), 1);
    assert_eq!(here.log.head().await.unwrap(), 1);
}

#[tokio::test]
async fn a_process_that_knows_an_old_state_refuses_nothing_wrongly() {
    let url = fresh_database().await;
    let (here, there) = (WriteSide::start(&url).await, WriteSide::start(&url).await);
    let variant = here.product("OLD-1", 100, 1).await;
    assert_eq!(
        there.cart(variant, 5).await.map_err(|error| code(&error).to_owned()),
        Err("stock.not_enough".to_owned())
    );
    here.receive(variant, 9).await;
    there.cart(variant, 5).await.unwrap();
}

/// A version that another process wrote looks like the one that was decided on, and is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_decided_on_a_refused_append_is_refused_with_it() {
    let shop = Arc::new(WriteSide::start(&fresh_database().await).await);
    let variant = shop.product("ABA-1", 100, 10).await;
    let stream = StreamId::of::<StockLevel>(variant);
    let seen = shop.commands.get::<StockLevel>(variant).await.unwrap().unwrap().version;

    // While another process holds the log, five come in, and twelve of the fifteen are lost in the next batch.
    let mut held = shop.log.pool().begin().await.unwrap();
    sqlx::query("select position from log.head for update").execute(&mut *held).await.unwrap();
    let change = |change: fn(&Unit, &mut Loaded<StockLevel>) -> Result<(), Error>| {
        let (shop, decided) = (Arc::clone(&shop), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&decided);
        let task = tokio::spawn(async move {
            let counted = &counted;
            shop.run("stock.change", |unit| async move {
                let mut level = unit.load::<StockLevel>(variant).await?;
                let outcome = change(&unit, &mut level);
                counted.fetch_add(1, Ordering::Relaxed);
                outcome
            })
            .await
        });
        (task, decided)
    };
    let (received, _) = change(|unit, level| receive(unit, level, Quantity::new(5).unwrap(), None));
    eventually("an append that waits", async || {
        let waits: bool = sqlx::query_scalar(
            "select exists (select from pg_stat_activity where datname = current_database()
                and wait_event_type = 'Lock' and query like '%log.append(%')",
        )
        .fetch_one(shop.log.pool())
        .await
        .unwrap();
        waits.then_some(())
    })
    .await;
    let (lost, decided) = change(|unit, level| lose(unit, level, Quantity::new(12).unwrap(), None));
    eventually("the loss is decided", async || (decided.load(Ordering::Relaxed) > 0).then_some(())).await;

    // The other process takes the version that the first of them expects to write: five are lost.
    let event = codec::encode(&stock::Event::Lost { quantity: Quantity::new(5).unwrap(), reason: None }).unwrap();
    let meta = serde_json::json!({
        "actor": {"kind": "system", "name": "test"}, "command": "stock.lose",
        "request_id": Clock.new_id(), "correlation_id": Clock.new_id(),
    });
    let event = NewEvent {
        id: Clock.new_id(),
        stream: stream.clone(),
        version: seen + 1,
        event_type: event.event_type,
        schema: event.schema,
        data: event.data,
        meta: meta.to_string().into(),
        correlation: Clock.new_id(),
        recorded_at: Clock.now(),
    };
    let other = Append { expect: vec![(stream, seen)], events: vec![event], receipt: None };
    let outcomes = byteshop_eventstore::append::append(&mut held, &[other]).await.unwrap();
    assert!(matches!(outcomes[0], Outcome::Accepted { .. }));
    held.commit().await.unwrap();

    received.await.unwrap().unwrap();
    assert_eq!(code(&lost.await.unwrap().unwrap_err()), "stock.not_enough");
    assert_eq!(shop.stock(variant).await.on_hand, 10);
}

#[tokio::test]
async fn an_aggregate_can_be_seen_as_it_was() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let variant = shop.product("PAST-1", 100, 5).await;
    let then = shop.log.head().await.unwrap();
    let moment = Clock.now();
    shop.receive(variant, 5).await;
    for at in [At::Position(then), At::Moment(moment), At::Version(2)] {
        let was = shop.commands.get_at::<StockLevel>(variant, at).await.unwrap().unwrap();
        assert_eq!(was.state.on_hand, 5, "{at:?}");
    }
    assert_eq!(shop.stock(variant).await.on_hand, 10);
    assert!(shop.commands.get_at::<StockLevel>(variant, At::Position(0)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_version_that_was_not_seen_is_refused() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let variant = shop.product("MATCH-1", 100, 5).await;
    let count = |seen: i64| {
        let intent = Intent { if_match: Some(vec![seen]), ..shop.intent("stock.count") };
        let commands = shop.commands.clone();
        async move {
            commands
                .run(&intent, |unit| async move {
                    let mut level = unit.load_matching::<StockLevel>(variant).await?;
                    count(&unit, &mut level, 4)
                })
                .await
        }
    };
    assert!(matches!(count(1).await, Err(Error::Version { current: 2 })));
    count(2).await.unwrap();
}

#[tokio::test]
async fn a_cancelled_order_takes_no_money() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let variant = shop.product("PAY-8", 1_999, 3).await;
    let placed = shop.check_out(shop.cart(variant, 1).await.unwrap(), WINDOW).await.unwrap();
    cancel(&shop, placed.order).await;
    assert_eq!(code(&shop.pay(placed.order, "tok_success").await.unwrap_err()), "order.cancelled");
    shop.payment_becomes(placed.payment, |stage| matches!(stage, Stage::Voided { .. })).await;
}

/// A refusal that is told again is a refusal; taken for anything else, it would hold up the process for ever.
#[tokio::test]
async fn a_process_that_starts_again_from_the_beginning_settles_what_is_new() {
    let url = fresh_database().await;
    let shop = WriteSide::start(&url).await;
    let variant = shop.product("PAY-9", 1_999, 3).await;
    let placed = shop.check_out(shop.cart(variant, 2).await.unwrap(), WINDOW).await.unwrap();
    shop.pay(placed.order, "tok_success").await.unwrap();
    cancel(&shop, placed.order).await;
    shop.stock_becomes(variant, 3, 0).await;
    drop(shop);
    let log = byteshop_eventstore::Log::open(&url).unwrap();
    sqlx::query("delete from log.process").execute(log.pool()).await.unwrap();
    let shop = WriteSide::start(&url).await;
    let placed = shop.check_out(shop.cart(variant, 1).await.unwrap(), WINDOW).await.unwrap();
    shop.pay(placed.order, "tok_success").await.unwrap();
    shop.stock_becomes(variant, 2, 0).await;
}

#[tokio::test]
async fn a_key_of_a_payment_is_used_up_by_a_refusal_too() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let variant = shop.product("PAY-10", 1_999, 3).await;
    let placed = shop.check_out(shop.cart(variant, 1).await.unwrap(), WINDOW).await.unwrap();
    let pay = |order: OrderId, body: &str| {
        let (commands, intent) = (shop.commands.clone(), keyed("p", body));
        async move {
            commands.pay(&intent, order, test_payment(CaptureMode::Automatic), |_| Ok(()), |_| String::new()).await
        }
    };
    let unknown = OrderId::from_uuid(Clock.new_id());
    assert_eq!(code(&pay(unknown, "a").await.unwrap_err()), "order.missing");
    assert!(matches!(pay(placed.order, "b").await, Err(Error::KeyReused)));
}

#[tokio::test]
async fn an_order_that_was_seen_otherwise_is_not_paid() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let variant = shop.product("PAY-11", 1_999, 3).await;
    let placed = shop.check_out(shop.cart(variant, 1).await.unwrap(), WINDOW).await.unwrap();
    let intent = Intent { if_match: Some(vec![9]), ..shop.intent("payment.pay") };
    let paid = shop
        .commands
        .pay(&intent, placed.order, test_payment(CaptureMode::Automatic), |_| Ok(()), |_| String::new())
        .await;
    assert!(matches!(paid, Err(Error::Version { current: 1 })), "{paid:?}");
}
