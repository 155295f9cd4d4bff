//! The commands of each document: the same deciders as everywhere, on states in memory.

use std::collections::BTreeMap;

use byteshop_domain::cart::Destination;
use byteshop_domain::credit_note::{self, CreditNote};
use byteshop_domain::ids::{CreditNoteId, OrderId};
use byteshop_domain::money::{Money, Price};
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::order::{self, Buyer, Order, Placement, ReturnLine};
use byteshop_domain::payment::{self, Payment};
use byteshop_domain::product::{self, Product};
use byteshop_domain::quantity::{QUANTITY_MAX, Quantity};
use byteshop_domain::stock::{self, StockLevel};
use byteshop_domain::text::{Description, Label, Reason, Title};
use byteshop_eventstore::{Append, Clock};
use chrono::{DateTime, Utc};

use super::book::{Book, CodeIds, id_of, order_of, payment_of};
use super::draft::{Draft, Held, Touched, refused};
use super::history::{History, Invoice, Line};
use super::opening::Opening;
use super::price::CURRENCY;
pub use super::receipt::{fingerprint, key_of};
use super::returns::Returns;
use super::row::Kind;
use crate::engine::error::Error;

/// Why stock is there before the first document.
const OPENING: &str = "opening balance";

/// The data that a decision needs.
pub struct Planner<'a> {
    /// The documents.
    pub history: &'a History,
    /// Which order each return belongs to.
    pub returns: &'a Returns,
    /// The ids of the codes.
    pub ids: &'a [CodeIds],
    /// The opening balance of each code.
    pub opening: &'a [Opening],
    /// The clock.
    pub clock: Clock,
}

/// An append and what becomes of the aggregates when it is submitted.
pub struct Plan {
    append: Append,
    stock: BTreeMap<u32, Touched<StockLevel>>,
    products: BTreeMap<u32, Touched<Product>>,
    orders: BTreeMap<usize, Touched<Order>>,
}

impl Plan {
    /// Enters what it changes and gives the append.
    pub fn enter(self, book: &mut Book) -> Append {
        for (code, touched) in self.stock {
            book.stock[code as usize] = touched.held;
        }
        for (code, touched) in self.products {
            book.products[code as usize] = touched.held;
        }
        for (place, touched) in self.orders {
            book.orders.insert(place, touched.held);
        }
        self.append
    }
}

/// A plan in the making.
struct Work<'a> {
    planner: &'a Planner<'a>,
    book: &'a Book,
    draft: Draft,
    stock: BTreeMap<u32, Touched<StockLevel>>,
    products: BTreeMap<u32, Touched<Product>>,
    orders: BTreeMap<usize, Touched<Order>>,
}

