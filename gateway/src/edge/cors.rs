//! CORS: storefronts on another origin than the API (Fetch, section 3.2).
//!
//! Callers send a token in a header, and there are no cookies: an allowed page gains nothing that its user did not give
//! it. So credentials of the browser itself are never accepted.

use std::str::FromStr;
use std::time::Duration;

use http::{HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::headers::{
    CART_TOKEN, IDEMPOTENCY_KEY, LAST_EVENT_ID, LOG_POSITION, MIN_LOG_POSITION, RATE_LIMIT, RATE_LIMIT_POLICY,
    REPLAYED, REQUEST_ID,
};

/// How long a browser may remember what it was allowed, and so how long another setting may take to be heard of.
const REMEMBERED: Duration = Duration::from_mins(10);

/// The origins whose pages may call the API; only the shop's own by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Origins {
    /// Only the shop's own origin.
    #[default]
    Own,
    /// Origins of this machine on any port, for development tools.
    Local,
    /// These.
    These(Vec<HeaderValue>),
    /// Anybody's.
    Any,
}

impl FromStr for Origins {
    type Err = String;

    /// Origins such as `https://shop.example.org`, separated by commas, `localhost` for every origin of this machine, or `*`
    /// for any.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
        match parts[..] {
            [] => Ok(Self::Own),
            ["*"] => Ok(Self::Any),
            ["localhost"] => Ok(Self::Local),
            [..] if parts.contains(&"*") => Err("lists other origins beside *, which already allows any".to_owned()),
            [..] => parts.into_iter().map(origin).collect::<Result<_, _>>().map(Self::These),
        }
    }
}

/// An origin as browsers write it: in lower case, without the port that its scheme has anyway.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let wrong = || format!("has an invalid origin {text:?}: expected scheme://host[:port], without a path");
    let url = reqwest::Url::parse(text).map_err(|_| wrong())?;
    let is_web = matches!(url.scheme(), "http" | "https");
    // A path, even an empty one, is no part of an origin, nor is what stands before an @; a star stands for nothing in it.
    let is_bare = text.bytes().filter(|byte| *byte == b'/').count() == 2 && !text.contains(['@', '?', '#', '*', '\\']);
    if !is_web || !is_bare || !url.has_host() {
        return Err(wrong());
    }
    HeaderValue::try_from(url.origin().ascii_serialization()).map_err(|_| wrong())
}

