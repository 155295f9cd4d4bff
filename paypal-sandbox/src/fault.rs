//! Errors as PayPal answers them.

use serde_json::{Value, json};

use super::amount::Wrong as WrongAmount;
use super::operation::Operation;
use super::schema::{self, Breach, Wrong};

/// The message of version 2 for status 400.
const NOT_WELL_FORMED: &str = "Request is not well-formed, syntactically incorrect, or violates schema.";
/// The message of version 2 for status 401.
const NOT_AUTHENTICATED: &str =
    "Authentication failed due to missing authorization header, or invalid authentication credentials.";
/// The message of version 2 for status 403.
const NOT_AUTHORIZED: &str = "Authorization failed due to insufficient permissions.";
/// The message of version 2 for status 422.
const NOT_PERFORMED: &str =
    "The requested action could not be performed, semantically incorrect, or failed business validation.";
/// An issue that every operation of version 2 with a body may answer.
const ANY_ISSUE: &str = "INVALID_PARAMETER_SYNTAX";

/// A response: a status and perhaps a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The body.
    pub body: Option<Value>,
}

impl Answer {
    /// A response with a body.
    pub(super) fn new(status: u16, body: Value) -> Self {
        Self { status, body: Some(body) }
    }

    /// A response without a body.
    pub(super) fn empty(status: u16) -> Self {
        Self { status, body: None }
    }

    /// Whether the request was carried out.
    pub(super) fn is_success(&self) -> bool {
        self.status < 300
    }
}

/// What is wrong at one place of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Detail {
    issue: String,
    field: Option<String>,
    value: Option<String>,
    location: &'static str,
}

/// An error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    status: u16,
    name: &'static str,
    message: &'static str,
    details: Vec<Detail>,
    /// Where to continue: the relation, the address and the method.
    link: Option<(&'static str, String, &'static str)>,
}

/// What an operation gives.
pub(super) type Outcome<T = Answer> = Result<T, Fault>;

impl Fault {
    /// An error without details.
    pub(super) fn new(status: u16, name: &'static str, message: &'static str) -> Self {
        Self { status, name, message, details: Vec::new(), link: None }
    }

    /// A request of version 2 that breaks a rule of the business.
    pub(super) fn unprocessable(issue: &str) -> Self {
        Self::new(422, "UNPROCESSABLE_ENTITY", NOT_PERFORMED).with(issue, None, "body")
    }

    /// The same with the place of the fault, as a JSON pointer.
    pub(super) fn at(issue: &str, field: &str) -> Self {
        Self::new(422, "UNPROCESSABLE_ENTITY", NOT_PERFORMED).with(issue, Some(field), "body")
    }

    /// A request of version 2 without the form that its document asks for.
    pub(super) fn invalid(issue: &str, field: &str) -> Self {
        Self::new(400, "INVALID_REQUEST", NOT_WELL_FORMED).with(issue, Some(field), "body")
    }

    /// An id of version 2 that does not exist.
    pub(super) fn missing() -> Self {
        Self::new(404, "RESOURCE_NOT_FOUND", "The specified resource does not exist.").with(
            "INVALID_RESOURCE_ID",
            None,
            "path",
        )
    }

    /// An id of version 1 that does not exist.
    pub(super) fn missing_v1() -> Self {
        Self::new(404, "INVALID_RESOURCE_ID", "Requested resource ID was not found.")
    }

    /// A request of version 1 that is wrong at one place.
    pub(super) fn invalid_v1(field: &str, issue: &str) -> Self {
        Self::new(400, "VALIDATION_ERROR", "Invalid request - see details").with(issue, Some(field), "body")
    }

    /// An id of the caller's own that is known already.
    pub(super) fn twice(field: &str, issue: &str) -> Self {
        Self::new(400, "USER_BUSINESS_ERROR", "User business error.").with(issue, Some(field), "body")
    }

    /// A request without a token that is in force.
    pub(super) fn unauthenticated() -> Self {
        Self::new(401, "AUTHENTICATION_FAILURE", NOT_AUTHENTICATED)
    }

    /// A request about the money of an account that the caller does not act for.
    pub(super) fn forbidden() -> Self {
        Self::new(403, "NOT_AUTHORIZED", NOT_AUTHORIZED).with("PERMISSION_DENIED", None, "body")
    }

