//! Names of claims: which are spoken for, and which are the same to a reader that ignores case (U5).

/// Names by which a token speaks of its issuer, its subject or what the subject may do: RFC 7519 (section 4.1), RFC 7800,
/// RFC 8693, RFC 9068 (section 2.2), RFC 9396, RFC 9449, RFC 9493, and OpenID Connect Core (sections 2, 3.3, 5.1, 5.6 and
/// 7.4), Identity Assurance and FAPI, as the registry of JWT claims has them. In the order of the alphabet.
const RESERVED: [&str; 55] = [
    "_claim_names",
    "_claim_sources",
    "acr",
    "act",
    "address",
    "amr",
    "at_hash",
    "ath",
    "aud",
    "auth_time",
    "authorization_details",
    "azp",
    "birthdate",
    "c_hash",
    "client_id",
    "cnf",
    "email",
    "email_verified",
    "entitlements",
    "exp",
    "family_name",
    "gender",
    "given_name",
    "groups",
    "htm",
    "htu",
    "iat",
    "iss",
    "jti",
    "locale",
    "may_act",
    "middle_name",
    "name",
    "nbf",
    "nickname",
    "nonce",
    "phone_number",
    "phone_number_verified",
    "picture",
    "preferred_username",
    "profile",
    "roles",
    "s_hash",
    "scope",
    "sid",
    "sub",
    "sub_id",
    "sub_jwk",
    "token_introspection",
    "updated_at",
    "verified_claims",
    "vot",
    "vtm",
    "website",
    "zoneinfo",
];

/// Is this a reserved name to any reader, one that ignores case included?
pub(crate) fn is_reserved(key: &str) -> bool {
    RESERVED.binary_search(&folded(key).as_str()).is_ok()
}

/// What two names have in common that some reader takes for one. Readers fold in different ways: Go's goes round the
/// letters that Unicode's simple folding joins (`ſ` and `s`, the Kelvin sign and `k`), Java's compares upper case and then
/// lower case (the dotless `ı` and the dotted `İ` are an `i`), others fold the whole text (`ß` is `ss`). Names are alike
/// here when they are to any of them.
pub(crate) fn folded(key: &str) -> String {
    let mut folded = String::with_capacity(key.len());
    for c in key.chars() {
        // In lower case it would be an `i` and a dot.
        let c = if c == 'İ' { 'i' } else { c };
        let lower = c.to_lowercase();
        folded.extend(
            lower
                .flat_map(char::to_uppercase)
                .flat_map(char::to_lowercase),
        );
    }
    // The end of a word changes nothing.
    folded.replace('ς', "σ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_searched() {
        assert!(RESERVED.is_sorted());
        for name in RESERVED {
            assert_eq!(folded(name), name);
        }
    }

    /// Every character that is some letter of a reserved name to any reader.
    #[test]
    fn every_character_that_folds_to_a_letter_is_that_letter() {
        let mut like = Vec::new();
        for c in ('\u{80}'..=char::MAX).filter(|c| c.is_alphabetic()) {
            let upper: String = c.to_uppercase().collect();
            let lower: String = c.to_lowercase().collect();
            let is_letter = |text: &str| text.len() == 1 && text.is_ascii();
            if is_letter(&upper) || is_letter(&lower) || c == 'İ' {
                like.push(c);
                assert!(folded(&c.to_string()).is_ascii(), "{c}");
            }
        }
        assert_eq!(like, ['İ', 'ı', 'ſ', '\u{212A}']);
    }

    /// Upper case, lower case and title case of every character are one.
    #[test]
    fn folding_joins_all_cases_and_is_done_once() {
        for c in '\0'..=char::MAX {
            let here = folded(&c.to_string());
            for other in [c.to_uppercase().to_string(), c.to_lowercase().to_string()] {
                // The dot above stays beside an `i` of two characters, which no reader takes for one.
                if c != 'İ' {
                    assert_eq!(folded(&other), here, "{c:?} {other:?}");
                }
            }
            assert_eq!(folded(&here), here, "{c:?}");
        }
    }
}
