/* Every C function with each argument wrong in turn: none ends the process, each names the argument. Then a panic in the
   library, and eight threads on one handle. */

#define _GNU_SOURCE

#include "arguments.h"

#include <pthread.h>
#include <unistd.h>

/* Not in the header: ffi/src/test_hook.rs. */
void keyplate_test_panic_in_next_call(void);

int passed, failed, calls;
struct have have;
const char some_text[] = "text", some_id[] = "00000000-0000-4000-8000-000000000000", not_utf8[] = "\xff\xfe\xfd\xfc";
const char *const some_texts[] = {some_text}, *const some_ids[] = {some_id};
const uint8_t some_bytes[] = {1, 2, 3, 4};
const int64_t some_number = 1;
const bool some_truth = true;

static void complain(const char *function, const char *parameter, const char *what) {
    failed++;
    fprintf(stderr, "%s, %s: %s\n", function, parameter, what);
}

static keyplate_input_reason_kind kind_of(keyplate_error *error) {
    return keyplate_input_reason_get_kind(keyplate_error_get_input_reason(error));
}

void refused(keyplate_status status, keyplate_error *error, const char *parameter, enum wrong wrong, const char *function) {
    static const keyplate_input_reason_kind reasons[] = {
        KEYPLATE_INPUT_REASON_KIND_NULL, KEYPLATE_INPUT_REASON_KIND_NOT_UTF8, KEYPLATE_INPUT_REASON_KIND_NOT_ENUM_VALUE,
        KEYPLATE_INPUT_REASON_KIND_TOO_MANY_BYTES};
    calls++;
    int names_it = status == KEYPLATE_STATUS_INVALID_INPUT && is_text(keyplate_error_get_field(error), parameter) &&
                   kind_of(error) == reasons[wrong];
    if (strcmp(parameter, "error") == 0) {
        passed++; /* Without a place for the error there is the status alone. */
    } else if ((error == NULL) != (status == KEYPLATE_STATUS_OK) || keyplate_error_get_status(error) != status) {
        complain(function, parameter, "status and error disagree");
    } else if (wrong == IS_NULL && strcmp(parameter, "kp") != 0 && strcmp(parameter, "out") != 0) {
        /* Many may be NULL. Who may not says so; whatever else is wrong then is not the library. */
        if (status == KEYPLATE_STATUS_INTERNAL || (kind_of(error) == reasons[IS_NULL] && !names_it))
            complain(function, parameter, "not refused as NULL");
        else
            passed++;
    } else if (!names_it) {
        complain(function, parameter, keyplate_status_name(status));
    } else {
        passed++;
    }
    keyplate_error_free(error);
}

void named(const char *name, const char *function) {
    calls++;
    if (name && strcmp(name, "unknown") == 0) passed++;
    else complain(function, "value", "an unknown number has a name");
}

void nothing(const void *result, size_t size, const char *function) {
    static const char zeroes[64];
    calls++;
    if (size <= sizeof zeroes && memcmp(result, zeroes, size) == 0) passed++;
    else complain(function, "owner or index", "there is something");
}

void anything(const void *result, size_t size, const char *function) {
    (void)result, (void)size, (void)function;
    calls++;
}

