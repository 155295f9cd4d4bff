//! Why a payout refuses a command.

use super::events::Status;

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Rejection {
        Missing => Missing: "there is no such payout";
        NotDue => Conflict: "the payout is not due for a file of the bank";
        Automatic => Conflict: "the payout is carried out by PayPal, which reports its outcome itself";
        Ended { status: Status } => Conflict: "the payout is already {said}", said = status.as_str();
    }
}
