//! The write side: commands are decided by the domain and appended to the log; processes react to what happened.
//!
//! Read [`engine`] for how a command is executed, [`use_cases`] for what can be done.

pub mod engine;
mod follow;
pub mod import;
pub mod key_upload;
pub mod links;
pub mod notify;
pub mod ports;
pub mod processes;
pub mod receipts;
pub mod relay;
#[cfg(test)]
mod testing;
pub mod use_cases;
pub mod webhooks;

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use byteshop_domain::issuer::Issuer;
use byteshop_eventstore::emulator::Books;
use byteshop_eventstore::{Clock, DataKeys, Log, Vault};

pub use engine::appender::{Appender, Committed};
use engine::batched_reads::Reader;
use engine::cache::Cache;
pub use engine::commit_handle::CommitHandle;
pub use engine::error::{Error, Rejected};
pub use engine::execute::Done;
use engine::in_flight::InFlight;
pub use engine::intent::{Intent, Key};
use engine::looks::Looks;
pub use engine::state::{At, Snapshot};
pub use engine::unit::{Loaded, Unit};
use notify::outside::{LEAVING, Outside};
use notify::words::ShopDetails;
use ports::blobs::BlobError;
pub use ports::connected::Connected;
use ports::connected::{ConnectedCarrier, Provider};
use ports::evidence_files::EvidenceFiles;
pub use use_cases::payments::Paying;
pub use use_cases::payouts::PayoutRules;

/// The write side of one process. Clones share everything.
#[derive(Clone)]
pub struct Commands {
    shared: Arc<Shared>,
}

struct Shared {
    log: Log,
    appender: Appender,
    cache: Cache,
    looks: Looks,
    in_flight: InFlight,
    clock: Clock,
    connected: Connected,
    /// The reason why payments and document numbers are stopped: a restored backup that no operator has confirmed.
    closed: RwLock<Option<String>>,
    provider: ports::payment_test::TestProvider,
    carrier: Box<dyn ports::carrier::CarrierPort>,
    reader: Reader,
    vault: Vault,
    outside: OnceLock<Outside>,
    issuer: OnceLock<Issuer>,
    payout_rules: OnceLock<PayoutRules>,
    evidence_files: OnceLock<EvidenceFiles>,
    leaving: tokio::sync::Semaphore,
}

impl Commands {
    /// The write side over a log, with this process's appender and what the shop is connected to. It starts tasks, so it
    /// needs a runtime.
    pub fn new(log: Log, appender: Appender, keys: DataKeys, connected: Connected) -> Self {
        let carrier: Box<dyn ports::carrier::CarrierPort> = if connected.has_carrier(ConnectedCarrier::Simulated) {
            Box::new(ports::carrier::SimulatedCarrier)
        } else {
            Box::new(ports::connected::NoCarrier)
        };
        let shared = Shared {
            reader: Reader::start(&log),
            vault: Vault::new(log.clone(), keys),
            provider: ports::payment_test::TestProvider::new(Books::beside(&log)),
            log,
            appender,
            cache: Cache::default(),
            looks: Looks::default(),
            in_flight: InFlight::default(),
            outside: OnceLock::new(),
            issuer: OnceLock::new(),
            payout_rules: OnceLock::new(),
            evidence_files: OnceLock::new(),
            leaving: tokio::sync::Semaphore::const_new(LEAVING as usize),
            clock: Clock,
            connected,
            closed: RwLock::new(None),
            carrier,
        };
        Self { shared: Arc::new(shared) }
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.shared.log
    }

    /// The subject keys: personal data is sealed before a command is decided, and decrypted where it is shown.
    pub fn vault(&self) -> &Vault {
        &self.shared.vault
    }

    /// The clock and the source of ids.
    pub fn clock(&self) -> Clock {
        self.shared.clock
    }

    fn carrier(&self) -> &dyn ports::carrier::CarrierPort {
        self.shared.carrier.as_ref()
    }

