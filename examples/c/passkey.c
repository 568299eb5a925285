/* Sign-up and sign-in by a passkey. The options go to the browser, its answer comes back: over HTTP in a web application,
   here over standard output and input, a line each.

   cc passkey.c $(pkg-config --cflags --libs keyplate) -o passkey && ./passkey id.db */

#include <stdio.h>
#include <stdlib.h>

#include "keyplate.h"

#define TEXT(s) (int)(s).len, (s).ptr ? (s).ptr : ""
#define LINE 16384

static keyplate_error *error;

/* Ends the program when a call has failed. */
static void ok(keyplate_status status) {
    if (status == KEYPLATE_STATUS_OK) return;
    keyplate_str message = keyplate_error_get_message(error);
    fprintf(stderr, "keyplate says %d: %.*s\n", (int)status, TEXT(message));
    /* Which part of the answer was wrong, for a program to tell. */
    keyplate_passkey_failure failure = keyplate_error_get_passkey_failure(error);
    if (failure == KEYPLATE_PASSKEY_FAILURE_WRONG_ORIGIN) fprintf(stderr, "Is the page at the configured origin?\n");
    exit(1);
}

/* What a browser answers: `navigator.credentials.create()` to `register`, `get()` to `authenticate`, as JSON.
   Meanwhile the ceremony's name would be in a cookie; here a copy is kept. */
static void ask_browser(const char *what, keyplate_passkey_ceremony *begun, char ceremony[LINE], char answer[LINE]) {
    printf("%s %.*s\n", what, TEXT(keyplate_passkey_ceremony_get_options(begun)));
    fflush(stdout);
    snprintf(ceremony, LINE, "%.*s", TEXT(keyplate_passkey_ceremony_get_ceremony(begun)));
    keyplate_passkey_ceremony_free(begun);
    if (!fgets(answer, LINE, stdin)) exit(1);
}

static void sign_up(const keyplate *stranger, const char *username) {
    char ceremony[LINE], answer[LINE];
    keyplate_new_signup *signup = NULL;
    keyplate_passkey_ceremony *begun = NULL;
    keyplate_signed_in *signed_in = NULL;
    ok(keyplate_new_signup_new(username, &signup, &error));
    ok(keyplate_begin_passkey_signup(stranger, signup, &begun, &error));
    keyplate_new_signup_free(signup);
    ask_browser("register", begun, ceremony, answer);
    ok(keyplate_finish_passkey_signup(stranger, ceremony, answer, &signed_in, &error));
    printf("Signed up: %.*s\n", TEXT(keyplate_user_get_username(keyplate_signed_in_get_user(signed_in))));
    keyplate_signed_in_free(signed_in);
}

/* Whoever holds a passkey need not say their name. */
static void sign_in(const keyplate *stranger) {
    char ceremony[LINE], answer[LINE];
    keyplate_passkey_ceremony *begun = NULL;
    keyplate_signed_in *signed_in = NULL;
    ok(keyplate_begin_passkey_login(stranger, &begun, &error));
    ask_browser("authenticate", begun, ceremony, answer);
    ok(keyplate_finish_passkey_login(stranger, ceremony, answer, &signed_in, &error));
    printf("Signed in: %.*s\n", TEXT(keyplate_user_get_username(keyplate_signed_in_get_user(signed_in))));
    keyplate_signed_in_free(signed_in);
}

int main(int argc, char **argv) {
    keyplate *kp = NULL, *stranger = NULL;
    keyplate_config *config = NULL;
    keyplate_settings_changes *changes = NULL;
    keyplate_settings *settings = NULL;
    keyplate_client_info *client = NULL;
    ok(keyplate_config_new(argc > 1 ? argv[1] : "id.db", "https://media.example", &config, &error));
    ok(keyplate_open(config, &kp, &error));
    ok(keyplate_settings_changes_new(&changes, &error));
    ok(keyplate_settings_changes_set_signup_mode(changes, KEYPLATE_SIGNUP_MODE_OPEN, &error));
    ok(keyplate_update_settings(kp, changes, &settings, &error));
    ok(keyplate_client_info_new(&client, &error));
    ok(keyplate_client_info_set_address(client, "192.0.2.7", &error));
    ok(keyplate_anonymous(kp, client, &stranger, &error));

    sign_up(stranger, "bob");
    sign_in(stranger);

    keyplate_free(stranger);
    keyplate_client_info_free(client);
    keyplate_settings_free(settings);
    keyplate_settings_changes_free(changes);
    keyplate_config_free(config);
    keyplate_free(kp);
    return 0;
}
