//! The whole shop: its processes are killed and stopped under load, one by one and all at once, and it comes back by itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use byteshop_domain::ids::VariantId;
use byteshop_eventstore::{DataKeys, Log, Vault, nats};
use byteshop_gateway::edge::positions::{self, Positions};
use byteshop_projections::Views;
use byteshop_projections::replay::Replay;
use byteshop_tests::checker::History;
use byteshop_tests::patience::eventually;
use byteshop_tests::program::Program;
use byteshop_tests::random::Chance;
use futures_util::StreamExt as _;
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinSet;
use tokio::time::sleep;
use uuid::Uuid;

use crate::load::{Shared, Told};

/// Visitors at once.
const VISITORS: usize = 12;
/// Things for sale.
const VARIANTS: usize = 3;
/// How long the shop may take to carry out commands again, on a busy machine.
const RECOVERY: Duration = Duration::from_mins(1);
/// How long the last unpaid orders may wait: their window of a minute, and some time to act.
const SETTLING: Duration = Duration::from_mins(2);
/// Messages of JetStream that are asked for at once.
const ASKED_AT_ONCE: usize = 64;

/// What a round does to the shop.
#[derive(Debug, Clone, Copy)]
enum Fault {
    KillShop,
    KillShopWhileItStarts,
    KillBeside,
    KillPostgres,
    KillBackend,
    KillPartOfPostgres,
    KillNats,
    KillBothServers,
    KillEverything,
    StopShop,
    StopPostgres,
    StopBackend,
    StopNats,
    StopNatsAndKillShop,
    StopBackendAndKillShop,
    KillPostgresTwice,
}

/// These first, so that a short run has seen the worst; then all, again and again.
const FIRST: [Fault; 4] = [Fault::KillShop, Fault::KillPostgres, Fault::KillNats, Fault::KillEverything];
const ALL: [Fault; 16] = [
    Fault::KillShop,
    Fault::KillShopWhileItStarts,
    Fault::KillBeside,
    Fault::KillPostgres,
    Fault::KillBackend,
    Fault::KillPartOfPostgres,
    Fault::KillNats,
    Fault::KillBothServers,
    Fault::KillEverything,
    Fault::StopShop,
    Fault::StopPostgres,
    Fault::StopBackend,
    Fault::StopNats,
    Fault::StopNatsAndKillShop,
    Fault::StopBackendAndKillShop,
    Fault::KillPostgresTwice,
];

struct Run {
    program: Program,
    /// The log as far as the last round read it; in the end it is read as a whole once more.
    history: History,
    /// Where the second process serves, and on which database.
    beside: (serde_json::Value, String),
    shared: Arc<Shared>,
    chance: Chance,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_once_whatever_is_killed() {
    let chance = crate::chance("the whole shop");
    let mut run = Run {
        program: Program::new(),
        beside: Default::default(),
        history: History::default(),
        shared: Shared::new(),
        chance,
    };
    run.start().await;
    for number in 1..=VARIANTS {
        let variant = run.shared.offer(&format!("FAULT-{number}")).await;
        run.shared.variants.lock().unwrap().push(variant);
    }
    let mut visitors = JoinSet::new();
    for _ in 0..VISITORS {
        visitors.spawn(Arc::clone(&run.shared).visit(run.chance.fork()));
    }
    let mut faults = FIRST.to_vec();
    for round in 0..crate::rounds(6) {
        if faults.is_empty() {
            faults = run.shuffled();
        }
        let fault = faults.remove(0);
        run.round(round, fault, &mut visitors).await;
    }
    run.shared.stop.store(true, Ordering::Relaxed);
    while let Some(visitor) = visitors.join_next().await {
        visitor.unwrap();
    }
    run.judge_at_rest().await;
    run.program.interrupt().await;
}

impl Run {
    /// Starts what does not run: the shop, and a second process that serves beside it.
    async fn start(&mut self) {
        if self.program.ended().is_some() || self.program.pid().is_none() {
            self.program.start().await;
            *self.shared.staff.lock().unwrap() = self.program.say(&["token", "admin"]);
        }
        let run = self.program.run_json().unwrap();
        // A port that was still taken at the start of the servers has been given up for another.
        if !self.program.has_beside() || run["database_url"] != self.beside.0 {
            self.beside = (run["database_url"].clone(), self.program.start_beside().await);
        }
        let bases = vec![run["http"].as_str().unwrap().to_owned(), self.beside.1.clone()];
        *self.shared.bases.lock().unwrap() = bases;
    }

