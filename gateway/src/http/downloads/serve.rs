//! Serving a file that was bought: whole, a range of it, or what is known of it (RFC 9110, sections 13 and 14).

use std::ops::Range;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use byteshop_commands::ports::blobs::BlobError;
use byteshop_domain::digital_good::FileVersion;
use byteshop_domain::download::{Item, Rejection};
use futures_util::stream::BoxStream;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::edge::attachment::{self, disposition};
use crate::edge::conditional::{self, Part};
use crate::edge::problem::Problem;

/// What is wanted of a file.
pub(super) struct Wanted {
    tag: HeaderValue,
    media_type: HeaderValue,
    disposition: HeaderValue,
    length: u64,
    part: Asked,
}

/// The part of it that is asked for.
enum Asked {
    /// Nothing: the client has it.
    Known,
    /// What is known of it.
    Head,
    /// All of it.
    Whole,
    /// These bytes.
    Bytes(Range<u64>),
    /// A range outside of it.
    Outside,
}

impl Wanted {
    /// What a request wants of a version of a file.
    pub(super) fn of(item: Item, version: &FileVersion, method: &Method, headers: &HeaderMap) -> Result<Self, Problem> {
        let Item::File { file, .. } = item else {
            return Err(byteshop_commands::Error::from(Rejection::Missing).into());
        };
        let value = |text: String| HeaderValue::try_from(text).map_err(|_| Problem::internal());
        // The content of a version never changes.
        let tag = value(format!("\"{file}-{}\"", version.version))?;
        let part = if conditional::has(headers, &tag) {
            Asked::Known
        } else if method == Method::HEAD {
            Asked::Head
        } else {
            let length = usize::try_from(version.bytes).map_err(|_| Problem::internal())?;
            match conditional::part(method, headers, &tag, length) {
                Part::Whole => Asked::Whole,
                Part::Bytes(bytes) => Asked::Bytes(bytes.start as u64..bytes.end as u64),
                Part::Outside => Asked::Outside,
            }
        };
        Ok(Self {
            tag,
            media_type: value(version.media_type.to_string())?,
            disposition: value(disposition(version.name.as_str()))?,
            length: version.bytes,
            part,
        })
    }

    /// The bytes to read; none if the answer has no content.
    pub(super) fn bytes(&self) -> Option<Range<u64>> {
        match &self.part {
            Asked::Whole => Some(0..self.length),
            Asked::Bytes(bytes) => Some(bytes.clone()),
            Asked::Known | Asked::Head | Asked::Outside => None,
        }
    }

    /// The answer with what was read.
    pub(super) fn with(self, pieces: BoxStream<'static, Result<Bytes, BlobError>>) -> Result<Response, Problem> {
        let sent = self.bytes().map_or(0, |bytes| bytes.end - bytes.start);
        let mut response = self.described(Body::from_stream(pieces).into_response(), sent);
        if let Asked::Bytes(bytes) = &self.part {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let range = format!("bytes {}-{}/{}", bytes.start, bytes.end.saturating_sub(1), self.length);
            let range = HeaderValue::try_from(range).map_err(|_| Problem::internal())?;
            response.headers_mut().insert(header::CONTENT_RANGE, range);
        }
        Ok(response)
    }

    /// The answer without content.
    pub(super) fn without_content(self) -> Result<Response, Problem> {
        match &self.part {
            Asked::Known => {
                let mut response = StatusCode::NOT_MODIFIED.into_response();
                response.headers_mut().insert(header::ETAG, self.tag);
                Ok(response)
            }
            Asked::Outside => {
                let detail = format!("the file has {} bytes, and the range begins after its end", self.length);
                let outside = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "request.range_not_satisfiable", detail);
                let all = HeaderValue::try_from(format!("bytes */{}", self.length)).map_err(|_| Problem::internal())?;
                let mut response = outside.into_response();
                response.headers_mut().insert(header::CONTENT_RANGE, all);
                Ok(response)
            }
            Asked::Head | Asked::Whole | Asked::Bytes(_) => {
                Ok(self.described(StatusCode::OK.into_response(), self.length))
            }
        }
    }

    /// Adds what a client must know of the file. It is saved and never shown: it may hold what its seller likes.
    fn described(&self, mut response: Response, sent: u64) -> Response {
        let answer = response.headers_mut();
        attachment::describe(answer, self.media_type.clone(), self.disposition.clone());
        answer.insert(header::CONTENT_LENGTH, HeaderValue::from(sent));
        answer.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        answer.insert(header::ETAG, self.tag.clone());
        answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        response
    }
}
