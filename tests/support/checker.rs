//! What must be true of a log whatever was killed while it was written: read once from end to end, and judged; and that the
//! provider's books say the same of the money.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use byteshop_domain::credit_note;
use byteshop_domain::ids::{Id as _, OrderId, PaymentId, SeriesId, VariantId};
use byteshop_domain::money::Money;
use byteshop_domain::order::{self, Order, PaymentStatus, Placed};
use byteshop_domain::payment::{self, Payment, RefundStage};
use byteshop_domain::series::{self, Document};
use byteshop_domain::stock::{self, StockLevel};
use byteshop_domain::text::Reference;
use byteshop_domain::{AnyEvent, Decider as _};
use byteshop_eventstore::emulator::{Books, Charge};
use byteshop_eventstore::{Log, Recorded};
use uuid::Uuid;

/// Events in a page.
const PAGE: i64 = 1_000;
/// Breaches that are told; the first ones say what is wrong.
const SHOWN: usize = 20;

/// Everything that a log says, and everything in it that must not be.
#[derive(Debug, Default)]
pub struct History {
    /// The last position that was read.
    pub head: i64,
    /// Events by their id.
    pub ids: HashMap<Uuid, i64>,
    /// The positions that carry what a client called its request.
    pub requests: HashMap<Uuid, Vec<i64>>,
    /// The command of each event; its index is its position − 1.
    commands: Vec<String>,
    versions: HashMap<(String, Uuid), i64>,
    stocks: BTreeMap<VariantId, Stock>,
    orders: BTreeMap<OrderId, Sold>,
    payments: BTreeMap<PaymentId, Charged>,
    receipts: HashMap<String, Vec<ReceiptRow>>,
    /// The last number of each series of documents.
    series: BTreeMap<SeriesId, i64>,
    invoices: BTreeMap<OrderId, Reference>,
    /// The sum of the credit notes for each order, in minor units.
    credited: BTreeMap<OrderId, i64>,
    breaches: Vec<String>,
}

/// A receipt in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRow {
    /// Whose it is.
    pub who: String,
    /// The key.
    pub key: String,
    /// The first position of its events.
    pub first_position: Option<i64>,
    /// The last position of its events.
    pub last_position: Option<i64>,
}

byteshop_eventstore::from_row!(ReceiptRow { who, key, first_position, last_position });

/// What came in and went out of a stock.
#[derive(Debug, Default)]
struct Stock {
    level: StockLevel,
    received: i64,
    lost: i64,
    returned: i64,
    committed: i64,
    counted: bool,
    reserved_by: BTreeSet<OrderId>,
    ended: BTreeMap<OrderId, &'static str>,
    returned_by: BTreeSet<OrderId>,
}

/// An order and how often it was paid.
#[derive(Debug, Default)]
struct Sold {
    state: Order,
    placed: u32,
    paid: u32,
    cancelled: u32,
}

/// A payment and how often money moved.
#[derive(Debug, Default)]
struct Charged {
    state: Payment,
    captured: u32,
    refunded: i64,
    amount: Option<Money>,
    /// Every attempt that was ever written down.
    attempts: BTreeSet<String>,
}

impl History {
    /// Reads the receipts that there are, then the whole log, which may grow meanwhile.
    ///
    /// # Panics
    /// When they cannot be read.
    pub async fn read(log: &Log) -> Self {
        let mut history = Self::default();
        history.read_on(log).await;
        history
    }

    /// Reads all receipts, and what the log has become since the last reading.
    ///
    /// # Panics
    /// When they cannot be read.
    pub async fn read_on(&mut self, log: &Log) {
        let receipts: Vec<ReceiptRow> =
            sqlx::query_as("select who, key, first_position, last_position from log.receipt order by last_position")
                .fetch_all(log.pool())
                .await
                .unwrap();
        let before = log.head().await.unwrap();
        loop {
            let page = log.read_log(self.head, PAGE).await.unwrap();
            if page.is_empty() {
                break;
            }
            for event in &page {
                self.take(event);
            }
        }
        let after = log.head().await.unwrap();
        if !(before..=after).contains(&self.head) {
            let what = format!("the head went from {before} to {after}, and the log has {}", self.head);
            self.breach(what);
        }
        self.take_receipts(receipts);
    }

