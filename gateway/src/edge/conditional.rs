//! Conditional requests and ranges (RFC 9110, sections 13 and 14): what a caller has already, and what part of it is missing.

use std::ops::Range;

use aws_lc_rs::digest::{SHA256, digest};
use byteshop_eventstore::envelope::to_hex;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::edge::problem::Problem;
use crate::edge::version::digits;

/// Bytes of the hash of a representation in its entity tag: two that differ share one in 2^64 cases.
const HASH_BYTES: usize = 8;

/// An entity tag (RFC 9110, section 8.8.3), without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag {
    weak: bool,
    opaque: Vec<u8>,
}

/// The content of `If-Match` and `If-None-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    Any,
    Listed(Vec<Tag>),
}

/// The condition of a command with `If-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// The resource exists.
    Any,
    /// The resource has one of these versions; an empty list if no tag is one of the shop's.
    Versions(Vec<i64>),
}

impl Match {
    /// The versions of which it must have one; nothing where any will do.
    pub fn versions(&self) -> Option<Vec<i64>> {
        match self {
            Self::Any => None,
            Self::Versions(versions) => Some(versions.clone()),
        }
    }
}

/// Refuses a command without `If-Match` that replaces everything; `*` replaces whatever is there (RFC 6585, section 3).
pub fn require(asked: Option<&Match>) -> Result<(), Problem> {
    match asked {
        Some(Match::Any | Match::Versions(_)) => Ok(()),
        None => Err(Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            "request.precondition_required",
            "this request replaces the whole resource: send If-Match with the ETag of the version that you have read, \
            or with * to replace any version",
        )),
    }
}

/// The condition of `If-Match`, if the header is present.
///
/// # Errors
/// The header holds neither entity tags nor `*`. A weak or foreign tag is accepted and matches nothing (section 13.1.1
/// compares strongly).
pub fn if_match(headers: &HeaderMap) -> Result<Option<Match>, Problem> {
    let malformed = || {
        Problem::malformed("request.invalid_if_match", "If-Match holds entity tags such as \"3\" or \"3\", \"4\", or *")
    };
    Ok(match tags(headers, header::IF_MATCH).map_err(|Malformed| malformed())? {
        None => None,
        Some(Tags::Any) => Some(Match::Any),
        Some(Tags::Listed(tags)) => {
            let strong = tags.iter().filter(|tag| !tag.weak);
            Some(Match::Versions(strong.filter_map(|tag| version(&tag.opaque)).collect()))
        }
    })
}

/// The `If-None-Match` of a request, kept for its answer.
pub fn known(headers: &HeaderMap) -> HeaderMap {
    headers.get_all(header::IF_NONE_MATCH).iter().map(|value| (header::IF_NONE_MATCH, value.clone())).collect()
}

/// Whether the caller has what this tag names (`If-None-Match`, compared weakly: section 13.1.2). What cannot be read names
/// nothing.
pub fn has(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    match tags(headers, header::IF_NONE_MATCH) {
        Ok(Some(Tags::Any)) => true,
        Ok(Some(Tags::Listed(known))) => known.iter().any(|known| Some(known.opaque.as_slice()) == opaque(tag)),
        Ok(None) | Err(Malformed) => false,
    }
}

/// The entity tag of a representation: the version of the resource, by which commands are held to it, and a hash of what is
/// shown, since prices, stock and links come from elsewhere.
pub fn tag(version: i64, shown: &[u8]) -> HeaderValue {
    let hash = to_hex(&digest(&SHA256, shown).as_ref()[..HASH_BYTES]);
    // Quotes, digits and a hyphen are always a header value.
    HeaderValue::try_from(format!("\"{version}-{hash}\"")).unwrap_or(HeaderValue::from_static("\"0\""))
}

/// The entity tag of a derived representation such as a list: the same for each of its encodings.
pub fn weak_tag(shown: &[u8]) -> HeaderValue {
    let hash = to_hex(&digest(&SHA256, shown).as_ref()[..HASH_BYTES]);
    HeaderValue::try_from(format!("W/\"{hash}\"")).unwrap_or(HeaderValue::from_static("W/\"0\""))
}

/// A strong tag as a weak one, for a representation that is encoded otherwise; nothing for one that is weak already.
pub fn weakened(tag: &HeaderValue) -> Option<HeaderValue> {
    let text = tag.to_str().ok().filter(|text| text.starts_with('"'))?;
    HeaderValue::try_from(format!("W/{text}")).ok()
}

