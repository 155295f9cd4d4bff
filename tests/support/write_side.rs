//! A shop without HTTP: a log of its own, an appender, and the process that settles orders.

use byteshop_commands::ports::connected::Provider;
use byteshop_commands::use_cases::cart_total::Agreed;
use byteshop_commands::use_cases::checkout::{self, Hold};
use byteshop_commands::use_cases::sellers::ActsFor;
use byteshop_commands::use_cases::{carts, products, stock};
use byteshop_commands::{
    Appender, Commands, Committed, Connected, Done, Error, Intent, Loaded, Paying, Unit, processes,
};
use byteshop_domain::cart::{self, Cart, Destination};
use byteshop_domain::ids::{AccountId, CartId, Id as _, OrderId, PaymentId, VariantId};
use byteshop_domain::money::{Money, Price};
use byteshop_domain::order::Order;
use byteshop_domain::payment::{CaptureMode, Payment, Stage};
use byteshop_domain::process::settle_order::SettleOrder;
use byteshop_domain::product::{self, Schedule};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::stock::StockLevel;
use byteshop_domain::text::{Country, Sku, Title};
use byteshop_domain::{Actor, Currency};
use byteshop_eventstore::feed::Feed;
use byteshop_eventstore::{Clock, Log};
use chrono::TimeDelta;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::past;
use crate::patience::eventually;
use crate::servers::{data_keys, migrated};

/// The write side of one process of a shop; dropped, it ends.
pub struct WriteSide {
    /// Its log.
    pub log: Log,
    /// Its commands.
    pub commands: Commands,
    _running: JoinSet<()>,
}

/// An order that was just placed.
#[derive(Debug, Clone, Copy)]
pub struct Placed {
    /// The order.
    pub order: OrderId,
    /// Its payment.
    pub payment: PaymentId,
}

/// How long orders of these tests wait for their payment unless they say otherwise.
pub const WINDOW: TimeDelta = TimeDelta::minutes(30);

impl WriteSide {
    /// Starts over a database, which is migrated.
    pub async fn start(database_url: &str) -> Self {
        let log = Log::open(&migrated(database_url).await).unwrap();
        let cancel = CancellationToken::new();
        let feed = Feed::start(log.clone(), None, 0, cancel.clone());
        let offer = feed.clone();
        let committed = move |committed: Committed| offer.offer(committed.events());
        let (appender, appending) = Appender::new(log.clone(), committed, cancel.clone());
        let commands = Commands::new(log.clone(), appender, data_keys(), Connected::emulators());
        let mut running = JoinSet::new();
        running.spawn(appending);
        running.spawn(processes::run::<SettleOrder>(commands.clone(), feed, cancel));
        Self { log, commands, _running: running }
    }

    /// Somebody's intent.
    pub fn intent(&self, command: &'static str) -> Intent {
        let actor = Actor::Admin { id: AccountId::from_uuid(Clock.new_id()) };
        Intent::new(actor, command, Clock.new_id())
    }

    /// A published product with one variant and so much on hand.
    pub async fn product(&self, sku: &str, price: i64, on_hand: i64) -> VariantId {
        let variant = VariantId::from_uuid(Clock.new_id());
        let sku = &Sku::new(sku).unwrap();
        let price = euros(price);
        self.run("product.create", |unit| async move {
            let (title, attributes) = (Title::new("A thing").unwrap(), product::Attributes::default());
            let mut it = {
                let new = products::NewProduct { attributes, ..products::NewProduct::titled(title.clone()) };
                products::create(&unit, new, ActsFor::House).await?
            };
            let options = product::Options::default();
            let details = product::Variant::new(sku.clone(), title, price, options);
            products::add_variant(&unit, &mut it, variant, details).await?;
            products::publish(&unit, &mut it, Schedule::default()).await
        })
        .await
        .unwrap();
        if on_hand > 0 {
            self.receive(variant, on_hand).await;
        }
        variant
    }

    /// Goods come in.
    pub async fn receive(&self, variant: VariantId, quantity: i64) {
        let quantity = Quantity::new(quantity).unwrap();
        self.run("stock.receive", |unit| async move {
            let mut level = unit.load::<StockLevel>(variant).await?;
            stock::receive(&unit, &mut level, quantity, None)
        })
        .await
        .unwrap();
    }

