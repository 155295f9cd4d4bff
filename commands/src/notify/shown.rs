//! The content of a message: the facts of its event, and data that is looked up when it is sent.

use byteshop_domain::account::Secret;
use byteshop_domain::ids::{Id as _, NotificationId, OrderId, SellerId, ShipmentId};
use byteshop_domain::money::Money;
use byteshop_domain::notification::{About, Message, Notice, Notification, Recipient, Template};
use byteshop_domain::order::{Number, Order, Placed};
use byteshop_domain::quantity::Demand;
use byteshop_domain::returns::Return;
use byteshop_domain::seller::Seller;
use byteshop_domain::shipment::Shipment;
use byteshop_domain::{Locale, Personal};

use super::format;
use super::words::{self, Shown, ShownExtra, ShownOrder, ShownPaper};
use crate::Commands;
use crate::engine::error::Error;
use crate::links::Target;
use facts::{some_money, tell};
use order::{goods_of, lines_of, order_of};

mod download;
mod facts;
mod moments;
mod order;
mod payment;

impl Commands {
    /// The content of a notification; none if the data of its subject was erased.
    pub(super) async fn shown(&self, notice: &Notice) -> Result<Option<Shown>, Error> {
        let (message, locale) = (&notice.message, notice.locale);
        let details = &self.outside().details;
        let page =
            |path: &str, id: &str| details.url.as_ref().map(|url| format!("{}/{path}/{id}", url.trim_end_matches('/')));
        let mut shown = Shown { shop: details.clone(), locale: locale.as_str(), ..Shown::default() };
        match message.about() {
            About::Account => {}
            About::Order(id) => {
                // Only what was ordered is shown, which stays as it was.
                let order = self.seen::<Order>(id).await?;
                let Some(placed) = order.as_ref().and_then(|order| order.live().ok()) else { return Ok(None) };
                let mut about = order_of(id, placed, details.zone, locale);
                if let Message::OrderLinesCancelled { lines, amount, .. } = message {
                    about = lines_of(about, placed, lines, *amount, locale);
                    shown.amount = some_money(*amount, locale);
                }
                if let Message::OrderCancelled { amount, .. } = message {
                    about = self.cancelled_now(about, id, *amount, locale).await?;
                }
                shown.order = Some(about);
                shown.url = page("orders", &id.to_string());
                // Account owners log in; guests have no other credential on another device.
                if let (Some(url), None) = (&mut shown.url, placed.placement.buyer.account) {
                    url.push_str(&self.guest_query_in_mail(id).await?);
                }
                if let Message::OrderRefunded { amount, .. } | Message::OrderCancelled { amount, .. } = message {
                    shown.amount = some_money(amount.unwrap_or(placed.placement.total), locale);
                }
                self.add_papers(message, id, placed, locale, &mut shown).await?;
                shown.received = self.received(message, placed, locale).await?;
                self.add_stored(message, placed, locale, &mut shown).await?;
                let part = self.part(message).await?;
                shown.back = comes_back(&part, placed);
                shown.goods = goods_of(&part, placed);
                if let Message::OrderShipped { parcel, .. } = message {
                    shown.ship_to = self.ship_to(placed, locale).await?;
                    shown.tracking_url = self.tracking_url(*parcel).await?;
                }
            }
            About::Product(id) => {
                shown.url = page("products", &id.to_string());
                if let Recipient::Account(account) = notice.recipient {
                    shown.unsubscribe = self.unsubscribe_link(id, account, locale).await?;
                }
            }
            About::Seller(id) | About::Payouts(id) => shown.seller = self.name_of_seller(id).await?,
            About::Dispute(seller, order) => {
                if let Some(seller) = seller {
                    shown.seller = self.name_of_seller(seller).await?;
                }
                shown.number = Some(Number::of(order.uuid()).to_string());
            }
            About::Download(order, variant) => {
                if !self.add_download(order, variant, locale, &mut shown).await? {
                    return Ok(None);
                }
            }
            About::Keys(seller, product) => {
                shown.seller = self.name_of_seller(seller).await?;
                shown.url = page("products", &product.to_string());
            }
        }
        tell(message, locale, &mut shown);
        moments::tell(message, details.zone, locale, &mut shown);
        if let Some((path, code)) = code_of(message) {
            let Some(code) = self.vault().open(code).await? else { return Ok(None) };
            shown.url = details.url.as_ref().map(|url| format!("{}/{path}?code={}", url.trim_end_matches('/'), code.0));
            shown.code = Some(code.0);
        }
        Ok(Some(shown))
    }
}

impl Commands {
    /// The subjects of notifications, as they were or are to be sent; nothing of one that is about what was forgotten.
    pub async fn subjects_of(&self, ids: &[NotificationId]) -> Result<Vec<Option<String>>, Error> {
        // At the same time, so that what they are about is read together.
        futures_util::future::try_join_all(ids.iter().map(|id| self.subject_of(*id))).await
    }

