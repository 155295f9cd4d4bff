//! A mail server of a test's own on a real socket, with TLS and a login where it is told so, which takes mail, refuses it, or
//! breaks off as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use rustls::ServerConfig;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A connection, whether it is protected or not.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}
type Stream = BufReader<Box<dyn Wire>>;

/// How the server protects itself.
#[derive(Clone, Default)]
pub struct Guard {
    /// TLS from the first byte, with what it shows.
    pub implicit: Option<Arc<ServerConfig>>,
    /// TLS once it is asked for.
    pub starttls: Option<Arc<ServerConfig>>,
    /// Whose mail it takes, by name and password; everybody's when nothing is said. In the clear it lets nobody log in then.
    pub login: Option<(&'static str, &'static str)>,
}

/// What the server does with a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Takes it.
    Take,
    /// Answers this to the recipient, such as `550 5.1.1 no such user`.
    RefuseRecipient(&'static str),
    /// Answers this to the message itself.
    RefuseMessage(&'static str),
    /// Takes the message and hangs up without a word.
    TakeAndDrop,
    /// Hangs up when the recipient is named.
    Drop,
    /// Takes the message and says nothing any more.
    TakeAndHang,
    /// Says nothing from the greeting on.
    Hang,
}

/// A mail that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// `MAIL FROM`.
    pub from: String,
    /// `RCPT TO`.
    pub to: String,
    /// Headers and body.
    pub data: String,
}

impl Taken {
    /// A header, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let (head, _) = self.data.split_once("\r\n\r\n")?;
        let unfolded = head.replace("\r\n ", " ");
        let mut lines = unfolded.split("\r\n").filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    }
}

#[derive(Default)]
struct State {
    turns: VecDeque<Turn>,
    taken: Vec<Taken>,
    connections: usize,
    login: Option<String>,
    guard: Guard,
    /// Verbs that came over a connection that was not protected.
    in_the_clear: Vec<String>,
}

/// The server.
pub struct SmtpSink {
    /// Its port on 127.0.0.1.
    pub port: u16,
    state: Arc<Mutex<State>>,
    _serving: JoinSet<()>,
}

impl SmtpSink {
    /// A server that does this with its first mails, and takes all others.
    pub async fn start(turns: &[Turn]) -> Self {
        Self::guarded(turns, Guard::default()).await
    }

    /// A server that protects itself.
    pub async fn guarded(turns: &[Turn], guard: Guard) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { turns: turns.iter().copied().collect(), guard, ..State::default() }));
        let mut serving = JoinSet::new();
        let of_server = Arc::clone(&state);
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                of_server.lock().unwrap().connections += 1;
                let state = Arc::clone(&of_server);
                connections.spawn(async move {
                    let _ = talk(stream, &state).await;
                });
            }
        });
        Self { port, state, _serving: serving }
    }

    /// What it took.
    pub fn taken(&self) -> Vec<Taken> {
        self.state.lock().unwrap().taken.clone()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// What was said to it over connections that were not protected.
    pub fn in_the_clear(&self) -> Vec<String> {
        self.state.lock().unwrap().in_the_clear.clone()
    }

    /// Takes this login from now on.
    pub fn admit(&self, name: &'static str, password: &'static str) {
        self.state.lock().unwrap().guard.login = Some((name, password));
    }

    /// What somebody logged in with, as it was sent.
    pub fn login(&self) -> Option<String> {
        self.state.lock().unwrap().login.clone()
    }
}

