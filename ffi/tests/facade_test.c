/* The C face from its caller's side: first run, refusals, events, time, arguments that only C can get wrong. */

#define _GNU_SOURCE

#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int passed, failed;
static char folder[] = "/tmp/keyplate-c-XXXXXX";

const char *file_path(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

keyplate *fresh(const char *name, void (*configure)(keyplate_config *config)) {
    keyplate_config *config = NULL;
    keyplate *kp = NULL;
    MUST(keyplate_config_new(file_path(name), "https://media.example", &config, error));
    if (configure) configure(config);
    MUST(keyplate_open(config, &kp, error));
    keyplate_config_free(config);
    return kp;
}

keyplate_signed_in *claim(keyplate *kp, char id[64]) {
    keyplate_new_admin *admin = NULL;
    keyplate_signed_in *signed_in = NULL;
    MUST(keyplate_new_admin_new("ann", &admin, error));
    MUST(keyplate_new_admin_set_email(admin, "ann@media.example", error));
    MUST(keyplate_claim_setup(kp, NULL, 0, admin, &signed_in, error));
    keyplate_new_admin_free(admin);
    copy_text(keyplate_user_get_id(keyplate_signed_in_get_user(signed_in)), id);
    return signed_in;
}

/* Setup token, claim by a stranger, an API key made with her own rights, and its verification. */
static void test_first_run(void) {
    keyplate *kp = fresh("first.db", NULL), *stranger = NULL, *ann = NULL;
    keyplate_client_info *client = NULL;
    MUST(keyplate_client_info_new(&client, error));
    MUST(keyplate_client_info_set_address(client, "192.0.2.7", error));
    MUST(keyplate_anonymous(kp, client, &stranger, error));

    keyplate_created_setup_token *token = NULL;
    MUST(keyplate_create_setup_token(kp, &token, error));
    keyplate_str secret = keyplate_secret_reveal(keyplate_created_setup_token_get_secret(token));
    keyplate_new_admin *admin = NULL;
    keyplate_signed_in *signed_in = NULL;
    MUST(keyplate_new_admin_new("ann", &admin, error));
    CHECK(keyplate_claim_setup(stranger, NULL, 0, admin, &signed_in, NULL) == KEYPLATE_STATUS_INVALID_CREDENTIAL);
    CHECK(signed_in == NULL);
    MUST(keyplate_claim_setup(stranger, secret.ptr, secret.len, admin, &signed_in, error));
    const keyplate_user *user = keyplate_signed_in_get_user(signed_in);
    CHECK(is_text(keyplate_user_get_username(user), "ann"));
    CHECK(keyplate_user_get_role(user) == KEYPLATE_ROLE_ADMINISTRATOR);
    CHECK(keyplate_user_get_email(user).ptr == NULL);
    CHECK(!keyplate_user_get_expires_at(user, NULL));

    keyplate_authenticated *who = NULL;
    secret = keyplate_secret_reveal(keyplate_signed_in_get_secret(signed_in));
    MUST(keyplate_authenticate(kp, secret.ptr, secret.len, &who, error));
    MUST(keyplate_acting_as(kp, keyplate_authenticated_get_principal(who), client, &ann, error));

    keyplate_new_service *new_service = NULL;
    keyplate_service *service = NULL;
    keyplate_decision *decision = NULL;
    MUST(keyplate_new_service_new("films", &new_service, error));
    MUST(keyplate_create_service(kp, new_service, &service, error));
    MUST(keyplate_authorize(kp, keyplate_authenticated_get_principal(who), "films", &decision, error));
    CHECK(!keyplate_decision_get_allowed(decision));
    CHECK(keyplate_decision_get_reason(decision) == KEYPLATE_DECISION_REASON_CLOSED);
    CHECK(is_text(keyplate_service_get_slug(service), "films"));
    keyplate_decision_free(decision);

    keyplate_access_token *access = NULL;
    keyplate_access_token_claims *claims = NULL;
    const keyplate_principal *principal = keyplate_authenticated_get_principal(who);
    CHECK(keyplate_issue_access_token(kp, principal, "films", NULL, &access, NULL) == KEYPLATE_STATUS_PERMISSION_DENIED);
    keyplate_str films = keyplate_service_get_id(service);
    char films_id[37] = {0};
    memcpy(films_id, films.ptr, films.len < 36 ? films.len : 36);
    keyplate_service *opened = NULL;
    MUST(keyplate_set_service_access(kp, films_id, true, NULL, 0, &opened, error));
    keyplate_identity *identity = NULL;
    MUST(keyplate_describe(kp, principal, &identity, error));
    CHECK(is_text(keyplate_user_get_username(keyplate_identity_get_user(identity)), "ann"));
    CHECK(keyplate_identity_get_groups_len(identity) == 0 && keyplate_identity_get_groups_at(identity, 0) == NULL);
    CHECK(keyplate_identity_get_services_len(identity) == 1);
    CHECK(is_text(keyplate_service_get_slug(keyplate_identity_get_services_at(identity, 0)), "films"));
    keyplate_identity_free(identity);
    const int64_t minute = 60;
    MUST(keyplate_issue_access_token(kp, principal, "films", &minute, &access, error));
    secret = keyplate_secret_reveal(keyplate_access_token_get_secret(access));
    MUST(keyplate_verify_access_token(kp, secret.ptr, secret.len, "films", &claims, error));
    CHECK(is_text(keyplate_access_token_claims_get_username(claims), "ann"));
    CHECK(keyplate_verify_access_token(kp, secret.ptr, secret.len - 1, "films", &claims, NULL) ==
          KEYPLATE_STATUS_INVALID_CREDENTIAL);
    keyplate_access_token_claims_free(claims);
    keyplate_access_token_free(access);
    keyplate_service_free(opened);
    keyplate_service_free(service);
    keyplate_new_service_free(new_service);

    const char *scopes[] = {"users:read", "library:stream"};
    keyplate_new_api_key *new_key = NULL;
    keyplate_created_api_key *created = NULL;
    MUST(keyplate_new_api_key_new("automation", scopes, 2, &new_key, error));
    MUST(keyplate_new_api_key_set_expires_at(new_key, 4102444800123, error));
    MUST(keyplate_create_api_key(ann, new_key, &created, error));
    int64_t expires_at = 0;
    CHECK(keyplate_api_key_get_expires_at(keyplate_created_api_key_get_api_key(created), &expires_at));
    CHECK(expires_at == 4102444800123);

    keyplate_authenticated *verified = NULL;
    secret = keyplate_secret_reveal(keyplate_created_api_key_get_secret(created));
    MUST(keyplate_verify_api_key(kp, secret.ptr, secret.len, &verified, error));
    CHECK(is_text(keyplate_authenticated_get_username(verified), "ann"));
    CHECK(keyplate_authenticated_get_scopes_len(verified) == 2);
    CHECK(keyplate_authenticated_get_scopes_at(verified, 2).ptr == NULL);

    keyplate_user_query *query = NULL;
    keyplate_user_page *page = NULL;
    MUST(keyplate_user_query_new(&query, error));
    MUST(keyplate_list_users(ann, query, &page, error));
    CHECK(keyplate_user_page_get_total(page) == 1);
    CHECK(is_text(keyplate_user_get_username(keyplate_user_page_get_items_at(page, 0)), "ann"));
    CHECK(keyplate_user_page_get_items_at(page, 1) == NULL);

    keyplate_user_page_free(page);
    keyplate_user_query_free(query);
    keyplate_authenticated_free(verified);
    keyplate_created_api_key_free(created);
    keyplate_new_api_key_free(new_key);
    keyplate_authenticated_free(who);
    keyplate_signed_in_free(signed_in);
    keyplate_new_admin_free(admin);
    keyplate_created_setup_token_free(token);
    keyplate_client_info_free(client);
    keyplate_free(ann);
    keyplate_free(stranger);
    keyplate_free(kp);
}

/* A refusal has a status, words and the field; what it would have written stays as it was. */
static void test_refusals(void) {
    char id[64];
    keyplate *kp = fresh("refused.db", NULL);
    keyplate_signed_in_free(claim(kp, id));
    keyplate_new_user *input = NULL;
    keyplate_user *user = NULL;
    keyplate_error *error = NULL;
    MUST(keyplate_new_user_new("ben", &input, error));
    MUST(keyplate_new_user_set_email(input, "no address", error));
    CHECK(keyplate_create_user(kp, input, &user, &error) == KEYPLATE_STATUS_INVALID_INPUT);
    CHECK(user == NULL);
    CHECK(keyplate_error_get_status(error) == KEYPLATE_STATUS_INVALID_INPUT);
    CHECK(is_text(keyplate_error_get_field(error), "email"));
    CHECK(keyplate_error_get_message(error).len > 0);
    CHECK(!keyplate_error_get_retry_after(error, NULL));
    keyplate_error_free(error);
    error = NULL;

    /* NULL takes the value away again. */
    MUST(keyplate_new_user_set_email(input, NULL, error));
    MUST(keyplate_create_user(kp, input, &user, error));
    CHECK(keyplate_create_user(kp, input, &user, &error) == KEYPLATE_STATUS_CONFLICT);
    CHECK(is_text(keyplate_error_get_field(error), "username"));
    keyplate_error_free(error);

    char ben[64];
    keyplate_user *found = NULL;
    copy_text(keyplate_user_get_id(user), ben);
    MUST(keyplate_delete_user(kp, ben, error));
    CHECK(keyplate_get_user(kp, ben, &found, NULL) == KEYPLATE_STATUS_NOT_FOUND);
    MUST(keyplate_find_user_by_username(kp, ben, &found, error));
    CHECK(found == NULL);
    keyplate_user_free(user);
    keyplate_new_user_free(input);
    keyplate_free(kp);
}

static void at_home(keyplate_config *config) {
    MUST(keyplate_config_set_origin(config, "https://tv.home.example", error));
    MUST(keyplate_config_set_rp_id(config, "home.example", error));
    MUST(keyplate_config_add_more_origins(config, "https://home.example", error));
    MUST(keyplate_config_add_more_origins(config, "https://x.home.example", error));
}

/* The lists of the configuration; the reason of a failed ceremony. */
static void test_relying_party(void) {
    keyplate *kp = fresh("home.db", at_home), *other = NULL;
    keyplate_passkey_ceremony *ceremony = NULL;
    keyplate_config *config = NULL;
    keyplate_signed_in *signed_in = NULL;
    keyplate_error *error = NULL;
    MUST(keyplate_begin_passkey_login(kp, &ceremony, error));
    keyplate_str options = keyplate_passkey_ceremony_get_options(ceremony);
    CHECK(memmem(options.ptr, options.len, "\"home.example\"", 14) != NULL);
    keyplate_passkey_ceremony_free(ceremony);
    CHECK(keyplate_finish_passkey_login(kp, "x", "{}", &signed_in, &error) == KEYPLATE_STATUS_PASSKEY_CEREMONY_FAILED);
    CHECK(keyplate_error_get_passkey_failure(error) == KEYPLATE_PASSKEY_FAILURE_UNKNOWN_CEREMONY);
    CHECK(is_text(keyplate_error_get_message(error), "passkey ceremony failed: no such ceremony"));
    keyplate_error_free(error);
    error = NULL;

    MUST(keyplate_config_new(file_path("home.db"), "https://home.example", &config, error));
    MUST(keyplate_config_add_related_origins(config, "https://a.example", error));
    MUST(keyplate_config_add_related_origins(config, "http://b.example", error));
    CHECK(keyplate_open(config, &other, &error) == KEYPLATE_STATUS_CONFIGURATION && other == NULL);
    CHECK(is_text(keyplate_error_get_field(error), "related_origins"));
    CHECK(keyplate_error_get_passkey_failure(error) == KEYPLATE_PASSKEY_FAILURE_UNKNOWN);
    CHECK(keyplate_error_get_passkey_failure(NULL) == KEYPLATE_PASSKEY_FAILURE_UNKNOWN);
    keyplate_error_free(error);
    keyplate_config_free(config);
    keyplate_free(kp);
}

/* Times from 1970 to the last millisecond of the year 9999; whatever else a number says is refused with its field. */
static void test_times(void) {
    const int64_t last = 253402300799999;
    const struct {
        int64_t time;
        keyplate_input_reason_kind end, since;
    } outside[] = {
        {last + 1, KEYPLATE_INPUT_REASON_KIND_TOO_LATE, KEYPLATE_INPUT_REASON_KIND_TOO_LATE},
        {INT64_MAX, KEYPLATE_INPUT_REASON_KIND_TOO_LATE, KEYPLATE_INPUT_REASON_KIND_TOO_LATE},
        {-1, KEYPLATE_INPUT_REASON_KIND_IN_THE_PAST, KEYPLATE_INPUT_REASON_KIND_TOO_EARLY},
        {INT64_MIN, KEYPLATE_INPUT_REASON_KIND_IN_THE_PAST, KEYPLATE_INPUT_REASON_KIND_TOO_EARLY},
    };
    keyplate *kp = fresh("times.db", NULL);
    keyplate_new_user *input = NULL;
    keyplate_user *user = NULL;
    keyplate_audit_query *query = NULL;
    keyplate_audit_page *page = NULL;
    int64_t end = 0;
    MUST(keyplate_new_user_new("dora", &input, error));
    MUST(keyplate_audit_query_new(&query, error));
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        keyplate_error *error = NULL;
        MUST(keyplate_new_user_set_expires_at(input, outside[i].time, error));
        CHECK(keyplate_create_user(kp, input, &user, &error) == KEYPLATE_STATUS_INVALID_INPUT);
        CHECK(is_text(keyplate_error_get_field(error), "expires_at"));
        CHECK(keyplate_input_reason_get_kind(keyplate_error_get_input_reason(error)) == outside[i].end);
        keyplate_error_free(error);
        error = NULL;
        MUST(keyplate_audit_query_set_since(query, outside[i].time, error));
        CHECK(keyplate_list_audit_events(kp, query, &page, &error) == KEYPLATE_STATUS_INVALID_INPUT);
        CHECK(is_text(keyplate_error_get_field(error), "since"));
        CHECK(keyplate_input_reason_get_kind(keyplate_error_get_input_reason(error)) == outside[i].since);
        keyplate_error_free(error);
        CHECK(user == NULL && page == NULL);
    }
    MUST(keyplate_new_user_set_expires_at(input, last, error));
    MUST(keyplate_create_user(kp, input, &user, error));
    CHECK(keyplate_user_get_expires_at(user, &end) && end == last);
    MUST(keyplate_audit_query_set_since(query, 0, error));
    MUST(keyplate_list_audit_events(kp, query, &page, error));
    CHECK(keyplate_audit_page_get_total(page) == 1);
    keyplate_audit_page_free(page);
    keyplate_audit_query_free(query);
    keyplate_user_free(user);
    keyplate_new_user_free(input);
    keyplate_free(kp);
}

