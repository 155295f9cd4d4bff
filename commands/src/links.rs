//! Links that open a paper of an order without a token: whoever has one may read that paper, until it expires.
//!
//! A link holds its own end and a seal, the keyed hash of the paper, the order and that end under the key with which the shop
//! blinds names. So nothing is stored for it, nobody can make one, and one for a paper opens no other.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use byteshop_domain::Locale;
use byteshop_domain::ids::OrderId;
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

use crate::Commands;
use crate::error::Error;

/// How long a link in a mail opens its paper: whoever sends goods back still has the invoice at hand.
const IN_MAIL: TimeDelta = TimeDelta::days(60);
/// How long a link that the API gives does: whoever asks again gets another.
const AT_HAND: TimeDelta = TimeDelta::hours(1);
/// What is hashed is told apart from all else that the shop blinds.
const KIND: &str = "paper";

/// A paper of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paper {
    /// Its invoice.
    Invoice,
    /// Its credit notes.
    CreditNotes,
}

/// A link to a paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it leads: an address, or a path where nobody said where this shop answers.
    pub url: String,
    /// Until when it does.
    pub until: DateTime<Utc>,
}

/// What a link is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opens {
    /// It opens its paper.
    Yes,
    /// It did once.
    Expired,
    /// It is none of ours, or of another paper.
    Never,
}

impl Paper {
    /// Its path in the API.
    fn path(self, order: OrderId) -> String {
        match self {
            Self::Invoice => format!("/v1/orders/{order}/invoice"),
            Self::CreditNotes => format!("/v1/orders/{order}/credit-notes/print"),
        }
    }
}

impl Commands {
    /// A link for whoever asks for the order.
    pub async fn link_at_hand(&self, order: OrderId, paper: Paper) -> Result<Link, Error> {
        let now = self.clock().now();
        // On the full hour, so that the same question mostly has the same answer.
        let until = (now + AT_HAND).duration_round_up(TimeDelta::hours(1)).unwrap_or(now + AT_HAND);
        self.link(order, paper, until, None).await
    }

    /// A link for a mail in a language; none where nobody said where this shop answers.
    pub(crate) async fn link_in_mail(
        &self,
        order: OrderId,
        paper: Paper,
        locale: Locale,
    ) -> Result<Option<String>, Error> {
        if self.outside().face.api.is_none() {
            return Ok(None);
        }
        let until = self.clock().now() + IN_MAIL;
        Ok(Some(self.link(order, paper, until, Some(locale)).await?.url))
    }

    async fn link(
        &self,
        order: OrderId,
        paper: Paper,
        until: DateTime<Utc>,
        locale: Option<Locale>,
    ) -> Result<Link, Error> {
        let path = paper.path(order);
        let (seal, until_s) = (self.seal_of(&path, until.timestamp()).await?, until.timestamp());
        let base = self.outside().face.api.as_deref().unwrap_or_default();
        let locale = locale.map_or_else(String::new, |locale| format!("&locale={}", locale.as_str()));
        Ok(Link { url: format!("{base}{path}?until={until_s}&seal={seal}{locale}"), until })
    }

    /// What a link with this end and this seal is good for.
    pub async fn opens(&self, order: OrderId, paper: Paper, until_s: i64, seal: &str) -> Result<Opens, Error> {
        let right = self.seal_of(&paper.path(order), until_s).await?;
        // Equal seals are compared without a hint of where they differ.
        if verify_slices_are_equal(right.as_bytes(), seal.as_bytes()).is_err() {
            return Ok(Opens::Never);
        }
        Ok(if until_s > self.clock().now().timestamp() { Opens::Yes } else { Opens::Expired })
    }

    async fn seal_of(&self, path: &str, until_s: i64) -> Result<String, Error> {
        Ok(self.vault().blind(KIND, &format!("{path} {until_s}")).await?)
    }
}
