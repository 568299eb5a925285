use std::time::SystemTime;

use axum::extract::State;
use keyplate::{
    ApprovalRule, Claim, Expiry, GroupId, Keyplate, Limit, NewSignupToken, SignupRedemption,
    SignupRedemptionQuery, SignupToken, SignupTokenChanges, SignupTokenId, SignupTokenQuery,
    SignupTokenSort, SignupTokenState,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::openapi as doc;
use crate::http::openapi::{Operation, names};
use crate::{
    http::{
        answer::{self, Answer},
        app::App,
        body::{self, Json},
        caller::{Administrator, Caller},
        clock,
        error::Failure,
        length::Length,
        list::{self, Query},
        path::Id,
    },
    json::{
        claims::{self, ClaimJson},
        groups::{NamedGroup, Visible},
    },
    routes::groups,
};

/// The columns that a list may be sorted by. Whoever sorts by the token gets them as they were made.
const COLUMNS: [(&str, SignupTokenSort); 5] = [
    ("createdAt", SignupTokenSort::CreatedAt),
    ("expiresAt", SignupTokenSort::ExpiresAt),
    ("usageLimit", SignupTokenSort::MaxUses),
    ("usageCount", SignupTokenSort::Uses),
    ("token", SignupTokenSort::CreatedAt),
];

/// The longest time that clients may ask for, in seconds.
const MAX_TTL: i64 = 31 * 24 * 3_600;
/// How often a token may be used at most, unless without limit.
const MAX_USES: i64 = 100;

/// A sign-up token as JSON.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "SignupToken")]
#[serde(rename_all = "camelCase")]
struct SignupTokenJson {
    id: String,
    /// The secret when it is made; after that a masked form of it.
    token: String,
    expires_at: Option<String>,
    usage_limit: Option<i64>,
    usage_count: i64,
    user_groups: Vec<NamedGroup>,
    created_at: String,
    state: &'static str,
    enabled: bool,
    note: Option<String>,
    approval: Option<bool>,
    account_lifetime: Option<i64>,
    email: Option<String>,
    custom_claims: Vec<ClaimJson>,
    created_by: Option<String>,
    revoked_at: Option<String>,
}

impl SignupTokenJson {
    fn one(keyplate: &Keyplate, token: &SignupToken) -> keyplate::Result<Self> {
        let groups = Visible::load(keyplate, token.group_ids.iter())?;
        Ok(Self::new(token, &groups))
    }

    fn new(token: &SignupToken, groups: &Visible) -> Self {
        Self {
            id: token.id.to_string(),
            token: token.masked_secret.clone(),
            expires_at: token.expires_at.map(answer::time),
            usage_limit: token.max_uses,
            usage_count: token.uses,
            user_groups: groups.named(&token.group_ids),
            created_at: answer::time(token.created_at),
            state: state(token.state),
            enabled: token.enabled,
            note: token.note.clone(),
            approval: match token.approval {
                ApprovalRule::Needed => Some(true),
                ApprovalRule::NotNeeded => Some(false),
                _ => None,
            },
            account_lifetime: token.account_lifetime_seconds,
            email: token.email.clone(),
            custom_claims: token.claims.iter().map(ClaimJson::from).collect(),
            created_by: token.created_by.clone(),
            revoked_at: token.revoked_at.map(answer::time),
        }
    }
}

fn state(state: SignupTokenState) -> &'static str {
    match state {
        SignupTokenState::Usable => "usable",
        SignupTokenState::Expired => "expired",
        SignupTokenState::Exhausted => "exhausted",
        SignupTokenState::Paused => "paused",
        SignupTokenState::Revoked => "revoked",
        _ => "other",
    }
}

/// One use of a token as JSON.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "SignupRedemption")]
#[serde(rename_all = "camelCase")]
struct RedemptionJson {
    id: String,
    created_at: String,
    #[serde(rename = "userID")]
    user_id: String,
    username: String,
    ip_address: Option<String>,
    device: Option<String>,
}

impl From<&SignupRedemption> for RedemptionJson {
    fn from(redemption: &SignupRedemption) -> Self {
        Self {
            id: redemption.id.to_string(),
            created_at: answer::time(redemption.at),
            user_id: redemption.user_id.to_string(),
            username: redemption.username.clone(),
            ip_address: redemption.address.clone(),
            device: redemption.user_agent.clone(),
        }
    }
}