    async fn round(&mut self, round: u64, fault: Fault, visitors: &mut JoinSet<()>) {
        self.pause(300, 1_500).await;
        // Unless the run is long, the windows of the last unpaid orders would have to be waited for.
        self.shared.abandon.store(round % 10 == 9, Ordering::Relaxed);
        let known = self.shared.told().len();
        let started = Instant::now();
        self.inflict(fault).await;
        self.start().await;
        let told = self.shared.told().len();
        // The stop of a process is over, the dead are started again; nobody does anything more for the shop.
        let recovering = Instant::now();
        while self.shared.told().len() < told + VISITORS {
            if let Some(visitor) = visitors.try_join_next() {
                visitor.unwrap();
            }
            let log = || self.program.end_of_log();
            assert!(recovering.elapsed() < RECOVERY, "no recovery from {fault:?}:\n{}", log());
            sleep(Duration::from_millis(10)).await;
        }
        let recovered = started.elapsed();
        let told = self.shared.told();
        let history = &mut self.history;
        judge(history, &self.program, &told).await;
        eprintln!(
            "round {round}: {fault:?}; commands again after {recovered:?}; {} commands meanwhile, {} events, {} orders, {} repetitions",
            told.len() - known,
            history.head,
            history.orders(),
            self.shared.repeated(),
        );
        history.assert_sound();
    }

    async fn inflict(&mut self, fault: Fault) {
        match fault {
            Fault::KillShop => self.program.kill(),
            Fault::KillShopWhileItStarts => {
                self.program.kill();
                for _ in 0..2 {
                    self.program.launch();
                    self.pause(50, 1_500).await;
                    self.program.kill();
                }
            }
            Fault::KillBeside => self.program.kill_beside(),
            Fault::KillPostgres => self.signal("postgres", Signal::KILL),
            Fault::KillBackend => drop(self.signal_backend(Signal::KILL)),
            Fault::KillPartOfPostgres => self.kill_part(),
            Fault::KillNats => self.signal("nats-server", Signal::KILL),
            Fault::KillBothServers => {
                self.signal("postgres", Signal::KILL);
                self.signal("nats-server", Signal::KILL);
            }
            Fault::KillEverything => {
                for process in self.program.processes() {
                    send(process.pid, Signal::KILL);
                }
                self.program.kill();
                self.program.kill_beside();
            }
            Fault::StopShop => {
                let pid = self.program.pid().unwrap();
                self.stop_for_a_while(pid).await;
            }
            Fault::StopPostgres => {
                let pid = self.await_process("postgres").await;
                self.stop_for_a_while(pid).await;
            }
            Fault::StopBackend => {
                if let Some(pid) = self.signal_backend(Signal::STOP) {
                    self.stop_for_a_while(pid).await;
                }
            }
            Fault::StopNats => {
                let pid = self.await_process("nats-server").await;
                self.stop_for_a_while(pid).await;
            }
            Fault::StopNatsAndKillShop => {
                self.signal("nats-server", Signal::STOP);
                self.pause(100, 500).await;
                self.program.kill();
            }
            Fault::StopBackendAndKillShop => {
                self.signal_backend(Signal::STOP);
                self.pause(10, 300).await;
                self.program.kill();
            }
            Fault::KillPostgresTwice => {
                self.signal("postgres", Signal::KILL);
                let again = self.await_process("postgres").await;
                self.pause(0, 400).await;
                send(again, Signal::KILL);
            }
        }
    }

    /// All faults, in any order.
    fn shuffled(&mut self) -> Vec<Fault> {
        let mut faults: Vec<(u64, Fault)> = ALL.iter().map(|fault| (self.chance.number(), *fault)).collect();
        faults.sort_by_key(|(number, _)| *number);
        faults.into_iter().map(|(_, fault)| fault).collect()
    }

