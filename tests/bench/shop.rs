//! A shop as people run it: `byteshop up` in a process of its own, on a directory of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use byteshop_tests::servers::options;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::http::Client;

/// Initialising a new Postgres on a slow disk takes the longest.
const START_WITHIN: Duration = Duration::from_mins(1);
/// The setting that names another program than that of this build.
const PROGRAM: &str = "BYTESHOP_BENCH_PROGRAM";
/// The servers checkpoint when they stop.
const STOP_WITHIN: Duration = Duration::from_mins(1);

/// What `up` writes for the programs beside it.
#[derive(Debug, Deserialize)]
struct Run {
    database_url: String,
    migration_database_url: Option<String>,
}

/// A running shop.
pub struct Shop {
    child: Child,
    /// Its process.
    pub pid: u32,
    /// Its directory.
    pub data: PathBuf,
    /// Where it serves.
    pub base: String,
    /// Its Postgres.
    pub database_url: String,
    /// A token of its staff.
    pub token: String,
    /// From its start to the line that says that it serves.
    pub ready_after: Duration,
}

/// Something to sell.
#[derive(Debug, Clone)]
pub struct Goods {
    pub product: String,
    pub variant: String,
}

impl Shop {
    /// Starts it on a directory, new or not.
    pub async fn start(data: &Path) -> Result<Self> {
        let started = Instant::now();
        let log = data.join("shop.log");
        let said = File::options().append(true).create(true).open(&log)?;
        let mut child = byteshop(data)?
            .args(["up", "--port", "0"])
            .stdout(Stdio::piped())
            .stderr(said)
            .kill_on_drop(true)
            .spawn()
            .context("target/release/byteshop starts")?;
        let pid = child.id().context("it runs")?;
        let output = child.stdout.take().context("its output is a pipe")?;
        let mut lines = BufReader::new(output).lines();
        let base = loop {
            let Some(line) = timeout(START_WITHIN, lines.next_line()).await.context("it is not ready in time")?? else {
                bail!("byteshop up ended before it was ready: {}", std::fs::read_to_string(log)?);
            };
            if let Some(base) = line.trim().strip_prefix("ready ") {
                break base.trim().to_owned();
            }
        };
        let ready_after = started.elapsed();
        // A full pipe would block it.
        #[expect(clippy::disallowed_methods, reason = "it ends with the pipe")]
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let run: Run = serde_json::from_slice(&std::fs::read(data.join("run.json"))?)?;
        let token = byteshop(data)?.args(["token", "admin"]).output().await?;
        anyhow::ensure!(token.status.success(), "no token: {}", String::from_utf8_lossy(&token.stderr));
        let token = String::from_utf8(token.stdout)?.trim().to_owned();
        let data = data.to_owned();
        // What is measured looks where the shop itself may not.
        let database_url = run.migration_database_url.unwrap_or(run.database_url);
        Ok(Self { child, pid, data, base, database_url, token, ready_after })
    }

    /// Ends it as Ctrl-C does.
    pub async fn stop(mut self) -> Result<()> {
        let pid = i32::try_from(self.pid).ok().and_then(rustix::process::Pid::from_raw).context("a process")?;
        rustix::process::kill_process(pid, rustix::process::Signal::INT)?;
        timeout(STOP_WITHIN, self.child.wait()).await.context("it does not stop")??;
        Ok(())
    }

    /// Makes a confirmed account; gives its password.
    pub async fn account(&self, email: &str) -> Result<String> {
        let made = byteshop(&self.data)?.args(["grant", email, "customer", "--create"]).output().await?;
        anyhow::ensure!(made.status.success(), "no account: {}", String::from_utf8_lossy(&made.stderr));
        let said = String::from_utf8(made.stdout)?;
        let password = said.lines().find_map(|line| line.strip_prefix("password ")).context("a password")?;
        Ok(password.to_owned())
    }

    /// Asks as staff.
    pub async fn staff(
        &self,
        client: &mut Client,
        method: &str,
        path: &str,
        body: &Value,
        expected: u16,
    ) -> Result<Value> {
        let bearer = format!("Bearer {}", self.token);
        let body = body.to_string();
        // Books are replaced whole, whatever is in them.
        let mut headers = vec![("Authorization", bearer.as_str())];
        headers.extend((method == "PUT").then_some(("If-Match", "*")));
        let answer = client.ask(method, path, &headers, Some(&body)).await?;
        answer.json(expected).with_context(|| format!("{method} {path}"))
    }

    /// Puts something on sale whose pieces are licence keys.
    pub async fn sell_keys(&self, client: &mut Client, title: &str, sku: &str) -> Result<Goods> {
        let product = self.staff(client, "POST", "/v1/products", &json!({"title": title}), 201).await?;
        let product = text(&product, "id")?;
        let variant = json!({"sku": sku, "price": {"amount": 500, "currency": "EUR"}, "physical": false});
        let shown = self.staff(client, "POST", &format!("/v1/products/{product}/variants"), &variant, 201).await?;
        let variant = text(&shown["variants"][0], "id")?;
        self.staff(client, "POST", &format!("/v1/products/{product}/publish"), &json!({}), 200).await?;
        Ok(Goods { product, variant })
    }

    /// Puts something on sale.
    pub async fn sell(&self, client: &mut Client, number: usize, stock: i64) -> Result<Goods> {
        let product = json!({"title": format!("Thing {number}"), "description": "Of use every day, and made to last."});
        let product = self.staff(client, "POST", "/v1/products", &product, 201).await?;
        let product = text(&product, "id")?;
        let variant = json!({"sku": format!("SKU-{number}"), "price": {"amount": 1_000 + number, "currency": "EUR"}});
        let shown = self.staff(client, "POST", &format!("/v1/products/{product}/variants"), &variant, 201).await?;
        let variant = text(&shown["variants"][0], "id")?;
        self.staff(client, "POST", &format!("/v1/products/{product}/publish"), &json!({}), 200).await?;
        let moved = json!({"type": "received", "quantity": stock});
        self.staff(client, "POST", &format!("/v1/variants/{variant}/stock"), &moved, 200).await?;
        Ok(Goods { product, variant })
    }
}

/// A text field of an answer.
pub fn text(value: &Value, field: &str) -> Result<String> {
    value[field].as_str().map(str::to_owned).with_context(|| format!("no {field} in {value}"))
}

/// The program of the same build, since this one is in its directory `deps`, or another one that is compared with it.
fn byteshop(data: &Path) -> Result<Command> {
    let this = std::env::current_exe()?;
    let build = this.parent().and_then(Path::parent).context("the benchmark is not in a directory of cargo's")?;
    #[expect(clippy::disallowed_methods, reason = "the benchmark has no configuration but the environment")]
    let program = std::env::var_os(PROGRAM).map_or_else(|| build.join("byteshop"), PathBuf::from);
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        // Settings of whoever runs this must not change what is measured.
        if name.to_string_lossy().starts_with("BYTESHOP_") {
            command.env_remove(name);
        }
    }
    let options = options();
    let places = [("BYTESHOP_PG_BIN", options.pg_bin), ("BYTESHOP_NATS_SERVER", options.nats_server)];
    command.envs(places.into_iter().filter_map(|(name, place)| Some((name, place?))));
    command.env("BYTESHOP_DEV", "1").env("BYTESHOP_RATE_LIMIT_ADDRESS", "0").env("BYTESHOP_RATE_LIMIT_ACCOUNT", "0");
    command.arg("--data").arg(data);
    Ok(command)
}
