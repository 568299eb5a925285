//! Why a call was refused, as values: what a caller may branch on is never read from a message.
//!
//! Each value is serialised as an object with its `code` and its numbers, for `reason_code` and `reason_json`.

use serde::Serialize;

/// A kind of thing that a call may not find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum Thing {
    /// A user.
    User,
    /// A group.
    Group,
    /// A service.
    Service,
    /// A session.
    Session,
    /// An API key.
    ApiKey,
    /// A sign-up token.
    SignupToken,
    /// A one-time token.
    OneTimeToken,
    /// A passkey.
    Passkey,
    /// An app password.
    AppPassword,
    /// A link by which a user adds another device.
    DeviceLink,
    /// A setup that somebody has claimed.
    ClaimedSetup,
}

/// Which rule a value breaks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum InputReason {
    /// Nothing was given, but a value is required.
    Missing,
    /// The text is empty.
    Empty,
    /// The text has too few characters.
    TooShort {
        /// The least that is allowed.
        least: i64,
    },
    /// The text has too many characters.
    TooLong {
        /// The most that is allowed.
        most: i64,
    },
    /// The text has too many bytes.
    TooManyBytes {
        /// The most that is allowed.
        most: i64,
    },
    /// The text has too few different characters.
    TooUniform {
        /// The least that is allowed.
        least: i64,
    },
    /// The number is outside of its range.
    OutOfRange {
        /// The least that is allowed.
        least: i64,
        /// The most that is allowed.
        most: i64,
    },
    /// The number is too small.
    TooSmall {
        /// The least that is allowed.
        least: i64,
    },
    /// The list names too few things.
    TooFew {
        /// The least that is allowed.
        least: i64,
    },
    /// The list names too many things.
    TooMany {
        /// The most that is allowed.
        most: i64,
    },
    /// The text holds control characters, or characters that turn the direction of what follows.
    ControlCharacters,
    /// The text holds characters that nobody sees, such as a zero-width space.
    InvisibleCharacters,
    /// The text has no character that can be seen.
    NothingVisible,
    /// The text begins or ends with a blank.
    BlankEnds,
    /// The text is not in Unicode normal form C, or begins or ends with a blank.
    NotNormalised,
    /// The text begins or ends with something else than a letter or digit.
    BadEnds,
    /// The text is not UTF-8.
    NotUtf8,
    /// The text holds characters that a username may not have.
    NotUsername,
    /// The username has an `@`, which only an administrator or the host gives.
    AddressAsUsername,
    /// The text mixes letters of scripts that are not written together, such as Latin and Cyrillic.
    MixedScripts,
    /// The text is not an e-mail address.
    NotEmail,
    /// The text is not a language tag.
    NotLanguageTag,
    /// The text is not a UUID.
    NotUuid,
    /// The text is not base64url.
    NotBase64Url,
    /// The text is not a web origin.
    NotOrigin,
    /// The text is not a domain.
    NotDomain,
    /// The text does not have the form of a scope.
    NotScope,
    /// There is no such scope in this built-in area.
    UnknownScope {
        /// The built-in area.
        area: String,
    },
    /// The text does not have the form of a service's short name.
    NotSlug,
    /// The text does not have the form of a group's name.
    NotGroupName,
    /// The name of a claim holds blanks.
    NotClaimName,
    /// The name is kept for something else.
    Reserved {
        /// The name.
        name: String,
    },
    /// The name stands there twice.
    Duplicate {
        /// The name.
        name: String,
    },
    /// The entry or its field stands there twice.
    DuplicateEntry,
    /// The time does not lie in the future.
    InThePast,
    /// The time lies after the year 9999, or cannot be written at all.
    TooLate,
    /// The time lies before 1970.
    TooEarly,
    /// The secret begins as tokens of this library do, and is not a whole API key.
    BrokenToken,
    /// The secret is, or was, that of another API key.
    SecretTaken,
    /// The value needs another one beside it.
    Needs {
        /// The field that is needed.
        field: String,
    },
    /// Either this value must be given or another one, and not both.
    EitherOr {
        /// The other field.
        field: String,
    },
    /// The value stands beside another one that excludes it.
    Excludes {
        /// The field that excludes it.
        field: String,
    },
    /// The value names something that does not exist.
    NamesNothing {
        /// What is missing.
        what: Thing,
    },
    /// The value is that of something that no plan made.
    NotOfPlan {
        /// What it is.
        what: Thing,
    },
    /// The id is that of another user.
    OtherUser,
    /// The value contradicts what is stored.
    Contradicts {
        /// What stands in the way.
        what: ConflictReason,
    },
    /// The document is not JSON.
    NotJson {
        /// The line, counted from 1.
        line: i64,
        /// The column, counted from 1.
        column: i64,
    },
    /// There is no such field.
    UnknownField,
    /// The value is of another type than is wanted.
    WrongType {
        /// What is wanted, in words.
        expected: String,
    },
    /// The file belongs to the database itself.
    OwnFile,
    /// The folder does not exist.
    NoFolder,
    /// The folder cannot be written.
    FolderReadOnly,
    /// Others can make or replace files in the folder, and `allow_shared_file` is not set.
    SharedFolder,
    /// A pointer is NULL. Only the C face gives this.
    Null,
    /// The number is not one of the enum's values. Only the C face gives this.
    NotEnumValue,
    /// There is no file at the path.
    NotAFile,
    /// The file is a database in use, or one whose log is beside it, and so no back-up.
    InUse,
}

