// What crosses into C: the functions of `keyplate.h` that this server calls, one line each, and what makes them C#.

using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;

/// <summary>What the library says: a status for HTTP, a name and a reason for the page, words for the log.</summary>
public class KeyplateException : Exception
{
    public int HttpStatus;
    public string Name, Reason;
    public long RetrySeconds;

    public KeyplateException(string message) : base(message) { }
}

/// <summary>Frees what the library gave, when a request ends.</summary>
public sealed class Own : IDisposable
{
    readonly List<Action> kept = new List<Action>();

    internal delegate int Call(out IntPtr result, out IntPtr error);
    internal delegate int Change(out IntPtr error);

    /// <summary>Calls, and keeps what comes out until the end.</summary>
    internal IntPtr Out(Action<IntPtr> free, Call call)
    {
        IntPtr result, error;
        Check(call(out result, out error), error);
        kept.Add(() => free(result));
        return result;
    }

    internal static void Do(Change call)
    {
        IntPtr error;
        Check(call(out error), error);
    }

    /// <summary>A text in C's memory, for what gives a part of it back.</summary>
    internal IntPtr Text(string text)
    {
        if (text == null) return IntPtr.Zero;
        byte[] bytes = Encoding.UTF8.GetBytes(text + "\0");
        IntPtr copy = Marshal.AllocHGlobal(bytes.Length);
        Marshal.Copy(bytes, 0, copy, bytes.Length);
        kept.Add(() => Marshal.FreeHGlobal(copy));
        return copy;
    }

    static void Check(int status, IntPtr error)
    {
        if (status == 0) return;
        long wait;
        string reason = Native.keyplate_error_get_reason_json(error).ToString();
        var thrown = new KeyplateException(Native.keyplate_error_get_message(error).ToString())
        {
            HttpStatus = (int)Native.keyplate_error_get_http_status(error),
            Name = Marshal.PtrToStringAnsi(Native.keyplate_status_name(status)),
            Reason = reason == "" ? "null" : reason,
            RetrySeconds = Native.keyplate_error_get_retry_after(error, out wait) ? (wait + 999) / 1000 : 0,
        };
        Native.keyplate_error_free(error);
        throw thrown;
    }

    public void Dispose()
    {
        for (int n = kept.Count - 1; n >= 0; n--) kept[n]();
        kept.Clear();
    }
}

/// <summary>A text that the library keeps: read it at once.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Str
{
    IntPtr pointer;
    UIntPtr length;

    public override string ToString()
    {
        var bytes = new byte[(int)length];
        if (bytes.Length > 0) Marshal.Copy(pointer, bytes, 0, bytes.Length);
        return Encoding.UTF8.GetString(bytes);
    }
}

[UnmanagedFunctionPointer(CallingConvention.Cdecl)]
internal delegate void EventCallback(IntPtr told, IntPtr data);

internal static class Native
{
    const string Library = "keyplate";
    const UnmanagedType Utf8 = UnmanagedType.LPUTF8Str;

    internal const int SetupStageUninitialised = 1, ServiceAccessEveryone = 2, SignupModeWithToken = 2;
    internal const int ApprovalRuleNeeded = 2, ApprovalRuleNotNeeded = 3;

    internal static string Reveal(IntPtr secret)
    {
        return keyplate_secret_reveal(secret).ToString();
    }

    /// <summary>How long a text is for C.</summary>
    internal static UIntPtr Length(string text)
    {
        return (UIntPtr)Encoding.UTF8.GetByteCount(text);
    }

