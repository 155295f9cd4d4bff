//! Payments: paying, voiding, and refunds that the shop wants.
//!
//! To pay, the attempt is written down, then the provider is asked, then its answer is written down.
//!
//! A crash between these steps leaves an attempt without an outcome, whose timer asks the provider how it went; so money
//! never moves without a record, and a charge is never forgotten.
//!
//! A buyer who pays again while an attempt waits at the provider's page has left that page: the provider cancels that attempt
//! first, or says that it was approved meanwhile.

use std::time::Duration;

use byteshop_domain::Kind;
use byteshop_domain::aftersales::{self, Wanted};
use byteshop_domain::ids::{OrderId, PaymentId, RefundId};
use byteshop_domain::money::Money;
use byteshop_domain::order::{self, Order, Placed};
use byteshop_domain::payment::{
    self, CaptureMode, Direct, Opened, Payment, ProviderOutcome, ProviderReference, VoidReason,
};
use byteshop_domain::payment_book::{self, PaymentBook};
use byteshop_domain::seller::Seller;
use byteshop_domain::settlement::{self, Payer};
use byteshop_domain::text::Link;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Commands;
use crate::engine::error::{Error, Rejected};
use crate::engine::execute::Done;
use crate::engine::intent::Intent;
use crate::engine::unit::{Loaded, Unit};
use crate::ports::connected::Provider;
use crate::ports::paypal::Paypal;
use crate::ports::{Attempt, Back, Begun, Charge, NoAnswer};

/// How long the provider may take to answer. Shorter than the grace after which an attempt is looked up.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(10);

/// An attempt that is written down.
#[derive(Debug, Serialize, Deserialize)]
struct Begin {
    payment: PaymentId,
    amount: Money,
    /// The seller to whose account it is to be paid; the house if absent.
    direct: Option<Direct>,
}

/// How an order is paid.
#[derive(Debug, Clone, Copy)]
pub struct Paying<'a> {
    /// Who takes the money.
    pub provider: Provider,
    /// What the buyer's client got from the provider, if the provider gives out tokens.
    pub token: Option<&'a str>,
    /// When the money is taken.
    pub capture: CaptureMode,
    /// Where the buyer goes on after the provider's page.
    pub return_url: Option<&'a Link>,
}

impl Commands {
    /// Pays an order with a token of the provider.
    ///
    /// `allowed` refuses orders of other people; `answer` makes the answer from the payment.
    pub async fn pay<T, P, R>(
        &self,
        intent: &Intent,
        order: OrderId,
        by: Paying<'_>,
        allowed: P,
        answer: R,
    ) -> Result<Done<T>, Error>
    where
        T: Serialize + DeserializeOwned + Send,
        P: Fn(&Order) -> Result<(), Error> + Send + Sync,
        R: Fn(&Loaded<Payment>) -> T + Send + Sync,
    {
        let Paying { provider, token, capture, return_url: _ } = by;
        if !self.connected().has_provider(provider) {
            return Err(Error::NoProvider { provider: provider.as_str() });
        }
        self.open()?;
        let _running = self.enter(intent)?;
        if let Some(key) = &intent.key
            && let Some(done) = self.first_answer(key).await?
        {
            return Ok(done);
        }
        let reference = self.provider(provider).reference(token, self.clock().new_id()).ok_or_else(|| {
            Error::Rejected(Rejected {
                code: "payment.unknown_token".into(),
                kind: Kind::Invalid,
                detail: "the provider does not know this token".into(),
                pointer: Some("/token".into()),
            })
        })?;
        let Begin { payment, amount, direct } = match self.begin(intent, order, &reference, by, &allowed).await {
            // That another attempt is under way is no answer to keep: it may be this very request before a crash.
            Err(Error::Rejected(rejected)) if intent.key.is_some() && !is_in_progress(&rejected) => {
                let rejected = &rejected;
                return self.run_entered(intent, |_| async move { Err(Error::Rejected(rejected.clone())) }).await;
            }
            attempted => attempted?,
        };
        let [approved, left] = ["return", "cancel"].map(|way| self.url_of(&page_of(payment, way)));
        let back = Back { approved: &approved, left: &left };
        let direct = direct.as_ref();
        let charge = Charge { reference: &reference, payment, amount, direct, capture, token, back };
        let begun = self.authorize(provider, charge).await;
        let (reference, begun, answer) = (&reference, &begun, &answer);
        self.run_entered(intent, |unit| async move {
            let mut loaded = unit.load::<Payment>(payment).await?;
            conclude(&unit, &mut loaded, reference, begun)?;
            Ok(answer(&loaded))
        })
        .await
    }

    /// Writes the attempt down, in place of one that waits for a person.
    async fn begin<P>(
        &self,
        intent: &Intent,
        order: OrderId,
        reference: &ProviderReference,
        by: Paying<'_>,
        allowed: &P,
    ) -> Result<Begin, Error>
    where
        P: Fn(&Order) -> Result<(), Error> + Send + Sync,
    {
        // Whatever else is in the way, such as that the order is not theirs, is said first.
        let first = self.attempt(intent, order, reference, by, allowed).await;
        let is_blocked = matches!(&first, Err(Error::Rejected(rejected)) if is_in_progress(rejected));
        if is_blocked && self.cancel_waiting_attempt(intent, order).await? {
            return self.attempt(intent, order, reference, by, allowed).await;
        }
        first
    }

