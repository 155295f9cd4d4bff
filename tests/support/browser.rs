//! A headless Chromium that a test drives over WebDriver, through the chromedriver of the same version.

use std::panic::AssertUnwindSafe;
use std::process::Stdio;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use futures_util::FutureExt as _;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

use crate::patience::eventually;

/// One browser at a time: each takes some hundred megabytes, and the tests beside it have the processors to share.
static TURN: Semaphore = Semaphore::const_new(1);

/// What keeps a headless Chromium from asking hosts outside for anything, and lets root run it in a container.
const ARGUMENTS: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--window-size=1280,900",
];

/// What a person looks through.
#[derive(Debug, Clone, Copy)]
pub enum Screen {
    /// A window on a desk.
    Desktop,
    /// A telephone, 390 pixels wide.
    Phone,
}

/// A page in a browser.
#[derive(Debug, Clone)]
pub struct Page(Client);

/// The program that turns WebDriver into what Chromium understands; it ends when it is dropped.
struct Driver {
    /// Killed when it is dropped.
    #[expect(dead_code, reason = "it only has to live as long as this")]
    child: Child,
    url: String,
    profile: TempDir,
}

/// Opens a browser for a test, and closes it however the test ends.
///
/// # Panics
/// When Chromium or chromedriver is missing, and as the test does.
pub async fn browse(screen: Screen, test: impl AsyncFnOnce(Page)) {
    let _turn = TURN.acquire().await.unwrap();
    let driver = Driver::start().await;
    let client = driver.connect(screen).await;
    let done = AssertUnwindSafe(test(Page(client.clone()))).catch_unwind().await;
    if done.is_err() {
        eprintln!("the browser was at {:?}", client.current_url().await.map(|url| url.to_string()));
    }
    let closed = client.close().await;
    drop(driver);
    match done {
        Ok(()) => closed.unwrap(),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

impl Driver {
    async fn start() -> Self {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| {
            panic!("chromedriver cannot be started ({error}): `make tools` installs chromium and chromium-driver")
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next_line().await.unwrap().expect("chromedriver says which port it listens on");
            if let Some((_, port)) = line.trim_end_matches('.').split_once("started successfully on port ") {
                break port.parse::<u16>().unwrap();
            }
        };
        let profile = tempfile::Builder::new().prefix("byteshop-browser-").tempdir().unwrap();
        Self { child, url: format!("http://127.0.0.1:{port}"), profile }
    }

    async fn connect(&self, screen: Screen) -> Client {
        let mut arguments: Vec<String> = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", self.profile.path().display()));
        let mut options = json!({"args": arguments});
        if let Screen::Phone = screen {
            let metrics = json!({"width": 390, "height": 844, "pixelRatio": 2.0, "mobile": true, "touch": true});
            options["mobileEmulation"] = json!({"deviceMetrics": metrics});
        }
        let capabilities = Map::from_iter([("goog:chromeOptions".to_owned(), options)]);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities).connect(&self.url).await.expect("Chromium starts")
    }
}

/// The XPath of links and buttons with this text.
fn link_or_button(text: &str) -> String {
    format!("//*[self::a or self::button][contains(normalize-space(.), \"{text}\")]")
}

impl Page {
    /// Goes to an address.
    pub async fn open(&self, url: &str) {
        self.0.goto(url).await.unwrap();
    }

    /// The title.
    pub async fn title(&self) -> String {
        self.0.title().await.unwrap()
    }

    /// The address.
    pub async fn address(&self) -> String {
        self.0.current_url().await.unwrap().to_string()
    }

    /// The first element that this CSS selector finds, once it is there.
    pub async fn find(&self, css: &str) -> Element {
        eventually(&format!("an element {css}"), async || self.0.find(Locator::Css(css)).await.ok()).await
    }

    /// How many elements this CSS selector finds that a person can see.
    pub async fn count(&self, css: &str) -> usize {
        let mut seen = 0;
        for element in self.0.find_all(Locator::Css(css)).await.unwrap() {
            // An element that was replaced meanwhile is none that can be seen.
            seen += usize::from(element.is_displayed().await.unwrap_or_default());
        }
        seen
    }

    /// The text of the first element that this CSS selector finds, once it holds this.
    pub async fn shows(&self, css: &str, wanted: &str) {
        let text = async || self.0.find(Locator::Css(css)).await.ok()?.text().await.ok();
        eventually(&format!("{css} shows {wanted}"), async || text().await.filter(|text| text.contains(wanted))).await;
    }

    /// Clicks the link or button with this text, once it is there.
    pub async fn click(&self, text: &str) {
        let path = link_or_button(text);
        let found =
            eventually(&format!("a button {text}"), async || self.0.find(Locator::XPath(&path)).await.ok()).await;
        found.click().await.unwrap();
    }

    /// Looks into the frame of this index, once a link or button in it has this text: a frame is there before its document.
    pub async fn enter_frame(&self, index: u16, text: &str) {
        let path = link_or_button(text);
        let enter = async || {
            self.0.enter_frame(index).await.ok()?;
            if self.0.find(Locator::XPath(&path)).await.is_ok() {
                return Some(());
            }
            self.0.enter_parent_frame().await.ok().and(None)
        };
        eventually(&format!("a frame with a button {text}"), enter).await;
    }

    /// Goes to the window that was opened last, once there are so many.
    pub async fn enter_window(&self, count: usize) {
        let windows = eventually("another window", async || {
            let windows = self.0.windows().await.unwrap();
            (windows.len() == count).then_some(windows)
        });
        let last = windows.await.pop().unwrap();
        self.0.switch_to_window(last).await.unwrap();
    }

    /// What a script answers.
    pub async fn evaluate(&self, script: &str) -> Value {
        self.0.execute(script, Vec::new()).await.unwrap()
    }

    /// A picture of what is to be seen, as PNG.
    pub async fn picture(&self) -> Vec<u8> {
        self.0.screenshot().await.unwrap()
    }
}