    /// The receipts under a key.
    pub fn receipts(&self, key: &str) -> &[ReceiptRow] {
        self.receipts.get(key).map_or(&[], Vec::as_slice)
    }

    /// The command that wrote a position.
    pub fn command_at(&self, position: i64) -> Option<&str> {
        usize::try_from(position - 1).ok().and_then(|index| self.commands.get(index)).map(String::as_str)
    }

    /// The orders that were placed.
    pub fn orders(&self) -> usize {
        self.orders.len()
    }

    /// The orders that are neither paid nor cancelled.
    pub fn open_orders(&self) -> Vec<OrderId> {
        let awaiting = |sold: &Sold| {
            sold.state.live().is_ok_and(|it| {
                matches!(it.progress.payment_status, PaymentStatus::Awaiting | PaymentStatus::RefundDue)
            })
        };
        self.orders.iter().filter(|(_, sold)| awaiting(sold)).map(|(id, _)| *id).collect()
    }

    /// How many pieces of a variant ever came in.
    pub fn received(&self, variant: VariantId) -> i64 {
        self.stocks.get(&variant).map_or(0, |stock| stock.received)
    }

    /// Whether money is still to go back: it was taken for an order that is off, or the provider is yet to do it.
    pub fn has_debts(&self) -> bool {
        let on_its_way = |money: &Charged| money.state.live().is_ok_and(|it| it.pending_refunds().next().is_some());
        self.payments.values().any(on_its_way)
            || self.orders.values().filter_map(|sold| sold.state.live().ok()).any(|placed| {
                let taken = self.payments.get(&placed.placement.payment).filter(|payment| payment.captured > 0);
                placed.progress.payment_status == PaymentStatus::Voided
                    && taken.is_some_and(|payment| payment.refunded < placed.payable().amount)
            })
    }

    /// Whether anything is promised to an order.
    pub fn has_reservations(&self) -> bool {
        self.stocks.values().any(|stock| stock.level.reserved != 0)
    }

    /// Notes something else that must not be.
    pub fn breach(&mut self, what: String) {
        self.breaches.push(what);
    }

    /// # Panics
    /// When anything is there that must not be.
    pub fn assert_sound(&self) {
        let shown = self.breaches.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n  ");
        assert!(self.breaches.is_empty(), "{} breaches in {} events:\n  {shown}", self.breaches.len(), self.head);
    }

