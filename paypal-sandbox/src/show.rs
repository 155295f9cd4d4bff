//! Orders, payments, payouts and disputes as PayPal shows them.

use serde_json::{Value, json};

use super::amount::Amount;
use super::books::{Books, link, seconds};
use super::records::{
    Authorization, AuthorizationStatus, Capture, Intent, Order, OrderStatus, PlatformFee, Refund, Unit,
};

/// The account of every buyer here.
pub(super) const PAYER: &str = "QYR5Z8XDVJNXQ";
/// The address of every buyer here.
const PAYER_EMAIL: &str = "buyer@sandbox.example";

impl Books {
    /// An order; in short, only its id, status and links.
    pub(super) fn show_order(&self, order: &Order, is_full: bool) -> Value {
        let mut shown = json!({"id": order.id, "status": order.status, "links": self.order_links(order)});
        if !is_full {
            return shown;
        }
        shown["intent"] = json!(order.intent);
        shown["purchase_units"] = order.units.iter().map(|unit| self.show_unit(unit)).collect();
        shown["create_time"] = json!(seconds(order.created));
        shown["update_time"] = json!(seconds(order.updated));
        if matches!(order.status, OrderStatus::Approved | OrderStatus::Completed) {
            let name = json!({"given_name": "Sandy", "surname": "Buyer"});
            shown["payer"] = json!({
                "name": name,
                "email_address": PAYER_EMAIL,
                "payer_id": PAYER,
                "address": {"country_code": "GB"},
            });
            shown["payment_source"] = json!({"paypal": {
                "email_address": PAYER_EMAIL,
                "account_id": PAYER,
                "account_status": "VERIFIED",
                "name": name,
                "address": {"country_code": "GB"},
            }});
        }
        shown
    }

    fn order_links(&self, order: &Order) -> Vec<Value> {
        let at = format!("{}/v2/checkout/orders/{}", self.base, order.id);
        let page = format!("{}/checkoutnow?token={}", self.base, order.id);
        let mut links = vec![link(at.clone(), "self", "GET")];
        match order.status {
            OrderStatus::Created => links.push(link(page, "approve", "GET")),
            OrderStatus::PayerActionRequired => links.push(link(page, "payer-action", "GET")),
            OrderStatus::Approved => match order.intent {
                Intent::Capture => links.push(link(format!("{at}/capture"), "capture", "POST")),
                Intent::Authorize => links.push(link(format!("{at}/authorize"), "authorize", "POST")),
            },
            OrderStatus::Completed => {}
        }
        links
    }

    fn show_unit(&self, unit: &Unit) -> Value {
        let mut shown = unit.requested.clone();
        shown["reference_id"] = json!(unit.reference_id);
        shown["payee"] = json!(unit.payee);
        let authorizations = unit.authorizations.iter().filter_map(|id| self.authorizations.get(id));
        let authorizations: Vec<Value> = authorizations.map(|it| self.show_authorization(it, true)).collect();
        let captures: Vec<&Capture> = unit.captures.iter().filter_map(|id| self.captures.get(id)).collect();
        let refunds = captures.iter().flat_map(|it| &it.refunds).filter_map(|id| self.refunds.get(id));
        let refunds: Vec<Value> = refunds.map(|it| self.show_refund(it, true)).collect();
        let captures: Vec<Value> = captures.into_iter().map(|it| self.show_capture(it, true)).collect();
        for (name, list) in [("authorizations", authorizations), ("captures", captures), ("refunds", refunds)] {
            if !list.is_empty() {
                shown["payments"][name] = json!(list);
            }
        }
        shown
    }

    /// An authorization.
    pub(super) fn show_authorization(&self, it: &Authorization, is_full: bool) -> Value {
        let at = format!("{}/v2/payments/authorizations/{}", self.base, it.id);
        let mut links = vec![link(at.clone(), "self", "GET")];
        if matches!(it.status, AuthorizationStatus::Created | AuthorizationStatus::PartiallyCaptured) {
            for action in ["capture", "void", "reauthorize"] {
                links.push(link(format!("{at}/{action}"), action, "POST"));
            }
        }
        links.push(link(format!("{}/v2/checkout/orders/{}", self.base, it.order), "up", "GET"));
        let mut shown = json!({"id": it.id, "status": it.status, "links": links});
        if !is_full {
            return shown;
        }
        shown["amount"] = it.amount.show();
        shown["seller_protection"] = protection();
        shown["expiration_time"] = json!(seconds(it.expires));
        shown["create_time"] = json!(seconds(it.created));
        shown["update_time"] = json!(seconds(it.updated));
        shown["supplementary_data"] = json!({"related_ids": {"order_id": it.order}});
        if let Some(unit) = self.orders.get(&it.order).and_then(|order| order.units.get(it.unit)) {
            shown["payee"] = json!(unit.payee);
            references(&mut shown, unit.invoice_id.as_ref(), unit.custom_id.as_ref());
        }
        shown
    }

