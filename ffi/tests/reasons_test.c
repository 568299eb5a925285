/* Why a call was refused: the reasons of errors, each behind the accessor of its status and behind no other. */

#include "check.h"

/* What an error is to say; the accessors of other statuses give nothing. */
struct expected {
    keyplate_status status;
    int64_t http_status;
    const char *field, *code, *json;
    keyplate_input_reason_kind input;
    keyplate_thing thing;
    keyplate_conflict_reason conflict;
    keyplate_configuration_reason_kind configuration;
    keyplate_denial_reason_kind denial;
    keyplate_signup_refusal signup;
    keyplate_passkey_failure passkey;
};

static int is_optional(keyplate_str text, const char *expected) {
    return expected ? is_text(text, expected) : text.ptr == NULL;
}

static void check_error(keyplate_status status, keyplate_error *error, struct expected expected) {
    CHECK(status == expected.status);
    CHECK(keyplate_error_get_status(error) == expected.status);
    CHECK(keyplate_error_get_http_status(error) == expected.http_status);
    CHECK(is_optional(keyplate_error_get_field(error), expected.field));
    CHECK(is_optional(keyplate_error_get_reason_code(error), expected.code));
    CHECK(is_optional(keyplate_error_get_reason_json(error), expected.json));
    CHECK(keyplate_input_reason_get_kind(keyplate_error_get_input_reason(error)) == expected.input);
    CHECK(keyplate_error_get_thing(error) == expected.thing);
    CHECK(keyplate_error_get_conflict_reason(error) == expected.conflict);
    CHECK(keyplate_configuration_reason_get_kind(keyplate_error_get_configuration_reason(error)) == expected.configuration);
    CHECK(keyplate_denial_reason_get_kind(keyplate_error_get_denial_reason(error)) == expected.denial);
    CHECK(keyplate_error_get_signup_refusal(error) == expected.signup);
    CHECK(keyplate_error_get_passkey_failure(error) == expected.passkey);
}

/* Makes a call, whose last argument is `&error`, and compares the error, which stays there until the next one. */
#define REFUSED(call, ...)                                              \
    do {                                                                \
        keyplate_error_free(error);                                     \
        error = NULL;                                                   \
        keyplate_status status = (call);                                \
        check_error(status, error, (struct expected){__VA_ARGS__});     \
    } while (0)

static void test_values(keyplate *kp) {
    keyplate_new_user *input = NULL;
    keyplate_user *user = NULL;
    keyplate_error *error = NULL;
    MUST(keyplate_new_user_new("a-name-of-more-than-fifty-letters-is-longer-than-names-may-be", &input, error));
    REFUSED(keyplate_create_user(kp, input, &user, &error), .status = KEYPLATE_STATUS_INVALID_INPUT, .http_status = 400,
            .field = "username", .code = "too_long", .json = "{\"code\":\"too_long\",\"most\":50}",
            .input = KEYPLATE_INPUT_REASON_KIND_TOO_LONG);
    const keyplate_input_reason *reason = keyplate_error_get_input_reason(error);
    CHECK(keyplate_input_reason_get_too_long_most(reason) == 50);
    CHECK(keyplate_input_reason_get_too_short_least(reason) == 0);
    keyplate_new_user_free(input);
    MUST(keyplate_new_user_new("ann", &input, error));
    REFUSED(keyplate_create_user(kp, input, &user, &error), .status = KEYPLATE_STATUS_CONFLICT, .http_status = 409,
            .field = "username", .code = "taken", .json = "{\"code\":\"taken\"}", .conflict = KEYPLATE_CONFLICT_REASON_TAKEN);
    keyplate_new_user_free(input);
    REFUSED(keyplate_get_user(kp, "0190a1b2-0000-7000-8000-00000000abcd", &user, &error),
            .status = KEYPLATE_STATUS_NOT_FOUND, .http_status = 404, .code = "user", .json = "{\"code\":\"user\"}",
            .thing = KEYPLATE_THING_USER);
    CHECK(user == NULL);
    keyplate_error_free(error);
}

