//! Claims: which may be given, and which hold for somebody.

use crate::{
    db,
    error::{InputReason, Result, Thing, invalid},
    gate::{handle::Keyplate, methods::Method},
    model::{claims::Claim, ids::UserId},
    rules::users::checks as users,
    values::text,
};

const MAX_CLAIMS: usize = 100;
const MAX_KEY: usize = 100;
const MAX_VALUE: usize = 1_000;

/// Names that a token's issuer sets (RFC 7519, section 4.1; RFC 9068, section 2.2; OpenID Connect Core, sections 2
/// and 5.1).
const RESERVED: [&str; 35] = [
    "acr",
    "address",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "birthdate",
    "c_hash",
    "client_id",
    "email",
    "email_verified",
    "exp",
    "family_name",
    "gender",
    "given_name",
    "groups",
    "iat",
    "iss",
    "jti",
    "locale",
    "middle_name",
    "name",
    "nbf",
    "nickname",
    "nonce",
    "phone_number",
    "picture",
    "preferred_username",
    "profile",
    "scope",
    "sid",
    "sub",
    "updated_at",
    "website",
];

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Returns the claims that a user has. Their own go before those of their groups, and among groups the first by name
    /// wins.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    pub fn get_effective_claims(&self, user_id: &UserId) -> Result<Vec<Claim>> {
        self.read(Method::GetEffectiveClaims, |reader, caller| {
            caller.reach(user_id, Thing::User)?;
            users::get(reader, user_id)?;
            db::claims::list_effective(reader, user_id)
        })
    }

    /// Lists the names of claims that are in use, for suggestions.
    ///
    /// # Errors
    /// `PermissionDenied`.
    pub fn list_claim_keys(&self) -> Result<Vec<String>> {
        self.read(Method::ListClaimKeys, |reader, _| {
            db::claims::list_keys(reader)
        })
    }
}

/// A file may be older than one of the reserved names.
pub(in crate::rules) fn is_reserved(key: &str) -> bool {
    RESERVED.contains(&key)
}

/// Claims from outside, sorted by key.
pub(in crate::rules) fn checked(claims: Vec<Claim>) -> Result<Vec<Claim>> {
    let field = "claims";
    if claims.len() > MAX_CLAIMS {
        return Err(invalid(
            field,
            InputReason::TooMany {
                most: MAX_CLAIMS as i64,
            },
        ));
    }
    let mut checked: Vec<Claim> = Vec::with_capacity(claims.len());
    for claim in claims {
        let key = text::required(field, &claim.key, MAX_KEY)?;
        if key.chars().any(char::is_whitespace) {
            return Err(invalid(field, InputReason::NotClaimName));
        }
        if is_reserved(&key) {
            return Err(invalid(field, InputReason::Reserved { name: key }));
        }
        if checked.iter().any(|other| other.key == key) {
            return Err(invalid(field, InputReason::Duplicate { name: key }));
        }
        let value = text::optional(field, &claim.value, MAX_VALUE)?.unwrap_or_default();
        checked.push(Claim { key, value });
    }
    checked.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(checked)
}
