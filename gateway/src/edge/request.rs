//! The edge's data about a request: ids, address and caller.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use axum::extract::{ConnectInfo, Request};
use byteshop_domain::Actor;
use byteshop_eventstore::Clock;
use http::request::Parts;
use uuid::Uuid;

use super::headers::REQUEST_ID;
use crate::app::Shared;

/// The data about a request before its body is read. Clones share the caller.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    /// The id of the request, chosen by the shop, so that no two requests share one.
    pub(crate) request_id: Uuid,
    /// The id that the client gave it, to find it again in its own logs.
    pub(crate) client_request_id: Option<Uuid>,
    /// Where it comes from.
    pub(crate) address: IpAddr,
    asker: Arc<OnceLock<Asker>>,
}

/// The caller, by the credentials of the request.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    /// As the log names them.
    pub(crate) actor: Actor,
    /// Whether they count as staff on this route.
    pub(crate) is_staff: bool,
}

impl Edge {
    /// Reads what the edge needs to know.
    pub(super) fn read(app: &Shared, request: &Request) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        let address = app.limits.proxies().visitor(peer, request.headers());
        let given = request.headers().get(REQUEST_ID);
        let client_request_id = given.and_then(|value| Uuid::try_parse_ascii(value.as_bytes()).ok());
        Self { request_id: Clock.new_id(), client_request_id, address, asker: Arc::default() }
    }

    /// Reads the data from the head of a request.
    pub(crate) fn of(parts: &Parts) -> Self {
        parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self {
            request_id: Uuid::nil(),
            client_request_id: None,
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            asker: Arc::default(),
        })
    }

    /// Records the caller; only the first call counts.
    pub(crate) fn asked_by(&self, asker: Asker) {
        // A request whose credentials are read twice says the same twice.
        let _ = self.asker.set(asker);
    }

    /// Whether they are staff.
    pub(super) fn is_by_staff(&self) -> bool {
        self.asker().is_some_and(|asker| asker.is_staff)
    }

    /// The caller, if it was read.
    pub(super) fn asker(&self) -> Option<&Asker> {
        self.asker.get()
    }
}
