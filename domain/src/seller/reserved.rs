//! Handles that no seller can have: they would pass for the house, or for a part of its site.

use crate::text::Handle;

/// The reserved handles, in the order of the alphabet.
const RESERVED: [&str; 44] = [
    "about",
    "account",
    "admin",
    "administrator",
    "api",
    "billing",
    "byteshop",
    "cart",
    "catalog",
    "categories",
    "category",
    "checkout",
    "contact",
    "docs",
    "help",
    "house",
    "info",
    "invoice",
    "legal",
    "login",
    "marketplace",
    "merchant",
    "new",
    "null",
    "official",
    "operator",
    "order",
    "orders",
    "payment",
    "payments",
    "privacy",
    "product",
    "products",
    "root",
    "search",
    "security",
    "seller",
    "sellers",
    "shop",
    "staff",
    "store",
    "support",
    "terms",
    "undefined",
];

/// Whether no seller can have it.
pub(super) fn is_reserved(handle: &Handle) -> bool {
    RESERVED.binary_search(&handle.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::text;

    #[test]
    fn the_reserved_handles_are_handles_in_order() {
        assert!(RESERVED.is_sorted());
        for handle in RESERVED {
            assert!(is_reserved(&text(handle)), "{handle}");
        }
        assert!(!is_reserved(&text("copper-kettles")));
    }
}