    /// Judges what must be true once every process has done its work: nothing is held, owed or waited for.
    pub fn judge_at_rest(&mut self) {
        let mut found = Vec::new();
        for (id, sold) in &self.orders {
            let Ok(placed) = sold.state.live() else {
                found.push(format!("{id} has events and was never placed"));
                continue;
            };
            let issued = placed.invoice.is_some() || !placed.invoices.is_empty();
            if (sold.paid > 0) != issued || self.invoices.get(id) != placed.invoice.as_ref() {
                let numbered = self.invoices.get(id);
                found
                    .push(format!("{id} was paid {} times, says {:?} and has {numbered:?}", sold.paid, placed.invoice));
            }
            let payment = self.payments.get(&placed.placement.payment);
            let (captured, refunded) = payment.map_or((0, 0), |it| (it.captured, it.refunded));
            let all = placed.payable().amount;
            let right = match placed.progress.payment_status {
                // The money of what was delivered may be recorded at any time.
                PaymentStatus::OnDelivery => (captured, refunded) == (0, 0),
                PaymentStatus::Awaiting | PaymentStatus::Authorized | PaymentStatus::RefundDue => {
                    found.push(format!(
                        "{id} is stuck: {:?}, {:?}",
                        placed.progress.status, placed.progress.payment_status
                    ));
                    continue;
                }
                PaymentStatus::Paid => (captured, refunded) == (1, 0),
                PaymentStatus::PartlyRefunded => captured == 1 && 0 < refunded && refunded < all,
                PaymentStatus::Refunded => (captured, refunded) == (1, all),
                PaymentStatus::Voided => (captured, refunded) == (1, all) || (captured, refunded) == (0, 0),
            };
            if !right {
                found.push(format!(
                    "{id} is {:?}, and was captured {captured} times, of which {refunded} of {all} went back",
                    placed.progress.payment_status
                ));
            }
            if captured == 1 && payment.and_then(|it| it.amount) != Some(placed.payable()) {
                found.push(format!("{id} costs {:?}, and {payment:?} was taken", placed.placement.total));
            }
            for line in &placed.placement.lines {
                found.extend(self.judge_line(*id, placed.progress.payment_status, line.variant));
            }
            found.extend(self.judge_credit(*id, placed));
        }
        for (variant, stock) in &self.stocks {
            if stock.level.reserved != 0 {
                found.push(format!(
                    "{variant} has {} reserved for {:?}",
                    stock.level.reserved, stock.level.reservations
                ));
            }
        }
        self.breaches.extend(found);
    }

    /// Judges what the provider took and gave back: every charge is an attempt of an order, in its amount, none is kept twice
    /// or for nothing, and nothing was given back that the shop does not know of, nor the other way round.
    ///
    /// Gives the number of charges.
    ///
    /// # Panics
    /// When the books cannot be read.
    pub async fn judge_books(&mut self, log: &Log) -> usize {
        let charges = Books::beside(log).all().await.unwrap();
        let mut found = Vec::new();
        let mut of_payment: BTreeMap<PaymentId, Vec<&Charge>> = BTreeMap::new();
        for charge in &charges {
            let id = PaymentId::from_uuid(charge.payment);
            of_payment.entry(id).or_default().push(charge);
            let known = self.payments.get(&id).filter(|known| known.attempts.contains(&charge.reference));
            let Some(known) = known else {
                found.push(format!("a charge without an attempt of an order: {charge:?}"));
                continue;
            };
            let due = known.state.live().map(payment::Opened::in_money);
            let due = due.map(|due| (due.amount, due.currency.code().to_owned()));
            if due != Ok((charge.amount, charge.currency.clone())) {
                found.push(format!("{due:?} was to be charged: {charge:?}"));
            }
            if charge.refunded > charge.amount {
                found.push(format!("more went back than was taken: {charge:?}"));
            }
            if charge.state == "authorized" {
                found.push(format!("money is set aside for nothing: {charge:?}"));
            }
        }
        for (id, money) in &self.payments {
            let charges = of_payment.get(id).map_or(&[][..], Vec::as_slice);
            let kept = |charge: &&&Charge| charge.state == "captured" && charge.refunded < charge.amount;
            let theirs: i64 = charges.iter().filter(kept).map(|charge| charge.amount - charge.refunded).sum();
            let covered = money.state.live().map_or(0, |opened| opened.covered().amount);
            let taken = money.amount.filter(|_| money.captured > 0).map_or(0, |amount| amount.amount - covered);
            if charges.iter().filter(kept).count() > 1 {
                found.push(format!("{id} was charged twice: {charges:?}"));
            }
            if theirs != taken - money.refunded {
                let ours = taken - money.refunded;
                found
                    .push(format!("{id} has {ours} here and {theirs} at the provider: {:?}, {charges:?}", money.state));
            }
        }
        self.breaches.extend(found);
        charges.len()
    }