/// The version in a tag: `7`, as commands return it, or `7-` and a hash, as queries do.
fn version(opaque: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(opaque).ok()?;
    let (version, hash) = text.split_once('-').map_or((text, None), |(version, hash)| (version, Some(hash)));
    let is_hash = |hash: &str| hash.len() == 2 * HASH_BYTES && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits(version).filter(|_| hash.is_none_or(is_hash))
}

/// The text between the quotes of a tag.
fn opaque(tag: &HeaderValue) -> Option<&[u8]> {
    let text = tag.as_bytes();
    let strong = text.strip_prefix(b"W/").unwrap_or(text);
    strong.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""))
}

struct Malformed;

/// Reads a list of entity tags, which may come in several headers. Commas may be part of a tag.
fn tags(headers: &HeaderMap, name: HeaderName) -> Result<Option<Tags>, Malformed> {
    let mut found = Vec::new();
    let mut values = headers.get_all(name).iter().peekable();
    let Some(first) = values.peek() else { return Ok(None) };
    if first.as_bytes().trim_ascii() == b"*" {
        return Ok(Some(Tags::Any));
    }
    for value in values {
        let mut rest = value.as_bytes().trim_ascii();
        while !rest.is_empty() {
            let (tag, after) = one_tag(rest)?;
            found.push(tag);
            rest = after.trim_ascii_start();
            match rest.strip_prefix(b",") {
                Some(next) => rest = next.trim_ascii_start(),
                None if rest.is_empty() => {}
                None => return Err(Malformed),
            }
        }
    }
    if found.is_empty() { Err(Malformed) } else { Ok(Some(Tags::Listed(found))) }
}

fn one_tag(text: &[u8]) -> Result<(Tag, &[u8]), Malformed> {
    let (weak, text) = text.strip_prefix(b"W/").map_or((false, text), |rest| (true, rest));
    let text = text.strip_prefix(b"\"").ok_or(Malformed)?;
    let end = text.iter().position(|byte| *byte == b'"').ok_or(Malformed)?;
    let (opaque, rest) = text.split_at(end);
    // Visible characters and those beyond ASCII, but no space (section 8.8.3).
    if opaque.iter().any(|byte| *byte <= b' ' || *byte == 0x7f) {
        return Err(Malformed);
    }
    Ok((Tag { weak, opaque: opaque.to_vec() }, &rest[1..]))
}

/// The requested part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// These bytes.
    Bytes(Range<usize>),
    /// A range outside of the file.
    Outside,
}

/// The requested part of a file with this length (`Range`, section 14.2). Anything but a single range of bytes stands
/// for the whole file, and so does a request whose `If-Range` names another file (section 13.1.5, compared strongly).
pub fn part(method: &Method, headers: &HeaderMap, tag: &HeaderValue, length: usize) -> Part {
    let Some(range) = headers.get(header::RANGE).filter(|_| method == Method::GET) else { return Part::Whole };
    // Files have no date, so a date names another one.
    if headers.get(header::IF_RANGE).is_some_and(|known| known.as_bytes().trim_ascii() != tag.as_bytes()) {
        return Part::Whole;
    }
    let Some((first, last)) = range.to_str().ok().and_then(ends) else { return Part::Whole };
    match (first, last) {
        (None, None) => Part::Whole,
        (Some(first), Some(last)) if first > last => Part::Whole,
        (None, Some(0)) => Part::Outside,
        (None, Some(_)) if length == 0 => Part::Outside,
        (None, Some(most)) => Part::Bytes(length.saturating_sub(most)..length),
        (Some(first), _) if first >= length => Part::Outside,
        (Some(first), last) => Part::Bytes(first..last.map_or(length, |last| length.min(last.saturating_add(1)))),
    }
}

