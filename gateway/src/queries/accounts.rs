//! The owners of accounts: personal data, which the view of accounts keeps encrypted.

use byteshop_domain::account::Profile;
use byteshop_domain::text::{Email, Name, Phone};
use byteshop_eventstore::{StoreError, Vault};
use byteshop_projections::Page;
use byteshop_projections::account_list::Row;
use serde::Deserialize;

/// The owner of an account, decrypted; without what was erased.
#[derive(Debug, Deserialize)]
pub(crate) struct Owner {
    pub(crate) email: Option<Email>,
    profile: Option<Profile>,
}

impl Owner {
    pub(crate) fn name(&self) -> Option<&Name> {
        self.profile.as_ref()?.name.as_ref()
    }

    pub(crate) fn phone(&self) -> Option<&Phone> {
        self.profile.as_ref()?.phone.as_ref()
    }
}

/// The owners of the accounts of a page, in their order.
pub(crate) async fn owners(vault: &Vault, page: &Page<Row>) -> Result<Vec<Owner>, StoreError> {
    // All rows at once, so that their keys are read together.
    let rows = vault.open_json(&format!("[{}]", page.texts().join(","))).await?;
    Ok(serde_json::from_str(&rows)?)
}
