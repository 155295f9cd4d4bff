//! The states that the importer keeps in memory, and how it reads them from the log.

use std::collections::{HashMap, HashSet};

use byteshop_domain::Decider;
use byteshop_domain::ids::{Id, NameId, OrderId, PaymentId, ProductId, VariantId};
use byteshop_domain::name::UniqueName;
use byteshop_domain::order::Order;
use byteshop_domain::product::Product;
use byteshop_domain::stock::StockLevel;
use byteshop_eventstore::read::PAGE;
use byteshop_eventstore::{Log, StoreError, StreamId};
use uuid::Uuid;

use super::draft::Held;
use super::history::{Code, Invoice};
use crate::engine::error::Error;
use crate::use_cases::products::sku_names;

/// Namespace of the ids of what is imported; any fixed number would do, and it can never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x2d1c_53a0_9e0b_4d7e_8a53_61f0_7b8e_90c4);
/// Streams that are read at once: their pages together stay below some twenty megabytes.
const READ_AT_ONCE: usize = 32;

/// An id that a text always gets again: UUID version 5 (RFC 9562, section 5.5).
pub fn id_of<I: Id>(text: &str) -> I {
    I::from_uuid(Uuid::new_v5(&NAMESPACE, format!("{}:{text}", I::PREFIX).as_bytes()))
}

/// The ids that belong to a stock code.
#[derive(Debug, Clone, Copy)]
pub struct CodeIds {
    /// The product.
    pub product: ProductId,
    /// The product's only variant.
    pub variant: VariantId,
}

impl CodeIds {
    /// The ids of a code.
    pub fn of(code: &Code) -> Self {
        Self { product: id_of(code.sku.as_str()), variant: id_of(code.sku.as_str()) }
    }
}

/// The order of a document.
pub fn order_of(invoice: &Invoice) -> OrderId {
    id_of(invoice.reference.as_str())
}

/// The payment of a document.
pub fn payment_of(invoice: &Invoice) -> PaymentId {
    id_of(invoice.reference.as_str())
}

/// The aggregates by the places of codes and documents in the history.
#[derive(Debug, Default)]
pub struct Book {
    /// The name of each code.
    pub names: Vec<Held<UniqueName>>,
    /// The stock of each code.
    pub stock: Vec<Held<StockLevel>>,
    /// The product of each code.
    pub products: Vec<Held<Product>>,
    /// The orders from which something comes back; no other is looked at again.
    pub orders: HashMap<usize, Held<Order>>,
}

impl Book {
    /// A book in which only the names of the codes are known.
    pub fn new(names: Vec<Held<UniqueName>>) -> Self {
        let codes = names.len();
        let mut book = Self { names, ..Self::default() };
        book.stock.resize_with(codes, Held::default);
        book.products.resize_with(codes, Held::default);
        book
    }

    /// Reads the stock and the products of some codes.
    pub async fn read_codes(&mut self, log: &Log, ids: &[CodeIds], codes: &[u32]) -> Result<(), Error> {
        let of = |code: &u32| ids[*code as usize];
        let variants: Vec<VariantId> = codes.iter().map(|code| of(code).variant).collect();
        let products: Vec<ProductId> = codes.iter().map(|code| of(code).product).collect();
        let products = read_states::<Product>(log, &products).await?;
        // Last, since an open shop moves the stock all the time.
        let stock = read_states::<StockLevel>(log, &variants).await?;
        for ((code, stock), product) in codes.iter().zip(stock).zip(products) {
            self.stock[*code as usize] = stock;
            self.products[*code as usize] = product;
        }
        Ok(())
    }

    /// Reads the orders of some documents.
    pub async fn read_orders(&mut self, log: &Log, orders: &[(usize, OrderId)]) -> Result<(), Error> {
        let ids: Vec<OrderId> = orders.iter().map(|(_, id)| *id).collect();
        let states = read_states::<Order>(log, &ids).await?;
        self.orders.extend(orders.iter().map(|(place, _)| *place).zip(states));
        Ok(())
    }
}

/// Reads many aggregates from the log, in the order of their ids.
pub async fn read_states<A: Decider>(log: &Log, ids: &[A::Id]) -> Result<Vec<Held<A>>, Error> {
    let mut states: Vec<Held<A>> = Vec::with_capacity(ids.len());
    for some in ids.chunks(READ_AT_ONCE) {
        let first = states.len();
        states.resize_with(first + some.len(), Held::default);
        let places: HashMap<Uuid, usize> = some.iter().map(|id| id.uuid()).zip(first..).collect();
        let mut open: Vec<A::Id> = some.to_vec();
        while !open.is_empty() {
            let wanted: Vec<(StreamId, i64)> =
                open.iter().map(|id| (StreamId::of::<A>(*id), states[places[&id.uuid()]].version)).collect();
            let before: Vec<i64> = wanted.iter().map(|(_, version)| *version).collect();
            for recorded in log.read_many(&wanted, PAGE).await?.into_iter().flatten() {
                let Some(held) = places.get(&recorded.stream).map(|place| &mut states[*place]) else { continue };
                let event = byteshop_domain::codec::decode(&recorded.event_type, recorded.schema, &recorded.data)
                    .map_err(|source| StoreError::Unreadable { position: recorded.position, source })?;
                held.version = recorded.version;
                held.state = std::mem::take(&mut held.state).evolve(&event);
            }
            let mut before = before.into_iter();
            // A page that is not full was the last one of its stream.
            open.retain(|id| before.next().is_some_and(|version| states[places[&id.uuid()]].version - version == PAGE));
        }
    }
    Ok(states)
}

/// The codes whose name was ours and is free again, though their product is there.
pub async fn look_up_given_up(log: &Log, names: &[Held<UniqueName>], ids: &[CodeIds]) -> Result<HashSet<u32>, Error> {
    let was_held = |name: &Held<UniqueName>| name.version > 0 && name.state == UniqueName::Free;
    let codes: Vec<u32> = (0u32..).zip(names).filter(|(_, name)| was_held(name)).map(|(code, _)| code).collect();
    let variants: Vec<_> = codes.iter().map(|code| ids[*code as usize].variant).collect();
    let stock = read_states::<StockLevel>(log, &variants).await?;
    Ok(codes.into_iter().zip(stock).filter(|(_, stock)| stock.version > 0).map(|(code, _)| code).collect())
}

/// The names of the codes, as they stand in the log: the one that is claimed today, or one of earlier days that is held.
pub async fn look_up_names(log: &Log, codes: &[Code]) -> Result<Vec<Held<UniqueName>>, Error> {
    let forms: Vec<Vec<NameId>> = codes.iter().map(|code| sku_names(&code.sku).collect()).collect();
    let mut names = read_states::<UniqueName>(log, &forms.iter().map(|names| names[0]).collect::<Vec<_>>()).await?;
    let earlier = forms.iter().enumerate().flat_map(|(code, names)| names[1..].iter().map(move |name| (code, *name)));
    let (codes, earlier): (Vec<usize>, Vec<NameId>) = earlier.unzip();
    for (code, name) in codes.into_iter().zip(read_states::<UniqueName>(log, &earlier).await?) {
        if names[code].state == UniqueName::Free && name.state != UniqueName::Free {
            names[code] = name;
        }
    }
    Ok(names)
}
