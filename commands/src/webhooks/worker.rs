//! The worker of one endpoint: event by event, later and later after failures, silent after too many.

use std::time::Duration;

use byteshop_domain::Actor;
use byteshop_domain::ids::{Id as _, WebhookEndpointId};
use byteshop_domain::webhook_endpoint::{Command, Known, Silence, TOLD, WebhookEndpoint};
use byteshop_eventstore::webhook::{WebhookCursor, WebhookDelivery};
use byteshop_eventstore::{Recorded, StreamId, Trouble};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::deliver::{deliver, is_gone};
use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::Intent;
use crate::follow::{RANGE, RETRY_PAUSE};
use crate::ports::webhook::WebhookClient;

/// The name under which one process leads.
pub(super) const NAME: &str = "webhooks";
/// The pauses after failures, in seconds; the last one repeats. They are those that the specification recommends.
const PAUSES: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// How far a pause is spread, in hundredths each way.
const SPREAD: i64 = 20;
/// How long an endpoint may fail before it is disabled.
const PATIENCE: TimeDelta = TimeDelta::days(5);
/// How often the cursor of an endpoint that waits for a retry is read, because a replay may have moved it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The signals for the workers: the length of the log, and the number of changes to endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct News {
    pub(super) head: i64,
    pub(super) changes: u64,
}

/// The next step of a worker.
enum Next {
    /// Go on at once.
    GoOn,
    /// Wait for news, or for so long.
    Wait(Duration),
    /// Stop, because the endpoint is removed.
    End,
}

/// Delivers events to an endpoint until it is removed.
pub(super) async fn run(commands: Commands, client: WebhookClient, endpoint: Uuid, mut news: watch::Receiver<News>) {
    let worker = Worker { commands, client, endpoint };
    let mut trouble = Trouble::default();
    loop {
        let heard = *news.borrow_and_update();
        let pause = match worker.look(heard.head).await {
            Ok(Next::GoOn) => continue,
            Ok(Next::Wait(pause)) => {
                trouble.is_over();
                pause
            }
            Ok(Next::End) => return,
            Err(error) => {
                if trouble.is_news(&error) && !error.is_outage() {
                    tracing::warn!(endpoint = %endpoint, %error, "the event store does not answer; deliveries wait");
                }
                sleep(RETRY_PAUSE).await;
                continue;
            }
        };
        if let Ok(Err(_)) = timeout(pause, news.changed()).await {
            // The leader is gone, and its workers with it.
            return;
        }
    }
}

struct Worker {
    commands: Commands,
    client: WebhookClient,
    endpoint: Uuid,
}

impl Worker {
    fn id(&self) -> WebhookEndpointId {
        WebhookEndpointId::from_uuid(self.endpoint)
    }

    /// Looks at the endpoint as it is now, and takes it some events further.
    async fn look(&self, head: i64) -> Result<Next, Error> {
        let found = self.commands.get::<WebhookEndpoint>(self.id()).await?;
        let Some(endpoint) = found.as_ref().and_then(|found| found.state.live().ok()) else {
            self.commands.log().drop_webhook(self.endpoint).await?;
            return Ok(Next::End);
        };
        let mut cursor = self.cursor().await?;
        if endpoint.replays > cursor.rewound {
            let to = (endpoint.replay_from - 1).min(head);
            self.commands.log().rewind_webhook(self.endpoint, to, endpoint.replays).await?;
            cursor = self.cursor().await?;
        }
        if endpoint.silent.is_some() {
            // Enabled again it is told at once, and may fail for as long as before.
            if cursor.attempts > 0 {
                self.commands.log().advance_webhook(self.endpoint, cursor.position, cursor.position, None).await?;
            }
            return Ok(Next::Wait(LOOK_EVERY));
        }
        if endpoint.has_expired(self.commands.clock().now()) {
            self.silence(Silence::Expired).await?;
            return Ok(Next::GoOn);
        }
        if cursor.retry_at.is_some_and(|at| at > self.commands.clock().now()) {
            return Ok(Next::Wait(LOOK_EVERY));
        }
        if cursor.position >= head {
            return Ok(Next::Wait(LOOK_EVERY));
        }
        self.tell(endpoint, cursor, head).await
    }

