//! The real program in a directory of its own: started, found in the list of processes, killed and stopped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::servers::fresh_directory;

/// How long a start may take: a debug build on a busy machine, and Postgres replaying what it wrote last.
const START_PATIENCE: Duration = Duration::from_secs(90);
/// How long a stop may take.
const STOP_PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Lines of the log that a failure shows.
const SHOWN_LINES: usize = 30;

/// `byteshop up` on a data directory, and perhaps a `byteshop serve` beside it.
#[derive(Debug)]
pub struct Program {
    data: PathBuf,
    child: Option<Child>,
    beside: Option<Child>,
    environment: Vec<(&'static str, String)>,
}

/// A process that belongs to the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: Pid,
    /// Its program, or what it calls itself: `postgres`, `postgres: walwriter`, `nats-server`, `byteshop`, `sh`.
    pub name: String,
}

impl Program {
    /// A shop that was never started, in a new directory.
    pub fn new() -> Self {
        binary();
        Self { data: fresh_directory(), child: None, beside: None, environment: Vec::new() }
    }

    /// Sets a variable in the environment of everything that is started from now on.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value.into()));
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Starts it; it serves when [`Program::run_json`] says where.
    pub fn launch(&mut self) {
        let _ = fs::remove_file(self.data.join("run.json"));
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        let mut command = self.command();
        command.args(["up", "--port", "0"]).env("BYTESHOP_DEV", "1").env("BYTESHOP_PAYMENT_WINDOW_MINUTES", "1");
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    /// Starts it and returns when it serves.
    ///
    /// # Panics
    /// When it ends instead, or does not serve in time; the message shows its log.
    pub async fn start(&mut self) {
        self.launch();
        let started = Instant::now();
        while self.run_json().is_none() {
            if let Some(status) = self.ended() {
                panic!("the shop ended with {status}:\n{}", self.end_of_log());
            }
            assert!(started.elapsed() < START_PATIENCE, "the shop does not serve:\n{}", self.end_of_log());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Starts another process that serves HTTP on the same servers, and says where.
    ///
    /// # Panics
    /// When it does not serve in time.
    pub async fn start_beside(&mut self) -> String {
        self.kill_beside();
        let run = self.run_json().expect("the shop runs");
        let file = self.data.join("beside.log");
        let log = fs::File::create(&file).unwrap();
        let mut command = self.command();
        command.args(["serve", "--port", "0"]).env("BYTESHOP_DEV", "1").env("BYTESHOP_PAYMENT_WINDOW_MINUTES", "1");
        for (name, key) in [("BYTESHOP_DATABASE_URL", "database_url"), ("BYTESHOP_NATS_URL", "nats_url")] {
            command.env(name, run[key].as_str().unwrap());
        }
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.beside = Some(command.spawn().unwrap());
        let started = Instant::now();
        loop {
            let text = fs::read_to_string(&file).unwrap_or_default();
            if let Some(url) = text.lines().find_map(|line| line.strip_prefix("ready ")) {
                return url.to_owned();
            }
            assert!(started.elapsed() < START_PATIENCE, "no second process serves:\n{text}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Kills the process beside the shop.
    pub fn kill_beside(&mut self) {
        kill_child(&mut self.beside);
    }

    /// Whether there is a process beside the shop.
    pub fn has_beside(&self) -> bool {
        self.beside.is_some()
    }

    /// What `up` wrote of itself since its last start.
    pub fn run_json(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&fs::read_to_string(self.data.join("run.json")).ok()?).ok()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().unwrap())
    }

    /// The end of what it and its servers wrote.
    pub fn end_of_log(&self) -> String {
        let end = |file: PathBuf| {
            let text = fs::read(&file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!("-- {}\n{}", file.display(), lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n"))
        };
        [self.log(), self.data.join("postgres.log"), self.data.join("nats.log")].map(end).join("\n")
    }

    /// Another command of the program on the same directory: what it prints.
    ///
    /// # Panics
    /// When it fails.
    pub fn say(&self, arguments: &[&str]) -> String {
        let output = self.command().args(arguments).env("BYTESHOP_DEV", "1").output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "byteshop {arguments:?}: {}: {errors}", output.status);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The process of the shop itself.
    pub fn pid(&self) -> Option<Pid> {
        self.child.as_ref().map(Pid::from_child)
    }

    /// Kills the shop itself, as `kill -9`, and nothing else.
    pub fn kill(&mut self) {
        kill_child(&mut self.child);
    }

    /// Everything that belongs to the shop: itself, what it started, and what that started.
    pub fn processes(&self) -> Vec<Process> {
        let remembered = fs::read_to_string(self.data.join("servers.json")).unwrap_or_default();
        let remembered: serde_json::Value = serde_json::from_str(&remembered).unwrap_or_default();
        let mark = remembered["mark"].as_str();
        let shop = self.pid().map(|pid| pid.as_raw_nonzero().get());
        let output = Command::new("ps").args(["-axww", "-o", "pid=,ppid=,stat=,command="]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let lines = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let (pid, parent) = (words.next()?.parse::<i32>().ok()?, words.next()?.parse::<i32>().ok()?);
            let (state, command) = (words.next()?, words.collect::<Vec<_>>().join(" "));
            let marked = mark.is_some_and(|mark| command.contains(mark));
            let ours = marked || Some(pid) == shop || Some(parent) == shop;
            // What has ended and was not collected yet is gone.
            (ours && !state.starts_with('Z'))
                .then(|| Process { pid: Pid::from_raw(pid).unwrap(), name: name(&command) })
        });
        lines.collect()
    }

    /// The process of that name.
    pub fn process(&self, name: &str) -> Option<Pid> {
        self.processes().into_iter().find(|process| process.name == name).map(|process| process.pid)
    }

    /// Stops what is beside the shop, then the shop as Ctrl-C does, and returns when nothing of it is left.
    ///
    /// # Panics
    /// When it does not end well, or leaves something behind.
    pub async fn interrupt(&mut self) {
        for mut child in [self.beside.take(), self.child.take()].into_iter().flatten() {
            let started = Instant::now();
            kill_process(Pid::from_child(&child), Signal::INT).unwrap();
            let status = loop {
                if let Some(status) = child.try_wait().unwrap() {
                    break status;
                }
                assert!(started.elapsed() < STOP_PATIENCE, "the shop does not stop:\n{}", self.end_of_log());
                tokio::time::sleep(LOOK_EVERY).await;
            };
            assert!(status.success(), "the shop stopped with {status}:\n{}", self.end_of_log());
        }
        let left = self.processes();
        assert_eq!(left, [], "left behind");
    }

    fn log(&self) -> PathBuf {
        self.data.join("shop.log")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command.arg("--data").arg(&self.data).current_dir(&self.data);
        command.envs(self.environment.iter().map(|(name, value)| (*name, value.as_str())));
        command
    }
}

impl Default for Program {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let left = self.processes();
        self.kill();
        self.kill_beside();
        for process in left {
            let _ = kill_process(process.pid, Signal::KILL);
        }
        if std::thread::panicking() {
            eprintln!("the data of the shop stays in {}", self.data.display());
        } else {
            let _ = fs::remove_dir_all(&self.data);
        }
    }
}

fn kill_child(child: &mut Option<Child>) {
    if let Some(mut child) = child.take() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// The first word of a command line without its directory; for a part of Postgres, which part.
fn name(command: &str) -> String {
    let first = command.split(' ').next().unwrap_or_default();
    let name = first.rsplit('/').next().unwrap_or_default();
    if name != "postgres:" {
        return name.to_owned();
    }
    let part = command.split(' ').nth(2).unwrap_or_default();
    format!("{name} {part}")
}

/// The program, built like the tests that ask for it.
#[expect(clippy::disallowed_methods, reason = "the tests have no configuration but the environment")]
pub fn binary() -> &'static Path {
    static BINARY: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    BINARY.get_or_init(|| {
        // A test program of cargo's is target/<profile>/deps/<name>-<hash>.
        let test = std::env::current_exe().unwrap();
        let directory = test.parent().and_then(Path::parent).unwrap();
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet", "--locked", "--workspace", "--bin", "byteshop"]);
        cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap());
        cargo.arg("--target-dir").arg(directory.parent().unwrap());
        match directory.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => {}
            Some(profile) => drop(cargo.args(["--profile", profile])),
        }
        let status = cargo.status().unwrap();
        assert!(status.success(), "the program cannot be built: {status}");
        directory.join("byteshop")
    })
}
