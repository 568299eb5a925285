/* A test program's checks: each prints a line when it fails, and is counted. */
#ifndef CHECK_H
#define CHECK_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyplate.h"

extern int passed, failed;

#define CHECK(condition)                                                              \
    do {                                                                              \
        if (condition) {                                                              \
            passed++;                                                                 \
        } else {                                                                      \
            failed++;                                                                 \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);   \
        }                                                                             \
    } while (0)

/* For what the rest of a test stands on. */
#define MUST(call)                                                                    \
    do {                                                                              \
        keyplate_error *must_error = NULL;                                            \
        keyplate_error **error = &must_error;                                         \
        if ((call) != KEYPLATE_STATUS_OK) {                                           \
            keyplate_str must_text = keyplate_error_get_message(must_error);          \
            fprintf(stderr, "%s:%d: %s: %.*s\n", __FILE__, __LINE__, #call,           \
                    (int)must_text.len, must_text.ptr ? must_text.ptr : "");          \
            exit(1);                                                                  \
        }                                                                             \
        passed++;                                                                     \
    } while (0)

static inline int is_text(keyplate_str text, const char *expected) {
    return text.ptr != NULL && text.len == strlen(expected) && memcmp(text.ptr, expected, text.len) == 0;
}

/* A NUL-terminated copy in `buffer`, which is big enough for an id. */
static inline const char *copy_text(keyplate_str text, char buffer[64]) {
    snprintf(buffer, 64, "%.*s", (int)text.len, text.ptr ? text.ptr : "");
    return buffer;
}

/* An open database in a fresh file; `configure` may be NULL. */
keyplate *fresh(const char *name, void (*configure)(keyplate_config *config));

/* The path of a file in this run's folder. */
const char *file_path(const char *name);

/* Claims setup for `ann` and gives her session; the id is copied to `id`. */
keyplate_signed_in *claim(keyplate *kp, char id[64]);

/* In reasons_test.c. */
void test_reasons(void);

#endif
