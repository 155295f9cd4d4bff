//! The way of an import into the log: plans are submitted without waiting, each built on those before it.
//!
//! The appender writes in the order of submission, so what is held in memory is what the log will hold. When somebody
//! else was faster on a stream, everything that was submitted is waited for, the states are read again, and what was
//! refused is decided again.

use std::collections::{HashMap, HashSet, VecDeque};

use byteshop_domain::ids::OrderId;
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_eventstore::{Outcome, StoreError};

use super::WHO;
use super::book::{Book, CodeIds, order_of, read_states};
use super::history::History;
use super::opening::{Opening, openings};
use super::plan::{Planner, fingerprint, key_of};
use super::report::Report;
use super::returns::Returns;
use crate::Commands;
use crate::appender::{Submitted, Unavailable};
use crate::error::Error;

/// Appends under way at most: two batches of the appender, so that the next one is ready when one is written.
const APPENDS_UNDER_WAY: usize = 4_096;
/// Events under way at most: three batches, some twenty megabytes.
const EVENTS_UNDER_WAY: usize = 24_576;
/// How often the same documents are decided again before the import gives up: others write the same streams all the time.
const ATTEMPTS: usize = 64;
/// Receipts that are asked for in one query.
const RECEIPTS_AT_ONCE: usize = 10_000;
/// A code whose SKU belongs to something else in this shop.
const TAKEN: &str = "the SKU belongs to another product of the shop";
/// A document that was imported with another content.
const CHANGED: &str = "imported before with other content";

/// What is to be appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    /// A code as a product.
    Product(u32),
    /// A document.
    Invoice(usize),
}

/// What was submitted.
struct UnderWay {
    job: Job,
    events: usize,
    submitted: Submitted,
}

/// What the log says of a document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Never,
    Same,
    Changed,
}

/// Imports a history; `progress` is told how many lines are settled.
pub async fn run(commands: &Commands, mut history: History, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<Report, Error> {
    let (taken, present) = look_up_codes(commands, &history).await?;
    if !taken.is_empty() {
        history.refuse_codes(&taken, TAKEN);
    }
    let before = look_up_invoices(commands, &history, 0..history.invoices.len()).await?;
    let returns = Returns::of(&history);
    let open = |place: &usize| before[*place] == Before::Never;
    let openings = openings(&history, (0..history.invoices.len()).filter(open));
    let ids: Vec<CodeIds> = history.codes.iter().map(CodeIds::of).collect();
    let mut run = Run {
        commands,
        history: &history,
        returns: &returns,
        ids: &ids,
        openings: &openings,
        book: Book::new(history.codes.len()),
        under_way: VecDeque::new(),
        events_under_way: 0,
        report: Report { lines: history.lines() as u64, amount: super::Total(history.amount), ..Report::default() },
        progress,
    };
    for reject in history.rejects.iter().cloned() {
        run.report.refuse(&history, reject);
    }
    let jobs = run.jobs(&before, &present);
    run.prepare(&jobs, &present).await?;
    run.work_off(jobs).await?;
    let mut report = run.report;
    report.close();
    Ok(report)
}

/// The codes whose names others hold, and those that are products already.
async fn look_up_codes(commands: &Commands, history: &History) -> Result<(HashSet<u32>, HashSet<u32>), Error> {
    let names: Vec<_> = history.codes.iter().map(|code| name::id(NameKind::Sku, code.sku.as_str())).collect();
    let names = read_states::<UniqueName>(commands.log(), &names).await?;
    let (mut taken, mut present) = (HashSet::new(), HashSet::new());
    for ((number, code), name) in (0u32..).zip(&history.codes).zip(&names) {
        match &name.state {
            UniqueName::Free => {}
            UniqueName::Held { owner, .. } if *owner == CodeIds::of(code).variant.to_string() => {
                present.insert(number);
            }
            UniqueName::Held { .. } => {
                taken.insert(number);
            }
        }
    }
    Ok((taken, present))
}

/// What the receipts say of some documents, in their order.
async fn look_up_invoices(
    commands: &Commands,
    history: &History,
    places: impl Iterator<Item = usize>,
) -> Result<Vec<Before>, Error> {
    let places: Vec<usize> = places.collect();
    let mut before = Vec::with_capacity(places.len());
    for some in places.chunks(RECEIPTS_AT_ONCE) {
        let keys: Vec<String> = some.iter().map(|place| key_of(&history.invoices[*place])).collect();
        let receipts: HashMap<String, Vec<u8>> = commands.log().fingerprints(WHO, &keys).await?.into_iter().collect();
        before.extend(some.iter().zip(&keys).map(|(place, key)| match receipts.get(key) {
            None => Before::Never,
            Some(known) if *known == fingerprint(history, &history.invoices[*place]) => Before::Same,
            Some(_) => Before::Changed,
        }));
    }
    Ok(before)
}

struct Run<'a> {
    commands: &'a Commands,
    history: &'a History,
    returns: &'a Returns,
    ids: &'a [CodeIds],
    openings: &'a [Opening],
    book: Book,
    under_way: VecDeque<UnderWay>,
    events_under_way: usize,
    report: Report,
    progress: &'a (dyn Fn(u64) + Send + Sync),
}

