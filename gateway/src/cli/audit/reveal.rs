//! Personal data in events: `(sealed)` by default, decrypted with `--reveal` for holders of the shop's data key.

use byteshop_domain::personal::{MARK, holds_sealed};
use byteshop_eventstore::Recorded;
use serde_json::Value;

use super::desk::Desk;
use crate::cli::failure::Failure;
use crate::cli::storage::NEEDED;
use crate::cli::summary::{Detail, SEALED};

/// Fields that give access to anyone who reads them; they stay hidden even from holders of the data key.
const SECRETS: [&str; 3] = ["password", "secret", "code"];

/// Whether personal data is shown.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct RevealArg {
    /// Decrypt personal data, which needs the data key of the shop; passwords, secrets and codes stay hidden
    #[arg(long)]
    reveal: bool,
}

impl RevealArg {
    /// Whether personal data is shown.
    pub(super) fn is_on(self) -> bool {
        self.reveal
    }

    /// How much of the data is told in a table: what was revealed is told whole.
    pub(super) fn detail(self) -> Detail {
        if self.reveal { Detail::Whole } else { Detail::Brief }
    }

    /// The events as they are to be shown.
    pub(super) async fn events(self, desk: &Desk, events: Vec<Recorded>) -> Result<Vec<Recorded>, Failure> {
        let mut shown = Vec::with_capacity(events.len());
        for event in events {
            let data = self.json(desk, &event.data).await?;
            shown.push(Recorded { data, ..event });
        }
        Ok(shown)
    }

    /// A JSON text as it is to be shown.
    pub(super) async fn json(self, desk: &Desk, text: &str) -> Result<String, Failure> {
        if !self.reveal || !holds_sealed(text) {
            return Ok(text.to_owned());
        }
        let Some(vault) = &desk.vault else {
            return Err(Failure::refused(NEEDED));
        };
        let mut value: Value = serde_json::from_str(text)?;
        mask(&mut value, &|name| SECRETS.contains(&name), "(secret)");
        Ok(vault.open_json(&value.to_string()).await?)
    }
}

/// A JSON text for people, in which what is still sealed reads `(sealed)`.
pub(super) fn without_ciphertext(text: &str) -> String {
    if !holds_sealed(text) {
        return text.to_owned();
    }
    serde_json::from_str(text).map_or_else(
        |_| text.to_owned(),
        |mut value| {
            mask(&mut value, &|_| true, SEALED);
            value.to_string()
        },
    )
}

/// Replaces the sealed values of some fields.
fn mask(value: &mut Value, is_meant: &dyn Fn(&str) -> bool, word: &str) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if field.get(MARK).is_some() && is_meant(name) {
                    *field = Value::from(word);
                } else {
                    mask(field, is_meant, word);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                if item.get(MARK).is_some() && is_meant("") {
                    *item = Value::from(word);
                } else {
                    mask(item, is_meant, word);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciphertext_is_not_shown_to_people() {
        let sealed = r#"{"$sealed":"vCUg","subject":"00000000-0000-0000-0000-000000000007"}"#;
        let data = format!(r#"{{"to":{{"name":{sealed}}},"all":[{sealed}],"code":"SALE"}}"#);
        assert_eq!(without_ciphertext(&data), r#"{"to":{"name":"(sealed)"},"all":["(sealed)"],"code":"SALE"}"#);
        assert_eq!(without_ciphertext(r#"{"a": 1}"#), r#"{"a": 1}"#);
    }
}
