/* A small media server: setup, invitations, passkeys, a session per request, API keys, app passwords for players that know only
   name and password, a library that is not for everybody.

   cc media_server.c $(pkg-config --cflags --libs keyplate libmicrohttpd) -o media_server && ./media_server id.db 8080

   docs/hosts.md says what every host must do; the numbers in the comments are its own. */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <time.h>

#include <microhttpd.h>

#include "keyplate.h"

#define TEXT(s) (int)(s).len, (s).ptr ? (s).ptr : ""
#define MOST (64 * 1024)

static keyplate *kp;
static char origin[64];

/* A request, and what it is answered. */
struct request {
    struct MHD_Connection *connection;
    const char *method, *path;
    char body[MOST + 1];
    size_t body_len;
    keyplate_client_info *client;
    keyplate *handle;        /* the caller's, or a stranger's */
    keyplate_authenticated *who; /* NULL for a stranger */
    keyplate_error *error;
    unsigned status;
    char answer[MOST];
    keyplate_secret *cookies[2];
};

static const char *header(struct request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

static const char *query(struct request *r, const char *name) {
    const char *value = MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
    return value ? value : "";
}

static void say(struct request *r, unsigned status, const char *type, keyplate_str text) {
    r->status = status;
    snprintf(r->answer, sizeof r->answer, type, TEXT(text));
}

/* 5. Over https: `secure`, and a name that begins with `__Host-`. Cookies know no ports, so without it the name tells the port. */
static const char *cookie_name(const char *what) {
    static _Thread_local char name[64];
    snprintf(name, sizeof name, "media-%s-%s", strrchr(origin, ':') + 1, what);
    return name;
}

/* An error is its status, and JSON for the page. The words are for the log. */
static void fail(struct request *r) {
    keyplate_str reason = keyplate_error_get_reason_json(r->error), words = keyplate_error_get_message(r->error);
    fprintf(stderr, "%s %s: %.*s\n", r->method, r->path, TEXT(words));
    r->status = (unsigned)keyplate_error_get_http_status(r->error);
    snprintf(r->answer, sizeof r->answer, "{\"error\":\"%s\",\"reason\":%.*s}\n",
             keyplate_status_name(keyplate_error_get_status(r->error)), reason.ptr ? (int)reason.len : 4,
             reason.ptr ? reason.ptr : "null");
}

static int ok(struct request *r, keyplate_status status) {
    if (status != KEYPLATE_STATUS_OK) fail(r);
    return status == KEYPLATE_STATUS_OK;
}

/* 3. Whoever asks: `enrolling` lets in who waits for approval, and is for the few routes that they need. */
static int let_in(struct request *r, int enrolling) {
    bool from_cookie = false;
    keyplate_str credential = keyplate_find_credential(header(r, "Authorization"), header(r, "X-API-Key"),
                                                       header(r, "Cookie"), cookie_name("session"), &from_cookie);
    const char *from = header(r, "Origin");
    /* 6. A browser sends cookies by itself, also for a page of somebody else's. */
    if (from_cookie && strcmp(r->method, "GET") != 0 && from && strcmp(from, origin) != 0) {
        r->status = 403;
        return 0;
    }
    return ok(r, (enrolling ? keyplate_authenticate_pending : keyplate_authenticate)(kp, credential.ptr, credential.len,
                                                                                    &r->who, &r->error)) &&
           ok(r, keyplate_acting_as(kp, keyplate_authenticated_get_principal(r->who), r->client, &r->handle, &r->error));
}

static int stranger(struct request *r) {
    return ok(r, keyplate_anonymous(kp, r->client, &r->handle, &r->error));
}

static void give_session(struct request *r, const keyplate_signed_in *signed_in) {
    if (signed_in)
        ok(r, keyplate_session_cookie_new(cookie_name("session"), signed_in, false, &r->cookies[0], &r->error));
}

static void welcome(struct request *r, keyplate_signed_in *signed_in) {
    say(r, 200, "%.*s\n", keyplate_user_get_username(keyplate_signed_in_get_user(signed_in)));
    give_session(r, signed_in);
    keyplate_signed_in_free(signed_in);
}

/* 1. Whoever has the setup token becomes the administrator. Their first passkey completes setup. */
static void setup(struct request *r) {
    keyplate_new_admin *admin = NULL;
    keyplate_signed_in *signed_in = NULL;
    if (stranger(r) && ok(r, keyplate_new_admin_new(query(r, "username"), &admin, &r->error)) &&
        ok(r, keyplate_claim_setup(r->handle, r->body, r->body_len, admin, &signed_in, &r->error)))
        welcome(r, signed_in);
    keyplate_new_admin_free(admin);
}

/* The options go to the browser, the ceremony into a cookie. */
static void begun(struct request *r, keyplate_passkey_ceremony *ceremony) {
    keyplate_str name = keyplate_passkey_ceremony_get_ceremony(ceremony);
    if (ok(r, keyplate_cookie_new(cookie_name("ceremony"), name.ptr, name.len, 600, false, &r->cookies[1], &r->error)))
        say(r, 200, "%.*s\n", keyplate_passkey_ceremony_get_options(ceremony));
    keyplate_passkey_ceremony_free(ceremony);
}

static void begin_signup(struct request *r) {
    keyplate_new_signup *signup = NULL;
    keyplate_secret *token = NULL;
    keyplate_passkey_ceremony *ceremony = NULL;
    if (stranger(r) && ok(r, keyplate_new_signup_new(query(r, "username"), &signup, &r->error)) &&
        ok(r, keyplate_secret_new(r->body, r->body_len, &token, &r->error)) &&
        ok(r, keyplate_new_signup_set_token(signup, token, &r->error)) &&
        ok(r, keyplate_begin_passkey_signup(r->handle, signup, &ceremony, &r->error)))
        begun(r, ceremony);
    keyplate_secret_free(token);
    keyplate_new_signup_free(signup);
}

static void begin(struct request *r, const char *what) {
    keyplate_passkey_ceremony *ceremony = NULL;
    if (strcmp(what, "signup") == 0) {
        begin_signup(r);
    } else if (strcmp(what, "login") == 0) {
        if (stranger(r) && ok(r, keyplate_begin_passkey_login(r->handle, &ceremony, &r->error))) begun(r, ceremony);
    } else if (let_in(r, 1)) {
        keyplate_status status = strcmp(what, "step-up") == 0
                                     ? keyplate_begin_step_up(r->handle, &ceremony, &r->error)
                                     : keyplate_begin_passkey_registration(r->handle, &ceremony, &r->error);
        if (ok(r, status)) begun(r, ceremony);
    }
}

static void finish(struct request *r, const char *what) {
    char ceremony[8192];
    keyplate_signed_in *signed_in = NULL;
    keyplate_passkey_registration *registered = NULL;
    keyplate_str name = keyplate_find_cookie(header(r, "Cookie"), cookie_name("ceremony"));
    snprintf(ceremony, sizeof ceremony, "%.*s", TEXT(name));
    if (strcmp(what, "signup") == 0) {
        if (stranger(r) && ok(r, keyplate_finish_passkey_signup(r->handle, ceremony, r->body, &signed_in, &r->error)))
            welcome(r, signed_in);
    } else if (strcmp(what, "login") == 0) {
        if (stranger(r) && ok(r, keyplate_finish_passkey_login(r->handle, ceremony, r->body, &signed_in, &r->error)))
            welcome(r, signed_in);
    } else if (strcmp(what, "step-up") == 0) {
        if (let_in(r, 0) && ok(r, keyplate_finish_step_up(r->handle, ceremony, r->body, &signed_in, &r->error)))
            welcome(r, signed_in);
    } else if (let_in(r, 1) && ok(r, keyplate_finish_passkey_registration(r->handle, ceremony, r->body, NULL,
                                                                          &registered, &r->error))) {
        /* A session that was not opened by a passkey is replaced: without the new cookie they would be signed out. */
        say(r, 200, "%.*s\n", keyplate_authenticated_get_username(r->who));
        give_session(r, keyplate_passkey_registration_get_signed_in(registered));
        keyplate_passkey_registration_free(registered);
    }
}

/* An invitation for one person; with `approval` they wait until an administrator lets them in. */
static void invite(struct request *r) {
    keyplate_new_signup_token *input = NULL;
    keyplate_limit *once = NULL;
    keyplate_created_signup_token *created = NULL;
    keyplate_approval_rule rule = *query(r, "approval") ? KEYPLATE_APPROVAL_RULE_NEEDED : KEYPLATE_APPROVAL_RULE_NOT_NEEDED;
    if (let_in(r, 0) && ok(r, keyplate_new_signup_token_new(&input, &r->error)) &&
        ok(r, keyplate_limit_new_at_most(1, &once, &r->error)) &&
        ok(r, keyplate_new_signup_token_set_uses(input, once, &r->error)) &&
        ok(r, keyplate_new_signup_token_set_approval(input, rule, &r->error)) &&
        ok(r, keyplate_create_signup_token(r->handle, input, &created, &r->error)))
        say(r, 200, "%.*s", keyplate_secret_reveal(keyplate_created_signup_token_get_secret(created)));
    keyplate_created_signup_token_free(created);
    keyplate_limit_free(once);
    keyplate_new_signup_token_free(input);
}

static void approve(struct request *r) {
    char id[64];
    keyplate_user *user = NULL, *approved = NULL;
    if (let_in(r, 0) && ok(r, keyplate_find_user_by_username(r->handle, query(r, "username"), &user, &r->error))) {
        snprintf(id, sizeof id, "%.*s", TEXT(keyplate_user_get_id(user)));
        if (!user) r->status = 404;
        else if (ok(r, keyplate_approve_user(r->handle, id, &approved, &r->error))) r->status = 204;
    }
    keyplate_user_free(approved);
    keyplate_user_free(user);
}

static void make_key(struct request *r) {
    const char *scopes[] = {"library:stream"};
    keyplate_new_api_key *input = NULL;
    keyplate_created_api_key *created = NULL;
    if (let_in(r, 0) && ok(r, keyplate_new_api_key_new("player", scopes, 1, &input, &r->error)) &&
        ok(r, keyplate_create_api_key(r->handle, input, &created, &r->error)))
        say(r, 200, "%.*s", keyplate_secret_reveal(keyplate_created_api_key_get_secret(created)));
    keyplate_created_api_key_free(created);
    keyplate_new_api_key_free(input);
}

static void make_app_password(struct request *r) {
    keyplate_new_app_password *input = NULL;
    keyplate_created_app_password *created = NULL;
    if (let_in(r, 0) && ok(r, keyplate_new_app_password_new("player", &input, &r->error)) &&
        ok(r, keyplate_new_app_password_set_service(input, "library", &r->error)) &&
        ok(r, keyplate_create_app_password(r->handle, input, &created, &r->error)))
        say(r, 200, "%.*s", keyplate_secret_reveal(keyplate_created_app_password_get_secret(created)));
    keyplate_created_app_password_free(created);
    keyplate_new_app_password_free(input);
}

/* A player that knows only name and password. Browsers are not asked for them. */
static void player(struct request *r) {
    char *password = NULL, *name = MHD_basic_auth_get_username_password(r->connection, &password);
    keyplate_verified_app_password *found = NULL;
    r->status = 401;
    if (name && password && ok(r, keyplate_verify_app_password(kp, name, password, strlen(password), "library", r->client,
                                                               &found, &r->error)))
        say(r, 200, "films for %.*s\n", keyplate_verified_app_password_get_username(found));
    keyplate_verified_app_password_free(found);
    MHD_free(password);
    MHD_free(name);
}

static void library(struct request *r) {
    keyplate_decision *decision = NULL;
    if (let_in(r, 0) && ok(r, keyplate_authorize(kp, keyplate_authenticated_get_principal(r->who), "library", &decision,
                                                 &r->error))) {
        keyplate_str name = keyplate_authenticated_get_username(r->who);
        if (keyplate_decision_get_allowed(decision)) say(r, 200, "films for %.*s\n", name);
        else r->status = 403;
    }
    keyplate_decision_free(decision);
}

/* 7. The session ends in the database, not only in the browser. */
static void sign_out(struct request *r) {
    char id[64];
    if (!let_in(r, 1)) return;
    snprintf(id, sizeof id, "%.*s", TEXT(keyplate_authenticated_get_session_id(r->who)));
    if (ok(r, keyplate_revoke_session(r->handle, id, &r->error)) &&
        ok(r, keyplate_session_cookie_new(cookie_name("session"), NULL, false, &r->cookies[0], &r->error)))
        r->status = 204;
}

static void route(struct request *r) {
    int get = strcmp(r->method, "GET") == 0, post = strcmp(r->method, "POST") == 0;
    char what[16], step[16];
    r->status = 404;
    if (get && strcmp(r->path, "/library") == 0) library(r);
    else if (post && strcmp(r->path, "/setup") == 0) setup(r);
    else if (post && strcmp(r->path, "/invitations") == 0) invite(r);
    else if (post && strcmp(r->path, "/approvals") == 0) approve(r);
    else if (post && strcmp(r->path, "/keys") == 0) make_key(r);
    else if (post && strcmp(r->path, "/app-passwords") == 0) make_app_password(r);
    else if (get && strcmp(r->path, "/player") == 0) player(r);
    else if (post && strcmp(r->path, "/sign-out") == 0) sign_out(r);
    else if (post && sscanf(r->path, "/passkey/%15[^/]/%15s", what, step) == 2) (*step == 'b' ? begin : finish)(r, what);
}

/* 2. Who the client is, for the limits and the audit log. Behind a proxy of your own, its header instead. */
static int see_client(struct request *r) {
    char address[64] = "";
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    inet_ntop(AF_INET, &((const struct sockaddr_in *)info->client_addr)->sin_addr, address, sizeof address);
    return ok(r, keyplate_client_info_new(&r->client, &r->error)) &&
           ok(r, keyplate_client_info_set_address(r->client, address, &r->error)) &&
           ok(r, keyplate_client_info_set_user_agent(r->client, header(r, "User-Agent"), &r->error));
}

static enum MHD_Result answer(struct request *r) {
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(r->answer), r->answer, MHD_RESPMEM_MUST_COPY);
    int64_t wait = 0;
    char text[9216];
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (keyplate_error_get_retry_after(r->error, &wait)) {
        snprintf(text, sizeof text, "%" PRId64, wait / 1000 + 1);
        MHD_add_response_header(response, "Retry-After", text);
    }
    for (int i = 0; i < 2; i++) {
        if (!r->cookies[i]) continue;
        snprintf(text, sizeof text, "%.*s", TEXT(keyplate_secret_reveal(r->cookies[i])));
        MHD_add_response_header(response, "Set-Cookie", text);
    }
    enum MHD_Result queued = MHD_queue_response(r->connection, r->status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *path, const char *method,
                                  const char *version, const char *upload, size_t *upload_len, void **state) {
    struct request *r = *state;
    (void)data, (void)version;
    if (!r) {
        *state = r = calloc(1, sizeof *r);
        if (!r) return MHD_NO;
        r->connection = connection, r->method = method;
        return MHD_YES;
    }
    if (*upload_len) {
        if (r->body_len + *upload_len > MOST) return MHD_NO;
        memcpy(r->body + r->body_len, upload, *upload_len);
        r->body_len += *upload_len, *upload_len = 0;
        return MHD_YES;
    }
    r->path = path;
    if (see_client(r)) route(r);
    return answer(r);
}

static void on_end(void *data, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode why) {
    struct request *r = *state;
    (void)data, (void)connection, (void)why;
    if (!r) return;
    for (int i = 0; i < 2; i++) keyplate_secret_free(r->cookies[i]);
    keyplate_authenticated_free(r->who);
    keyplate_free(r->handle);
    keyplate_client_info_free(r->client);
    keyplate_error_free(r->error);
    free(r);
}

/* Called by whichever thread made the change; it may call the library. */
static void on_event(const keyplate_audit_event *event, void *data) {
    (void)data;
    printf("event %s %.*s\n", keyplate_event_kind_name(keyplate_audit_event_get_kind(event)),
           TEXT(keyplate_audit_event_get_username(event)));
    fflush(stdout);
}

static void must(keyplate_status status, keyplate_error *error) {
    if (status == KEYPLATE_STATUS_OK) return;
    fprintf(stderr, "keyplate: %.*s\n", TEXT(keyplate_error_get_message(error)));
    exit(1);
}

static void open_library(const char *path) {
    keyplate_error *e = NULL;
    keyplate_config *config = NULL;
    keyplate_settings_changes *changes = NULL;
    keyplate_settings *settings = NULL;
    keyplate_setup_state *state = NULL;
    must(keyplate_config_new(path, origin, &config, &e), e);
    must(keyplate_config_set_events(config, on_event, NULL, NULL, &e), e);
    must(keyplate_open(config, &kp, &e), e);
    must(keyplate_get_setup_state(kp, &state, &e), e);
    if (keyplate_setup_state_get_stage(state) == KEYPLATE_SETUP_STAGE_UNINITIALISED) {
        keyplate_created_setup_token *token = NULL;
        keyplate_new_service *input = NULL;
        keyplate_service *service = NULL;
        must(keyplate_create_setup_token(kp, &token, &e), e);
        printf("setup token %.*s\n", TEXT(keyplate_secret_reveal(keyplate_created_setup_token_get_secret(token))));
        must(keyplate_new_service_new("library", &input, &e), e);
        must(keyplate_new_service_set_access(input, KEYPLATE_SERVICE_ACCESS_EVERYONE, &e), e);
        keyplate_status status = keyplate_create_service(kp, input, &service, &e);
        if (status != KEYPLATE_STATUS_CONFLICT) must(status, e);
        else keyplate_error_free(e), e = NULL;
        keyplate_service_free(service);
        keyplate_new_service_free(input);
        keyplate_created_setup_token_free(token);
    }
    must(keyplate_settings_changes_new(&changes, &e), e);
    must(keyplate_settings_changes_set_signup_mode(changes, KEYPLATE_SIGNUP_MODE_WITH_TOKEN, &e), e);
    must(keyplate_update_settings(kp, changes, &settings, &e), e);
    keyplate_settings_free(settings);
    keyplate_settings_changes_free(changes);
    keyplate_setup_state_free(state);
    keyplate_config_free(config);
}

/* 10 and 11. Once a day: what has expired goes, and a copy is kept. `cp` would not make one. */
static void keep_up(const char *path) {
    char fresh[4096], copy[4096];
    keyplate_error *e = NULL;
    keyplate_purge_report *purged = NULL;
    keyplate_backup_report *backup = NULL;
    snprintf(copy, sizeof copy, "%s.copy", path);
    snprintf(fresh, sizeof fresh, "%s.copy.new", path);
    remove(fresh);
    if (keyplate_purge_expired(kp, &purged, &e) || keyplate_back_up_to(kp, fresh, &backup, &e) || rename(fresh, copy))
        fprintf(stderr, "upkeep: %.*s\n", TEXT(keyplate_error_get_message(e)));
    keyplate_error_free(e);
    keyplate_purge_report_free(purged);
    keyplate_backup_report_free(backup);
}

int main(int count, char **arguments) {
    const struct timespec day = {24 * 60 * 60, 0};
    sigset_t ends;
    if (count != 3) return fprintf(stderr, "usage: media_server DATABASE PORT\n"), 2;
    sigemptyset(&ends), sigaddset(&ends, SIGINT), sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    snprintf(origin, sizeof origin, "http://localhost:%s", arguments[2]);
    open_library(arguments[1]);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[2]))};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct MHD_Daemon *server = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request, NULL, MHD_OPTION_THREAD_POOL_SIZE, 4,
        MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_SOCK_ADDR, &here, MHD_OPTION_END);
    if (!server) return fprintf(stderr, "the port is taken\n"), 1;
    printf("listening on %s\n", origin);
    fflush(stdout);
    do keep_up(arguments[1]);
    while (sigtimedwait(&ends, NULL, &day) < 0);
    MHD_stop_daemon(server);
    keyplate_free(kp);
    return 0;
}
