// A small media server: setup, invitations, passkeys, a session per request, API keys, app passwords for players that know
// only name and password, and a library that is not for everybody.
//
//     mcs -out:media.exe *.cs && LD_LIBRARY_PATH=/usr/local/lib mono media.exe id.db 8080
//
// docs/hosts.md says what every host must do; the numbers in the comments are its own.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using static Native;

/// <summary>What this server itself answers, rather than the library.</summary>
class Refusal : Exception
{
    public readonly int HttpStatus;

    public Refusal(int httpStatus, string message) : base(message)
    {
        HttpStatus = httpStatus;
    }
}

/// <summary>One request: what was asked, what will be answered, and what is freed at its end.</summary>
class Exchange : IDisposable
{
    public readonly Own Own = new Own();
    public readonly HttpListenerRequest Asked;
    public readonly string Body;
    public string Text = "", Cookie;

    public Exchange(HttpListenerRequest asked)
    {
        Asked = asked;
        using (var reader = new StreamReader(asked.InputStream, Encoding.UTF8))
        {
            var start = new char[64 * 1024 + 1];
            int length = reader.ReadBlock(start, 0, start.Length);
            if (length == start.Length) throw new Refusal(413, "too long");
            Body = new string(start, 0, length);
        }
    }

    public string Query(string name)
    {
        return Asked.QueryString[name] ?? "";
    }

    public void Dispose()
    {
        Own.Dispose();
    }
}

/// <summary>Whoever asks, and the handle that acts for them.</summary>
struct Caller
{
    public IntPtr Principal, Handle;
    public string Username, Session;
}

class MediaServer
{
    static readonly EventCallback Told = (told, _) => Console.WriteLine(
        "event " + Marshal.PtrToStringAnsi(keyplate_event_kind_name(keyplate_audit_event_get_kind(told))) + " "
        + keyplate_audit_event_get_username(told));

    readonly string path, port, origin;
    readonly IntPtr host;
    readonly Dictionary<string, Action<Exchange>> routes = new Dictionary<string, Action<Exchange>>();

    static int Main(string[] arguments)
    {
        if (arguments.Length != 2)
        {
            Console.Error.WriteLine("usage: media.exe DATABASE PORT");
            return 2;
        }
        new MediaServer(arguments[0], arguments[1]).Run();
        return 0;
    }

    MediaServer(string path, string port)
    {
        this.path = path;
        this.port = port;
        origin = "http://localhost:" + port;
        using (var own = new Own())
        {
            IntPtr config = own.Out(keyplate_config_free,
                (out IntPtr r, out IntPtr e) => keyplate_config_new(path, origin, out r, out e));
            Own.Do((out IntPtr e) => keyplate_config_set_events(config, Told, IntPtr.Zero, IntPtr.Zero, out e));
            host = new Own().Out(keyplate_free, (out IntPtr r, out IntPtr e) => keyplate_open(config, out r, out e));
            Prepare(own);
        }
        AddRoutes();
    }

    // 1. Whoever runs the server gets the setup token. The library is open to everybody who is let in.
    void Prepare(Own own)
    {
        IntPtr state = own.Out(keyplate_setup_state_free,
            (out IntPtr r, out IntPtr e) => keyplate_get_setup_state(host, out r, out e));
        if (keyplate_setup_state_get_stage(state) == SetupStageUninitialised)
        {
            IntPtr created = own.Out(keyplate_created_setup_token_free,
                (out IntPtr r, out IntPtr e) => keyplate_create_setup_token(host, out r, out e));
            Console.WriteLine("setup token " + Reveal(keyplate_created_setup_token_get_secret(created)));
            IntPtr library = own.Out(keyplate_new_service_free,
                (out IntPtr r, out IntPtr e) => keyplate_new_service_new("library", out r, out e));
            Own.Do((out IntPtr e) => keyplate_new_service_set_access(library, ServiceAccessEveryone, out e));
            try
            {
                own.Out(keyplate_service_free,
                    (out IntPtr r, out IntPtr e) => keyplate_create_service(host, library, out r, out e));
            }
            catch (KeyplateException error) when (error.Name == "conflict")
            {
                // It is there from the last start.
            }
        }
        IntPtr changes = own.Out(keyplate_settings_changes_free,
            (out IntPtr r, out IntPtr e) => keyplate_settings_changes_new(out r, out e));
        Own.Do((out IntPtr e) => keyplate_settings_changes_set_signup_mode(changes, SignupModeWithToken, out e));
        own.Out(keyplate_settings_free,
            (out IntPtr r, out IntPtr e) => keyplate_update_settings(host, changes, out r, out e));
    }