/* Inputs, and of what comes out as much as one call gives: above all what has lists. */
static void make(keyplate *kp) {
    char id[64];
    have.kp = kp;
    MUST(keyplate_config_new("text", "https://media.example", &have.config, error));
    MUST(keyplate_secret_new("text", 4, &have.secret, error));
    MUST(keyplate_client_info_new(&have.client_info, error));
    MUST(keyplate_new_admin_new("ann", &have.new_admin, error));
    MUST(keyplate_new_api_key_new("key", some_texts, 1, &have.new_api_key, error));
    MUST(keyplate_new_app_password_new("player", &have.new_app_password, error));
    MUST(keyplate_new_device_login_new(&have.new_device_login, error));
    MUST(keyplate_new_group_new("friends", &have.new_group, error));
    MUST(keyplate_new_service_new("films", &have.new_service, error));
    MUST(keyplate_new_signup_new("ben", &have.new_signup, error));
    MUST(keyplate_new_signup_token_new(&have.new_signup_token, error));
    MUST(keyplate_new_user_new("cat", &have.new_user, error));
    MUST(keyplate_claim_new("key", "value", &have.claim, error));
    MUST(keyplate_expiry_new_never(&have.expiry, error));
    MUST(keyplate_limit_new_unlimited(&have.limit, error));
    MUST(keyplate_key_rotation_new(&have.key_rotation, error));
    MUST(keyplate_user_changes_new(&have.user_changes, error));
    MUST(keyplate_group_changes_new(&have.group_changes, error));
    MUST(keyplate_service_changes_new(&have.service_changes, error));
    MUST(keyplate_settings_changes_new(&have.settings_changes, error));
    MUST(keyplate_signup_token_changes_new(&have.signup_token_changes, error));
    MUST(keyplate_api_key_query_new(&have.api_key_query, error));
    MUST(keyplate_app_password_query_new(&have.app_password_query, error));
    MUST(keyplate_audit_query_new(&have.audit_query, error));
    MUST(keyplate_group_query_new(&have.group_query, error));
    MUST(keyplate_service_query_new(&have.service_query, error));
    MUST(keyplate_service_entrance_new("films", "https://films.example", "challenge", &have.service_entrance, error));
    MUST(keyplate_service_visit_new("films", "https://films.example", &have.service_visit, error));
    MUST(keyplate_session_query_new(&have.session_query, error));
    MUST(keyplate_signup_token_query_new(&have.signup_token_query, error));
    MUST(keyplate_signup_redemption_query_new(&have.signup_redemption_query, error));
    MUST(keyplate_user_query_new(&have.user_query, error));
    have.signed_in = claim(kp, id);
    keyplate_str token = keyplate_secret_reveal(keyplate_signed_in_get_secret(have.signed_in));
    MUST(keyplate_authenticate(kp, token.ptr, token.len, &have.authenticated, error));
    have.principal = (keyplate_principal *)keyplate_authenticated_get_principal(have.authenticated);
    MUST(keyplate_list_users(kp, have.user_query, &have.user_page, error));
    have.user = (keyplate_user *)keyplate_user_page_get_items_at(have.user_page, 0);
    MUST(keyplate_list_audit_events(kp, have.audit_query, &have.audit_page, error));
    have.audit_event = (keyplate_audit_event *)keyplate_audit_page_get_items_at(have.audit_page, 0);
    MUST(keyplate_list_sessions(kp, have.session_query, &have.session_page, error));
    MUST(keyplate_list_claim_keys(kp, &have.str_list, error));
    MUST(keyplate_get_settings(kp, &have.settings, error));
}

static void let_go(void) {
#define FREE(type) keyplate_##type##_free(have.type)
    FREE(config), FREE(secret), FREE(client_info), FREE(new_admin), FREE(new_api_key), FREE(new_group), FREE(new_service);
    FREE(new_app_password), FREE(new_device_login), FREE(app_password_query);
    FREE(new_signup), FREE(new_signup_token), FREE(new_user), FREE(claim), FREE(expiry), FREE(limit), FREE(key_rotation);
    FREE(user_changes), FREE(group_changes), FREE(service_changes), FREE(settings_changes), FREE(signup_token_changes);
    FREE(api_key_query), FREE(audit_query), FREE(group_query), FREE(service_query), FREE(session_query);
    FREE(signup_token_query), FREE(signup_redemption_query), FREE(user_query), FREE(signed_in), FREE(authenticated);
    FREE(user_page), FREE(audit_page), FREE(session_page), FREE(str_list), FREE(settings);
}

/* Inside a reading transaction and inside a writing one: the status says so, nothing is kept, and the handle works. */
static void test_panic(const keyplate *kp) {
    keyplate_settings *settings = NULL;
    keyplate_new_group *input = NULL;
    keyplate_group *group = NULL;
    keyplate_error *error = NULL;
    keyplate_test_panic_in_next_call();
    CHECK(keyplate_get_settings(kp, &settings, &error) == KEYPLATE_STATUS_INTERNAL && settings == NULL);
    CHECK(keyplate_error_get_http_status(error) == 500);
    keyplate_error_free(error);
    MUST(keyplate_get_settings(kp, &settings, error));
    keyplate_settings_free(settings);
    MUST(keyplate_new_group_new("panic", &input, error));
    keyplate_test_panic_in_next_call();
    CHECK(keyplate_create_group(kp, input, &group, NULL) == KEYPLATE_STATUS_INTERNAL && group == NULL);
    MUST(keyplate_create_group(kp, input, &group, error)); /* The name is still free. */
    keyplate_group_free(group);
    keyplate_new_group_free(input);
}

static void *work(void *data) {
    const keyplate *kp = data;
    keyplate_str token = keyplate_secret_reveal(keyplate_signed_in_get_secret(have.signed_in));
    intptr_t good = 0;
    for (int turn = 0; turn < 25; turn++) {
        keyplate_authenticated *who = NULL;
        keyplate *ann = NULL;
        keyplate_settings_changes *changes = NULL;
        keyplate_settings *settings = NULL;
        good += keyplate_authenticate(kp, token.ptr, token.len, &who, NULL) == KEYPLATE_STATUS_OK &&
                keyplate_acting_as(kp, keyplate_authenticated_get_principal(who), have.client_info, &ann, NULL) ==
                    KEYPLATE_STATUS_OK &&
                keyplate_settings_changes_new(&changes, NULL) == KEYPLATE_STATUS_OK &&
                keyplate_update_settings(ann, changes, &settings, NULL) == KEYPLATE_STATUS_OK;
        keyplate_settings_free(settings);
        keyplate_settings_changes_free(changes);
        keyplate_free(ann);
        keyplate_authenticated_free(who);
    }
    return (void *)good;
}

