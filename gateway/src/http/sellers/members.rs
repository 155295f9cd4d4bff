//! The members of a seller, and the invitations that make them.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_commands::use_cases::accounts::code::Code;
use byteshop_commands::use_cases::sellers::{self, members};
use byteshop_domain::account::Account;
use byteshop_domain::ids::{AccountId, Id as _, InvitationId, SellerId};
use byteshop_domain::seller::{self, Known, Role};
use byteshop_domain::text::Email;
use byteshop_domain::{Locale, Personal};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::seen::{seen_by, sees_people};
use crate::app::Shared;
use crate::edge::actor::{Member, Trader};
use crate::edge::ask::{Ask, Nothing, Of, OfTwo};
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::http::auth::check_mailbox;
use crate::http::identity::CodeText;
use crate::http::show::seller::{self as show, SellerInvitation, SellerMember, SellerMembers, changed};
use crate::security::secret::random;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "bob@example.org", "role": "staff", "locale": "en"}))]
struct NewInvitation {
    /// The address that the mail goes to; only the account that has it can accept.
    email: Email,
    role: Role,
    /// The language of the mail; by default that of the caller.
    locale: Option<Locale>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "owner"}))]
struct RoleChange {
    role: Role,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "AZO1c3Jx9fQ0aW1lLXRvLXNlbGwtY29wcGVyLWtldHRsZXM"}))]
struct Acceptance {
    /// The code from the mail.
    code: CodeText,
}

/// Lists the members of a seller and its open invitations.
///
/// Only owners and staff see addresses and invitations.
#[utoipa::path(get, path = "/v1/sellers/{id}/members", operation_id = "listSellerMembers",
    tag = "sellers", params(("id" = String, Path)), security(("bearer" = ["member"])),
    responses((status = 200, description = "The members", body = SellerMembers)))]
async fn list(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    who: Trader,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = seen_by(&app, &who, id, &headers).await?;
    let known = found.state.live()?;
    let people = sees_people(&who, &found.state);
    let now = app.commands.clock().now();
    let open = known.invitations.iter().filter(|(_, it)| people && it.expires_at > now);
    let invitations = open.map(|(id, it)| SellerInvitation::of(*id, it)).collect();
    reply::one(found.version, &SellerMembers::of(shown(&app, known, people).await?, invitations))
}

/// The members, with the addresses of their accounts for those who may see them.
async fn shown(app: &Shared, known: &Known, with_addresses: bool) -> Result<Vec<SellerMember>, Error> {
    let ids: Vec<AccountId> = known.members.keys().copied().collect();
    let accounts = if with_addresses { app.commands.get_all::<Account>(&ids).await? } else { Vec::new() };
    let email = |at: usize| -> Option<Personal<Email>> {
        let account = accounts.get(at)?.as_ref()?;
        account.state.live().ok().map(|open| open.email.clone())
    };
    let member = |(at, (account, role)): (usize, (&AccountId, &Role))| SellerMember::of(*account, *role, email(at));
    Ok(known.members.iter().enumerate().map(member).collect())
}

/// Invites a person to become a member of a seller.
///
/// A mail with a code goes to the address. The invitation expires after seven days.
#[utoipa::path(post, path = "/v1/sellers/{id}/invitations", operation_id = "inviteSellerMember",
    tag = "sellers", params(("id" = String, Path)), request_body = NewInvitation, security(("bearer" = ["owner"])),
    responses((status = 201, description = "The invitation", body = SellerInvitation)))]
async fn invite(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    ask: Ask<Member, NewInvitation>,
) -> Result<Response, Problem> {
    check_mailbox(&app, &ask.body.email)?;
    let invite = &members::Invite {
        id: InvitationId::from_uuid(app.commands.clock().new_id()),
        email: ask.body.email.clone(),
        role: ask.body.role,
        code: Code(random()?),
        locale: ask.body.locale,
    };
    let by = ask.who.1;
    app.run(&ask, "seller.invite", |unit| async move {
        let mut seller = sellers::for_owner(&unit, id, by).await?;
        members::invite(&unit, &mut seller, by, invite).await?;
        let made = seller.state.live()?.invitations.get(&invite.id).ok_or(seller::Rejection::Missing)?;
        Reply::created(format!("/v1/sellers/{id}/members"), seller.version, &SellerInvitation::of(invite.id, made))
    })
    .await
}

