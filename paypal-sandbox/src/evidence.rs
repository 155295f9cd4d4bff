//! The body of a request: as it was sent, or the JSON within the form that comes with evidence.

use axum::extract::{FromRequest as _, Request};
use bytes::Bytes;
use http::{HeaderMap, header};

use super::fault::{Fault, Outcome};
use super::operation::Operation;
use super::records::SentFile;

/// The part of the form with the JSON.
const INPUT: &str = "input";

/// Reads the body, and what the files of a form are.
pub(super) async fn body(
    operation: Operation,
    headers: &HeaderMap,
    request: Request,
) -> Outcome<(Bytes, Vec<SentFile>)> {
    let too_large = |_| Fault::new(413, "PAYLOAD_TOO_LARGE", "The body is larger than the sandbox reads.");
    let bytes = Bytes::from_request(request, &()).await.map_err(too_large)?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let takes_forms = matches!(operation, Operation::ProvideEvidence | Operation::AcceptClaim);
    let Some(boundary) = multer::parse_boundary(kind).ok().filter(|_| takes_forms) else { return Ok((bytes, vec![])) };
    let malformed = |_| Fault::malformed(operation);
    let stream = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes)]);
    let mut form = multer::Multipart::new(stream, boundary);
    let (mut input, mut files) = (Bytes::new(), Vec::new());
    while let Some(field) = form.next_field().await.map_err(malformed)? {
        let is_input = field.name() == Some(INPUT);
        let name = field.file_name().unwrap_or_default().to_owned();
        let media_type = field.content_type().map(ToString::to_string).unwrap_or_default();
        let content = field.bytes().await.map_err(malformed)?;
        if is_input {
            input = content;
        } else {
            files.push(SentFile { name, media_type, bytes: content.len() });
        }
    }
    Ok((input, files))
}