static void test_eight_threads(keyplate *kp) {
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) CHECK(pthread_create(&threads[i], NULL, work, kp) == 0);
    for (int i = 0; i < 8; i++) {
        void *good = NULL;
        CHECK(pthread_join(threads[i], &good) == 0 && (intptr_t)good == 25);
    }
}

static void test_http(void) {
    const char *cookies = "a=1; kp=; b; kp= token ;c=2";
    bool from_cookie = false;
    CHECK(is_text(keyplate_find_cookie(cookies, "kp"), "token"));
    CHECK(keyplate_find_cookie(cookies, "k").ptr == NULL);
    CHECK(is_text(keyplate_find_credential("Bearer x", "y", cookies, "kp", &from_cookie), "token") && from_cookie);
    CHECK(is_text(keyplate_find_credential("bEARER  x ", "y", "a=1", "kp", &from_cookie), "x") && !from_cookie);
    CHECK(is_text(keyplate_find_credential("Basic eDp5", " y ", NULL, "kp", NULL), "y"));
    CHECK(keyplate_find_credential("Bearer ", NULL, NULL, NULL, NULL).ptr == NULL);

    keyplate_secret *cookie = NULL;
    MUST(keyplate_session_cookie_new("__Host-kp", NULL, true, &cookie, error));
    CHECK(is_text(keyplate_secret_reveal(cookie), "__Host-kp=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"));
    keyplate_secret_free(cookie);
    MUST(keyplate_session_cookie_new("kp", have.signed_in, false, &cookie, error));
    keyplate_str text = keyplate_secret_reveal(cookie);
    const keyplate_session *session = keyplate_signed_in_get_session(have.signed_in);
    char age[64];
    int64_t lifetime = keyplate_session_get_expires_at(session) - keyplate_session_get_signed_in_at(session);
    snprintf(age, sizeof age, "; Path=/; Max-Age=%" PRId64 "; HttpOnly; SameSite=Lax", lifetime / 1000);
    CHECK(lifetime > 60000 && text.len > strlen(age) + 20);
    CHECK(memcmp(text.ptr + text.len - strlen(age), age, strlen(age)) == 0);
    keyplate_secret_free(cookie);
    cookie = NULL;
    CHECK(keyplate_session_cookie_new("__host-kp", NULL, false, &cookie, NULL) == KEYPLATE_STATUS_INVALID_INPUT);
    CHECK(keyplate_cookie_new("a b", "x", 1, 60, true, &cookie, NULL) == KEYPLATE_STATUS_INVALID_INPUT);
    CHECK(keyplate_cookie_new("a", "x;y", 3, 60, true, &cookie, NULL) == KEYPLATE_STATUS_INVALID_INPUT);
    CHECK(keyplate_cookie_new("a", "x", 1, -1, true, &cookie, NULL) == KEYPLATE_STATUS_INVALID_INPUT && cookie == NULL);
    CHECK(strcmp(keyplate_event_kind_name(KEYPLATE_EVENT_KIND_USER_CREATED), "user_created") == 0);
    CHECK(strcmp(keyplate_status_name(KEYPLATE_STATUS_NOT_FOUND), "not_found") == 0);
    CHECK(keyplate_status_http_status(KEYPLATE_STATUS_ACCOUNT_PENDING) == 403);
    CHECK(keyplate_status_http_status((keyplate_status)12345) == 500);
}

static keyplate *open_here(const char *path) {
    keyplate_config *config = NULL;
    keyplate *kp = NULL;
    MUST(keyplate_config_new(path, "https://media.example", &config, error));
    MUST(keyplate_open(config, &kp, error));
    keyplate_config_free(config);
    return kp;
}

keyplate_signed_in *claim(keyplate *kp, char id[64]) {
    keyplate_signed_in *signed_in = NULL;
    MUST(keyplate_claim_setup(kp, NULL, 0, have.new_admin, &signed_in, error));
    copy_text(keyplate_user_get_id(keyplate_signed_in_get_user(signed_in)), id);
    return signed_in;
}

int main(void) {
    char folder[] = "/tmp/keyplate-c-XXXXXX", command[64];
    /* Some calls write a file called `text`. */
    if (!mkdtemp(folder) || chdir(folder) != 0) return 1;
    keyplate *kp = open_here("id.db");
    make(kp);
    test_http();
    test_eight_threads(kp);
    call_all();
    test_panic(kp);
    let_go();
    keyplate_free(kp);
    printf("%d calls with a wrong argument\n%d passed, %d failed\n", calls, passed, failed);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) != 0 || failed != 0;
}
