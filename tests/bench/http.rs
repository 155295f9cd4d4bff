//! A load generator's HTTP: one connection that is kept, requests written whole, answers read by their length.

use std::io::Write as _;

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One connection.
pub struct Client {
    stream: TcpStream,
    host: String,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header of it.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// Its body as JSON, when it is what was expected.
    pub fn json(self, expected: u16) -> Result<serde_json::Value> {
        if self.status != expected {
            bail!("{} instead of {expected}: {}", self.status, String::from_utf8_lossy(&self.body));
        }
        Ok(serde_json::from_slice(&self.body)?)
    }
}

impl Client {
    /// Connects to a base such as `http://127.0.0.1:8080`.
    pub async fn connect(base: &str) -> Result<Self> {
        let host = base.strip_prefix("http://").context("plain HTTP")?.trim_end_matches('/').to_owned();
        let stream = TcpStream::connect(&host).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, host, request: Vec::new(), buffer: Vec::new() })
    }

    /// Sends a request and reads the answer.
    pub async fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<Answer> {
        self.head(method, path, headers)?;
        if let Some(body) = body {
            write!(self.request, "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
        } else if method == "GET" {
            self.request.extend_from_slice(b"\r\n");
        } else {
            self.request.extend_from_slice(b"Content-Length: 0\r\n\r\n");
        }
        self.stream.write_all(&self.request).await?;
        self.read().await
    }

    /// Sends a request with a body of the type that its headers name, and reads the answer.
    pub async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer> {
        self.head(method, path, headers)?;
        write!(self.request, "Content-Length: {}\r\n\r\n{body}", body.len())?;
        self.stream.write_all(&self.request).await?;
        self.read().await
    }

    fn head(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<()> {
        self.request.clear();
        write!(self.request, "{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.host)?;
        for (name, value) in headers {
            write!(self.request, "{name}: {value}\r\n")?;
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<Answer> {
        self.buffer.clear();
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("a status line")?;
        let length: usize = match header(&head, "content-length") {
            Some(length) => length.parse()?,
            None if status == 204 => 0,
            None => bail!("an answer without a length: {head}"),
        };
        while self.buffer.len() < end + length {
            self.more().await?;
        }
        Ok(Answer { status, head, body: self.buffer[end..end + length].to_vec() })
    }

    async fn more(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the shop closed the connection");
        }
        Ok(())
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}