    /// What is credited of an order is what went back, or was to and failed; all of it when a paid order is off, and nothing of
    /// one that never had the money.
    fn judge_credit(&self, id: OrderId, placed: &Placed) -> Option<String> {
        let credited = self.credited.get(&id).copied().unwrap_or(0);
        let opened = self.payments.get(&placed.placement.payment).and_then(|money| money.state.live().ok())?;
        let back = opened.refunds.values().filter(|piece| piece.stage != RefundStage::Requested);
        let expected = match placed.progress.payment_status {
            PaymentStatus::Voided | PaymentStatus::Awaiting | PaymentStatus::Authorized | PaymentStatus::OnDelivery => {
                0
            }
            _ if placed.progress.cancelled.is_some() => placed.payable().amount,
            PaymentStatus::Paid
            | PaymentStatus::PartlyRefunded
            | PaymentStatus::Refunded
            | PaymentStatus::RefundDue => back.map(|piece| piece.amount.amount).sum(),
        };
        (credited != expected).then(|| format!("{id}: {credited} are credited where {expected} are due: {opened:?}"))
    }

    /// What an order did to the stock of one of its lines.
    fn judge_line(&self, order: OrderId, status: PaymentStatus, variant: VariantId) -> Option<String> {
        let stock = self.stocks.get(&variant)?;
        let end = (stock.ended.get(&order).copied(), stock.returned_by.contains(&order));
        let right = match status {
            PaymentStatus::Paid => end == (Some("committed"), false),
            PaymentStatus::PartlyRefunded => end.0 == Some("committed"),
            PaymentStatus::Refunded => end == (Some("committed"), true) || end == (Some("released"), false),
            // What is paid on delivery had left the stock.
            PaymentStatus::Voided => end == (Some("released"), false) || end == (Some("committed"), true),
            PaymentStatus::OnDelivery => end.0 == Some("committed"),
            PaymentStatus::Awaiting | PaymentStatus::Authorized | PaymentStatus::RefundDue => true,
        };
        (!right).then(|| format!("{order} is {status:?}, and its pieces of {variant} ended as {end:?}"))
    }

    fn take(&mut self, recorded: &Recorded) {
        let at = recorded.position;
        if at != self.head + 1 {
            self.breach(format!("position {at} follows {}", self.head));
        }
        self.head = at;
        let stream = (recorded.category.clone(), recorded.stream);
        let version = self.versions.entry(stream).or_default();
        *version += 1;
        if *version != recorded.version {
            let what = format!("version {} where {version} was due, at {at}", recorded.version);
            *version = recorded.version;
            self.breach(what);
        }
        if recorded.leaf != recorded.computed_leaf() {
            self.breach(format!("the leaf at {at} is not that of its event"));
        }
        if let Some(before) = self.ids.insert(recorded.id, at) {
            self.breach(format!("the event of {before} is there again at {at}"));
        }
        match recorded.meta() {
            Ok(meta) => {
                if let Some(request) = meta.client_request_id {
                    self.requests.entry(request).or_default().push(at);
                }
                self.commands.push(meta.command);
            }
            // Logs without commands have no such meta.
            Err(_) => self.commands.push(String::new()),
        }
        let event = AnyEvent::decode(
            &recorded.category,
            recorded.stream,
            &recorded.event_type,
            recorded.schema,
            &recorded.data,
        );
        match event {
            Ok(AnyEvent::Stock(id, event)) => self.take_stock(at, id, &event),
            Ok(AnyEvent::Order(id, event)) => self.take_order(at, id, &event),
            Ok(AnyEvent::Payment(id, event)) => self.take_payment(at, id, &event),
            Ok(AnyEvent::Series(id, event)) => self.take_series(at, id, &event),
            Ok(AnyEvent::CreditNote(_, credit_note::Event::Issued(note))) => {
                note.order.into_iter().for_each(|order| *self.credited.entry(order).or_default() += note.total.amount);
            }
            Ok(_) => {}
            Err(_) if recorded.category == "fault" => {}
            Err(error) => self.breach(format!("position {at} cannot be read: {error}")),
        }
    }

