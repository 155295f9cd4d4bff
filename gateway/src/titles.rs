//! The titles of problems (RFC 9457, section 3.1.3): a short text for every code, the same whatever the details are.

/// Every code that the shop answers with, in the order of the alphabet, and its title.
const TITLES: &[(&str, &str)] = &[
    ("access_token.exists", "Access token already exists"),
    ("account.banned", "Account banned"),
    ("account.code_expired", "Code expired"),
    ("account.code_used", "Code already used"),
    ("account.disposable_email", "Disposable e-mail address"),
    ("account.email_change_too_soon", "E-mail change requested too recently"),
    ("account.email_taken", "E-mail address taken"),
    ("account.erased", "Personal data erased"),
    ("account.exists", "Account already exists"),
    ("account.invalid_code", "Invalid code"),
    ("account.missing", "Account not found"),
    ("account.no_enrolment", "Second factor setup not started"),
    ("account.no_such_address", "Address not found"),
    ("account.not_confirmed", "E-mail address not confirmed"),
    ("account.orders_under_way", "Orders not completed"),
    ("account.own_account", "Not possible for your own account"),
    ("account.password_changed", "Password was changed"),
    ("account.second_factor_changed", "Second factor was changed"),
    ("account.second_factor_exists", "Second factor already set up"),
    ("account.second_factor_required", "Second factor required"),
    ("account.too_many_addresses", "Too many addresses"),
    ("account.weak_password", "Password too weak"),
    ("address.missing", "Address not found"),
    ("api_key.exists", "API key already exists"),
    ("api_key.expires_in_the_past", "Expiry in the past"),
    ("api_key.missing", "API key not found"),
    ("api_key.no_scope", "API key without scopes"),
    ("auth.busy", "Too many log-ins at the moment"),
    ("auth.expired", "Access token expired"),
    ("auth.forbidden", "Not permitted"),
    ("auth.invalid", "Invalid credentials"),
    ("auth.missing", "Authentication required"),
    ("auth.no_session", "Not a session"),
    ("auth.reauthentication_required", "Re-authentication required"),
    ("auth.scope", "Scope missing from API key"),
    ("auth.second_factor_enrolment_required", "Second factor must be set up"),
    ("auth.second_factor_required", "Second factor required"),
    ("auth.too_many_attempts", "Too many attempts"),
    ("auth.wrong_code", "Wrong code"),
    ("auth.wrong_credentials", "Wrong e-mail address or password"),
    ("auth.wrong_password", "Wrong password"),
    ("cart.address_incomplete", "Address incomplete"),
    ("cart.checked_out", "Cart already checked out"),
    ("cart.country_unknown", "Unknown country"),
    ("cart.coupon_expired", "Coupon expired"),
    ("cart.coupon_needs_email", "E-mail address required for coupon"),
    ("cart.coupon_not_applicable", "Coupon not applicable"),
    ("cart.coupon_not_combinable", "Coupon cannot be combined"),
    ("cart.coupon_too_early", "Coupon not valid yet"),
    ("cart.coupon_unknown", "Unknown coupon"),
    ("cart.coupon_used_up", "Coupon used up"),
    ("cart.empty", "Cart is empty"),
    ("cart.exists", "Cart already exists"),
    ("cart.expired", "Cart expired"),
    ("cart.merged", "Cart was merged"),
    ("cart.missing", "Cart not found"),
    ("cart.no_destination", "Shipping address required"),
    ("cart.no_shipping", "No delivery to this address"),
    ("cart.not_enough", "Not enough in stock"),
    ("cart.other_currency", "Different currency"),
    ("cart.owner", "Invalid owner of the cart"),
    ("cart.price_changed", "Price has changed"),
    ("cart.problems", "Cart cannot be checked out"),
    ("cart.shipping_gone", "Shipping service no longer available"),
    ("cart.shipping_not_chosen", "Shipping service required"),
    ("cart.too_expensive", "Cart total too high"),
    ("cart.too_many_changes", "Too many changes to the cart"),
    ("cart.too_many_codes", "Too many coupons"),
    ("cart.too_many_lines", "Too many lines in the cart"),
    ("cart.too_many_unpaid", "Too many unpaid orders"),
    ("cart.total_changed", "Total has changed"),
    ("cart.unavailable", "Product not available"),
    ("category.archived", "Category archived"),
    ("category.attribute_twice", "Attribute declared twice"),
    ("category.attribute_values", "Invalid values of an attribute"),
    ("category.branch_too_large", "Category has too many descendants"),
    ("category.cycle", "Category would be its own ancestor"),
    ("category.exists", "Category already exists"),
    ("category.has_children", "Category has subcategories"),
    ("category.missing", "Category not found"),
    ("category.slug", "Invalid slug"),
    ("category.too_deep", "Categories nested too deeply"),
    ("category.too_many_attributes", "Too many attributes"),
    ("credit_note.exists", "Credit note already exists"),
    ("credit_note.missing", "Credit note not found"),
    ("credit_note.no_lines", "Lines required"),
    ("credit_note.too_many_lines", "Too many lines in the credit note"),
    ("credit_note.wrong_amount", "Amount not creditable"),
    ("credit_note.wrong_total", "Total cannot be computed"),
    ("file.missing", "File not found"),
    ("idempotency.in_flight", "Request with this key in progress"),
    ("idempotency.invalid_key", "Invalid idempotency key"),
    ("idempotency.key_reused", "Idempotency key used for another request"),
    ("image.broken", "Image cannot be read"),
    ("image.missing", "Image not found"),
    ("image.too_large", "Image too large"),
    ("image.unsupported", "Unsupported image format"),
    ("internal", "Internal error"),
    ("link.expired", "Link expired"),
    ("link.invalid", "Invalid link"),
    ("mailbox.too_many", "Too many mails to this address"),
    ("name.taken", "Name taken"),
    ("notification.missing", "Notification not found"),
    ("notification.not_dead", "Notification is not dead"),
    ("notification.other_attempt", "Not the last attempt"),
    ("order.all_goes_back", "All of the shipping is refunded"),
    ("order.already_fulfilled", "Order already handed over"),
    ("order.already_paid", "Order already paid"),
    ("order.arrived_after_all", "Lost parcel has arrived"),
    ("order.awaiting_capture", "Payment not captured yet"),
    ("order.being_shipped", "Order is being shipped"),
    ("order.cancelled", "Order cancelled"),
    ("order.discount_of_whole", "Discount depends on the whole order"),
    ("order.empty_parcel", "Parcel is empty"),
    ("order.exists", "Order already exists"),
    ("order.imported", "Order of an older system"),
    ("order.missing", "Order not found"),
    ("order.no_lines", "Lines required"),
    ("order.no_such_parcel", "Parcel not found"),
    ("order.no_such_return", "Return not found"),
    ("order.not_cancelled", "Order not cancelled"),
    ("order.not_fulfilled", "Nothing handed over yet"),
    ("order.not_of_guest", "Order of an account"),
    ("order.not_paid", "Order not paid"),
    ("order.nothing_left", "Nothing would be left of the order"),
    ("order.nothing_to_send", "Nothing to ship"),
    ("order.other_payment", "Different payment"),
    ("order.parcel_gone", "Parcel has left"),
    ("order.parcel_here", "Parcel has not left"),
    ("order.parcel_returning", "Return of the parcel in progress"),
    ("order.pieces_lost", "Items lost"),
    ("order.reason", "Invalid reason"),
    ("order.return_window_passed", "Return period has ended"),
    ("order.too_many_cancelled", "More items than can be cancelled"),
    ("order.too_many_lines", "Too many lines in the order"),
    ("order.too_many_notes", "Too many notes"),
    ("order.too_many_returned", "More items than can be returned"),
    ("order.too_many_returns", "Too many returns"),
    ("order.too_many_shipped", "More items than are left to ship"),
    ("order.too_much_refunded", "Refund too high"),
    ("order.too_much_shipping", "Refund of shipping too high"),
    ("order.under_way", "Order not completed"),
    ("order.wrong_amount", "Amount cannot be computed"),
    ("order.wrong_total", "Total cannot be computed"),
    ("payment.already_authorized", "Payment already authorized"),
    ("payment.authorization_expired", "Authorization expired"),
    ("payment.captured", "Payment already captured"),
    ("payment.closed", "Payment closed"),
    ("payment.concluded_otherwise", "Payment has a different outcome"),
    ("payment.credited_already", "Amount already credited"),
    ("payment.exists", "Payment already exists"),
    ("payment.in_progress", "Payment in progress"),
    ("payment.missing", "Payment not found"),
    ("payment.negative", "Negative amount"),
    ("payment.no_provider", "No payment provider"),
    ("payment.no_such_refund", "Refund not found"),
    ("payment.not_an_amount", "Invalid amount"),
    ("payment.not_authorized", "Payment not authorized"),
    ("payment.not_captured", "Payment not captured"),
    ("payment.other_attempt", "Different payment attempt"),
    ("payment.paid_elsewhere", "Order paid outside the shop"),
    ("payment.provider_unavailable", "Payment provider unavailable"),
    ("payment.reference_used", "Payment reference already used"),
    ("payment.refund_exists", "Refund already exists"),
    ("payment.refund_not_failed", "Refund has not failed"),
    ("payment.refund_retried", "Refund already retried"),
    ("payment.too_many_attempts", "Too many payment attempts"),
    ("payment.too_much_refunded", "Refund too high"),
    ("payment.unknown_token", "Unknown payment token"),
    ("payment.void_requested", "Payment is being voided"),
    ("product.already_published", "Product already published"),
    ("product.archived", "Product archived"),
    ("product.attribute_choice", "Attribute value not among the choices"),
    ("product.attribute_missing", "Required attribute missing"),
    ("product.attribute_type", "Attribute value of the wrong type"),
    ("product.attribute_unknown", "Unknown attribute"),
    ("product.compare_at_too_low", "Reference price too low"),
    ("product.currency_twice", "Currency given twice"),
    ("product.exists", "Product already exists"),
    ("product.image_twice", "Image already added"),
    ("product.images_differ", "Images do not match"),
    ("product.last_variant", "Last variant of a published product"),
    ("product.missing", "Product not found"),
    ("product.no_such_image", "Image not found"),
    ("product.no_such_variant", "Variant not found"),
    ("product.no_variant", "Product has no variant"),
    ("product.option_missing", "Option missing"),
    ("product.option_twice", "Option defined twice"),
    ("product.option_unknown", "Unknown option"),
    ("product.option_value", "Option value not defined"),
    ("product.option_values", "Invalid values of an option"),
    ("product.options_twice", "Variant with these options exists"),
    ("product.other_currency", "Different currency"),
    ("product.schedule_order", "End of schedule before its start"),
    ("product.sku_twice", "SKU given twice"),
    ("product.too_heavy", "Weight too high"),
    ("product.too_many_attributes", "Too many attributes"),
    ("product.too_many_images", "Too many images"),
    ("product.too_many_options", "Too many options"),
    ("product.too_many_prices", "Too many prices"),
    ("product.too_many_variants", "Too many variants"),
    ("product.variant_does_not_fit", "Variant does not match the options"),
    ("product.variant_exists", "Variant already exists"),
    ("promotion.code", "Invalid coupon code"),
    ("promotion.code_stays", "Coupon code cannot be changed"),
    ("promotion.country", "Unknown country"),
    ("promotion.ended", "Promotion ended"),
    ("promotion.exists", "Promotion already exists"),
    ("promotion.gives_nothing", "Promotion gives nothing"),
    ("promotion.limit", "Invalid limit"),
    ("promotion.list", "Invalid list of targets"),
    ("promotion.missing", "Promotion not found"),
    ("promotion.past", "End in the past"),
    ("promotion.period", "Promotion ends before it starts"),
    ("promotion.twice", "Value given twice"),
    ("promotion_book.too_many", "Too many automatic promotions"),
    ("query.not_caught_up", "View not up to date yet"),
    ("refund.missing", "Refund not found"),
    ("request.broken_body", "Body truncated or malformed"),
    ("request.country_unknown", "Unknown country"),
    ("request.foreign_host", "Host not allowed"),
    ("request.foreign_origin", "Origin not allowed"),
    ("request.invalid", "Invalid request"),
    ("request.invalid_header", "Invalid header"),
    ("request.invalid_host", "Invalid Host header"),
    ("request.invalid_if_match", "Invalid If-Match header"),
    ("request.invalid_min_log_position", "Invalid Min-Log-Position header"),
    ("request.invalid_query", "Invalid query parameter"),
    ("request.malformed_form", "Malformed form"),
    ("request.malformed_json", "Malformed JSON"),
    ("request.malformed_message", "Malformed message"),
    ("request.method_not_allowed", "Method not allowed"),
    ("request.not_found", "Not found"),
    ("request.precondition_required", "If-Match required"),
    ("request.range_not_satisfiable", "Range not satisfiable"),
    ("request.timeout", "Request timed out"),
    ("request.too_large", "Request too large"),
    ("request.too_many", "Too many requests"),
    ("request.unsupported_media_type", "Unsupported media type"),
    ("request.version_mismatch", "Version mismatch"),
    ("return.already_received", "Return already received"),
    ("return.closed", "Return closed"),
    ("return.decided", "Return already decided"),
    ("return.exists", "Return already exists"),
    ("return.missing", "Return not found"),
    ("return.no_lines", "Lines required"),
    ("return.not_approved", "Return not approved"),
    ("return.too_many", "More items than were requested"),
    ("series.exhausted", "No document numbers left"),
    ("series.not_above", "Number already used"),
    ("series.too_far", "Too many numbers skipped"),
    ("server.busy", "Server busy"),
    ("session.ended", "Session ended"),
    ("session.exists", "Session already exists"),
    ("session.missing", "Session not found"),
    ("session.reused", "Refresh token already used"),
    ("shipment.cancelled", "Shipment cancelled"),
    ("shipment.delivered", "Shipment already delivered"),
    ("shipment.exists", "Shipment already exists"),
    ("shipment.handed_over", "Shipment already handed over"),
    ("shipment.missing", "Shipment not found"),
    ("shipment.no_carrier", "Carrier required"),
    ("shipment.no_lines", "Lines required"),
    ("shipment.not_handed_over", "Shipment not handed over"),
    ("shipment.not_returning", "Shipment is not being returned"),
    ("shipment.other_tracking", "Different tracking number"),
    ("shipment.too_many", "Quantity too high"),
    ("shipment.tracking_needed", "Tracking number required"),
    ("shipping_book.area_twice", "Postal area given twice"),
    ("shipping_book.country_twice", "Country given twice"),
    ("shipping_book.missing", "Shipping zones not found"),
    ("shipping_book.no_area", "Invalid postal area"),
    ("shipping_book.no_code", "Unknown country"),
    ("shipping_book.no_service", "Invalid shipping service"),
    ("shipping_book.overlap", "Zones overlap"),
    ("shipping_book.service_twice", "Service given twice"),
    ("shipping_book.too_many", "Too many zones"),
    ("shipping_book.zone_twice", "Zone given twice"),
    ("shop.no_operator", "Only operators may do this"),
    ("shop.restored", "Restored shop not confirmed"),
    ("stock.exists", "Stock already exists"),
    ("stock.missing", "Stock not found"),
    ("stock.not_enough", "Not enough in stock"),
    ("stock.not_reserved", "Items not reserved"),
    ("stock.out_of_range", "Quantity out of range"),
    ("stock.reserved", "Items are reserved"),
    ("stock.reserved_otherwise", "Different quantity reserved"),
    ("store.contended", "Too much contention"),
    ("store.unavailable", "Service unavailable"),
    ("tax_book.country_twice", "Country given twice"),
    ("tax_book.no_area", "Invalid postal area"),
    ("tax_book.no_code", "Unknown country"),
    ("tax_book.rate_twice", "Tax rate given twice"),
    ("tax_book.too_many", "Too many countries"),
    ("usage.closed", "Account closed"),
    ("usage.used_up", "Promotion used up"),
    ("variant.missing", "Variant not found"),
    ("variant.sku", "Invalid SKU"),
    ("watch.in_stock", "Product is in stock"),
    ("watch.too_many", "Too many watchers"),
    ("webhook.not_signed", "Invalid webhook signature"),
    ("webhook_endpoint.before_the_log", "Position out of range"),
    ("webhook_endpoint.exists", "Webhook endpoint already exists"),
    ("webhook_endpoint.expired", "Webhook endpoint expired"),
    ("webhook_endpoint.expires_in_the_past", "Expiry in the past"),
    ("webhook_endpoint.filters", "Invalid event filters"),
    ("webhook_endpoint.missing", "Webhook endpoint not found"),
];

