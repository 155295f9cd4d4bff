//! Searching, filtering, counting and sorting products.

use byteshop_domain::Currency;
use byteshop_domain::ids::{CategoryId, SellerId};
use byteshop_domain::product::Status;
use serde::{Deserialize, Serialize};

use super::ProductList;
use crate::engine::View as _;
use crate::page::{Ask, List};

/// Which products may be seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// Published products.
    #[default]
    Published,
    /// All of them, which only staff may see.
    All,
    /// Only those, which only staff may see.
    Only(Status),
    /// Those of a status, or all, also of a seller that does not sell: what only the members of the seller may see.
    Own(Option<Status>),
}

impl Shown {
    /// All of them, by their names in requests.
    pub const NAMED: [(&'static str, Self); 5] = [
        ("draft", Self::Only(Status::Draft)),
        ("published", Self::Published),
        ("unpublished", Self::Only(Status::Unpublished)),
        ("archived", Self::Only(Status::Archived)),
        ("all", Self::All),
    ];
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The best match first; without words to match, the newest.
    Relevance,
    /// The newest first.
    Newest,
    /// The cheapest first; what has no price in the currency is left out.
    Price,
    /// The dearest first; what has no price in the currency is left out.
    PriceDesc,
    /// By title, ignoring case.
    Title,
}

/// Which products are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Query {
    /// Which may be seen.
    pub shown: Shown,
    /// Words of the title, the description, an attribute, an option or a SKU; `"…"` for phrases, `or` for alternatives, `-` before
    /// what is to be left out.
    pub q: Option<String>,
    /// Only in one of these categories or below it.
    pub categories: Vec<CategoryId>,
    /// Only of this seller.
    pub seller: Option<SellerId>,
    /// Only with a price in it, which is the one that is shown; without, prices are those of the currency that most have.
    pub currency: Option<Currency>,
    /// Only products with a variant whose price is at least this, in minor units, and at most `price_max`.
    pub price_min: Option<i64>,
    /// Only where a variant costs at most this, in minor units, and no less than `price_min`.
    pub price_max: Option<i64>,
    /// Only with one of these values of each attribute that is named: a text, or numbers as `100..200`.
    pub attributes: Vec<(String, String)>,
    /// Only where something can be had.
    pub in_stock: bool,
    /// In which order; the best match first when nothing is said.
    pub sort: Option<Sort>,
    /// Whether the counts of every filter are wanted.
    pub facets: bool,
    /// Which page.
    pub ask: Ask,
    /// Whether to include all changes of the views up to now.
    pub now: bool,
}

impl Shown {
    /// Whether rows are what everybody sees, and kept in memory.
    pub(super) fn is_public(self) -> bool {
        self == Self::Published
    }

    /// The status that it asks for; none for any.
    pub(super) fn status(self) -> Option<Status> {
        match self {
            Self::Published => Some(Status::Published),
            Self::All => None,
            Self::Only(status) => Some(status),
            Self::Own(status) => status,
        }
    }
}

impl Query {
    /// The order that is asked for, by name or by default.
    pub(super) fn order(&self) -> Sort {
        match (self.sort, &self.q) {
            (None | Some(Sort::Relevance), Some(_)) => Sort::Relevance,
            (None | Some(Sort::Relevance), None) => Sort::Newest,
            (Some(sort), _) => sort,
        }
    }

    /// Whether the answer is the same for all who ask while the index stays as it is.
    pub(super) fn is_shared(&self) -> bool {
        self.shown.is_public() && !self.now
    }

    /// Bytes in memory, about.
    pub(super) fn size(&self) -> usize {
        let Self { q, categories, attributes, ask, .. } = self;
        let attributes: usize = attributes.iter().map(|(name, value)| name.len() + value.len()).sum();
        let texts = [q, &ask.cursor].map(|text| text.as_ref().map_or(0, String::len)).iter().sum::<usize>();
        size_of::<Self>() + texts + attributes + size_of_val(categories.as_slice())
    }

    /// The identity of the list: all parameters but the page.
    pub(super) fn list(&self) -> List {
        let Self { shown, q, categories, currency, price_min, price_max, attributes, in_stock, sort: _, .. } = self;
        let filters = (shown, q, categories, currency, (price_min, price_max), attributes, in_stock, self.order());
        match &self.seller {
            Some(seller) => List::of(ProductList::NAME, &(filters, seller)),
            None => List::of(ProductList::NAME, &filters),
        }
    }
}
