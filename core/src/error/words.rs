//! Every sentence of the library's errors: English for logs and developers, lower case, without personal data.
//!
//! Nothing is decided by them. `KEYPLATE_WORDLESS`, set while core is compiled, replaces each by `x`, so that the tests can
//! show it: only those of the wording fail then.

use std::fmt;

use super::{
    KeyplateError, PasskeyFailure,
    reasons::{
        ConfigurationReason, ConflictReason, DenialReason, InputReason, SignupRefusal, Thing,
    },
};

const WORDLESS: bool = option_env!("KEYPLATE_WORDLESS").is_some();

/// Writes a sentence.
fn say(f: &mut fmt::Formatter<'_>, words: fmt::Arguments<'_>) -> fmt::Result {
    if WORDLESS {
        f.write_str("x")
    } else {
        f.write_fmt(words)
    }
}

macro_rules! words {
    ($name:ident { $($pattern:pat => $format:literal $(, $argument:expr)*;)* }) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                use $name::*;
                match self {
                    $($pattern => say(f, format_args!($format $(, $argument)*)),)*
                }
            }
        }
    };
}

words! {
    KeyplateError {
        InvalidInput { field, reason } => "invalid {field}: {reason}";
        NotFound { what } => "no such {what}";
        Conflict { what, field: Some(field) } => "conflict: {field} {what}";
        Conflict { what, field: None } => "conflict: {what}";
        Configuration { option, reason } => "configuration of {option}: {reason}";
        InvalidCredential => "invalid credential";
        PermissionDenied { reason } => "permission denied: {reason}";
        StepUpRequired => "step-up required";
        PasskeyCeremonyFailed { reason } => "passkey ceremony failed: {reason}";
        AccountPending => "the account is pending";
        AccountDisabled => "the account is disabled";
        AccountExpired => "the account has expired";
        SetupAlreadyClaimed => "setup already claimed";
        SetupAlreadyComplete => "setup already complete";
        SignupRefused { reason } => "sign-up refused: {reason}";
        RateLimited { .. } => "too many tries";
        Busy => "the database is busy";
        StorageFull { path } => "the disk is full: cannot write {path}";
        StorageReadOnly { path } => "the database is read-only: cannot write {path}";
        StorageFailed { path, reason } => "storage failed: {path}: {reason}";
        StorageLost { path } => "the database file was removed or replaced: {path}";
        CorruptDatabase { reason } => "the database is corrupt: {reason}";
        ForeignDatabase { reason } => "not a keyplate database: {reason}";
        SchemaTooNew { found, known } => "the database has schema {found}, this library knows {known}";
        ClockBehind { seconds } => "the clock is {seconds} seconds behind the time of the last change";
        ForkedHandle => "the handle was forked while in use";
        Internal { reason } => "internal error: {reason}";
    }
}

words! {
    Thing {
        User => "user";
        Group => "group";
        Service => "service";
        Session => "session";
        ApiKey => "API key";
        SignupToken => "sign-up token";
        OneTimeToken => "one-time token";
        Passkey => "passkey";
        AppPassword => "app password";
        DeviceLink => "device link";
        ClaimedSetup => "claimed setup";
    }
}

words! {
    InputReason {
        Missing => "must be given";
        Empty => "must not be empty";
        TooShort { least } => "must have at least {least} characters";
        TooLong { most } => "must have at most {most} characters";
        TooManyBytes { most } => "must have at most {most} bytes";
        TooUniform { least } => "must have at least {least} different characters";
        OutOfRange { least, most } => "must be between {least} and {most}";
        TooSmall { least } => "must be at least {least}";
        TooFew { least } => "must name at least {least}";
        TooMany { most } => "must name at most {most}";
        ControlCharacters => "must not contain control characters";
        InvisibleCharacters => "must not contain characters that nobody sees";
        NothingVisible => "must have a character that can be seen";
        BlankEnds => "must not begin or end with a blank";
        NotNormalised => "must be in Unicode normal form C, without blanks at its ends";
        BadEnds => "must begin and end with a letter or digit";
        NotUtf8 => "is not UTF-8";
        NotUsername => "may contain letters, digits and _ . @ - only";
        AddressAsUsername => "may contain @ only if an administrator gives it";
        MixedScripts => "must not mix letters of different scripts";
        NotEmail => "is not an e-mail address";
        NotLanguageTag => "is not a language tag";
        NotUuid => "is not a UUID";
        NotBase64Url => "is not base64url";
        NotOrigin => "must be scheme, host in small letters and perhaps a port, without a path";
        NotDomain => "must be a domain such as `example.org`";
        NotScope => "must be `*` or have the form `area:right`";
        UnknownScope { area } => "names a scope that the area `{area}` does not have";
        NotSlug => "must have small letters, digits and _ . - only, a letter first";
        NotGroupName => "must not contain commas, nor begin or end with a blank";
        NotClaimName => "must be a name without blanks";
        Reserved { name } => "must not be `{name}`, which is reserved";
        Duplicate { name } => "must not name `{name}` twice";
        DuplicateEntry => "stands there twice";
        InThePast => "must lie in the future";
        TooLate => "lies after the year 9999";
        TooEarly => "lies before 1970";
        BrokenToken => "begins as tokens of this library do and is not a whole API key";
        SecretTaken => "is that of another API key, perhaps of a revoked one, or was given before";
        Needs { field } => "wants `{field}` beside it";
        EitherOr { field } => "must be given, or `{field}` in its place, and not both";
        Excludes { field } => "stands beside `{field}`: give one of them";
        NamesNothing { what } => "names a {what} that does not exist";
        NotOfPlan { what: Thing::User } => "is that of a user whom no plan made: name their `id` too, if it is they";
        NotOfPlan { what: Thing::ApiKey } => "is that of an API key that no plan made: revoke it, or choose another name";
        NotOfPlan { what } => "is that of a {what} that no plan made";
        OtherUser => "is that of another user";
        Contradicts { what: ConflictReason::Taken } => "is taken";
        Contradicts { what } => "cannot be as the plan has it: {what}";
        NotJson { line, column } => "is not JSON at line {line}, column {column}";
        UnknownField => "is not a field that there is";
        WrongType { expected } => "must be {expected}";
        OwnFile => "belongs to the database itself";
        NoFolder => "is in a folder that does not exist";
        FolderReadOnly => "is in a folder that cannot be written";
        SharedFolder => "is in a folder where others can replace files";
        Null => "is NULL";
        NotEnumValue => "is not one of the enum's values";
        NotAFile => "is not a file that there is";
        InUse => "is a database in use, or has a log (`-wal`) beside it, so it is no back-up";
    }
}

