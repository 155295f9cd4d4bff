//! How many products each choice would leave: for every filter, counted as if nothing were chosen in it yet.

use std::collections::{BTreeMap, HashMap};

use byteshop_domain::category::{AttributeDefinition, AttributeType};
use byteshop_domain::ids::CategoryId;
use byteshop_domain::product::AttributeValue;
use byteshop_domain::text::{AttributeName, Label, Name, Slug, Unit, nfc};
use byteshop_domain::{Currency, Locale};
use roaring::RoaringBitmap;
use serde::Serialize;

use super::index::Index;
use super::query::Query;
use super::slip::between;

/// Most attributes that are counted: more filters than a page has room for.
const ATTRIBUTES_MAX: usize = 30;
/// Most values of an attribute that are listed, the most frequent ones.
const VALUES_MAX: usize = 100;
/// Most ranges of prices.
const RANGES_MAX: usize = 7;

/// A filter, of which several values may be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Group {
    Categories,
    Attribute(String),
    Price,
    InStock,
}

/// The products that are asked for, filter by filter.
#[derive(Debug)]
pub(super) struct Selection<'a> {
    index: &'a Index,
    base: RoaringBitmap,
    groups: Vec<(Group, RoaringBitmap)>,
}

/// The number of products per value; a filter's own selection does not affect its counts.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Facets {
    /// Only categories with products in them or their descendants.
    pub categories: Vec<CategoryFacet>,
    /// The attributes that can be filtered by.
    pub attributes: Vec<AttributeFacet>,
    /// The prices, if a currency is known.
    pub price: Option<PriceFacet>,
    /// Products in stock.
    pub in_stock: u64,
}

/// A category, and the number of products in it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CategoryFacet {
    /// Its id.
    pub id: CategoryId,
    /// The name.
    pub name: Name,
    /// The slug.
    pub slug: Slug,
    /// The nearest category above it that is in this list; null if there is none.
    pub parent: Option<CategoryId>,
    /// The number of products in it and its descendants.
    pub count: u64,
}

/// An attribute, and the number of products per value of it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttributeFacet {
    /// The name.
    pub name: AttributeName,
    /// The type of the attribute.
    pub r#type: AttributeType,
    /// The unit of its numbers, if any.
    pub unit: Option<Unit>,
    /// The label by language.
    pub labels: BTreeMap<Locale, Label>,
    /// The smallest value of a number; null otherwise.
    pub min: Option<i64>,
    /// The largest value of a number; null otherwise.
    pub max: Option<i64>,
    /// The most frequent values.
    pub values: Vec<ValueFacet>,
}

/// A value, and the number of products that have it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ValueFacet {
    /// A string, an integer or a boolean.
    pub value: AttributeValue,
    /// The number of products that have it.
    pub count: u64,
}

/// The range of the prices in a currency, and the number of products in parts of it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceFacet {
    /// ISO 4217 currency code.
    pub currency: Currency,
    /// The lowest price, in minor units.
    pub min: i64,
    /// The highest price, in minor units.
    pub max: i64,
    /// The parts of the range.
    pub ranges: Vec<PriceRangeFacet>,
}

/// The bounds, in the form that `price_min` and `price_max` accept; counts products with a variant priced within them.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceRangeFacet {
    /// Null for the lowest range.
    pub min: Option<i64>,
    /// Null for the highest range.
    pub max: Option<i64>,
    /// The number of products.
    pub count: u64,
}

impl<'a> Selection<'a> {
    /// The sets of products that the filters of a query select.
    pub fn of(index: &'a Index, query: &Query, base: RoaringBitmap, currency: Option<Currency>) -> Self {
        let mut groups = Vec::new();
        if !query.categories.is_empty() {
            let below = index.tree.below(&query.categories);
            let sets = below.into_iter().filter_map(|category| index.in_category(category));
            groups.push((Group::Categories, union(sets)));
        }
        let mut wanted: BTreeMap<&str, RoaringBitmap> = BTreeMap::new();
        for (name, value) in &query.attributes {
            *wanted.entry(name).or_default() |= with_value(index, name, value);
        }
        groups.extend(wanted.into_iter().map(|(name, set)| (Group::Attribute(name.to_owned()), set)));
        if query.price_min.is_some() || query.price_max.is_some() {
            groups.push((Group::Price, priced(index, &base, currency, query.price_min, query.price_max)));
        }
        if query.in_stock {
            groups.push((Group::InStock, index.in_stock().clone()));
        }
        Self { index, base, groups }
    }

