//! Queries of HTTP, gRPC and the command line, each in one place: each has a typed answer, which the caller presents.
//!
//! A handler reads its request, calls the query and writes the answer. A list is a page of a view
//! ([`Page`](byteshop_projections::Page)): HTTP sends its rows as they are stored, all other callers read them.

pub(crate) mod accounts;
pub(crate) mod catalog;
pub(crate) mod lines;
pub(crate) mod reconciliation;
pub(crate) mod reductions;
pub(crate) mod sellers;