/// A token to be made or changed. What is null is without end or limit, or taken away; what is left out has its
/// default, or stays.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TokenBody {
    #[serde(deserialize_with = "body::given")]
    ttl: Option<Option<Length>>,
    /// In place of `ttl`, as older clients say it, and as it is answered.
    #[serde(deserialize_with = "body::given")]
    expires_at: Option<Option<String>>,
    #[serde(deserialize_with = "body::given")]
    usage_limit: Option<Option<i64>>,
    #[serde(deserialize_with = "body::given")]
    note: Option<Option<String>>,
    #[serde(deserialize_with = "body::given")]
    approval: Option<Option<bool>>,
    #[serde(deserialize_with = "body::given")]
    account_lifetime: Option<Option<Length>>,
    #[serde(deserialize_with = "body::given")]
    email: Option<Option<String>>,
    enabled: Option<bool>,
    user_group_ids: Option<Vec<String>>,
    /// In place of `userGroupIds`, as it is answered.
    user_groups: Option<Vec<groups::Named>>,
    custom_claims: Option<Vec<ClaimJson>>,
}

impl TokenBody {
    fn expiry(&self, now: SystemTime) -> Result<Option<Expiry>, Failure> {
        let of_ttl = match &self.ttl {
            None => None,
            Some(None) => Some(Expiry::Never),
            Some(Some(length)) => match length.seconds_or_default("ttl")? {
                None => None,
                Some(seconds) if seconds > MAX_TTL => {
                    return Err(Failure::field("ttl", "invalid", "must be at most 31 days"));
                }
                Some(seconds) => {
                    let time = clock::after(now, seconds);
                    Some(Expiry::At { time })
                }
            },
        };
        match (&self.expires_at, of_ttl) {
            (None, expiry) => Ok(expiry),
            (Some(_), Some(_)) => {
                let reason = "stands beside expiresAt: give one of them";
                Err(Failure::field("ttl", "invalid", reason))
            }
            (Some(None), None) => Ok(Some(Expiry::Never)),
            (Some(Some(text)), None) => {
                let time = body::time("expiresAt", Some(text))?;
                Ok(Some(Expiry::At { time }))
            }
        }
    }

    /// The name by which the body says when the token ends.
    fn end_field(&self) -> &'static str {
        match self.expires_at {
            Some(_) => "expiresAt",
            None => "ttl",
        }
    }

    fn group_ids(&self) -> Result<Option<Vec<GroupId>>, Failure> {
        groups::given_ids(&self.user_group_ids, &self.user_groups)
    }

    /// `stored` is what there is already: a host may have made it for more uses.
    fn uses(&self, stored: Option<i64>) -> Result<Option<Limit>, Failure> {
        match self.usage_limit {
            None => Ok(None),
            Some(Some(most)) if stored == Some(most) => Ok(None),
            Some(None) => Ok(Some(Limit::Unlimited)),
            Some(Some(most)) if (1..=MAX_USES).contains(&most) => Ok(Some(Limit::AtMost { most })),
            Some(Some(_)) => {
                let reason = format!("must be between 1 and {MAX_USES}");
                Err(Failure::field("usageLimit", "invalid", &reason))
            }
        }
    }

    /// How often it may be used already, where the body says what could not be given here.
    async fn stored_uses(
        &self,
        caller: &Caller,
        id: SignupTokenId,
    ) -> Result<Option<i64>, Failure> {
        match self.usage_limit {
            Some(Some(most)) if most > MAX_USES => {
                let get = move |keyplate: &Keyplate| keyplate.get_signup_token(&id);
                Ok(caller.call(get).await?.max_uses)
            }
            _ => Ok(None),
        }
    }

    fn approval(&self) -> Option<ApprovalRule> {
        self.approval.map(|approval| match approval {
            None => ApprovalRule::Setting,
            Some(true) => ApprovalRule::Needed,
            Some(false) => ApprovalRule::NotNeeded,
        })
    }

    fn account_lifetime(&self) -> Result<Option<Limit>, Failure> {
        let limit = |length: &Option<Length>| match length {
            None => Ok(Limit::Unlimited),
            Some(length) => {
                let most = length.seconds("accountLifetime")?;
                Ok(Limit::AtMost { most })
            }
        };
        self.account_lifetime.as_ref().map(limit).transpose()
    }

    fn into_new_token(self, now: SystemTime) -> Result<NewSignupToken, Failure> {
        if self.custom_claims.is_some() {
            let reason = "are given to a token that is there, by PUT";
            return Err(Failure::field("customClaims", "invalid", reason));
        }
        Ok(NewSignupToken {
            expiry: self.expiry(now)?,
            uses: self.uses(None)?,
            approval: self.approval(),
            account_lifetime_seconds: match self.account_lifetime()? {
                Some(Limit::AtMost { most }) => Some(most),
                _ => None,
            },
            group_ids: self.group_ids()?.unwrap_or_default(),
            note: self.note.flatten(),
            email: self.email.flatten(),
        })
    }

    fn changes(&self, now: SystemTime, stored: Option<i64>) -> Result<SignupTokenChanges, Failure> {
        let text = |text: &Option<Option<String>>| text.clone().map(Option::unwrap_or_default);
        let expiry = self.expiry(now)?;
        if matches!(self.ttl, Some(Some(_))) && expiry.is_none() {
            return Err(Failure::field("ttl", "invalid", "must be more than 0"));
        }
        Ok(SignupTokenChanges {
            note: text(&self.note),
            expiry,
            uses: self.uses(stored)?,
            account_lifetime: self.account_lifetime()?,
            approval: self.approval(),
            enabled: self.enabled,
            email: text(&self.email),
        })
    }

    fn grants(self) -> Result<Grants, Failure> {
        Ok(Grants {
            group_ids: self.group_ids()?,
            claims: self.custom_claims.map(claims::parse),
        })
    }
}

