//! The possible turns of buyers, staff, carriers, the provider, the process, the clock and failures.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::disputes::{Disputing, disputing};
use super::ledger::commissions;
use super::manual::{ByHand, by_hand};
use super::provider::{NewCharge, Token};
use super::runner::Dies;
use super::shop::{Refused, Shop, VARIANTS};
use super::stored::{Stored, stored};
use crate::aftersales::{self, Wanted};
use crate::basis_points::BasisPoints;
use crate::cart::{self, Cart, Destination, Offer};
use crate::checkout::{self, Basis, Charges, Ids};
use crate::ids::{OrderId, PaymentId, RefundId, ReturnId, ShipmentId, UsageId, VariantId};
use crate::money::Money;
use crate::order::{self, CancelReason, Order};
use crate::parcels::{self, Heard};
use crate::payment::{self, Payment, VoidReason};
use crate::pricing::{self, Candidate, Input, Item, Quote, SellerRates, Whereto};
use crate::product::TaxClass;
use crate::promotion::{Status, Terms};
use crate::quantity::{Demand, Quantity, summed};
use crate::returns::{self, Condition, Received};
use crate::settlement::Task;
use crate::shipment::{Carrier, News};
use crate::shipping_book::{Band, Days, Service, ShippingBook, Zone};
use crate::stock::{self, StockLevel};
use crate::tax_book::{CountryTax, Rate, Rounding, TaxBook};
use crate::testing::{cents, id, pieces, price, text};
use crate::usage::{self, Usage};
use crate::work::Work;
use crate::{Currency, fold};

/// The payment window.
const PAY_WITHIN: TimeDelta = TimeDelta::minutes(15);

/// An index into the existing things; it wraps.
pub type Pick = u8;
/// Variants and how many of each.
type Pieces = Vec<(u8, u8)>;

#[derive(Debug, Clone)]
pub struct Turn {
    pub act: Act,
    /// Whether it happens while a command waits for the provider, if one does.
    pub breaks_in: bool,
}

#[derive(Debug, Clone)]
pub enum Act {
    Buy(Buying),
    Send(Sending),
    ByHand(ByHand),
    Store(Stored),
    Dispute(Disputing),
    Happen(Happening),
}

/// Turns of ordering, paying and cancelling.
#[derive(Debug, Clone)]
pub enum Buying {
    Checkout { pieces: Pieces, basket: Basket },
    Pay { order: Pick, token: Token, automatic: bool, dies: Dies },
    Hint { order: Pick, reference: Pick },
    Void { order: Pick, staff: bool },
    Capture { order: Pick },
    Refund { order: Pick, part: u8 },
    RetryRefund { order: Pick, which: u8 },
    Cancel { order: Pick, staff: bool },
    CancelLines { order: Pick, pieces: Pieces, restock: bool },
}

/// How the goods of an order are taxed.
#[derive(Debug, Clone, Copy)]
pub struct Taxes {
    included: bool,
    rounding: Rounding,
}

/// How the goods of an order are priced and sold.
#[derive(Debug, Clone, Copy)]
pub struct Basket {
    coupon: bool,
    taxes: Taxes,
    free: bool,
    /// Whether they are of several sellers, or of the house alone.
    sellers: bool,
}

/// Turns of packing, shipping and returning.
#[derive(Debug, Clone)]
pub enum Sending {
    Fulfil { order: Pick },
    Prepare { order: Pick, pieces: Pieces },
    PrepareAll { order: Pick },
    Unpack { parcel: Pick },
    HandOver { parcel: Pick },
    Hear { parcel: Pick, news: News },
    TakeBack { parcel: Pick },
    AskReturn { order: Pick, pieces: Pieces },
    Approve { which: Pick },
    Reject { which: Pick },
    Withdraw { which: Pick },
    TakeReturn { which: Pick, fewer: bool, restock: bool },
}

/// Other turns.
#[derive(Debug, Clone, Copy)]
pub enum Happening {
    Receive { variant: u8, number: u8 },
    Lose { variant: u8, number: u8 },
    Count { variant: u8, on_hand: u8 },
    Pass { seconds: u32 },
    React { events: u8, seed: u64 },
    Flush,
    Fire,
    Crash,
    Provider { silent: bool, refuses: bool },
}