async fn talk(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let guard = state.lock().unwrap().guard.clone();
    let mut protected = guard.implicit.is_some();
    let mut wire: Stream = match &guard.implicit {
        Some(config) => protect(Box::new(stream), config).await?,
        None => BufReader::new(Box::new(stream)),
    };
    if state.lock().unwrap().turns.front() == Some(&Turn::Hang) {
        state.lock().unwrap().turns.pop_front();
        tokio::time::sleep(Duration::from_hours(1)).await;
    }
    say(&mut wire, "220 sink").await?;
    let (mut from, mut to) = (String::new(), String::new());
    while let Some(line) = hear(&mut wire).await? {
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let turn = state.lock().unwrap().turns.front().copied().unwrap_or(Turn::Take);
        if !protected {
            state.lock().unwrap().in_the_clear.push(verb.clone());
        }
        match verb.as_str() {
            "EHLO" => say(&mut wire, &greeting(&guard, protected)).await?,
            "STAR" if let (Some(config), false) = (&guard.starttls, protected) => {
                say(&mut wire, "220 go ahead").await?;
                wire = protect(wire.into_inner(), config).await?;
                protected = true;
            }
            "AUTH" => {
                let answer = log_in(&line, state);
                say(&mut wire, answer).await?;
            }
            "MAIL" => {
                from = line;
                say(&mut wire, "250 ok").await?;
            }
            "RCPT" => {
                to = line;
                match turn {
                    Turn::RefuseRecipient(answer) => {
                        state.lock().unwrap().turns.pop_front();
                        say(&mut wire, answer).await?;
                    }
                    Turn::Drop => {
                        state.lock().unwrap().turns.pop_front();
                        return Ok(());
                    }
                    Turn::Take | Turn::RefuseMessage(_) | Turn::TakeAndDrop | Turn::TakeAndHang | Turn::Hang => {
                        say(&mut wire, "250 ok").await?;
                    }
                }
            }
            "DATA" => {
                if !take_mail(&mut wire, state, turn, (&from, &to)).await? {
                    return Ok(());
                }
            }
            "QUIT" => {
                say(&mut wire, "221 bye").await?;
                return Ok(());
            }
            _ => say(&mut wire, "502 5.5.1 no").await?,
        }
    }
    Ok(())
}

/// The message itself; false when the server hangs up.
async fn take_mail(
    wire: &mut Stream,
    state: &Mutex<State>,
    turn: Turn,
    (from, to): (&str, &str),
) -> std::io::Result<bool> {
    say(wire, "354 go").await?;
    let data = read_message(wire).await?;
    {
        let mut state = state.lock().unwrap();
        state.turns.pop_front();
        if !matches!(turn, Turn::RefuseMessage(_)) {
            state.taken.push(Taken { from: from.to_owned(), to: to.to_owned(), data });
        }
    }
    match turn {
        Turn::TakeAndDrop => return Ok(false),
        Turn::TakeAndHang => tokio::time::sleep(Duration::from_hours(1)).await,
        Turn::RefuseMessage(answer) => say(wire, answer).await?,
        Turn::Take | Turn::RefuseRecipient(_) | Turn::Drop | Turn::Hang => say(wire, "250 2.0.0 taken").await?,
    }
    Ok(true)
}

/// What it can do here. It offers a login to everybody as long as it is not told whose mail to take.
fn greeting(guard: &Guard, protected: bool) -> String {
    let starttls = if guard.starttls.is_some() && !protected { "250-STARTTLS\r\n" } else { "" };
    let auth = if guard.login.is_none() || protected { "250-AUTH PLAIN LOGIN\r\n" } else { "" };
    format!("250-sink\r\n{starttls}{auth}250 8BITMIME")
}

fn log_in(line: &str, state: &Mutex<State>) -> &'static str {
    let sent = line.rsplit(' ').next().unwrap_or_default();
    let mut state = state.lock().unwrap();
    state.login = Some(sent.to_owned());
    let Some((name, password)) = state.guard.login else { return "235 welcome" };
    // \0name\0password (RFC 4616)
    let wanted = base64::engine::general_purpose::STANDARD.encode(format!("\0{name}\0{password}"));
    if sent == wanted { "235 2.7.0 welcome" } else { "535 5.7.8 bad username or password" }
}

async fn protect(stream: Box<dyn Wire>, config: &Arc<ServerConfig>) -> std::io::Result<Stream> {
    let protected = TlsAcceptor::from(Arc::clone(config)).accept(stream).await?;
    Ok(BufReader::new(Box::new(protected)))
}

/// The next line; none when nobody is there any more.
async fn hear(wire: &mut Stream) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let read = wire.read_line(&mut line).await?;
    Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// The message up to the line with a single dot.
async fn read_message(wire: &mut Stream) -> std::io::Result<String> {
    let mut data = String::new();
    while let Some(line) = hear(wire).await? {
        if line == "." {
            break;
        }
        data.push_str(&line);
        data.push_str("\r\n");
    }
    Ok(data)
}

async fn say(wire: &mut Stream, line: &str) -> std::io::Result<()> {
    wire.write_all(format!("{line}\r\n").as_bytes()).await?;
    wire.flush().await
}