    // 10 and 11. Once a day: what has expired goes, and a copy is kept. `cp` would not make one.
    void KeepUp(object _)
    {
        string fresh = path + ".copy.new";
        try
        {
            File.Delete(fresh);
            using (var own = new Own())
            {
                own.Out(keyplate_purge_report_free,
                    (out IntPtr r, out IntPtr e) => keyplate_purge_expired(host, out r, out e));
                own.Out(keyplate_backup_report_free,
                    (out IntPtr r, out IntPtr e) => keyplate_back_up_to(host, fresh, out r, out e));
            }
            File.Delete(path + ".copy");
            File.Move(fresh, path + ".copy");
        }
        catch (Exception error)
        {
            Console.Error.WriteLine("upkeep: " + error.Message);
        }
    }

    void Run()
    {
        KeepUp(null);
        var listener = new HttpListener();
        listener.Prefixes.Add("http://localhost:" + port + "/");
        listener.Prefixes.Add("http://127.0.0.1:" + port + "/");
        listener.Start();
        Console.WriteLine("listening on " + origin);
        var day = TimeSpan.FromDays(1);
        using (new Timer(KeepUp, null, day, day))
        {
            while (true)
            {
                HttpListenerContext context = listener.GetContext();
                ThreadPool.QueueUserWorkItem(_ => Serve(context));
            }
        }
    }