    /// A request id that came with another request before.
    pub(super) fn conflict() -> Self {
        Self::new(409, "RESOURCE_CONFLICT", "The server has detected a conflict while processing this request.")
    }

    /// A body that is no JSON.
    pub(super) fn malformed(operation: Operation) -> Self {
        if operation.row().is_v2() {
            Self::faults_of(operation, "MALFORMED_REQUEST_JSON", "/")
        } else {
            Self::new(400, "MALFORMED_REQUEST", "The request JSON is not well formed.")
        }
    }

    /// The faults of a body that its document finds.
    pub(super) fn breaches(operation: Operation, breaches: &[Breach]) -> Self {
        let is_v2 = operation.row().is_v2();
        let mut fault = if is_v2 {
            Self::new(400, "INVALID_REQUEST", NOT_WELL_FORMED)
        } else {
            Self::new(400, "VALIDATION_ERROR", "Invalid request - see details")
        };
        for breach in breaches {
            fault = fault.with(issue(breach.wrong), Some(&breach.pointer), "body");
        }
        fault.allowed(operation)
    }

    fn faults_of(operation: Operation, issue: &str, field: &str) -> Self {
        Self::invalid(issue, field).allowed(operation)
    }

    /// With issues that the document lists for the operation.
    fn allowed(mut self, operation: Operation) -> Self {
        if operation.row().is_v2()
            && !schema::response(operation, self.status, self.answer("").body.as_ref()).is_empty()
        {
            self.details.iter_mut().for_each(|detail| ANY_ISSUE.clone_into(&mut detail.issue));
        }
        self
    }

    fn with(mut self, issue: &str, field: Option<&str>, location: &'static str) -> Self {
        let field = field.map(str::to_owned);
        self.details.push(Detail { issue: issue.to_owned(), field, value: None, location });
        self
    }

    /// With the value that was refused.
    pub(super) fn value(mut self, value: &str) -> Self {
        if let Some(detail) = self.details.last_mut() {
            detail.value = Some(value.to_owned());
        }
        self
    }

    /// With a link to where the caller continues.
    pub(super) fn link(mut self, rel: &'static str, href: String, method: &'static str) -> Self {
        self.link = Some((rel, href, method));
        self
    }

    /// The response.
    pub(super) fn answer(&self, debug_id: &str) -> Answer {
        let mut body = json!({"name": self.name, "message": self.message, "debug_id": debug_id});
        if !self.details.is_empty() {
            body["details"] = self.details.iter().map(shown).collect();
        }
        if let Some((rel, href, method)) = &self.link {
            body["links"] = json!([{"rel": rel, "href": href, "method": method}]);
        }
        Answer::new(self.status, body)
    }
}

fn shown(detail: &Detail) -> Value {
    let words = detail.issue.replace('_', " ").to_lowercase();
    let mut shown = json!({"issue": detail.issue, "description": words, "location": detail.location});
    if let Some(field) = &detail.field {
        shown["field"] = json!(field);
    }
    if let Some(value) = &detail.value {
        shown["value"] = json!(value);
    }
    shown
}

fn issue(wrong: Wrong) -> &'static str {
    match wrong {
        Wrong::Missing => "MISSING_REQUIRED_PARAMETER",
        Wrong::Type | Wrong::Form => "INVALID_PARAMETER_SYNTAX",
        Wrong::Value => "INVALID_PARAMETER_VALUE",
        Wrong::Length => "INVALID_STRING_LENGTH",
        Wrong::TooFew => "INVALID_ARRAY_MIN_ITEMS",
        Wrong::TooMany => "INVALID_ARRAY_MAX_ITEMS",
    }
}

/// The issue of an amount, as checkouts name it (`is_order`), or as payments do.
pub(super) fn amount_issue(wrong: WrongAmount, is_order: bool) -> &'static str {
    match wrong {
        WrongAmount::Currency => "INVALID_CURRENCY_CODE",
        WrongAmount::NoDecimals if !is_order => "DECIMALS_NOT_SUPPORTED",
        WrongAmount::Precision | WrongAmount::NoDecimals => "DECIMAL_PRECISION",
        WrongAmount::TooLarge if is_order => "MAX_VALUE_EXCEEDED",
        WrongAmount::Syntax | WrongAmount::TooLarge => "TRANSACTION_REFUSED",
    }
}