/// The title of a code; none for what is no code of this shop.
pub(crate) fn of(code: &str) -> Option<&'static str> {
    let found = TITLES.binary_search_by_key(&code, |(known, _)| known).ok()?;
    TITLES.get(found).map(|(_, title)| *title)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::edge::ask::THINGS;

    /// Reasons against a cart that are no rejections of its aggregate.
    const OF_CARTS: [&str; 3] = ["cart/problem.rs", "checkout.rs", "pricing/problem.rs"];

    /// The codes of all rejections of the domain: those of the tables, and of carts those that `fn code` lists.
    fn codes() -> BTreeSet<String> {
        let domain = Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/src");
        let mut codes = BTreeSet::from_iter(byteshop_domain::any::rejection_codes());
        for file in OF_CARTS {
            let text = std::fs::read_to_string(domain.join(file)).unwrap();
            let (_, rest) = text.split_once("fn code(").unwrap();
            let listed = rest.split_once("\n    }").map_or(rest, |(listed, _)| listed);
            let words = listed.split("=> \"").skip(1).filter_map(|rest| rest.split_once('"'));
            codes.extend(words.map(|(word, _)| format!("cart.{word}")));
        }
        codes
    }

    #[test]
    fn every_rejection_has_a_title() {
        let codes = codes();
        assert!(codes.len() > 200, "{}", codes.len());
        let untitled: Vec<&String> = codes.iter().filter(|code| of(code).is_none()).collect();
        assert!(untitled.is_empty(), "{untitled:?}");
    }

    /// The codes of problems that files of the gateway make themselves.
    fn own_codes(folder: &Path, codes: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                own_codes(&path, codes);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let (code, _) = text.split_once("#[cfg(test)]\nmod tests {").unwrap_or((&text, ""));
                for call in ["Problem::new(StatusCode::", "Self::new(StatusCode::", "Problem::malformed(\""] {
                    codes.extend(code.split(call).skip(1).filter_map(literal));
                }
            }
        }
    }

    /// The code in the rest of a call, if it is its next argument.
    fn literal(rest: &str) -> Option<String> {
        let argument = rest.trim_start_matches(|letter: char| letter.is_ascii_uppercase() || letter == '_');
        let quoted = argument.trim_start_matches([',', ' ', '\n']).trim_start_matches('"');
        let (code, _) = quoted.split_once('"')?;
        let is_code = code.bytes().all(|it| it.is_ascii_lowercase() || it == b'_' || it == b'.');
        (is_code && code.contains('.')).then(|| code.to_owned())
    }

    #[test]
    fn every_problem_of_the_gateway_has_a_title() {
        let mut codes = BTreeSet::new();
        own_codes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut codes);
        assert!(codes.len() > 30 && codes.contains("request.broken_body"), "{codes:?}");
        codes.extend(THINGS.iter().map(|(_, thing)| format!("{thing}.missing")));
        let untitled: Vec<&String> = codes.iter().filter(|code| of(code).is_none()).collect();
        assert!(untitled.is_empty(), "{untitled:?}");
    }

    #[test]
    fn titles_are_found_by_their_codes() {
        assert!(TITLES.is_sorted_by(|(a, _), (b, _)| a < b));
        assert!(TITLES.iter().all(|(code, title)| of(code) == Some(*title)));
        assert_eq!((of("account.weak_password"), of("nonsense.code")), (Some("Password too weak"), None));
    }
}