fn taxes() -> impl Strategy<Value = Taxes> {
    let rounding = prop_oneof![Just(Rounding::Line), Just(Rounding::Rate)];
    (any::<bool>(), rounding).prop_map(|(included, rounding)| Taxes { included, rounding })
}

fn basket(free: f64) -> impl Strategy<Value = Basket> {
    let free = proptest::bool::weighted(free);
    (any::<bool>(), taxes(), free, any::<bool>()).prop_map(|(coupon, taxes, free, sellers)| Basket {
        coupon,
        taxes,
        free,
        sellers,
    })
}

fn some_pieces() -> impl Strategy<Value = Pieces> {
    proptest::collection::vec((0..4u8, 1..5u8), 1..4)
}

fn token() -> impl Strategy<Value = Token> {
    prop_oneof![
        6 => Just(Token::Success),
        2 => Just(Token::Timeout),
        2 => Just(Token::PendingSuccess),
        1 => Just(Token::PendingFailure),
        2 => Just(Token::Declined),
        1 => Just(Token::Cancelled),
        2 => Just(Token::LeftAndPaid),
        1 => Just(Token::Failure),
    ]
}

fn dies() -> impl Strategy<Value = Dies> {
    prop_oneof![
        8 => Just(Dies::Not),
        1 => Just(Dies::AfterAttempt),
        1 => Just(Dies::AfterCharge),
        1 => Just(Dies::WithTheChargeOnItsWay),
    ]
}

fn news() -> impl Strategy<Value = News> {
    prop_oneof![
        4 => Just(News::Delivered),
        1 => Just(News::InTransit),
        1 => Just(News::OutForDelivery),
        1 => Just(News::AttemptFailed),
        1 => Just(News::ReturningToSender),
        3 => Just(News::Lost),
    ]
}

fn seconds() -> impl Strategy<Value = u32> {
    prop_oneof![12 => 1..120u32, 2 => 600..1_200u32, 1 => Just(6 * 24 * 3_600), 1 => Just(15 * 24 * 3_600)]
}

fn buying() -> impl Strategy<Value = Buying> {
    let any = any::<bool>;
    prop_oneof![
        4 => (some_pieces(), basket(0.1)).prop_map(|(pieces, basket)| Buying::Checkout { pieces, basket }),
        6 => (any_pick(), token(), any(), dies())
            .prop_map(|(order, token, automatic, dies)| Buying::Pay { order, token, automatic, dies }),
        1 => (any_pick(), any_pick()).prop_map(|(order, reference)| Buying::Hint { order, reference }),
        1 => (any_pick(), any()).prop_map(|(order, staff)| Buying::Void { order, staff }),
        2 => (any_pick(), any()).prop_map(|(order, staff)| Buying::Cancel { order, staff }),
        3 => (any_pick(), some_pieces(), any())
            .prop_map(|(order, pieces, restock)| Buying::CancelLines { order, pieces, restock }),
        1 => any_pick().prop_map(|order| Buying::Capture { order }),
        2 => (any_pick(), 1..=4u8).prop_map(|(order, part)| Buying::Refund { order, part }),
        2 => (any_pick(), 0..4u8).prop_map(|(order, which)| Buying::RetryRefund { order, which }),
    ]
}