/// What a token gives, as far as it is to be changed.
struct Grants {
    group_ids: Option<Vec<GroupId>>,
    claims: Option<Vec<Claim>>,
}

/// Those that are not revoked, the newest first; with `all=true` those too.
pub(super) async fn list(Administrator(caller): Administrator, query: Query) -> Answer {
    let asked = query.unsearched(&COLUMNS, &[])?;
    let (page, limit) = (asked.page, asked.limit);
    let tokens = SignupTokenQuery {
        include_revoked: query.is_true("all"),
        sort: asked.sort,
        ascending: asked.is_ascending(),
        limit: Some(limit),
        ..SignupTokenQuery::default()
    };
    let (items, total, page) = caller
        .call(move |keyplate| {
            let page = list::page_or_last(page, limit, |page| {
                keyplate.list_signup_tokens(SignupTokenQuery {
                    page: Some(page),
                    ..tokens.clone()
                })
            })?;
            let ids = page.items.iter().flat_map(|token| &token.group_ids);
            let groups = Visible::load(keyplate, ids)?;
            let items = page.items.iter();
            let items = items.map(|token| SignupTokenJson::new(token, &groups));
            Ok((items.collect(), page.total, page.page))
        })
        .await?;
    list::answer(items, total, page, limit)
}

pub(super) async fn create(
    State(app): State<App>,
    Administrator(caller): Administrator,
    Json(body): Json<TokenBody>,
) -> Answer {
    let end = body.end_field();
    let token = body.into_new_token(app.now().await?)?;
    let token = caller
        .call(move |keyplate| {
            let created = keyplate.create_signup_token(token)?;
            let ids = created.signup_token.group_ids.iter();
            // The secret is shown this once: it must not get lost because groups cannot be read.
            let groups = Visible::load(keyplate, ids).unwrap_or_default();
            Ok(SignupTokenJson {
                token: created.secret.reveal(),
                ..SignupTokenJson::new(&created.signup_token, &groups)
            })
        })
        .await
        .map_err(|failure| renamed(failure, end))?;
    answer::created(&token)
}

pub(super) async fn get(Administrator(caller): Administrator, id: Id) -> Answer {
    let id = parse_id(&id)?;
    let token = caller
        .call(move |keyplate| SignupTokenJson::one(keyplate, &keyplate.get_signup_token(&id)?))
        .await?;
    answer::ok(&token)
}

