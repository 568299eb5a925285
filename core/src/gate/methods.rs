//! The table of authority: who may call which method of the facade at all.
//!
//! # How a call is let in
//!
//! Authority is asked three times, each time for what is known by then:
//!
//! 1. By the *kind of handle*, before the database is touched ([`Actor::check_kind`](crate::gate::caller::Actor)): a
//!    stranger's handle never gets past `Anyone`, and only the host's passes `Host`.
//! 2. By the *line of this table*, inside the transaction ([`Caller`](crate::gate::caller::Caller)): the credential, its
//!    ceiling and its user are read at that moment, never remembered.
//! 3. By the *method itself*, for what depends on whom it is about: is this thing the caller's own (`reach`), do they
//!    have rights at least those of the user they touch (`outrank`, `govern`), is their sign-in fresh (`step_up`)?
//!
//! # What always holds
//!
//! 1. Every method of the facade has exactly one line here, and every line a method: `cargo xtask check` compares them.
//!    A method calls `read` or `write` with its own variant, so it cannot run without its line being asked; the look-ups
//!    of `verify_session`, `verify_api_key`, `authenticate` and `authenticate_pending` go without, and so does
//!    `inspect_passkey_answer`, which looks at nothing but its argument. Their lines are `Anyone`.
//! 2. The host passes every line. Nobody else passes `Host`.
//! 3. Lines only narrow. What a line lets in, the method may still refuse; what a line refuses, no method lets in.
//! 4. `Own` and `Enrolling` let in a user for their own things only: the method must call `reach` or `visible_owner`.
//!    `core/tests/facade/walk.rs` calls every method with weak credentials and looks for what changed.
//! 5. `Anyone` means that the arguments are the credential, or that the answer is public. Such a method looks at
//!    nothing of the caller's.
//!
//! # A new method
//!
//! Add its line in the group of its noun, choose the narrowest authority, and give the walk an entry.

use std::fmt;

use crate::values::scopes::{Access, Area};
use Access::{Read, Verify, Write};
use Area::{
    AppPasswords, Audit, Groups, Keys, OneTimeTokens, Passkeys, Services, Sessions, SignupTokens,
    Users,
};
use Authority::{Administrator, Anyone, Enrolling, Host, Own, Roles};

/// Who may call a method at all. What they may do with it, and to whom, is asked of the `Caller`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    /// The host's handle only.
    Host,
    /// Everybody: the arguments are the credential, or the answer is public.
    Anyone,
    /// Administrators whose credential has the scope, and the host.
    Administrator(Area, Access),
    /// The same, and a user for what is their own.
    Own(Area, Access),
    /// The same, and a user who waits for approval (S7).
    Enrolling(Area, Access),
    /// Administrators whose credential has `roles:write`, and the host.
    Roles,
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = |area: &Area, access: &Access| format!("{}:{}", area.name(), access.right());
        match self {
            Self::Host => f.write_str("host"),
            Self::Anyone => f.write_str("anyone"),
            Self::Administrator(area, access) => {
                write!(f, "administrator with {}", scope(area, access))
            }
            Self::Own(area, access) => {
                write!(f, "oneself or administrator, with {}", scope(area, access))
            }
            Self::Enrolling(area, access) => {
                write!(
                    f,
                    "oneself, also while pending, or administrator, with {}",
                    scope(area, access)
                )
            }
            Self::Roles => f.write_str("administrator with roles:write"),
        }
    }
}

macro_rules! table {
    ($($variant:ident $name:literal $authority:expr;)*) => {
        /// A method of the facade.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Method { $($variant),* }

        impl Method {
            const ALL: &[Self] = &[$(Self::$variant),*];

            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            pub(crate) fn authority(self) -> Authority {
                match self { $(Self::$variant => $authority),* }
            }
        }
    };
}

