//! Waiting for a condition with a deadline, which is how tests here wait.

use std::future::Future;
use std::time::{Duration, Instant};

/// Long enough for a busy machine; a test that waits this long has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Asks again until there is an answer.
///
/// # Panics
/// After [`PATIENCE`], with what was awaited.
pub async fn eventually<T, F: Future<Output = Option<T>>>(awaited: &str, mut ask: impl FnMut() -> F) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {awaited}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
