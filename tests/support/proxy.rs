//! A wire that can be cut: it stands between a program and its server, and drops answers that are on their way.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Which way a piece goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the program to the server.
    Question,
    /// From the server to the program.
    Answer,
}

type Cut = Arc<Mutex<dyn FnMut(Way) -> bool + Send>>;

/// Passes connections on to a server.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    cuts: Arc<AtomicU64>,
    _tasks: JoinSet<()>,
}

impl Wire {
    /// Puts a wire before a server of this machine. `cut` is asked after each piece that a program sent, and before each
    /// piece that the server answers: when it says so, the connection ends, and the server works for nobody.
    pub async fn before(server: SocketAddr, cut: impl FnMut(Way) -> bool + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cuts = Arc::new(AtomicU64::new(0));
        let (cut, counted): (Cut, _) = (Arc::new(Mutex::new(cut)), Arc::clone(&cuts));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (cut, counted) = (Arc::clone(&cut), Arc::clone(&counted));
                connections.spawn(async move {
                    let Ok(upstream) = TcpStream::connect(server).await else { return };
                    let (mut from_client, mut to_client) = client.into_split();
                    let (mut from_server, mut to_server) = upstream.into_split();
                    let asking = pass(Way::Question, &mut from_client, &mut to_server, &cut, &counted);
                    let answering = pass(Way::Answer, &mut from_server, &mut to_client, &cut, &counted);
                    tokio::select! {
                        () = asking => {}
                        () = answering => {}
                    }
                });
            }
        });
        Self { address, cuts, _tasks: tasks }
    }

    /// Where programs connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often it was cut.
    pub fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Relaxed)
    }
}

async fn pass(way: Way, from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, cut: &Cut, counted: &AtomicU64) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let cuts = (cut.lock().unwrap())(way);
        let passed = match way {
            Way::Answer if cuts => Ok(()),
            Way::Answer | Way::Question => to.write_all(&buffer[..read]).await,
        };
        if cuts {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        if cuts || passed.is_err() {
            return;
        }
    }
}
