//! What people hear of, and when a notification is sent, tried again or given up.

use super::*;
use crate::Locale;
use crate::account::{Channel, Secret};
use crate::cart::Destination;
use crate::ids::{InvitationId, NotificationId};
use crate::key_pool::KeyRange;
use crate::notification::{Death, Notice, Recipient, Skip};
use crate::payment::Choice;
use crate::payment_book::ManualKind;
use crate::personal::{Personal, Subject};
use crate::seller;
use crate::testing::{cents, id as number, noon, pieces, price, text, timer_form};

fn told(event: &AnyEvent) -> Vec<NotificationTask> {
    if !Reads::cover(Notify::READS, event.category(), &event.encode().unwrap().event_type) {
        return vec![];
    }
    let task = |reaction: Reaction<Step<NotificationTask>>| match reaction {
        Reaction::Now(Step::Notify(task)) => Some(task),
        Reaction::ClearTimer { .. } => None,
        Reaction::SetTimer { .. } => panic!("{reaction:?}"),
    };
    Notify::react(event, noon()).into_iter().filter_map(task).collect()
}

fn sent(event: notification::Event) -> Vec<Reaction<Step<Sending>>> {
    SendNotifications::react(&AnyEvent::Notification(number(5), event), noon())
}

fn of_order(event: order::Event) -> AnyEvent {
    AnyEvent::Order(number(1), event)
}

fn placement() -> order::Placement {
    order::Placement {
        buyer: order::Buyer::default(),
        cart: None,
        access_hash: None,
        destination: Destination::to(text("DE")),
        lines: vec![],
        total: cents(0),
        payment: number(2),
        pay_by: None,
        reference: None,
        imported: false,
        part_shipping: vec![],
        tax_rounding: crate::tax_book::Rounding::Line,
        discounts: vec![],
        shipping: None,
        claims: vec![],
    }
}

#[test]
fn a_buyer_hears_of_their_order() {
    let order = number(1);
    let cancelled = |reason, was_paid| {
        of_order(order::Event::Cancelled {
            reason,
            payment: number(2),
            was_paid,
            release: vec![],
            due: None,
            credit_note: None,
            further_notes: vec![],
            lost: vec![],
            stock_moved: true,
        })
    };
    for (event, message) in [
        (
            of_order(order::Event::Paid {
                payment: number(2),
                commit: vec![],
                invoice: None,
                seller: None,
                invoices: vec![],
                stock_moved: false,
                keys: vec![],
                in_part: false,
            }),
            Message::OrderPaid { order },
        ),
        (
            cancelled(CancelReason::PaymentWindowPassed, false),
            Message::OrderCancelled { order, by: CancelledBy::Unpaid, refund_due: false, amount: None },
        ),
        (
            cancelled(CancelReason::StaffRequest, true),
            Message::OrderCancelled { order, by: CancelledBy::Shop, refund_due: true, amount: None },
        ),
    ] {
        assert_eq!(told(&event), [NotificationTask::TellBuyer { order, message }]);
    }
    assert_eq!(told(&cancelled(CancelReason::Imported, false)), []);
    let lines = vec![order::ReturnLine { variant: number(3), quantity: pieces(2), amount: cents(700) }];
    let some = |reason| {
        let (lines, amount) = (lines.clone(), cents(700));
        let (refund, credit_note) = (Some(number(8)), Some(number(9)));
        of_order(order::Event::LinesCancelled {
            lines,
            amount,
            shipping: None,
            reason,
            was_paid: true,
            refund,
            credit_note,
            written_off: vec![],
        })
    };
    let message = Message::OrderLinesCancelled {
        order,
        lines: lines.clone(),
        amount: cents(700),
        by: CancelledBy::Buyer,
        refund_due: true,
    };
    assert_eq!(told(&some(CancelReason::BuyerRequest)), [NotificationTask::TellBuyer { order, message }]);
    assert_eq!(told(&some(CancelReason::Imported)), []);
}

#[test]
fn a_buyer_hears_of_money_that_comes_back_but_not_of_nothing() {
    let order = number(1);
    let refunded = |amount| of_order(order::Event::Refunded { payment: number(2), refund: None, amount });
    for amount in [None, Some(cents(700))] {
        let message = Message::OrderRefunded { order, amount };
        assert_eq!(told(&refunded(amount)), [NotificationTask::TellBuyer { order, message }]);
    }
    assert_eq!(told(&refunded(Some(cents(0)))), []);
}

