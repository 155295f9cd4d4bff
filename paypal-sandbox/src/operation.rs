//! The operations of PayPal's interface that the sandbox serves.

use serde::{Deserialize, Serialize};

/// How long PayPal remembers a request to create or complete an order by its `PayPal-Request-Id`.
const ORDER_HOURS: i64 = 6;
/// The same for a request about a payment: 45 days.
const PAYMENT_HOURS: i64 = 45 * 24;
/// The same for payouts: 30 days.
const PAYOUT_HOURS: i64 = 30 * 24;

/// An operation as a row of the table: where it is, which document describes it, and how long a request is remembered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// The operation.
    pub operation: Operation,
    /// The file of its document, without the ending.
    pub document: &'static str,
    /// Its `operationId` there.
    pub id: &'static str,
    /// The method of HTTP, in capitals.
    pub method: &'static str,
    /// The path, with an id in braces.
    pub path: &'static str,
    /// Hours for which a repeated request gets the first response; 0 if there is no memory.
    pub remembered_hours: i64,
}

macro_rules! operations {
    ($($operation:ident $document:literal $id:literal $method:literal $path:literal $hours:expr;)*) => {
        /// An operation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub(super) enum Operation {
            $(#[serde(rename = $id)] $operation,)*
        }

        /// All of them.
        pub(super) const OPERATIONS: &[Row] = &[$(Row {
            operation: Operation::$operation,
            document: $document,
            id: $id,
            method: $method,
            path: $path,
            remembered_hours: $hours,
        },)*];

        impl Operation {
            /// Its row.
            pub(super) fn row(self) -> &'static Row {
                &OPERATIONS[self as usize]
            }
        }
    };
}

operations! {
    CreateOrder "checkout_orders_v2" "orders.create" "POST" "/v2/checkout/orders" ORDER_HOURS;
    GetOrder "checkout_orders_v2" "orders.get" "GET" "/v2/checkout/orders/{id}" 0;
    AuthorizeOrder "checkout_orders_v2" "orders.authorize" "POST" "/v2/checkout/orders/{id}/authorize" ORDER_HOURS;
    CaptureOrder "checkout_orders_v2" "orders.capture" "POST" "/v2/checkout/orders/{id}/capture" ORDER_HOURS;
    GetAuthorization "payments_payment_v2" "authorizations.get" "GET" "/v2/payments/authorizations/{authorization_id}" 0;
    CaptureAuthorization "payments_payment_v2" "authorizations.capture" "POST" "/v2/payments/authorizations/{authorization_id}/capture" PAYMENT_HOURS;
    Reauthorize "payments_payment_v2" "authorizations.reauthorize" "POST" "/v2/payments/authorizations/{authorization_id}/reauthorize" PAYMENT_HOURS;
    Void "payments_payment_v2" "authorizations.void" "POST" "/v2/payments/authorizations/{authorization_id}/void" PAYMENT_HOURS;
    GetCapture "payments_payment_v2" "captures.get" "GET" "/v2/payments/captures/{capture_id}" 0;
    Refund "payments_payment_v2" "captures.refund" "POST" "/v2/payments/captures/{capture_id}/refund" PAYMENT_HOURS;
    GetRefund "payments_payment_v2" "refunds.get" "GET" "/v2/payments/refunds/{refund_id}" 0;
    CreatePayout "payments_payouts_batch_v1" "payouts.post" "POST" "/v1/payments/payouts" PAYOUT_HOURS;
    GetPayout "payments_payouts_batch_v1" "payouts.get" "GET" "/v1/payments/payouts/{id}" 0;
    GetPayoutItem "payments_payouts_batch_v1" "payouts-item.get" "GET" "/v1/payments/payouts-item/{payout_item_id}" 0;
    CancelPayoutItem "payments_payouts_batch_v1" "payouts-item.cancel" "POST" "/v1/payments/payouts-item/{payout_item_id}/cancel" 0;
    ListDisputes "customer_disputes_v1" "disputes.list" "GET" "/v1/customer/disputes" 0;
    GetDispute "customer_disputes_v1" "disputes.get" "GET" "/v1/customer/disputes/{id}" 0;
    ProvideEvidence "customer_disputes_v1" "disputes.provide-evidence" "POST" "/v1/customer/disputes/{id}/provide-evidence" 0;
    AcceptClaim "customer_disputes_v1" "disputes.accept-claim" "POST" "/v1/customer/disputes/{id}/accept-claim" 0;
    CreateWebhook "notifications_webhooks_v1" "webhooks.post" "POST" "/v1/notifications/webhooks" 0;
    ListWebhooks "notifications_webhooks_v1" "webhooks.list" "GET" "/v1/notifications/webhooks" 0;
    GetWebhook "notifications_webhooks_v1" "webhooks.get" "GET" "/v1/notifications/webhooks/{webhook_id}" 0;
    DeleteWebhook "notifications_webhooks_v1" "webhooks.delete" "DELETE" "/v1/notifications/webhooks/{webhook_id}" 0;
    VerifySignature "notifications_webhooks_v1" "verify-webhook-signature.post" "POST" "/v1/notifications/verify-webhook-signature" 0;
    ListEvents "notifications_webhooks_v1" "webhooks-events.list" "GET" "/v1/notifications/webhooks-events" 0;
    GetEvent "notifications_webhooks_v1" "webhooks-events.get" "GET" "/v1/notifications/webhooks-events/{event_id}" 0;
    ResendEvent "notifications_webhooks_v1" "webhooks-events.resend" "POST" "/v1/notifications/webhooks-events/{event_id}/resend" 0;
}

impl Row {
    /// Whether errors have the form of version 2 of PayPal's interface.
    pub(super) fn is_v2(&self) -> bool {
        self.path.starts_with("/v2/")
    }
}

/// The operation at a path, and the id in the path. `None` if there is no such path or no such method.
pub(super) fn find(method: &str, path: &str) -> Option<(Operation, String)> {
    OPERATIONS.iter().filter(|row| row.method == method).find_map(|row| {
        let (mut wanted, mut given) = (row.path.split('/'), path.split('/'));
        let mut id = String::new();
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return Some((row.operation, id)),
                (Some(part), Some(text)) if part.starts_with('{') && !text.is_empty() => text.clone_into(&mut id),
                (Some(part), Some(text)) if part == text => {}
                (_, Some(_)) | (Some(_), None) => return None,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_is_found_at_its_path() {
        for row in OPERATIONS {
            assert_eq!(row.operation.row().id, row.id);
            let path: Vec<&str> =
                row.path.split('/').map(|part| if part.starts_with('{') { "X1" } else { part }).collect();
            let (found, id) = find(row.method, &path.join("/")).unwrap();
            assert_eq!(found, row.operation);
            assert_eq!(id, if row.path.contains('{') { "X1" } else { "" });
        }
        assert_eq!(find("GET", "/v2/checkout/orders"), None);
        assert_eq!(find("GET", "/v2/checkout/orders/"), None);
        assert_eq!(find("POST", "/v2/checkout/orders/A/capture/B"), None);
    }
}