    /// A guest's cart with so much of a variant, ready for checkout. It names a country and has no address, as carts of earlier
    /// versions: so a checkout waits for nobody's key between what it reads and its append.
    pub async fn cart(&self, variant: VariantId, quantity: i64) -> Result<CartId, Error> {
        let quantity = Quantity::new(quantity).unwrap();
        let id = CartId::from_uuid(Clock.new_id());
        let create = cart::Command::Create { owner: None, token_hash: None, currency: Currency::EUR, days: 30 };
        let destination = Destination::to(Country::new("DE").unwrap());
        past::record::<Cart>(&self.log, id, &[create, cart::Command::SetDestination { destination }]).await;
        self.run("cart.set_line", |unit| async move {
            let mut cart = unit.load::<Cart>(id).await?;
            carts::set_line(&unit, &mut cart, variant, quantity).await
        })
        .await?;
        Ok(id)
    }

    /// The cart becomes an order that is to be paid within the window.
    pub async fn check_out(&self, cart: CartId, window: TimeDelta) -> Result<Placed, Error> {
        let done = self
            .run("cart.checkout", |unit| async move {
                let cart = unit.load::<Cart>(cart).await?.exists()?;
                let hold = Hold { pay_within: window, unpaid_orders: 0 };
                let order = checkout::checkout(&unit, cart, hold, Agreed::default()).await?;
                let payment = order.state.live().map(|placed| placed.placement.payment);
                Ok((order.id, payment.expect("it was placed just now")))
            })
            .await?;
        Ok(Placed { order: done.answer.0, payment: done.answer.1 })
    }

    /// Pays an order with a token of the test provider.
    pub async fn pay(&self, order: OrderId, token: &str) -> Result<Done<String>, Error> {
        let stage = |payment: &Loaded<Payment>| format!("{:?}", payment.state.live().map(|it| it.stage));
        let by =
            Paying { provider: Provider::Test, token: Some(token), capture: CaptureMode::Automatic, return_url: None };
        self.commands.pay(&self.intent("payment.attempt"), order, by, |_| Ok(()), stage).await
    }

    /// Carries out a command as an admin.
    pub async fn run<T, F, Fut>(&self, command: &'static str, work: F) -> Result<Done<T>, Error>
    where
        T: serde::Serialize + serde::de::DeserializeOwned + Send,
        F: Fn(Unit) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Error>> + Send,
    {
        self.commands.run(&self.intent(command), work).await
    }

    /// The stock of a variant.
    pub async fn stock(&self, variant: VariantId) -> StockLevel {
        let found = self.commands.get::<StockLevel>(variant).await.unwrap();
        found.map(|it| (*it.state).clone()).unwrap_or_default()
    }

    /// Waits until an order looks as expected.
    pub async fn order_becomes(&self, order: OrderId, expected: impl Fn(&byteshop_domain::order::Placed) -> bool) {
        eventually("an order", || async {
            let found = self.commands.get::<Order>(order).await.unwrap()?;
            found.state.live().ok().filter(|placed| expected(placed)).map(|_| ())
        })
        .await;
    }

    /// Waits until the stock of a variant looks as expected.
    pub async fn stock_becomes(&self, variant: VariantId, on_hand: i64, reserved: i64) {
        eventually("the stock", || async {
            let stock = self.stock(variant).await;
            (stock.on_hand == on_hand && stock.reserved == reserved).then_some(())
        })
        .await;
    }

    /// Waits until a payment is where it is expected.
    pub async fn payment_becomes(&self, payment: PaymentId, expected: impl Fn(Stage) -> bool) {
        eventually("a payment", || async {
            let found = self.commands.get::<Payment>(payment).await.unwrap()?;
            found.state.live().ok().filter(|opened| expected(opened.stage)).map(|_| ())
        })
        .await;
    }
}

/// A price in euro cents.
pub fn euros(amount: i64) -> Price {
    Price::try_from(Money::new(amount, Currency::EUR)).unwrap()
}
