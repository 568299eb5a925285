//! Claims: which may be given, and which hold for somebody.

use std::collections::HashSet;

use crate::{
    db::{self, Reader},
    error::{InputReason, Result, Thing, invalid},
    gate::{handle::Keyplate, methods::Method},
    model::{claims::Claim, ids::UserId},
    rules::users::checks as users,
    values::{claim_names, text},
};

const FIELD: &str = "claims";
const MAX_CLAIMS: usize = 100;
const MAX_KEY: usize = 100;
const MAX_VALUE: usize = 1_000;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Gives the claims that hold for a user: their own before their groups', among groups the first by name. Names
    /// that differ in case only are one, and names that a token's issuer sets itself are left out.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    pub fn get_effective_claims(&self, user_id: &UserId) -> Result<Vec<Claim>> {
        self.read(Method::GetEffectiveClaims, |reader, caller| {
            caller.reach(user_id, Thing::User)?;
            users::get(reader, user_id)?;
            effective(reader, user_id)
        })
    }

    /// Lists the names of claims that are in use, for suggestions.
    ///
    /// # Errors
    /// `PermissionDenied`.
    pub fn list_claim_keys(&self) -> Result<Vec<String>> {
        self.read(Method::ListClaimKeys, |reader, _| {
            let mut keys = db::claims::list_keys(reader)?;
            keys.retain(|key| !claim_names::is_reserved(key));
            Ok(keys)
        })
    }
}

/// U5: of all claims that a user has, those that hold. What an older file has of reserved names speaks for nobody.
pub(in crate::rules) fn effective(reader: &Reader<'_>, user_id: &UserId) -> Result<Vec<Claim>> {
    let mut seen = HashSet::new();
    let mut claims = db::claims::list_all_of_user(reader, user_id)?;
    claims.retain(|claim| {
        !claim_names::is_reserved(&claim.key) && seen.insert(claim_names::folded(&claim.key))
    });
    sort(&mut claims);
    Ok(claims)
}

/// The claims that somebody has with those that a plan adds; of two of one name the plan's holds. What was there is
/// not looked at: it may be older than a rule.
pub(in crate::rules) fn with_added(present: &[Claim], added: Vec<Claim>) -> Result<Vec<Claim>> {
    let mut all = checked(added)?;
    let new: HashSet<String> = all
        .iter()
        .map(|claim| claim_names::folded(&claim.key))
        .collect();
    let kept = present
        .iter()
        .filter(|claim| !new.contains(&claim_names::folded(&claim.key)));
    all.extend(kept.cloned());
    check_count(&all)?;
    sort(&mut all);
    Ok(all)
}

/// S5: the default claims and those of a sign-up token; of two of one name the token's holds.
pub(in crate::rules) fn joined(defaults: &[Claim], of_token: &[Claim]) -> Vec<Claim> {
    let mut all = of_token.to_vec();
    let named = |claim: &&Claim| {
        let name = claim_names::folded(&claim.key);
        of_token
            .iter()
            .any(|own| claim_names::folded(&own.key) == name)
    };
    all.extend(defaults.iter().filter(|claim| !named(claim)).cloned());
    sort(&mut all);
    all
}

/// Claims from outside, sorted by key.
pub(in crate::rules) fn checked(claims: Vec<Claim>) -> Result<Vec<Claim>> {
    check_count(&claims)?;
    let mut checked: Vec<Claim> = Vec::with_capacity(claims.len());
    let mut seen = HashSet::new();
    for claim in claims {
        let key = text::opaque(FIELD, &claim.key, MAX_KEY)?
            .ok_or_else(|| invalid(FIELD, InputReason::Empty))?;
        if key.chars().any(char::is_whitespace) {
            return Err(invalid(FIELD, InputReason::NotClaimName));
        }
        if claim_names::is_reserved(&key) {
            return Err(invalid(FIELD, InputReason::Reserved { name: key }));
        }
        if !seen.insert(claim_names::folded(&key)) {
            return Err(invalid(FIELD, InputReason::Duplicate { name: key }));
        }
        let value = text::opaque(FIELD, &claim.value, MAX_VALUE)?.unwrap_or_default();
        checked.push(Claim { key, value });
    }
    sort(&mut checked);
    Ok(checked)
}

fn check_count(claims: &[Claim]) -> Result<()> {
    if claims.len() > MAX_CLAIMS {
        let most = MAX_CLAIMS as i64;
        return Err(invalid(FIELD, InputReason::TooMany { most }));
    }
    Ok(())
}

fn sort(claims: &mut [Claim]) {
    claims.sort_by(|a, b| a.key.cmp(&b.key));
}