/// What of the stored state stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum ConflictReason {
    /// Somebody or something else has this value.
    Taken,
    /// No administrator who can sign in would be left.
    LastAdministrator,
    /// It is the last passkey of its user.
    LastPasskey,
    /// The user waits for approval.
    UserPending,
    /// The user does not wait for approval.
    UserNotPending,
    /// The sign-up token is revoked.
    SignupTokenRevoked,
    /// Nobody has claimed setup.
    SetupNotClaimed,
    /// Setup is open already.
    SetupOpen,
    /// The generation of setup is another.
    OtherGeneration,
    /// The user has another e-mail address by now.
    OtherEmail,
    /// The user's claims are too long for a token.
    ClaimsTooLong,
    /// The file exists already.
    FileExists,
    /// Somebody has approved or denied this device already.
    DeviceDecided,
    /// Somebody had this name before, perhaps a user who was deleted, and it is kept for them.
    Former,
}

/// What the caller lacks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum DenialReason {
    /// Only the host's handle may do this.
    HostOnly,
    /// A stranger must sign in first.
    NotSignedIn,
    /// Only administrators may do this.
    AdministratorsOnly,
    /// The credential lacks a scope.
    MissingScope {
        /// The scope that would do.
        scope: String,
    },
    /// Only an administrator's credential with `*` and `roles:write` may do this.
    FullRightsNeeded,
    /// Users may change only their names, locale and e-mail address.
    OwnProfileOnly,
    /// Only users themselves, in a session, register their passkeys.
    OwnPasskeysOnly,
    /// Until approval there is one passkey.
    OnePasskeyUntilApproval,
    /// Only a session may do this, not an API key.
    SessionNeeded,
    /// The session may do less than its user; they must sign in again.
    NarrowSession,
    /// Whoever claimed setup is no longer an administrator.
    NoLongerAdministrator,
    /// An existing user may be named only after `reset_setup`.
    ResetNeeded,
    /// A credential gives nothing that it does not have.
    MoreThanItself,
    /// A credential makes or renews nothing that outlives it.
    OutlivesItself,
    /// An API key cannot renew or rotate itself.
    KeyItself,
    /// The service is closed to everybody.
    ServiceClosed,
    /// The service is not open to this user.
    ServiceNotOpen,
    /// The credential lacks a scope of the service.
    ServiceScope,
    /// The origin is none of the service's.
    ServiceOrigin,
    /// Forward auth: a host name of the service, ports aside, is also that of another service or of this library's own origins,
    /// so that one's cookies would reach the other.
    ServiceHostShared,
    /// Forward auth: what a service gets to see is for that service alone.
    ForOthersToo,
    /// A device that somebody approved does not do this; its user does, signed in themselves.
    DeviceSession,
    /// Only users themselves make their app passwords.
    OwnAppPasswordsOnly,
    /// Nobody has looked at this device and what it asks for, who could approve it.
    DeviceNotInspected,
    /// The settings do not let users change their own profile.
    OwnProfileClosed,
}

