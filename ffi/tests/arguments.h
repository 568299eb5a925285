/* What the calls with wrong arguments share: arguments that are right, and what is looked at. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include "check.h"

enum wrong { IS_NULL, NOT_UTF8, NOT_IN_ENUM, TOO_LONG, PAST_END };

/* How many there were. */
extern int calls;

/* What the header calls `keyplate_user` is `have.user`; `kp` is the handle. NULL for what nobody here can make. */
#include "arguments_have.h"
extern struct have have;

extern const char some_text[], some_id[], not_utf8[];
extern const char *const some_texts[], *const some_ids[];
extern const uint8_t some_bytes[];
extern const int64_t some_number;
extern const bool some_truth;

/* A function that may fail: its status and error, and what it should say of the parameter. */
void refused(keyplate_status status, keyplate_error *error, const char *parameter, enum wrong wrong, const char *function);
/* The name of a number that is no value. */
void named(const char *name, const char *function);
/* A function that cannot fail, and had nothing to show; or may have had something. */
void nothing(const void *result, size_t size, const char *function);
void anything(const void *result, size_t size, const char *function);

/* In arguments_calls.c: all of them. */
void call_all(void);

#endif