/* A sign-up token goes into its record as a secret: as it came out, or made of text. */
static void test_signup_token(void) {
    keyplate *kp = fresh("invited.db", NULL);
    keyplate_settings_changes *changes = NULL;
    keyplate_settings *settings = NULL;
    keyplate_new_signup_token *new_token = NULL;
    keyplate_created_signup_token *created = NULL;
    keyplate_limit *twice = NULL;
    keyplate_secret *secret = NULL;
    MUST(keyplate_settings_changes_new(&changes, error));
    MUST(keyplate_settings_changes_set_signup_mode(changes, KEYPLATE_SIGNUP_MODE_WITH_TOKEN, error));
    MUST(keyplate_update_settings(kp, changes, &settings, error));
    MUST(keyplate_new_signup_token_new(&new_token, error));
    MUST(keyplate_limit_new_at_most(2, &twice, error));
    MUST(keyplate_new_signup_token_set_uses(new_token, twice, error));
    MUST(keyplate_create_signup_token(kp, new_token, &created, error));
    keyplate_str text = keyplate_secret_reveal(keyplate_created_signup_token_get_secret(created));
    MUST(keyplate_secret_new(text.ptr, text.len, &secret, error));
    const keyplate_secret *tokens[] = {keyplate_created_signup_token_get_secret(created), secret};
    const char *names[] = {"ann", "ben"};
    for (int i = 0; i < 2; i++) {
        keyplate_new_signup *signup = NULL;
        keyplate_signed_in *signed_in = NULL;
        MUST(keyplate_new_signup_new(names[i], &signup, error));
        MUST(keyplate_new_signup_set_token(signup, tokens[i], error));
        MUST(keyplate_sign_up(kp, signup, &signed_in, error));
        CHECK(is_text(keyplate_user_get_username(keyplate_signed_in_get_user(signed_in)), names[i]));
        keyplate_signed_in_free(signed_in);
        keyplate_new_signup_free(signup);
    }
    keyplate_secret_free(secret);
    keyplate_created_signup_token_free(created);
    keyplate_limit_free(twice);
    keyplate_new_signup_token_free(new_token);
    keyplate_settings_free(settings);
    keyplate_settings_changes_free(changes);
    keyplate_free(kp);
}

