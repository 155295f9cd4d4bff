//! Evidence for Disputes v1: texts and files, in one request.

use bytes::Bytes;
use byteshop_domain::text::Reference;
use serde::de::IgnoredAny;
use serde_json::json;

use super::client::{Call, Client};
use super::disputes::named;
use super::form::Part;
use crate::ports::NoAnswer;

/// The type of evidence: PayPal takes notes and documents with it, and it fits all reasons.
const EVIDENCE: &str = "OTHER";

/// What speaks for the shop, as PayPal gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exhibit {
    /// A text.
    Text(String),
    /// A file.
    File {
        /// Its name: letters, digits and hyphens, with an ending.
        name: String,
        /// Its media type.
        media_type: &'static str,
        /// Its content.
        content: Bytes,
    },
}

/// Gives PayPal what speaks for the shop. It takes evidence once, while it asks for it.
pub(super) async fn submit(client: &Client, id: &Reference, exhibits: &[Exhibit]) -> Result<(), NoAnswer> {
    let (mut evidences, mut files) = (Vec::new(), Vec::new());
    for exhibit in exhibits {
        evidences.push(match exhibit {
            Exhibit::Text(text) => json!({"evidence_type": EVIDENCE, "notes": text}),
            Exhibit::File { name, .. } => json!({"evidence_type": EVIDENCE, "documents": [{"name": name}]}),
        });
        if let Exhibit::File { name, media_type, content } = exhibit {
            files.push(Part { name: name.clone(), media_type, content: content.clone() });
        }
    }
    let path = format!("/v1/customer/disputes/{}/provide-evidence", named(id.as_str())?);
    client.ask::<IgnoredAny>(&Call::form(path, json!({"evidences": evidences}), files)).await?;
    Ok(())
}
