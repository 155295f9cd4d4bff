//! Forms, which Disputes v1 takes beside files.

use bytes::Bytes;
use serde_json::Value;

/// The part of a form with a file, as the document of Disputes v1 names it.
const FILE: &str = "evidence-file";

/// A file in a form.
#[derive(Debug)]
pub(super) struct Part {
    /// The name of the file: letters, digits, hyphens and points.
    pub name: String,
    pub media_type: &'static str,
    pub content: Bytes,
}

/// A form (RFC 7578) with JSON as the part `input`, and files.
pub(super) fn form(boundary: &str, input: &Value, files: &[Part]) -> Vec<u8> {
    let head = "Content-Disposition: form-data; name=\"input\"\r\nContent-Type: application/json";
    let mut form = format!("--{boundary}\r\n{head}\r\n\r\n{input}\r\n").into_bytes();
    for Part { name, media_type, content } in files {
        let head = format!("Content-Disposition: form-data; name=\"{FILE}\"; filename=\"{name}\"");
        form.extend(format!("--{boundary}\r\n{head}\r\nContent-Type: {media_type}\r\n\r\n").into_bytes());
        form.extend_from_slice(content);
        form.extend_from_slice(b"\r\n");
    }
    form.extend(format!("--{boundary}--\r\n").into_bytes());
    form
}