/// Whether an origin is of this machine: browsers take no name under `localhost` from elsewhere (RFC 6761, section 6.3).
fn is_local(origin: &HeaderValue) -> bool {
    let url = origin.to_str().ok().and_then(|text| reqwest::Url::parse(text).ok());
    let host = url.as_ref().filter(|url| matches!(url.scheme(), "http" | "https")).and_then(reqwest::Url::host_str);
    host.is_some_and(|host| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

impl Origins {
    /// Whether a page is one of the shop's, at `shop` or at an origin that is named, or on this machine in development. A `*` names
    /// no origin.
    pub(crate) fn has_page(&self, page: &str, shop: Option<&str>, dev: bool) -> bool {
        let origin = |text: &str| {
            let url = reqwest::Url::parse(text).ok()?;
            let bare =
                matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
            bare.then(|| HeaderValue::try_from(url.origin().ascii_serialization()).ok()).flatten()
        };
        let Some(of_page) = origin(page) else { return false };
        let named = match self {
            Self::These(origins) => origins.contains(&of_page),
            Self::Own | Self::Local | Self::Any => false,
        };
        named || (dev && is_local(&of_page)) || shop.and_then(origin).is_some_and(|own| own == of_page)
    }

    /// The layer that answers preflights of other origins; none if no other origin is allowed.
    pub(crate) fn layer(&self) -> Option<CorsLayer> {
        let allowed = match self {
            Self::Own => return None,
            Self::Local => AllowOrigin::predicate(|origin, _| is_local(origin)),
            Self::These(origins) => AllowOrigin::list(origins.iter().cloned()),
            Self::Any => AllowOrigin::any(),
        };
        let layer = CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers([
                header::ACCEPT,
                header::ACCEPT_LANGUAGE,
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::IF_MATCH,
                header::IF_NONE_MATCH,
                header::IF_RANGE,
                header::RANGE,
                CART_TOKEN,
                IDEMPOTENCY_KEY,
                LAST_EVENT_ID,
                MIN_LOG_POSITION,
                REQUEST_ID,
            ])
            .expose_headers([
                header::ACCEPT_RANGES,
                header::CONTENT_RANGE,
                header::ETAG,
                header::LOCATION,
                header::RETRY_AFTER,
                header::WWW_AUTHENTICATE,
                LOG_POSITION,
                RATE_LIMIT,
                RATE_LIMIT_POLICY,
                REPLAYED,
                REQUEST_ID,
            ])
            .max_age(REMEMBERED);
        Some(layer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_as_browsers_write_them() {
        let these = |origins: &[&'static str]| {
            Ok(Origins::These(origins.iter().map(|origin| HeaderValue::from_static(origin)).collect()))
        };
        assert_eq!("".parse(), Ok(Origins::Own));
        assert_eq!(" * ".parse(), Ok(Origins::Any));
        assert_eq!(
            "https://Shop.Example.org:443, http://localhost:5173".parse(),
            these(&["https://shop.example.org", "http://localhost:5173"])
        );
        assert_eq!(
            "http://[::1]:8080,https://\u{fc}.example".parse(),
            these(&["http://[::1]:8080", "https://xn--tda.example"])
        );
    }

    #[test]
    fn origins_of_this_machine_are_told_from_others() {
        assert_eq!("localhost".parse(), Ok(Origins::Local));
        for local in ["http://localhost:5173", "https://shop.localhost", "http://127.0.0.1:3000", "http://[::1]:8080"] {
            assert!(is_local(&HeaderValue::from_static(local)), "{local}");
        }
        for other in
            ["null", "https://localhost.example", "http://10.0.0.1", "http://evil-localhost", "file://localhost"]
        {
            assert!(!is_local(&HeaderValue::from_static(other)), "{other}");
        }
    }

    #[test]
    fn buyers_are_sent_to_pages_of_the_shop_alone() {
        let these: Origins = "https://pages.example.org".parse().unwrap();
        let shop = Some("https://shop.example.org/en");
        let local = "http://localhost:5173/thanks";
        for (page, dev, own) in [
            ("https://shop.example.org/thanks?order=1", false, true),
            ("https://pages.example.org/thanks", false, true),
            (local, true, true),
            (local, false, false),
            ("https://evil.example/thanks", true, false),
            ("http://shop.example.org/thanks", false, false),
            ("https://shop.example.org@evil.example/", false, false),
            ("https://ada@shop.example.org/", false, false),
            ("//shop.example.org/", false, false),
            ("javascript:alert(1)", true, false),
            ("/thanks", true, false),
        ] {
            assert_eq!(these.has_page(page, shop, dev), own, "{page}");
        }
        assert!(!Origins::Any.has_page("https://evil.example/", None, false), "a star names no origin");
    }

    #[test]
    fn what_is_no_origin_is_refused_and_shown() {
        for wrong in [
            "shop.example.org",
            "https://shop.example.org/",
            "https://shop.example.org/cart",
            "https://shop.example.org?a=b",
            "https://ada@shop.example.org",
            "https://*.example.org",
            "https://",
            "https:shop.example.org",
            "ftp://shop.example.org",
            "http://shop.example.org:99999",
            "null",
        ] {
            let told = format!("https://fine.example,{wrong}").parse::<Origins>().unwrap_err();
            assert!(told.contains(wrong) && told.contains("expected scheme://host[:port]"), "{told}");
        }
        assert!("*,https://shop.example.org".parse::<Origins>().unwrap_err().contains("beside *"));
    }
}
