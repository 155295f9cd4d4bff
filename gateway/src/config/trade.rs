//! The settings of trading: when money is captured, how long goods come back, who sells, who takes payments and parcels, and what
//! is asked of staff.

use byteshop_commands::Connected;
use byteshop_domain::issuer::Issuer;
use chrono::TimeDelta;

use super::settings::Config;
use crate::staff::StaffRules;
use crate::trade::{Trade, label_lines};

impl Config {
    /// The payment providers and carriers that the shop is connected to.
    pub fn connected(&self) -> Connected {
        Connected { providers: self.payment_provider.clone(), carriers: self.carrier.clone() }
    }

    /// How the shop trades.
    pub fn trade(&self) -> Trade {
        let issuer = Issuer {
            name: self.seller_name.clone(),
            address: self.seller_address.clone().unwrap_or_default(),
            tax_id: self.seller_tax_id.clone(),
        };
        Trade {
            capture: self.capture,
            return_window: TimeDelta::days(self.return_window_days),
            return_address: self.return_address.clone().unwrap_or_else(|| label_lines(&issuer)),
            cart_days: self.cart_days,
            unpaid_orders: self.unpaid_orders,
            issuer,
        }
    }

    /// The rules for staff.
    pub fn staff(&self) -> StaffRules {
        StaffRules {
            second_factor: self.staff_second_factor,
            session: TimeDelta::hours(i64::from(self.staff_session_hours)),
            large_refund: self.large_refund,
        }
    }
}