    async fn subject_of(&self, id: NotificationId) -> Result<Option<String>, Error> {
        let found = self.seen::<Notification>(id).await?;
        let Some(notice) = found.as_ref().and_then(|found| found.notice.as_ref()) else { return Ok(None) };
        let Some(shown) = self.shown(notice).await? else { return Ok(None) };
        match words::subject(notice.message.template(), notice.locale, &shown) {
            Ok(subject) => Ok(Some(subject)),
            Err(error) => {
                tracing::error!(notification = %id, %error, "the subject of a notification cannot be rendered");
                Ok(None)
            }
        }
    }

    async fn name_of_seller(&self, id: SellerId) -> Result<Option<String>, Error> {
        let seller = self.get::<Seller>(id).await?;
        Ok(seller.and_then(|it| it.state.live().ok().map(|known| known.name.to_string())))
    }

    /// The order reduced to the lines that were cancelled last; unchanged if the whole order was cancelled.
    async fn cancelled_now(
        &self,
        about: ShownOrder,
        id: OrderId,
        due: Option<Money>,
        locale: Locale,
    ) -> Result<ShownOrder, Error> {
        // What this process last saw of the order may be from before some of it was cancelled.
        let Some(order) = self.get::<Order>(id).await? else { return Ok(about) };
        let Ok(placed) = order.state.live() else { return Ok(about) };
        if placed.cancelled_quantities.is_empty() {
            return Ok(about);
        }
        let sum = due.unwrap_or(placed.payable());
        let lines = placed.valued(&placed.demands(), sum);
        let shipping = sum.amount - lines.iter().map(|line| line.amount.amount).sum::<i64>();
        let shipping = Money { amount: shipping, ..sum };
        let extra = ShownExtra { kind: "shipping", amount: format::money(shipping, locale) };
        let extras = if shipping.amount > 0 { vec![extra] } else { vec![] };
        Ok(ShownOrder { extras, ..lines_of(about, placed, &lines, sum, locale) })
    }

    /// The papers that a message leads to.
    async fn add_papers(
        &self,
        message: &Message,
        id: OrderId,
        seen: &Placed,
        locale: Locale,
        shown: &mut Shown,
    ) -> Result<(), Error> {
        let template = message.template();
        if template == Template::OrderPaid {
            // What this process last saw of the order may be from before it was paid.
            let is_old = seen.invoice.is_none() && seen.invoices.is_empty();
            let now = if is_old { self.get::<Order>(id).await? } else { None };
            let now = now.as_ref().and_then(|order| order.state.live().ok()).unwrap_or(seen);
            let all = self.link_in_mail(Target::Invoice(id), locale).await?;
            shown.invoices = invoices_of(now, all.as_deref());
        }
        // Account owners log in.
        let has_keys = seen.placement.buyer.account.is_none() && seen.placement.lines.iter().any(|line| line.keys);
        if template == Template::OrderPaid && has_keys {
            shown.keys = self.link_in_mail(Target::Keys(id), locale).await?;
        }
        let is_guest = seen.placement.buyer.account.is_none();
        if template == Template::OrderPaid && is_guest && seen.placement.lines.iter().any(|line| line.downloads) {
            shown.downloads = self.link_in_mail(Target::Downloads(id), locale).await?;
        }
        if template == Template::OrderRefunded {
            let now = self.get::<Order>(id).await?;
            let now = now.as_ref().and_then(|order| order.state.live().ok());
            shown.keys_revoked = now.is_some_and(Placed::has_given_up_deliveries);
            if now.is_some_and(|it| !it.credit_notes.is_empty()) {
                shown.credit_notes = self.link_in_mail(Target::CreditNotes(id), locale).await?;
            }
        }
        Ok(())
    }

    /// The shipping address, for account owners only: a guest's e-mail address may belong to a stranger, who must not
    /// read the address.
    async fn ship_to(&self, placed: &Placed, locale: Locale) -> Result<Vec<String>, Error> {
        let placement = &placed.placement;
        let sealed = placement.destination.address.as_ref().filter(|_| placement.buyer.account.is_some());
        let Some(sealed) = sealed else { return Ok(Vec::new()) };
        let address = self.vault().open(sealed).await?;
        Ok(address.map(|address| format::address(&address, locale)).unwrap_or_default())
    }

    /// The page where a parcel can be tracked, if known.
    async fn tracking_url(&self, parcel: Option<ShipmentId>) -> Result<Option<String>, Error> {
        let Some(parcel) = parcel else { return Ok(None) };
        let parcel = self.get::<Shipment>(parcel).await?;
        let url = parcel.and_then(|it| it.state.live().ok().and_then(|it| it.tracking_url.clone()));
        Ok(url.map(|url| url.to_string()))
    }