impl Run<'_> {
    /// What is to be done: the products that are not there, then the documents that are not there, in their order.
    fn jobs(&mut self, before: &[Before], present: &HashSet<u32>) -> VecDeque<Job> {
        let mut invoices = Vec::new();
        let mut needed = vec![false; self.history.codes.len()];
        for (place, before) in before.iter().enumerate() {
            if *before == Before::Never {
                invoices.push(Job::Invoice(place));
                self.history.invoices[place].lines.iter().for_each(|line| needed[line.code as usize] = true);
            } else {
                self.settle_known(place, *before);
            }
        }
        let new = (0u32..).zip(&needed).filter(|(code, needed)| **needed && !present.contains(code));
        new.map(|(code, _)| Job::Product(code)).chain(invoices).collect()
    }

    /// Reads what the jobs build on and earlier imports have written.
    async fn prepare(&mut self, jobs: &VecDeque<Job>, present: &HashSet<u32>) -> Result<(), Error> {
        let (mut codes, orders) = self.touched_by(jobs);
        codes.retain(|code| present.contains(code));
        self.read(&codes, &orders).await
    }

    /// The codes that jobs touch, and the orders that they return goods of.
    fn touched_by<'j>(&self, jobs: impl IntoIterator<Item = &'j Job>) -> (Vec<u32>, Vec<(usize, OrderId)>) {
        let (mut codes, mut orders) = (HashSet::new(), HashSet::new());
        for job in jobs {
            match job {
                Job::Product(code) => {
                    codes.insert(*code);
                }
                Job::Invoice(place) => {
                    for (number, line) in self.history.invoices[*place].lines.iter().enumerate() {
                        codes.insert(line.code);
                        orders.extend(self.returns.order_of(*place, number));
                    }
                }
            }
        }
        let orders = orders.into_iter().map(|place| (place, order_of(&self.history.invoices[place])));
        (codes.into_iter().collect(), orders.collect())
    }

    async fn read(&mut self, codes: &[u32], orders: &[(usize, OrderId)]) -> Result<(), Error> {
        let log = self.commands.log();
        self.book.read_codes(log, self.ids, codes).await?;
        self.book.read_orders(log, orders).await
    }

    async fn work_off(&mut self, mut jobs: VecDeque<Job>) -> Result<(), Error> {
        let mut attempts = 0;
        loop {
            let mut refused = Vec::new();
            while let Some(job) = jobs.pop_front() {
                self.submit(job).await?;
                while self.is_full() && refused.is_empty() {
                    refused.extend(self.settle().await?);
                }
                if !refused.is_empty() {
                    break;
                }
            }
            while !self.under_way.is_empty() {
                refused.extend(self.settle().await?);
            }
            if refused.is_empty() {
                return Ok(());
            }
            attempts += 1;
            if attempts > ATTEMPTS {
                return Err(Error::Contended);
            }
            tracing::debug!(documents = refused.len(), "others wrote the same streams: deciding again");
            for job in self.refresh(refused).await?.into_iter().rev() {
                jobs.push_front(job);
            }
        }
    }

    fn is_full(&self) -> bool {
        self.under_way.len() >= APPENDS_UNDER_WAY || self.events_under_way >= EVENTS_UNDER_WAY
    }

    fn plan(&self, job: Job) -> Result<super::plan::Plan, Error> {
        let (history, returns, ids, opening) = (self.history, self.returns, self.ids, self.openings);
        let planner = Planner { history, returns, ids, opening, clock: self.commands.clock() };
        match job {
            Job::Product(code) => {
                // The history begins with its first document, and so do the products in it.
                let at = history.invoices.first().map_or_else(|| self.commands.clock().now(), |invoice| invoice.at);
                planner.product(&self.book, code, at)
            }
            Job::Invoice(place) => planner.invoice(&self.book, place),
        }
    }

    async fn submit(&mut self, job: Job) -> Result<(), Error> {
        let plan = match self.plan(job) {
            Ok(plan) => plan,
            Err(Error::Rejected(rejected)) => {
                match job {
                    Job::Product(code) => {
                        let code = &self.history.codes[code as usize].sku;
                        tracing::warn!(%code, reason = rejected.detail, "the product cannot be made");
                    }
                    Job::Invoice(place) => self.reject(place, rejected.detail),
                }
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        let append = plan.enter(&mut self.book);
        let events = append.events.len();
        self.events_under_way += events;
        self.under_way.push_back(UnderWay { job, events, submitted: self.commands.appender().submit(append) });
        Ok(())
    }

    /// Waits for the oldest append; gives its job when it was refused.
    async fn settle(&mut self) -> Result<Option<Job>, Error> {
        let Some(UnderWay { job, events, submitted }) = self.under_way.pop_front() else { return Ok(None) };
        self.events_under_way -= events;
        match submitted.outcome().await {
            Ok(Outcome::Accepted { .. }) => {
                self.report.events += events as u64;
                match job {
                    Job::Product(_) => self.report.products += 1,
                    Job::Invoice(place) => {
                        self.report.count(self.history, &self.history.invoices[place], false);
                        self.tell();
                    }
                }
                Ok(None)
            }
            Ok(Outcome::Conflict | Outcome::Duplicate) => Ok(Some(job)),
            Err(Unavailable(reason)) => Err(Error::Store(StoreError::Unavailable(reason))),
        }
    }

    /// Reads again what refused jobs build on; gives those that are still to be done.
    async fn refresh(&mut self, refused: Vec<Job>) -> Result<Vec<Job>, Error> {
        let (codes, orders) = self.touched_by(&refused);
        self.read(&codes, &orders).await?;
        let place = |job: &Job| match job {
            Job::Product(_) => None,
            Job::Invoice(place) => Some(*place),
        };
        let before = look_up_invoices(self.commands, self.history, refused.iter().filter_map(place)).await?;
        let mut before = before.into_iter();
        let mut again = Vec::new();
        for job in refused {
            let known = place(&job).zip(place(&job).and_then(|_| before.next()));
            match known {
                Some((place, before)) if before != Before::Never => self.settle_known(place, before),
                Some(_) | None => again.push(job),
            }
        }
        Ok(again)
    }

    /// Enters a document that has a receipt.
    fn settle_known(&mut self, place: usize, before: Before) {
        match before {
            Before::Same => self.report.count(self.history, &self.history.invoices[place], true),
            Before::Changed => self.reject(place, CHANGED.to_owned()),
            Before::Never => {}
        }
        self.tell();
    }

    fn reject(&mut self, place: usize, reason: String) {
        for line in &self.history.invoices[place].lines {
            self.report.refuse(self.history, self.history.reject(line, reason.clone().into()));
        }
        self.tell();
    }

    fn tell(&self) {
        (self.progress)(self.report.imported + self.report.known + self.report.rejects.len() as u64);
    }
}
