//! The list of the erased is applied again: after a restored backup the database has keys of people whom it says are gone.

use byteshop_domain::Subject;
use uuid::Uuid;

use super::Vault;
use crate::error::StoreError;

/// The number of subjects that are looked up at a time.
const CHUNK: usize = 10_000;

impl Vault {
    /// Erases everyone on the list who still has a key, as after a restored backup, and adds people who were erased
    /// before there was a list. Returns the subjects that were erased again.
    ///
    /// # Errors
    /// When the list or Postgres does not answer.
    pub async fn apply_erased(&self) -> Result<Vec<Subject>, StoreError> {
        let Some(list) = self.erased_list() else { return Ok(Vec::new()) };
        let mut listed = list.all().await.map_err(StoreError::Unavailable)?;
        listed.sort_unstable();
        listed.dedup();
        let mut again = Vec::new();
        for chunk in listed.chunks(CHUNK) {
            let subjects: Vec<Uuid> = chunk.iter().map(|subject| subject.0).collect();
            let alive: Vec<Uuid> = sqlx::query_scalar(
                "select subject from log.subject_key where subject = any ($1) and wrapped is not null order by subject",
            )
            .bind(subjects)
            .fetch_all(self.log().pool())
            .await?;
            again.extend(alive.into_iter().map(Subject));
        }
        for subject in &again {
            self.erase_key(*subject).await?;
        }
        let erased: Vec<Uuid> =
            sqlx::query_scalar("select subject from log.subject_key where erased_at is not null order by erased_at")
                .fetch_all(self.log().pool())
                .await?;
        let mut unlisted: Vec<Subject> = erased.into_iter().map(Subject).collect();
        unlisted.retain(|subject| listed.binary_search(subject).is_err());
        if !unlisted.is_empty() {
            list.add(unlisted).await.map_err(StoreError::Unavailable)?;
        }
        Ok(again)
    }
}