fn sending() -> impl Strategy<Value = Sending> {
    prop_oneof![
        1 => any_pick().prop_map(|order| Sending::Fulfil { order }),
        3 => (any_pick(), some_pieces()).prop_map(|(order, pieces)| Sending::Prepare { order, pieces }),
        3 => any_pick().prop_map(|order| Sending::PrepareAll { order }),
        1 => any_pick().prop_map(|parcel| Sending::Unpack { parcel }),
        5 => any_pick().prop_map(|parcel| Sending::HandOver { parcel }),
        4 => (any_pick(), news()).prop_map(|(parcel, news)| Sending::Hear { parcel, news }),
        2 => any_pick().prop_map(|parcel| Sending::TakeBack { parcel }),
        4 => (any_pick(), some_pieces()).prop_map(|(order, pieces)| Sending::AskReturn { order, pieces }),
        4 => any_pick().prop_map(|which| Sending::Approve { which }),
        1 => any_pick().prop_map(|which| Sending::Reject { which }),
        1 => any_pick().prop_map(|which| Sending::Withdraw { which }),
        4 => (any_pick(), any::<bool>(), any::<bool>())
            .prop_map(|(which, fewer, restock)| Sending::TakeReturn { which, fewer, restock }),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let (variant, number) = (|| 0..4u8, || 1..6u8);
    prop_oneof![
        1 => (variant(), number()).prop_map(|(variant, number)| Happening::Receive { variant, number }),
        1 => (variant(), number()).prop_map(|(variant, number)| Happening::Lose { variant, number }),
        1 => (variant(), 0..20u8).prop_map(|(variant, on_hand)| Happening::Count { variant, on_hand }),
        2 => seconds().prop_map(|seconds| Happening::Pass { seconds }),
        16 => (1..20u8, any::<u64>()).prop_map(|(events, seed)| Happening::React { events, seed }),
        3 => Just(Happening::Flush),
        5 => Just(Happening::Fire),
        2 => Just(Happening::Crash),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(silent, refuses)| Happening::Provider { silent, refuses }),
        2 => Just(Happening::Provider { silent: false, refuses: false }),
    ]
}

/// Mostly the newest, so that histories continue.
pub fn any_pick() -> impl Strategy<Value = Pick> {
    prop_oneof![5 => Just(0), 2 => Just(1), 1 => 0..8u8]
}

/// How most histories begin: a buyer places and pays an order, and the process reads it.
fn beginning() -> impl Strategy<Value = Vec<Turn>> {
    let checkout = (some_pieces(), basket(0.0)).prop_map(|(pieces, basket)| Buying::Checkout { pieces, basket });
    let pay = any::<bool>().prop_map(|automatic| {
        let (order, token, dies) = (0, Token::Success, Dies::Not);
        Buying::Pay { order, token, automatic, dies }
    });
    let pay = prop_oneof![
        4 => pay.prop_map(Act::Buy),
        1 => by_hand().prop_map(Act::ByHand),
    ];
    let turn = |act| Turn { act, breaks_in: false };
    let hear = move || turn(Act::Happen(Happening::React { events: 200, seed: 1 }));
    (checkout, pay).prop_map(move |(checkout, pay)| vec![turn(Act::Buy(checkout)), turn(pay), hear(), hear()])
}

/// Any history.
pub fn history() -> impl Strategy<Value = Vec<Turn>> {
    let act = prop_oneof![
        3 => buying().prop_map(Act::Buy),
        3 => sending().prop_map(Act::Send),
        1 => by_hand().prop_map(Act::ByHand),
        2 => stored().prop_map(Act::Store),
        1 => disputing().prop_map(Act::Dispute),
        3 => happening().prop_map(Act::Happen),
    ];
    let turn = (act, proptest::bool::weighted(0.25)).prop_map(|(act, breaks_in)| Turn { act, breaks_in });
    let (begins, goes_on) = (proptest::collection::vec(beginning(), 0..3), proptest::collection::vec(turn, 1..120));
    (begins, goes_on).prop_map(|(begins, goes_on)| [begins.concat(), goes_on].concat())
}

fn variant(number: u8) -> VariantId {
    id(u128::from(number) % VARIANTS + 1)
}

/// Pieces of one part of an order, as many as it has or more.
fn of_order(shop: &Shop, order: OrderId, of: &[(u8, u8)]) -> Vec<Demand> {
    let placed = shop.states.orders[&order].live().unwrap();
    let variants = placed.variants();
    let quantity = |number: u8| pieces(i64::from(number.div_ceil(2)));
    let demand = |(which, number): &(u8, u8)| Demand {
        variant: variants[usize::from(*which) % variants.len()],
        quantity: quantity(*number),
    };
    let lines: Vec<Demand> = of.iter().map(demand).collect();
    let part = placed.part_number_of(&lines);
    lines.into_iter().filter(|line| part.is_none() || placed.parts.number_of(line.variant) == part).collect()
}

