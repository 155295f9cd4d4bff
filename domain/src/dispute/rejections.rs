//! Why a dispute refuses a command, and its limits.

use super::events::Status;
use super::file::FILES_MAX;
use crate::money::Money;

/// How often evidence is submitted at most: providers take a handful, and the dispute is read whole each time.
pub const EVIDENCE_MAX: usize = 20;
/// The largest fee, in the smallest unit: providers and banks charge some tens for a dispute, and more is a typo.
pub(super) const FEE_MAX: i64 = 1_000_000;

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Rejection {
        Missing => Missing: "there is no such dispute";
        Exists => Conflict at "/reference": "a dispute with this reference is recorded already";
        Ended { status: Status } => Conflict: "the dispute is already {said}", said = status.as_str();
        LostOtherwise { amount: Money, fee: Option<Money> } => Conflict:
            "the outcome is recorded already, and it is another one: {amount} is lost, with {said}; a wrong fee is corrected with \
             PUT /v1/admin/disputes/{{id}}/fee",
            said = fee.map_or_else(|| "no fee".to_owned(), |fee| format!("a fee of {fee}"));
        NotLost { status: Status } => Conflict:
            "the dispute is {said}: a fee is recorded with the outcome of one that is lost", said = status.as_str();
        Accepted => Conflict: "the dispute is accepted; evidence would not be looked at any more";
        TooMuchEvidence => Conflict: "evidence can be submitted at most {EVIDENCE_MAX} times";
        FilesTooLarge => Conflict: "all files of a dispute must not exceed {FILES_MAX} bytes";
        NotAnAmount { most: Money } => Invalid at "/amount":
            "the buyer gets back an amount greater than zero and at most {most}";
        NotAFee => Invalid at "/fee": "a fee must be greater than zero, at most {FEE_MAX} and in the currency of the payment";
        OfProvider => Conflict: "the payment provider reports disputes of this payment, and their outcomes, itself";
    }
}