/// Changes what the body names: extend, pause, raise the limit. What is only repeated is no change.
pub(super) async fn update(
    State(app): State<App>,
    Administrator(caller): Administrator,
    id: Id,
    Json(body): Json<TokenBody>,
) -> Answer {
    let id = parse_id(&id)?;
    let stored = body.stored_uses(&caller, id).await?;
    let end = body.end_field();
    let changes = body.changes(app.now().await?, stored)?;
    let grants = body.grants()?;
    let token = caller
        .call(move |keyplate| {
            let token = change(keyplate, &id, changes, grants)?;
            SignupTokenJson::one(keyplate, &token)
        })
        .await
        .map_err(|failure| renamed(failure, end))?;
    answer::ok(&token)
}

pub(super) async fn revoke(Administrator(caller): Administrator, id: Id) -> Answer {
    let id = parse_id(&id)?;
    caller
        .call(move |keyplate| keyplate.revoke_signup_token(&id))
        .await?;
    answer::no_content()
}

/// Who used it, the newest first.
pub(super) async fn redemptions(
    Administrator(caller): Administrator,
    id: Id,
    query: Query,
) -> Answer {
    let id = parse_id(&id)?;
    let asked = query.unsearched::<()>(&[], &[])?;
    let (page, limit) = (asked.page, asked.limit);
    let redemptions = SignupRedemptionQuery {
        token_id: Some(id),
        limit: Some(limit),
        ..SignupRedemptionQuery::default()
    };
    let page = caller
        .call(move |keyplate| {
            keyplate.get_signup_token(&id)?;
            list::page_or_last(page, limit, |page| {
                keyplate.list_signup_redemptions(SignupRedemptionQuery {
                    page: Some(page),
                    ..redemptions.clone()
                })
            })
        })
        .await?;
    let items = page.items.iter().map(RedemptionJson::from).collect();
    list::answer(items, page.total, page.page, limit)
}

/// Two calls where a body changes groups or claims too: these first, because they are what the caller most likely has
/// no right to give. If the rest is refused after that, they have been changed.
fn change(
    keyplate: &Keyplate,
    id: &SignupTokenId,
    changes: SignupTokenChanges,
    grants: Grants,
) -> keyplate::Result<SignupToken> {
    if grants.group_ids.is_some() || grants.claims.is_some() {
        let before = keyplate.get_signup_token(id)?;
        let group_ids = grants.group_ids.unwrap_or(before.group_ids);
        let claims = grants.claims.unwrap_or(before.claims);
        let token = keyplate.set_signup_token_grants(id, &group_ids, claims)?;
        if changes == SignupTokenChanges::default() {
            return Ok(token);
        }
    }
    keyplate.update_signup_token(id, changes)
}

/// What the library calls otherwise.
fn renamed(failure: Failure, end: &str) -> Failure {
    let failure = groups::missing(claims::told_apart(failure));
    [
        ("expiry", end),
        ("uses", "usageLimit"),
        ("accountLifetimeSeconds", "accountLifetime"),
        ("claims", "customClaims"),
    ]
    .into_iter()
    .fold(failure, |failure, (from, to)| failure.renamed(from, to))
}

fn parse_id(id: &Id) -> Result<SignupTokenId, Failure> {
    SignupTokenId::parse(&id.0).map_err(|_| Failure::not_found("sign-up token"))
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::administrator("get", "/api/signup-tokens", "Lists sign-up tokens")
            .parameter("all", "true: revoked ones too")
            .lists::<SignupTokenJson>(&names(&COLUMNS), &[], false),
        doc::administrator("post", "/api/signup-tokens", "Creates a sign-up token")
            .takes::<TokenBody>()
            .gives::<SignupTokenJson>(201),
        doc::administrator("get", "/api/signup-tokens/{id}", "Gives a sign-up token")
            .gives::<SignupTokenJson>(200),
        doc::administrator("put", "/api/signup-tokens/{id}", "Changes a sign-up token")
            .takes::<TokenBody>()
            .gives::<SignupTokenJson>(200),
        doc::administrator(
            "delete",
            "/api/signup-tokens/{id}",
            "Revokes a sign-up token",
        )
        .gives_nothing(),
        doc::administrator(
            "get",
            "/api/signup-tokens/{id}/redemptions",
            "Lists who used a sign-up token",
        )
        .lists::<RedemptionJson>(&[], &[], false),
    ]
}
