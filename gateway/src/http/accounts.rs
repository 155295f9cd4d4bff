//! Accounts as those who run the shop see them: found, banned, given a role, closed.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::accounts;
use byteshop_commands::use_cases::accounts::grants::{self, Revoke, Standing};
use byteshop_commands::{Error, Loaded, Unit};
use byteshop_domain::Subject;
use byteshop_domain::account::{Account, Role};
use byteshop_domain::ids::AccountId;
use byteshop_domain::text::{Email, Name, Phone, Reason, fresh, search_form};
use byteshop_projections::account_list::{self, AccountList, Status};
use byteshop_projections::page::Ask as PageAsk;
use byteshop_projections::{Page, View as _};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::show::{PageOf, account as show};
use crate::app::Shared;
use crate::edge::actor::{Admin, Staff};
use crate::edge::ask::{Ask, Nothing, Of, Params};
use crate::edge::lists;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::values::Limit;
use crate::queries::accounts::{Owner, owners};

/// Rows that are opened for one search at most: names are sealed, so each has to be looked at.
const SCAN_MAX: u32 = 2_000;
/// Longest text that is searched for.
const QUERY_MAX: usize = 254;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "chargebacks"}))]
struct BanOf {
    /// A reason for the record.
    reason: Option<Reason>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "support"}))]
struct RoleOf {
    /// The role.
    role: Role,
}

/// Whether to revoke the account's grants to programs.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RevokeQuery {
    /// Whether to revoke the API keys and webhook endpoints that the account created. By default they stay valid, and the response
    /// lists them.
    #[serde(default)]
    revoke: bool,
}

/// Which accounts are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// A whole e-mail address, or part of an address or a name. Names are encrypted, so a search by part scans some
    /// thousands of accounts at a time: a page may hold few items or none, and `next` continues the search.
    q: Option<String>,
    /// The role.
    role: Option<Role>,
    /// The state of the account.
    status: Option<Status>,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// A page of the list.
type AccountPage = PageOf<account_list::Row>;

/// Lists accounts, newest first.
#[utoipa::path(get, path = "/v1/admin/accounts", operation_id = "listAccounts",
    tag = "admin", params(ListQuery),
    security(("bearer" = ["staff"]), ("api_key" = ["customers:read"])),
    responses((status = 200, description = "A page of accounts", body = AccountPage)))]
async fn list(
    State(app): State<Shared>,
    _staff: Staff,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ask = lists::ask(query.limit, query.cursor);
    let words = query.q.as_deref().map(str::trim).filter(|words| !words.is_empty());
    if words.is_some_and(|words| words.len() > QUERY_MAX || words.contains('\0')) {
        return Err(Problem::query("q", format!("`q` can have at most {QUERY_MAX} bytes")));
    }
    app.await_views(&[AccountList::NAME], &headers).await?;
    let wanted = account_list::Query { role: query.role, status: query.status, account: None, ask };
    match words {
        None => Ok(reply::json(app.views.account_list(&wanted).await?.json())),
        Some(words) => match fresh(|| words.parse::<Email>()) {
            Ok(email) => by_address(&app, &email, wanted).await,
            Err(_) => search(&app, &search_form(words), wanted).await,
        },
    }
}

/// The account that has exactly this address.
async fn by_address(app: &Shared, email: &Email, wanted: account_list::Query) -> Result<Response, Problem> {
    let name = app.commands.email_name(email).await?;
    match app.commands.account_named(&name).await? {
        Some(account) => {
            let wanted = account_list::Query { account: Some(account), ..wanted };
            Ok(reply::json(app.views.account_list(&wanted).await?.json()))
        }
        None => Ok(reply::json(Page::<account_list::Row>::empty(AccountList::NAME).json())),
    }
}

/// Looks through the accounts, page by page, until some fit.
async fn search(app: &Shared, words: &str, mut wanted: account_list::Query) -> Result<Response, Problem> {
    let each = wanted.ask.limit.unwrap_or(byteshop_projections::page::LIMIT).max(1);
    let mut looked_at = 0;
    loop {
        let mut page = app.views.account_list(&wanted).await?;
        let owners = owners(app.commands.vault(), &page).await.map_err(Error::from)?;
        looked_at += each;
        page.retain(owners.iter().map(|owner| fits(owner, words)));
        if !page.texts().is_empty() || page.next.is_none() || looked_at >= SCAN_MAX {
            let mut response = reply::json(page.json());
            response.extensions_mut().insert(reply::Personal);
            return Ok(response);
        }
        wanted.ask = PageAsk { cursor: page.next, ..wanted.ask };
    }
}

fn fits(owner: &Owner, words: &str) -> bool {
    let email = owner.email.as_ref().map(Email::as_str);
    let texts = [email, owner.name().map(Name::as_str), owner.phone().map(Phone::as_str)];
    texts.into_iter().flatten().any(|text| search_form(text).contains(words))
}

/// One account.
#[utoipa::path(get, path = "/v1/admin/accounts/{id}", operation_id = "getAccount",
    tag = "admin", params(("id" = String, Path), Then),
    security(("bearer" = ["staff"]), ("api_key" = ["customers:read"])),
    responses((status = 200, description = "The account", body = show::Account)))]
async fn one(
    State(app): State<Shared>,
    Of(id): Of<AccountId>,
    then: Then,
    _staff: Staff,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.snapshot::<Account>(id, &then, &headers).await?;
    reply::one(found.version, &show::Account::of(id, found.state.live()?))
}

/// Bans an account and ends all its sessions.
///
/// The response lists the API keys and webhook endpoints that the account created; `revoke` revokes them. Requires
/// re-authentication within the last ten minutes.
#[utoipa::path(post, path = "/v1/admin/accounts/{id}/ban", operation_id = "banAccount",
    tag = "admin", params(("id" = String, Path), RevokeQuery), request_body = BanOf, security(("bearer" = ["admin"])),
    responses((status = 200, description = "The account, with its grants", body = show::AccountWithGrants)))]