#[test]
fn a_buyer_hears_how_to_pay_and_that_money_which_was_not_due_goes_back() {
    let order = number(1);
    let of_payment = |event| AnyEvent::Payment(number(2), event);
    let choice = Box::new(Choice {
        method: text("sepa"),
        kind: ManualKind::BankTransfer,
        title: text("Bank transfer"),
        instructions: text("IBAN DE02 1203 0000 0000 2020 51"),
        amount: cents(700),
        reference: text("7K3Q-X9MW-2FBA"),
        pay_by: None,
    });
    let message = Message::PaymentInstructions { order, choice: choice.clone() };
    let chosen = of_payment(payment::Event::MethodChosen { order, choice });
    assert_eq!(told(&chosen), [NotificationTask::TellBuyer { order, message }]);
    let back = |cause| {
        let refunded =
            payment::Event::Refunded { order, amount: cents(700), refund: Some(number(3)), cause, to: None, of: None };
        told(&of_payment(refunded))
    };
    let message = Message::OrderRefunded { order, amount: Some(cents(700)) };
    assert_eq!(back(Some(RefundCause::NotDue)), [NotificationTask::TellBuyer { order, message }]);
    assert_eq!((back(Some(RefundCause::OrderCancelled)), back(None)), (vec![], vec![]));
}

#[test]
fn an_order_that_is_paid_at_once_is_told_of_once() {
    let order: OrderId = number(1);
    let key = order.to_string();
    let placed = of_order(order::Event::Placed(placement()));
    let step = Step::Notify(NotificationTask::TellBuyer { order, message: Message::OrderPlaced { order } });
    let wait = Reaction::SetTimer { at: noon() + PLACED_GRACE, key: key.clone(), step };
    assert_eq!(Notify::react(&placed, noon()), [wait]);
    let paid = order::Event::Paid {
        payment: number(2),
        commit: vec![],
        invoice: None,
        seller: None,
        invoices: vec![],
        stock_moved: false,
        keys: vec![],
        in_part: false,
    };
    let told = now(NotificationTask::TellBuyer { order, message: Message::OrderPaid { order } });
    assert_eq!(Notify::react(&of_order(paid), noon()), [Reaction::ClearTimer { key }, told]);
}

#[test]
fn a_buyer_hears_when_a_parcel_does_not_arrive() {
    let order = number(1);
    let of_shipment = |event| AnyEvent::Shipment(number(5), event);
    for (event, message) in [
        (
            shipment::Event::AttemptFailed { order, at: noon(), reason: Some(text("nobody there")) },
            Message::DeliveryFailed { order },
        ),
        (shipment::Event::ReturningToSender { order, at: noon(), reason: None }, Message::DeliveryReturning { order }),
        (shipment::Event::Lost { order, at: noon(), reason: None }, Message::DeliveryLost { order }),
    ] {
        assert_eq!(told(&of_shipment(event)), [NotificationTask::TellBuyer { order, message }]);
    }
    assert_eq!(told(&of_shipment(shipment::Event::ReturnedToSender { order })), []);
}

#[test]
fn the_owner_of_an_account_hears_what_protects_it() {
    let account: AccountId = number(6);
    let code = Personal::<Secret>::new(Subject::from(account), "AAECAw");
    let asked =
        account::Event::PasswordResetRequested { code: code.clone(), code_hash: text("00"), expires_at: noon() };
    for (event, message) in [
        (asked, Message::ResetPassword { code, expires_at: noon() }),
        (account::Event::RegistrationRepeated { at: noon() }, Message::AlreadyRegistered {}),
        (account::Event::TotpConfirmed { step: 1, code_hashes: vec![], at: noon() }, Message::SecondFactorSetUp {}),
        (account::Event::TotpRemoved {}, Message::SecondFactorRemoved {}),
    ] {
        assert_eq!(told(&AnyEvent::Account(account, event)), [NotificationTask::TellAccount { account, message }]);
    }
    assert_eq!(told(&AnyEvent::Account(account, account::Event::Confirmed {})), []);
    let code = Personal::<Secret>::new(Subject::from(account), "AAECAw");
    let email = Personal::new(Subject::from(account), "other");
    let asked = account::Event::EmailChangeRequested {
        email: email.clone(),
        code: code.clone(),
        code_hash: text("00"),
        expires_at: noon(),
    };
    let messages = [Message::ConfirmNewEmail { email, code, expires_at: noon() }, Message::EmailChangeRequested {}];
    let expected = messages.map(|message| NotificationTask::TellAccount { account, message });
    assert_eq!(told(&AnyEvent::Account(account, asked)), expected);
}

