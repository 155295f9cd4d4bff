//! The invariants: those that hold at any time, and those that hold at rest.

use std::collections::BTreeSet;

use super::acts::limited;
use super::disputes;
use super::goods::Goods;
use super::manual::on_account;
use super::parts;
use super::provider::State;
use super::shop::Shop;
use super::stored;
use crate::credit_note::{Content, CreditNote};
use crate::ids::{OrderId, RefundId, VariantId};
use crate::order::{Fulfilment, ParcelStage, Part, PaymentStatus, Placed, Status, Taxed};
use crate::payment::{self, Opened, Payment, RefundCause, RefundStage};
use crate::pricing::Shipping;
use crate::returns::Stage as Settled;
use crate::testing::id;
use crate::{Actor, Asked, Decider as _};

/// No quantity is below zero, no more is reserved than is on hand, no more is refunded than was captured.
pub fn at_any_time(shop: &Shop) {
    for (variant, stock) in &shop.states.stocks {
        let promised: i64 = stock.reservations.values().map(|it| it.quantity.get()).sum();
        assert_eq!(stock.reserved, promised, "{variant}: what is reserved is not what was promised");
        assert!((0..=stock.on_hand).contains(&stock.reserved), "{variant}: {stock:?}");
        assert!(shop.goods.shelf[variant] >= 0, "{variant}: something left that was not there");
    }
    for (key, given) in &shop.goods.given {
        let kept = shop.goods.kept[key];
        assert!((0..=kept).contains(given), "{key:?}: {given} of {kept} pieces are handed over");
    }
    for (key, lost) in &shop.goods.lost {
        let given = shop.goods.given.get(key).copied().unwrap_or(0);
        assert!((0..=shop.goods.kept[key] - given).contains(lost), "{key:?}: {lost} are lost, {given} handed over");
        let placed = shop.states.orders[&key.0].live().unwrap();
        assert_eq!(placed.lost_of(key.1), *lost, "{key:?}: what is lost of the order");
    }
    for (variant, lost) in &shop.goods.really_lost {
        let told = shop.goods.told_lost.get(variant).copied().unwrap_or(0);
        assert_eq!(told, *lost, "{variant}: what is told as lost is not what is lost");
    }
    for (key, returned) in &shop.goods.returned {
        let given = shop.goods.given.get(key).copied().unwrap_or(0);
        assert!(*returned <= given, "{key:?}: {returned} came back of {given} that had left");
    }
    for (id, payment) in &shop.states.payments {
        let opened = payment.live().unwrap();
        assert!(opened.refundable().amount >= 0, "{id}: more goes back than was taken: {opened:?}");
    }
    for (id, order) in &shop.states.orders {
        let placed = order.live().unwrap();
        assert!(placed.credited.amount <= placed.payable().amount, "{id}: more is credited than was to be paid");
        assert!(placed.payable().amount >= 0, "{id}: less than nothing is to be paid");
        parts::at_any_time(*id, placed);
    }
    for (reference, charge) in &shop.provider.charges {
        assert!(charge.refunded() <= charge.amount, "{reference}: more was given back than was charged");
    }
    let used = shop.states.usages.get(&limited()).map_or(0, |it| it.used);
    assert!((0..=3).contains(&used), "a promotion that is limited to 3 uses was used {used} times");
}

/// All books agree.
pub fn at_rest(shop: &Shop) {
    for (variant, stock) in &shop.states.stocks {
        assert_eq!(stock.reserved, 0, "{variant}: pieces are reserved for no order");
        let still_to_go: i64 = orders(shop)
            .filter(|(_, placed)| matches!(placed.progress.status, Status::Open | Status::Completed))
            .map(|(id, _)| {
                shop.goods.left(id).into_iter().filter(|(it, _)| it == variant).map(|(_, left)| left).sum::<i64>()
            })
            .sum();
        let lost: i64 = shop.goods.lost.iter().filter(|((_, it), _)| it == variant).map(|(_, lost)| lost).sum();
        let shelf = shop.goods.shelf[variant];
        assert_eq!(stock.on_hand + still_to_go - lost, shelf, "{variant}: the stock is not what lies on the shelf");
    }
    let mut claimed = 0;
    for (id, placed) in orders(shop) {
        let opened = shop.states.payments[&placed.placement.payment].live().unwrap();
        sums(id, placed);
        books(shop, id, placed, opened);
        ledger(shop, id, placed, opened);
        goods(&shop.goods, id, placed);
        let off = matches!(placed.progress.status, Status::Cancelled | Status::Expired);
        claimed += i64::from(!off && placed.placement.claims.contains(&limited()));
    }
    assert_eq!(shop.states.usages.get(&limited()).map_or(0, |it| it.used), claimed, "uses of the promotion");
}