    fn take_series(&mut self, at: i64, id: SeriesId, event: &series::Event) {
        let last = self.series.entry(id).or_default();
        let (first, to) = match event {
            series::Event::Issued { number, .. } => (*number, *number),
            series::Event::Skipped { from, to, .. } => (*from, *to),
        };
        if first != *last + 1 || to < first {
            self.breaches.push(format!("{first} to {to} follow number {last} of their series, at {at}"));
        }
        *last = to;
        if let series::Event::Issued { reference, document: Document::Invoice { order, seller: None }, .. } = event
            && let Some(before) = self.invoices.insert(*order, reference.clone())
        {
            self.breach(format!("{order} has the invoices {before} and {reference}, at {at}"));
        }
    }

    fn take_stock(&mut self, at: i64, id: VariantId, event: &stock::Event) {
        let stock = self.stocks.entry(id).or_default();
        let mut found = Vec::new();
        match event {
            stock::Event::Opened { .. }
            | stock::Event::KeysPooled { .. }
            | stock::Event::Downloadable {}
            | stock::Event::Unlimited {}
            | stock::Event::SaleSuspended {}
            | stock::Event::SaleResumed {} => {}
            stock::Event::Received { quantity, .. } => stock.received += quantity.get(),
            stock::Event::Lost { quantity, .. } | stock::Event::Replaced { quantity, .. } => {
                stock.lost += quantity.get();
            }
            stock::Event::LostInTransit { .. } | stock::Event::FoundInTransit { .. } => {}
            stock::Event::Returned { quantity, order, .. } => {
                stock.returned += quantity.get();
                if let Some(order) = order
                    && !stock.returned_by.insert(*order)
                {
                    found.push(format!("{order} gave back its pieces twice, at {at}"));
                }
            }
            stock::Event::Counted { .. } => stock.counted = true,
            stock::Event::Reserved { order, .. } => {
                if !stock.reserved_by.insert(*order) {
                    found.push(format!("{order} reserved twice, at {at}"));
                }
            }
            stock::Event::Committed { order, quantity } => {
                stock.committed += quantity.get();
                if let Some(before) = stock.ended.insert(*order, "committed") {
                    found.push(format!("{order} committed at {at}, and was {before} before"));
                }
            }
            stock::Event::Released { order, .. } => {
                if let Some(before) = stock.ended.insert(*order, "released") {
                    found.push(format!("{order} released at {at}, and was {before} before"));
                }
            }
        }
        stock.level = std::mem::take(&mut stock.level).evolve(event);
        let level = &stock.level;
        if !(0 <= level.reserved && (level.unlimited || level.reserved <= level.on_hand)) {
            found.push(format!("{id} has {} on hand and {} reserved, at {at}", level.on_hand, level.reserved));
        }
        let flow = stock.received + stock.returned - stock.lost - stock.committed;
        if !stock.counted && !level.unlimited && flow != level.on_hand {
            found.push(format!("{id} has {} on hand where {flow} came and stayed, at {at}", level.on_hand));
        }
        self.breaches.extend(found);
    }