static void test_who_may(keyplate *kp, const char *id) {
    keyplate_client_info *client = NULL;
    keyplate *stranger = NULL, *key = NULL;
    keyplate_new_signup *signup = NULL;
    keyplate_new_api_key *new_key = NULL;
    keyplate_created_api_key *created = NULL;
    keyplate_authenticated *who = NULL;
    keyplate_signed_in *signed_in = NULL;
    keyplate_user *user = NULL;
    keyplate_error *error = NULL;
    MUST(keyplate_client_info_new(&client, error));
    MUST(keyplate_anonymous(kp, client, &stranger, error));
    REFUSED(keyplate_get_user(stranger, id, &user, &error), .status = KEYPLATE_STATUS_PERMISSION_DENIED,
            .http_status = 403, .code = "not_signed_in", .json = "{\"code\":\"not_signed_in\"}",
            .denial = KEYPLATE_DENIAL_REASON_KIND_NOT_SIGNED_IN);
    CHECK(keyplate_denial_reason_get_missing_scope_scope(keyplate_error_get_denial_reason(error)).ptr == NULL);
    MUST(keyplate_new_signup_new("ben", &signup, error));
    REFUSED(keyplate_sign_up(stranger, signup, &signed_in, &error), .status = KEYPLATE_STATUS_SIGNUP_REFUSED,
            .http_status = 403, .code = "disabled", .json = "{\"code\":\"disabled\"}",
            .signup = KEYPLATE_SIGNUP_REFUSAL_DISABLED);
    REFUSED(keyplate_finish_passkey_login(stranger, "x", "{}", &signed_in, &error),
            .status = KEYPLATE_STATUS_PASSKEY_CEREMONY_FAILED, .http_status = 400, .code = "unknown_ceremony",
            .json = "{\"code\":\"unknown_ceremony\"}", .passkey = KEYPLATE_PASSKEY_FAILURE_UNKNOWN_CEREMONY);
    REFUSED(keyplate_authenticate(kp, "x", 1, &who, &error), .status = KEYPLATE_STATUS_INVALID_CREDENTIAL,
            .http_status = 401);

    const char *scopes[] = {"groups:read"};
    MUST(keyplate_new_api_key_new("groups", scopes, 1, &new_key, error));
    MUST(keyplate_new_api_key_set_owner_id(new_key, id, error));
    MUST(keyplate_create_api_key(kp, new_key, &created, error));
    keyplate_str secret = keyplate_secret_reveal(keyplate_created_api_key_get_secret(created));
    MUST(keyplate_authenticate(kp, secret.ptr, secret.len, &who, error));
    MUST(keyplate_acting_as(kp, keyplate_authenticated_get_principal(who), client, &key, error));
    keyplate_user_query *query = NULL;
    keyplate_user_page *page = NULL;
    MUST(keyplate_user_query_new(&query, error));
    REFUSED(keyplate_list_users(key, query, &page, &error), .status = KEYPLATE_STATUS_PERMISSION_DENIED,
            .http_status = 403, .code = "missing_scope", .json = "{\"code\":\"missing_scope\",\"scope\":\"users:read\"}",
            .denial = KEYPLATE_DENIAL_REASON_KIND_MISSING_SCOPE);
    keyplate_str scope = keyplate_denial_reason_get_missing_scope_scope(keyplate_error_get_denial_reason(error));
    CHECK(is_text(scope, "users:read"));

    keyplate_error_free(error);
    keyplate_user_query_free(query);
    keyplate_authenticated_free(who);
    keyplate_created_api_key_free(created);
    keyplate_new_api_key_free(new_key);
    keyplate_new_signup_free(signup);
    keyplate_client_info_free(client);
    keyplate_free(key);
    keyplate_free(stranger);
}

