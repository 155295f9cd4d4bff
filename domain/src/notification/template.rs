//! The templates of notifications.

use serde::{Deserialize, Serialize};

use super::message::Message;

macro_rules! templates {
    ($($name:ident $text:literal;)*) => {
        /// The templates, by their names alone.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each is the variant of Message with the same name")]
        pub enum Template { $(#[serde(rename = $text)] $name,)* }

        impl Template {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }

        impl Message {
            /// Its template.
            pub fn template(&self) -> Template {
                match self { $(Self::$name { .. } => Template::$name,)* }
            }
        }
    };
}

templates! {
    ConfirmEmail "confirm_email";
    ResetPassword "reset_password";
    ConfirmNewEmail "confirm_new_email";
    EmailChangeRequested "email_change_requested";
    AlreadyRegistered "already_registered";
    PasswordChanged "password_changed";
    SecondFactorSetUp "second_factor_set_up";
    SecondFactorRemoved "second_factor_removed";
    OrderPlaced "order_placed";
    PaymentInstructions "payment_instructions";
    OrderPaid "order_paid";
    OrderCancelled "order_cancelled";
    OrderLinesCancelled "order_lines_cancelled";
    OrderRefunded "order_refunded";
    OrderShipped "order_shipped";
    ReturnApproved "return_approved";
    ReturnRejected "return_rejected";
    OrderDelivered "order_delivered";
    DeliveryFailed "delivery_failed";
    DeliveryReturning "delivery_returning";
    DeliveryLost "delivery_lost";
    BackInStock "back_in_stock";
    PriceDropped "price_dropped";
    SellerInvitation "seller_invitation";
    FileUpdated "file_updated";
    KeysRanLow "keys_ran_low";
    KeysRevoked "keys_revoked";
    PayoutDestinationChosen "payout_destination_chosen";
    PayoutSent "payout_sent";
    PayoutFailed "payout_failed";
    DisputeOpened "dispute_opened";
    DisputeDue "dispute_due";
    DisputeEnded "dispute_ended";
    DisputeForStaff "dispute_for_staff";
}
