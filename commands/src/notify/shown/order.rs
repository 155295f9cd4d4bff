//! An order as a message shows it.

use byteshop_domain::Locale;
use byteshop_domain::ids::{Id as _, OrderId};
use byteshop_domain::money::Money;
use byteshop_domain::order::{Line, Number, Placed, Placement, ReturnLine};
use byteshop_domain::quantity::Demand;

use crate::notify::format;
use crate::notify::words::{ShownExtra, ShownGoods, ShownLine, ShownOrder};

/// Lines of an order that a message shows; a wholesaler's order has hundreds.
const LINES_SHOWN: usize = 30;

/// An order as a message shows it.
pub(super) fn order_of(id: OrderId, placed: &Placed, zone: format::Zone, locale: Locale) -> ShownOrder {
    let placement = &placed.placement;
    let free = placement.total.amount == 0;
    let lines = placement.lines.iter().take(LINES_SHOWN).map(|line| ShownLine {
        title: line.title.to_string(),
        quantity: line.quantity.get(),
        unit_price: format::money(line.unit_price.money(), locale),
        amount: format::money(line.amount, locale),
    });
    ShownOrder {
        number: Number::of(id.uuid()).to_string(),
        lines: lines.collect(),
        more: placement.lines.len().saturating_sub(LINES_SHOWN),
        extras: extras(placement, locale),
        total: format::money(placement.total, locale),
        pay_by: placed.pay_by().filter(|_| !free).map(|at| format::moment(at, zone, locale)),
        free,
        travels: placement.lines.iter().any(Line::travels),
        keys: placement.lines.iter().any(|line| line.keys),
        gift_cards: placement.lines.iter().filter(|line| line.keys).all(|line| line.gift_cards),
        downloads: placement.lines.iter().any(|line| line.downloads),
    }
}

/// The same order with nothing but these of its lines, and the sum of them.
pub(super) fn lines_of(
    order: ShownOrder,
    placed: &Placed,
    lines: &[ReturnLine],
    sum: Money,
    locale: Locale,
) -> ShownOrder {
    let shown = lines.iter().take(LINES_SHOWN).filter_map(|line| {
        let bought = placed.placement.lines.iter().find(|bought| bought.variant == line.variant)?;
        Some(ShownLine {
            title: bought.title.to_string(),
            quantity: line.quantity.get(),
            unit_price: format::money(bought.unit_price.money(), locale),
            amount: format::money(line.amount, locale),
        })
    });
    ShownOrder {
        lines: shown.collect(),
        more: lines.len().saturating_sub(LINES_SHOWN),
        extras: Vec::new(),
        total: format::money(sum, locale),
        ..order
    }
}

/// The discounts and charges besides the lines; those of zero are left out.
fn extras(placement: &Placement, locale: Locale) -> Vec<ShownExtra> {
    let zero = Money::zero(placement.total.currency);
    let discount = placement.discount().unwrap_or(zero);
    let taxes = placement.lines.iter().filter_map(|line| line.tax.as_ref());
    let mut taxes = taxes.chain(placement.shippings().filter_map(|shipping| shipping.tax.as_ref()));
    let tax_kind = if taxes.all(|tax| tax.included) { "tax_included" } else { "tax" };
    [
        ("discount", zero.minus(discount).unwrap_or(zero)),
        ("shipping", placement.shipping_price()),
        (tax_kind, placement.tax().unwrap_or(zero)),
    ]
    .into_iter()
    .filter(|(_, amount)| amount.amount != 0)
    .map(|(kind, amount)| ShownExtra { kind, amount: format::money(amount, locale) })
    .collect()
}

/// The given lines of an order, as a message shows them.
pub(super) fn goods_of(some: &[Demand], placed: &Placed) -> Vec<ShownGoods> {
    let title = |demand: &Demand| {
        let line = placed.placement.lines.iter().find(|line| line.variant == demand.variant)?;
        Some(ShownGoods { title: line.title.to_string(), quantity: demand.quantity.get() })
    };
    some.iter().filter_map(title).take(LINES_SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_the_sum_is_shown() {
        let forms = byteshop_domain::catalogue();
        let priced = forms.iter().find(|form| form.event_type == "placed" && form.example.get("discounts").is_some());
        let placement: Placement = serde_json::from_value(priced.unwrap().example.clone()).unwrap();
        let shown: Vec<_> = extras(&placement, Locale::En).into_iter().map(|it| (it.kind, it.amount)).collect();
        let expected = [("discount", "−€2.90"), ("shipping", "€4.90"), ("tax", "€4.06")];
        assert_eq!(shown, expected.map(|(kind, amount)| (kind, amount.to_owned())));
    }
}