        [DllImport(Library)] internal static extern long keyplate_error_get_http_status(IntPtr error);
        [DllImport(Library)] internal static extern IntPtr keyplate_status_name(int value);
        [DllImport(Library)] internal static extern Str keyplate_error_get_reason_json(IntPtr error);
        [DllImport(Library)] internal static extern Str keyplate_error_get_message(IntPtr error);
        [DllImport(Library)] [return: MarshalAs(UnmanagedType.I1)]
        internal static extern bool keyplate_error_get_retry_after(IntPtr error, out long result);
        [DllImport(Library)] internal static extern void keyplate_error_free(IntPtr error);
        [DllImport(Library)] internal static extern Str keyplate_secret_reveal(IntPtr secret);
        [DllImport(Library)] internal static extern int keyplate_secret_new([MarshalAs(Utf8)] string value, UIntPtr valueLen,
        out IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern void keyplate_secret_free(IntPtr secret);
        [DllImport(Library)] internal static extern void keyplate_free(IntPtr kp);
        [DllImport(Library)] internal static extern int keyplate_config_new([MarshalAs(Utf8)] string path, [MarshalAs(Utf8)]
        string origin, out IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern void keyplate_config_free(IntPtr config);
        [DllImport(Library)] internal static extern int keyplate_config_set_events(IntPtr config, EventCallback callback,
        IntPtr data, IntPtr freeData, out IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_open(IntPtr config, out IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern IntPtr keyplate_event_kind_name(int value);
        [DllImport(Library)] internal static extern int keyplate_audit_event_get_kind(IntPtr auditEvent);
        [DllImport(Library)] internal static extern Str keyplate_audit_event_get_username(IntPtr auditEvent);
        [DllImport(Library)] internal static extern int keyplate_get_setup_state(IntPtr kp, out IntPtr result, out IntPtr
        error);
        [DllImport(Library)] internal static extern int keyplate_setup_state_get_stage(IntPtr setupState);
        [DllImport(Library)] internal static extern void keyplate_setup_state_free(IntPtr setupState);
        [DllImport(Library)] internal static extern int keyplate_create_setup_token(IntPtr kp, out IntPtr result, out IntPtr
        error);
        [DllImport(Library)] internal static extern IntPtr keyplate_created_setup_token_get_secret(IntPtr createdSetupToken);
        [DllImport(Library)] internal static extern void keyplate_created_setup_token_free(IntPtr createdSetupToken);
        [DllImport(Library)] internal static extern int keyplate_new_service_new([MarshalAs(Utf8)] string slug, out IntPtr
        result, out IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_new_service_set_access(IntPtr newService, int value, out
        IntPtr error);
        [DllImport(Library)] internal static extern void keyplate_new_service_free(IntPtr newService);
        [DllImport(Library)] internal static extern int keyplate_create_service(IntPtr kp, IntPtr service, out IntPtr result,
        out IntPtr error);
        [DllImport(Library)] internal static extern void keyplate_service_free(IntPtr service);
        [DllImport(Library)] internal static extern int keyplate_settings_changes_new(out IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_settings_changes_set_signup_mode(IntPtr settingsChanges, int
        value, out IntPtr error);
        [DllImport(Library)] internal static extern void keyplate_settings_changes_free(IntPtr settingsChanges);
        [DllImport(Library)] internal static extern int keyplate_update_settings(IntPtr kp, IntPtr changes, out IntPtr result,
        out IntPtr error);
        [DllImport(Library)] internal static extern void keyplate_settings_free(IntPtr settings);
        [DllImport(Library)] internal static extern int keyplate_purge_expired(IntPtr kp, out IntPtr result, out IntPtr
        error);
        [DllImport(Library)] internal static extern void keyplate_purge_report_free(IntPtr purgeReport);
        [DllImport(Library)] internal static extern int keyplate_back_up_to(IntPtr kp, [MarshalAs(Utf8)] string path, out
        IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern void keyplate_backup_report_free(IntPtr backupReport);
        [DllImport(Library)] internal static extern int keyplate_client_info_new(out IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_client_info_set_address(IntPtr clientInfo, [MarshalAs(Utf8)]
        string value, out IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_client_info_set_user_agent(IntPtr clientInfo,
        [MarshalAs(Utf8)] string value, out IntPtr error);
        [DllImport(Library)] internal static extern void keyplate_client_info_free(IntPtr clientInfo);
        [DllImport(Library)] internal static extern int keyplate_anonymous(IntPtr kp, IntPtr client, out IntPtr result, out
        IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_authenticate(IntPtr kp, [MarshalAs(Utf8)] string credential,
        UIntPtr credentialLen, out IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_authenticate_pending(IntPtr kp, [MarshalAs(Utf8)] string
        credential, UIntPtr credentialLen, out IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern Str keyplate_authenticated_get_username(IntPtr authenticated);
        [DllImport(Library)] internal static extern Str keyplate_authenticated_get_session_id(IntPtr authenticated);
        [DllImport(Library)] internal static extern IntPtr keyplate_authenticated_get_principal(IntPtr authenticated);
        [DllImport(Library)] internal static extern void keyplate_authenticated_free(IntPtr authenticated);
        [DllImport(Library)] internal static extern int keyplate_acting_as(IntPtr kp, IntPtr principal, IntPtr client, out
        IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_authorize(IntPtr kp, IntPtr principal, [MarshalAs(Utf8)]
        string service, out IntPtr result, out IntPtr error);
        [DllImport(Library)] [return: MarshalAs(UnmanagedType.I1)]
        internal static extern bool keyplate_decision_get_allowed(IntPtr decision);
        [DllImport(Library)] internal static extern void keyplate_decision_free(IntPtr decision);
        [DllImport(Library)] internal static extern Str keyplate_find_credential(IntPtr authorization, IntPtr apiKey, IntPtr
        cookie, IntPtr cookieName, [MarshalAs(UnmanagedType.I1)] out bool fromCookie);
        [DllImport(Library)] internal static extern Str keyplate_find_cookie(IntPtr cookie, IntPtr name);
        [DllImport(Library)] internal static extern int keyplate_cookie_new([MarshalAs(Utf8)] string name, [MarshalAs(Utf8)]
        string value, UIntPtr valueLen, long maxAgeSeconds, [MarshalAs(UnmanagedType.I1)] bool secure, out IntPtr result, out
        IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_session_cookie_new([MarshalAs(Utf8)] string name, IntPtr
        signedIn, [MarshalAs(UnmanagedType.I1)] bool secure, out IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern IntPtr keyplate_signed_in_get_user(IntPtr signedIn);
        [DllImport(Library)] internal static extern void keyplate_signed_in_free(IntPtr signedIn);
        [DllImport(Library)] internal static extern int keyplate_revoke_session(IntPtr kp, [MarshalAs(Utf8)] string id, out
        IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_new_admin_new([MarshalAs(Utf8)] string username, out IntPtr
        result, out IntPtr error);
        [DllImport(Library)] internal static extern void keyplate_new_admin_free(IntPtr newAdmin);
        [DllImport(Library)] internal static extern int keyplate_claim_setup(IntPtr kp, [MarshalAs(Utf8)] string token,
        UIntPtr tokenLen, IntPtr admin, out IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_begin_passkey_login(IntPtr kp, out IntPtr result, out IntPtr
        error);
        [DllImport(Library)] internal static extern int keyplate_begin_passkey_registration(IntPtr kp, out IntPtr result, out
        IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_begin_step_up(IntPtr kp, out IntPtr result, out IntPtr
        error);
        [DllImport(Library)] internal static extern int keyplate_begin_passkey_signup(IntPtr kp, IntPtr signup, out IntPtr
        result, out IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_new_signup_new([MarshalAs(Utf8)] string username, out IntPtr
        result, out IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_new_signup_set_token(IntPtr newSignup, IntPtr value, out
        IntPtr error);
        [DllImport(Library)] internal static extern void keyplate_new_signup_free(IntPtr newSignup);
        [DllImport(Library)] internal static extern Str keyplate_passkey_ceremony_get_ceremony(IntPtr passkeyCeremony);
        [DllImport(Library)] internal static extern Str keyplate_passkey_ceremony_get_options(IntPtr passkeyCeremony);
        [DllImport(Library)] internal static extern void keyplate_passkey_ceremony_free(IntPtr passkeyCeremony);
        [DllImport(Library)] internal static extern int keyplate_finish_passkey_registration(IntPtr kp, [MarshalAs(Utf8)]
        string ceremony, [MarshalAs(Utf8)] string response, [MarshalAs(Utf8)] string name, out IntPtr result, out IntPtr
        error);
        [DllImport(Library)] internal static extern IntPtr keyplate_passkey_registration_get_signed_in(IntPtr
        passkeyRegistration);
        [DllImport(Library)] internal static extern void keyplate_passkey_registration_free(IntPtr passkeyRegistration);
        [DllImport(Library)] internal static extern int keyplate_finish_passkey_login(IntPtr kp, [MarshalAs(Utf8)] string
        ceremony, [MarshalAs(Utf8)] string response, out IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_finish_passkey_signup(IntPtr kp, [MarshalAs(Utf8)] string
        ceremony, [MarshalAs(Utf8)] string response, out IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_finish_step_up(IntPtr kp, [MarshalAs(Utf8)] string ceremony,
        [MarshalAs(Utf8)] string response, out IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_new_signup_token_new(out IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_limit_new_at_most(long most, out IntPtr result, out IntPtr
        error);
        [DllImport(Library)] internal static extern void keyplate_limit_free(IntPtr limit);
        [DllImport(Library)] internal static extern int keyplate_new_signup_token_set_uses(IntPtr newSignupToken, IntPtr
        value, out IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_new_signup_token_set_approval(IntPtr newSignupToken, int
        value, out IntPtr error);
        [DllImport(Library)] internal static extern void keyplate_new_signup_token_free(IntPtr newSignupToken);
        [DllImport(Library)] internal static extern int keyplate_create_signup_token(IntPtr kp, IntPtr token, out IntPtr
        result, out IntPtr error);
        [DllImport(Library)] internal static extern IntPtr keyplate_created_signup_token_get_secret(IntPtr
        createdSignupToken);
        [DllImport(Library)] internal static extern void keyplate_created_signup_token_free(IntPtr createdSignupToken);
        [DllImport(Library)] internal static extern int keyplate_find_user_by_username(IntPtr kp, [MarshalAs(Utf8)] string
        username, out IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_approve_user(IntPtr kp, [MarshalAs(Utf8)] string id, out
        IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern void keyplate_user_free(IntPtr user);
        [DllImport(Library)] internal static extern int keyplate_new_api_key_new([MarshalAs(Utf8)] string name, IntPtr[]
        scopes, UIntPtr scopesLen, out IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern void keyplate_new_api_key_free(IntPtr newApiKey);
        [DllImport(Library)] internal static extern int keyplate_create_api_key(IntPtr kp, IntPtr key, out IntPtr result, out
        IntPtr error);
        [DllImport(Library)] internal static extern IntPtr keyplate_created_api_key_get_secret(IntPtr createdApiKey);
        [DllImport(Library)] internal static extern void keyplate_created_api_key_free(IntPtr createdApiKey);
        [DllImport(Library)] internal static extern int keyplate_new_app_password_new([MarshalAs(Utf8)] string name, out
        IntPtr result, out IntPtr error);
        [DllImport(Library)] internal static extern int keyplate_new_app_password_set_service(IntPtr newAppPassword,
        [MarshalAs(Utf8)] string value, out IntPtr error);
        [DllImport(Library)] internal static extern void keyplate_new_app_password_free(IntPtr newAppPassword);
        [DllImport(Library)] internal static extern int keyplate_create_app_password(IntPtr kp, IntPtr password, out IntPtr
        result, out IntPtr error);
        [DllImport(Library)] internal static extern IntPtr keyplate_created_app_password_get_secret(IntPtr
        createdAppPassword);
        [DllImport(Library)] internal static extern void keyplate_created_app_password_free(IntPtr createdAppPassword);
        [DllImport(Library)] internal static extern int keyplate_verify_app_password(IntPtr kp, [MarshalAs(Utf8)] string name,
        [MarshalAs(Utf8)] string secret, UIntPtr secretLen, [MarshalAs(Utf8)] string service, IntPtr client, out IntPtr
        result, out IntPtr error);
        [DllImport(Library)] internal static extern Str keyplate_verified_app_password_get_username(IntPtr
        verifiedAppPassword);
        [DllImport(Library)] internal static extern void keyplate_verified_app_password_free(IntPtr verifiedAppPassword);
        [DllImport(Library)] internal static extern Str keyplate_user_get_username(IntPtr user);
        [DllImport(Library)] internal static extern Str keyplate_user_get_id(IntPtr user);
}
