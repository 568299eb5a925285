//! Scopes (K2): what a credential may do, as named by whoever made it.

use crate::error::{InputReason, Result, invalid};

/// What a credential may at most do (K2): its own limits within its owner's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ceiling {
    pub(crate) scopes: Scopes,
    /// May it act as an administrator? A credential from before a promotion may not.
    pub(crate) administrator: bool,
}

/// A part of the library that scopes speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    Users,
    Groups,
    Services,
    Settings,
    SignupTokens,
    OneTimeTokens,
    Passkeys,
    Sessions,
    Keys,
    AppPasswords,
    Audit,
}

/// The areas' names, those of coming methods included, so that no host takes one for a scope of its own.
const AREAS: [&str; 11] = [
    "users",
    "groups",
    "services",
    "settings",
    "signup_tokens",
    "one_time_tokens",
    "passkeys",
    "sessions",
    "keys",
    "app_passwords",
    "audit",
];

impl Area {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups",
            Self::Services => "services",
            Self::Settings => "settings",
            Self::SignupTokens => "signup_tokens",
            Self::OneTimeTokens => "one_time_tokens",
            Self::Passkeys => "passkeys",
            Self::Sessions => "sessions",
            Self::Keys => "keys",
            Self::AppPasswords => "app_passwords",
            Self::Audit => "audit",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
    /// Of app passwords alone; writing does not imply it.
    Verify,
}

impl Access {
    /// How a scope ends that gives it.
    pub(crate) fn right(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Verify => "verify",
        }
    }
}

/// Everything but `roles:write`, which no other scope implies.
const ALL: &str = "*";
const ROLES: &str = "roles:write";
/// Nobody can ask for it: it has no colon.
const ENROL: &str = "enrol";
/// W2: asking whether somebody's app password is right.
const VERIFY: &str = "app_passwords:verify";
const MAX_SCOPES: usize = 50;
const MAX_LEN: usize = 64;

/// A set of scopes in the order in which they were named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scopes(Vec<String>);

impl Scopes {
    /// Everything there is: what a person's session may do within their rights.
    pub(crate) fn full() -> Self {
        Self(vec![ALL.to_owned(), ROLES.to_owned()])
    }

    /// S7: what a pending user's session may do, whatever its ceiling.
    pub(crate) fn enrol() -> Self {
        Self(vec![ENROL.to_owned()])
    }

    pub(crate) fn are_enrol(&self) -> bool {
        self.0.iter().any(|scope| scope == ENROL)
    }

    /// O3: what a recovery session may do.
    pub(crate) fn recovery() -> Self {
        let names = ["users:read", "passkeys:write", "sessions:write"];
        Self(names.map(str::to_owned).to_vec())
    }

    /// Scopes from outside: always named, never assumed.
    pub(crate) fn parse(field: &str, names: &[String]) -> Result<Self> {
        if names.is_empty() {
            return Err(invalid(field, InputReason::TooFew { least: 1 }));
        }
        if names.len() > MAX_SCOPES {
            return Err(invalid(
                field,
                InputReason::TooMany {
                    most: MAX_SCOPES as i64,
                },
            ));
        }
        let mut scopes: Vec<String> = Vec::with_capacity(names.len());
        for name in names {
            check(field, name)?;
            if !scopes.contains(name) {
                scopes.push(name.clone());
            }
        }
        Ok(Self(scopes))
    }

    /// Scopes as they are stored: separated by blanks, which no scope contains.
    pub(crate) fn from_stored(text: &str) -> Self {
        Self(text.split_ascii_whitespace().map(str::to_owned).collect())
    }

    pub(crate) fn to_stored(&self) -> String {
        self.0.join(" ")
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }

    pub(crate) fn into_names(self) -> Vec<String> {
        self.0
    }

    pub(crate) fn allows(&self, area: Area, access: Access) -> bool {
        self.0.iter().any(|scope| {
            scope == ALL
                || scope.split_once(':').is_some_and(|(name, right)| {
                    name == area.name()
                        && (right == access.right() || right == "write" && access == Access::Read)
                })
        })
    }

    /// G2: does it open a service that is open to its owner? `*` does, and any scope of the service's own.
    pub(crate) fn reach_service(&self, slug: &str) -> bool {
        self.0
            .iter()
            .any(|scope| scope == ALL || is_of_service(scope, slug))
    }

    /// J1: what of these scopes a service is told.
    pub(crate) fn for_service(&self, slug: &str) -> Vec<String> {
        let told = |scope: &&String| *scope == ALL || is_of_service(scope, slug);
        self.0.iter().filter(told).cloned().collect()
    }

    /// May roles be changed? Only the scope of that name says so.
    pub(crate) fn allows_roles(&self) -> bool {
        self.0.iter().any(|scope| scope == ROLES)
    }

    /// W2: is the right to verify app passwords named? Only an administrator's key has it.
    pub(crate) fn name_verifying(&self) -> bool {
        self.0.iter().any(|scope| scope == VERIFY)
    }

    /// The host's own scopes: nothing built in, and not `*`.
    pub(crate) fn of_the_host(&self) -> Self {
        let own = |scope: &&String| *scope != ALL && !is_built_in(scope);
        Self(self.0.iter().filter(own).cloned().collect())
    }

