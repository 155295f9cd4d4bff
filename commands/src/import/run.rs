//! Execution of an import: plans are submitted without waiting, each built on the previous ones.
//!
//! The appender writes in the order of submission, so the states in memory are those that the log will have. After a
//! version conflict the import waits for all submitted appends; the refused ones are decided again on states that are
//! read just before.

use std::collections::{HashMap, HashSet, VecDeque};

use byteshop_domain::ids::OrderId;
use byteshop_domain::name::UniqueName;
use byteshop_eventstore::{Outcome, StoreError};

use super::book::{Book, CodeIds, look_up_given_up, look_up_names, order_of};
use super::draft::Held;
use super::draft::WHO;
use super::history::History;
use super::opening::{Opening, openings};
use super::plan::{Planner, fingerprint, key_of};
use super::report::Report;
use super::returns::Returns;
use crate::Commands;
use crate::engine::appender::{Submitted, Unavailable};
use crate::engine::commit_handle::CommitHandle;
use crate::engine::error::Error;

/// How much is submitted before the oldest append is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Appends under way at most.
    pub appends: usize,
    /// Events under way at most.
    pub events: usize,
}

impl Default for Pace {
    /// Two batches of appends and three of events, some twenty megabytes: the next batch is ready when one is written.
    fn default() -> Self {
        Self { appends: 4_096, events: 24_576 }
    }
}

/// How often it may be for nothing that refused documents are decided again: then others write the same streams all the time.
const ATTEMPTS: usize = 64;
/// Receipts that are asked for in one query.
const RECEIPTS_AT_ONCE: usize = 10_000;
/// A code whose SKU belongs to something else in this shop.
const TAKEN: &str = "the SKU belongs to another product of the shop";
/// A document that was imported with another content.
const CHANGED: &str = "imported earlier with different content";

/// A document or product to append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    /// A code as a product.
    Product(u32),
    /// A document.
    Invoice(usize),
}

/// A submitted append.
struct UnderWay {
    job: Job,
    events: usize,
    submitted: Submitted,
}

/// The record of a document in the log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Never,
    Same,
    Changed,
}

/// Imports a history; `progress` is told how many lines are settled.
pub async fn run(
    commands: &Commands,
    mut history: History,
    pace: Pace,
    progress: &(dyn Fn(u64) + Send + Sync),
) -> Result<Report, Error> {
    let ids: Vec<CodeIds> = history.codes.iter().map(CodeIds::of).collect();
    let names = look_up_names(commands.log(), &history.codes).await?;
    let taken = (0u32..).zip(names.iter().zip(&ids)).filter(|(_, (name, ids))| holder(name, ids) == Holder::Other);
    history.refuse_codes(&taken.map(|(code, _)| code).collect(), TAKEN);
    let given_up = look_up_given_up(commands.log(), &names, &ids).await?;
    let before = look_up_invoices(commands, &history, 0..history.invoices.len()).await?;
    let returns = Returns::of(&history);
    let open = |place: &usize| before[*place] == Before::Never;
    let openings = openings(&history, (0..history.invoices.len()).filter(open));
    let mut run = Run {
        commands,
        history: &history,
        returns: &returns,
        ids: &ids,
        openings: &openings,
        book: Book::new(names),
        under_way: VecDeque::new(),
        events_under_way: 0,
        streak: CommitHandle::default(),
        given_up,
        stale_codes: HashSet::new(),
        stale_orders: HashSet::new(),
        done: 0,
        report: Report { lines: history.lines() as u64, amount: super::Total(history.amount), ..Report::default() },
        pace,
        progress,
    };
    for reject in history.rejects.iter().cloned() {
        run.report.refuse(&history, reject);
    }
    let jobs = run.jobs(&before);
    run.prepare(&jobs).await?;
    run.work_off(jobs).await?;
    let mut report = run.report;
    report.close();
    Ok(report)
}

/// The owner of a code's name.
#[derive(PartialEq, Eq)]
enum Holder {
    Nobody,
    Us,
    Other,
}

fn holder(name: &Held<UniqueName>, ids: &CodeIds) -> Holder {
    match &name.state {
        UniqueName::Free => Holder::Nobody,
        UniqueName::Held { owner, .. } if *owner == ids.variant.to_string() => Holder::Us,
        UniqueName::Held { .. } => Holder::Other,
    }
}

/// Reads the receipts of some documents, in their order.
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
    /// Shared since the last refusal: after the next one, none of what still waits is written.
    streak: CommitHandle,
    /// Codes of products that were archived, or whose variant was removed: their names are free again, but the products
    /// exist.
    given_up: HashSet<u32>,
    /// Codes and orders whose states build on appends that were refused.
    stale_codes: HashSet<u32>,
    stale_orders: HashSet<usize>,
    /// Jobs that are done: it grows while the import gets anywhere.
    done: u64,
    report: Report,
    pace: Pace,
    progress: &'a (dyn Fn(u64) + Send + Sync),
}

