//! Subsonic's token (W4): MD5 of the secret and a salt, for which the secret itself is needed.

use crate::{
    db,
    error::{InputReason, Result, invalid},
    gate::{handle::Keyplate, methods::Method},
    model::{
        app_passwords::{FoundAppPassword, VerifiedAppPassword},
        config::ClientInfo,
    },
    values::{codes, text, tokens::SecretHash},
};

/// Clients send some six to 36 characters.
const MAX_SALT: usize = 256;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Checks what a Subsonic client sends in place of its password: `token` is the MD5 of the password and the salt, in
    /// hexadecimal digits. Only app passwords that were made as `recoverable` can be checked like this, in whichever of
    /// four spellings the client has them: with dashes and without, in small letters and in capitals.
    ///
    /// Whoever has seen one pair of token and salt may use it until the app password is revoked.
    ///
    /// # Errors
    /// As `verify_app_password`; `InvalidInput` for a salt of more than 256 bytes. An app password that was sealed under
    /// another encryption key is `InvalidCredential`. Without a service, what is for any one is accepted: the answer
    /// says for which.
    pub fn verify_subsonic_token(
        &self,
        name: &str,
        token: &str,
        salt: &str,
        service: Option<String>,
        client: ClientInfo,
    ) -> Result<VerifiedAppPassword> {
        self.check_may_call(Method::VerifySubsonicToken)?;
        if salt.len() > MAX_SALT {
            let most = MAX_SALT as i64;
            return Err(invalid("salt", InputReason::TooManyBytes { most }));
        }
        let handle = self.on_behalf_of(client)?;
        let name = text::name_key(name.trim());
        let found = match digest(token) {
            Some(token) => handle.find_by_token(&name, &token, salt)?,
            None => None,
        };
        // It is for one service in any case.
        let service = service.or_else(|| {
            let (found, _) = found.as_ref()?;
            found.service_id.map(|id| id.to_string())
        });
        handle.settle_app_password(
            Method::VerifySubsonicToken,
            &name,
            found,
            service.as_deref(),
        )
    }
}

impl Keyplate {
    fn find_by_token(
        &self,
        name: &str,
        token: &[u8; 16],
        salt: &str,
    ) -> Result<Option<(FoundAppPassword, SecretHash)>> {
        let sealed = self.shared.db.read(|reader| {
            let owner = match db::users::find_by_username(reader, name)? {
                Some(user) => Some(user),
                None => db::users::find_by_email(reader, name)?,
            };
            match owner {
                Some(user) => db::app_passwords::list_sealed(reader, &user.id, reader.now()),
                None => Ok(Vec::new()),
            }
        })?;
        for one in sealed {
            let cipher = &self.shared.password_cipher;
            let Some(code) = cipher.open(one.found.id.as_str(), &one.sealed) else {
                continue;
            };
            if let Some(hash) = one.secret_hash
                && is_token(&code, salt, token)
            {
                return Ok(Some((one.found, hash)));
            }
        }
        Ok(None)
    }
}

/// Compares in the same time, whatever is alike.
fn is_token(code: &str, salt: &str, token: &[u8; 16]) -> bool {
    codes::spellings(code).iter().any(|spelling| {
        let mut context = md5::Context::new();
        context.consume(spelling.as_bytes());
        context.consume(salt.as_bytes());
        let own = context.finalize().0;
        own.iter().zip(token).fold(0, |all, (a, b)| all | (a ^ b)) == 0
    })
}

/// 32 hexadecimal digits.
fn digest(token: &str) -> Option<[u8; 16]> {
    let digits: [u8; 32] = token.trim().as_bytes().try_into().ok()?;
    let mut digest = [0; 16];
    for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(digest)
}
