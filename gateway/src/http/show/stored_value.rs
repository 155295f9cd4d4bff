//! How gift cards and store credit look from outside.

use byteshop_commands::{Error, Loaded};
use byteshop_domain::ids::{AccountId, OrderId, RefundId, StoredValueId};
use byteshop_domain::money::Money;
use byteshop_domain::stored_value::{Event, Holder, Opened, StoredValue};
use byteshop_domain::text::{LicenceKey, Reason};
use byteshop_domain::{Currency, Personal};
use byteshop_eventstore::{Recorded, StreamId};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;

/// The newest movements that are shown: more than a card or an account has in years.
const MOVEMENTS_MAX: i64 = 1_000;

/// The state of a gift card.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum GiftCardStatus {
    /// It can be used.
    Valid,
    /// Nothing is left of it that is not held for an order.
    UsedUp,
    /// Staff blocked it.
    Blocked,
    /// It has expired.
    Expired,
}

impl GiftCardStatus {
    fn of(it: &Opened, at: DateTime<Utc>) -> Self {
        if it.is_blocked() {
            Self::Blocked
        } else if it.has_expired(at) {
            Self::Expired
        } else if it.available().amount > 0 {
            Self::Valid
        } else {
            Self::UsedUp
        }
    }
}

/// A gift card.
#[derive(Serialize, ToSchema)]
pub struct GiftCard {
    id: StoredValueId,
    /// The state of the card.
    status: GiftCardStatus,
    /// What it was issued for.
    value: Money,
    /// What is left, with what is held.
    balance: Money,
    /// What is held for orders that are not paid yet.
    held: Money,
    /// When it expires; null if it does not.
    expires_at: Option<DateTime<Utc>>,
    /// The code, in the answer to the request that issued the card; null in all others, as only a keyed hash of it is kept.
    #[schema(default = json!({"x-schema": {"example": "7K3Q-X9MW-2FBA-8HJT-C5DR"}}))]
    code: Option<Personal<LicenceKey>>,
    /// What happened to it, the newest first; null in the answers to commands.
    movements: Option<Vec<StoredValueMovement>>,
}

impl GiftCard {
    /// A gift card, as it is; none if it is store credit.
    pub fn of(card: &Loaded<StoredValue>, at: DateTime<Utc>) -> Option<Self> {
        let it = card.state.live().ok()?;
        let Holder::GiftCard { value, expires_at, .. } = it.holder else { return None };
        let (status, held) = (GiftCardStatus::of(it, at), it.held_in_all());
        Some(Self { id: card.id, status, value, balance: it.balance, held, expires_at, code: None, movements: None })
    }

    /// With its code.
    pub fn with_code(self, code: Personal<LicenceKey>) -> Self {
        Self { code: Some(code), ..self }
    }

    /// With what happened to it.
    pub fn with_movements(self, movements: Vec<StoredValueMovement>) -> Self {
        Self { movements: Some(movements), ..self }
    }
}

/// The store credit of an account in one currency.
#[derive(Serialize, ToSchema)]
pub struct StoreCredit {
    id: StoredValueId,
    account: AccountId,
    currency: Currency,
    /// What is left, with what is held.
    balance: Money,
    /// What is held for orders that are not paid yet.
    held: Money,
    /// What can be used.
    available: Money,
    /// What happened to it, the newest first: at most 1,000. Null in the response to a change.
    movements: Option<Vec<StoredValueMovement>>,
}

impl StoreCredit {
    /// Store credit, as it is; none if it is a gift card.
    pub fn of(credit: &Loaded<StoredValue>, movements: Option<Vec<StoredValueMovement>>) -> Option<Self> {
        let it = credit.state.live().ok()?;
        let Holder::StoreCredit { account } = it.holder else { return None };
        let (id, currency, balance) = (credit.id, it.balance.currency, it.balance);
        Some(Self { id, account, currency, balance, held: it.held_in_all(), available: it.available(), movements })
    }
}

