//! Every view of the shop.

use byteshop_eventstore::Log;

use crate::account_list::AccountList;
use crate::api_key_list::ApiKeyList;
use crate::category_list::CategoryList;
use crate::error::Error;
use crate::notification_list::NotificationList;
use crate::order_email::OrderEmail;
use crate::order_list::OrderList;
use crate::product_list::ProductList;
use crate::promotion_list::PromotionList;
use crate::return_list::ReturnList;
use crate::sales::Sales;
use crate::stock_level::StockLevel;
use crate::views::{Registered, Views};

/// Every view of the shop, in the order in which they are shown.
fn shop() -> Vec<Registered> {
    vec![
        Registered::of::<CategoryList>(),
        Registered::of::<ProductList>(),
        Registered::of::<StockLevel>(),
        Registered::of::<OrderList>(),
        Registered::of::<OrderEmail>(),
        Registered::of::<ReturnList>(),
        Registered::of::<NotificationList>(),
        Registered::of::<PromotionList>(),
        Registered::of::<Sales>(),
        Registered::of::<AccountList>(),
        Registered::of::<ApiKeyList>(),
    ]
}

impl Views {
    /// The views beside a log; connects when first used.
    pub fn open(url: &str) -> Result<Self, Error> {
        Ok(Self::beside(Log::open(url)?))
    }

    /// The views beside a log that is open already.
    pub fn beside(log: Log) -> Self {
        Self::of(log, shop())
    }
}