words! {
    ConflictReason {
        Taken => "is taken";
        LastAdministrator => "this is the last administrator";
        LastPasskey => "this is the last passkey";
        UserPending => "the user waits for approval";
        UserNotPending => "the user does not wait for approval";
        SignupTokenRevoked => "the sign-up token is revoked";
        SetupNotClaimed => "setup is not claimed";
        SetupOpen => "setup is open already";
        OtherGeneration | OtherEmail => "is another by now";
        ClaimsTooLong => "the user's claims are too long for a token";
        FileExists => "the file exists already";
        DeviceDecided => "the device was approved or denied already";
        Former => "was somebody else's before, and is given again only when an administrator creates a user";
    }
}

words! {
    DenialReason {
        HostOnly => "only the host may do this";
        NotSignedIn => "sign in first";
        AdministratorsOnly => "only administrators may do this";
        MissingScope { scope } => "the credential lacks the scope {scope}";
        FullRightsNeeded => "this wants an administrator's credential with * and roles:write";
        OwnProfileOnly => "users may change their names, locale and e-mail address only";
        OwnPasskeysOnly => "only users themselves, in a session, register their passkeys";
        OnePasskeyUntilApproval => "until approval there is one passkey";
        SessionNeeded => "this wants a session";
        NarrowSession => "this session may do less than its user; sign in again";
        NoLongerAdministrator => "whoever claimed setup is no longer an administrator";
        ResetNeeded => "an existing user may be named only after reset_setup";
        MoreThanItself => "the credential does not have all of this itself";
        OutlivesItself => "a credential cannot make or renew one that outlives it";
        KeyItself => "a key cannot renew or rotate itself";
        ServiceClosed => "the service is closed";
        ServiceNotOpen => "the service is not open to this user";
        ServiceScope => "the credential lacks a scope of the service";
        ServiceOrigin => "this is no origin of the service";
        ServiceHostShared => "the service has a host name in common with another service, or with the place to sign in";
        ForOthersToo => "the service would see this credential, which is not for it alone";
        DeviceSession => "a device that was approved does not do this; sign in yourself";
        OwnAppPasswordsOnly => "only users themselves make their app passwords";
        DeviceNotInspected => "look at what the device asks for first";
        OwnProfileClosed => "the settings do not let users change their own profile";
    }
}

words! {
    SignupRefusal {
        Disabled => "sign-up is disabled";
        TokenNeeded => "sign-up wants a token";
        EmailDomain => "the e-mail address is not of an allowed domain";
    }
}

