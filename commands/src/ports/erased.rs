//! The list of those who were erased, in a bucket: an object for each entry, so that processes on many machines share it.

use std::sync::Arc;

use byteshop_domain::Subject;
use byteshop_eventstore::Clock;
use byteshop_eventstore::erased::{ErasedList, read_text, to_text};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

/// The prefix of the names of its objects.
const PREFIX: &str = "erased";

/// The list in a bucket.
#[derive(Debug, Clone)]
pub struct ErasedObjects {
    store: Arc<dyn ObjectStore>,
}

impl ErasedObjects {
    pub(super) fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    async fn write(&self, subjects: Vec<Subject>) -> Result<(), object_store::Error> {
        let name = Path::from_iter([PREFIX, &Clock.new_id().simple().to_string()]);
        self.store.put(&name, to_text(&subjects).into_bytes().into()).await.map(drop)
    }

    async fn read(&self) -> Result<Vec<Subject>, object_store::Error> {
        let objects: Vec<_> = self.store.list(Some(&Path::from(PREFIX))).try_collect().await?;
        let mut all = Vec::new();
        for object in objects {
            let bytes = self.store.get(&object.location).await?.bytes().await?;
            all.extend(read_text(&String::from_utf8_lossy(&bytes)));
        }
        Ok(all)
    }
}

fn said(error: &object_store::Error) -> String {
    format!("the list of the erased in the file store does not answer: {error}")
}

impl ErasedList for ErasedObjects {
    fn add(&self, subjects: Vec<Subject>) -> BoxFuture<'_, Result<(), String>> {
        async move { self.write(subjects).await.map_err(|error| said(&error)) }.boxed()
    }

    fn all(&self) -> BoxFuture<'_, Result<Vec<Subject>, String>> {
        async move { self.read().await.map_err(|error| said(&error)) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ports::blobs::Blobs;

    #[tokio::test]
    async fn who_was_written_down_is_read_again() {
        let list = Blobs::in_memory().erased();
        assert_eq!(list.all().await.unwrap(), []);
        let [ada, bob, eve] = [1, 2, 3].map(|number| Subject(Uuid::from_u128(number)));
        list.add(vec![ada, bob]).await.unwrap();
        list.add(vec![eve]).await.unwrap();
        let mut all = list.all().await.unwrap();
        all.sort_unstable();
        assert_eq!(all, [ada, bob, eve]);
    }
}