impl Planner<'_> {
    /// A code becomes a product with one variant, published, its name claimed, its stock opened and filled.
    pub fn product(&self, book: &Book, code: u32, at: DateTime<Utc>) -> Result<Plan, Error> {
        let known = &self.history.codes[code as usize];
        let (ids, opening) = (self.ids[code as usize], &self.opening[code as usize]);
        let mut work = self.work(book, "import.product", at)?;
        let text = Label::new(known.sku.as_str()).map_err(|error| refused("import.code", error.to_string()))?;
        let name_id = name::id(NameKind::Sku, known.sku.as_str());
        let mut name = Touched::<UniqueName>::again(name_id, book.names[code as usize].clone());
        let claim = name::Command::Claim { kind: NameKind::Sku, text, owner: ids.variant.to_string() };
        work.draft.decide(&mut name, &claim)?;
        work.draft.expect(&name);
        let description = Description::new("").map_err(|error| refused("import.code", error.to_string()))?;
        let title = known.title.clone();
        let create = product::Command::Create {
            title,
            description,
            category: None,
            attributes: product::Attributes::new(),
            seller: None,
        };
        let price = opening.price.unwrap_or(free());
        let add = product::Command::AddVariant {
            variant: ids.variant,
            details: product::Variant::new(known.sku.clone(), known.title.clone(), price, product::Options::new()),
        };
        for command in [create, add, product::Command::Publish {}] {
            work.with_product(code, &command)?;
        }
        work.with_stock(code, &stock::Command::Open { product: ids.product, sku: known.sku.clone() })?;
        work.fill(code, opening.stock)?;
        Ok(work.finish(None))
    }

    /// A document becomes an order, losses or a credit note.
    pub fn invoice(&self, book: &Book, place: usize) -> Result<Plan, Error> {
        let invoice = &self.history.invoices[place];
        let command = match invoice.kind {
            Kind::CreditNote => "import.credit_note",
            Kind::Sale if invoice.lines.iter().any(|line| line.quantity > 0) => "import.order",
            Kind::Sale => "import.loss",
        };
        let mut work = self.work(book, command, invoice.at)?;
        match invoice.kind {
            Kind::CreditNote => work.credit(place, invoice)?,
            Kind::Sale => {
                let (sold, lost): (Vec<Line>, Vec<Line>) = invoice.lines.iter().partition(|line| line.quantity > 0);
                if !sold.is_empty() {
                    work.sell(place, invoice, &sold)?;
                }
                work.lose(&lost)?;
            }
        }
        Ok(work.finish(Some((key_of(invoice), fingerprint(self.history, invoice)))))
    }

    fn work<'a>(&'a self, book: &'a Book, command: &'static str, at: DateTime<Utc>) -> Result<Work<'a>, Error> {
        let draft = Draft::new(self.clock, &self.history.by, command, at)?;
        let (stock, products, orders) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Ok(Work { planner: self, book, draft, stock, products, orders })
    }
}