/* What is left out stays; an enum with data takes a time away. */
static void test_changes(void) {
    keyplate *kp = fresh("changes.db", NULL);
    keyplate_new_user *input = NULL;
    keyplate_user *user = NULL, *changed = NULL;
    keyplate_user_changes *changes = NULL;
    keyplate_expiry *never = NULL;
    char id[64];
    MUST(keyplate_new_user_new("carl", &input, error));
    MUST(keyplate_new_user_set_expires_at(input, 4102444800000, error));
    MUST(keyplate_new_user_set_role(input, KEYPLATE_ROLE_USER, error));
    MUST(keyplate_create_user(kp, input, &user, error));
    CHECK(keyplate_user_get_expires_at(user, NULL));
    MUST(keyplate_user_changes_new(&changes, error));
    MUST(keyplate_expiry_new_never(&never, error));
    CHECK(keyplate_expiry_get_kind(never) == KEYPLATE_EXPIRY_KIND_NEVER);
    MUST(keyplate_user_changes_set_expiry(changes, never, error));
    MUST(keyplate_user_changes_set_display_name(changes, "Carl", error));
    MUST(keyplate_update_user(kp, copy_text(keyplate_user_get_id(user), id), changes, &changed, error));
    CHECK(!keyplate_user_get_expires_at(changed, NULL));
    CHECK(is_text(keyplate_user_get_display_name(changed), "Carl"));
    CHECK(is_text(keyplate_user_get_username(changed), "carl"));
    keyplate_user_free(changed);
    keyplate_expiry_free(never);
    keyplate_user_changes_free(changes);
    keyplate_user_free(user);
    keyplate_new_user_free(input);
    keyplate_free(kp);
}