#[test]
fn a_buyer_hears_of_each_parcel_and_of_the_end_of_the_journey() {
    let order = number(1);
    let handed_over = shipment::Event::HandedOver {
        order,
        carrier: Carrier::Other { name: text("Royal Mail") },
        tracking: text("RM1"),
        tracking_url: None,
        at: noon(),
    };
    let (carrier, tracking, parcel) = (Some(text("Royal Mail")), Some(text("RM1")), number(7));
    let shipped = Message::OrderShipped { order, carrier, tracking, parcel: Some(parcel) };
    let of_shipment = |event| told(&AnyEvent::Shipment(number(7), event));
    assert_eq!(of_shipment(handed_over), [NotificationTask::TellBuyer { order, message: shipped }]);
    assert_eq!(of_shipment(shipment::Event::Delivered { order, at: noon() }), []);
    let delivered = [NotificationTask::TellBuyer { order, message: Message::OrderDelivered { order } }];
    assert_eq!(told(&of_order(order::Event::Completed {})), delivered);
    assert_eq!(told(&of_order(order::Event::Fulfilled { completed: true, at: None })), delivered);
    assert_eq!(told(&of_order(order::Event::Fulfilled { completed: false, at: None })), []);
}

#[test]
fn a_buyer_hears_whether_they_may_send_something_back() {
    let (order, back) = (number(1), number(8));
    let of_return = |event| told(&AnyEvent::Return(back, event));
    let approved = [NotificationTask::TellBuyer { order, message: Message::ReturnApproved { order, back } }];
    assert_eq!(of_return(returns::Event::Approved { order }), approved);
    let rejected = Message::ReturnRejected { order, back, reason: text("worn") };
    let told = [NotificationTask::TellBuyer { order, message: rejected }];
    assert_eq!(of_return(returns::Event::Rejected { order, reason: text("worn") }), told);
    assert_eq!(of_return(returns::Event::Withdrawn { order }), []);
}

#[test]
fn buyers_hear_of_a_new_version_and_not_of_the_first_one() {
    let version = digital_good::FileVersion {
        version: 2,
        name: text("app.zip"),
        media_type: text("application/zip"),
        bytes: 9,
        address: Personal::new(Subject(uuid::Uuid::nil()), "AA"),
        at: noon(),
    };
    let of_good = |event| told(&AnyEvent::DigitalGood(digital_good::id(number(3)), event));
    let task = NotificationTask::TellOfVersion { variant: number(3), file: number(1), version: 2 };
    let added = digital_good::Event::VersionAdded { file: number(1), version: version.clone() };
    assert_eq!(of_good(added), [task]);
    assert_eq!(of_good(digital_good::Event::FileAdded { file: number(1), version }), []);
}

#[test]
fn watchers_hear_of_what_can_bring_stock_or_a_lower_price() {
    let of_stock = |event| told(&AnyEvent::Stock(number(3), event));
    let received = stock::Event::Received { quantity: pieces(1), reason: None };
    assert_eq!(of_stock(received), [NotificationTask::TellOfStock { variant: number(3) }]);
    assert_eq!(of_stock(stock::Event::Unlimited {}), [NotificationTask::TellOfStock { variant: number(3) }]);
    assert_eq!(of_stock(stock::Event::SaleResumed {}), [NotificationTask::TellOfStock { variant: number(3) }]);
    assert_eq!(of_stock(stock::Event::Lost { quantity: pieces(1), reason: None }), []);
    let set = product::Event::PriceSet { variant: number(3), price: price(5), compare_at: None, from: None };
    let task = NotificationTask::TellOfPrice { product: number(4), variant: number(3), price: price(5) };
    assert_eq!(told(&AnyEvent::Product(number(4), set)), [task]);
    let published = AnyEvent::Product(number(4), product::Event::Published {});
    assert_eq!(told(&published), [NotificationTask::TellOfReturn { product: number(4) }]);
}

