/* What the generated calls of a scenario are built of. A scenario that is itself wrong ends the program. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "keyplate.h"

/* 2026-11-01T00:00:00Z, where every scenario begins. */
extern const int64_t scenario_start;

/* Where its people are. */
extern const char *const scenario_origin;

/* A method of the facade: its arguments and its result as JSON; NULL and an error when it is refused. */
struct method {
    const char *name;
    cJSON *(*call)(const keyplate *kp, const cJSON *with, keyplate_error **error);
};

/* All of them, up to one without a name. */
extern const struct method methods[];

/* The configuration, without what calls back. */
keyplate_config *take_config(const cJSON *from, keyplate_error **error);

/* `WrongOrigin` and so on; null where no ceremony failed. */
cJSON *give_passkey_failure(keyplate_passkey_failure value);

/* `InvalidInput` and so on. */
const char *status_name(keyplate_status status);

/* Lets the authenticator that a step names, a file in `folder`, answer the options. NULL when its browser throws; the
   exception's name is then in `thrown`. */
cJSON *answer(const char *folder, const cJSON *step, const char *options, char thrown[64]);

/* A member that is there and not null; NULL otherwise. */
cJSON *field(const cJSON *object, const char *name);

/* Ends the program if there is a member that is not known. */
void only(const cJSON *object, const char *const known[]);

/* Ends the program: there is no such value. */
_Noreturn void unknown(const char *what, const cJSON *value);

/* Is it `"Name"`, or `{"Name": data}`? */
bool is_named(const cJSON *value, const char *name);

/* What is left out is empty, as on every face. */
const char *take_text(const cJSON *value);
bool take_bool(const cJSON *value);
double take_number(const cJSON *value);
int64_t take_time(const cJSON *value);
keyplate_secret *take_secret(const cJSON *value, keyplate_error **error);

cJSON *give_text(keyplate_str text);
cJSON *give_time(int64_t millis);
cJSON *give_span(uint64_t millis);
cJSON *give_secret(const keyplate_secret *secret);
cJSON *give_variant(const char *name, cJSON *fields);

#endif