struct heard {
    int events, user_created, freed;
    keyplate *kp;
};

static void on_event(const keyplate_audit_event *event, void *data) {
    struct heard *heard = data;
    heard->events++;
    if (keyplate_audit_event_get_kind(event) == KEYPLATE_EVENT_KIND_USER_CREATED) {
        heard->user_created++;
        CHECK(keyplate_audit_event_get_at(event) > 1500000000000);
        CHECK(is_text(keyplate_audit_event_get_username(event), "dora"));
        /* It may call back: no lock is held. */
        keyplate_setup_state *state = NULL;
        MUST(keyplate_get_setup_state(heard->kp, &state, error));
        keyplate_setup_state_free(state);
    }
}

static void forget(void *data) { ((struct heard *)data)->freed++; }

static struct heard heard;
static void listen(keyplate_config *config) {
    MUST(keyplate_config_set_events(config, on_event, &heard, forget, error));
}

static void test_events(void) {
    keyplate *kp = fresh("events.db", listen);
    keyplate_new_user *input = NULL;
    keyplate_user *user = NULL;
    heard.kp = kp;
    MUST(keyplate_new_user_new("dora", &input, error));
    MUST(keyplate_create_user(kp, input, &user, error));
    CHECK(heard.user_created == 1);
    CHECK(heard.freed == 0);
    keyplate_user_free(user);
    keyplate_new_user_free(input);
    keyplate_free(kp);
    CHECK(heard.freed == 1);
    CHECK(keyplate_config_set_events(NULL, on_event, &heard, forget, NULL) == KEYPLATE_STATUS_INVALID_INPUT);
    CHECK(heard.freed == 2);
}

