/* Verifies API keys of prepared data, for `cargo xtask bench`: for each line `FROM COUNT` so many, from that one on;
   answers with the nanoseconds. With `--memory`, instead: the resident memory after opening, in KiB. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keyplate.h"

static void fail(const char *what, keyplate_error *error) {
    keyplate_str message = keyplate_error_get_message(error);
    fprintf(stderr, "%s: %.*s\n", what, (int)message.len, message.ptr ? message.ptr : "");
    exit(1);
}

static keyplate *open_database(const char *folder) {
    char path[4096];
    keyplate_config *config = NULL;
    keyplate *kp = NULL;
    keyplate_error *error = NULL;
    snprintf(path, sizeof path, "%s/id.db", folder);
    if (keyplate_config_new(path, "https://media.example", &config, &error) || keyplate_open(config, &kp, &error))
        fail("open", error);
    keyplate_config_free(config);
    return kp;
}

static size_t read_secrets(const char *folder, char ***secrets) {
    char path[4096], *line = NULL;
    size_t count = 0, size = 0;
    ssize_t len;
    snprintf(path, sizeof path, "%s/secrets", folder);
    FILE *file = fopen(path, "r");
    if (!file) fail("secrets", NULL);
    while ((len = getline(&line, &size, file)) > 0) {
        if (line[len - 1] == '\n') line[len - 1] = '\0';
        if ((count & (count - 1)) == 0) *secrets = realloc(*secrets, (count ? 2 * count : 1) * sizeof **secrets);
        (*secrets)[count++] = strdup(line);
    }
    free(line);
    fclose(file);
    return count;
}

static void verify(const keyplate *kp, const char *secret) {
    keyplate_authenticated *who = NULL;
    keyplate_error *error = NULL;
    if (keyplate_verify_api_key(kp, secret, strlen(secret), &who, &error)) fail("verify", error);
    keyplate_authenticated_free(who);
}

static void print_memory(void) {
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) sscanf(line, "VmRSS: %ld", &kib);
    printf("%ld\n", kib);
}

int main(int count, char **arguments) {
    if (count < 2) return 2;
    keyplate *kp = open_database(arguments[1]);
    if (count > 2 && strcmp(arguments[2], "--memory") == 0) {
        print_memory();
        return 0;
    }
    char **secrets = NULL;
    size_t all = read_secrets(arguments[1], &secrets), from, turn;
    while (scanf("%zu %zu", &from, &turn) == 2) {
        struct timespec began, ended;
        clock_gettime(CLOCK_MONOTONIC, &began);
        for (size_t n = from; n < from + turn; n++) verify(kp, secrets[n % all]);
        clock_gettime(CLOCK_MONOTONIC, &ended);
        printf("%lld\n", (ended.tv_sec - began.tv_sec) * 1000000000LL + (ended.tv_nsec - began.tv_nsec));
        fflush(stdout);
    }
    keyplate_free(kp);
    return 0;
}
