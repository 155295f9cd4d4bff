//! What the handlers share: the books with their file, the tokens, and the rolls of requests.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use aws_lc_rs::rand;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use data_encoding::HEXLOWER;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::books::{Books, Delivery};
use super::certificates::Certificates;
use super::dice::{Chance, happens};
use super::fault::Answer;
use super::input::Input;
use super::journal::{Journal, Line};
use super::operation::Operation;
use super::switches::Switches;

/// Seconds for which an access token is valid, as at PayPal: nine hours.
pub(super) const TOKEN_SECONDS: i64 = 32_400;
/// Tokens that are remembered: a client that asks for one with each request does not fill the memory.
const TOKENS_MAX: usize = 10_000;

/// What the caller is known by.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// The id.
    pub id: String,
    /// The secret.
    pub secret: String,
}

#[derive(Debug)]
struct World {
    books: Books,
    journal: Option<Journal>,
    tokens: HashMap<String, DateTime<Utc>>,
    /// Requests that the switches covered, which is the count of their rolls.
    covered: u64,
}

/// What is shared.
#[derive(Debug)]
pub(super) struct Shared {
    world: Mutex<World>,
    /// Woken when there may be something to deliver.
    pub wake: Notify,
    /// The certificates.
    pub certificates: Certificates,
    /// The caller.
    pub client: Client,
    /// Ends requests that get no response.
    pub cancel: CancellationToken,
}

/// What becomes of a request, by the switches.
#[derive(Debug, Clone)]
pub(super) struct Luck {
    /// How long it waits.
    pub latency: Duration,
    /// The error that it gets instead of being executed: the status and `Retry-After`.
    pub error: Option<(u16, u32)>,
    /// Whether it gets no response.
    pub is_silent: bool,
}

/// The next thing to deliver.
#[derive(Debug)]
pub(super) enum Next {
    /// A delivery, due at this time, to this address with this body.
    Send { due: DateTime<Utc>, delivery: Delivery, url: String, body: String },
    /// A delivery of an event or to a webhook that does not exist any more.
    Drop { due: DateTime<Utc>, number: u64 },
    /// Something of the books is due.
    Settle,
    /// Nothing for so long, or until woken.
    Wait(Option<Duration>),
}

impl Shared {
    /// Over books.
    pub(super) fn new(
        books: Books,
        journal: Option<Journal>,
        certificates: Certificates,
        client: Client,
        cancel: CancellationToken,
    ) -> Self {
        let world = World { books, journal, tokens: HashMap::new(), covered: 0 };
        Self { world: Mutex::new(world), wake: Notify::new(), certificates, client, cancel }
    }

    // A panic while the lock is held is a defect that the next request may show again; the books stay readable.
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time of the sandbox.
    pub(super) fn now(&self) -> DateTime<Utc> {
        now_of(&self.world().books)
    }

    /// Saves an input and changes the books by it. The wait for the disk is short, and every request waits for it anyway.
    ///
    /// # Errors
    /// When it cannot be saved; then nothing has changed.
    pub(super) fn apply(&self, input: Input) -> Result<Answer> {
        let mut world = self.world();
        let line = Line { at: now_of(&world.books), input };
        if let Some(journal) = &mut world.journal {
            journal.append(&line)?;
        }
        let answer = world.books.apply(&line.input, line.at);
        drop(world);
        self.wake.notify_one();
        Ok(answer)
    }

    /// Reads the books, after what is due has happened.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Books, DateTime<Utc>) -> T) -> Result<T> {
        let is_due = {
            let world = self.world();
            world.books.is_due(now_of(&world.books))
        };
        if is_due {
            self.apply(Input::Tick {})?;
        }
        let world = self.world();
        Ok(look(&world.books, now_of(&world.books)))
    }

    /// Where receivers of webhooks fetch the certificate that signed them.
    pub(super) fn certificate_url(&self) -> String {
        format!("{}/v1/notifications/certs/{}", self.world().books.base, self.certificates.name)
    }

    /// A new access token.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub(super) fn new_token(&self) -> Result<String> {
        let mut world = self.world();
        let now = now_of(&world.books);
        let token = format!("A21AA{}", HEXLOWER.encode(&random::<32>()?));
        if world.tokens.len() >= TOKENS_MAX {
            world.tokens.clear();
        }
        world.tokens.insert(token.clone(), now + TimeDelta::seconds(TOKEN_SECONDS));
        Ok(token)
    }

    /// Whether a token is in force.
    pub(super) fn is_token(&self, token: &str) -> bool {
        let world = self.world();
        let now = now_of(&world.books);
        world.tokens.get(token).is_some_and(|until| now < *until)
    }

    /// What becomes of a request.
    pub(super) fn luck(&self, operation: Operation) -> Luck {
        let mut world = self.world();
        let count = world.covered;
        let switches = &world.books.switches;
        if !switches.cover(operation) {
            return Luck { latency: Duration::ZERO, error: None, is_silent: false };
        }
        let luck = luck(switches, count);
        world.covered += 1;
        luck
    }

    /// What is to be delivered next.
    pub(super) fn next(&self) -> Next {
        let world = self.world();
        let books = &world.books;
        let now = now_of(books);
        if books.is_due(now) {
            return Next::Settle;
        }
        let first = books.pending.first_key_value();
        if let Some(((due, number), delivery)) = first.filter(|((due, _), _)| *due <= now) {
            let event = books.events.get(&delivery.event);
            let Some((webhook, event)) = books.webhooks.get(&delivery.webhook).zip(event) else {
                return Next::Drop { due: *due, number: *number };
            };
            let (url, body) = (webhook.url.clone(), event.body.to_string());
            return Next::Send { due: *due, delivery: delivery.clone(), url, body };
        }
        let soonest = first.map(|((due, _), _)| *due).into_iter();
        let soonest = soonest.chain(books.due.first_key_value().map(|((due, _), _)| *due)).min();
        Next::Wait(soonest.map(|due| (due - now).to_std().unwrap_or_default()))
    }
}

fn now_of(books: &Books) -> DateTime<Utc> {
    clock() + TimeDelta::seconds(books.ahead_seconds)
}

/// The time of this machine.
#[expect(clippy::disallowed_methods, reason = "the stand-in is not a part of the shop, and has its own clock")]
pub(super) fn clock() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// Random bytes.
///
/// # Errors
/// When the system has none.
pub(super) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).ok().context("the system has no random bytes")?;
    Ok(bytes)
}

fn luck(switches: &Switches, count: u64) -> Luck {
    let seed = switches.seed;
    let error = if happens(seed, Chance::TooMany, count, switches.too_many_percent) {
        Some((429, switches.retry_after_seconds))
    } else if happens(seed, Chance::Error, count, switches.error_percent) {
        // Both occur: one says when to come again.
        Some(if count.is_multiple_of(2) { (500, 0) } else { (503, switches.retry_after_seconds) })
    } else {
        None
    };
    Luck {
        latency: Duration::from_millis(switches.latency_ms),
        error,
        is_silent: happens(seed, Chance::Silence, count, switches.silent_percent),
    }
}
