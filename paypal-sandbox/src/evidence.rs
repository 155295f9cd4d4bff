//! The body of a request: as it was sent, or the JSON within the form that comes with evidence.

use axum::extract::{FromRequest as _, Request};
use bytes::Bytes;
use http::{HeaderMap, header};

use super::fault::{Fault, Outcome};
use super::operation::Operation;

/// The part of the form with the JSON.
const INPUT: &str = "input";

/// Reads the body. The files of a form are not kept.
pub(super) async fn body(operation: Operation, headers: &HeaderMap, request: Request) -> Outcome<Bytes> {
    let too_large = |_| Fault::new(413, "PAYLOAD_TOO_LARGE", "The body is larger than the sandbox reads.");
    let bytes = Bytes::from_request(request, &()).await.map_err(too_large)?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let takes_forms = matches!(operation, Operation::ProvideEvidence | Operation::AcceptClaim);
    let Some(boundary) = multer::parse_boundary(kind).ok().filter(|_| takes_forms) else { return Ok(bytes) };
    let malformed = |_| Fault::malformed(operation);
    let stream = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes)]);
    let mut form = multer::Multipart::new(stream, boundary);
    let mut input = Bytes::new();
    while let Some(field) = form.next_field().await.map_err(malformed)? {
        let is_input = field.name() == Some(INPUT);
        let content = field.bytes().await.map_err(malformed)?;
        if is_input {
            input = content;
        }
    }
    Ok(input)
}