impl Run<'_> {
    /// The work to do: missing products first, then missing documents in their order.
    fn jobs(&mut self, before: &[Before]) -> VecDeque<Job> {
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
        let new = (0u32..).zip(needed).filter(|(code, needed)| *needed && !self.is_present(*code));
        new.map(|(code, _)| Job::Product(code)).chain(invoices).collect()
    }

    /// Whether the shop already has a product with this code.
    fn is_present(&self, code: u32) -> bool {
        self.given_up.contains(&code) || holder(&self.book.names[code as usize], &self.ids[code as usize]) == Holder::Us
    }

    /// Reads what the jobs build on and earlier imports have written.
    async fn prepare(&mut self, jobs: &VecDeque<Job>) -> Result<(), Error> {
        let (mut codes, mut orders) = self.touched_by(jobs);
        codes.retain(|code| self.is_present(*code));
        for job in jobs {
            match job {
                Job::Product(_) => {}
                // It will be made by its job.
                Job::Invoice(place) => {
                    orders.remove(place);
                }
            }
        }
        self.read(codes, orders).await
    }

    /// The codes that jobs touch, and of the orders from which something comes back those that they touch.
    fn touched_by<'j>(&self, jobs: impl IntoIterator<Item = &'j Job>) -> (HashSet<u32>, HashSet<usize>) {
        let (mut codes, mut orders) = (HashSet::new(), HashSet::new());
        for job in jobs {
            match job {
                Job::Product(code) => {
                    codes.insert(*code);
                }
                Job::Invoice(place) => {
                    orders.extend(self.returns.touched.get(place));
                    for (number, line) in self.history.invoices[*place].lines.iter().enumerate() {
                        codes.insert(line.code);
                        orders.extend(self.returns.order_of(*place, number));
                    }
                }
            }
        }
        (codes, orders)
    }

    async fn read(&mut self, codes: HashSet<u32>, orders: HashSet<usize>) -> Result<(), Error> {
        let codes: Vec<u32> = codes.into_iter().collect();
        let id = |place: usize| (place, order_of(&self.history.invoices[place]));
        let orders: Vec<(usize, OrderId)> = orders.into_iter().map(id).collect();
        self.book.read_orders(self.commands.log(), &orders).await?;
        self.book.read_codes(self.commands.log(), self.ids, &codes).await
    }

    /// Reads those states of a job again that refused appends have made wrong.
    async fn read_stale(&mut self, job: Job) -> Result<(), Error> {
        let (mut codes, mut orders) = self.touched_by([&job]);
        codes.retain(|code| self.stale_codes.remove(code));
        orders.retain(|place| self.stale_orders.remove(place));
        if codes.is_empty() && orders.is_empty() { Ok(()) } else { self.read(codes, orders).await }
    }

    async fn work_off(&mut self, mut jobs: VecDeque<Job>) -> Result<(), Error> {
        let (mut attempts, mut done) = (0, 0);
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
            attempts = if self.done > done { 1 } else { attempts + 1 };
            done = self.done;
            if attempts > ATTEMPTS {
                return Err(Error::Contended);
            }
            self.streak = CommitHandle::default();
            tracing::debug!(documents = refused.len(), "version conflict: retrying the decision");
            for job in self.refresh(refused).await?.into_iter().rev() {
                jobs.push_front(job);
            }
        }
    }

    fn is_full(&self) -> bool {
        self.under_way.len() >= self.pace.appends || self.events_under_way >= self.pace.events
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
        if !self.stale_codes.is_empty() || !self.stale_orders.is_empty() {
            self.read_stale(job).await?;
        }
        let plan = match self.plan(job) {
            Ok(plan) => plan,
            Err(Error::Rejected(rejected)) => {
                match job {
                    Job::Product(code) => {
                        tracing::warn!(code = %self.history.codes[code as usize].sku, reason = rejected.detail, "product not imported");
                    }
                    Job::Invoice(place) => self.reject(place, &rejected.detail),
                }
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        let append = plan.enter(&mut self.book);
        let events = append.events.len();
        self.events_under_way += events;
        let streak = &self.streak;
        let submitted = self.commands.appender().submit_after(append, streak.clone(), vec![streak.clone()]);
        self.under_way.push_back(UnderWay { job, events, submitted });
        Ok(())
    }

    /// Waits for the oldest append; gives its job when it was refused.
    async fn settle(&mut self) -> Result<Option<Job>, Error> {
        let Some(UnderWay { job, events, submitted }) = self.under_way.pop_front() else { return Ok(None) };
        self.events_under_way -= events;
        match submitted.outcome().await {
            Ok(Outcome::Accepted { .. }) => {
                self.done += 1;
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

    /// Marks what refused jobs build on as stale; gives those that are still to be done.
    async fn refresh(&mut self, refused: Vec<Job>) -> Result<Vec<Job>, Error> {
        let (codes, orders) = self.touched_by(&refused);
        self.stale_codes.extend(codes);
        self.stale_orders.extend(orders);
        if refused.iter().any(|job| matches!(job, Job::Product(_))) {
            self.book.names = look_up_names(self.commands.log(), &self.history.codes).await?;
        }
        let place = |job: &Job| match job {
            Job::Product(_) => None,
            Job::Invoice(place) => Some(*place),
        };
        let before = look_up_invoices(self.commands, self.history, refused.iter().filter_map(place)).await?;
        let mut before = before.into_iter();
        let mut again = Vec::new();
        for job in refused {
            match job {
                Job::Product(code) if self.is_present(code) => self.done += 1,
                Job::Product(_) => again.push(job),
                Job::Invoice(place) => match before.next() {
                    None | Some(Before::Never) => again.push(job),
                    Some(known) => self.settle_known(place, known),
                },
            }
        }
        Ok(again)
    }

    /// Enters a document that has a receipt.
    fn settle_known(&mut self, place: usize, before: Before) {
        self.done += 1;
        match before {
            Before::Same => self.report.count(self.history, &self.history.invoices[place], true),
            Before::Changed => self.reject(place, CHANGED),
            Before::Never => {}
        }
        self.tell();
    }

    fn reject(&mut self, place: usize, reason: &str) {
        for line in &self.history.invoices[place].lines {
            self.report.refuse(self.history, self.history.reject(line, reason.to_owned().into()));
        }
        self.tell();
    }

    fn tell(&self) {
        (self.progress)(self.report.settled_lines());
    }
}
