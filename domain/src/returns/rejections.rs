//! What can be in the way of a change to a return.

use crate::ids::VariantId;

crate::rejections! {
    /// What can be in the way.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Rejection {
        Missing => Missing: "there is no such return";
        Exists => Conflict: "the return already exists";
        NoLines => Invalid at "/lines": "name at least one line";
        NotApproved => Conflict: "the return is not approved";
        Decided => Conflict: "the return was already decided";
        AlreadyReceived => Conflict: "the goods were already received";
        Closed => Conflict: "the return is closed";
        TooMany { variant: VariantId, left: i64 } => Invalid at "/lines":
            "only {left} of {variant} were to be returned";
    }
}
