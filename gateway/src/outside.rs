//! The carriers of messages, by the configuration.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use byteshop_commands::notify::outside::Outside;
use byteshop_commands::notify::words::ShopDetails;
use byteshop_commands::ports::http_message::HttpCarrier;
use byteshop_commands::ports::message::{Carrier, Message, Taken, Undelivered};
use byteshop_commands::ports::smtp::Smtp;
use byteshop_eventstore::Log;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use crate::config::{OutsideConfig, ProviderConfig};

/// A channel without a carrier: its messages wait, and finally become dead.
struct NotConfigured(&'static str);

impl Carrier for NotConfigured {
    fn send<'a>(&'a self, _message: &'a Message) -> BoxFuture<'a, Result<Taken, Undelivered>> {
        ready(Err(Undelivered::NotNow(format!("{} is not configured", self.0)))).boxed()
    }
}

/// Assigns a carrier to each channel. In development, messages without a carrier are stored, and links lead to the
/// address where this process serves. Only a process that `sends` warns about missing settings.
pub fn outside(
    config: &OutsideConfig,
    (dev, sends): (bool, bool),
    here: Option<SocketAddr>,
    log: &Log,
) -> Result<Outside> {
    let kept = Outside::kept(log);
    if let Some(warning) = config.warning().filter(|_| sends && !dev) {
        tracing::warn!("{warning}");
    }
    let mail: Box<dyn Carrier> = match &config.smtp {
        Some(settings) => Box::new(Smtp::new(settings.clone()).context("cannot use the mail server")?),
        None if dev => kept.mail,
        None => Box::new(NotConfigured("smtp_host")),
    };
    let api = config.api_url.clone().or_else(|| here.filter(|_| dev).map(|here| format!("http://{here}")));
    Ok(Outside {
        mail,
        sms: provider(config.sms.as_ref(), "sms_url", dev.then_some(kept.sms))?,
        push: provider(config.push.as_ref(), "push_url", dev.then_some(kept.push))?,
        details: ShopDetails {
            name: config.name.clone(),
            url: config.url.clone(),
            api,
            return_address: vec![],
            zone: config.zone,
        },
        staff: config.staff.clone(),
    })
}

fn provider(
    config: Option<&ProviderConfig>,
    name: &'static str,
    kept: Option<Box<dyn Carrier>>,
) -> Result<Box<dyn Carrier>> {
    match (config, kept) {
        (Some(config), _) => {
            let carrier = HttpCarrier::new(&config.url, &config.secret);
            Ok(Box::new(carrier.with_context(|| format!("{name} cannot be used"))?))
        }
        (None, Some(kept)) => Ok(kept),
        (None, None) => Ok(Box::new(NotConfigured(name))),
    }
}
