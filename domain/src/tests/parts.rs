//! The parts of an order are the order: their sums, their goods and their statuses.

use std::sync::Arc;

use crate::ids::{AccountId, OrderId, SellerId};
use crate::money::Money;
use crate::order::{Part, Placed, Status};
use crate::seller::{Event, Seller};
use crate::testing::{id, noon, text};
use crate::work::Work;
use crate::{Personal, Subject, fold};

/// The first seller supplies in its own name; of the second one the house supplies the goods.
pub fn hold_sellers(work: &mut Work) {
    for number in [61, 62] {
        work.hold::<Seller>(id(number), Arc::new(seller(id(number))));
    }
}

/// A seller, which can be paid at the provider.
pub fn seller(seller: SellerId) -> Seller {
    let applied = Event::Applied {
        handle: text("kettles"),
        name: text("Kettles"),
        description: text(""),
        country: text("DE"),
        contact: Personal::new(Subject::from(id::<AccountId>(1)), "contact"),
        owner: id(1),
        at: noon(),
    };
    let linked = Event::PaypalLinked { account: text("SELLERB234567") };
    let mut history = vec![applied, Event::Approved { at: noon() }, linked];
    if seller == id(61) {
        history.push(Event::LegalDataGiven { legal: Personal::new(Subject::from(seller), "legal") });
    }
    fold(&history)
}

/// Each sum of an order is the sum of those of its parts, and no part is refunded more than is credited of what it costs.
pub fn at_any_time(id: OrderId, placed: &Placed) {
    let (parts, placement) = (placed.parts.all(), &placed.placement);
    let sum = |of: &dyn Fn(&Part) -> Money| parts.iter().map(|part| of(part).amount).sum::<i64>();
    let same = |what: &str, of: &dyn Fn(&Part) -> Money, whole: Money| {
        assert_eq!(sum(of), whole.amount, "{id}: {what} of {parts:?} is not that of {placed:?}");
    };
    same("the subtotal", &|it| it.sums.subtotal, placement.subtotal().unwrap());
    same("the discount", &|it| it.sums.discount, placement.discount().unwrap());
    same("the shipping", &|it| it.sums.shipping, placement.shipping_price());
    same("the tax", &|it| it.sums.tax, placement.tax().unwrap());
    same("the total", &|it| it.sums.total, placement.total);
    same("the amount to pay", &|it| it.payable, placed.payable());
    same("the refunded amount", &|it| it.refunded, placed.progress.refunded);
    same("the shipping that is left", &Part::shipping_left, placed.shipping_left());
    let credited = placed.sold.credited.plus(placed.sold.cancelled).unwrap();
    same("the credited amount", &|it| it.credited, credited);
    for part in parts {
        let Part { payable, credited, refunded, .. } = part;
        let is_sound = 0 <= refunded.amount && refunded.amount <= credited.amount && credited.amount <= payable.amount;
        assert!(is_sound, "{id}: more is refunded of a part than it costs: {part:?} of {placed:?}");
        assert!(part.shipping_left().amount >= 0 && part.sums.discount.amount >= 0, "{id}: {part:?}");
    }
    kept(id, placed);
    goods(id, placed);
    statuses(id, placed);
}

/// What is kept of the lines and of the shipping of a part is what is left of it, and every seller has its part of that.
fn kept(id: OrderId, placed: &Placed) {
    let parts = placed.parts.all();
    if !placed.kept.is_shared() {
        assert!(parts.iter().all(|part| part.seller.is_none()), "{id}: nothing is shared of {placed:?}");
        return;
    }
    let is_off = matches!(placed.progress.status, Status::Cancelled | Status::Expired);
    let left = |part: &Part| if is_off { 0 } else { part.left().amount };
    assert_eq!(placed.kept.amounts(), parts.iter().map(left).collect::<Vec<_>>(), "{id}: {placed:?}");
    let shares = placed.kept.shares();
    let sellers: Vec<_> = parts.iter().filter_map(|part| part.seller).collect();
    assert_eq!(shares.iter().map(|it| it.seller).collect::<Vec<_>>(), sellers, "{id}: {placed:?}");
}

/// Each line, parcel and return is of one part.
fn goods(id: OrderId, placed: &Placed) {
    for line in &placed.placement.lines {
        let part = placed.parts.of_variant(line.variant).unwrap();
        assert_eq!(part.seller, line.seller, "{id}: {line:?} is in another part");
    }
    let kept: i64 = placed.parts.all().iter().map(Part::kept).sum();
    assert_eq!(kept, placed.progress.kept, "{id}: {placed:?}");
    let is_of = |part: &Part, lines: &[crate::quantity::Demand]| lines.iter().all(|line| part.has(line.variant));
    for (shipment, parcel) in &placed.parcels {
        let part = placed.part_of_parcel(*shipment).unwrap();
        assert!(is_of(part, &parcel.lines), "{id}: {parcel:?} has goods of several parts");
        assert_eq!(part.parcels[shipment].stage, parcel.stage, "{id}: {shipment}");
    }
    for (return_id, lines) in &placed.returning {
        let part = placed.parts.all().iter().find(|part| part.returns.contains(return_id)).unwrap();
        assert!(is_of(part, lines), "{id}: {lines:?} are of several parts");
    }
}

/// The only part has the statuses of the order; several are open as long as the order is.
fn statuses(id: OrderId, placed: &Placed) {
    let progress = &placed.progress;
    let parts = placed.parts.all();
    if let [part] = parts {
        let both = (part.status(), part.fulfilment());
        assert_eq!(both, (progress.status, progress.fulfilment), "{id}: {placed:?}");
    }
    let is_open = parts.iter().any(|part| part.status() == Status::Open);
    assert_eq!(is_open, progress.status == Status::Open, "{id}: {placed:?}");
}