fn orders(shop: &Shop) -> impl Iterator<Item = (OrderId, &Placed)> {
    shop.states.orders.iter().map(|(id, order)| (*id, order.live().unwrap()))
}

/// The total of an order is the sum of its parts, to the cent.
fn sums(id: OrderId, placed: &Placed) {
    let placement = &placed.placement;
    let lines: i64 = placement.lines.iter().map(share).sum();
    assert_eq!(lines + shipping(placed), placement.total.amount, "{id}: the total is not the sum of the parts");
}

fn share(line: &crate::order::Line) -> i64 {
    let on_top = line.tax.filter(|tax| !tax.included).map_or(0, |tax| tax.amount.amount);
    line.amount.amount - line.discount.map_or(0, |off| off.amount) + on_top
}

fn shipping(placed: &Placed) -> i64 {
    let due = |it: &Shipping| {
        let on_top = it.tax.filter(|tax| !tax.included).map_or(0, |tax| tax.amount.amount);
        it.price.money().amount - it.discount.amount + on_top
    };
    placed.placement.shippings().map(due).sum()
}

/// The provider's books, the payment and the order agree on the amounts.
fn books(shop: &Shop, id: OrderId, placed: &Placed, opened: &Opened) {
    let charges = || shop.provider.charges.values().filter(|it| it.payment == placed.placement.payment);
    let kept: i64 = charges().map(super::provider::Charge::kept).sum();
    let ours = opened.captured().amount - opened.refunded.amount;
    assert_eq!(
        kept + on_account(shop, id) + stored::paid(shop, id),
        ours - disputes::beyond(shop, placed.placement.payment),
        "{id}: the provider, the account, the stored values and the payment disagree: {:?} {opened:?}",
        charges().collect::<Vec<_>>()
    );
    assert!(charges().all(|it| it.state != State::Authorized), "{id}: an amount is authorized for nothing: {opened:?}");
    assert!(charges().filter(|it| it.kept() > 0).count() <= 1, "{id}: charged twice");
    assert!(!opened.in_flight(), "{id}: the attempt is not looked up any more: {opened:?}");
    let failed = opened.refunds.values().any(|it| it.stage == RefundStage::Failed);
    match placed.progress.status {
        Status::Cancelled | Status::Expired => {
            assert!(ours == 0 || failed, "{id}: an order that is off was paid for: {placed:?} {opened:?}");
            assert!(ours == 0 || can_all_go_back(opened), "{id}: money can never go back: {placed:?} {opened:?}");
            let due = placed.progress.payment_status == PaymentStatus::RefundDue;
            // An order that never had the money says so, whatever became of it.
            assert!(
                placed.progress.payment_status == PaymentStatus::Voided || due == (ours > 0),
                "{id}: {placed:?} {opened:?}"
            );
        }
        Status::Open | Status::Completed => {
            assert!(opened.was_captured(), "{id}: an unpaid order continues: {placed:?} {opened:?}");
            assert!(placed.is_paid(), "{id}: the order does not know that it is paid: {placed:?}");
            assert_eq!(opened.captured(), placed.payable(), "{id}: what was taken is not what was to be paid");
            assert_eq!(
                placed.progress.refunded, opened.refunded,
                "{id}: the order and the payment disagree on what went back"
            );
        }
    }
}

