//! Every way into the shop, and the servers it runs on.

pub mod app;
pub mod cli;
pub mod config;
pub mod database;
pub mod disposable;
pub mod edge;
pub mod followers;
pub mod grpc;
pub mod health;
pub mod http;
pub mod lookup;
pub mod near;
pub mod operations;
pub mod operator;
pub mod outside;
pub mod pictures;
mod qr;
pub mod restored;
pub mod rotation;
pub mod router;
pub mod security;
pub mod serve;
pub mod servers;
pub mod shop;
pub mod staff;
pub mod telemetry;
pub mod trade;