    /// The lines of the order that a message is about, if not all of them.
    async fn part(&self, message: &Message) -> Result<Vec<Demand>, Error> {
        let parcel = match message {
            Message::ReturnApproved { back, .. } | Message::ReturnRejected { back, .. } => {
                let back = self.get::<Return>(*back).await?;
                let lines = back.and_then(|it| it.state.live().ok().map(|it| it.lines.clone()));
                return Ok(lines.unwrap_or_default());
            }
            Message::OrderShipped { parcel, .. } => *parcel,
            Message::ConfirmEmail { .. }
            | Message::ResetPassword { .. }
            | Message::AlreadyRegistered {}
            | Message::PasswordChanged {}
            | Message::SecondFactorSetUp {}
            | Message::SecondFactorRemoved {}
            | Message::OrderPlaced { .. }
            | Message::PaymentInstructions { .. }
            | Message::OrderPaid { .. }
            | Message::OrderCancelled { .. }
            | Message::OrderLinesCancelled { .. }
            | Message::OrderRefunded { .. }
            | Message::OrderDelivered { .. }
            | Message::DeliveryFailed { .. }
            | Message::DeliveryReturning { .. }
            | Message::DeliveryLost { .. }
            | Message::ConfirmNewEmail { .. }
            | Message::EmailChangeRequested {}
            | Message::BackInStock { .. }
            | Message::PriceDropped { .. }
            | Message::SellerInvitation { .. }
            | Message::FileUpdated { .. }
            | Message::KeysRanLow { .. }
            | Message::KeysRevoked { .. }
            | Message::PayoutDestinationChosen { .. }
            | Message::PayoutSent { .. }
            | Message::PayoutFailed { .. }
            | Message::DisputeOpened { .. }
            | Message::DisputeDue { .. }
            | Message::DisputeEnded { .. }
            | Message::DisputeForStaff { .. } => None,
        };
        let Some(parcel) = parcel else { return Ok(Vec::new()) };
        let parcel = self.get::<Shipment>(parcel).await?;
        Ok(parcel.and_then(|it| it.state.live().ok().map(|it| it.lines.clone())).unwrap_or_default())
    }
}

/// The invoices of an order, each with a link of its own if there are several; `all` is the link to all of them.
fn invoices_of(placed: &Placed, all: Option<&str>) -> Vec<ShownPaper> {
    let is_one = placed.invoices.len() + usize::from(placed.invoice.is_some()) == 1;
    let mut shown: Vec<ShownPaper> = Vec::new();
    for (number, part) in placed.parts.numbered() {
        let own = placed.invoices.iter().find(|it| Some(it.supplier.seller) == part.seller);
        let Some(paper) = own.map(|it| &it.number).or(placed.invoice.as_ref()) else { continue };
        // Parts that the house supplies are on one invoice.
        if shown.iter().all(|known| known.number != paper.as_str()) {
            let url = all.map(|all| if is_one { all.to_owned() } else { format!("{all}&part={number}") });
            shown.push(ShownPaper { number: paper.to_string(), url });
        }
    }
    shown
}

/// The code that a message brings, and the page where it is entered.
fn code_of(message: &Message) -> Option<(&'static str, &Personal<Secret>)> {
    match message {
        Message::ConfirmEmail { code, .. } => Some(("confirm", code)),
        Message::ResetPassword { code, .. } => Some(("reset-password", code)),
        Message::ConfirmNewEmail { code, .. } => Some(("confirm-email", code)),
        Message::SellerInvitation { code, .. } => Some(("seller-invitation", code)),
        Message::EmailChangeRequested {}
        | Message::AlreadyRegistered {}
        | Message::PasswordChanged {}
        | Message::SecondFactorSetUp {}
        | Message::SecondFactorRemoved {}
        | Message::OrderPlaced { .. }
        | Message::PaymentInstructions { .. }
        | Message::OrderPaid { .. }
        | Message::OrderCancelled { .. }
        | Message::OrderLinesCancelled { .. }
        | Message::OrderRefunded { .. }
        | Message::OrderShipped { .. }
        | Message::ReturnApproved { .. }
        | Message::ReturnRejected { .. }
        | Message::OrderDelivered { .. }
        | Message::DeliveryFailed { .. }
        | Message::DeliveryReturning { .. }
        | Message::DeliveryLost { .. }
        | Message::BackInStock { .. }
        | Message::PriceDropped { .. }
        | Message::FileUpdated { .. }
        | Message::KeysRanLow { .. }
        | Message::KeysRevoked { .. }
        | Message::PayoutDestinationChosen { .. }
        | Message::PayoutSent { .. }
        | Message::PayoutFailed { .. }
        | Message::DisputeOpened { .. }
        | Message::DisputeDue { .. }
        | Message::DisputeEnded { .. }
        | Message::DisputeForStaff { .. } => None,
    }
}

/// Whether goods that travel are among these, keys, or both.
fn comes_back(part: &[Demand], placed: &Placed) -> &'static str {
    let sent = placed.goods_among(part.to_vec()).len();
    match part.len() - sent {
        0 => "goods",
        _ if sent == 0 => "keys",
        _ => "both",
    }
}