    /// Sets the message carriers, once; until then messages are stored.
    pub fn reach(&self, outside: Outside) {
        if self.shared.outside.set(outside).is_err() {
            tracing::error!("the message carriers are already set");
        }
    }

    /// Sets the issuer, once, that documents name from then on. Without it, documents name none.
    pub fn issue_as(&self, issuer: Issuer) {
        if self.shared.issuer.set(issuer).is_err() {
            tracing::error!("the issuer is already set");
        }
    }

    fn issuer(&self) -> Option<&Issuer> {
        self.shared.issuer.get()
    }

    /// Sets the rules for what the house owes to sellers, once; until then they are the default ones.
    pub fn pay_sellers_by(&self, rules: PayoutRules) {
        if self.shared.payout_rules.set(rules).is_err() {
            tracing::error!("the rules of payouts are already set");
        }
    }

    pub(crate) fn payout_rules(&self) -> &PayoutRules {
        self.shared.payout_rules.get_or_init(PayoutRules::default)
    }

    /// Sets where files for disputes are, once.
    pub fn keep_evidence_in(&self, files: EvidenceFiles) {
        if self.shared.evidence_files.set(files).is_err() {
            tracing::error!("the store of files for disputes is already set");
        }
    }

    fn evidence_files(&self) -> Result<&EvidenceFiles, Error> {
        let unset = "this process has no store of files".into();
        let unset = || BlobError::from(object_store::Error::Generic { store: "evidence", source: unset });
        Ok(self.shared.evidence_files.get().ok_or_else(unset)?)
    }

    /// The URL of the storefront, such as `https://shop.example.org`, if it is set.
    pub fn shop_url(&self) -> Option<&str> {
        self.details()?.url.as_deref()
    }

    /// The details of the shop, once they are set.
    fn details(&self) -> Option<&ShopDetails> {
        self.shared.outside.get().map(|outside| &outside.details)
    }

    fn outside(&self) -> &Outside {
        self.shared.outside.get_or_init(|| Outside::kept(self.log()))
    }

    fn leaving(&self) -> &tokio::sync::Semaphore {
        &self.shared.leaving
    }

    /// Stops payments and document numbers with a reason, or resumes them. Returns whether this changed anything.
    pub fn close(&self, reason: Option<String>) -> bool {
        let mut closed = self.shared.closed.write().unwrap_or_else(PoisonError::into_inner);
        let changes = *closed != reason;
        *closed = reason;
        changes
    }

    /// The reason why payments and document numbers are stopped, if they are.
    pub fn closed(&self) -> Option<String> {
        self.shared.closed.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Refuses payments and document numbers while they are stopped.
    fn open(&self) -> Result<(), Error> {
        self.closed().map_or(Ok(()), |reason| Err(Error::Closed { reason }))
    }

    /// The payment providers and carriers that this shop is connected to.
    pub fn connected(&self) -> &Connected {
        &self.shared.connected
    }

    /// A payment provider; one that never answers if the shop is not connected to it.
    fn provider(&self, provider: Provider) -> &dyn ports::PaymentProvider {
        if !self.connected().has_provider(provider) {
            return &ports::connected::NoProvider;
        }
        match (provider, &self.connected().paypal) {
            (Provider::Test, _) => &self.shared.provider,
            (Provider::Paypal, Some(paypal)) => paypal,
            (Provider::Paypal, None) => &ports::connected::NoProvider,
        }
    }

    /// The emulated payment provider, for its page, its books and its failure modes. Payments go there only if it is connected.
    pub fn emulator(&self) -> &ports::payment_test::TestProvider {
        &self.shared.provider
    }

    fn reader(&self) -> &Reader {
        &self.shared.reader
    }

    fn appender(&self) -> &Appender {
        &self.shared.appender
    }

    fn cache(&self) -> &Cache {
        &self.shared.cache
    }

    fn looks(&self) -> &Looks {
        &self.shared.looks
    }

    fn in_flight(&self) -> &InFlight {
        &self.shared.in_flight
    }
}