impl ConfigurationReason {
    /// The sentence, with the options that it names called as the program is used: `option` gives that for the name of a
    /// field of `Config`, or of a method. A program whose users set other things than those says what they do set.
    pub fn worded(&self, option: impl Fn(&str) -> String) -> String {
        use ConfigurationReason::*;
        if WORDLESS {
            return "x".to_owned();
        }
        let allow_shared_file = || option("allow_shared_file");
        match self {
            NoFile => "must name a file".to_owned(),
            NoFolder => "is in a folder that does not exist".to_owned(),
            NotAFile => "is not a file".to_owned(),
            SharedFile => format!(
                "is a file that others can read or write; take their rights away (chmod 600) or set {}",
                allow_shared_file()
            ),
            OthersFile => format!(
                "belongs to another user of this machine; give it to this one (chown) or set {}",
                allow_shared_file()
            ),
            SharedFolder => format!(
                "is in a folder where others can replace files; give the folder to this user, take the rights of others \
                 away (chmod go-w) or set {}",
                allow_shared_file()
            ),
            UnsafeSideFile { suffix } => format!(
                "has a file `{suffix}` beside it that is a link, belongs to another user or can be read or written by \
                 others; see where it comes from, or set {}",
                allow_shared_file()
            ),
            FolderReadOnly => "is in a folder that cannot be written".to_owned(),
            LeadsNowhere => "is a link that leads to nothing, or in a circle".to_owned(),
            PathTooLong { most } => format!(
                "is too long: at most {most} bytes in all, and 247 for the file's name, to which SQLite adds its own"
            ),
            SeveralNames => format!(
                "is a file that has several names (hard links), and each name has a log of its own: remove the others, \
                 or set {} if nothing ever opens it by another",
                allow_shared_file()
            ),
            MountedFile => format!(
                "is a file that was mounted by itself, so that its log lies in another folder here than outside: mount \
                 its folder, or set {} if nothing opens it outside",
                allow_shared_file()
            ),
            OtherLog => "has a log beside it (`-wal`) that belongs to another state of the file: after a back-up was put \
                         in its place, move the `-wal` and `-shm` away; otherwise put back the file that they belong to"
                .to_owned(),
            OpenElsewhere => "is open in another process that keeps its log elsewhere, because it uses another name or \
                              mount of the file, or because the `-wal` or `-shm` was removed: end that process first"
                .to_owned(),
            NotDatabaseUrl => "is not the URL of a PostgreSQL database: `postgres://role:password@host/database`".to_owned(),
            PathAndDatabase => "is given beside a path, and only one of the two is the database".to_owned(),
            NoPostgres => "names a PostgreSQL server, and this library was built without the feature `postgres`".to_owned(),
            NotAPath => "is a name that SQLite gives a meaning of its own (`:memory:`, `file:`); a database is a file, in \
                         tests one in a temporary folder"
                .to_owned(),
            NotPrefix => "must be 1 to 16 small letters and digits, a letter first".to_owned(),
            TooShort { least } => format!("must have at least {least} characters"),
            OutOfRange { least, most } => format!("must be between {least} and {most}"),
            NotWebOrigin => "must begin with https:// or http://".to_owned(),
            NotOrigin => "must be scheme, host in small letters and perhaps a port, without a path".to_owned(),
            NotNativeOrigin => "must be android:apk-key-hash: and 43 characters of base64url; Apple's applications have \
                                web origins"
                .to_owned(),
            RpIdOutsideOrigin => "must be the origin's host, or a domain above it".to_owned(),
            OutsideRpId => format!(
                "must be https or localhost, and of the RP id; others are {}",
                option("related_origins")
            ),
            NotHttps => "must be https".to_owned(),
            IpAddress => format!(
                "is an IP address, where passkeys cannot work: use a host name, or {} to do without",
                option("allow_insecure_origin")
            ),
            InsecureOrigin => format!(
                "is neither https nor localhost, where passkeys cannot work: use https, or {} to do without",
                option("allow_insecure_origin")
            ),
            OtherRpId { stored, configured } => format!(
                "the passkeys in this database are of the RP id {stored} and cannot work under {configured}: keep the \
                 former {} or {}, or set {}, by which everybody registers a new one",
                option("origin"),
                option("rp_id"),
                option("accept_rp_id_change")
            ),
            KeyNeeded => "is wanted, because the signing key is sealed by one".to_owned(),
            WrongKey => format!(
                "is not the one under which the signing key is sealed; {} makes another",
                option("rotate_signing_key")
            ),
        }
    }
}

impl fmt::Display for ConfigurationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.worded(str::to_owned))
    }
}

words! {
    PasskeyFailure {
        Unavailable => "passkeys cannot work here";
        UnknownCeremony => "no such ceremony";
        ExpiredCeremony => "the ceremony has expired";
        SpentChallenge => "the challenge was used before";
        WrongKind => "the ceremony is of another kind";
        WrongUser => "the ceremony is somebody else's";
        Malformed => "the response is malformed";
        WrongType => "the client data is of another type";
        WrongChallenge => "another challenge";
        WrongOrigin => "another origin";
        CrossOrigin => "in a frame of another origin";
        WrongRpId => "another RP id";
        UserNotPresent => "the user was not present";
        UserNotVerified => "the user was not verified";
        BadSignature => "the signature is wrong";
        UnsupportedAlgorithm => "the key is of an algorithm, curve or size that is not accepted";
        BadAttestation => "the attestation contradicts itself";
        WrongBackupFlags => "the backup flags are inconsistent";
        NotDiscoverable => "the credential is not discoverable";
        CredentialTaken => "the credential is registered already";
        UnknownCredential => "unknown credential";
        WrongUserHandle => "the user handle does not match";
        CounterWentBack => "the signature counter went back";
        BackupEligibilityChanged => "the passkey's eligibility for back-up has changed";
    }
}
