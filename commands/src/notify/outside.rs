//! The carriers of messages, and how many messages are sent at a time.

use byteshop_domain::account::Channel;
use byteshop_eventstore::Log;

use super::words::ShopDetails;
use crate::ports::kept::Kept;
use crate::ports::message::Carrier;

/// Messages of a process that leave at a time: as many as its process works on, so that none waits for a permit.
pub(crate) const LEAVING: u32 = 64;

/// The carriers of messages, and the details of the shop in them.
pub struct Outside {
    /// Mail.
    pub mail: Box<dyn Carrier>,
    /// Text messages.
    pub sms: Box<dyn Carrier>,
    /// Messages on the screens of phones.
    pub push: Box<dyn Carrier>,
    /// How the shop signs.
    pub details: ShopDetails,
    /// The address of staff, which is told what it has to answer.
    pub staff: Option<String>,
}

impl Outside {
    /// Sends nothing: every message is stored.
    pub fn kept(log: &Log) -> Self {
        let keep = |channel: Channel| Box::new(Kept::new(log.clone(), channel.as_str()));
        Self {
            mail: keep(Channel::Email),
            sms: keep(Channel::Sms),
            push: keep(Channel::Push),
            details: ShopDetails { name: "ByteShop".into(), ..ShopDetails::default() },
            staff: None,
        }
    }

    /// The carrier of a channel.
    pub(super) fn carrier(&self, channel: Channel) -> &dyn Carrier {
        match channel {
            Channel::Email => self.mail.as_ref(),
            Channel::Sms => self.sms.as_ref(),
            Channel::Push => self.push.as_ref(),
        }
    }
}
