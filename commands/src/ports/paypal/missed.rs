//! Events for webhooks, as PayPal lists them: what a webhook that was lost would have told.

use chrono::{DateTime, Utc};
use reqwest::Url;
use serde::Deserialize;

use super::client::{Call, Client};
use super::webhook::{Event, Hint};
use super::wire::Link;
use crate::ports::NoAnswer;

/// The path of the list.
const PATH: &str = "/v1/notifications/webhooks-events";
/// Events of a page.
const PAGE: usize = 100;
/// Pages that are read at most: more refunds than a shop of this kind makes in days.
const PAGES_MAX: usize = 100;
/// The longest query of a link that is followed.
const QUERY_MAX: usize = 2_000;

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    events: Vec<Event>,
    #[serde(default)]
    links: Vec<Link>,
}

/// What the events of a kind since a moment name. One that names nothing is left out.
pub(super) async fn events(client: &Client, kind: &str, since: DateTime<Utc>) -> Result<Vec<Hint>, NoAnswer> {
    let since = since.format("%Y-%m-%dT%H:%M:%SZ");
    let (mut path, mut found) = (format!("{PATH}?page_size={PAGE}&start_time={since}&event_type={kind}"), Vec::new());
    for _ in 0..PAGES_MAX {
        let page: Listed = client.ask(&Call::get(path)).await?;
        found.extend(page.events.into_iter().filter_map(|event| event.hint().ok()));
        let Some(next) = page.links.iter().find(|link| link.rel == "next").and_then(|link| next(&link.href)) else {
            return Ok(found);
        };
        path = next;
    }
    tracing::error!(kind, "PayPal lists more events than the shop reads at once: older ones are not read");
    Ok(found)
}

/// The path and the query of a link to the next page; only of this list, and nothing of its host.
fn next(link: &str) -> Option<String> {
    let url = Url::parse(link).ok().filter(|url| url.path() == PATH)?;
    let query = url.query().filter(|query| query.len() <= QUERY_MAX)?;
    Some(format!("{PATH}?{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_list_itself_is_read_on() {
        let link = "https://api.paypal.com/v1/notifications/webhooks-events?page_size=100&next_page_token=7";
        assert_eq!(next(link).unwrap(), "/v1/notifications/webhooks-events?page_size=100&next_page_token=7");
        for other in
            ["", "/v1", "https://api.paypal.com/v1/notifications/webhooks-events", "https://x/v1/oauth2/token?a"]
        {
            assert_eq!(next(other), None, "{other}");
        }
    }
}