/// Whether all that is left is refunded when the failed refunds are retried one after the other, in either order.
fn can_all_go_back(opened: &Opened) -> bool {
    let asked = Asked { at: chrono::DateTime::UNIX_EPOCH, by: Actor::System { name: "judge".to_owned() } };
    let failed: Vec<RefundId> = opened.failed_refunds().map(|(id, _)| id).collect();
    [failed.clone(), failed.into_iter().rev().collect()].into_iter().all(|order| {
        let tried =
            order.into_iter().zip(1..).fold(Payment::Opened(Box::new(opened.clone())), |payment, (failed, number)| {
                let retry = payment::Command::RetryRefund { failed, refund: id(number) };
                payment.decide(&retry, &asked).unwrap_or_default().iter().fold(payment, Payment::evolve)
            });
        tried.live().is_ok_and(|it| it.refundable().amount == 0)
    })
}

/// Whether these are of different suppliers.
fn is_each_once(notes: &[&&Content]) -> bool {
    let suppliers: BTreeSet<_> = notes.iter().map(|note| note.supplier.as_ref().map(|it| it.seller)).collect();
    suppliers.len() == notes.len()
}

/// Every refund has its credit note, and what the buyer finally pays is what the shop keeps.
fn ledger(shop: &Shop, id: OrderId, placed: &Placed, opened: &Opened) {
    let notes = shop.states.notes.values().filter_map(|note| match note {
        CreditNote::Issued(content) if content.order == Some(id) => Some(&**content),
        CreditNote::Issued(_) | CreditNote::Missing => None,
    });
    let notes: Vec<_> = notes.collect();
    let mut exact = true;
    let off = matches!(placed.progress.status, Status::Cancelled | Status::Expired);
    for (refund, piece) in &opened.refunds {
        assert_ne!(piece.stage, RefundStage::Requested, "{id}: money is on its way back for ever");
        exact &= piece.stage == RefundStage::Done || piece.retried_as.is_some();
        // What failed to go back is tried again under the document that it has.
        let whole = piece.of.unwrap_or(*refund);
        let first = tried_first(opened, whole);
        let documents: Vec<_> = notes.iter().filter(|note| note.refund == Some(first)).collect();
        assert!(first == whole || notes.iter().all(|note| note.refund != Some(whole)), "{id}: credited again");
        match piece.cause {
            RefundCause::OrderCancelled => {
                assert!(off, "{id}: given back for nothing");
                // What failed to go back before has its document already.
                assert!(is_each_once(&documents), "{id}: money goes back with two documents of one supplier");
            }
            RefundCause::LinesCancelled | RefundCause::Return { .. } | RefundCause::Staff { .. } => {
                let by_staff = matches!(piece.cause, RefundCause::Staff { .. });
                exact &= !by_staff;
                let most = if by_staff && placed.suppliers().len() > 1 { placed.parts.all().len() } else { 1 };
                assert!((1..=most).contains(&documents.len()), "{id}: money goes back without its document");
                let total: i64 = documents.iter().map(|note| note.total.amount).sum();
                assert!(first != whole || total == sum_of(opened, whole), "{id}: {documents:?}");
            }
            RefundCause::Dispute { .. } | RefundCause::Provider { .. } => {
                exact = false;
                disputes::documented(placed, piece, &documents);
            }
            RefundCause::NotDue => {
                assert!(documents.is_empty(), "{id}: what was never captured has a document");
                continue;
            }
        }
        if let (RefundStage::Done, RefundCause::Return { id }, None) = (piece.stage, &piece.cause, piece.of) {
            let progress = &shop.states.returns[id].live().unwrap().progress;
            let known = (progress.stage(), progress.arrival().and_then(|it| it.refund));
            assert_eq!(known, (Settled::Refunded, Some(*refund)), "{id} is not settled");
        }
        if piece.stage == RefundStage::Done && placed.progress.payment_status != PaymentStatus::Voided {
            assert!(placed.refunds.contains(refund), "{id}: the order does not know what went back: {placed:?}");
        }
    }
    taxes(id, placed, &notes);
    sold(id, placed, &notes);
    credited(id, placed, opened, &notes);
    let known = |it: RefundId| opened.refunds.contains_key(&it);
    assert!(
        notes.iter().all(|note| note.refund.is_none_or(known)),
        "{id}: a note names a refund that is none: {notes:?}"
    );
    let (waived, sent_for_nothing) = shipping_that_fell(&shop.goods, id, placed);
    let reduced: i64 = worth(placed, |variant| shop.goods.off_unpaid.get(&(id, variant)).copied().unwrap_or(0));
    assert_eq!(placed.reduced().amount, reduced + waived, "{id}: what was off before it was paid");
    let gone =
        worth(placed, |variant| placed.off(variant) + shop.goods.returned.get(&(id, variant)).copied().unwrap_or(0));
    let credited = gone - reduced;
    assert!(placed.credited.amount <= credited, "{id}: more is credited than is gone");
    if exact {
        assert_eq!(placed.credited.amount, credited, "{id}: what is gone is not credited");
        if !off {
            let finally = opened.captured().amount - opened.refunded.amount;
            let kept = placed.placement.total.amount - gone - waived - sent_for_nothing;
            assert_eq!(finally, kept, "{id}: the buyer pays for something else");
        }
    }
}

