//! Files with personal data: sealed as values are, but as bytes, because base64 would make them a third larger.

use byteshop_domain::Subject;

use super::Vault;
use crate::error::StoreError;

impl Vault {
    /// Seals the content of a file with a person's key, which is made when they have none.
    ///
    /// # Errors
    /// [`SealError::Erased`](crate::personal::SealError::Erased) when the person's data was erased.
    pub async fn seal_file(&self, subject: Subject, content: &[u8]) -> Result<Vec<u8>, StoreError> {
        Ok(self.key_or_new(subject).await?.seal_bytes(subject, content)?)
    }

    /// Opens a sealed file; none when the person's data was erased.
    pub async fn open_file(&self, subject: Subject, sealed: Vec<u8>) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(key) = self.keys(&[subject]).await?.remove(&subject) else { return Ok(None) };
        Ok(Some(key.open_bytes(subject, sealed)?))
    }
}
