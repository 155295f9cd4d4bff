//! The provider `paypal`: Orders v2, Payments v2, Payouts v1 and Disputes v1 of PayPal.
//!
//! ```text
//! attempt ─▶ create order ─▶ registered: the buyer approves it at PayPal's page
//!               approved ─▶ capture, or authorize ─▶ captured, authorized, declined
//! authorized ─▶ capture · void      captured ─▶ refund
//! ```
//!
//! An order is carried out only while its attempt is in progress, so an approval alone moves no money: what the buyer approves too late
//! is never captured. Each call reads the order first and sends only what has not happened, so it can be repeated at any time, also
//! after PayPal has forgotten its idempotency key (docs/adr/0026-paypal-is-asked-and-not-believed.md).

pub mod account;
mod amount;
mod charges;
mod client;
mod disputes;
mod evidence;
mod form;
mod missed;
mod orders;
mod payments;
mod payouts;
mod retry;
mod standing;
pub mod webhook;
mod wire;

use std::num::NonZeroUsize;
use std::sync::Arc;

use byteshop_domain::Currency;
use byteshop_domain::ids::{PayoutId, RefundId};
use byteshop_domain::ledger::Holding;
use byteshop_domain::money::Money;
use byteshop_domain::payment::{ProviderOutcome, ProviderReference, Registration};
use byteshop_domain::payment_provider::Provider;
use byteshop_domain::text::Reference;
use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use http::HeaderMap;
use lru::LruCache;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{Attempt, Begun, Charge, NoAnswer, NotAccepted, PaymentProvider, RefundAnswer};
use account::Account;
pub use charges::ChargeStanding;
use client::Client;
pub use disputes::{CapturedPayment, DisputeProgress, DisputeStanding};
pub use evidence::Exhibit;
use orders::Unapproved;
pub use payouts::{PayoutStanding, SentPayout};
use webhook::{Hint, NoRoots, NotSigned, Signers, Transmission};

/// Certificates that are kept: PayPal signs with one or two at a time.
const CERTIFICATES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

/// PayPal, for one account. Clones share everything.
#[derive(Clone)]
pub struct Paypal {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    signers: Signers,
    certificates: Mutex<LruCache<String, Arc<str>>>,
}

/// Why PayPal cannot be connected.
#[derive(Debug, thiserror::Error)]
pub enum PaypalMistake {
    /// HTTPS cannot be had on this machine.
    #[error(transparent)]
    Https(#[from] reqwest::Error),
    /// The file of trusted roots is none.
    #[error(transparent)]
    Roots(#[from] NoRoots),
}

/// Why a webhook is not followed.
#[derive(Debug, thiserror::Error)]
pub enum Unheard {
    /// It is not PayPal's.
    #[error(transparent)]
    NotSigned(#[from] NotSigned),
    /// The certificate could not be fetched.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
}

impl std::fmt::Debug for Paypal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Paypal").field(self.account()).finish()
    }
}

impl PartialEq for Paypal {
    fn eq(&self, other: &Self) -> bool {
        self.account() == other.account()
    }
}

impl Eq for Paypal {}

impl Paypal {
    /// PayPal, for this account. It is reached with the first request.
    pub fn new(account: Account) -> Result<Self, PaypalMistake> {
        let signers = Signers::of(&account)?;
        let certificates = Mutex::new(LruCache::new(CERTIFICATES));
        Ok(Self { shared: Arc::new(Shared { client: Client::new(account)?, signers, certificates }) })
    }

    /// The account.
    pub fn account(&self) -> &Account {
        self.client().account()
    }

    fn client(&self) -> &Client {
        &self.shared.client
    }

    /// Sends a payout to the account with an e-mail address, unless PayPal has it.
    pub async fn send_payout(&self, id: PayoutId, amount: Money, email: &str) -> Result<SentPayout, NoAnswer> {
        payouts::send(self.client(), id, amount, email).await
    }

    /// What became of a payout, by what PayPal calls it.
    pub async fn payout(&self, id: PayoutId, batch: &Reference, amount: Money) -> Result<PayoutStanding, NoAnswer> {
        payouts::look(self.client(), id, batch, amount).await
    }

    /// What PayPal says of a dispute.
    pub async fn dispute(&self, id: &Reference) -> Result<DisputeStanding, NoAnswer> {
        disputes::look(self.client(), id).await
    }

    /// The minor units in the smallest amount of a currency that PayPal moves.
    pub fn unit(&self, currency: Currency) -> i64 {
        amount::unit(currency)
    }

    /// Whether this is the merchant id of the account that an attempt is paid to.
    pub fn is_payee(&self, registration: Option<&Registration>, merchant: &str) -> bool {
        registration.is_some_and(|registration| orders::payee(self.client(), registration) == merchant)
    }

