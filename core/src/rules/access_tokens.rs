//! Access tokens (J1): short-lived JWTs (RFC 9068) by which other processes know a user for one service, without asking.

mod keys;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    clock,
    crypto::jwt,
    db::{self, Reader},
    error::{
        ConflictReason, DenialReason, Found, KeyplateError, Result, Thing, conflict, denied,
        internal,
    },
    gate::{
        caller::Acting,
        handle::Keyplate,
        methods::Method,
        time::{by_the_clock, check_clock},
    },
    model::{
        access_tokens::{AccessToken, AccessTokenClaims, MAX_LIFETIME_SECONDS},
        credentials::{Credential, CredentialId, Principal},
        ids::{self, ApiKeyId, SessionId},
        services::{DecisionReason, Service},
        sessions::SignInMethod,
    },
    rules::{claims, services},
    secret::Secret,
    values::numbers::within,
};

const DEFAULT_LIFETIME_SECONDS: i64 = 5 * 60;

/// Less than a second: what a time is raised by, before it is cut to whole seconds.
const LAST_MILLISECOND: Duration = Duration::from_millis(999);

/// RFC 9068, section 2.1.
const TYPE: &str = "at+jwt";
/// Claims may be many and long. What is longer than this fits into no header of a request.
const MAX_TOKEN_LEN: usize = 1 << 16;

/// The body of a token. Times are seconds since 1970.
#[derive(Serialize, Deserialize)]
struct Body {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
    jti: String,
    /// The session or API key that asked.
    client_id: String,
    /// The session, if it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    /// How they signed in (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    amr: Vec<String>,
    scope: String,
    groups: Vec<String>,
    preferred_username: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    /// The user's claims.
    #[serde(flatten)]
    more: Map<String, Value>,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Issues a token for a service, named by id or slug, to a user whom `authorize` allows to use it. It lives for
    /// `lifetime_seconds`: 5 minutes by default, at most an hour, and no longer than the account and the session or key
    /// that asks. A process that verifies it with `get_jwks` alone notices a change only when the token ends, so keep it
    /// short. Its times are the clock's, by which others verify it, even while the clock is a little behind
    /// (`get_clock_state`).
    ///
    /// # Errors
    /// `InvalidInput`; `NotFound` for the service; `InvalidCredential` when the session or key has ended;
    /// `AccountPending`, `AccountDisabled`, `AccountExpired`; `PermissionDenied` when they may not use the service;
    /// `Conflict` when their claims make it longer than 64 KiB; `Configuration` for another encryption key than the one
    /// under which the signing key is sealed; `ClockBehind` while the clock is more than five minutes behind.
    pub fn issue_access_token(
        &self,
        principal: &Principal,
        service: &str,
        lifetime_seconds: Option<i64>,
    ) -> Result<AccessToken> {
        let lifetime = lifetime_seconds.unwrap_or(DEFAULT_LIFETIME_SECONDS);
        let lifetime = within("lifetime_seconds", lifetime, 1, MAX_LIFETIME_SECONDS)?;
        let key = self.current_signing_key()?;
        let private_key = self.private_key(&key)?;
        self.read(Method::IssueAccessToken, |reader, _| {
            check_clock(reader)?;
            let service = services::find(reader, service)?.or_missing(Thing::Service)?;
            let acting = Acting::load(reader, principal)?;
            let_in(reader, &service, &acting)?;
            let expires_at = end(reader, &acting, lifetime);
            let body = self.body(reader, &service, &acting, expires_at)?;
            Ok(AccessToken {
                secret: Arc::new(sign(&key.id, &private_key, &body)?),
                service_id: service.id,
                expires_at,
            })
        })
    }

    /// Verifies an access token for a service, named by id or slug, and asks the database whether what it says is still
    /// true: its session or key has not ended, its user may sign in, and the service is open to them.
    ///
    /// # Errors
    /// `NotFound` for the service; `InvalidCredential` for a token that is not ours, has expired, is for another
    /// service, or whose session or key has ended; `AccountPending`, `AccountDisabled`, `AccountExpired`;
    /// `PermissionDenied` when they may no longer use the service; `ClockBehind` while the clock is more than five minutes
    /// behind; the storage errors.
    pub fn verify_access_token(&self, token: &str, service: &str) -> Result<AccessTokenClaims> {
        self.read(Method::VerifyAccessToken, |reader, _| {
            check_clock(reader)?;
            let service = services::find(reader, service)?.or_missing(Thing::Service)?;
            let body = self.verified(reader, token, &service.slug)?;
            let credential = body.credential().ok_or(KeyplateError::InvalidCredential)?;
            let acting = Acting::load(reader, &Principal { credential })?;
            if acting.user.id.as_str() != body.sub {
                return Err(KeyplateError::InvalidCredential);
            }
            let_in(reader, &service, &acting)?;
            let (session_id, api_key_id) = credential.parts();
            Ok(AccessTokenClaims {
                user_id: acting.user.id,
                username: acting.user.username,
                service_id: service.id,
                session_id,
                api_key_id,
                scopes: acting.ceiling.scopes.for_service(&service.slug),
                groups: db::groups::names_of_user(reader, &acting.user.id)?,
                claims: claims::effective(reader, &acting.user.id)?,
                issued_at: clock::from_seconds(body.iat),
                expires_at: clock::from_seconds(body.exp),
            })
        })
    }
}

