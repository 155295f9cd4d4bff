//! Why a shipment refuses a command.

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Rejection {
        Missing => Missing: "there is no such shipment";
        Exists => Conflict: "the shipment already exists";
        NoLines => Invalid: "a shipment needs at least one line";
        Cancelled => Conflict: "the shipment is cancelled";
        HandedOver => Conflict: "the shipment was already handed over";
        NotHandedOver => Conflict: "the shipment was not handed over yet";
        Delivered => Conflict: "the shipment was already delivered";
        NotReturning => Conflict: "the shipment is not on its way back";
        OtherTracking => Conflict: "the shipment has another tracking number";
    }
}