static int64_t now_in_2100(void *data) { return 4102444800000 + ++*(int64_t *)data; }

static int64_t ticks;
static void set_clock(keyplate_config *config) {
    MUST(keyplate_config_set_time_source(config, now_in_2100, &ticks, NULL, error));
}

static void test_time_source(void) {
    keyplate *kp = fresh("time.db", set_clock);
    keyplate_new_user *input = NULL;
    keyplate_user *user = NULL;
    MUST(keyplate_new_user_new("eva", &input, error));
    MUST(keyplate_create_user(kp, input, &user, error));
    int64_t created_at = keyplate_user_get_created_at(user);
    CHECK(created_at > 4102444800000 && created_at <= 4102444800000 + ticks);
    keyplate_user_free(user);
    keyplate_new_user_free(input);
    keyplate_free(kp);
}

static int64_t told;
static int64_t tell(void *data) {
    (void)data;
    return told;
}

static void set_told(keyplate_config *config) {
    MUST(keyplate_config_set_time_source(config, tell, NULL, NULL, error));
}

/* Times that nothing can be reckoned with: each call succeeds or says in words why not, and the handle works on. */
static void test_broken_time_source(void) {
    const int64_t noon = 1793534400000, nonsense[] = {INT64_MIN, INT64_MAX, INT64_MAX - 1, -1, 0, 253402300800000};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        char name[32], id[64];
        snprintf(name, sizeof name, "broken-%zu.db", i);
        told = noon;
        keyplate *kp = fresh(name, set_told);
        keyplate_signed_in *ann = claim(kp, id);
        keyplate_str secret = keyplate_secret_reveal(keyplate_signed_in_get_secret(ann));
        keyplate_new_user *input = NULL;
        keyplate_client_info *client = NULL;
        MUST(keyplate_new_user_new("ben", &input, error));
        MUST(keyplate_client_info_new(&client, error));
        told = nonsense[i];
        for (int call = 0; call < 4; call++) {
            keyplate_user *user = NULL;
            keyplate_authenticated *who = NULL;
            keyplate_signed_in *signed_in = NULL;
            keyplate_purge_report *report = NULL;
            keyplate_error *error = NULL;
            keyplate_status status = call == 0   ? keyplate_create_user(kp, input, &user, &error)
                                     : call == 1 ? keyplate_authenticate(kp, secret.ptr, secret.len, &who, &error)
                                     : call == 2 ? keyplate_create_session(kp, id, client, NULL, &signed_in, &error)
                                                 : keyplate_purge_expired(kp, &report, &error);
            CHECK(keyplate_error_get_status(error) == status);
            CHECK(status == KEYPLATE_STATUS_OK || keyplate_error_get_message(error).len > 0);
            keyplate_user_free(user);
            keyplate_authenticated_free(who);
            keyplate_signed_in_free(signed_in);
            keyplate_purge_report_free(report);
            keyplate_error_free(error);
        }
        told = noon;
        keyplate_new_user *other = NULL;
        keyplate_user *carl = NULL;
        keyplate_clock_reset_report *reset = NULL;
        MUST(keyplate_reset_clock(kp, &reset, error));
        keyplate_clock_reset_report_free(reset);
        MUST(keyplate_new_user_new("carl", &other, error));
        MUST(keyplate_create_user(kp, other, &carl, error));
        CHECK(keyplate_user_get_created_at(carl) == noon);
        keyplate_user_free(carl);
        keyplate_new_user_free(other);
        keyplate_client_info_free(client);
        keyplate_new_user_free(input);
        keyplate_signed_in_free(ann);
        keyplate_free(kp);
    }
}

