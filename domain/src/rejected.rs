//! A rejection without the type of its aggregate: what the caller is told, now or when the request is repeated.

use serde::{Deserialize, Serialize};

use crate::decider::{Decider, Kind, Rejection};

/// A rejection with its type erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The stable code, such as `order.already_paid`.
    pub code: String,
    /// The kind.
    #[serde(with = "kind")]
    pub kind: Kind,
    /// The reason, in words.
    pub detail: String,
    /// The field of the request at fault, as a JSON pointer, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

impl Rejected {
    /// The rejection of an aggregate.
    pub fn of<A: Decider>(rejection: &A::Rejection) -> Self {
        Self::named(A::CATEGORY, rejection)
    }

    /// A rejection in a category that is not of its aggregate.
    pub fn named(category: &str, rejection: &impl Rejection) -> Self {
        Self {
            code: format!("{category}.{}", rejection.code()),
            kind: rejection.kind(),
            detail: rejection.to_string(),
            pointer: rejection.pointer(),
        }
    }

    /// Whether this is a rejection of an aggregate: of the same code, whatever the fields say.
    ///
    /// ```
    /// use byteshop_domain::order::{Order, Rejection};
    /// use byteshop_domain::rejected::Rejected;
    ///
    /// let rejected = Rejected::from(Rejection::Cancelled);
    /// assert!(rejected.is::<Order>(&Rejection::Cancelled) && !rejected.is::<Order>(&Rejection::NotPaid));
    /// ```
    pub fn is<A: Decider>(&self, rejection: &A::Rejection) -> bool {
        let code = self.code.strip_prefix(A::CATEGORY).and_then(|rest| rest.strip_prefix('.'));
        code == Some(rejection.code())
    }

    /// The thing does not exist, or not for this actor.
    pub fn missing(category: &str) -> Self {
        Self {
            code: format!("{category}.missing"),
            kind: Kind::Missing,
            detail: format!("there is no such {}", category.replace('_', " ")),
            pointer: None,
        }
    }
}

/// `Kind` by its name, for receipts.
mod kind {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::decider::Kind;

    const NAMES: [(Kind, &str); 4] = [
        (Kind::Missing, "missing"),
        (Kind::Conflict, "conflict"),
        (Kind::Invalid, "invalid"),
        (Kind::Forbidden, "forbidden"),
    ];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub fn serialize<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
        let name = NAMES.iter().find(|(known, _)| known == kind).map_or("invalid", |(_, name)| name);
        serializer.serialize_str(name)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let found = NAMES.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind);
        found.ok_or_else(|| D::Error::custom("not a kind of rejection"))
    }
}