    async fn pause(&mut self, from: u64, upto: u64) {
        sleep(Duration::from_millis(self.chance.between(from, upto))).await;
    }

    fn signal(&self, name: &str, signal: Signal) {
        if let Some(pid) = self.program.process(name) {
            send(pid, signal);
        }
    }

    /// Kills one of the processes that Postgres keeps for itself.
    fn kill_part(&mut self) {
        let part = self.chance.one_of(&["walwriter", "checkpointer", "background", "autovacuum"]);
        let mut processes = self.program.processes().into_iter();
        if let Some(process) = processes.find(|process| process.name == format!("postgres: {part}")) {
            send(process.pid, Signal::KILL);
        }
    }

    /// Signals one of the processes that work for a connection of the shop.
    fn signal_backend(&mut self, signal: Signal) -> Option<Pid> {
        let backends: Vec<Pid> = self
            .program
            .processes()
            .into_iter()
            .filter(|it| it.name == "postgres: byteshop")
            .map(|it| it.pid)
            .collect();
        let pid = (!backends.is_empty()).then(|| self.chance.one_of(&backends))?;
        send(pid, signal);
        Some(pid)
    }

    async fn await_process(&self, name: &str) -> Pid {
        eventually(name, async || self.program.process(name)).await
    }

    /// Now and then longer than a client waits for an answer, and a transaction for a lock.
    async fn stop_for_a_while(&mut self, pid: Pid) {
        send(pid, Signal::STOP);
        let longest = if self.chance.once_in(6) { 12_000 } else { 4_000 };
        self.pause(500, longest).await;
        send(pid, Signal::CONT);
    }

    /// Waits until nothing is left to do, then judges everything.
    async fn judge_at_rest(&mut self) {
        let log = log_of(&self.program);
        let started = Instant::now();
        loop {
            self.history.read_on(&log).await;
            // Stock moves after its order, and money goes back after the provider has answered.
            let history = &self.history;
            let busy = !history.open_orders().is_empty() || history.has_reservations() || history.has_debts();
            if !busy || started.elapsed() > SETTLING {
                break;
            }
            sleep(Duration::from_millis(200)).await;
        }
        eprintln!("{} orders are at rest after {:?}", self.history.orders(), started.elapsed());
        // Steps that change neither may still be on their way.
        let mut history = eventually("the log is at rest", async || {
            let mut history = History::default();
            judge(&mut history, &self.program, &self.shared.told()).await;
            (log.head().await.ok()? == history.head).then_some(history)
        })
        .await;
        history.judge_at_rest();
        let charges = history.judge_books(&log).await;
        history.assert_sound();
        assert!(charges > 0, "nobody paid anything");
        eprintln!("the provider made {charges} charges, each of them known here");
        self.compare_views(&log).await;
        self.compare_jetstream(&log, &mut history).await;
    }

    async fn compare_views(&self, log: &Log) {
        let views = Views::beside(log.clone());
        let head = log.head().await.unwrap();
        for name in views.names() {
            let caught_up = async || {
                let status = views.status().await.unwrap();
                let view = status.into_iter().find(|status| status.view == name)?;
                assert_eq!(view.error, None, "{name} is parked");
                (view.position >= head).then_some(view.position)
            };
            eventually(&format!("{name} has caught up"), caught_up).await;
            let report = views.replay(name, Replay::Check, &|_| {}).await.unwrap();
            assert_eq!(report.different, 0, "{name} at {}: {:#?}", report.position, report.differences);
        }
    }

