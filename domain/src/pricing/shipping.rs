//! The shipping services of an order, with their prices and delivery times.

use chrono::{DateTime, Datelike as _, Days as Later, NaiveDate, Utc, Weekday};

use super::input::{Input, Item, Whereto};
use super::{LineTax, Problem, Shipping};
use crate::Currency;
use crate::ids::SellerId;
use crate::money::{Money, MoneyError, Price};
use crate::product::TaxClass;
use crate::shipping_book::{Days, Service, ShippingBook, Zone};
use crate::text::Slug;

/// A service that ships an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice<'a> {
    /// The zone of the destination.
    pub zone: &'a Zone,
    /// The service.
    pub service: &'a Service,
    /// The price before discounts.
    pub price: Price,
    /// The weight of the order.
    pub weight_g: u64,
    /// The tax class.
    pub tax_class: TaxClass,
}

impl Choice<'_> {
    pub(super) fn frozen(&self, left: Money, tax: Option<LineTax>) -> Result<Shipping, MoneyError> {
        Ok(Shipping {
            zone: self.zone.zone.clone(),
            service: self.service.service.clone(),
            name: self.service.name.clone(),
            carrier: self.service.carrier.clone(),
            weight_g: self.weight_g,
            days: self.service.days,
            price: self.price,
            discount: self.price.money().minus(left)?,
            tax,
        })
    }
}

/// The total weight of the items that are shipped.
pub fn weight_g<'a>(items: impl IntoIterator<Item = &'a Item>) -> u64 {
    let of = |item: &Item| u64::from(item.weight_g.unwrap_or(0)).saturating_mul(item.quantity.get().unsigned_abs());
    items.into_iter().filter(|item| item.physical).fold(0, |sum, item| sum.saturating_add(of(item)))
}

/// The services that ship this weight to a destination, the cheapest first. The subtotal decides whether one is free.
pub fn choices<'a>(
    book: &'a ShippingBook,
    to: Whereto<'_>,
    weight_g: u64,
    currency: Currency,
    subtotal: Money,
) -> Vec<Choice<'a>> {
    let Some(zone) = book.zone(to.country, to.area) else { return Vec::new() };
    let choice = |service: &'a Service| {
        let price = service.price(weight_g, currency)?;
        let free =
            service.free_over.iter().any(|from| from.currency() == currency && from.money().amount <= subtotal.amount);
        let price = if free { Price::new(Money::zero(currency)).ok()? } else { price };
        Some(Choice { zone, service, price, weight_g, tax_class: service.tax_class })
    };
    let mut choices: Vec<_> = zone.services.iter().filter_map(choice).collect();
    choices.sort_by_key(|choice| (choice.price.money().amount, choice.service.days.max));
    choices
}

/// The service that was chosen for the goods that the house ships, if there are any and the service is available. They are those of
/// the house, and of sellers that have no prices of their own.
pub(super) fn choose<'a>(
    input: &'a Input<'_>,
    amounts: &[Money],
    problems: &mut Vec<Problem>,
) -> Result<Option<Choice<'a>>, MoneyError> {
    let Some(to) = input.destination else { return Ok(None) };
    let Some(goods) = Goods::of(input, amounts, None)?.filter(|_| !input.shipping.zones.is_empty()) else {
        return Ok(None);
    };
    let choices = choices(input.shipping, to, goods.weight_g, input.currency, goods.subtotal);
    if choices.is_empty() {
        problems.push(Problem::NoShipping { country: to.country.clone(), seller: None });
        return Ok(None);
    }
    let Some(service) = input.service else {
        problems.push(Problem::ShippingNotChosen {});
        return Ok(None);
    };
    let chosen = choices.into_iter().find(|choice| choice.service.service == *service);
    if chosen.is_none() {
        problems.push(Problem::ShippingGone { service: service.clone(), seller: None });
    }
    Ok(chosen)
}

/// The services that ship the goods of sellers with prices of their own: those that the buyer chose; otherwise those of the same name as
/// for the rest of the order, or else the cheapest.
pub(super) fn choose_of_sellers<'a>(
    input: &'a Input<'_>,
    amounts: &[Money],
    problems: &mut Vec<Problem>,
) -> Result<Vec<(SellerId, Choice<'a>)>, MoneyError> {
    let mut all = Vec::new();
    let Some(to) = input.destination else { return Ok(all) };
    for rates in &input.sellers {
        let Some(goods) = Goods::of(input, amounts, Some(rates.seller))? else { continue };
        let choices = choices(rates.book, to, goods.weight_g, input.currency, goods.subtotal);
        let named = |wanted: &Slug| choices.iter().find(|choice| choice.service.service == *wanted);
        let chosen = match rates.service {
            Some(wanted) => named(wanted),
            None => input.service.and_then(named).or(choices.first()),
        };
        let seller = Some(rates.seller);
        match (chosen, rates.service) {
            (Some(chosen), _) => all.push((rates.seller, chosen.clone())),
            (None, Some(wanted)) if !choices.is_empty() => {
                problems.push(Problem::ShippingGone { service: wanted.clone(), seller });
            }
            (None, _) => problems.push(Problem::NoShipping { country: to.country.clone(), seller }),
        }
    }
    Ok(all)
}

/// Goods that are shipped at the prices of one book.
struct Goods {
    weight_g: u64,
    /// What all items at these prices cost, with those that are not shipped.
    subtotal: Money,
}

impl Goods {
    /// Those of a seller with prices of its own, or else of all others; none if nothing of them is shipped.
    fn of(input: &Input<'_>, amounts: &[Money], seller: Option<SellerId>) -> Result<Option<Self>, MoneyError> {
        let is_of = |item: &Item| input.rates_of(item).map(|rates| rates.seller) == seller;
        let items: Vec<&Item> = input.items.iter().filter(|item| is_of(item)).collect();
        if !items.iter().any(|item| item.physical) {
            return Ok(None);
        }
        let of = input.items.iter().zip(amounts).filter(|(item, _)| is_of(item)).map(|(_, amount)| *amount);
        Ok(Some(Self { weight_g: weight_g(items), subtotal: Money::sum(input.currency, of)? }))
    }
}

/// The first and the last day of delivery for a shipment at this time. Weekends do not count.
pub fn arrival(at: DateTime<Utc>, days: Days) -> (NaiveDate, NaiveDate) {
    let working_day = |mut day: NaiveDate| {
        while is_weekend(day) {
            day = day + Later::new(1);
        }
        day
    };
    let sent = working_day(at.date_naive());
    let after = |days: u16| (0..days).fold(sent, |day, _| working_day(day + Later::new(1)));
    (after(days.min), after(days.max))
}

fn is_weekend(day: NaiveDate) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_carried_on_weekends() {
        let from = |day: &str, min, max| {
            let at = format!("{day}T12:00:00Z").parse().unwrap();
            let (first, last) = arrival(at, Days { min, max });
            format!("{first} {last}")
        };
        // 2026-01-01 is a Thursday.
        assert_eq!(from("2026-01-01", 0, 1), "2026-01-01 2026-01-02");
        assert_eq!(from("2026-01-01", 2, 3), "2026-01-05 2026-01-06");
        assert_eq!(from("2026-01-03", 0, 1), "2026-01-05 2026-01-06");
        assert_eq!(from("2026-01-02", 5, 10), "2026-01-09 2026-01-16");
    }
}