/// One of the existing things.
fn nth<I: Copy, V>(all: &BTreeMap<I, V>, which: Pick) -> Result<I, Refused> {
    let newest = all.len().checked_sub(1).ok_or_else(nothing)?;
    all.keys().nth(newest - usize::from(which) % all.len()).copied().ok_or_else(nothing)
}

/// There is nothing to do it to.
pub fn nothing() -> Refused {
    Refused::missing("target")
}

impl Shop {
    pub fn order(&self, which: Pick) -> Result<OrderId, Refused> {
        nth(&self.states.orders, which)
    }

    pub fn payment(&self, which: Pick) -> Result<PaymentId, Refused> {
        Ok(self.states.orders[&self.order(which)?].live().unwrap().placement.payment)
    }

    fn parcel(&self, which: Pick) -> Result<ShipmentId, Refused> {
        nth(&self.states.shipments, which)
    }

    fn a_return(&self, which: Pick) -> Result<ReturnId, Refused> {
        nth(&self.states.returns, which)
    }

    pub fn carry_out_act(&mut self, chain: usize, act: Act) -> Result<(), Refused> {
        match act {
            Act::Buy(act) => self.buy(chain, act),
            Act::Send(act) => self.send(chain, act),
            Act::ByHand(act) => self.by_hand(chain, act),
            Act::Store(act) => self.stored(chain, act),
            Act::Dispute(act) => self.dispute(chain, act),
            Act::Happen(act) => self.happen(chain, act),
        }
    }

    fn buy(&mut self, chain: usize, act: Buying) -> Result<(), Refused> {
        match act {
            Buying::Checkout { pieces, basket } => self.check_out(chain, &pieces, basket),
            Buying::Pay { order, token, automatic, dies } => {
                let order = self.order(order)?;
                let reference = text(&format!("test-{}", self.new_id::<PaymentId>()));
                let new = NewCharge { reference, payment: id(1), amount: 0, direct: None, automatic, token };
                self.pay(chain, order, &new, dies)
            }
            Buying::Hint { order, reference } => {
                let payment = self.payment(order)?;
                let of = |(reference, charge): (&_, &super::provider::Charge)| {
                    (charge.payment == payment).then_some(Clone::clone(reference))
                };
                let known: Vec<_> = self.provider.charges.iter().filter_map(of).collect();
                let told = known.get(usize::from(reference) % known.len().max(1)).ok_or_else(nothing)?.clone();
                self.pursue(chain, payment, Task::Hear(&told))
            }
            Buying::Void { order, staff } => {
                let reason = if staff { VoidReason::StaffRequest } else { VoidReason::BuyerRequest };
                let payment = self.payment(order)?;
                self.one::<Payment>(chain, payment, &payment::Command::Void { reason })
            }
            Buying::Capture { order } => {
                let payment = self.payment(order)?;
                self.pursue(chain, payment, Task::Capture)
            }
            Buying::Refund { order, part } => {
                let payment = self.payment(order)?;
                let left = self.get::<Payment>(payment).live().unwrap().refundable();
                let amount = Money { amount: left.amount / i64::from(part), ..left };
                // Now and then of one part alone.
                let of_part = (part > 2).then(|| u16::from(part) - 2);
                let wanted = Wanted { reason: &text("a scratch"), keys: &[], part: of_part, to_credit: false };
                self.together(chain, |work| aftersales::refund(work, payment, amount, &wanted))
            }
            Buying::RetryRefund { order, which } => {
                let payment = self.payment(order)?;
                let state = self.get::<Payment>(payment);
                let failed: Vec<RefundId> = state.live().unwrap().failed_refunds().map(|(id, _)| id).collect();
                let failed = *failed.get(usize::from(which) % failed.len().max(1)).ok_or_else(nothing)?;
                self.together(chain, |work| aftersales::retry_refund(work, payment, failed))
            }
            Buying::Cancel { order, staff } => {
                let reason = if staff { CancelReason::StaffRequest } else { CancelReason::BuyerRequest };
                let order = self.order(order)?;
                self.together(chain, |work| aftersales::cancel(work, order, reason, true))
            }
            Buying::CancelLines { order, pieces, restock } => {
                let order = self.order(order)?;
                self.cancel_lines(chain, order, &of_order(self, order, &pieces), restock)
            }
        }
    }