    /// Sequence + base = position, for all that JetStream holds.
    async fn compare_jetstream(&self, log: &Log, history: &mut History) {
        let run = self.program.run_json().unwrap();
        let url = run["nats_url"].as_str().unwrap();
        let client = nats::options(url).connect(url).await.unwrap();
        let jetstream = jetstream::new(client);
        let head = history.head;
        let (stream, info, base) = eventually("JetStream has everything", async || {
            let mut stream = jetstream.get_stream("BYTESHOP").await.ok()?;
            let state = stream.info().await.ok()?.state.clone();
            let base = log.delivery("BYTESHOP").await.unwrap()?.base;
            (i64::try_from(state.last_sequence).unwrap() + base >= head).then_some((stream, state, base))
        })
        .await;
        // Payments whose buyers did not come back are settled at any time.
        history.read_on(log).await;
        let history = &*history;
        let wrong: Vec<String> = futures_util::stream::iter(info.first_sequence..=info.last_sequence)
            .map(|sequence| {
                let stream = &stream;
                async move {
                    let message = stream.get_raw_message(sequence).await.unwrap();
                    let id = message.headers.get("Nats-Msg-Id").map(|id| id.as_str().parse::<Uuid>().unwrap());
                    let at = id.and_then(|id| history.ids.get(&id).copied());
                    let due = i64::try_from(sequence).unwrap() + base;
                    (at != Some(due)).then(|| format!("sequence {sequence} + {base} carries the event at {at:?}"))
                }
            })
            .buffer_unordered(ASKED_AT_ONCE)
            .filter_map(std::future::ready)
            .collect()
            .await;
        assert!(
            wrong.is_empty(),
            "{} of {} messages: {:#?}",
            wrong.len(),
            info.messages,
            &wrong[..wrong.len().min(10)]
        );
        eprintln!("JetStream holds {} messages with base {base}, the log {head} events", info.messages);
    }
}

fn send(pid: Pid, signal: Signal) {
    // It may have ended since it was found.
    let _ = kill_process(pid, signal);
}

fn log_of(program: &Program) -> Log {
    let run = program.run_json().unwrap();
    Log::open(run["database_url"].as_str().unwrap()).unwrap()
}

/// What opens the positions that customers are shown.
async fn positions_of(program: &Program, log: Log) -> Positions {
    let keys = DataKeys::parse(&std::fs::read_to_string(program.data().join("data.key")).unwrap()).unwrap();
    Positions::new(&Vault::new(log, keys).derive(positions::PURPOSE).await.unwrap()).unwrap()
}

/// Reads on in the log and compares it with what the clients were told.
async fn judge(history: &mut History, program: &Program, told: &[Told]) {
    let log = log_of(program);
    history.read_on(&log).await;
    let positions = positions_of(program, log).await;
    let mut received: std::collections::BTreeMap<&str, i64> = std::collections::BTreeMap::new();
    for one in told {
        if let Some(breach) = judge_one(history, one, &positions) {
            history.breach(format!("{breach}: {one:?}"));
        }
        if let Some((variant, quantity)) = &one.received
            && one.status.is_success()
        {
            *received.entry(variant).or_default() += quantity;
        }
    }
    for (variant, quantity) in received {
        let id: VariantId = variant.parse().unwrap();
        let in_log = history.received(id);
        // What was written and not told yet is still to come.
        if in_log < quantity {
            history.breach(format!("{variant} received {in_log} in the log, and {quantity} were acknowledged"));
        }
    }
}

fn judge_one(history: &History, told: &Told, positions: &Positions) -> Option<String> {
    let receipts = history.receipts(&told.key);
    let written = history.requests.get(&told.request).map_or(&[][..], Vec::as_slice);
    let is_payment = told.asked.ends_with("/payments");
    if !told.status.is_success() {
        let more = written.iter().any(|at| !is_payment || history.command_at(*at) != Some("payment.pay"));
        return more.then(|| format!("it was refused, and wrote {written:?}"));
    }
    let [receipt] = receipts else { return Some(format!("it has {} receipts", receipts.len())) };
    let Some((first, last)) = receipt.first_position.zip(receipt.last_position) else {
        // Somebody else may have written down what became of an attempt.
        let more = !is_payment && !written.is_empty();
        return more.then(|| format!("its receipt has no positions, and it wrote {written:?}"));
    };
    let told = told.position.as_deref().and_then(|text| text.parse().ok().or_else(|| positions.open(text)));
    if told != Some(last) {
        return Some(format!("its receipt ends at {last}"));
    }
    let whole = (first..=last).all(|at| written.contains(&at));
    // Paying writes its attempt down before the answer is known.
    let more = !is_payment && written.len() as i64 != last - first + 1;
    (!whole || more).then(|| format!("its receipt says {first}..{last}, and it wrote {written:?}"))
}