static void test_configuration(void) {
    keyplate_config *config = NULL;
    keyplate_secret *secret = NULL;
    keyplate *kp = NULL;
    keyplate_error *error = NULL;
    MUST(keyplate_config_new(file_path("config.db"), "https://192.0.2.1", &config, error));
    REFUSED(keyplate_open(config, &kp, &error), .status = KEYPLATE_STATUS_CONFIGURATION, .http_status = 500,
            .field = "origin", .code = "ip_address", .json = "{\"code\":\"ip_address\"}",
            .configuration = KEYPLATE_CONFIGURATION_REASON_KIND_IP_ADDRESS);
    keyplate_config_free(config);
    MUST(keyplate_config_new(file_path("config.db"), "https://media.example", &config, error));
    MUST(keyplate_secret_new("short", 5, &secret, error));
    MUST(keyplate_config_set_encryption_key(config, secret, error));
    REFUSED(keyplate_open(config, &kp, &error), .status = KEYPLATE_STATUS_CONFIGURATION, .http_status = 500,
            .field = "encryption_key", .code = "too_short", .json = "{\"code\":\"too_short\",\"least\":32}",
            .configuration = KEYPLATE_CONFIGURATION_REASON_KIND_TOO_SHORT);
    CHECK(keyplate_configuration_reason_get_too_short_least(keyplate_error_get_configuration_reason(error)) == 32);
    CHECK(kp == NULL);
    keyplate_error_free(error);
    keyplate_secret_free(secret);
    keyplate_config_free(config);
}

/* What only C can give: NULL, bytes that are not UTF-8, numbers that are no value of an enum. */
static void test_only_c(keyplate *kp) {
    keyplate_new_user *input = NULL;
    keyplate_authenticated *who = NULL;
    keyplate_user *user = NULL;
    keyplate_error *error = NULL;
#define IS_NULL(name)                                                                                      \
    .status = KEYPLATE_STATUS_INVALID_INPUT, .http_status = 400, .field = name, .code = "null",             \
    .json = "{\"code\":\"null\"}", .input = KEYPLATE_INPUT_REASON_KIND_NULL
    REFUSED(keyplate_new_user_new(NULL, &input, &error), IS_NULL("username"));
    REFUSED(keyplate_get_user(NULL, "x", &user, &error), IS_NULL("kp"));
    REFUSED(keyplate_verify_api_key(kp, NULL, 3, &who, &error), IS_NULL("secret"));
    REFUSED(keyplate_new_user_new("\xc3\x28", &input, &error), .status = KEYPLATE_STATUS_INVALID_INPUT,
            .http_status = 400, .field = "username", .code = "not_utf8", .json = "{\"code\":\"not_utf8\"}",
            .input = KEYPLATE_INPUT_REASON_KIND_NOT_UTF8);
    REFUSED(keyplate_get_user(kp, "no uuid", &user, &error), .status = KEYPLATE_STATUS_INVALID_INPUT, .http_status = 400,
            .field = "id", .code = "not_uuid", .json = "{\"code\":\"not_uuid\"}",
            .input = KEYPLATE_INPUT_REASON_KIND_NOT_UUID);
    MUST(keyplate_new_user_new("fred", &input, error));
    const int wrong[] = {KEYPLATE_ROLE_UNKNOWN, 77, -1};
    for (int i = 0; i < 3; i++)
        REFUSED(keyplate_new_user_set_role(input, (keyplate_role)wrong[i], &error),
                .status = KEYPLATE_STATUS_INVALID_INPUT, .http_status = 400, .field = "value", .code = "not_enum_value",
                .json = "{\"code\":\"not_enum_value\"}", .input = KEYPLATE_INPUT_REASON_KIND_NOT_ENUM_VALUE);
    keyplate_new_user_free(input);
    keyplate_error_free(error);
    /* No error at all. */
    check_error(KEYPLATE_STATUS_OK, NULL, (struct expected){.status = KEYPLATE_STATUS_OK});
}

/* The numbers that hosts have stored or compiled in. */
static void test_numbers(void) {
    CHECK(KEYPLATE_ROLE_UNKNOWN == 0 && KEYPLATE_ROLE_USER == 1 && KEYPLATE_ROLE_ADMINISTRATOR == 2);
    CHECK(KEYPLATE_EVENT_KIND_USER_CREATED == 1 && KEYPLATE_EVENT_KIND_BACKUP_RESTORED == 64);
    CHECK(KEYPLATE_EXPIRY_KIND_NEVER == 1 && KEYPLATE_EXPIRY_KIND_AT == 2);
    CHECK(KEYPLATE_INPUT_REASON_KIND_MISSING == 1);
}

void test_reasons(void) {
    char id[64];
    keyplate *kp = fresh("reasons.db", NULL);
    keyplate_signed_in_free(claim(kp, id));
    test_values(kp);
    test_who_may(kp, id);
    test_configuration();
    test_only_c(kp);
    test_numbers();
    keyplate_free(kp);
}