    fn send(&mut self, chain: usize, act: Sending) -> Result<(), Refused> {
        match act {
            Sending::Fulfil { order } => self.one::<Order>(chain, self.order(order)?, &order::Command::Fulfil {}),
            Sending::Prepare { order, pieces } => {
                let order = self.order(order)?;
                self.prepare(chain, order, &of_order(self, order, &pieces))
            }
            Sending::PrepareAll { order } => {
                let order = self.order(order)?;
                let state = self.get::<Order>(order);
                let placed = state.live().unwrap();
                let left = placed.parts.all().iter().map(|part| placed.left_to_ship_of(part));
                let lines = left.into_iter().find(|lines| !lines.is_empty()).unwrap_or_default();
                self.prepare(chain, order, &lines)
            }
            Sending::Unpack { parcel } => {
                let parcel = self.parcel(parcel)?;
                self.together(chain, |work| parcels::cancel(work, parcel))
            }
            Sending::HandOver { parcel } => {
                let parcel = self.parcel(parcel)?;
                self.together(chain, |work| parcels::hand_over(work, parcel, &text("T-1"), None))
            }
            Sending::Hear { parcel, news } => {
                let (parcel, heard) = (self.parcel(parcel)?, Heard { news, at: None, place: None, reason: None });
                self.together(chain, |work| parcels::hear(work, parcel, &heard))
            }
            Sending::TakeBack { parcel } => {
                let parcel = self.parcel(parcel)?;
                self.together(chain, |work| parcels::take_back(work, parcel))
            }
            Sending::AskReturn { order, pieces } => {
                let order = self.order(order)?;
                let (lines, since) = (of_order(self, order, &pieces), self.now - TimeDelta::days(14));
                let ask = |work: &mut Work| {
                    aftersales::request_return(work, order, &lines, returns::Why::Other, None, since).map(drop)
                };
                self.together(chain, ask)
            }
            Sending::Approve { which } => {
                self.one::<returns::Return>(chain, self.a_return(which)?, &returns::Command::Approve {})
            }
            Sending::Reject { which } => {
                let (it, reject) = (self.a_return(which)?, returns::Command::Reject { reason: text("worn") });
                self.together(chain, |work| aftersales::close_return(work, it, &reject))
            }
            Sending::Withdraw { which } => {
                let it = self.a_return(which)?;
                self.together(chain, |work| aftersales::close_return(work, it, &returns::Command::Withdraw {}))
            }
            Sending::TakeReturn { which, fewer, restock } => {
                let it = self.a_return(which)?;
                let asked = self.states.returns[&it].live().unwrap().lines.clone();
                let came = |line: &Demand| {
                    let quantity = if fewer { Quantity::ONE } else { line.quantity };
                    Received { variant: line.variant, quantity, condition: Condition::New, restock }
                };
                let came: Vec<Received> = asked.iter().map(came).collect();
                self.together(chain, |work| aftersales::receive_return(work, it, &came, None))
            }
        }
    }

    fn cancel_lines(&mut self, chain: usize, order: OrderId, lines: &[Demand], restock: bool) -> Result<(), Refused> {
        let before = self.get::<Order>(order);
        let placed = before.live().unwrap();
        let reason = CancelReason::StaffRequest;
        self.together(chain, |work| aftersales::cancel_lines(work, order, lines, reason, restock, None))?;
        // What is spoilt lies nowhere any more.
        let is_spoilt = !restock && placed.has_left_stock() && placed.progress.status == order::Status::Open;
        if is_spoilt {
            self.goods.write_off(&placed.at_hand(&summed(lines.iter().copied()).unwrap()));
        }
        Ok(())
    }