/// Revokes an invitation of a seller.
#[utoipa::path(delete, path = "/v1/sellers/{id}/invitations/{invitation}", operation_id = "revokeSellerInvitation",
    tag = "sellers", params(("id" = String, Path), ("invitation" = String, Path)), security(("bearer" = ["owner"])),
    responses((status = 204, description = "The invitation is revoked")))]
async fn revoke(
    State(app): State<Shared>,
    OfTwo(id, invitation): OfTwo<SellerId, InvitationId>,
    ask: Ask<Member, Nothing>,
) -> Result<Response, Problem> {
    let by = ask.who.1;
    app.run(&ask, "seller.revoke_invitation", |unit| async move {
        let mut seller = sellers::for_owner(&unit, id, by).await?;
        members::revoke(&unit, &mut seller, invitation)?;
        Ok(Reply::gone(seller.version))
    })
    .await
}

/// Accepts the invitation of a seller.
///
/// The caller's e-mail address must be the one that the invitation was sent to.
#[utoipa::path(post, path = "/v1/me/sellers/accept", operation_id = "acceptSellerInvitation",
    tag = "sellers", request_body = Acceptance, security(("bearer" = [])),
    responses((status = 200, description = "The seller", body = show::Seller)))]
async fn accept(State(app): State<Shared>, ask: Ask<Member, Acceptance>) -> Result<Response, Problem> {
    let (account, code) = (ask.who.1, ask.body.code.as_str());
    app.run(&ask, "seller.accept_invitation", |unit| async move {
        let seller = members::accept(&unit, account, code).await?;
        Reply::ok(seller.version, &changed(&seller)?)
    })
    .await
}

/// Changes the role of a member of a seller.
///
/// The last owner keeps the role.
#[utoipa::path(put, path = "/v1/sellers/{id}/members/{account}", operation_id = "setSellerMemberRole",
    tag = "sellers", params(("id" = String, Path), ("account" = String, Path)), request_body = RoleChange,
    security(("bearer" = ["owner"])), responses((status = 204, description = "The member has the role")))]
async fn set_role(
    State(app): State<Shared>,
    OfTwo(id, account): OfTwo<SellerId, AccountId>,
    ask: Ask<Member, RoleChange>,
) -> Result<Response, Problem> {
    let (by, role) = (ask.who.1, ask.body.role);
    app.run(&ask, "seller.set_role", |unit| async move {
        let mut seller = sellers::for_owner(&unit, id, by).await?;
        members::set_role(&unit, &mut seller, account, role)?;
        Ok(Reply::gone(seller.version))
    })
    .await
}

/// Removes a member from a seller, or lets the caller leave it.
///
/// Owners remove any member, other members only themselves. The last owner stays.
#[utoipa::path(delete, path = "/v1/sellers/{id}/members/{account}", operation_id = "removeSellerMember",
    tag = "sellers", params(("id" = String, Path), ("account" = String, Path)), security(("bearer" = ["owner"])),
    responses((status = 204, description = "The account is no longer a member")))]
async fn remove(
    State(app): State<Shared>,
    OfTwo(id, account): OfTwo<SellerId, AccountId>,
    ask: Ask<Member, Nothing>,
) -> Result<Response, Problem> {
    let by = ask.who.1;
    app.run(&ask, "seller.remove_member", |unit| async move {
        let mut seller = if by == account {
            sellers::for_member_matching(&unit, id, by).await?
        } else {
            sellers::for_owner(&unit, id, by).await?
        };
        members::remove(&unit, &mut seller, account).await?;
        Ok(Reply::gone(seller.version))
    })
    .await
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(invite))
        .routes(routes!(revoke))
        .routes(routes!(accept))
        .routes(routes!(set_role, remove))
}