/// Why somebody cannot sign up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum SignupRefusal {
    /// Sign-up is disabled.
    Disabled,
    /// Sign-up wants a token.
    TokenNeeded,
    /// The e-mail address is not of a domain that is let in.
    EmailDomain,
}

/// What is wrong with an option.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum ConfigurationReason {
    /// It must name a file.
    NoFile,
    /// The file's folder does not exist.
    NoFolder,
    /// What is at the path is not a file.
    NotAFile,
    /// Others can read or write the file, and `allow_shared_file` is not set.
    SharedFile,
    /// It is not a prefix of tokens: 1 to 16 small letters and digits, a letter first.
    NotPrefix,
    /// The text has too few characters.
    TooShort {
        /// The least that is allowed.
        least: i64,
    },
    /// The number is outside of its range.
    OutOfRange {
        /// The least that is allowed.
        least: i64,
        /// The most that is allowed.
        most: i64,
    },
    /// The origin begins with neither `https://` nor `http://`.
    NotWebOrigin,
    /// The origin is more or less than scheme, host and perhaps a port.
    NotOrigin,
    /// It is not an origin of an Android application.
    NotNativeOrigin,
    /// The RP id is neither the origin's host nor a domain above it.
    RpIdOutsideOrigin,
    /// The origin is not of the RP id, or neither https nor localhost.
    OutsideRpId,
    /// The origin is not https.
    NotHttps,
    /// The origin is an IP address, where passkeys cannot work, and `allow_insecure_origin` is not set.
    IpAddress,
    /// The origin is neither https nor localhost, where passkeys cannot work, and `allow_insecure_origin` is not set.
    InsecureOrigin,
    /// The passkeys in the database are of another RP id, and `accept_rp_id_change` is not set.
    OtherRpId {
        /// Theirs.
        stored: String,
        /// The configured one.
        configured: String,
    },
    /// The signing key is sealed, and no encryption key is given.
    KeyNeeded,
    /// The signing key is sealed under another encryption key.
    WrongKey,
    /// The file is not there and cannot be made, because its folder cannot be written.
    FolderReadOnly,
    /// The file, or a link to it, belongs to another user of the machine, and `allow_shared_file` is not set.
    OthersFile,
    /// Others can make or replace files in a folder on the way to the file, and `allow_shared_file` is not set.
    SharedFolder,
    /// A file that SQLite keeps beside the database belongs to another user, is a link, or can be read or written by
    /// others, and `allow_shared_file` is not set.
    UnsafeSideFile {
        /// What its name has after that of the database: `-wal`, `-shm` or `-journal`.
        suffix: String,
    },
    /// SQLite would take it for a database in memory or for a URI: `:memory:`, or a name that begins with `file:`.
    NotAPath,
    /// The path is a symbolic link to nothing, or links lead in a circle.
    LeadsNowhere,
    /// The path, or the file's name with what SQLite adds to it, is longer than can be opened.
    PathTooLong {
        /// The most bytes that are allowed.
        most: i64,
    },
    /// The file has further hard links, and `allow_shared_file` is not set. SQLite keeps a log for each name, so that two
    /// processes which use different names destroy each other's work.
    SeveralNames,
    /// The file itself is a mount point, and `allow_shared_file` is not set. Its log then lies in another folder here than
    /// where it was mounted from.
    MountedFile,
    /// The log beside the file is not its own, as when a back-up was put in the place of the database and the `-wal` stayed.
    OtherLog,
    /// Another process has the file open, and its log is not beside this path.
    OpenElsewhere,
    /// It is not the URL of a PostgreSQL database with a host: `postgres://role@host/database`.
    NotDatabaseUrl,
    /// A path is given too. One of the two is the database.
    PathAndDatabase,
    /// This library was built without PostgreSQL.
    NoPostgres,
}