    void Serve(HttpListenerContext context)
    {
        HttpListenerResponse response = context.Response;
        response.AddHeader("Cache-Control", "no-store");
        string text = "";
        try
        {
            Action<Exchange> route;
            string asked = context.Request.HttpMethod + " " + context.Request.Url.AbsolutePath;
            if (!routes.TryGetValue(asked, out route)) throw new Refusal(404, "no such route");
            using (var exchange = new Exchange(context.Request))
            {
                route(exchange);
                if (exchange.Cookie != null) response.AddHeader("Set-Cookie", exchange.Cookie);
                text = exchange.Text;
                response.StatusCode = text == "" ? 204 : 200;
            }
        }
        catch (KeyplateException error)
        {
            // 9. The library's own status, with JSON for the page. The words are for the log.
            Console.Error.WriteLine(context.Request.RawUrl.Split('?')[0] + ": " + error.Message);
            if (error.RetrySeconds > 0) response.AddHeader("Retry-After", error.RetrySeconds.ToString());
            response.StatusCode = error.HttpStatus;
            text = "{\"error\":\"" + error.Name + "\",\"reason\":" + error.Reason + "}\n";
        }
        catch (Exception error)
        {
            Console.Error.WriteLine(context.Request.RawUrl.Split('?')[0] + ": " + error.Message);
            var refusal = error as Refusal;
            response.StatusCode = refusal == null ? 500 : refusal.HttpStatus;
        }
        try
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            if (response.StatusCode != 204) response.OutputStream.Write(bytes, 0, bytes.Length);
            response.Close();
        }
        catch (IOException)
        {
            // The browser has gone.
        }
    }

    // 5. Cookies know no ports, so without https the name tells it. Over https it begins with `__Host-`.
    string CookieName(string what)
    {
        return "media-" + port + "-" + what;
    }

    // 2. Where a request came from. Behind a proxy of your own, its header instead.
    static IntPtr ClientOf(Exchange exchange)
    {
        IntPtr client = exchange.Own.Out(keyplate_client_info_free,
            (out IntPtr r, out IntPtr e) => keyplate_client_info_new(out r, out e));
        string address = exchange.Asked.RemoteEndPoint.Address.ToString();
        Own.Do((out IntPtr e) => keyplate_client_info_set_address(client, address, out e));
        Own.Do((out IntPtr e) => keyplate_client_info_set_user_agent(client, exchange.Asked.UserAgent, out e));
        return client;
    }

    IntPtr Stranger(Exchange exchange)
    {
        IntPtr client = ClientOf(exchange);
        return exchange.Own.Out(keyplate_free,
            (out IntPtr r, out IntPtr e) => keyplate_anonymous(host, client, out r, out e));
    }

    // 3. Whoever asks: `enrolling` lets in who waits for approval, and is for the few routes that they need.
    Caller LetIn(Exchange exchange, bool enrolling = false)
    {
        Own own = exchange.Own;
        Func<string, IntPtr> header = name => own.Text(exchange.Asked.Headers[name]);
        bool fromCookie;
        string credential = keyplate_find_credential(header("Authorization"), header("X-API-Key"), header("Cookie"),
            own.Text(CookieName("session")), out fromCookie).ToString();
        // 6. A browser sends cookies by itself, also for a page of somebody else's.
        string from = exchange.Asked.Headers["Origin"];
        if (fromCookie && exchange.Asked.HttpMethod != "GET" && from != null && from != origin)
            throw new Refusal(403, "from another site");
        UIntPtr length = Length(credential);
        IntPtr who = own.Out(keyplate_authenticated_free, (out IntPtr r, out IntPtr e) => enrolling
            ? keyplate_authenticate_pending(host, credential, length, out r, out e)
            : keyplate_authenticate(host, credential, length, out r, out e));
        IntPtr principal = keyplate_authenticated_get_principal(who), client = ClientOf(exchange);
        return new Caller
        {
            Principal = principal,
            Username = keyplate_authenticated_get_username(who).ToString(),
            Session = keyplate_authenticated_get_session_id(who).ToString(),
            Handle = own.Out(keyplate_free,
                (out IntPtr r, out IntPtr e) => keyplate_acting_as(host, principal, client, out r, out e)),
        };
    }

    string SessionCookie(Exchange exchange, IntPtr signedIn)
    {
        return Reveal(exchange.Own.Out(keyplate_secret_free, (out IntPtr r, out IntPtr e) =>
            keyplate_session_cookie_new(CookieName("session"), signedIn, false, out r, out e)));
    }

    /// <summary>The name of who has a new session, and its cookie; nothing where the former session goes on.</summary>
    void Welcome(Exchange exchange, IntPtr signedIn)
    {
        exchange.Text = "\n";
        if (signedIn == IntPtr.Zero) return;
        exchange.Text = keyplate_user_get_username(keyplate_signed_in_get_user(signedIn)) + "\n";
        exchange.Cookie = SessionCookie(exchange, signedIn);
    }

    /// <summary>The options go to the browser, the ceremony into a cookie.</summary>
    void Begun(Exchange exchange, Own.Call begin)
    {
        IntPtr ceremony = exchange.Own.Out(keyplate_passkey_ceremony_free, begin);
        string name = keyplate_passkey_ceremony_get_ceremony(ceremony).ToString();
        exchange.Text = keyplate_passkey_ceremony_get_options(ceremony).ToString();
        exchange.Cookie = Reveal(exchange.Own.Out(keyplate_secret_free, (out IntPtr r, out IntPtr e) =>
            keyplate_cookie_new(CookieName("ceremony"), name, Length(name), 600, false, out r, out e)));
    }

    delegate int Finish(IntPtr handle, string ceremony, string response, out IntPtr result, out IntPtr error);

    void Finished(Exchange exchange, IntPtr handle, Finish finish)
    {
        string ceremony = Ceremony(exchange);
        Welcome(exchange, exchange.Own.Out(keyplate_signed_in_free,
            (out IntPtr r, out IntPtr e) => finish(handle, ceremony, exchange.Body, out r, out e)));
    }

    string Ceremony(Exchange exchange)
    {
        Own own = exchange.Own;
        string cookies = exchange.Asked.Headers["Cookie"] ?? "";
        return keyplate_find_cookie(own.Text(cookies), own.Text(CookieName("ceremony"))).ToString();
    }

    void AddRoutes()
    {
        routes["GET /library"] = Library;
        routes["GET /player"] = Player;
        routes["POST /app-passwords"] = MakeAppPassword;
        routes["POST /keys"] = MakeKey;
        routes["POST /invitations"] = Invite;
        routes["POST /approvals"] = Approve;
        routes["POST /sign-out"] = SignOut;
        routes["POST /setup"] = Setup;
        routes["POST /passkey/login/begin"] = x =>
        {
            IntPtr stranger = Stranger(x);
            Begun(x, (out IntPtr r, out IntPtr e) => keyplate_begin_passkey_login(stranger, out r, out e));
        };
        routes["POST /passkey/login/finish"] = x => Finished(x, Stranger(x), keyplate_finish_passkey_login);
        routes["POST /passkey/signup/begin"] = BeginSignup;
        routes["POST /passkey/signup/finish"] = x => Finished(x, Stranger(x), keyplate_finish_passkey_signup);
        routes["POST /passkey/registration/begin"] = x =>
        {
            IntPtr handle = LetIn(x, true).Handle;
            Begun(x, (out IntPtr r, out IntPtr e) => keyplate_begin_passkey_registration(handle, out r, out e));
        };
        routes["POST /passkey/registration/finish"] = FinishRegistration;
        // 8. When the library wants a fresh sign-in.
        routes["POST /passkey/step-up/begin"] = x =>
        {
            IntPtr handle = LetIn(x).Handle;
            Begun(x, (out IntPtr r, out IntPtr e) => keyplate_begin_step_up(handle, out r, out e));
        };
        routes["POST /passkey/step-up/finish"] = x => Finished(x, LetIn(x).Handle, keyplate_finish_step_up);
    }

    void Library(Exchange exchange)
    {
        Caller who = LetIn(exchange);
        // 4. The library may be closed to them.
        IntPtr decision = exchange.Own.Out(keyplate_decision_free,
            (out IntPtr r, out IntPtr e) => keyplate_authorize(host, who.Principal, "library", out r, out e));
        if (!keyplate_decision_get_allowed(decision)) throw new Refusal(403, "the library is closed to them");
        exchange.Text = "films for " + who.Username + "\n";
    }

    /// <summary>A player that knows only name and password. Browsers are not asked for them.</summary>
    void Player(Exchange exchange)
    {
        string[] parts = (exchange.Asked.Headers["Authorization"] ?? "").Split(new[] { ' ' }, 2);
        if (parts.Length != 2 || parts[0].ToLowerInvariant() != "basic") throw new Refusal(401, "no name and password");
        string both;
        try
        {
            both = Encoding.UTF8.GetString(Convert.FromBase64String(parts[1]));
        }
        catch (FormatException)
        {
            throw new Refusal(401, "no name and password");
        }
        string name = both.Split(':')[0], secret = string.Join(":", both.Split(':').Skip(1));
        IntPtr client = ClientOf(exchange);
        IntPtr found = exchange.Own.Out(keyplate_verified_app_password_free, (out IntPtr r, out IntPtr e) =>
            keyplate_verify_app_password(host, name, secret, Length(secret), "library", client, out r, out e));
        exchange.Text = "films for " + keyplate_verified_app_password_get_username(found) + "\n";
    }

    void MakeAppPassword(Exchange exchange)
    {
        IntPtr handle = LetIn(exchange).Handle;
        IntPtr password = exchange.Own.Out(keyplate_new_app_password_free,
            (out IntPtr r, out IntPtr e) => keyplate_new_app_password_new("player", out r, out e));
        Own.Do((out IntPtr e) => keyplate_new_app_password_set_service(password, "library", out e));
        exchange.Text = Reveal(keyplate_created_app_password_get_secret(exchange.Own.Out(keyplate_created_app_password_free,
            (out IntPtr r, out IntPtr e) => keyplate_create_app_password(handle, password, out r, out e))));
    }

    /// <summary>An API key that may use the library and nothing else.</summary>
    void MakeKey(Exchange exchange)
    {
        IntPtr handle = LetIn(exchange).Handle;
        IntPtr[] scopes = { exchange.Own.Text("library:stream") };
        IntPtr key = exchange.Own.Out(keyplate_new_api_key_free,
            (out IntPtr r, out IntPtr e) => keyplate_new_api_key_new("player", scopes, (UIntPtr)1, out r, out e));
        exchange.Text = Reveal(keyplate_created_api_key_get_secret(exchange.Own.Out(keyplate_created_api_key_free,
            (out IntPtr r, out IntPtr e) => keyplate_create_api_key(handle, key, out r, out e))));
    }

    /// <summary>An invitation for one person, who may have to wait for approval.</summary>
    void Invite(Exchange exchange)
    {
        Own own = exchange.Own;
        IntPtr handle = LetIn(exchange).Handle;
        IntPtr token = own.Out(keyplate_new_signup_token_free,
            (out IntPtr r, out IntPtr e) => keyplate_new_signup_token_new(out r, out e));
        IntPtr once = own.Out(keyplate_limit_free,
            (out IntPtr r, out IntPtr e) => keyplate_limit_new_at_most(1, out r, out e));
        int rule = exchange.Query("approval") == "" ? ApprovalRuleNotNeeded : ApprovalRuleNeeded;
        Own.Do((out IntPtr e) => keyplate_new_signup_token_set_uses(token, once, out e));
        Own.Do((out IntPtr e) => keyplate_new_signup_token_set_approval(token, rule, out e));
        exchange.Text = Reveal(keyplate_created_signup_token_get_secret(own.Out(keyplate_created_signup_token_free,
            (out IntPtr r, out IntPtr e) => keyplate_create_signup_token(handle, token, out r, out e))));
    }

    void Approve(Exchange exchange)
    {
        Own own = exchange.Own;
        IntPtr handle = LetIn(exchange).Handle;
        string name = exchange.Query("username");
        IntPtr user = own.Out(keyplate_user_free,
            (out IntPtr r, out IntPtr e) => keyplate_find_user_by_username(handle, name, out r, out e));
        if (user == IntPtr.Zero) throw new Refusal(404, "nobody of that name");
        string id = keyplate_user_get_id(user).ToString();
        own.Out(keyplate_user_free, (out IntPtr r, out IntPtr e) => keyplate_approve_user(handle, id, out r, out e));
    }

    // 7. The session ends in the database, not only in the browser.
    void SignOut(Exchange exchange)
    {
        Caller who = LetIn(exchange, true);
        Own.Do((out IntPtr e) => keyplate_revoke_session(who.Handle, who.Session, out e));
        exchange.Cookie = SessionCookie(exchange, IntPtr.Zero);
    }

    void Setup(Exchange exchange)
    {
        IntPtr stranger = Stranger(exchange);
        string name = exchange.Query("username");
        IntPtr admin = exchange.Own.Out(keyplate_new_admin_free,
            (out IntPtr r, out IntPtr e) => keyplate_new_admin_new(name, out r, out e));
        Welcome(exchange, exchange.Own.Out(keyplate_signed_in_free, (out IntPtr r, out IntPtr e) =>
            keyplate_claim_setup(stranger, exchange.Body, Length(exchange.Body), admin, out r, out e)));
    }

    void BeginSignup(Exchange exchange)
    {
        Own own = exchange.Own;
        IntPtr stranger = Stranger(exchange);
        string name = exchange.Query("username");
        IntPtr signup = own.Out(keyplate_new_signup_free,
            (out IntPtr r, out IntPtr e) => keyplate_new_signup_new(name, out r, out e));
        IntPtr token = own.Out(keyplate_secret_free,
            (out IntPtr r, out IntPtr e) => keyplate_secret_new(exchange.Body, Length(exchange.Body), out r, out e));
        Own.Do((out IntPtr e) => keyplate_new_signup_set_token(signup, token, out e));
        Begun(exchange, (out IntPtr r, out IntPtr e) => keyplate_begin_passkey_signup(stranger, signup, out r, out e));
    }

    void FinishRegistration(Exchange exchange)
    {
        IntPtr handle = LetIn(exchange, true).Handle;
        string ceremony = Ceremony(exchange);
        Welcome(exchange, keyplate_passkey_registration_get_signed_in(exchange.Own.Out(keyplate_passkey_registration_free,
            (out IntPtr r, out IntPtr e) =>
                keyplate_finish_passkey_registration(handle, ceremony, exchange.Body, null, out r, out e))));
    }
}
