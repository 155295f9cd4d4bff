//! The contract with users over HTTP: journeys, conventions, and every way in which a request can be wrong.

mod access;
mod accounts;
mod aftersales;
mod auth;
mod authorizations;
mod bounds;
mod closing;
mod contract;
mod conventions;
mod cors;
mod documents;
mod email;
mod ended;
mod errors;
mod guests;
mod journeys;
mod lost;
mod openapi;
mod order_filters;
mod ownership;
mod papers;
mod personal;
mod provider;
mod quotas;
mod returns;
mod texts;
