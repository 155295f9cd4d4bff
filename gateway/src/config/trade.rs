//! The settings of trading: when money is captured, how long goods come back, who sells, who takes payments and parcels, and what
//! is asked of staff.

use byteshop_commands::ports::connected::Provider;
use byteshop_commands::ports::paypal::account::Account;
use byteshop_commands::ports::paypal::{Paypal, PaypalMistake};
use byteshop_commands::{Connected, PayoutRules};
use byteshop_domain::issuer::Issuer;
use byteshop_domain::payout_file::Debtor;
use byteshop_domain::text::Holder;
use chrono::TimeDelta;

use super::reader::Reader;
use super::settings::Config;
use crate::staff::StaffRules;
use crate::trade::{Trade, label_lines};

impl Config {
    /// The payment providers and carriers that the shop is connected to.
    ///
    /// # Errors
    /// When HTTPS cannot be had on this machine.
    pub fn connected(&self) -> Result<Connected, PaypalMistake> {
        let is_wanted = self.payment_provider.contains(&Provider::Paypal);
        let account = self.paypal_account().filter(|_| is_wanted);
        Ok(Connected {
            providers: self.payment_provider.clone(),
            paypal: account.map(Paypal::new).transpose()?,
            carriers: self.carrier.clone(),
        })
    }

    /// What operators must know about it.
    pub(super) fn connected_warnings(&self) -> Vec<String> {
        self.connected().map_or_else(|mistake| vec![mistake.to_string()], |connected| connected.warnings())
    }

    /// The account at PayPal, if all of its settings are there; a shop that names PayPal without them has been refused.
    fn paypal_account(&self) -> Option<Account> {
        Some(Account {
            url: self.paypal_url.clone(),
            client_id: self.paypal_client_id.clone()?,
            client_secret: self.paypal_client_secret.clone()?,
            merchant_id: self.paypal_merchant_id.clone()?,
            partner_id: self.paypal_partner_id.clone(),
            webhook_id: self.paypal_webhook_id.clone()?,
            webhook_roots: self.paypal_webhook_roots.clone(),
        })
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
            payouts: self.payouts(),
            file_max: usize::try_from(self.file_max_mib).map_or(usize::MAX, |mib| mib << 20),
            issuer,
        }
    }

    /// When and how sellers are paid.
    fn payouts(&self) -> PayoutRules {
        let holder = self.payout_holder.clone().or_else(|| Holder::new(&self.seller_name).ok());
        let debtor = self.payout_iban.clone().zip(holder).map(|(iban, name)| Debtor { name, iban });
        PayoutRules {
            hold: TimeDelta::days(self.payout_hold_days.unwrap_or(self.return_window_days)),
            reserve_percent: self.payout_reserve_percent,
            reserve_for: TimeDelta::days(self.payout_reserve_days),
            minimum: self.payout_minimum,
            destination_delay: TimeDelta::hours(self.payout_destination_hours),
            debtor,
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

impl Reader {
    /// Records what a shop lacks that is connected to PayPal.
    pub(super) fn check_paypal(&mut self) {
        let Some(providers) = self.shown("payment_provider") else { return };
        let name = Provider::Paypal.as_str();
        if !providers.split(',').any(|provider| provider.trim() == name) {
            return;
        }
        for needed in ["paypal_client_id", "paypal_client_secret", "paypal_merchant_id", "paypal_webhook_id"] {
            if !self.is_given(needed) {
                self.lacking(needed, "must be set, as payment_provider names paypal");
            }
        }
        let is_dev = self.is_in_development();
        if !is_dev && !self.is_given("api_url") {
            self.lacking("api_url", "must be set, as PayPal sends buyers back to it");
        }
        if !is_dev && self.shown("paypal_url").is_some_and(|url| !url.starts_with("https://")) {
            self.lacking("paypal_url", "must begin with https://, as it gets the secret of the account");
        }
    }
}
