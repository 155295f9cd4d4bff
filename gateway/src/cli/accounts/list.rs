//! `byteshop accounts`: who has an account, with the ids that other commands take.

use byteshop_domain::account::Role;
use byteshop_eventstore::Vault;
use byteshop_projections::Views;
use byteshop_projections::account_list::{Query, Row, Status};
use byteshop_projections::page::Ask;
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::cli::failure::Failure;
use crate::cli::output::{self, FormatArg};
use crate::cli::running::Shop;
use crate::cli::storage::{self, NEEDED};
use crate::config::Config;
use crate::queries::accounts::{Owner, owners};

/// The roles that staff has.
const STAFF: [Role; 2] = [Role::Admin, Role::Support];

/// Which accounts, and how to print them.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ListArgs {
    /// Only staff: the roles admin and support
    #[arg(long)]
    staff: bool,
    /// Show names and e-mail addresses, which needs the data key of the shop
    #[arg(long)]
    reveal: bool,
    /// At most this many accounts of a role, the newest first
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    #[command(flatten)]
    format: FormatArg,
}

/// An account in one line.
#[derive(Debug, Serialize)]
struct Line {
    id: String,
    role: Role,
    status: Status,
    registered_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

pub(in crate::cli) async fn list(config: &Config, args: ListArgs) -> Result<(), Failure> {
    let log = Shop::find(config)?.log(config)?;
    let vault = if args.reveal {
        let keys = storage::known(config)?.ok_or_else(|| Failure::refused(NEEDED))?;
        Some(Vault::new(log.clone(), keys))
    } else {
        None
    };
    let views = Views::beside(log);
    let roles: Vec<Option<Role>> = if args.staff { STAFF.map(Some).to_vec() } else { vec![None] };
    let mut lines = Vec::new();
    for role in roles {
        lines.extend(of_role(&views, vault.as_ref(), role, args.limit).await?);
    }
    Ok(output::list(args.format.chosen(), &lines, |lines| {
        let mut header = vec!["account", "role", "status", "registered (UTC)"];
        if args.reveal {
            header.extend(["name", "e-mail address"]);
        }
        let mut table = output::table_of(&header);
        for line in lines {
            table.add_row(cells(line, args.reveal));
        }
        table
    })?)
}

async fn of_role(views: &Views, vault: Option<&Vault>, role: Option<Role>, limit: u32) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::new();
    let mut cursor = None;
    loop {
        let left = limit.saturating_sub(u32::try_from(lines.len()).unwrap_or(u32::MAX));
        if left == 0 {
            return Ok(lines);
        }
        let query = Query { role, ask: Ask { limit: Some(left), cursor, ..Ask::default() }, ..Query::default() };
        let page = views.account_list(&query).await?;
        let revealed = match vault {
            Some(vault) => owners(vault, &page).await?,
            None => Vec::new(),
        };
        let mut revealed = revealed.iter();
        lines.extend(page.rows()?.iter().map(|row| Line::of(row, revealed.next())));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(lines);
        }
    }
}

impl Line {
    fn of(row: &Row, owner: Option<&Owner>) -> Self {
        Self {
            id: row.id.to_string(),
            role: row.role,
            status: row.status,
            registered_at: row.registered_at,
            name: owner.and_then(Owner::name).map(ToString::to_string),
            email: owner.and_then(|owner| owner.email.as_ref()).map(ToString::to_string),
        }
    }
}

fn cells(line: &Line, revealed: bool) -> Vec<String> {
    let registered = line.registered_at.format("%Y-%m-%d %H:%M:%S").to_string();
    let mut cells = vec![line.id.clone(), line.role.as_str().to_owned(), line.status.as_str().to_owned(), registered];
    if revealed {
        cells.extend([line.name.clone().unwrap_or_default(), line.email.clone().unwrap_or_default()]);
    }
    cells
}
