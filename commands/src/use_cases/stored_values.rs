//! Gift cards and store credit: issued and granted by staff, and used to pay orders.
//!
//! The code of a gift card is made here and shown once. The log has neither the code nor its hash: the id of the card follows from the
//! keyed hash.

use byteshop_domain::ids::{AccountId, OrderId, StoredValueId};
use byteshop_domain::money::Money;
use byteshop_domain::order::Order;
use byteshop_domain::payment::{self, Payment};
use byteshop_domain::settlement;
use byteshop_domain::stored_value::{self, CODE_BYTES, Command, GiftCode, Means, Rejection, StoredValue};
use byteshop_domain::text::{Hash, LicenceKey, Reason};
use byteshop_domain::{Kind, Personal, Subject, account::Account, ids::Id as _};
use byteshop_eventstore::{StoreError, random};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Commands;
use crate::engine::error::{Error, Rejected};
use crate::engine::execute::Done;
use crate::engine::intent::Intent;
use crate::engine::unit::{Loaded, Unit};

/// The kind of keyed hash that stands for the code of a gift card.
const CODE: &str = "gift_card";

/// What a buyer pays with.
#[derive(Debug, Clone, Copy)]
pub enum Purse<'a> {
    /// The gift card with this code.
    Card(&'a str),
    /// The store credit of the account that ordered.
    Credit,
}

impl Commands {
    /// The gift card with a code; none if there is no such card, or the code has a typo.
    pub async fn card_of(&self, code: &str) -> Result<Option<Loaded<StoredValue>>, Error> {
        let Ok(code) = GiftCode::read(code) else { return Ok(None) };
        let id = id_of(self, &code).await?;
        let Some(found) = self.get::<StoredValue>(id).await? else { return Ok(None) };
        Ok(Some(Loaded { id, version: found.version, state: found.state }))
    }

