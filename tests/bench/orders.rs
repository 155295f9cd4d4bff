//! A log with many orders, made by the same deciders and the same appender as the shop's.

use std::sync::Arc;

use anyhow::Result;
use byteshop_commands::Appender;
use byteshop_domain::cart::Destination;
use byteshop_domain::ids::{Id as _, OrderId, PaymentId, ProductId, VariantId};
use byteshop_domain::money::{Money, Price};
use byteshop_domain::order::{Buyer, Command, Line, Order, Placement};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::text::{Country, Sku, Title};
use byteshop_domain::{Actor, Asked, Currency, Decider as _, codec};
use byteshop_eventstore::{Append, Clock, Log, Meta, NewEvent, Outcome, StreamId};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Orders that are under way at the same time: as many as a group commit takes.
const AT_ONCE: i64 = 2_000;
/// Events of an order: placed, paid, fulfilled.
pub const EVENTS_EACH: i64 = 3;
/// Different things that are bought.
const VARIANTS: i64 = 500;

/// Appends so many orders, each paid and fulfilled.
pub async fn fill(log: &Log, orders: i64) -> Result<()> {
    let cancel = CancellationToken::new();
    let (appender, appending) = Appender::new(log.clone(), |_| {}, cancel.clone());
    let mut running = JoinSet::new();
    running.spawn(appending);
    let variants: Arc<[VariantId]> = (0..VARIANTS).map(|_| VariantId::from_uuid(Clock.new_id())).collect();
    let mut before = Vec::new();
    let mut number = 0;
    while number < orders || !before.is_empty() {
        let upto = (number + AT_ONCE).min(orders);
        let mut submitted = Vec::new();
        for number in number..upto {
            submitted.push(appender.submit(order(number, &variants)?));
        }
        number = upto;
        // The next ones are made while the ones before are written.
        for one in std::mem::replace(&mut before, submitted) {
            let outcome = one.outcome().await;
            anyhow::ensure!(matches!(outcome, Ok(Outcome::Accepted { .. })), "{outcome:?}");
        }
    }
    cancel.cancel();
    running.join_all().await;
    Ok(())
}

fn order(number: i64, variants: &[VariantId]) -> Result<Append> {
    let id = OrderId::from_uuid(Clock.new_id());
    let payment = PaymentId::from_uuid(Clock.new_id());
    let asked = Asked { at: Clock.now(), by: Actor::System { name: "bench".into() } };
    let place = Command::Place(Box::new(placement(number, payment, variants)?));
    let request_id = Clock.new_id();
    let meta = Meta {
        actor: asked.by.clone(),
        command: "order.place".into(),
        request_id,
        correlation_id: request_id,
        causation: None,
        occurred_at: None,
        trace_id: None,
        client_request_id: None,
    };
    let meta: Arc<str> = serde_json::to_string(&meta)?.into();
    let stream = StreamId::of::<Order>(id);
    let mut append = Append { expect: vec![(stream.clone(), 0)], ..Append::default() };
    let mut state = Order::default();
    for command in [place, Command::MarkPaid { payment, invoice: None, seller: None, keys: vec![] }, Command::Fulfil {}]
    {
        for event in state.decide(&command, &asked)? {
            let encoded = codec::encode(&event)?;
            append.events.push(NewEvent {
                id: Clock.new_id(),
                stream: stream.clone(),
                version: i64::try_from(append.events.len())? + 1,
                event_type: encoded.event_type,
                schema: encoded.schema,
                data: encoded.data,
                meta: Arc::clone(&meta),
                correlation: request_id,
                recorded_at: asked.at,
            });
            state = state.evolve(&event);
        }
    }
    Ok(append)
}

/// One to three lines, as most orders have.
fn placement(number: i64, payment: PaymentId, variants: &[VariantId]) -> Result<Placement> {
    let mut lines = Vec::new();
    for line in 0..=number % 3 {
        let which = usize::try_from((number * 7 + line) % VARIANTS)?;
        let unit_price = Price::try_from(Money::new(999 + number % 50, Currency::EUR))?;
        let quantity = Quantity::new(1 + number % 4)?;
        lines.push(Line {
            variant: variants[which],
            product: ProductId::from_uuid(variants[which].uuid()),
            sku: Sku::new(&format!("SKU-{which}"))?,
            title: Title::new(&format!("Thing {which}"))?,
            quantity,
            unit_price,
            exact_price: None,
            digital: false,
            keys: false,
            amount: unit_price.times(quantity)?,
            discount: None,
            tax: None,
        });
    }
    let total = Money::sum(Currency::EUR, lines.iter().map(|line| line.amount))?;
    Ok(Placement {
        buyer: Buyer::default(),
        cart: None,
        access_hash: None,
        destination: Destination::to(Country::new("DE")?),
        lines,
        total,
        payment,
        pay_by: None,
        reference: None,
        imported: false,
        tax_rounding: byteshop_domain::tax_book::Rounding::Line,
        discounts: vec![],
        shipping: None,
        claims: vec![],
    })
}