    /// The products that are asked for.
    pub fn all(&self) -> RoaringBitmap {
        self.all_but(None)
    }

    fn all_but(&self, left_out: Option<&Group>) -> RoaringBitmap {
        let mut all = self.base.clone();
        for (group, set) in &self.groups {
            if Some(group) != left_out {
                all &= set;
            }
        }
        all
    }

    /// The counts of every filter.
    pub fn facets(&self, chosen: &[CategoryId], currency: Option<Currency>) -> Facets {
        Facets {
            categories: self.categories(),
            attributes: self.attributes(chosen),
            price: currency.and_then(|currency| self.prices(currency)),
            in_stock: self.all_but(Some(&Group::InStock)).intersection_len(self.index.in_stock()),
        }
    }

    /// Each category with what is in it or below it.
    fn categories(&self) -> Vec<CategoryFacet> {
        let all = self.all_but(Some(&Group::Categories));
        let rows = self.index.tree.in_order();
        let mut counts: HashMap<CategoryId, u64> = HashMap::new();
        for row in &rows {
            let count = self.index.in_category(row.id).map_or(0, |set| set.intersection_len(&all));
            if count > 0 {
                for above in self.index.tree.above(row.id) {
                    *counts.entry(above.id).or_default() += count;
                }
            }
        }
        let facet = |row: &&crate::category_list::Row| {
            let count = *counts.get(&row.id)?;
            // A closed category is not listed: what is below it stands under the next one above that is open.
            let parent = self.index.tree.above(row.id).into_iter().skip(1).find(|above| !above.archived);
            let parent = parent.map(|above| above.id);
            Some(CategoryFacet { id: row.id, name: row.name.clone(), slug: row.slug.clone(), parent, count })
        };
        rows.iter().filter(|row| !row.archived).filter_map(facet).collect()
    }

    fn attributes(&self, chosen: &[CategoryId]) -> Vec<AttributeFacet> {
        let every = self.all();
        let facet = |definition: &AttributeDefinition| {
            let group = Group::Attribute(definition.name.as_str().to_owned());
            let is_chosen = self.groups.iter().any(|(known, _)| *known == group);
            let facet = if is_chosen {
                self.attribute(definition, &self.all_but(Some(&group)))
            } else {
                self.attribute(definition, &every)
            };
            facet.filter(|facet| !facet.values.is_empty())
        };
        self.index.tree.filterable(chosen).into_iter().filter_map(facet).take(ATTRIBUTES_MAX).collect()
    }

    fn attribute(&self, definition: &AttributeDefinition, all: &RoaringBitmap) -> Option<AttributeFacet> {
        let counted = self.index.values(&definition.name)?.iter();
        let counted = counted.map(|(value, set)| (value, set.intersection_len(all)));
        let mut values: Vec<(&AttributeValue, u64)> = counted.filter(|(_, count)| *count > 0).collect();
        let numbers = || values.iter().filter_map(|(value, _)| number(value));
        let (min, max) = (numbers().min(), numbers().max());
        // The values are in their own order here, which is the one that numbers keep.
        match definition.r#type {
            AttributeType::Number => {}
            AttributeType::Choice => values.sort_by_key(|(value, _)| {
                definition.values.iter().position(|known| matches!(value, AttributeValue::Text(it) if it == known))
            }),
            AttributeType::Text | AttributeType::Boolean => {
                values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            }
        }
        let values = values.into_iter().take(VALUES_MAX);
        Some(AttributeFacet {
            name: definition.name.clone(),
            r#type: definition.r#type,
            unit: definition.unit.clone(),
            labels: definition.labels.clone().into_inner(),
            min,
            max,
            values: values.map(|(value, count)| ValueFacet { value: value.clone(), count }).collect(),
        })
    }

    fn prices(&self, currency: Currency) -> Option<PriceFacet> {
        let all = self.all_but(Some(&Group::Price));
        let amounts: Vec<&[i64]> = all.iter().map(|number| self.index.entry(number).keys.amounts(currency)).collect();
        let min = *amounts.iter().filter_map(|it| it.first()).min()?;
        let max = *amounts.iter().filter_map(|it| it.last()).max()?;
        let bounds = bounds(min, max);
        let lower = std::iter::once(None).chain(bounds.iter().copied().map(Some));
        let upper = bounds.iter().map(|bound| Some(bound - 1)).chain([None]);
        let range = |(min, max): (Option<i64>, Option<i64>)| {
            let count = amounts.iter().filter(|amounts| has_between(amounts, min, max)).count() as u64;
            PriceRangeFacet { min, max, count }
        };
        Some(PriceFacet { currency, min, max, ranges: lower.zip(upper).map(range).collect() })
    }
}

