//! Reading the amounts, accounts and fees of a request, which has passed its document already.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::amount::Amount;
use super::fault::{Fault, Outcome, amount_issue};
use super::records::{Payee, PlatformFee};

/// An amount that may be zero.
pub(super) fn amount(body: &Value, field: &str, is_order: bool) -> Outcome<Amount> {
    let part = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let read = Amount::parse(part("currency_code"), part("value"));
    let amount = read.map_err(|wrong| Fault::at(amount_issue(wrong, is_order), field).value(part("value")))?;
    if amount.minor < 0 {
        let issue = if is_order { "CANNOT_BE_NEGATIVE" } else { "CANNOT_BE_ZERO_OR_NEGATIVE" };
        return Err(Fault::at(issue, field).value(part("value")));
    }
    Ok(amount)
}

/// An amount above zero.
pub(super) fn positive(body: &Value, field: &str, is_order: bool) -> Outcome<Amount> {
    let amount = amount(body, field, is_order)?;
    if amount.minor == 0 {
        return Err(Fault::at("CANNOT_BE_ZERO_OR_NEGATIVE", field).value(&amount.value()));
    }
    Ok(amount)
}

/// The account of a body.
pub(super) fn payee(body: Option<&Value>) -> Option<Payee> {
    body.and_then(|body| serde_json::from_value(body.clone()).ok())
}

/// The account that a platform names in a token (PayPal's reference, "PayPal-Auth-Assertion").
pub(super) fn asserted(token: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims.get("payer_id").and_then(Value::as_str).map(str::to_owned)
}

/// The fees of the platform in `payment_instruction`, none of which is in another currency or more than `most` in all.
pub(super) fn platform_fees(body: &Value, most: Amount, issue: &str, is_order: bool) -> Outcome<Vec<PlatformFee>> {
    let pointer = "/payment_instruction/platform_fees";
    let listed = body.pointer(pointer).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut fees = Vec::new();
    let mut sum = 0;
    for (index, fee) in listed.iter().enumerate() {
        let field = format!("{pointer}/{index}/amount");
        let amount = positive(&fee["amount"], &field, is_order)?;
        sum += amount.minor;
        if !amount.is_same_currency(most) || sum > most.minor {
            return Err(Fault::at(issue, &field).value(&amount.value()));
        }
        fees.push(PlatformFee { amount, payee: payee(fee.get("payee")) });
    }
    Ok(fees)
}
