//! From `byteshop up` on an existing directory to the line that says that it serves, and what a shop at rest takes.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::report::{Report, percentile};
use crate::shop::Shop;
use crate::{journey, processes};

/// Starts.
const RUNS: usize = 3;
/// How long a shop rests before its memory is read, and then again for its processor time.
const REST: Duration = Duration::from_secs(5);

/// Measures and reports.
pub async fn run(data: &Path, report: &mut Report) -> Result<()> {
    let mut times = Vec::with_capacity(RUNS);
    for last in (0..RUNS).rev() {
        let shop = Shop::start(data).await?;
        times.push(shop.ready_after.as_secs_f64() * 1_000.0);
        if last == 0 {
            // What a start leaves to do is done before the shop is called at rest.
            journey::settle(&shop).await?;
            tokio::time::sleep(REST).await;
            for (program, megabytes) in processes::memory(shop.pid)? {
                report.add(format!("at rest, memory, {program}"), megabytes, "MB");
            }
            let before = processes::cost(shop.pid)?;
            tokio::time::sleep(REST).await;
            let rest = processes::cost(shop.pid)?.since(&before);
            report.add("at rest, processor", rest.total() / REST.as_secs_f64(), "CPU-ms/s");
        }
        shop.stop().await?;
    }
    times.sort_by(f64::total_cmp);
    report.add(format!("start on existing data, median of {RUNS}"), percentile(&times, 0.5), "ms");
    Ok(())
}
