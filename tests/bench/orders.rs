//! A log with many orders, made by the same deciders and the same appender as the shop's.

use std::sync::Arc;

use anyhow::Result;
use byteshop_commands::Appender;
use byteshop_domain::cart::Destination;
use byteshop_domain::ids::{Id as _, OrderId, PaymentId, ProductId, VariantId};
use byteshop_domain::money::{Money, Price};
use byteshop_domain::order::{Buyer, Command, Line, Order, Placement};
use byteshop_domain::payment::{self, Payment};
use byteshop_domain::pricing::LineTax;
use byteshop_domain::product::TaxClass;
use byteshop_domain::quantity::Quantity;
use byteshop_domain::tax_rate::TaxRate;
use byteshop_domain::text::{Country, Reference, Sku, Title};
use byteshop_domain::{Actor, Asked, Currency, Decider, codec};
use byteshop_eventstore::{Append, Clock, Log, Meta, NewEvent, Outcome, StreamId};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Orders that are under way at the same time: as many as a group commit takes.
const AT_ONCE: i64 = 2_000;
/// Events of an order: placed, paid, fulfilled.
pub const EVENTS_EACH: i64 = 3;
/// Different things that are bought.
const VARIANTS: i64 = 500;

/// Different things to buy.
pub fn variants() -> Arc<[VariantId]> {
    (0..VARIANTS).map(|_| VariantId::from_uuid(Clock.new_id())).collect()
}

/// Appends so many orders, each made from its number.
pub async fn fill(log: &Log, orders: i64, make: impl Fn(i64) -> Result<Append>) -> Result<()> {
    let cancel = CancellationToken::new();
    let (appender, appending) = Appender::new(log.clone(), |_| {}, cancel.clone());
    let mut running = JoinSet::new();
    running.spawn(appending);
    let mut before = Vec::new();
    let mut number = 0;
    while number < orders || !before.is_empty() {
        let upto = (number + AT_ONCE).min(orders);
        let mut submitted = Vec::new();
        for number in number..upto {
            submitted.push(appender.submit(make(number)?));
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

/// An order that is paid and fulfilled.
pub fn order(number: i64, variants: &[VariantId]) -> Result<Append> {
    let (id, payment) = (OrderId::from_uuid(Clock.new_id()), PaymentId::from_uuid(Clock.new_id()));
    let commands = [
        Command::Place(Box::new(placement(number, payment, variants, None)?)),
        Command::MarkPaid { payment, invoice: None, seller: None, invoices: vec![], keys: vec![] },
        Command::Fulfil {},
    ];
    let mut append = Append::default();
    add::<Order>(&mut append, id, &commands)?;
    Ok(append)
}

/// An order that is taxed and paid, and its payment, which is captured.
pub fn sale(number: i64, variants: &[VariantId]) -> Result<Append> {
    let (id, payment) = (OrderId::from_uuid(Clock.new_id()), PaymentId::from_uuid(Clock.new_id()));
    let placement = placement(number, payment, variants, Some(TaxRate::new(190_000)?))?;
    let (amount, reference) = (placement.total, Reference::new("bench")?);
    let mut append = Append::default();
    let paid = Command::MarkPaid { payment, invoice: None, seller: None, invoices: vec![], keys: vec![] };
    add::<Order>(&mut append, id, &[Command::Place(Box::new(placement)), paid])?;
    let record = payment::Command::Record { order: id, amount, reference };
    add::<Payment>(&mut append, payment, &[record])?;
    Ok(append)
}

/// Decides commands on an aggregate that does not exist, and adds its events.
fn add<A: Decider>(append: &mut Append, id: A::Id, commands: &[A::Command]) -> Result<()> {
    let asked = Asked { at: Clock.now(), by: Actor::System { name: "bench".into() } };
    let request_id = Clock.new_id();
    let meta = Meta {
        actor: asked.by.clone(),
        command: "bench".into(),
        request_id,
        correlation_id: request_id,
        causation: None,
        occurred_at: None,
        trace_id: None,
        client_request_id: None,
    };
    let meta: Arc<str> = serde_json::to_string(&meta)?.into();
    let stream = StreamId::of::<A>(id);
    append.expect.push((stream.clone(), 0));
    let (mut state, mut version) = (A::default(), 0);
    for command in commands {
        for event in state.decide(command, &asked).map_err(|rejection| anyhow::anyhow!("{rejection}"))? {
            version += 1;
            let encoded = codec::encode(&event)?;
            append.events.push(NewEvent {
                id: Clock.new_id(),
                stream: stream.clone(),
                version,
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
    Ok(())
}

/// One to three lines, as most orders have, perhaps with a tax in their prices.
fn placement(number: i64, payment: PaymentId, variants: &[VariantId], rate: Option<TaxRate>) -> Result<Placement> {
    let mut lines = Vec::new();
    for line in 0..=number % 3 {
        let which = usize::try_from((number * 7 + line) % VARIANTS)?;
        let unit_price = Price::try_from(Money::new(999 + number % 50, Currency::EUR))?;
        let quantity = Quantity::new(1 + number % 4)?;
        let amount = unit_price.times(quantity)?;
        lines.push(Line {
            variant: variants[which],
            product: ProductId::from_uuid(variants[which].uuid()),
            sku: Sku::new(&format!("SKU-{which}"))?,
            title: Title::new(&format!("Thing {which}"))?,
            quantity,
            unit_price,
            exact_price: None,
            digital: false,
            commission: None,
            keys: false,
            downloads: false,
            gift_cards: false,
            seller: None,
            amount,
            discount: None,
            tax: rate.map(|rate| tax(rate, amount)).transpose()?,
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
        part_shipping: vec![],
        tax_rounding: byteshop_domain::tax_book::Rounding::Line,
        discounts: vec![],
        shipping: None,
        claims: vec![],
    })
}

fn tax(rate: TaxRate, amount: Money) -> Result<LineTax> {
    Ok(LineTax { class: TaxClass::Standard, rate, included: true, amount: rate.within(amount)? })
}
