//! Posting to webhook endpoints: only to public addresses, only to the given URL, and with a time limit.
//!
//! A name is resolved by the client that connects, through `Public`, so that no second lookup can return another
//! address than the one that was checked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};

/// How long an endpoint may take to respond; it should store the event and process it later.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// How long it may take to connect.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How much of an answer is kept, in bytes: what helps to see what went wrong.
const ANSWER_MAX: usize = 1_024;
/// Longest URL.
const URL_MAX: usize = 2_000;

/// The response of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The beginning of the body.
    pub text: String,
}

/// Why a URL is no address for a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsuitable {
    /// The text is not a URL.
    #[error("not a valid URL")]
    Malformed,
    /// The URL is too long.
    #[error("the URL can have at most {URL_MAX} characters")]
    TooLong,
    /// The URL is not HTTPS.
    #[error("the URL must begin with https://")]
    Scheme,
    /// The URL contains a user name or a password.
    #[error("the URL must not contain a user name or a password")]
    Credentials,
    /// The URL names an address that is not public.
    #[error("the URL names an address that is not public")]
    Private,
}

/// Posts to endpoints. Clones share their connections.
#[derive(Debug, Clone)]
pub struct WebhookClient {
    client: Client,
    allow_private: bool,
}

impl WebhookClient {
    /// A client; with `allow_private` it also posts to this machine and its network, and over HTTP.
    ///
    /// # Errors
    /// When HTTPS cannot be had on this machine.
    pub fn new(allow_private: bool) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .timeout(PATIENCE)
            .connect_timeout(CONNECT_WITHIN)
            .redirect(Policy::none())
            .no_proxy()
            .https_only(!allow_private)
            .user_agent("ByteShop-Webhooks/1")
            .dns_resolver(Arc::new(Public { allow_private }))
            .build()?;
        Ok(Self { client, allow_private })
    }

    /// Whether a URL may be posted to, as far as can be seen without looking its name up.
    pub fn check(&self, url: &str) -> Result<Url, Unsuitable> {
        if url.len() > URL_MAX {
            return Err(Unsuitable::TooLong);
        }
        let url = Url::parse(url).map_err(|_| Unsuitable::Malformed)?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_private => {}
            _ => return Err(Unsuitable::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Unsuitable::Credentials);
        }
        // The parser has turned every way to write an address into this one.
        let host = url.host_str().ok_or(Unsuitable::Malformed)?;
        let literal: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        // A name may end in the dot of the root; numbers have lost it by now.
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let local = name == "localhost" || name.ends_with(".localhost");
        if !self.allow_private && (local || literal.is_some_and(|address| !is_public(address))) {
            return Err(Unsuitable::Private);
        }
        Ok(url)
    }

    /// Posts a body; the error is what was in the way, in words.
    pub async fn post(&self, url: &str, headers: HeaderMap, body: String) -> Result<Answered, String> {
        // It was judged when the endpoint was made, perhaps under other settings.
        let url = self.check(url).map_err(|unsuitable| unsuitable.to_string())?;
        let request = self.client.post(url).headers(headers).body(body);
        let mut response = request.send().await.map_err(|error| in_the_way(&error).to_owned())?;
        let status = response.status().as_u16();
        let mut bytes = Vec::new();
        while bytes.len() < ANSWER_MAX {
            match response.chunk().await {
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) | Err(_) => break,
            }
        }
        bytes.truncate(ANSWER_MAX);
        // Postgres keeps no zero characters.
        let text = String::from_utf8_lossy(&bytes).replace('\0', "");
        Ok(Answered { status, text })
    }
}

fn in_the_way(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        return "it did not answer in time";
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<NotPublic>() {
            return "its address is not public";
        }
        cause = error.source();
    }
    if error.is_connect() { "it cannot be reached" } else { "the connection was lost" }
}

/// Looks names up and leaves out what is not public.
#[derive(Debug)]
struct Public {
    allow_private: bool,
}

/// A name has no public address.
#[derive(Debug, thiserror::Error)]
#[error("the name has no public address")]
struct NotPublic;

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| allow_private || is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the public internet (IANA special-purpose address registries).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224.., ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Only 2000::/3 is given out; of it, protocols (2001::/23), documentation and 6to4 lead elsewhere.
    let global = a & 0xe000 == 0x2000;
    let special = (a == 0x2001 && (b < 0x0200 || b == 0x0db8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for address in ["1.1.1.1", "93.184.216.34", "100.63.0.1", "172.32.0.1", "2606:4700::1111", "2001:4860::8"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.7",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2001:db8::1",
            "2002:7f00:1::",
            "fc00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_url_is_judged_however_its_address_is_written() {
        let client = WebhookClient::new(false).unwrap();
        assert!(client.check("https://shop.example.org/hook?a=1").is_ok());
        for (url, why) in [
            ("shop.example.org", Unsuitable::Malformed),
            ("http://shop.example.org", Unsuitable::Scheme),
            ("file:///etc/passwd", Unsuitable::Scheme),
            ("https://a:b@shop.example.org", Unsuitable::Credentials),
            ("https://127.0.0.1/", Unsuitable::Private),
            ("https://0x7f.1/", Unsuitable::Private),
            ("https://2130706433/", Unsuitable::Private),
            ("https://[::1]/", Unsuitable::Private),
            ("https://[::ffff:169.254.169.254]/", Unsuitable::Private),
            ("https://LOCALHOST:9/", Unsuitable::Private),
            ("https://localhost./", Unsuitable::Private),
            ("https://shop.localhost./", Unsuitable::Private),
        ] {
            assert_eq!(client.check(url), Err(why), "{url}");
        }
        assert!(WebhookClient::new(true).unwrap().check("http://127.0.0.1:9/").is_ok());
    }

    #[tokio::test]
    async fn a_name_that_leads_home_is_not_followed() {
        let client = WebhookClient::new(false).unwrap();
        let error = Public { allow_private: false }.resolve("localhost".parse().unwrap()).await.err().unwrap();
        assert!(error.is::<NotPublic>());
        let refused = client.post("https://localhost/", HeaderMap::new(), String::new()).await;
        assert_eq!(refused, Err(Unsuitable::Private.to_string()));
    }
}