    fn take_order(&mut self, at: i64, id: OrderId, event: &order::Event) {
        let sold = self.orders.entry(id).or_default();
        match event {
            order::Event::Placed(_) => sold.placed += 1,
            order::Event::Paid { .. } => sold.paid += 1,
            order::Event::Cancelled { .. } => sold.cancelled += 1,
            order::Event::Authorized { .. }
            | order::Event::Released { .. }
            | order::Event::Fulfilled { .. }
            | order::Event::Completed {}
            | order::Event::LinesCancelled { .. }
            | order::Event::ParcelPrepared { .. }
            | order::Event::ParcelDropped { .. }
            | order::Event::HandedOver { .. }
            | order::Event::Delivered { .. }
            | order::Event::ParcelReturned { .. }
            | order::Event::ParcelLost { .. }
            | order::Event::ParcelFound { .. }
            | order::Event::Replaced { .. }
            | order::Event::ReturnRequested { .. }
            | order::Event::ReturnClosed { .. }
            | order::Event::BuyerForgotten { .. }
            | order::Event::MovedToCart { .. }
            | order::Event::PaymentWindowExtended { .. }
            | order::Event::Noted { .. }
            | order::Event::Credited { .. }
            | order::Event::KeysRevealed { .. }
            | order::Event::Refunded { .. }
            | order::Event::Returned { .. } => {}
        }
        sold.state = std::mem::take(&mut sold.state).evolve(event);
        let times = (sold.placed, sold.paid, sold.cancelled);
        if times.0 != 1 || times.1 > 1 || times.2 > 1 {
            self.breach(format!("{id} was placed, paid and cancelled {times:?} times, at {at}"));
        }
    }

    fn take_payment(&mut self, at: i64, id: PaymentId, event: &payment::Event) {
        let money = self.payments.entry(id).or_default();
        match event {
            payment::Event::Captured { amount, .. } => {
                money.captured += 1;
                money.amount = Some(*amount);
            }
            // Money that was not due was never captured.
            payment::Event::Refunded { cause: Some(payment::RefundCause::NotDue), .. } => {}
            payment::Event::Refunded { to: Some(_), .. } => {}
            payment::Event::Refunded { amount, .. } => money.refunded += amount.amount,
            payment::Event::Attempted { reference, .. } => drop(money.attempts.insert(reference.to_string())),
            payment::Event::Opened { .. }
            | payment::Event::Registered { .. }
            | payment::Event::Authorized { .. }
            | payment::Event::Pended { .. }
            | payment::Event::Unresolved { .. }
            | payment::Event::Declined { .. }
            | payment::Event::Failed { .. }
            | payment::Event::Cancelled { .. }
            | payment::Event::Reduced { .. }
            | payment::Event::StrayReleased { .. }
            | payment::Event::StrayUnresolved { .. }
            | payment::Event::Delayed { .. }
            | payment::Event::RefundRequested { .. }
            | payment::Event::RefundFailed { .. }
            | payment::Event::CaptureRequested { .. }
            | payment::Event::VoidRequested { .. }
            | payment::Event::Voided { .. }
            | payment::Event::MethodChosen { .. }
            | payment::Event::Covered { .. }
            | payment::Event::Uncovered { .. }
            | payment::Event::ReceiptRecorded { .. }
            | payment::Event::ReceiptVoided { .. }
            | payment::Event::RefundSettled { .. }
            | payment::Event::Disputed { .. }
            | payment::Event::DisputeReleased { .. }
            | payment::Event::FeeCharged { .. }
            | payment::Event::SellerPaid { .. }
            | payment::Event::SellerCharged { .. } => {}
        }
        money.state = std::mem::take(&mut money.state).evolve(event);
        let (times, back) = (money.captured, money.refunded);
        let taken = if times > 0 { money.amount.map_or(0, |amount| amount.amount) } else { 0 };
        if times > 1 || back > taken {
            self.breach(format!("{id} was captured {times} times, and {back} of {taken} went back, at {at}"));
        }
    }

    /// The ranges of receipts must lie in the log, and no two may share a position.
    fn take_receipts(&mut self, receipts: Vec<ReceiptRow>) {
        let mut upto = 0;
        self.receipts.clear();
        for receipt in receipts {
            match (receipt.first_position, receipt.last_position) {
                (Some(first), Some(last)) => {
                    if first <= upto || last < first || last > self.head {
                        self.breach(format!("the receipt {receipt:?} is no range of its own after {upto}"));
                    }
                    upto = last;
                }
                (None, None) => {}
                half => self.breach(format!("the receipt {receipt:?} has half a range: {half:?}")),
            }
            self.receipts.entry(receipt.key.clone()).or_default().push(receipt);
        }
    }
}
