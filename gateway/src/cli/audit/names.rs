//! The names of people beside the ids of their accounts, where personal data is shown.

use std::collections::{HashMap, HashSet};

use byteshop_domain::Actor;
use byteshop_domain::ids::AccountId;
use byteshop_eventstore::{Meta, Recorded};
use byteshop_projections::account_list::Query;

use super::desk::Desk;
use super::reveal::RevealArg;
use crate::cli::failure::Failure;
use crate::cli::storage::NEEDED;
use crate::queries::accounts::owners;

/// The names of accounts; none for an account without a visible name, as after an erasure.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<AccountId, Option<String>>);

impl Names {
    /// Looks up who acted in these events, unless that is known already.
    pub(super) async fn learn(&mut self, desk: &Desk, reveal: RevealArg, events: &[Recorded]) -> Result<(), Failure> {
        if !reveal.is_on() {
            return Ok(());
        }
        let acted: HashSet<AccountId> = events.iter().filter_map(|event| event.meta().ok()?.actor.account()).collect();
        let unknown: Vec<AccountId> = acted.into_iter().filter(|account| !self.0.contains_key(account)).collect();
        for account in unknown {
            let name = name_of(desk, account).await?;
            self.0.insert(account, name);
        }
        Ok(())
    }

    /// Whether no name is known, as where personal data is not shown.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of an actor, if it is known.
    pub(super) fn of(&self, actor: &Actor) -> Option<&str> {
        self.0.get(&actor.account()?)?.as_deref()
    }

    /// An actor for people: `admin acc_… (Ada Lovelace)`.
    pub(super) fn actor(&self, actor: &Actor) -> String {
        self.of(actor).map_or_else(|| actor.to_string(), |name| format!("{actor} ({name})"))
    }

    /// The actor; an event whose meta data this program cannot read is still shown.
    pub(super) fn who(&self, meta: Option<&Meta>) -> String {
        meta.map_or_else(|| "?".to_owned(), |meta| self.actor(&meta.actor))
    }
}

/// The name of an account's owner, or else its e-mail address.
async fn name_of(desk: &Desk, account: AccountId) -> Result<Option<String>, Failure> {
    let query = Query { account: Some(account), ..Query::default() };
    let page = desk.views.account_list(&query).await?;
    if page.texts().is_empty() {
        return Ok(None);
    }
    let vault = desk.vault.as_ref().ok_or_else(|| Failure::refused(NEEDED))?;
    let owner = owners(vault, &page).await?.into_iter().next();
    Ok(owner.and_then(|owner| {
        let name = owner.name().map(ToString::to_string);
        name.or_else(|| owner.email.as_ref().map(ToString::to_string))
    }))
}