    /// The payment of a capture; none if it has no ids of a shop.
    pub async fn captured_payment(&self, capture: &Reference) -> Result<Option<CapturedPayment>, NoAnswer> {
        disputes::captured(self.client(), capture).await
    }

    /// The disputes that changed since a moment.
    pub async fn changed_disputes(&self, since: DateTime<Utc>) -> Result<Vec<Reference>, NoAnswer> {
        disputes::changed(self.client(), since).await
    }

    /// The disputes about a capture.
    pub async fn disputes_about(&self, capture: &Reference) -> Result<Vec<Reference>, NoAnswer> {
        disputes::about(self.client(), capture).await
    }

    /// What PayPal says of the charge of an attempt; none if it captured nothing.
    pub async fn charge(&self, attempt: Attempt<'_>) -> Result<Option<ChargeStanding>, NoAnswer> {
        charges::look(self.client(), attempt).await
    }

    /// What the events of a kind since a moment name, whether their webhooks arrived or not.
    pub async fn events(&self, kind: &str, since: DateTime<Utc>) -> Result<Vec<Hint>, NoAnswer> {
        missed::events(self.client(), kind, since).await
    }

    /// Gives PayPal what speaks for the shop.
    pub async fn submit_evidence(&self, id: &Reference, exhibits: &[Exhibit]) -> Result<(), NoAnswer> {
        evidence::submit(self.client(), id, exhibits).await
    }

    /// Gives the buyer what they claim.
    pub async fn accept_dispute(&self, id: &Reference) -> Result<(), NoAnswer> {
        disputes::accept(self.client(), id).await
    }

    /// Checks a webhook, and reads what it names. It is a hint and no more.
    pub async fn hear(&self, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> Result<Hint, Unheard> {
        let transmission = Transmission::of(headers)?;
        transmission.check_age(now)?;
        let chain = self.certificates(transmission.cert_url).await?;
        self.shared.signers.verify(&transmission, &self.account().webhook_id, body, &chain)?;
        Ok(webhook::hint(body)?)
    }

    /// The certificates at an address. One request at a time fetches some; an address that is not PayPal's is never asked.
    async fn certificates(&self, url: &str) -> Result<Arc<str>, Unheard> {
        let parsed = self.shared.signers.certificate_url(url)?;
        let mut kept = self.shared.certificates.lock().await;
        if let Some(chain) = kept.get(url) {
            return Ok(Arc::clone(chain));
        }
        let chain: Arc<str> = self.client().certificates(parsed).await.map_err(NoAnswer::from)?.into();
        kept.put(url.to_owned(), Arc::clone(&chain));
        Ok(chain)
    }
}

impl PaymentProvider for Paypal {
    fn reference(&self, _token: Option<&str>, id: Uuid) -> Option<ProviderReference> {
        ProviderReference::new(&format!("{}-{}", Provider::Paypal.as_str(), id.simple())).ok()
    }

    fn accepts(&self, amount: Money) -> Result<(), NotAccepted> {
        amount::write(amount).map(drop)
    }

    fn authorize<'a>(&'a self, charge: Charge<'a>, now: DateTime<Utc>) -> BoxFuture<'a, Result<Begun, NoAnswer>> {
        orders::create(self.client(), charge, now).boxed()
    }

    fn capture<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Result<Option<Money>, NoAnswer>> {
        payments::capture(self.client(), attempt).boxed()
    }

    fn release<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Result<Option<Money>, NoAnswer>> {
        payments::release(self.client(), attempt).boxed()
    }

    fn refund<'a>(
        &'a self,
        attempt: Attempt<'a>,
        refund: RefundId,
        amount: Money,
    ) -> BoxFuture<'a, Result<RefundAnswer, NoAnswer>> {
        payments::refund(self.client(), attempt, refund, amount).boxed()
    }

    fn cancel_attempt<'a>(
        &'a self,
        attempt: Attempt<'a>,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<ProviderOutcome, NoAnswer>> {
        // What the buyer has approved meanwhile is carried out: they meant to pay.
        orders::find(self.client(), attempt, Unapproved::GivenUp, true, now).boxed()
    }

    fn look_up<'a>(
        &'a self,
        attempt: Attempt<'a>,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<ProviderOutcome, NoAnswer>> {
        orders::find(self.client(), attempt, Unapproved::Waits, true, now).boxed()
    }

    fn find<'a>(
        &'a self,
        attempt: Attempt<'a>,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<ProviderOutcome, NoAnswer>> {
        orders::find(self.client(), attempt, Unapproved::GivenUp, false, now).boxed()
    }

    fn statement(&self) -> BoxFuture<'_, Result<Vec<Holding>, NoAnswer>> {
        ready(Err(NoAnswer("PayPal's interface for payments has no list of captured payments".to_owned()))).boxed()
    }
}