/* NULL, wrong UTF-8, numbers that are no value of an enum: a status, never a crash. */
static void test_bad_arguments(void) {
    keyplate *kp = fresh("bad.db", NULL);
    keyplate_authenticated *who = NULL;
    keyplate_new_user *input = NULL;
    keyplate_user *user = NULL;
    keyplate_secret *secret = NULL;
    keyplate_error *error = NULL;
    CHECK(keyplate_verify_api_key(kp, "\xff", 1, &who, &error) == KEYPLATE_STATUS_INVALID_INPUT);
    CHECK(is_text(keyplate_error_get_field(error), "secret"));
    keyplate_error_free(error);
    error = NULL;
    CHECK(keyplate_verify_api_key(NULL, "x", 1, &who, &error) == KEYPLATE_STATUS_INVALID_INPUT);
    CHECK(is_text(keyplate_error_get_field(error), "kp"));
    keyplate_error_free(error);
    error = NULL;
    CHECK(keyplate_get_user(kp, "no uuid", &user, &error) == KEYPLATE_STATUS_INVALID_INPUT);
    CHECK(is_text(keyplate_error_get_field(error), "id"));
    keyplate_error_free(error);
    CHECK(keyplate_verify_api_key(kp, NULL, 3, &who, NULL) == KEYPLATE_STATUS_INVALID_INPUT);
    CHECK(keyplate_verify_api_key(kp, "x", (size_t)-1, &who, NULL) == KEYPLATE_STATUS_INVALID_INPUT);
    CHECK(keyplate_verify_api_key(kp, NULL, 0, &who, NULL) == KEYPLATE_STATUS_INVALID_CREDENTIAL);
    CHECK(keyplate_verify_api_key(kp, "x", 1, NULL, NULL) == KEYPLATE_STATUS_INVALID_INPUT);
    CHECK(keyplate_new_user_new(NULL, &input, NULL) == KEYPLATE_STATUS_INVALID_INPUT && input == NULL);
    CHECK(keyplate_new_user_new("\xc3\x28", &input, NULL) == KEYPLATE_STATUS_INVALID_INPUT && input == NULL);
    CHECK(keyplate_new_user_set_email(NULL, "a@b.example", NULL) == KEYPLATE_STATUS_INVALID_INPUT);
    MUST(keyplate_new_user_new("fred", &input, error));
    CHECK(keyplate_new_user_set_role(input, (keyplate_role)77, NULL) == KEYPLATE_STATUS_INVALID_INPUT);
    CHECK(keyplate_new_user_set_role(input, KEYPLATE_ROLE_UNKNOWN, NULL) == KEYPLATE_STATUS_INVALID_INPUT);
    CHECK(keyplate_new_user_set_expires_at(input, INT64_MIN, NULL) == KEYPLATE_STATUS_INVALID_INPUT ||
          keyplate_create_user(kp, input, &user, NULL) != KEYPLATE_STATUS_OK);
    CHECK(keyplate_new_api_key_new("x", NULL, 2, (keyplate_new_api_key **)&who, NULL) == KEYPLATE_STATUS_INVALID_INPUT);
    CHECK(keyplate_secret_new(NULL, 5, &secret, NULL) == KEYPLATE_STATUS_INVALID_INPUT && secret == NULL);
    CHECK(keyplate_user_get_username(NULL).ptr == NULL && keyplate_user_get_role(NULL) == KEYPLATE_ROLE_UNKNOWN);
    CHECK(keyplate_open(NULL, &kp, NULL) == KEYPLATE_STATUS_INVALID_INPUT);
    keyplate_new_user_free(input);
    keyplate_free(kp);
    keyplate_free(NULL);
    keyplate_user_free(NULL);
    keyplate_error_free(NULL);
    keyplate_secret_free(NULL);
    keyplate_config_free(NULL);
}