/// The shipping that is no longer due, or is refunded: all of that of a part, once nothing is left to ship of it in an open order.
fn shipping_that_fell(goods: &Goods, id: OrderId, placed: &Placed) -> (i64, i64) {
    let fell = placed.parts.all().iter().map(|part| of_part(goods, id, placed, part));
    fell.fold((0, 0), |(waived, back), (one, other)| (waived + one, back + other))
}

fn of_part(goods: &Goods, id: OrderId, placed: &Placed, part: &Part) -> (i64, i64) {
    let travels = |variant: &VariantId| part.has(*variant) && !goods.digital.contains(variant);
    let sum = |book: &std::collections::BTreeMap<(OrderId, VariantId), i64>| -> i64 {
        book.iter().filter(|((of, variant), _)| *of == id && travels(variant)).map(|(_, number)| number).sum()
    };
    let lines = placed.placement.lines.iter().filter(|line| travels(&line.variant));
    let bought: i64 = lines.map(|line| line.quantity.get()).sum();
    let off = matches!(placed.progress.status, Status::Cancelled | Status::Expired);
    let shipping = part.sums.shipping_due.amount;
    match (bought, sum(&goods.off_unpaid), sum(&goods.kept)) {
        (0, _, _) => (0, 0),
        (bought, off_unpaid, _) if bought == off_unpaid => (shipping, 0),
        (_, _, 0) if !off => (0, shipping),
        (_, _, _) => (0, 0),
    }
}

/// The amount that an order counts as sold is what its documents, which are counted separately, leave of it: nothing of a
/// cancelled order, whatever happened to its refunds.
fn sold(id: OrderId, placed: &Placed, notes: &[&Content]) {
    let documents: i64 = notes.iter().map(|note| note.total.amount).sum();
    let counted = placed.sold;
    assert_eq!(counted.credited.amount, documents, "{id}: {counted:?} is not what {notes:?} are over");
    assert_eq!(counted.cancelled.amount, 0, "{id}: {counted:?} comes off without a document");
    let left = match placed.progress.status {
        Status::Cancelled | Status::Expired => 0,
        Status::Open | Status::Completed => placed.payable().amount - documents,
    };
    assert_eq!(counted.left().amount, left, "{id}: {counted:?} of {placed:?}");
}

/// The amount of a refund with all of its parts.
fn sum_of(opened: &Opened, refund: RefundId) -> i64 {
    let parts = opened.refunds.iter().filter(|(id, it)| **id == refund || it.of == Some(refund));
    parts.map(|(_, it)| it.amount.amount).sum()
}

/// The first refund of those that this one retries.
fn tried_first(opened: &Opened, refund: RefundId) -> RefundId {
    let before = opened.refunds.iter().find(|(_, it)| it.retried_as == Some(refund));
    before.map_or(refund, |(before, _)| tried_first(opened, *before))
}

