//! The objects that belong to a person: found from their account, their orders, and the lists about them.

use byteshop_commands::Error;
use byteshop_domain::Decider as _;
use byteshop_domain::account::{self, Account};
use byteshop_domain::cart::Cart;
use byteshop_domain::credit_note::CreditNote;
use byteshop_domain::download::{self, Download};
use byteshop_domain::ids::{AccountId, CartId, Id as _, OrderId, PaymentId, ReturnId, ShipmentId, WatchId};
use byteshop_domain::notification::Notification;
use byteshop_domain::order::Order;
use byteshop_domain::payment::Payment;
use byteshop_domain::returns::Return;
use byteshop_domain::session::Session;
use byteshop_domain::shipment::Shipment;
use byteshop_domain::stored_value::StoredValue;
use byteshop_domain::watch::{self, Watch};
use byteshop_eventstore::read::{Filter, PAGE};
use byteshop_eventstore::{Recorded, StreamId};
use byteshop_projections::notification_list;
use byteshop_projections::order_list;
use byteshop_projections::page::{Ask as PageAsk, LIMIT_MAX};

use crate::app::Shared;
use crate::edge::problem::Problem;
use crate::http::notifications::Watching;

/// Orders that are looked at together.
const CHUNK: usize = 100;

/// The ids of the objects that belong to a person.
#[derive(Default)]
pub(super) struct Belongings {
    /// Every one that they ever had, the oldest first.
    pub(super) carts: Vec<CartId>,
    /// The newest first.
    pub(super) orders: Vec<OrderId>,
    pub(super) payments: Vec<PaymentId>,
    pub(super) shipments: Vec<ShipmentId>,
    pub(super) returns: Vec<ReturnId>,
    pub(super) watches: Vec<Watching>,
    /// As their list has them, the newest first.
    pub(super) notifications: Vec<String>,
    /// All of whose events are theirs, the account first.
    pub(super) streams: Vec<StreamId>,
    /// Their events on streams that they share with others.
    pub(super) watching: Vec<Recorded>,
}

impl Belongings {
    pub(super) async fn of(app: &Shared, id: AccountId) -> Result<Self, Problem> {
        let mut it = Self { streams: vec![StreamId::of::<Account>(id)], ..Self::default() };
        it.streams.extend(sessions_ever(app, id).await?);
        it.carts = app.commands.carts_of(id).await?;
        it.streams.extend(it.carts.iter().copied().map(StreamId::of::<Cart>));
        it.orders = orders_of(app, id).await?;
        it.look_at_orders(app).await?;
        it.look_at_notifications(app, id).await?;
        it.look_at_watches(app, id).await?;
        it.streams.extend(app.views.credit_of(id).await?.into_iter().map(StreamId::of::<StoredValue>));
        Ok(it)
    }

    /// Finds the objects that belong to the orders.
    async fn look_at_orders(&mut self, app: &Shared) -> Result<(), Error> {
        let orders = self.orders.clone();
        for some in orders.chunks(CHUNK) {
            for (order, found) in some.iter().zip(app.commands.get_all::<Order>(some).await?) {
                self.streams.push(StreamId::of::<Order>(*order));
                let Some(found) = found else { continue };
                let Ok(placed) = found.state.live() else { continue };
                let placement = &placed.placement;
                self.payments.push(placement.payment);
                self.shipments.extend(placed.parcels.keys().copied());
                self.returns.extend(placed.returns.iter().copied());
                self.streams.push(StreamId::of::<Payment>(placement.payment));
                let cart = placement.cart.filter(|cart| !self.carts.contains(cart));
                self.streams.extend(cart.map(StreamId::of::<Cart>));
                self.streams.extend(placed.parcels.keys().copied().map(StreamId::of::<Shipment>));
                self.streams.extend(placed.returns.iter().copied().map(StreamId::of::<Return>));
                let downloads = placed.downloadable().into_iter().map(|line| download::id(*order, line.variant));
                self.streams.extend(downloads.map(StreamId::of::<Download>));
                self.streams.extend(placed.credit_notes.iter().copied().map(StreamId::of::<CreditNote>));
            }
        }
        Ok(())
    }

    async fn look_at_notifications(&mut self, app: &Shared, id: AccountId) -> Result<(), Problem> {
        let mut cursor = None;
        loop {
            let ask = PageAsk { limit: Some(LIMIT_MAX), cursor, ..PageAsk::default() };
            let query = notification_list::Query { account: Some(id), status: None, ask };
            let page = app.views.notification_list(&query).await?;
            self.streams.extend(page.rows()?.iter().map(|row| StreamId::of::<Notification>(row.id)));
            self.notifications.extend_from_slice(page.texts());
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    /// Only the person's own events of a product's watchers are included, because the other watchers are confidential.
    async fn look_at_watches(&mut self, app: &Shared, id: AccountId) -> Result<(), Error> {
        let filter =
            Filter { categories: vec![Watch::CATEGORY.to_owned()], actor: Some(id.to_string()), ..Filter::default() };
        let mut after = 0;
        loop {
            let page = app.commands.log().read_filtered(after, PAGE, &filter).await?;
            let last = i64::try_from(page.len()) != Ok(PAGE);
            after = page.last().map_or(after, |event| event.position);
            self.watching.extend(page);
            if last {
                break;
            }
        }
        let mut watches: Vec<WatchId> = self.watching.iter().map(|event| WatchId::from_uuid(event.stream)).collect();
        watches.sort_unstable();
        watches.dedup();
        for (watch, found) in watches.iter().zip(app.commands.get_all::<Watch>(&watches).await?) {
            let Some(found) = found else { continue };
            let watching = Watching::of(watch::product(*watch), id, &found.state);
            if !watching.on.is_empty() {
                self.watches.push(watching);
            }
        }
        Ok(())
    }
}

/// The orders of an account, the newest first.
async fn orders_of(app: &Shared, id: AccountId) -> Result<Vec<OrderId>, Problem> {
    let mut orders = Vec::new();
    let mut cursor = None;
    loop {
        let ask = PageAsk { limit: Some(LIMIT_MAX), cursor, ..PageAsk::default() };
        let query = order_list::Query { account: Some(id), ask, ..order_list::Query::default() };
        let page = app.views.order_list(&query).await?;
        orders.extend(page.rows()?.iter().map(|row| row.id));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(orders);
        }
    }
}

/// Every session that an account has had.
async fn sessions_ever(app: &Shared, id: AccountId) -> Result<Vec<StreamId>, Error> {
    let session = |event| {
        if let account::Event::LoggedIn { session } = event { Some(StreamId::of::<Session>(session)) } else { None }
    };
    app.commands.gather::<Account, _>(id, session).await
}
