//! The options of a product, in which its variants differ; each combination exists once.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::rejections::{OPTION_VALUES_MAX, OPTIONS_MAX, Rejection, VARIANTS_MAX};
use crate::bounded::Bounded;
use crate::text::{AttributeName, Label};

/// The options of a variant, such as `size` = `M`, in the order in which its product declares them. Two are equal if they have
/// the same values in any order.
pub type Options = IndexMap<AttributeName, Label>;

/// An option of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OptionDefinition {
    /// The name, such as `size`.
    pub name: AttributeName,
    /// The values, in display order.
    #[cfg_attr(feature = "openapi", schema(default = json!({"x-schema": {"minItems": 1}})))]
    pub values: Bounded<Vec<Label>, { OPTION_VALUES_MAX }>,
}

/// All combinations of the values, the last option changing first; none if a product cannot have so many variants.
pub fn combinations(options: &[OptionDefinition]) -> Option<Vec<Options>> {
    let mut all = vec![Options::new()];
    for option in options {
        if all.len() * option.values.len() > VARIANTS_MAX {
            return None;
        }
        let with = |known: &Options, value: &Label| {
            let mut more = known.clone();
            more.insert(option.name.clone(), value.clone());
            more
        };
        all = all.iter().flat_map(|known| option.values.iter().map(move |value| with(known, value))).collect();
    }
    Some(all)
}

/// Puts a variant's options in the order in which its product declares them. Undeclared options come last, in their own order.
pub fn in_order(options: &mut Options, declared: &[OptionDefinition]) {
    let place = |name: &AttributeName| declared.iter().position(|it| it.name == *name).unwrap_or(declared.len());
    options.sort_by(|one, _, other, _| place(one).cmp(&place(other)));
}

pub(super) fn check(options: &[OptionDefinition]) -> Result<(), Rejection> {
    if options.len() > OPTIONS_MAX {
        return Err(Rejection::TooManyOptions);
    }
    let mut names = BTreeSet::new();
    for (at, option) in options.iter().enumerate() {
        if !names.insert(&option.name) {
            return Err(Rejection::OptionTwice { at });
        }
        let different = option.values.iter().collect::<BTreeSet<_>>().len();
        if different != option.values.len() || !(1..=OPTION_VALUES_MAX).contains(&different) {
            return Err(Rejection::OptionValues { at });
        }
    }
    Ok(())
}

/// Whether a variant has an allowed value of each option, and no other option.
pub(super) fn fits(defined: &[OptionDefinition], options: &Options) -> Result<(), Rejection> {
    if defined.is_empty() {
        return Ok(());
    }
    for (name, value) in options {
        let option = defined.iter().find(|option| option.name == *name);
        let option = option.ok_or_else(|| Rejection::OptionUnknown { name: name.clone() })?;
        if !option.values.contains(value) {
            return Err(Rejection::OptionValue { name: name.clone() });
        }
    }
    match defined.iter().find(|option| !options.contains_key(&option.name)) {
        Some(option) => Err(Rejection::OptionMissing { name: option.name.clone() }),
        None => Ok(()),
    }
}
