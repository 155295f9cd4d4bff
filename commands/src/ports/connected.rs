//! Which payment providers and carriers a shop is connected to. Emulators are named like any other; only development has
//! them by default.

use byteshop_domain::ids::RefundId;
use byteshop_domain::ledger::Holding;
use byteshop_domain::money::Money;
use byteshop_domain::payment::{ProviderOutcome, ProviderReference};
pub use byteshop_domain::payment_provider::Provider;
use byteshop_domain::text::{Name, Reference};
use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use uuid::Uuid;

use super::carrier::{CarrierPort, Report};
use super::paypal::Paypal;
use super::{Attempt, Begun, Charge, NoAnswer, NotAccepted, PaymentProvider, RefundAnswer};

/// A carrier that a shop can be connected to. Carriers without an interface need no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectedCarrier {
    /// The simulated one: no parcel moves.
    Simulated,
}

impl ConnectedCarrier {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Simulated];

    /// The name in settings and requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Simulated => "simulated",
        }
    }

    /// Whether it only pretends to move parcels.
    pub fn is_emulated(self) -> bool {
        match self {
            Self::Simulated => true,
        }
    }
}

/// The providers and carriers that a shop is connected to; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connected {
    /// The payment providers.
    pub providers: Vec<Provider>,
    /// PayPal, if it is one of them.
    pub paypal: Option<Paypal>,
    /// The carriers.
    pub carriers: Vec<ConnectedCarrier>,
}

impl Connected {
    /// The emulated payment provider and the simulated carrier, for development and tests.
    pub fn emulators() -> Self {
        Self { providers: vec![Provider::Test], paypal: None, carriers: vec![ConnectedCarrier::Simulated] }
    }

    /// Whether payments can be made through this provider.
    pub fn has_provider(&self, provider: Provider) -> bool {
        self.providers.contains(&provider)
    }

    /// Whether this carrier takes parcels.
    pub fn has_carrier(&self, carrier: ConnectedCarrier) -> bool {
        self.carriers.contains(&carrier)
    }

    /// The emulated ones, such as `payment provider test`.
    pub fn emulated(&self) -> Vec<String> {
        let providers = self.providers.iter().filter(|it| it.is_emulated());
        let carriers = self.carriers.iter().filter(|it| it.is_emulated());
        let providers = providers.map(|it| format!("payment provider {}", it.as_str()));
        providers.chain(carriers.map(|it| format!("carrier {}", it.as_str()))).collect()
    }

    /// Warnings for the operators of a production shop.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.providers.is_empty() {
            let said = "no payment provider is connected: set BYTESHOP_PAYMENT_PROVIDER to take payments other than manual ones";
            warnings.push(said.to_owned());
        }
        for provider in self.providers.iter().filter(|it| it.is_emulated()) {
            let name = provider.as_str();
            warnings.push(format!(
                "payments are emulated (BYTESHOP_PAYMENT_PROVIDER={name}): orders become paid, but no money moves"
            ));
        }
        if let Some(paypal) = self.paypal.as_ref().filter(|paypal| !paypal.account().is_live()) {
            let url = &paypal.account().url;
            warnings.push(format!("payments with PayPal move no money (BYTESHOP_PAYPAL_URL={url})"));
        }
        for carrier in self.carriers.iter().filter(|it| it.is_emulated()) {
            let name = carrier.as_str();
            warnings.push(format!(
                "parcels are simulated (BYTESHOP_CARRIER={name}): they become delivered, but nothing is shipped"
            ));
        }
        warnings
    }
}

/// Stands where no payment provider is connected: the outcome of what was begun through one stays unknown until it is
/// connected again.
#[derive(Debug)]
pub(crate) struct NoProvider;

fn no_provider<T: Send + 'static>() -> BoxFuture<'static, Result<T, NoAnswer>> {
    ready(Err(NoAnswer("no payment provider is connected".to_owned()))).boxed()
}

impl PaymentProvider for NoProvider {
    fn reference(&self, _token: Option<&str>, _id: Uuid) -> Option<ProviderReference> {
        None
    }

    fn accepts(&self, _amount: Money) -> Result<(), NotAccepted> {
        Ok(())
    }

    fn authorize<'a>(&'a self, _charge: Charge<'a>, _now: DateTime<Utc>) -> BoxFuture<'a, Result<Begun, NoAnswer>> {
        no_provider()
    }

    fn capture<'a>(&'a self, _attempt: Attempt<'a>) -> BoxFuture<'a, Result<Option<Money>, NoAnswer>> {
        no_provider()
    }

    fn release<'a>(&'a self, _attempt: Attempt<'a>) -> BoxFuture<'a, Result<Option<Money>, NoAnswer>> {
        no_provider()
    }

    fn refund<'a>(
        &'a self,
        _attempt: Attempt<'a>,
        _refund: RefundId,
        _amount: Money,
    ) -> BoxFuture<'a, Result<RefundAnswer, NoAnswer>> {
        no_provider()
    }

    fn cancel_attempt<'a>(
        &'a self,
        _attempt: Attempt<'a>,
        _now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<ProviderOutcome, NoAnswer>> {
        no_provider()
    }

    fn look_up<'a>(
        &'a self,
        _attempt: Attempt<'a>,
        _now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<ProviderOutcome, NoAnswer>> {
        no_provider()
    }

    fn find<'a>(
        &'a self,
        _attempt: Attempt<'a>,
        _now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<ProviderOutcome, NoAnswer>> {
        no_provider()
    }

    fn statement(&self) -> BoxFuture<'_, Result<Vec<Holding>, NoAnswer>> {
        no_provider()
    }
}

/// Stands where no carrier is connected.
#[derive(Debug)]
pub(crate) struct NoCarrier;

impl CarrierPort for NoCarrier {
    fn register<'a>(&'a self, _story: Option<&'a Name>, _id: Uuid) -> BoxFuture<'a, Result<Reference, NoAnswer>> {
        ready(Err(NoAnswer("no carrier is connected".to_owned()))).boxed()
    }

    fn report<'a>(&'a self, _tracking: &'a Reference, _now: DateTime<Utc>) -> BoxFuture<'a, Result<Report, NoAnswer>> {
        ready(Err(NoAnswer("no carrier is connected".to_owned()))).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_without_a_word_is_connected_to_nothing_and_emulators_are_named() {
        let nothing = Connected::default();
        assert!(!nothing.has_provider(Provider::Test) && !nothing.has_carrier(ConnectedCarrier::Simulated));
        assert_eq!(nothing.emulated(), [""; 0]);
        assert!(nothing.warnings().concat().contains("BYTESHOP_PAYMENT_PROVIDER"));
        let emulators = Connected::emulators();
        assert_eq!(emulators.emulated(), ["payment provider test", "carrier simulated"]);
        let warnings = emulators.warnings().concat();
        assert!(warnings.contains("no money moves") && warnings.contains("nothing is shipped"), "{warnings}");
    }
}
