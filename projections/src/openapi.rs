//! Closed sets of names of the views as enums of the OpenAPI document (feature `openapi`).

byteshop_domain::sets! {
    /// The state of an account.
    AccountStatus of crate::account_list::Status { Unconfirmed Active Banned }
    /// The status of a notification: a `failed` one is retried, a `dead` one is not.
    NotificationStatus of crate::notification_list::Status { Queued Attempted Failed Sent Dead Skipped }
    /// How sales are grouped.
    SalesGrouping of crate::sales::By { Month Country MonthCountry }
}