    fn prepare(&mut self, chain: usize, order: OrderId, lines: &[Demand]) -> Result<(), Refused> {
        let carrier = Carrier::Other { name: text("Post") };
        self.together(chain, |work| parcels::prepare(work, order, lines, &carrier)).map(drop)
    }

    fn happen(&mut self, chain: usize, act: Happening) -> Result<(), Refused> {
        match act {
            Happening::Receive { variant: it, number } => {
                let receive = stock::Command::Receive { quantity: pieces(i64::from(number)), reason: None };
                return self.one::<StockLevel>(chain, variant(it), &receive);
            }
            Happening::Lose { variant: it, number } => {
                let lose = stock::Command::Lose { quantity: pieces(i64::from(number)), reason: None };
                return self.one::<StockLevel>(chain, variant(it), &lose);
            }
            Happening::Count { variant: it, on_hand } => {
                let count = stock::Command::Count { on_hand: i64::from(on_hand) };
                return self.one::<StockLevel>(chain, variant(it), &count);
            }
            Happening::Pass { seconds } => self.pass(TimeDelta::seconds(i64::from(seconds))),
            Happening::React { events, seed } => self.react(usize::from(events), seed),
            Happening::Flush => self.flush(),
            Happening::Fire => self.fire(),
            Happening::Crash => self.crash(),
            Happening::Provider { silent, refuses } => {
                (self.provider.silent, self.provider.refuses) = (silent, refuses);
            }
        }
        Ok(())
    }

    fn check_out(&mut self, chain: usize, of: &[(u8, u8)], basket: Basket) -> Result<(), Refused> {
        let (cart, offers) = self.cart(of, basket);
        let quote = self.quote(&cart, &offers, basket);
        let (order, payment) = (self.new_id(), self.new_id());
        let ids = Ids { cart: id(1), order, payment };
        let at = self.now;
        let pay_by = at + PAY_WITHIN;
        let (expected, seen) = (Some(quote.total), None);
        let (book, categories) = (commissions(), BTreeMap::new());
        let charges = Charges { book: &book, categories: &categories };
        let basis = Basis { cart: &cart, offers: &offers, quote: &quote, charges, at, pay_by, expected, seen };
        let asked = checkout::checkout(&basis, ids).map_err(Refused::from)?;
        self.together(chain, |work| {
            work.begin::<Order>(order);
            work.decide::<Order>(order, &asked.order)?;
            work.begin::<Payment>(payment);
            work.decide::<Payment>(payment, &asked.payment)?;
            for (it, command) in &asked.stock {
                work.decide::<StockLevel>(*it, command)?;
            }
            for (it, command) in &asked.usages {
                if work.get::<Usage>(*it).is_err() {
                    work.begin::<Usage>(*it);
                }
                work.decide::<Usage>(*it, command)?;
            }
            Ok(())
        })
    }

    fn cart(&self, of: &[(u8, u8)], Basket { free, sellers, .. }: Basket) -> (Cart, BTreeMap<VariantId, Offer>) {
        let created = cart::Event::Created {
            owner: Some(id(5)),
            token_hash: None,
            currency: Currency::EUR,
            expires_at: None,
            days: cart::LIFETIME_DAYS,
        };
        let mut events = vec![created, cart::Event::DestinationSet { destination: Destination::to(text("DE")) }];
        let mut offers = BTreeMap::new();
        for (which, number) in of {
            let unit_price = price(if free { 0 } else { [333, 1_000, 1_999, 50][usize::from(*which) % 4] });
            let available = self.states.stocks[&variant(*which)].available();
            // The first seller has a variant that is shipped and the one that is not.
            let seller = [None, Some(id(61)), Some(id(62)), Some(id(61))][usize::from(*which) % 4].filter(|_| sellers);
            let offer = Offer {
                price: unit_price,
                available,
                purchasable: true,
                keys: false,
                downloads: false,
                gift_cards: false,
                seller,
            };
            offers.insert(variant(*which), offer);
            events.push(cart::Event::LineSet(cart::Line {
                variant: variant(*which),
                product: id(u128::from(*which) * 10 + 10),
                sku: text("V-1"),
                title: text("Lamp"),
                quantity: pieces(i64::from(*number)),
                unit_price,
            }));
        }
        (fold(&events), offers)
    }