impl Work<'_> {
    fn sell(&mut self, place: usize, invoice: &Invoice, sold: &[Line]) -> Result<(), Error> {
        let placement = self.placement(invoice, sold)?;
        let (payment, total) = (placement.payment, placement.total);
        let demands = summed(sold)?;
        for line in sold {
            let price = self.planner.history.price_of(line);
            // What is given away does not change what it costs.
            if price.unit.money().amount > 0 {
                self.reprice(line.code, price.unit)?;
            }
        }
        let id = order_of(invoice);
        let mut order = Touched::<Order>::new(id);
        self.draft.decide(&mut order, &order::Command::Place(Box::new(placement)))?;
        for (code, quantity) in &demands {
            self.fill_up_to(*code, *quantity)?;
            self.with_stock(*code, &stock::Command::Reserve { order: id, quantity: *quantity, expires_at: None })?;
        }
        let mut paid = Touched::<Payment>::new(payment);
        let record = payment::Command::Record { order: id, amount: total, reference: invoice.reference.clone() };
        self.draft.decide(&mut paid, &record)?;
        self.draft.expect(&paid);
        self.draft.decide(
            &mut order,
            &order::Command::MarkPaid { payment, invoice: None, seller: None, invoices: vec![], keys: vec![] },
        )?;
        for code in demands.keys() {
            self.with_stock(*code, &stock::Command::Commit { order: id })?;
        }
        self.draft.decide(&mut order, &order::Command::Fulfil {})?;
        if self.planner.returns.touched.contains(&place) {
            self.orders.insert(place, order);
        } else {
            self.draft.expect(&order);
        }
        Ok(())
    }

    fn reprice(&mut self, code: u32, price: Price) -> Result<(), Error> {
        let variant = self.planner.ids[code as usize].variant;
        match self.with_product(code, &product::Command::SetPrice { variant, price, compare_at: None }) {
            // Staff has archived the product or taken the variant out: the sale was all the same.
            Err(Error::Rejected(_)) => Ok(()),
            other => other,
        }
    }

    fn placement(&self, invoice: &Invoice, sold: &[Line]) -> Result<Placement, Error> {
        let history = self.planner.history;
        let mut lines = Vec::with_capacity(sold.len());
        for line in sold {
            let (ids, price) = (self.planner.ids[line.code as usize], history.price_of(line));
            lines.push(order::Line {
                variant: ids.variant,
                product: ids.product,
                sku: history.code_of(line).sku.clone(),
                title: history.title_of(line).clone(),
                quantity: quantity(i64::from(line.quantity))?,
                unit_price: price.unit,
                exact_price: price.exact.clone(),
                amount: amount(history.amount_of(line))?,
                digital: false,
                commission: None,
                keys: false,
                downloads: false,
                gift_cards: false,
                seller: None,
                discount: None,
                tax: None,
            });
        }
        let total = total(lines.iter().map(|line| line.amount))?;
        let destination = Destination::to(invoice.country.clone());
        let reference = Some(invoice.reference.clone());
        Ok(Placement { reference, ..Placement::past(buyer(invoice), destination, lines, total, payment_of(invoice)) })
    }

    fn lose(&mut self, lost: &[Line]) -> Result<(), Error> {
        for line in lost {
            let quantity = quantity(-i64::from(line.quantity))?;
            let reason =
                self.planner.history.described(line).map(Title::as_str).and_then(|text| Reason::new(text).ok());
            self.fill_up_to(line.code, quantity)?;
            self.with_stock(line.code, &stock::Command::Lose { quantity, reason })?;
        }
        Ok(())
    }

    fn credit(&mut self, place: usize, invoice: &Invoice) -> Result<(), Error> {
        let history = self.planner.history;
        let id: CreditNoteId = id_of(invoice.reference.as_str());
        let orders = self.give_back(place, invoice, id)?;
        let reason = Reason::new(&format!("credit note {}", invoice.reference)).ok();
        let mut lines = Vec::with_capacity(invoice.lines.len());
        for (number, line) in invoice.lines.iter().enumerate() {
            let (quantity, price) = (quantity(-i64::from(line.quantity))?, history.price_of(line));
            let order = orders.get(&number).copied();
            self.with_stock(line.code, &stock::Command::Return { quantity, order, reason: reason.clone() })?;
            lines.push(credit_note::Line {
                variant: self.planner.ids[line.code as usize].variant,
                sku: history.code_of(line).sku.clone(),
                quantity,
                unit_price: price.unit,
                exact_price: price.exact.clone(),
                amount: amount(-history.amount_of(line))?,
                share: false,
                order,
            });
        }
        let content = credit_note::Content {
            reference: invoice.reference.clone(),
            buyer: buyer(invoice),
            country: invoice.country.clone(),
            shipping: None,
            total: total(lines.iter().map(|line| line.amount))?,
            taxes: None,
            lines,
            order: None,
            refund: None,
            dispute: None,
            reason: None,
            supplier: None,
            seller: None,
            sellers: vec![],
            gift_cards: None,
        };
        let mut credit_note = Touched::<CreditNote>::new(id);
        self.draft.decide(&mut credit_note, &credit_note::Command::Issue(content))?;
        self.draft.expect(&credit_note);
        Ok(())
    }

    /// Returns the goods to their orders; gives the order of each line that has one.
    fn give_back(
        &mut self,
        place: usize,
        invoice: &Invoice,
        credit_note: CreditNoteId,
    ) -> Result<BTreeMap<usize, OrderId>, Error> {
        let mut by_order: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for number in 0..invoice.lines.len() {
            if let Some(order) = self.planner.returns.order_of(place, number) {
                by_order.entry(order).or_default().push(number);
            }
        }
        let mut orders = BTreeMap::new();
        for (order, numbers) in by_order {
            let mut lines = Vec::with_capacity(numbers.len());
            for number in &numbers {
                let line = &invoice.lines[*number];
                lines.push(ReturnLine {
                    variant: self.planner.ids[line.code as usize].variant,
                    quantity: quantity(-i64::from(line.quantity))?,
                    amount: amount(-self.planner.history.amount_of(line))?,
                });
            }
            let amount = total(lines.iter().map(|line| line.amount))?;
            let id = order_of(&self.planner.history.invoices[order]);
            let held = self.book.orders.get(&order).cloned().unwrap_or_default();
            let mut touched = Touched::again(id, held);
            // The stock is moved below, for all lines alike.
            let restock = vec![];
            let command = order::Command::Return { credit_note, lines, amount, restock, refund: None, return_id: None };
            match self.draft.decide(&mut touched, &command) {
                Ok(()) => {
                    self.orders.insert(order, touched);
                    orders.extend(numbers.into_iter().map(|number| (number, id)));
                }
                // The order was refused, or these goods were returned since: the credit note stands alone.
                Err(Error::Rejected(_)) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(orders)
    }

    fn with_product(&mut self, code: u32, command: &product::Command) -> Result<(), Error> {
        let Self { planner, book, draft, products, .. } = self;
        let held = || book.products[code as usize].clone();
        let touched =
            products.entry(code).or_insert_with(|| Touched::again(planner.ids[code as usize].product, held()));
        draft.decide(touched, command)
    }

    fn with_stock(&mut self, code: u32, command: &stock::Command) -> Result<(), Error> {
        let touched = touch_stock(self.planner, self.book, &mut self.stock, code);
        self.draft.decide(touched, command)
    }

    /// Adds missing stock. The opening balance covers the whole history, but the shop may have sold some of it in the
    /// meantime.
    fn fill_up_to(&mut self, code: u32, quantity: Quantity) -> Result<(), Error> {
        let available = touch_stock(self.planner, self.book, &mut self.stock, code).held.state.available();
        self.fill(code, quantity.get() - available)
    }

    fn fill(&mut self, code: u32, mut missing: i64) -> Result<(), Error> {
        while missing > 0 {
            let some = quantity(missing.min(QUANTITY_MAX))?;
            let reason = Reason::new(OPENING).ok();
            self.with_stock(code, &stock::Command::Receive { quantity: some, reason })?;
            missing -= some.get();
        }
        Ok(())
    }

    fn finish(mut self, key: Option<(String, Vec<u8>)>) -> Plan {
        self.products.values().for_each(|touched| self.draft.expect(touched));
        self.stock.values().for_each(|touched| self.draft.expect(touched));
        self.orders.values().for_each(|touched| self.draft.expect(touched));
        Plan { append: self.draft.finish(key), stock: self.stock, products: self.products, orders: self.orders }
    }
}

fn touch_stock<'a>(
    planner: &Planner<'_>,
    book: &Book,
    stock: &'a mut BTreeMap<u32, Touched<StockLevel>>,
    code: u32,
) -> &'a mut Touched<StockLevel> {
    let held: fn(&Book, u32) -> Held<StockLevel> = |book, code| book.stock[code as usize].clone();
    stock.entry(code).or_insert_with(|| Touched::again(planner.ids[code as usize].variant, held(book, code)))
}

fn summed(sold: &[Line]) -> Result<BTreeMap<u32, Quantity>, Error> {
    let mut sums: BTreeMap<u32, i64> = BTreeMap::new();
    for line in sold {
        *sums.entry(line.code).or_default() += i64::from(line.quantity);
    }
    sums.into_iter().map(|(code, sum)| Ok((code, quantity(sum)?))).collect()
}

fn buyer(invoice: &Invoice) -> Buyer {
    Buyer { account: None, reference: invoice.customer.clone() }
}

fn quantity(pieces: i64) -> Result<Quantity, Error> {
    Quantity::new(pieces).map_err(|error| refused("import.quantity", error.to_string()))
}

fn amount(minor: i128) -> Result<Money, Error> {
    let minor = i64::try_from(minor).map_err(|_| refused("import.amount", "the amount is too large"))?;
    Ok(Money::new(minor, CURRENCY))
}

fn total(amounts: impl Iterator<Item = Money>) -> Result<Money, Error> {
    Money::sum(CURRENCY, amounts).map_err(|error| refused("import.amount", error.to_string()))
}

fn free() -> Price {
    Price::new(Money::zero(CURRENCY)).expect("nothing is a price")
}
