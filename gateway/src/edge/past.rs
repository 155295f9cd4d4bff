//! A resource as it is, or as it was: what `?at=` asks for.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use byteshop_commands::{At, Snapshot};
use byteshop_domain::Decider;
use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use http::request::Parts;

use super::ask::Params;
use crate::app::{App, Shared};
use crate::edge::positions::Opened;
use crate::edge::problem::Problem;
use crate::edge::values::{Moment, said};
use crate::edge::version::AT_TAKES;

/// How far the clocks of those who ask may be ahead.
const SKEW: TimeDelta = TimeDelta::minutes(1);

/// Which moment is asked for: `?at=` takes a position of the log or a time. A position is only what the edge has opened: a
/// token of the shop, or a number that staff sent. Read in any other way the same text is no moment at all.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Then {
    /// The state after this position (a `Log-Position` that the shop sent), or at this time (RFC 3339).
    #[param(example = "2026-01-01T12:00:00Z")]
    pub at: Option<Moment>,
    #[serde(skip)]
    #[param(ignore)]
    opened: Option<Opened>,
}

impl Then {
    /// The moment of a query with other parameters, with the position that the edge has decrypted.
    pub(crate) fn of(at: Option<Moment>, opened: Option<Opened>) -> Self {
        Self { at, opened }
    }

    /// The moment, if one is asked for. What is yet to come is none.
    pub async fn moment(&self, app: &App) -> Result<Option<At>, Problem> {
        let moment = self.read(app.commands.clock().now())?;
        if let Some(At::Position(position)) = moment
            && !app.reaches(position).await?
        {
            return Err(Problem::query("at", said("at", "must not be beyond the end of the log")));
        }
        Ok(moment)
    }

    fn read(&self, now: DateTime<Utc>) -> Result<Option<At>, Problem> {
        match (self.at, self.opened) {
            (None, _) => Ok(None),
            (Some(_), Some(Opened(position))) => Ok(Some(At::Position(position))),
            (Some(Moment::Time(time)), None) if time > now + SKEW => {
                Err(Problem::query("at", said("at", "must not be in the future")))
            }
            (Some(Moment::Time(time)), None) => Ok(Some(At::Moment(time))),
            (Some(Moment::Position), None) => Err(Problem::query("at", said("at", AT_TAKES))),
        }
    }
}

impl FromRequestParts<Shared> for Then {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let Params(Self { at, .. }) = Params::from_request_parts(parts, app).await?;
        Ok(Self::of(at, parts.extensions.get().copied()))
    }
}

impl OptionalFromRequestParts<Shared> for Opened {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _app: &Shared) -> Result<Option<Self>, Problem> {
        Ok(parts.extensions.get().copied())
    }
}

impl App {
    /// An aggregate as it is, or as it was at the moment that is asked for.
    pub async fn snapshot<A: Decider>(
        &self,
        id: A::Id,
        then: &Then,
        headers: &HeaderMap,
    ) -> Result<Snapshot<A>, Problem> {
        self.await_log(headers).await?;
        let moment = then.moment(self).await?;
        let found = match moment {
            Some(at) => self.commands.get_at::<A>(id, at).await?,
            None => self.commands.get::<A>(id).await?,
        };
        found.ok_or_else(|| Problem::missing(A::CATEGORY))
    }

    /// The same for callers who may see some of these only. Their rights are those of now: what was withdrawn from them is not
    /// shown as it was before, and what they could not see then stays unseen.
    pub async fn snapshot_for<A: Decider>(
        &self,
        id: A::Id,
        then: &Then,
        headers: &HeaderMap,
        may_see: impl Fn(&A) -> Result<(), Problem> + Send + Sync,
    ) -> Result<Snapshot<A>, Problem> {
        let found = self.snapshot::<A>(id, then, headers).await?;
        may_see(&found.state)?;
        if then.at.is_some() {
            let now = self.commands.get::<A>(id).await?.ok_or_else(|| Problem::missing(A::CATEGORY))?;
            may_see(&now.state)?;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::Query;

    use super::*;

    #[test]
    fn a_position_is_what_the_edge_has_opened_and_no_text() {
        let now = "2026-06-01T12:00:00Z".parse().unwrap();
        let read = |text: &str, opened| Then::of(text.parse().ok(), opened).read(now).ok().flatten();
        let query = |text: &str| Query::<Then>::try_from_uri(&text.parse().unwrap()).map(|Query(then)| then);
        for text in ["0", "7", "999999999999", "pos_AAAA"] {
            assert!(read(text, None).is_none(), "{text}");
            assert!(matches!(read(text, Some(Opened(7))), Some(At::Position(7))), "{text}");
            assert!(query(&format!("/x?at={text}")).unwrap().read(now).is_err(), "{text}");
        }
        assert!(query("/x?at=7&opened=7").is_err() && query("/x?at=-1").is_err());
        assert!(matches!(read("2026-05-01T12:00:00Z", None), Some(At::Moment(_))));
        assert!(read("2026-07-01T12:00:00Z", None).is_none());
    }
}