table! {
    ActingAs              "acting_as"                Host;
    Anonymous             "anonymous"                Host;
    WithClient            "with_client"              Host;
    Authenticate          "authenticate"             Anyone;
    AuthenticatePending   "authenticate_pending"     Anyone;
    Describe              "describe"                 Anyone;

    CreateUser            "create_user"              Administrator(Users, Write);
    GetUser               "get_user"                 Enrolling(Users, Read);
    FindUserByUsername    "find_user_by_username"    Own(Users, Read);
    FindUserByEmail       "find_user_by_email"       Own(Users, Read);
    FindUserByExternalId  "find_user_by_external_id" Own(Users, Read);
    ListUsers             "list_users"               Administrator(Users, Read);
    UpdateUser            "update_user"              Own(Users, Write);
    DeleteUser            "delete_user"              Administrator(Users, Write);
    SetUserRole           "set_user_role"            Roles;
    EnableUser            "enable_user"              Administrator(Users, Write);
    DisableUser           "disable_user"             Administrator(Users, Write);
    ApproveUser           "approve_user"             Administrator(Users, Write);
    RejectUser            "reject_user"              Administrator(Users, Write);
    SetUserGroups         "set_user_groups"          Administrator(Groups, Write);
    SetUserClaims         "set_user_claims"          Administrator(Users, Write);
    GetEffectiveClaims    "get_effective_claims"     Own(Users, Read);
    ListClaimKeys         "list_claim_keys"          Administrator(Users, Read);

    CreateGroup           "create_group"             Administrator(Groups, Write);
    GetGroup              "get_group"                Own(Groups, Read);
    ListGroups            "list_groups"              Own(Groups, Read);
    UpdateGroup           "update_group"             Administrator(Groups, Write);
    DeleteGroup           "delete_group"             Administrator(Groups, Write);
    SetGroupMembers       "set_group_members"        Administrator(Groups, Write);
    SetGroupClaims        "set_group_claims"         Administrator(Groups, Write);

    CreateService         "create_service"           Administrator(Services, Write);
    GetService            "get_service"              Own(Services, Read);
    ListServices          "list_services"            Own(Services, Read);
    UpdateService         "update_service"           Administrator(Services, Write);
    SetServiceOrigins     "set_service_origins"      Administrator(Services, Write);
    SetServiceAccess      "set_service_access"       Administrator(Services, Write);
    DeleteService         "delete_service"           Administrator(Services, Write);
    Authorize             "authorize"                Anyone;

    GetSettings           "get_settings"             Administrator(Area::Settings, Read);
    GetPublicSettings     "get_public_settings"      Anyone;
    UpdateSettings        "update_settings"          Administrator(Area::Settings, Write);
    SetDefaultGroups      "set_default_groups"       Administrator(Area::Settings, Write);
    SetDefaultClaims      "set_default_claims"       Administrator(Area::Settings, Write);
    SetSignupEmailDomains "set_signup_email_domains" Administrator(Area::Settings, Write);
    RememberOrigin        "remember_origin"          Host;

    CreateSignupToken     "create_signup_token"      Administrator(SignupTokens, Write);
    GetSignupToken        "get_signup_token"         Administrator(SignupTokens, Read);
    ListSignupTokens      "list_signup_tokens"       Administrator(SignupTokens, Read);
    UpdateSignupToken     "update_signup_token"      Administrator(SignupTokens, Write);
    SetSignupTokenGrants  "set_signup_token_grants"  Administrator(SignupTokens, Write);
    RevokeSignupToken     "revoke_signup_token"      Administrator(SignupTokens, Write);
    InspectSignupToken    "inspect_signup_token"     Anyone;
    SignUp                "sign_up"                  Anyone;
    BeginPasskeySignup    "begin_passkey_signup"     Anyone;
    FinishPasskeySignup   "finish_passkey_signup"    Anyone;
    ListSignupRedemptions "list_signup_redemptions"  Administrator(SignupTokens, Read);

    CreateOneTimeToken    "create_one_time_token"    Administrator(OneTimeTokens, Write);
    CreateRecoveryToken   "create_recovery_token"    Administrator(OneTimeTokens, Write);
    ListOneTimeTokens     "list_one_time_tokens"     Own(OneTimeTokens, Read);
    RevokeOneTimeToken    "revoke_one_time_token"    Administrator(OneTimeTokens, Write);
    RedeemOneTimeToken    "redeem_one_time_token"    Anyone;

    BeginPasskeyRegistration  "begin_passkey_registration"  Enrolling(Passkeys, Write);
    FinishPasskeyRegistration "finish_passkey_registration" Enrolling(Passkeys, Write);
    BeginPasskeyLogin     "begin_passkey_login"      Anyone;
    FinishPasskeyLogin    "finish_passkey_login"     Anyone;
    InspectPasskeyAnswer "inspect_passkey_answer"   Anyone;
    BeginStepUp           "begin_step_up"            Own(Sessions, Write);
    FinishStepUp          "finish_step_up"           Own(Sessions, Write);
    ListPasskeys          "list_passkeys"            Own(Passkeys, Read);
    RenamePasskey         "rename_passkey"           Own(Passkeys, Write);
    DeletePasskey         "delete_passkey"           Own(Passkeys, Write);
    GetPasskeySignals     "get_passkey_signals"      Anyone;

    GetSetupState         "get_setup_state"          Anyone;
    CreateSetupToken      "create_setup_token"       Host;
    ClaimSetup            "claim_setup"              Anyone;
    ResumeSetup           "resume_setup"             Anyone;
    CompleteSetup         "complete_setup"           Administrator(Area::Settings, Write);
    ResetSetup            "reset_setup"              Host;
    Bootstrap             "bootstrap"                Host;

    CreateSession         "create_session"           Host;
    VerifySession         "verify_session"           Anyone;
    ListSessions          "list_sessions"            Own(Sessions, Read);
    RevokeSession         "revoke_session"           Enrolling(Sessions, Write);
    RevokeUserSessions    "revoke_user_sessions"     Own(Sessions, Write);

    CreateApiKey          "create_api_key"           Own(Keys, Write);
    GetApiKey             "get_api_key"              Own(Keys, Read);
    ListApiKeys           "list_api_keys"            Own(Keys, Read);
    ListExpiringApiKeys   "list_expiring_api_keys"   Own(Keys, Read);
    RotateApiKey          "rotate_api_key"           Own(Keys, Write);
    RenewApiKey           "renew_api_key"            Own(Keys, Write);
    RevokeApiKey          "revoke_api_key"           Own(Keys, Write);
    VerifyApiKey          "verify_api_key"           Anyone;

    CreateAppPassword     "create_app_password"      Own(AppPasswords, Write);
    ListAppPasswords      "list_app_passwords"       Own(AppPasswords, Read);
    RevokeAppPassword     "revoke_app_password"      Own(AppPasswords, Write);
    VerifyAppPassword     "verify_app_password"      Administrator(AppPasswords, Verify);
    VerifySubsonicToken   "verify_subsonic_token"    Administrator(AppPasswords, Verify);

    BeginDeviceLogin      "begin_device_login"       Anyone;
    InspectDeviceLogin    "inspect_device_login"     Own(Sessions, Write);
    ApproveDeviceLogin    "approve_device_login"     Own(Sessions, Write);
    DenyDeviceLogin       "deny_device_login"        Own(Sessions, Write);
    PollDeviceLogin       "poll_device_login"        Anyone;
    CreateDeviceLink      "create_device_link"       Own(Passkeys, Write);
    ListDeviceLinks       "list_device_links"        Own(Passkeys, Read);
    DisownDeviceLink      "disown_device_link"       Own(Passkeys, Write);

    BeginServiceSession   "begin_service_session"    Anyone;
    RedeemServiceTicket   "redeem_service_ticket"    Anyone;
    VerifyServiceSession  "verify_service_session"   Anyone;

    IssueAccessToken      "issue_access_token"       Anyone;
    VerifyAccessToken     "verify_access_token"      Anyone;
    GetJwks               "get_jwks"                 Anyone;
    RotateSigningKey      "rotate_signing_key"       Host;

    ListAuditEvents       "list_audit_events"        Own(Audit, Read);

    PurgeExpired          "purge_expired"            Host;
    BackUpTo              "back_up_to"               Host;
    CheckIntegrity        "check_integrity"          Host;
    GetStatistics         "get_statistics"           Administrator(Area::Settings, Read);
    GetClockState         "get_clock_state"          Administrator(Area::Settings, Read);
    ResetClock            "reset_clock"              Host;
}

impl Method {
    /// V3: what a device that somebody approved does not do, whatever its scopes are. It makes no credential that outlives
    /// it, lets nobody in, registers no passkey, and does not become fresh.
    pub(crate) fn is_closed_to_devices(self) -> bool {
        matches!(
            self,
            Self::CreateApiKey
                | Self::RotateApiKey
                | Self::RenewApiKey
                | Self::CreateAppPassword
                | Self::CreateOneTimeToken
                | Self::CreateRecoveryToken
                | Self::CreateSignupToken
                | Self::UpdateSignupToken
                | Self::SetSignupTokenGrants
                | Self::InspectDeviceLogin
                | Self::ApproveDeviceLogin
                | Self::DenyDeviceLogin
                | Self::CreateDeviceLink
                | Self::DisownDeviceLink
                | Self::BeginPasskeyRegistration
                | Self::FinishPasskeyRegistration
                | Self::BeginStepUp
                | Self::FinishStepUp
        )
    }
}

/// Each method's name and authority, for `cargo xtask check` and the walk by weak keys.
#[doc(hidden)]
pub fn authority_table() -> Vec<(&'static str, String)> {
    let line = |method: &Method| (method.name(), method.authority().to_string());
    Method::ALL.iter().map(line).collect()
}
