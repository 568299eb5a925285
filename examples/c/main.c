/* The first run of an application: claim setup, make an API key, verify it.

   cc main.c $(pkg-config --cflags --libs keyplate) -o example && ./example id.db */

#include <stdio.h>
#include <stdlib.h>

#include "keyplate.h"

#define TEXT(s) (int)(s).len, (s).ptr ? (s).ptr : ""

static keyplate_error *error;

/* Ends the program when a call has failed. */
static void ok(keyplate_status status) {
    if (status == KEYPLATE_STATUS_OK) return;
    keyplate_str message = keyplate_error_get_message(error);
    fprintf(stderr, "keyplate says %d: %.*s\n", (int)status, TEXT(message));
    exit(1);
}

static keyplate *open_database(const char *path) {
    keyplate_config *config = NULL;
    keyplate *kp = NULL;
    ok(keyplate_config_new(path, "https://media.example", &config, &error));
    ok(keyplate_open(config, &kp, &error));
    keyplate_config_free(config);
    return kp;
}

/* Claims setup for `ann` on the host's own handle, and returns a handle with their rights. */
static keyplate *claim_setup(keyplate *kp) {
    keyplate_new_admin *admin = NULL;
    keyplate_signed_in *signed_in = NULL;
    ok(keyplate_new_admin_new("ann", &admin, &error));
    ok(keyplate_claim_setup(kp, NULL, 0, admin, &signed_in, &error));
    keyplate_new_admin_free(admin);

    keyplate_str session = keyplate_secret_reveal(keyplate_signed_in_get_secret(signed_in));
    keyplate_authenticated *who = NULL;
    keyplate_client_info *client = NULL;
    keyplate *ann = NULL;
    ok(keyplate_authenticate(kp, session.ptr, session.len, &who, &error));
    ok(keyplate_client_info_new(&client, &error));
    ok(keyplate_acting_as(kp, keyplate_authenticated_get_principal(who), client, &ann, &error));
    keyplate_client_info_free(client);
    keyplate_authenticated_free(who);
    keyplate_signed_in_free(signed_in);
    return ann;
}

int main(int argc, char **argv) {
    keyplate *kp = open_database(argc > 1 ? argv[1] : "id.db");
    keyplate *ann = claim_setup(kp);

    const char *scopes[] = {"users:read"};
    keyplate_new_api_key *key = NULL;
    keyplate_created_api_key *created = NULL;
    ok(keyplate_new_api_key_new("automation", scopes, 1, &key, &error));
    ok(keyplate_create_api_key(ann, key, &created, &error));
    keyplate_new_api_key_free(key);

    keyplate_str secret = keyplate_secret_reveal(keyplate_created_api_key_get_secret(created));
    printf("API key: %.*s\n", TEXT(secret));
    keyplate_authenticated *who = NULL;
    ok(keyplate_verify_api_key(kp, secret.ptr, secret.len, &who, &error));
    printf("It is %.*s's.\n", TEXT(keyplate_authenticated_get_username(who)));

    keyplate_authenticated_free(who);
    keyplate_created_api_key_free(created);
    keyplate_free(ann);
    keyplate_free(kp);
    return 0;
}
