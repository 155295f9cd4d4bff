//! A mail server of a test's own on a real socket, which takes mail, refuses it, or breaks off as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

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
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { turns: turns.iter().copied().collect(), ..State::default() }));
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

    /// What somebody logged in with, as it was sent.
    pub fn login(&self) -> Option<String> {
        self.state.lock().unwrap().login.clone()
    }
}

async fn talk(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).lines();
    if state.lock().unwrap().turns.front() == Some(&Turn::Hang) {
        state.lock().unwrap().turns.pop_front();
        tokio::time::sleep(Duration::from_hours(1)).await;
    }
    say(&mut writing, "220 sink").await?;
    let (mut from, mut to) = (String::new(), String::new());
    while let Some(line) = lines.next_line().await? {
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let turn = state.lock().unwrap().turns.front().copied().unwrap_or(Turn::Take);
        match verb.as_str() {
            "EHLO" => say(&mut writing, "250-sink\r\n250-AUTH PLAIN\r\n250 8BITMIME").await?,
            "AUTH" => {
                state.lock().unwrap().login = line.rsplit(' ').next().map(str::to_owned);
                say(&mut writing, "235 welcome").await?;
            }
            "MAIL" => {
                from = line;
                say(&mut writing, "250 ok").await?;
            }
            "RCPT" => {
                to = line;
                match turn {
                    Turn::RefuseRecipient(answer) => {
                        state.lock().unwrap().turns.pop_front();
                        say(&mut writing, answer).await?;
                    }
                    Turn::Drop => {
                        state.lock().unwrap().turns.pop_front();
                        return Ok(());
                    }
                    Turn::Take | Turn::RefuseMessage(_) | Turn::TakeAndDrop | Turn::TakeAndHang | Turn::Hang => {
                        say(&mut writing, "250 ok").await?;
                    }
                }
            }
            "DATA" => {
                say(&mut writing, "354 go").await?;
                let data = read_message(&mut lines).await?;
                let answer = {
                    let mut state = state.lock().unwrap();
                    state.turns.pop_front();
                    if !matches!(turn, Turn::RefuseMessage(_)) {
                        state.taken.push(Taken { from: from.clone(), to: to.clone(), data });
                    }
                    turn
                };
                match answer {
                    Turn::TakeAndDrop => return Ok(()),
                    Turn::TakeAndHang => tokio::time::sleep(Duration::from_hours(1)).await,
                    Turn::RefuseMessage(answer) => say(&mut writing, answer).await?,
                    Turn::Take | Turn::RefuseRecipient(_) | Turn::Drop | Turn::Hang => {
                        say(&mut writing, "250 2.0.0 taken").await?;
                    }
                }
            }
            "QUIT" => {
                say(&mut writing, "221 bye").await?;
                return Ok(());
            }
            _ => say(&mut writing, "250 ok").await?,
        }
    }
    Ok(())
}

/// The message up to the line with a single dot.
async fn read_message(lines: &mut Lines<BufReader<OwnedReadHalf>>) -> std::io::Result<String> {
    let mut data = String::new();
    while let Some(line) = lines.next_line().await? {
        if line == "." {
            break;
        }
        data.push_str(&line);
        data.push_str("\r\n");
    }
    Ok(data)
}

async fn say(writing: &mut OwnedWriteHalf, line: &str) -> std::io::Result<()> {
    writing.write_all(format!("{line}\r\n").as_bytes()).await
}