    /// Pays as much of an order as a gift card or store credit has, at most `most`; see [`settlement::cover()`].
    ///
    /// An attempt that waits at the provider's page is cancelled there first, as its amount is another one now.
    /// `allowed` refuses orders of other people; `answer` makes the answer from the payment.
    pub async fn cover<T, P, R>(
        &self,
        intent: &Intent,
        order: OrderId,
        (purse, most): (Purse<'_>, Option<Money>),
        allowed: P,
        answer: R,
    ) -> Result<Done<T>, Error>
    where
        T: Serialize + DeserializeOwned + Send,
        P: Fn(&Order) -> Result<(), Error> + Send + Sync,
        R: Fn(&Loaded<Payment>) -> T + Send + Sync,
    {
        self.open()?;
        let _running = self.enter(intent)?;
        if let Some(key) = &intent.key
            && let Some(done) = self.first_answer(key).await?
        {
            return Ok(done);
        }
        // Whatever else is in the way, such as that the order is not theirs, is said first.
        let known = self.get::<Order>(order).await?.ok_or_else(|| Rejected::missing("order"))?;
        allowed(&known.state)?;
        let means = self.means_of(&known.state, purse).await?;
        self.cancel_waiting_attempt(intent, order).await?;
        let (allowed, answer) = (&allowed, &answer);
        self.run_entered(intent, |unit| async move {
            let order = unit.load::<Order>(order).await?.exists()?;
            allowed(&order.state)?;
            unit.check_version(&order)?;
            let placement = &order.state.live()?.placement;
            let mut together = unit.together();
            together.hold(&order);
            together.load::<Payment>(&[placement.payment]).await?;
            together.load::<StoredValue>(&[means.value(placement.total.currency)]).await?;
            let payment = together.decide(|work| settlement::cover(work, order.id, means, most))?;
            Ok(answer(&unit.load::<Payment>(payment).await?))
        })
        .await
    }

    /// What pays, if it is the buyer's to use.
    async fn means_of(&self, order: &Order, purse: Purse<'_>) -> Result<Means, Error> {
        match purse {
            Purse::Card(code) => match self.card_of(code).await? {
                Some(card) => Ok(Means::GiftCard { card: card.id }),
                None => Err(Rejection::UnknownCode.into()),
            },
            Purse::Credit => match order.live()?.placement.buyer.account {
                Some(account) => Ok(Means::StoreCredit { account }),
                None => Err(Error::Rejected(Rejected {
                    code: "payment.no_account".to_owned(),
                    kind: Kind::Invalid,
                    detail: "the order was placed without an account, so there is no store credit to pay it with"
                        .to_owned(),
                    pointer: Some("/provider".to_owned()),
                })),
            },
        }
    }
}

/// The gift card with a code.
pub(crate) async fn id_of(commands: &Commands, code: &GiftCode) -> Result<StoredValueId, Error> {
    let hash = commands.vault().blind(CODE, code.plain()).await?;
    let hash = Hash::new(&hash);
    let hash = hash.map_err(|error| Error::refused("stored_value.code", Kind::Invalid, error.to_string()))?;
    Ok(stored_value::of_code(&hash))
}

/// Issues a gift card. Returns its code, encrypted with a key of the card: only the response shows it.
pub async fn issue(
    unit: &Unit,
    amount: Money,
    expires_at: Option<DateTime<Utc>>,
    reason: &Reason,
) -> Result<(Loaded<StoredValue>, Personal<LicenceKey>), Error> {
    let code = GiftCode::of(random::<CODE_BYTES>().map_err(StoreError::from)?);
    let mut card = unit.start::<StoredValue>(id_of(unit.commands(), &code).await?);
    unit.decide(&mut card, &Command::Issue { amount, expires_at, reason: reason.clone() })?;
    let text = LicenceKey::new(&code.to_string());
    let text = text.map_err(|error| Error::refused("stored_value.code", Kind::Invalid, error.to_string()))?;
    let code = unit.commands().vault().seal(Subject(card.id.uuid()), &text).await?;
    Ok((card, code))
}

/// A gift card, at the version that the caller expects.
pub async fn card(unit: &Unit, id: StoredValueId) -> Result<Loaded<StoredValue>, Error> {
    let card = unit.load_matching::<StoredValue>(id).await?;
    if card.state.live()?.is_card() { Ok(card) } else { Err(Rejection::Missing.into()) }
}

/// Blocks a gift card.
pub fn block(unit: &Unit, card: &mut Loaded<StoredValue>, reason: &Reason) -> Result<(), Error> {
    unit.decide(card, &Command::Block { reason: reason.clone() })
}

/// Unblocks a gift card.
pub fn unblock(unit: &Unit, card: &mut Loaded<StoredValue>, reason: &Reason) -> Result<(), Error> {
    unit.decide(card, &Command::Unblock { reason: reason.clone() })
}

/// Grants store credit to an account that exists.
pub async fn grant(
    unit: &Unit,
    account: AccountId,
    amount: Money,
    reason: &Reason,
) -> Result<Loaded<StoredValue>, Error> {
    unit.load::<Account>(account).await?.state.live()?;
    let mut credit = unit.load::<StoredValue>(stored_value::of_account(account, amount.currency)).await?;
    unit.decide(&mut credit, &Command::Grant { account, amount, reason: reason.clone() })?;
    Ok(credit)
}

/// Withdraws store credit of an account.
pub async fn withdraw(
    unit: &Unit,
    account: AccountId,
    amount: Money,
    reason: &Reason,
) -> Result<Loaded<StoredValue>, Error> {
    let mut credit = unit.load::<StoredValue>(stored_value::of_account(account, amount.currency)).await?;
    unit.decide(&mut credit, &Command::Withdraw { amount, reason: reason.clone() })?;
    Ok(credit)
}

/// Pays nothing of an order with a gift card or store credit any more; see [`settlement::uncover`].
pub async fn uncover(unit: &Unit, payment: &mut Loaded<Payment>, value: StoredValueId) -> Result<(), Error> {
    let opened = payment.state.live()?;
    let mut covers = opened.covers.iter().map(|cover| cover.means);
    let means = covers.find(|means| means.value(opened.amount.currency) == value);
    let means = means.ok_or(payment::Rejection::NotCovered)?;
    let mut together = unit.together();
    together.hold(payment);
    together.load::<StoredValue>(&[value]).await?;
    together.decide(|work| settlement::uncover(work, payment.id, means))?;
    unit.refresh(payment);
    Ok(())
}