    /// Cancels the attempt of an order that waits for a person; says whether another one may be possible now.
    ///
    /// # Errors
    /// When the person approved it meanwhile, the order is paid.
    pub(super) async fn cancel_waiting_attempt(&self, intent: &Intent, order: OrderId) -> Result<bool, Error> {
        let Some(order) = self.get::<Order>(order).await? else { return Ok(false) };
        let Ok(placed) = order.state.live() else { return Ok(false) };
        let payment = placed.placement.payment;
        let Some(snapshot) = self.get::<Payment>(payment).await? else { return Ok(false) };
        let Some(reference) = snapshot.state.live().ok().and_then(payment::Opened::replaceable) else {
            return Ok(false);
        };
        let attempt = Attempt { reference, registration: snapshot.state.live()?.registration(reference), payment };
        let provider = self.provider(Provider::of(reference));
        let outcome = match in_time(provider.cancel_attempt(attempt, self.clock().now())).await {
            Ok(ProviderOutcome::Pending { .. } | ProviderOutcome::Unknown { .. }) => return Ok(false),
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::warn!(%error, %payment, "the provider did not cancel an attempt");
                return Ok(false);
            }
        };
        let intent = Intent { key: None, if_match: None, ..intent.clone() };
        let noted = self
            .run(&intent, |unit| async move {
                let mut loaded = unit.load::<Payment>(payment).await?;
                conclude(&unit, &mut loaded, reference, &Begun::ended(outcome))
            })
            .await;
        match noted {
            Ok(_) if outcome == ProviderOutcome::Authorized => Err(order::Rejection::AlreadyPaid.into()),
            // A refusal means that the outcome is recorded already.
            Ok(_) | Err(Error::Rejected(_)) => Ok(true),
            Err(other) => Err(other),
        }
    }

    /// Writes the attempt down. It is no answer yet, so the key is not used up.
    async fn attempt<P>(
        &self,
        intent: &Intent,
        order: OrderId,
        reference: &ProviderReference,
        by: Paying<'_>,
        allowed: &P,
    ) -> Result<Begin, Error>
    where
        P: Fn(&Order) -> Result<(), Error> + Send + Sync,
    {
        let intent = Intent { key: None, ..intent.clone() };
        let provider = by.provider;
        let by = Payer { method: provider.into(), reference, capture: by.capture, return_url: by.return_url };
        let done = self
            .run(&intent, |unit| async move {
                let order = unit.load::<Order>(order).await?.exists()?;
                allowed(&order.state)?;
                unit.check_version(&order)?;
                let mut together = unit.together();
                together.hold(&order);
                let mut direct = None;
                if let Ok(placed) = order.state.live() {
                    let payment = unit.load::<Payment>(placed.placement.payment).await?;
                    self.ensure_accepted(provider, payment.state.live().map_or(placed.payable(), Opened::in_money))?;
                    together.hold(&payment);
                    direct = self.seller_to_pay(&unit, provider, placed, &payment).await?;
                    let book = unit.load::<PaymentBook>(payment_book::id()).await?;
                    book.state.ensure_offered(provider, placed.sale())?;
                }
                // The order is expected to stay as it is, so an attempt and a cancellation cannot both be first.
                let (payment, amount) = together.decide(|work| settlement::attempt(work, order.id, by))?;
                Ok(Begin { payment, amount, direct })
            })
            .await?;
        Ok(done.answer)
    }

    /// The seller to whose account a payment goes, if the house is a platform there; see [`settlement::direct`].
    async fn seller_to_pay(
        &self,
        unit: &Unit,
        provider: Provider,
        placed: &Placed,
        payment: &Loaded<Payment>,
    ) -> Result<Option<Direct>, Error> {
        let paypal = self.connected().paypal.as_ref().filter(|_| provider == Provider::Paypal);
        let platform = paypal.map(Paypal::account).filter(|account| account.partner_id.is_some());
        let (Some(platform), Some(seller)) = (platform, settlement::only_seller(placed)) else { return Ok(None) };
        let found = unit.peek::<Seller>(seller).await?;
        let (Ok(known), Ok(opened)) = (found.state.live(), payment.state.live()) else { return Ok(None) };
        let unit = self.connected().paypal.as_ref().map_or(1, |paypal| paypal.unit(opened.amount.currency));
        let direct = settlement::direct(placed, opened, seller, known, unit);
        Ok(direct.filter(|direct| direct.account.as_str() != platform.merchant_id))
    }

    /// Refuses an amount that the provider cannot be paid with.
    fn ensure_accepted(&self, provider: Provider, amount: Money) -> Result<(), Error> {
        self.provider(provider).accepts(amount).map_err(|reason| {
            let name = provider.as_str();
            let detail = format!(
                "this order cannot be paid with `{name}`: {reason}; GET /v1/orders/{{id}}/payment-methods lists how it can"
            );
            let (code, pointer) = ("payment.amount_not_accepted".to_owned(), Some("/provider".to_owned()));
            Error::Rejected(Rejected { code, kind: Kind::Invalid, detail, pointer })
        })
    }

    /// Refuses an amount that the provider cannot refund.
    fn ensure_refundable(&self, provider: Provider, amount: Money) -> Result<(), Error> {
        self.provider(provider).accepts(amount).map_err(|reason| {
            let detail = format!("this cannot be refunded with `{}`: {reason}", provider.as_str());
            let (code, pointer) = ("payment.amount_not_accepted".to_owned(), Some("/amount".to_owned()));
            Error::Rejected(Rejected { code, kind: Kind::Invalid, detail, pointer })
        })
    }

    /// Whether an amount can be paid with a provider.
    pub fn accepts(&self, provider: Provider, amount: Money) -> bool {
        self.provider(provider).accepts(amount).is_ok()
    }

    /// Asks the provider for the money; what is to be taken at once it takes together with granting it.
    async fn authorize(&self, provider: Provider, charge: Charge<'_>) -> Begun {
        let now = self.clock().now();
        match in_time(self.provider(provider).authorize(charge, now)).await {
            Ok(begun) => begun,
            Err(error) => {
                tracing::warn!(%error, "the outcome of a charge is not known yet");
                Begun::ended(settlement::unanswered(now))
            }
        }
    }

    /// The buyer comes back from the page of a provider, having approved the attempt or having left it. `id` is what the provider
    /// calls the attempt: who does not know it changes nothing. The provider is asked either way.
    pub async fn come_back(&self, intent: &Intent, payment: PaymentId, id: &str, has_left: bool) -> Result<(), Error> {
        let Some(snapshot) = self.get::<Payment>(payment).await? else { return Ok(()) };
        let Ok(opened) = snapshot.state.live() else { return Ok(()) };
        let Some(reference) = opened.registrations.named(id) else { return Ok(()) };
        if has_left && opened.replaceable() == Some(reference) {
            return match self.cancel_waiting_attempt(intent, opened.order).await {
                // The buyer approved it before they left.
                Ok(_) | Err(Error::Rejected(_)) => Ok(()),
                Err(error) => Err(error),
            };
        }
        match self.hear_of_charge(intent, payment, reference).await {
            // A refusal means that the shop knows better already.
            Ok(()) | Err(Error::Rejected(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The page of the shop to which a provider sends the buyer of a payment.
fn page_of(payment: PaymentId, way: &str) -> String {
    format!("/pay/{payment}/{way}")
}

/// Whether another attempt is in progress.
fn is_in_progress(rejected: &Rejected) -> bool {
    rejected.is::<Payment>(&payment::Rejection::InProgress)
}

/// Writes an outcome down; see [`settlement::record_outcome`].
fn conclude(
    unit: &Unit,
    payment: &mut Loaded<Payment>,
    reference: &ProviderReference,
    begun: &Begun,
) -> Result<(), Error> {
    let Begun { outcome, registration } = begun;
    let mut together = unit.together();
    together.hold(payment);
    together.decide(|work| settlement::record_outcome(work, payment.id, reference, registration.as_ref(), *outcome))?;
    unit.refresh(payment);
    Ok(())
}

/// Voids a payment, and with it cancels the order that waits for it.
pub fn void(unit: &Unit, payment: &mut Loaded<Payment>, reason: VoidReason) -> Result<(), Error> {
    unit.decide(payment, &payment::Command::Void { reason })
}

/// Retries a refund that the provider refused; see [`aftersales::retry_refund`].
pub fn retry_refund(unit: &Unit, payment: &mut Loaded<Payment>, failed: RefundId) -> Result<(), Error> {
    let mut together = unit.together();
    together.hold(payment);
    together.decide(|work| aftersales::retry_refund(work, payment.id, failed))?;
    unit.refresh(payment);
    Ok(())
}

/// Refunds some of a payment because the shop wants it so, and revokes the keys of these pieces; see [`aftersales::refund`].
pub async fn refund(
    unit: &Unit,
    payment: &mut Loaded<Payment>,
    amount: Money,
    wanted: &Wanted<'_>,
) -> Result<(), Error> {
    let mut together = unit.together();
    together.hold(payment);
    let opened = payment.state.live()?;
    if let Some(reference) = opened.at_provider().filter(|_| !wanted.to_credit && opened.covers.is_empty()) {
        unit.commands().ensure_refundable(Provider::of(reference), amount)?;
    }
    let order = unit.load::<Order>(opened.order).await?;
    together.hold(&order);
    if let Ok(placed) = order.state.live() {
        together.load_money_back(unit, placed).await?;
    }
    together.decide(|work| aftersales::refund(work, payment.id, amount, wanted))?;
    unit.refresh(payment);
    Ok(())
}

/// Waits for the provider, and not for ever.
pub(crate) async fn in_time<T>(call: impl Future<Output = Result<T, NoAnswer>>) -> Result<T, NoAnswer> {
    tokio::time::timeout(PROVIDER_TIMEOUT, call).await.unwrap_or_else(|_| Err(NoAnswer("timed out".into())))
}