async fn ban(
    State(app): State<Shared>,
    Of(id): Of<AccountId>,
    Params(RevokeQuery { revoke }): Params<RevokeQuery>,
    ask: Ask<Admin, BanOf>,
) -> Result<Response, Problem> {
    let (app, who, reason) = (&app, &ask.who.0, &ask.body.reason);
    app.run(&ask, "account.ban", |unit| async move {
        app.require_fresh(&unit, who).await?;
        let mut account = unit.load_matching::<Account>(id).await?;
        let grants = grants::ban(&unit, &mut account, reason.clone(), Revoke::when(revoke)).await?;
        with_grants(&account, grants, revoke)
    })
    .await
}

/// Lifts the ban of an account.
///
/// Requires re-authentication within the last ten minutes.
#[utoipa::path(post, path = "/v1/admin/accounts/{id}/unban", operation_id = "unbanAccount",
    tag = "admin", params(("id" = String, Path)),
    security(("bearer" = ["admin"])), responses((status = 200, description = "The account", body = show::Account)))]
async fn unban(
    State(app): State<Shared>,
    Of(id): Of<AccountId>,
    ask: Ask<Admin, Nothing>,
) -> Result<Response, Problem> {
    let (app, who) = (&app, &ask.who.0);
    app.run(&ask, "account.unban", |unit| async move {
        app.require_fresh(&unit, who).await?;
        let mut account = unit.load_matching::<Account>(id).await?;
        grants::unban(&unit, &mut account)?;
        shown(&account)
    })
    .await
}

/// Sets an account's role and ends all its sessions.
///
/// For every role but admin the response lists the API keys and webhook endpoints that the account created; `revoke` revokes them.
/// Requires re-authentication within the last ten minutes.
#[utoipa::path(post, path = "/v1/admin/accounts/{id}/roles", operation_id = "setAccountRole",
    tag = "admin", params(("id" = String, Path), RevokeQuery), request_body = RoleOf, security(("bearer" = ["admin"])),
    responses((status = 200, description = "The account, with its grants", body = show::AccountWithGrants)))]
async fn set_role(
    State(app): State<Shared>,
    Of(id): Of<AccountId>,
    Params(RevokeQuery { revoke }): Params<RevokeQuery>,
    ask: Ask<Admin, RoleOf>,
) -> Result<Response, Problem> {
    let (app, who, role) = (&app, &ask.who.0, ask.body.role);
    app.run(&ask, "account.set_role", |unit| async move {
        app.require_fresh(&unit, who).await?;
        let mut account = unit.load_matching::<Account>(id).await?;
        let grants = grants::change_role(&unit, &mut account, role, Revoke::when(revoke)).await?;
        with_grants(&account, grants, revoke)
    })
    .await
}

/// How an account is closed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EraseQuery {
    /// Erase even if orders are paid and not delivered, or payments are disputed. Orders of which nothing is packed are cancelled and
    /// refunded; the others continue without a readable address. Evidence for disputes is lost.
    #[serde(default)]
    force: bool,
    /// Whether to revoke the API keys and webhook endpoints that the account created. By default they stay valid, and the response
    /// lists them.
    #[serde(default)]
    revoke: bool,
}

/// Closes an account and erases its owner's personal data.
///
/// For owners who requested erasure. Unpaid orders are cancelled. The request is refused (409) while an order is paid and not
/// delivered, or a payment is disputed, unless `force` is true. The response lists the API keys and webhook endpoints that the account created; `revoke`
/// revokes them. Requires re-authentication within the last ten minutes.
#[utoipa::path(delete, path = "/v1/admin/accounts/{id}", operation_id = "eraseAccount",
    tag = "admin", params(("id" = String, Path), EraseQuery), security(("bearer" = ["admin"])),
    responses((status = 200, description = "The account is closed and its personal data erased", body = show::Grants),
        (status = 409, description = "Orders are paid for and not delivered, or payments are disputed")))]
async fn erase(
    State(app): State<Shared>,
    Of(id): Of<AccountId>,
    Params(EraseQuery { force, revoke }): Params<EraseQuery>,
    ask: Ask<Admin, Nothing>,
) -> Result<Response, Problem> {
    let (app, who) = (&app, &ask.who.0);
    let answer = app
        .run(&ask, "account.erase", |unit| async move {
            app.require_fresh(&unit, who).await?;
            let mut account = load(&unit, id).await?;
            let unfinished = accounts::erase(&unit, &mut account, force, Revoke::when(revoke)).await?;
            Reply::told(&show::Grants::of(unfinished.grants, revoke))
        })
        .await?;
    app.commands.vault().erase(Subject::from(id)).await.map_err(Error::from)?;
    Ok(answer)
}

async fn load(unit: &Unit, id: AccountId) -> Result<Loaded<Account>, Error> {
    let account = unit.load_matching::<Account>(id).await?;
    account.state.live()?;
    Ok(account)
}

/// An account, and what programs may do because of it.
fn with_grants(account: &Loaded<Account>, grants: Vec<Standing>, revoked: bool) -> Result<Reply, Error> {
    let shown = show::Account::of(account.id, account.state.live()?);
    Reply::ok(account.version, &show::AccountWithGrants::of(shown, grants, revoked))
}

fn shown(account: &Loaded<Account>) -> Result<Reply, Error> {
    Reply::ok(account.version, &show::Account::of(account.id, account.state.live()?))
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one, erase))
        .routes(routes!(ban))
        .routes(routes!(unban))
        .routes(routes!(set_role))
}
