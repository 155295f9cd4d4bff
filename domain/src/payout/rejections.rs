//! Why a payout refuses a command.

use super::events::Status;

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Rejection {
        Missing => Missing: "there is no such payout";
        NotDue => Conflict: "the payout is not due for a file of the bank";
        Automatic => Conflict: "the payout is carried out by PayPal, which reports its outcome itself";
        NotPaid { status: Status } => Conflict:
            "only a payout that is paid can be returned, and this one is {said}", said = status.as_str();
        Ended { status: Status } => Conflict: "the payout is already {said}", said = status.as_str();
    }
}
