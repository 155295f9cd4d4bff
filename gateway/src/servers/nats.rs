//! The private nats-server with JetStream: its configuration, and how it is run.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::binaries::NatsProgram;
use super::error::Error;
use super::home::{Account, Home};
use super::state::{NATS_USER, Remembered, write_secret};
use super::supervisor::Program;

/// The server greets at once when it is ready.
const GREETING_PATIENCE: Duration = Duration::from_millis(500);

/// How it is stopped.
const FAREWELLS: [(Signal, Duration); 2] =
    [(Signal::TERM, Duration::from_secs(10)), (Signal::KILL, Duration::from_secs(5))];

/// The private nats-server of a data directory.
#[derive(Debug)]
pub(super) struct Nats {
    program: NatsProgram,
    home: Home,
    log: PathBuf,
    mark: String,
    port: u16,
}

impl Nats {
    /// Makes the directory ready for a start and writes the configuration.
    pub(super) fn prepare(
        data: &Path,
        program: NatsProgram,
        account: Option<&Account>,
        remembered: &Remembered,
    ) -> Result<Self, Error> {
        let home = Home::prepare(data.join("nats"), account)?;
        let port = remembered.nats_port;
        // The configuration's strings end at a quote and know the backslash.
        let store = home.dir_inside().display().to_string().replace('\\', "\\\\").replace('"', "\\\"");
        let (name, password) = (NATS_USER, remembered.nats_password.as_deref().unwrap_or_default());
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\n\
             authorization {{ user: \"{name}\", password: \"{password}\" }}\n\
             jetstream {{ store_dir: \"{store}\" }}\n"
        );
        let file = home.dir().join("nats.conf");
        write_secret(&file, &text)?;
        home.give(&file)?;
        Ok(Self { program, home, log: data.join("nats.log"), mark: remembered.mark.clone(), port })
    }
}

impl Program for Nats {
    fn name(&self) -> &'static str {
        "nats"
    }

    fn process(&self) -> (&'static str, &str) {
        ("nats-server", &self.mark)
    }

    fn command(&self) -> Result<Command, Error> {
        let mut command = self.home.command(&self.program.path)?;
        command.args(["--name", &self.mark, "-c"]).arg(self.home.dir_inside().join("nats.conf"));
        Ok(command)
    }

    fn is_ready(&self, _pid: u32) -> bool {
        let greeting = || {
            let stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], self.port)), GREETING_PATIENCE)?;
            stream.set_read_timeout(Some(GREETING_PATIENCE))?;
            let mut line = String::new();
            BufReader::new(stream).read_line(&mut line)?;
            std::io::Result::Ok(line)
        };
        // The name tells our server from another that has taken the port.
        greeting().is_ok_and(|line| line.contains(&self.mark) && line.contains("\"jetstream\":true"))
    }

    fn farewells(&self) -> &'static [(Signal, Duration)] {
        &FAREWELLS
    }

    fn log(&self) -> &Path {
        &self.log
    }
}
