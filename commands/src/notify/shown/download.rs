//! What a message about a new version of a file shows: where it is, and the way out of such messages.

use byteshop_domain::Locale;
use byteshop_domain::ids::{OrderId, VariantId};
use byteshop_domain::order::Order;

use super::Shown;
use crate::Commands;
use crate::engine::error::Error;
use crate::links::Target;

impl Commands {
    /// Adds the order with the file, and the link to unsubscribe; false if there is no such order.
    pub(super) async fn add_download(
        &self,
        order: OrderId,
        variant: VariantId,
        locale: Locale,
        shown: &mut Shown,
    ) -> Result<bool, Error> {
        let found = self.seen::<Order>(order).await?;
        let Some(placed) = found.as_ref().and_then(|it| it.live().ok()) else { return Ok(false) };
        let page = |url: &String| format!("{}/orders/{order}", url.trim_end_matches('/'));
        shown.url = self.outside().details.url.as_ref().map(page);
        // Account owners log in; guests have nothing but the link.
        if placed.placement.buyer.account.is_none() {
            shown.downloads = self.link_in_mail(Target::Downloads(order), locale).await?;
        }
        shown.unsubscribe = self.no_updates_link(order, variant, locale).await?;
        Ok(true)
    }
}
