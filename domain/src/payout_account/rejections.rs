//! Why a command about how a seller is paid is refused.

use chrono::{DateTime, SecondsFormat, Utc};

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Rejection {
        NoDestination => Conflict: "the seller has no payout destination: an owner must choose one first";
        Waits { usable_from: DateTime<Utc> } => Conflict:
            "the payout destination is used from {moment} on", moment = usable_from.to_rfc3339_opts(SecondsFormat::Secs, true);
        NothingWaits => Conflict: "no change of the payout destination can be cancelled";
        NotInSepa => Invalid at "/iban": "this country is not reached by SEPA credit transfers: choose an account in another one, or PayPal";
        NotInCurrency => Conflict at "/currency": "the payout destination does not take this currency";
    }
}