impl Keyplate {
    fn body(
        &self,
        reader: &Reader<'_>,
        service: &Service,
        acting: &Acting,
        expires_at: SystemTime,
    ) -> Result<Body> {
        let user = &acting.user;
        let verified_email = user.email.clone().filter(|_| user.email_verified);
        let asked = Asked::by(acting.credential);
        let claims = claims::effective(reader, &user.id)?;
        Ok(Body {
            iss: self.shared.issuer.clone(),
            sub: user.id.to_string(),
            aud: service.slug.clone(),
            exp: clock::to_seconds(expires_at),
            iat: clock::to_seconds(reader.clock()),
            jti: ids::generate_text(reader.now())?,
            client_id: asked.client_id,
            sid: asked.session_id,
            auth_time: asked
                .signed_in_at
                .map(|at| clock::to_seconds(by_the_clock(reader, at))),
            amr: asked.amr.iter().map(|&value| value.to_owned()).collect(),
            scope: acting.ceiling.scopes.for_service(&service.slug).join(" "),
            groups: db::groups::names_of_user(reader, &user.id)?,
            preferred_username: user.username.clone(),
            name: user.display_name.clone(),
            email_verified: verified_email.is_some().then_some(true),
            email: verified_email,
            more: claims
                .into_iter()
                .map(|claim| (claim.key, Value::String(claim.value)))
                .collect(),
        })
    }

    /// Signature, algorithm, type, issuer, audience and time.
    fn verified(&self, reader: &Reader<'_>, token: &str, slug: &str) -> Result<Body> {
        let refused = || KeyplateError::InvalidCredential;
        if token.len() > MAX_TOKEN_LEN {
            return Err(refused());
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| refused())?;
        let typed = header.typ.as_deref() == Some(TYPE) && header.alg == Algorithm::EdDSA;
        let key_id = header.kid.filter(|_| typed).ok_or_else(refused)?;
        let key =
            db::signing_keys::find_verifying(reader, &key_id, reader.now())?.ok_or_else(refused)?;
        jwt::install();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[slug]);
        validation.set_issuer(&[&self.shared.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_exp = false; // below, by the library's own time (C5)
        let key = DecodingKey::from_ed_der(&key.public_key);
        let body: Body = jsonwebtoken::decode(token, &key, &validation)
            .map_err(|_| refused())?
            .claims;
        if reader.now() < clock::from_seconds(body.exp) {
            Ok(body)
        } else {
            Err(refused())
        }
    }
}

impl Body {
    /// The session or key that asked for the token.
    fn credential(&self) -> Option<CredentialId> {
        match &self.sid {
            Some(id) => SessionId::parse(id).ok().map(CredentialId::Session),
            None => ApiKeyId::parse(&self.client_id)
                .ok()
                .map(CredentialId::ApiKey),
        }
    }
}

/// The credential with which they asked for the token, and how they had signed in.
struct Asked {
    client_id: String,
    session_id: Option<String>,
    signed_in_at: Option<SystemTime>,
    amr: &'static [&'static str],
}

impl Asked {
    fn by(credential: Credential) -> Self {
        match credential {
            Credential::Session {
                id,
                method,
                signed_in_at,
                stepped_up_at,
                ..
            } => Self {
                client_id: id.to_string(),
                session_id: Some(id.to_string()),
                signed_in_at: Some(signed_in_at).max(stepped_up_at),
                amr: amr(method, stepped_up_at.is_some()),
            },
            Credential::ApiKey { id, .. } => Self {
                client_id: id.to_string(),
                session_id: None,
                signed_in_at: None,
                amr: &[],
            },
        }
    }
}

fn sign(key_id: &str, private_key: &[u8], body: &Body) -> Result<Secret> {
    jwt::install();
    let header = Header {
        typ: Some(TYPE.to_owned()),
        kid: Some(key_id.to_owned()),
        ..Header::new(Algorithm::EdDSA)
    };
    let token = jsonwebtoken::encode(&header, body, &EncodingKey::from_ed_der(private_key))
        .map_err(|_| internal("an access token cannot be signed"))?;
    if token.len() > MAX_TOKEN_LEN {
        return Err(conflict(ConflictReason::ClaimsTooLong));
    }
    Ok(Secret::new(token))
}

/// G2, with an error for a no.
/// G2 as an error, for who is to be told.
pub(in crate::rules) fn let_in(
    reader: &Reader<'_>,
    service: &Service,
    acting: &Acting,
) -> Result<()> {
    match services::decide(reader, service, acting)? {
        Ok(_) => Ok(()),
        Err(DecisionReason::AccountPending) => Err(KeyplateError::AccountPending),
        Err(DecisionReason::Closed) => Err(denied(DenialReason::ServiceClosed)),
        Err(DecisionReason::MissingScope) => Err(denied(DenialReason::ServiceScope)),
        Err(_) => Err(denied(DenialReason::ServiceNotOpen)),
    }
}

/// A whole second by the clock (C5), as the token says it; not beyond the credential that asks (K2), nor the user's account (U2).
fn end(reader: &Reader<'_>, acting: &Acting, lifetime_seconds: i64) -> SystemTime {
    let end = clock::after(reader.clock(), lifetime_seconds) + LAST_MILLISECOND;
    let end = clock::to_seconds(end);
    let of_credential = match acting.credential {
        Credential::Session { expires_at, .. } => Some(expires_at),
        Credential::ApiKey { expires_at, .. } => expires_at,
    };
    let limits = [of_credential, acting.user.expires_at];
    let limits = limits.into_iter().flatten();
    let limits = limits.map(|limit| clock::to_seconds(by_the_clock(reader, limit)));
    clock::from_seconds(limits.fold(end, i64::min))
}

/// Authentication method references (RFC 8176): a passkey is a key whose holder was verified, hence two factors.
fn amr(method: SignInMethod, stepped_up: bool) -> &'static [&'static str] {
    match method {
        _ if stepped_up => &["pop", "mfa"],
        SignInMethod::OneTimeToken | SignInMethod::Recovery | SignInMethod::DeviceLink => &["otp"],
        _ => &[],
    }
}