/// Store credit of an account, in all currencies.
#[derive(Serialize, ToSchema)]
pub struct StoreCredits {
    items: Vec<StoreCredit>,
    /// Always null: the list is complete.
    next: Option<String>,
}

impl StoreCredits {
    /// The list.
    pub fn of(items: Vec<StoreCredit>) -> Self {
        Self { items, next: None }
    }
}

/// What happened.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum StoredValueChange {
    /// The gift card was issued.
    Issued,
    /// The gift card was bought.
    Sold,
    /// What was left was taken back, as the order that bought the gift card is refunded.
    TakenBack,
    /// Store credit was granted.
    Granted,
    /// Store credit was withdrawn.
    Withdrawn,
    /// An amount is held for an order.
    Held,
    /// An amount is not held any more.
    Released,
    /// What was held paid the order.
    Redeemed,
    /// A refund came back.
    Credited,
    /// The gift card was blocked.
    Blocked,
    /// The gift card was unblocked.
    Unblocked,
    /// What was left expired.
    Expired,
}

/// A movement of a gift card or of store credit.
#[derive(Serialize, ToSchema)]
pub struct StoredValueMovement {
    /// What happened.
    r#type: StoredValueChange,
    at: DateTime<Utc>,
    /// The amount; null if nothing moved.
    amount: Option<Money>,
    /// The order; null without one.
    order: Option<OrderId>,
    /// The refund of an order; null without one.
    refund: Option<RefundId>,
    /// The reason that staff gave; null without one.
    reason: Option<Reason>,
}

impl StoredValueMovement {
    fn of(event: Event, at: DateTime<Utc>) -> Self {
        use StoredValueChange as Change;
        let plain = |r#type| Self { r#type, at, amount: None, order: None, refund: None, reason: None };
        match event {
            Event::Issued { amount, reason, .. } => plain(Change::Issued).over(amount).because(reason),
            Event::Sold { order, amount, .. } => plain(Change::Sold).over(amount).of_order(order),
            Event::TakenBack { order, amount } => plain(Change::TakenBack).over(amount).of_order(order),
            Event::Granted { amount, reason, .. } => plain(Change::Granted).over(amount).because(reason),
            Event::Withdrawn { amount, reason } => plain(Change::Withdrawn).over(amount).because(reason),
            Event::Held { order, amount } => plain(Change::Held).over(amount).of_order(order),
            Event::Released { order, amount, .. } => plain(Change::Released).over(amount).of_order(order),
            Event::Redeemed { order, amount } => plain(Change::Redeemed).over(amount).of_order(order),
            Event::Credited { order, refund, amount, .. } => {
                Self { refund: Some(refund), ..plain(Change::Credited).over(amount).of_order(order) }
            }
            Event::Blocked { reason } => plain(Change::Blocked).because(reason),
            Event::Unblocked { reason } => plain(Change::Unblocked).because(reason),
            Event::Expired { amount } => plain(Change::Expired).over(amount),
        }
    }

    fn over(self, amount: Money) -> Self {
        Self { amount: Some(amount), ..self }
    }

    fn because(self, reason: Reason) -> Self {
        Self { reason: Some(reason), ..self }
    }

    fn of_order(self, order: OrderId) -> Self {
        Self { order: Some(order), ..self }
    }

    /// What happened to a stored value, the newest first.
    pub async fn all(app: &App, id: StoredValueId, version: i64) -> Result<Vec<Self>, Error> {
        let before = (version - MOVEMENTS_MAX).max(0);
        let events = app.commands.log().read_stream(&StreamId::of::<StoredValue>(id), before, MOVEMENTS_MAX).await?;
        let movement = |recorded: &Recorded| -> Result<Option<Self>, Error> {
            let event = recorded.event::<StoredValue>().transpose()?;
            Ok(event.map(|event| Self::of(event, recorded.occurred_at())))
        };
        let movements: Result<Vec<Option<Self>>, Error> = events.iter().rev().map(movement).collect();
        Ok(movements?.into_iter().flatten().collect())
    }
}
