//! Why a webhook endpoint refuses a command, and its limit.

/// The maximum number of filters of an endpoint: more than that is a wish for all events.
pub const FILTERS_MAX: usize = 50;

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        Missing => Missing: "there is no such webhook endpoint";
        Exists => Conflict: "the webhook endpoint already exists";
        Filters => Invalid at "/filter": "an endpoint needs 1 to {FILTERS_MAX} filters";
        BeforeTheLog => Invalid at "/from": "a replay must start at position 1 or later";
        ExpiresInThePast => Invalid at "/expires_at": "expires_at must be in the future";
        Expired => Conflict: "the webhook endpoint has expired; set a later expires_at to enable it again";
    }
}