#[test]
fn a_notification_is_sent_watched_over_and_tried_again() {
    let notification: NotificationId = number(5);
    let key = notification.to_string();
    let later = |at, task| Reaction::SetTimer { at, key: key.clone(), step: Step::Notify(task) };
    let notice = Notice {
        recipient: Recipient::Order(number(1)),
        channel: Channel::Email,
        locale: Locale::En,
        message: Message::OrderPaid { order: number(1) },
    };
    let send = |attempt| Sending::Send { notification, attempt };
    assert_eq!(sent(notification::Event::Queued(notice)), [now(send(Some(1)))]);
    assert_eq!(sent(notification::Event::Revived {}), [now(send(None))]);
    let give_up = later(noon() + ATTEMPT_GRACE, Sending::GiveUp { notification, attempt: 2 });
    assert_eq!(sent(notification::Event::Attempted { attempt: 2 }), [give_up]);
    let retry_at = noon() + TimeDelta::hours(1);
    let failed = notification::Event::Failed { reason: text("SMTP 451"), retry_at };
    assert_eq!(sent(failed), [later(retry_at, send(None))]);
    for over in [
        notification::Event::Sent { reference: text("250") },
        notification::Event::Died { cause: Death::Refused, reason: text("SMTP 550") },
        notification::Event::Skipped { because: Skip::Erased },
    ] {
        assert_eq!(sent(over), [Reaction::ClearTimer { key: key.clone() }]);
    }
}

#[test]
fn somebody_who_is_invited_hears_of_it() {
    let invitation: InvitationId = number(5);
    let sealed = Subject::from(invitation);
    let (email, code) = (Personal::new(sealed, "email"), Personal::<Secret>::new(sealed, "code"));
    let (role, expires_at) = (seller::Role::Owner, noon() + seller::INVITED_FOR);
    let invited = seller::Event::MemberInvited {
        invitation,
        email: email.clone(),
        email_hash: text("hash"),
        role,
        code: code.clone(),
        code_hash: text("code"),
        locale: Locale::Ru,
        at: noon(),
        expires_at,
    };
    let message = Message::SellerInvitation { email, code, seller: number(6), role, expires_at };
    let task = NotificationTask::TellInvited { invitation, locale: Locale::Ru, message };
    assert_eq!(told(&AnyEvent::Seller(number(6), invited)), [task]);
    assert_eq!(told(&AnyEvent::Seller(number(6), seller::Event::Closed {})), []);
}

#[test]
fn the_members_of_a_seller_hear_of_few_keys_and_of_revoked_ones_that_may_be_used() {
    let of_keys = |event| told(&AnyEvent::KeyPool(key_pool::id(number(3)), event));
    let task = |news| NotificationTask::TellOfKeys { variant: number(3), news };
    assert_eq!(of_keys(key_pool::Event::RanLow { left: 4 }), [task(KeyNews::RanLow { left: 4 })]);
    let range = |first, count| KeyRange { batch: 1, first, count };
    let revoked = |revealed, keys: Vec<KeyRange>| {
        let count = pieces(key_pool::count_of(&keys).max(1));
        key_pool::Event::Revoked { order: number(1), count, revealed, keys }
    };
    let seen = vec![range(4, 1)];
    assert_eq!(of_keys(revoked(1, vec![range(4, 2)])), [task(KeyNews::Revoked { keys: seen })]);
    assert_eq!(of_keys(revoked(0, vec![range(4, 2)])), []);
    // Older events do not say which keys.
    assert_eq!(of_keys(revoked(1, vec![])), []);
    assert_eq!(of_keys(key_pool::Event::AlertSet { below: None }), []);
}

#[test]
fn a_step_in_a_timer_keeps_its_stored_form() {
    let (order, notification) = (number(1), number(5));
    timer_form(
        &Step::Notify(NotificationTask::TellBuyer { order, message: Message::OrderPlaced { order } }),
        r#"{"do":"notify","errand":"tell_buyer","order":"ord_00000000000000000000000001","message":{"template":"order_placed","order":"ord_00000000000000000000000001"}}"#,
    );
    timer_form(
        &Step::Notify(Sending::Send { notification, attempt: None }),
        r#"{"do":"notify","errand":"send","notification":"ntf_00000000000000000000000005","attempt":null}"#,
    );
    timer_form(
        &Step::Notify(Sending::GiveUp { notification, attempt: 2 }),
        r#"{"do":"notify","errand":"give_up","notification":"ntf_00000000000000000000000005","attempt":2}"#,
    );
}