/// There is a credit note for all that is refunded, and for no more: a failed refund has one too, and is refunded with the rest
/// when the order is cancelled. An order that never had the money has no invoice either.
fn credited(id: OrderId, placed: &Placed, opened: &Opened, notes: &[&Content]) {
    let credited: i64 = notes.iter().map(|note| note.total.amount).sum();
    let failed: i64 = opened.failed_refunds().map(|(_, it)| it.amount.amount).sum();
    match placed.progress.status {
        _ if placed.progress.payment_status == PaymentStatus::Voided => {
            assert_eq!(credited, 0, "{id}: credited for nothing");
        }
        Status::Open | Status::Completed => {
            let back = opened.refunded.amount;
            // What a buyer got by a dispute and failed to go back before has its document already.
            let covered = disputes::covered(opened, notes);
            assert!(covered <= failed, "{id}: {covered} went back without a document, and {failed} failed to");
            assert_eq!(credited + covered, back + failed, "{id}: {back} are back, and {failed} failed to go back");
        }
        Status::Cancelled | Status::Expired => {
            let whole = opened.captured().amount;
            assert!(credited == whole || whole == 0, "{id}: {credited} are credited of {whole}: {placed:?} {opened:?}");
        }
    }
}

/// Credit notes take back no more tax than was paid, at any rate.
fn taxes(id: OrderId, placed: &Placed, notes: &[&Content]) {
    for paid in &placed.invoiced {
        let like = |it: &&Taxed| (it.rate, it.included) == (paid.rate, paid.included);
        let back = || notes.iter().flat_map(|note| note.taxes.iter().flatten()).filter(like);
        let tax: i64 = back().map(|it| it.tax.amount).sum();
        let net: i64 = back().map(|it| it.net.amount).sum();
        assert!(tax <= paid.tax.amount && net <= paid.net.amount, "{id}: {tax} on {net} went back of {paid:?}");
    }
}

/// The share of a number of pieces of each variant; each variant has one line.
fn worth(placed: &Placed, pieces: impl Fn(VariantId) -> i64) -> i64 {
    placed.placement.lines.iter().map(|line| share(line) * pieces(line.variant) / line.quantity.get()).sum()
}

/// The goods are where the order has them.
fn goods(goods: &Goods, id: OrderId, placed: &Placed) {
    let kept = |variant: &VariantId| goods.kept.get(&(id, *variant)).copied().unwrap_or(0);
    let given = |variant: &VariantId| goods.given.get(&(id, *variant)).copied().unwrap_or(0);
    let variants = placed.variants();
    match placed.progress.status {
        Status::Cancelled | Status::Expired => {
            assert!(variants.iter().all(|it| given(it) == 0), "{id}: an order that is off has left: {placed:?}");
            let packed = placed.parcels.values().any(|parcel| parcel.stage == ParcelStage::Prepared);
            assert!(!packed, "{id}: an order that is off is packed: {placed:?}");
        }
        Status::Open | Status::Completed => {
            assert!(variants.iter().all(|it| placed.handed_over(*it) == given(it)), "{id}: {placed:?}");
            let all_gone = variants.iter().all(|it| kept(it) == given(it));
            let under_way = placed.parcels.values().any(|it| it.stage == ParcelStage::HandedOver);
            let over = placed.progress.status == Status::Completed;
            assert_eq!(all_gone && !under_way, over, "{id}: everything has arrived, or not: {placed:?}");
            let sum = |of: &dyn Fn(&VariantId) -> i64| variants.iter().map(of).sum::<i64>();
            let returned = sum(&|it| goods.returned.get(&(id, *it)).copied().unwrap_or(0));
            // What does not travel is given with the money, and says nothing of the rest.
            let travels =
                |it: &VariantId| placed.placement.lines.iter().any(|line| line.variant == *it && line.travels());
            let expected = match (sum(&kept), sum(&given), returned) {
                (kept, _, back) if back > 0 && back == kept => Fulfilment::Returned,
                (_, _, back) if back > 0 => Fulfilment::PartlyReturned,
                (kept, given, _) if given == kept => Fulfilment::Fulfilled,
                _ if variants.iter().any(|it| travels(it) && given(it) > 0) => Fulfilment::PartlyFulfilled,
                _ if sum(&given) > 0 => placed.progress.fulfilment,
                _ => Fulfilment::Unfulfilled,
            };
            assert_eq!(placed.progress.fulfilment, expected, "{id}: {placed:?}");
        }
    }
}
