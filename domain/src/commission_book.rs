//! The commission book: the rules by which the house charges sellers a commission, and the tax on it, in one stream.
//!
//! ```text
//! (empty) ──rule set, rule removed, tax set──▶ …
//! ```
//!
//! Each line of a seller has the commission of one rule: of those that apply to it, the most specific one.
//!
//! 1. A rule for a product is more specific than one for a category; a rule for a category than one for its parent; any of them than
//!    one for a seller; and that than one for a price band. Rules for the same things are compared by what else they name, in this
//!    order. Of equally specific rules the oldest one applies. A rule that names nothing applies where no other does.
//! 2. The commission of a line is the rate of its price, after discounts and without sales tax, rounded half-up, and the fixed amount
//!    for each piece; at least the minimum and at most the maximum of all pieces. With its tax it is never more than that price.
//! 3. It is frozen in the line when the order is placed, with the rule and the version of the book that set it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::commission::{AppliedRule, Commission, CommissionTax};
use crate::decider::{Asked, Decider};
use crate::ids::{CommissionBookId, Id as _};
use crate::money::MoneyError;
use crate::tax_rate::TaxRate;
use crate::text::Slug;

mod rejections;
mod rule;

pub use rejections::{AMOUNTS_MAX, RULES_MAX, Rejection};
pub use rule::{PriceBand, Rule, Sold};

/// The id of the one book.
pub fn id() -> CommissionBookId {
    CommissionBookId::from_uuid(uuid::Uuid::from_u128(1))
}

/// What happened to the commission book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A rule was set; this replaces the earlier rule of this name, and keeps its age.
    RuleSet(Rule),
    /// A rule was removed.
    RuleRemoved {
        /// The rule.
        rule: Slug,
    },
    /// The tax on commissions was set, for orders that are placed from now on.
    TaxSet {
        /// The rate, in millionths.
        tax_ppm: u32,
    },
}

impl crate::Event for Event {}

/// The commands of the commission book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Set all rules; they replace the earlier ones.
    Set {
        /// The rules, each once.
        rules: Vec<Rule>,
        /// The tax on commissions, in millionths; if absent, it stays as it is.
        tax_ppm: Option<u32>,
    },
}

/// A rule in the book.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Known {
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
    /// The version of the book that set it.
    pub version: i64,
    /// The version of the book that first set a rule of this name: of two rules the one with the lower number is the older one.
    pub since: i64,
}

/// The state of the commission book.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CommissionBook {
    /// The rules.
    pub rules: BTreeMap<Slug, Known>,
    /// The tax on commissions.
    pub tax: TaxRate,
    /// The number of its events.
    pub version: i64,
}

impl Decider for CommissionBook {
    const CATEGORY: &'static str = "commission_book";
    const SINGLETON: bool = true;
    type Id = CommissionBookId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Set { rules, tax_ppm } => {
                if rules.len() > RULES_MAX {
                    return Err(Rejection::TooMany);
                }
                let mut kept = BTreeSet::new();
                for (at, rule) in rules.iter().enumerate() {
                    rule.check(at)?;
                    if !kept.insert(&rule.rule) {
                        return Err(Rejection::RuleTwice { at });
                    }
                }
                let tax = tax_ppm.map(TaxRate::new).transpose().map_err(|_| Rejection::NoTax)?;
                let removed = self.rules.keys().filter(|known| !kept.contains(known));
                let removed = removed.map(|rule| Event::RuleRemoved { rule: rule.clone() });
                let is_known = |rule: &&Rule| self.rules.get(&rule.rule).is_some_and(|known| known.rule == **rule);
                let set = rules.iter().filter(|rule| !is_known(rule));
                let taxed = tax.filter(|tax| *tax != self.tax).map(|tax| Event::TaxSet { tax_ppm: tax.ppm() });
                Ok(removed.chain(set.cloned().map(Event::RuleSet)).chain(taxed).collect())
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        self.version += 1;
        match event {
            Event::RuleSet(rule) => {
                let version = self.version;
                let since = self.rules.get(&rule.rule).map_or(version, |known| known.since);
                self.rules.insert(rule.rule.clone(), Known { rule: rule.clone(), version, since });
            }
            Event::RuleRemoved { rule } => drop(self.rules.remove(rule)),
            // The decision checked it.
            Event::TaxSet { tax_ppm } => self.tax = TaxRate::new(*tax_ppm).unwrap_or(self.tax),
        }
        self
    }
}

impl CommissionBook {
    /// Whether a rule names a category, so that the categories above products must be known.
    pub fn names_categories(&self) -> bool {
        self.rules.values().any(|known| known.rule.category.is_some())
    }

    /// The rule that applies: the most specific one; of several the oldest.
    pub fn rule(&self, sold: &Sold<'_>) -> Option<&Known> {
        let applying = self.rules.values().filter_map(|known| Some((known.rule.applies(sold)?, known)));
        // The oldest has the lowest number.
        applying.max_by_key(|(specificity, known)| (*specificity, -known.since)).map(|(_, known)| known)
    }

    /// The commission on what a seller sells.
    pub fn on(&self, sold: &Sold<'_>) -> Result<Commission, MoneyError> {
        let Some(Known { rule, version, .. }) = self.rule(sold) else {
            return Ok(Commission::none(sold.net.currency));
        };
        let charged = rule.amount(sold)?;
        let tax = self.tax.of(charged)?;
        let (amount, tax) = if charged.plus(tax)?.amount > sold.net.amount {
            let tax = self.tax.within(sold.net)?;
            (sold.net.minus(tax)?, tax)
        } else {
            (charged, tax)
        };
        let tax = Some(CommissionTax { rate: self.tax, amount: tax }).filter(|tax| tax.rate != TaxRate::ZERO);
        Ok(Commission { amount, tax, rule: Some(AppliedRule { rule: rule.rule.clone(), version: *version }) })
    }
}

#[cfg(test)]
mod tests;