    /// Where it stands; a new one stands where it was made, so that it hears of what happens from then on.
    async fn cursor(&self) -> Result<WebhookCursor, Error> {
        let log = self.commands.log();
        let stream = StreamId::of::<WebhookEndpoint>(self.id());
        let made = log.read_stream(&stream, 0, 1).await?.first().map_or(0, |created| created.position);
        Ok(log.webhook_cursor(self.endpoint, made).await?)
    }

    /// Delivers the matching events of the next part of the log.
    async fn tell(&self, endpoint: &Known, cursor: WebhookCursor, head: i64) -> Result<Next, Error> {
        let log = self.commands.log();
        let upto = head.min(cursor.position + RANGE);
        let (mut position, mut attempts) = (cursor.position, cursor.attempts);
        let events = log.read_range(position, upto, TOLD).await?;
        for event in events.iter().filter(|event| endpoint.wants(&event.category, &event.event_type)) {
            // The events before it are not wanted: failures are counted where it stands.
            if event.position > position + 1
                && !log.advance_webhook(self.endpoint, position, event.position - 1, None).await?
            {
                return Ok(Next::GoOn);
            }
            // Moving on forgets failures, so they are those of this very event only when it was next.
            attempts = if event.position == cursor.position + 1 { attempts } else { 0 };
            position = event.position - 1;
            let delivery = deliver(&self.commands, &self.client, endpoint, event, attempts + 1, false).await?;
            if !delivery.delivered {
                return self.failed(cursor, event, &delivery).await;
            }
            if !log.advance_webhook(self.endpoint, position, event.position, Some(&delivery)).await? {
                // The cursor was moved in the meantime.
                return Ok(Next::GoOn);
            }
            position = event.position;
            if self.changed(endpoint).await? {
                return Ok(Next::GoOn);
            }
        }
        if upto > position {
            log.advance_webhook(self.endpoint, position, upto, None).await?;
        }
        Ok(Next::GoOn)
    }

    /// Whether the endpoint was changed during a delivery.
    async fn changed(&self, seen: &Known) -> Result<bool, Error> {
        let found = self.commands.get::<WebhookEndpoint>(self.id()).await?;
        Ok(found.as_ref().and_then(|found| found.state.live().ok()) != Some(seen))
    }

    async fn failed(&self, cursor: WebhookCursor, event: &Recorded, delivery: &WebhookDelivery) -> Result<Next, Error> {
        let retry_at = delivery.at + pause(delivery.attempt, event.position);
        self.commands.log().fail_webhook(self.endpoint, event.position - 1, retry_at, delivery).await?;
        if is_gone(delivery) {
            self.silence(Silence::Gone).await?;
        } else if delivery.attempt > 1 && cursor.failing_since.is_some_and(|since| too_long(since, delivery.at)) {
            self.silence(Silence::Failing).await?;
        }
        Ok(Next::GoOn)
    }

    async fn silence(&self, because: Silence) -> Result<(), Error> {
        let actor = Actor::Process { name: NAME.to_owned() };
        let intent = Intent::new(actor, "webhook_endpoint.disable", self.commands.clock().new_id());
        self.commands
            .run(&intent, |unit| async move {
                let mut endpoint = unit.load::<WebhookEndpoint>(self.id()).await?;
                unit.decide(&mut endpoint, &Command::Silence { because })
            })
            .await?;
        Ok(())
    }
}

fn too_long(since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - since >= PATIENCE
}

/// How long to wait after so many attempts, spread by the position, so that endpoints of one host do not return together.
fn pause(attempts: i32, position: i64) -> TimeDelta {
    let index = usize::try_from(attempts - 1).unwrap_or(0).min(PAUSES.len() - 1);
    let hundredths = 100 - SPREAD + (position * 7 + i64::from(attempts)) % (2 * SPREAD + 1);
    TimeDelta::milliseconds(PAUSES[index] * 10 * hundredths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_day_and_stay_there() {
        for (attempts, seconds) in [(1, 5), (2, 300), (9, 86_400), (100, 86_400)] {
            for position in 0..100 {
                let pause = pause(attempts, position).num_milliseconds();
                assert!((seconds * 800..=seconds * 1_200).contains(&pause), "{attempts} {position}: {pause}");
            }
        }
    }

    #[test]
    fn an_endpoint_is_given_up_after_days() {
        let now = DateTime::from_timestamp(1_795_185_000, 0).unwrap();
        assert!(!too_long(now - TimeDelta::days(4), now));
        assert!(too_long(now - TimeDelta::days(5), now));
    }
}