    /// A capture.
    pub(super) fn show_capture(&self, it: &Capture, is_full: bool) -> Value {
        let at = format!("{}/v2/payments/captures/{}", self.base, it.id);
        let up = it.authorization.as_ref().map_or_else(
            || format!("{}/v2/checkout/orders/{}", self.base, it.order),
            |id| format!("{}/v2/payments/authorizations/{id}", self.base),
        );
        let links =
            [link(at.clone(), "self", "GET"), link(format!("{at}/refund"), "refund", "POST"), link(up, "up", "GET")];
        let mut shown = json!({"id": it.id, "status": it.status(), "links": links});
        if !is_full {
            return shown;
        }
        let fees: i64 = it.platform_fees.iter().map(|fee| fee.amount.minor).sum();
        shown["amount"] = it.amount.show();
        shown["final_capture"] = json!(it.is_final);
        shown["seller_protection"] = protection();
        shown["seller_receivable_breakdown"] = json!({
            "gross_amount": it.amount.show(),
            "paypal_fee": it.amount.of(it.paypal_fee).show(),
            "net_amount": it.amount.of(it.amount.minor - it.paypal_fee - fees).show(),
        });
        if !it.platform_fees.is_empty() {
            shown["seller_receivable_breakdown"]["platform_fees"] = show_fees(&it.platform_fees);
        }
        shown["create_time"] = json!(seconds(it.created));
        shown["update_time"] = json!(seconds(it.updated));
        shown["payee"] = json!(it.payee);
        shown["supplementary_data"] = json!({"related_ids": {"order_id": it.order}});
        if let Some(id) = &it.authorization {
            shown["supplementary_data"]["related_ids"]["authorization_id"] = json!(id);
        }
        references(&mut shown, it.invoice_id.as_ref(), it.custom_id.as_ref());
        shown
    }

    /// A refund, or a reversal.
    pub(super) fn show_refund(&self, it: &Refund, is_full: bool) -> Value {
        let up = format!("{}/v2/payments/captures/{}", self.base, it.capture);
        let links =
            [link(format!("{}/v2/payments/refunds/{}", self.base, it.id), "self", "GET"), link(up, "up", "GET")];
        let mut shown = json!({"id": it.id, "status": "COMPLETED", "links": links});
        if !is_full {
            return shown;
        }
        let fees: i64 = it.platform_fees.iter().map(|fee| fee.amount.minor).sum();
        let of = |minor: i64| Amount::show(it.amount.of(minor));
        shown["amount"] = it.amount.show();
        shown["seller_payable_breakdown"] = json!({
            "gross_amount": it.amount.show(),
            "paypal_fee": of(0),
            "net_amount": of(it.amount.minor - fees),
            "total_refunded_amount": of(it.total_refunded),
        });
        if !it.platform_fees.is_empty() {
            shown["seller_payable_breakdown"]["platform_fees"] = show_fees(&it.platform_fees);
        }
        shown["create_time"] = json!(seconds(it.created));
        shown["update_time"] = json!(seconds(it.created));
        if let Some(note) = &it.note_to_payer {
            shown["note_to_payer"] = json!(note);
        }
        references(&mut shown, it.invoice_id.as_ref(), it.custom_id.as_ref());
        shown
    }
}

fn show_fees(fees: &[PlatformFee]) -> Value {
    let show = |fee: &PlatformFee| {
        let mut shown = json!({"amount": fee.amount.show()});
        if let Some(payee) = &fee.payee {
            shown["payee"] = json!(payee);
        }
        shown
    };
    fees.iter().map(show).collect()
}

fn references(shown: &mut Value, invoice: Option<&String>, custom: Option<&String>) {
    for (name, value) in [("invoice_id", invoice), ("custom_id", custom)] {
        if let Some(value) = value {
            shown[name] = json!(value);
        }
    }
}

fn protection() -> Value {
    json!({"status": "ELIGIBLE", "dispute_categories": ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"]})
}