/// The first and the last byte of `bytes=0-99`, `bytes=100-` or `bytes=-50`.
fn ends(range: &str) -> Option<(Option<usize>, Option<usize>)> {
    let (unit, set) = range.trim().split_once('=')?;
    let (first, last) = set.trim().split_once('-').filter(|_| unit.eq_ignore_ascii_case("bytes"))?;
    let end = |text: &str| match text.trim() {
        "" => Some(None),
        // More digits than a number has are beyond every file.
        text if text.bytes().all(|byte| byte.is_ascii_digit()) => Some(Some(text.parse().unwrap_or(usize::MAX))),
        _ => None,
    };
    Some((end(first)?, end(last)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn asked(values: &[&'static str]) -> Result<Option<Match>, &'static str> {
        if_match(&headers(&header::IF_MATCH, values)).map_err(|_| "malformed")
    }

    #[test]
    fn if_match_lists_versions_and_compares_strongly() {
        let versions = |list: &[i64]| Ok(Some(Match::Versions(list.to_vec())));
        assert_eq!(asked(&[]), Ok(None));
        assert_eq!(asked(&[" * "]), Ok(Some(Match::Any)));
        assert_eq!(asked(&["\"7\""]), versions(&[7]));
        assert_eq!(asked(&["\"7\", \"8-0123456789abcdef\"", "\"9\""]), versions(&[7, 8, 9]));
        // Tags that are none of ours, and weak ones, are tags and match nothing.
        for text in ["W/\"7\"", "\"x\"", "\"-1\"", "\"+1\"", "\"99999999999999999999\"", "\"\"", "\"a,b\"", "\"7-x\""] {
            assert_eq!(asked(&[text]), versions(&[]), "{text}");
        }
        for text in ["", "7", "\"7", "7\"", "\"7\" \"8\"", "*, \"7\"", "\"7\", x", "w/\"7\"", "\"a b\"", ","] {
            assert_eq!(asked(&[text]), Err("malformed"), "{text}");
        }
    }

    #[test]
    fn if_none_match_compares_weakly() {
        let tag = tag(7, b"{}");
        let has = |values: &[&'static str]| has(&headers(&header::IF_NONE_MATCH, values), &tag);
        assert_eq!(tag, "\"7-44136fa355b3678a\"");
        for known in ["*", "\"7-44136fa355b3678a\"", "W/\"7-44136fa355b3678a\"", "\"1\", \"7-44136fa355b3678a\""] {
            assert!(has(&[known]), "{known}");
        }
        assert!(has(&["\"1\"", "\"7-44136fa355b3678a\""]));
        for other in ["\"7\"", "7-44136fa355b3678a", "", "\"7-44136fa355b3678b\""] {
            assert!(!has(&[other]), "{other}");
        }
        assert!(!has(&[]));
    }

    #[test]
    fn a_range_is_within_the_file_or_outside_or_none_at_all() {
        let tag = HeaderValue::from_static("\"a\"");
        let of =
            |range: &'static str, length: usize| part(&Method::GET, &headers(&header::RANGE, &[range]), &tag, length);
        for (range, bytes) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-", 0..10),
            ("Bytes=3-5", 3..6),
            ("bytes=9-99999999999999999999", 9..10),
            ("bytes=-3", 7..10),
            ("bytes=-99", 0..10),
        ] {
            assert_eq!(of(range, 10), Part::Bytes(bytes), "{range}");
        }
        for range in ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=99999999999999999999-"] {
            assert_eq!(of(range, 10), Part::Outside, "{range}");
        }
        for range in ["bytes=5-3", "bytes=-", "bytes=a-b", "bytes=+1-2", "lines=0-1", "bytes", "bytes=0-1,3-4", ""] {
            assert_eq!(of(range, 10), Part::Whole, "{range}");
        }
        assert_eq!((of("bytes=0-", 0), of("bytes=-1", 0)), (Part::Outside, Part::Outside));
    }

    #[test]
    fn a_range_is_of_the_file_that_the_caller_has() {
        let tag = HeaderValue::from_static("\"a\"");
        let mut asked = headers(&header::RANGE, &["bytes=0-1"]);
        assert_eq!(part(&Method::HEAD, &asked, &tag, 10), Part::Whole);
        asked.insert(header::IF_RANGE, HeaderValue::from_static("\"a\""));
        assert_eq!(part(&Method::GET, &asked, &tag, 10), Part::Bytes(0..2));
        for other in ["\"b\"", "W/\"a\"", "Sun, 06 Nov 1994 08:49:37 GMT"] {
            asked.insert(header::IF_RANGE, HeaderValue::from_static(other));
            assert_eq!(part(&Method::GET, &asked, &tag, 10), Part::Whole, "{other}");
        }
    }
}
