//! Filters by attributes that can only be a slip: with them nothing would ever be found.

use byteshop_domain::category::AttributeType;

use super::index::Index;

/// Characters of a name that are repeated: no attribute has more.
const NAMED_MAX: usize = byteshop_domain::text::ATTRIBUTE_NAME_MAX;

/// The reason why a filter cannot match, in words; none if it may.
pub(super) fn of(index: &Index, name: &str, wanted: &str) -> Option<String> {
    let types = index.attribute_types(name);
    if types.is_empty() {
        let name: String = name.chars().take(NAMED_MAX).collect();
        return Some(format!("no category or product has the attribute {name:?}"));
    }
    // Where one name means several things, a text may be one of them.
    let all = |wanted: AttributeType| types.iter().all(|known| *known == wanted);
    if all(AttributeType::Number) {
        return not_a_number(wanted).map(|what| format!("must be {what}"));
    }
    let truth = wanted == "true" || wanted == "false";
    (all(AttributeType::Boolean) && !truth).then(|| "must be true or false".to_owned())
}

/// The expected form of a number, if the text is not one.
fn not_a_number(wanted: &str) -> Option<&'static str> {
    match between(wanted) {
        Some((Some(min), Some(max))) if min > max => Some("a range whose second number is at least the first"),
        Some(_) => None,
        None if wanted.parse::<i64>().is_ok() => None,
        None => Some("a whole number, or a range such as 100..200, 100.. or ..200"),
    }
}

/// The bounds of a range of numbers, one of which may be left out.
pub(super) fn between(text: &str) -> Option<(Option<i64>, Option<i64>)> {
    let (min, max) = text.split_once("..")?;
    let bound = |text: &str| if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) };
    bound(min).zip(bound(max)).filter(|bounds| *bounds != (None, None))
}

#[cfg(test)]
mod tests {
    use super::not_a_number;

    #[test]
    fn numbers_and_ranges_in_order_are_no_slips() {
        for fine in ["0", "-5", "1..1", "1..2", "-5..-1", "1..", "..1"] {
            assert_eq!(not_a_number(fine), None, "{fine}");
        }
        for wrong in ["", "x", "1.5", "..", "1..x", "2..1", "1...2", "99999999999999999999", "1e3", "1,5", " 1"] {
            assert!(not_a_number(wrong).is_some(), "{wrong}");
        }
    }
}