static void test_secret(void) {
    keyplate_secret *secret = NULL;
    MUST(keyplate_secret_new("ab\0c", 4, &secret, error));
    CHECK(keyplate_secret_reveal(secret).len == 4);
    keyplate_secret_free(secret);
    CHECK(strcmp(keyplate_version(), KEYPLATE_TEST_VERSION) == 0);
}

struct work {
    const keyplate *kp;
    int number, made;
};

static void *make_users(void *data) {
    struct work *work = data;
    for (int i = 0; i < 20; i++) {
        char name[32];
        keyplate_new_user *input = NULL;
        keyplate_user *user = NULL;
        snprintf(name, sizeof name, "user-%d-%d", work->number, i);
        if (keyplate_new_user_new(name, &input, NULL) == KEYPLATE_STATUS_OK &&
            keyplate_create_user(work->kp, input, &user, NULL) == KEYPLATE_STATUS_OK)
            work->made++;
        keyplate_user_free(user);
        keyplate_new_user_free(input);
    }
    return NULL;
}

#ifdef __SANITIZE_ADDRESS__
static const int with_asan = 1;
#else
static const int with_asan = 0;
#endif

/* D4: forks while other threads write; the child, and the parent after it, go on working. */
static void fork_once(const keyplate *kp, const char *id) {
    pid_t child = fork();
    if (child == 0) {
        keyplate_user *user = NULL;
        keyplate_new_user *input = NULL;
        int fine = keyplate_get_user(kp, id, &user, NULL) == KEYPLATE_STATUS_OK;
        keyplate_user_free(user);
        user = NULL;
        fine = fine && keyplate_new_user_new("of-the-child", &input, NULL) == KEYPLATE_STATUS_OK;
        fine = fine && keyplate_create_user(kp, input, &user, NULL) == KEYPLATE_STATUS_OK;
        /* Killed, so that valgrind does not look for leaks in a process that has lost its threads. */
        if (fine) kill(getpid(), SIGKILL);
        _exit(1);
    }
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* D3: one writes at a time, and nobody is turned away. */
static void test_threads_and_fork(void) {
    char id[64];
    keyplate *kp = fresh("threads.db", NULL);
    keyplate_signed_in_free(claim(kp, id));
    pthread_t threads[2];
    struct work work[2] = {{kp, 1, 0}, {kp, 2, 0}};
    for (int i = 0; i < 2; i++) CHECK(pthread_create(&threads[i], NULL, make_users, &work[i]) == 0);
    /* GCC 12's ASan does not free its allocator's locks in a child: there nobody may allocate meanwhile. */
    if (!with_asan) fork_once(kp, id);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    if (with_asan) fork_once(kp, id);
    CHECK(work[0].made == 20 && work[1].made == 20);

    keyplate_user *user = NULL;
    MUST(keyplate_find_user_by_username(kp, "of-the-child", &user, error));
    CHECK(user != NULL);
    keyplate_user_free(user);
    keyplate_free(kp);
}

int main(void) {
    if (!mkdtemp(folder)) return 1;
    test_first_run();
    test_refusals();
    test_relying_party();
    test_changes();
    test_times();
    test_signup_token();
    test_events();
    test_time_source();
    test_broken_time_source();
    test_bad_arguments();
    test_reasons();
    test_secret();
    test_threads_and_fork();
    printf("%d passed, %d failed\n", passed, failed);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) != 0 || failed != 0;
}