    fn quote(
        &self,
        cart: &Cart,
        offers: &BTreeMap<VariantId, Offer>,
        Basket { coupon, taxes, free, sellers, .. }: Basket,
    ) -> Quote {
        let class = TaxClass::Standard;
        let item = |line: &cart::Line| Item {
            variant: line.variant,
            product: line.product,
            seller: offers[&line.variant].seller,
            categories: vec![],
            unit_price: line.unit_price,
            quantity: line.quantity,
            tax_class: class,
            weight_g: Some(200),
            physical: line.variant != id(VARIANTS),
            gift_card: false,
        };
        let tax = taxing_book(taxes);
        let terms = [
            r#"{"label": "Seven", "benefit": {"kind": "percent", "percent_bps": 700}}"#,
            r#"{"label": "Less", "code": "LESS", "benefit": {"kind": "fixed", "amounts": [{"amount": 250, "currency": "EUR"}]},
                "limits": {"total": 3}}"#,
        ];
        let terms: Vec<Terms> = terms.iter().map(|it| serde_json::from_str(it).unwrap()).collect();
        let promotion = id(70);
        let used = self.states.usages.get(&limited()).map_or(0, |it| it.used);
        let candidate = |(number, terms)| Candidate {
            promotion: if number == 0 { id(71) } else { promotion },
            version: 1,
            status: Status::Active,
            terms,
            used,
            used_by_customer: 0,
        };
        let wanted = terms.iter().enumerate().filter(|(number, _)| *number == 0 || coupon);
        let service = text("parcel");
        let own = sending_book();
        let country = text("DE");
        let items = cart.live().unwrap().lines.iter().map(item).collect();
        let quote = pricing::quote(&Input {
            currency: Currency::EUR,
            at: self.now,
            items,
            destination: Some(Whereto { country: &country, area: None }),
            lacks: &std::collections::BTreeSet::new(),
            service: (!free).then_some(&service),
            tax: &tax,
            shipping: &if free { ShippingBook::default() } else { sending_book() },
            // The first seller ships at a price of its own.
            sellers: if sellers && !free {
                vec![SellerRates { seller: id(61), book: &own, service: None }]
            } else {
                vec![]
            },
            promotions: wanted.map(candidate).collect(),
            unknown: vec![],
            customers: Vec::new(),
            account: None,
            orders: 0,
            counters: vec![],
        });
        quote.unwrap()
    }
}

/// The usage of the limited promotion.
pub fn limited() -> UsageId {
    usage::of_promotion(id(70))
}

/// Prices in Germany with 19 %, included or added.
fn taxing_book(taxes: Taxes) -> TaxBook {
    let class = TaxClass::Standard;
    let rate = Rate { class, rate: BasisPoints::new(1_900).unwrap().into(), valid_from: "2020-01-01".parse().unwrap() };
    let country = CountryTax {
        country: text("DE"),
        prices_include_tax: taxes.included,
        rates: [rate].into(),
        regions: [].into(),
    };
    let mut tax = TaxBook { rounding: taxes.rounding, ..TaxBook::default() };
    tax.countries.insert(text("DE"), country);
    tax
}

fn sending_book() -> ShippingBook {
    let service = Service {
        service: text("parcel"),
        name: text("Parcel"),
        carrier: None,
        bands: [Band { up_to_g: 50_000, prices: [price(490)].into() }].into(),
        free_over: [price(cents(9_000).amount)].into(),
        days: Days { min: 1, max: 3 },
        tax_class: TaxClass::Standard,
    };
    let zone = Zone {
        zone: text("home"),
        name: text("Home"),
        countries: [text("DE")].into(),
        areas: [].into(),
        services: [service].into(),
    };
    let mut book = ShippingBook::default();
    book.zones.insert(text("home"), zone);
    book
}
