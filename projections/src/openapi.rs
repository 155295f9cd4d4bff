//! Closed sets of names of the views as enums of the OpenAPI document (feature `openapi`).

use std::borrow::Cow;

use byteshop_domain::openapi::{ComposeSchema, Described, ToSchema, closed};

use crate::product_list::Shown;

byteshop_domain::sets! {
    /// The order of products: by relevance to the search text, by age, by price, or by title.
    SortOrder of crate::product_list::Sort { Relevance Newest Price PriceDesc Title }
    /// The state of an account.
    AccountStatus of crate::account_list::Status { Unconfirmed Active Banned }
    /// The status of a notification: a `failed` one is retried, a `dead` one is not.
    NotificationStatus of crate::notification_list::Status { Queued Attempted Failed Sent Dead Skipped }
    /// A gift card, or store credit of an account.
    StoredValueKind of crate::stored_value_list::Kind { GiftCard StoreCredit }
    /// How sales are grouped.
    SalesGrouping of crate::sales::By { Month Country MonthCountry }
}

impl ComposeSchema for Shown {
    fn compose(_: Vec<Described>) -> Described {
        closed("Which products staff sees.", &Self::NAMED.map(|(name, _)| name))
    }
}

impl ToSchema for Shown {
    fn name() -> Cow<'static, str> {
        "ShownProducts".into()
    }
}