/// Whether one of some amounts, the lowest first, is at least and at most so much.
fn has_between(amounts: &[i64], min: Option<i64>, max: Option<i64>) -> bool {
    let first = amounts.partition_point(|amount| min.is_some_and(|min| *amount < min));
    amounts.get(first).is_some_and(|amount| max.is_none_or(|max| *amount <= max))
}

/// Round prices between two, not too many: 1, 2, 5, 10, 20, 50 and so on.
fn bounds(min: i64, max: i64) -> Vec<i64> {
    let powers = (0..17).map(|power| 10i64.pow(power));
    let round: Vec<i64> = powers.flat_map(|power| [power, 2 * power, 5 * power]).collect();
    let inside: Vec<i64> = round.into_iter().filter(|bound| *bound > min && *bound <= max).collect();
    let step = inside.len().div_ceil(RANGES_MAX - 1).max(1);
    inside.into_iter().step_by(step).collect()
}

fn union<'a>(sets: impl Iterator<Item = &'a RoaringBitmap>) -> RoaringBitmap {
    sets.fold(RoaringBitmap::new(), |all, set| all | set)
}

fn priced(
    index: &Index,
    among: &RoaringBitmap,
    currency: Option<Currency>,
    min: Option<i64>,
    max: Option<i64>,
) -> RoaringBitmap {
    let Some(currency) = currency else { return RoaringBitmap::new() };
    let inside = |number: &u32| has_between(index.entry(*number).keys.amounts(currency), min, max);
    among.iter().filter(inside).collect()
}

/// The products with a value of an attribute, or with a number between two, as in `100..200`. Values are compared in one form.
fn with_value(index: &Index, name: &str, wanted: &str) -> RoaringBitmap {
    let wanted = &*nfc(wanted);
    let Some(values) = AttributeName::new(name).ok().and_then(|name| index.values(&name)) else {
        return RoaringBitmap::new();
    };
    let between = between(wanted);
    let fits = |value: &AttributeValue| {
        let inside = |(min, max): (Option<i64>, Option<i64>)| {
            number(value).is_some_and(|number| has_between(&[number], min, max))
        };
        value.to_string() == wanted || between.is_some_and(inside)
    };
    // One text is looked up; numbers and the two truths are few.
    match Label::new(wanted).map(AttributeValue::Text) {
        Ok(text) if between.is_none() && values.contains_key(&text) => values[&text].clone(),
        Ok(_) | Err(_) => union(values.iter().filter(|(value, _)| fits(value)).map(|(_, set)| set)),
    }
}

fn number(value: &AttributeValue) -> Option<i64> {
    match value {
        AttributeValue::Integer(number) => Some(*number),
        AttributeValue::Text(_) | AttributeValue::Boolean(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_prices_are_round_and_few() {
        assert_eq!(bounds(990, 9900), [1000, 2000, 5000]);
        assert_eq!(bounds(100, 100), Vec::<i64>::new());
        assert_eq!(bounds(0, 1_000_000).len(), 5);
        assert!(bounds(0, i64::MAX / 100).len() < RANGES_MAX);
    }

    #[test]
    fn an_amount_of_its_own_is_between() {
        let amounts = [1000, 4000];
        for (min, max, expected) in [
            (Some(2000), Some(3000), false),
            (Some(1000), Some(1000), true),
            (Some(3000), None, true),
            (Some(4001), None, false),
            (None, Some(999), false),
            (None, None, true),
        ] {
            assert_eq!(has_between(&amounts, min, max), expected, "{min:?}..{max:?}");
        }
        assert!(!has_between(&[], None, None));
    }

    #[test]
    fn a_range_has_a_bound_at_least() {
        assert_eq!(between("100..200"), Some((Some(100), Some(200))));
        assert_eq!(between("..200"), Some((None, Some(200))));
        assert_eq!(between("-5.."), Some((Some(-5), None)));
        for text in ["..", "a..b", "100", ""] {
            assert_eq!(between(text), None, "{text}");
        }
    }
}