    /// What remains of them without `roles:write`.
    pub(crate) fn without_roles(&self) -> Self {
        let other = |scope: &&String| *scope != ROLES;
        Self(self.0.iter().filter(other).cloned().collect())
    }

    /// V5: what the session of a device link may do.
    pub(crate) fn linking() -> Self {
        Self(["users:read", "passkeys:write"].map(str::to_owned).to_vec())
    }

    /// Everything but roles.
    pub(crate) fn all() -> Self {
        Self(vec![ALL.to_owned()])
    }

    /// No scope at all: of an app password, whatever it is for (W1).
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything but roles: all that an ordinary user's rights can be used for.
    pub(crate) fn are_all(&self) -> bool {
        self.0.iter().any(|scope| scope == ALL)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.are_all() && self.allows_roles()
    }

    /// Whether these scopes, on an administrator's key, reach beyond the administrator's own things (P5).
    pub(crate) fn are_administrative(&self) -> bool {
        self.0
            .iter()
            .any(|scope| scope == ALL || is_built_in(scope))
    }

    /// Does this set give everything that the other gives?
    pub(crate) fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|wanted| self.covers_one(wanted))
    }

    fn covers_one(&self, wanted: &str) -> bool {
        self.0.iter().any(|scope| {
            let writes_what_is_read = || {
                wanted.strip_suffix(":read").is_some_and(|area| {
                    is_built_in(wanted) && scope.strip_suffix(":write") == Some(area)
                })
            };
            scope == wanted || (scope == ALL && wanted != ROLES) || writes_what_is_read()
        })
    }
}

/// Is this the name of something built in, which no service may have?
pub(crate) fn is_area(name: &str) -> bool {
    AREAS.contains(&name) || name == "roles"
}

fn is_of_service(scope: &str, slug: &str) -> bool {
    scope.split_once(':').is_some_and(|(area, _)| area == slug)
}

fn is_built_in(scope: &str) -> bool {
    scope == ROLES
        || scope
            .split_once(':')
            .is_some_and(|(area, _)| AREAS.contains(&area))
}

fn check(field: &str, scope: &str) -> Result<()> {
    if scope == ALL || scope == ROLES {
        return Ok(());
    }
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b))
    };
    match scope.split_once(':') {
        _ if scope.len() > MAX_LEN => Err(invalid(
            field,
            InputReason::TooLong {
                most: MAX_LEN as i64,
            },
        )),
        _ if scope == VERIFY => Ok(()),
        Some((area, "read" | "write")) if AREAS.contains(&area) => Ok(()),
        Some((area, _)) if AREAS.contains(&area) || area == "roles" => Err(invalid(
            field,
            InputReason::UnknownScope {
                area: area.to_owned(),
            },
        )),
        Some((area, right)) if part(area) && part(right) => Ok(()),
        _ => Err(invalid(field, InputReason::NotScope)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> Scopes {
        Scopes::from_stored(text)
    }

    #[test]
    fn parsing() {
        let parse = |names: &[&str]| {
            Scopes::parse(
                "scopes",
                &names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            parse(&["users:read", "library:stream", "users:read"])
                .unwrap()
                .names(),
            ["users:read", "library:stream"]
        );
        assert!(parse(&["*", "roles:write"]).unwrap().is_full());
        let many = vec!["a:b"; 51];
        for bad in [
            &[][..],
            &["users"],
            &["users:delete"],
            &["roles:read"],
            &["a b:c"],
            &["A:b"],
            &["a:"],
            &[":b"],
            &["**"],
            &["a:b c"],
            &many,
        ] {
            assert_eq!(
                parse(bad).unwrap_err().field().as_deref(),
                Some("scopes"),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn covering() {
        for (maker, asked, covered) in [
            ("*", "users:write library:stream *", true),
            ("*", "roles:write", false),
            ("roles:write", "roles:write", true),
            ("users:write", "users:read", true),
            ("users:read", "users:write", false),
            ("users:write", "*", false),
            ("keys:write", "users:read", false),
            ("library:write", "library:read", false), // the host's own scopes imply nothing
            ("app_passwords:write", "app_passwords:verify", false),
            ("app_passwords:verify", "app_passwords:read", false),
            ("*", "app_passwords:verify", true),
        ] {
            assert_eq!(
                scopes(maker).covers(&scopes(asked)),
                covered,
                "{maker} / {asked}"
            );
        }
        assert!(scopes("users:write").allows(Area::Users, Access::Read));
        assert!(!scopes("users:read").allows(Area::Users, Access::Write));
        assert!(scopes("*").allows(Area::Audit, Access::Write) && !scopes("*").allows_roles());
        for access in [Access::Read, Access::Write, Access::Verify] {
            let allowed = |text: &str| scopes(text).allows(Area::AppPasswords, access);
            assert_eq!(allowed("app_passwords:verify"), access == Access::Verify);
            assert_eq!(allowed("app_passwords:write"), access != Access::Verify);
            assert!(allowed("*"));
        }
        assert!(
            !scopes("library:stream").are_administrative()
                && scopes("a:b audit:read").are_administrative()
        );
    }
}
