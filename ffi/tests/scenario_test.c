/* Runs `tests/scenarios/`, whose files are the arguments; the README there tells their form. */

#include "check.h"
#include "scenario.h"

#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

int passed, failed;
static char root[] = "/tmp/keyplate-c-XXXXXX";

struct run {
    char folder[64]; /* of the database and the authenticators */
    int64_t now;
    keyplate *host;
    keyplate_client_info *client;
    cJSON *saved;
};

/* Why the scenario failed. */
static char why[4096];

static bool fail(const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(why, sizeof why, format, list);
    va_end(list);
    return false;
}

/* `place` is what `found`, which is not as expected, is the value of. */
static bool differs(const char *place, const cJSON *expected, const cJSON *found) {
    char *wanted = cJSON_PrintUnformatted(expected), *got = cJSON_PrintUnformatted(found);
    fail("%s is %s, not %s", place, got ? got : "nothing", wanted ? wanted : "nothing");
    cJSON_free(wanted);
    cJSON_free(got);
    return false;
}

/* Objects may hold more than expected; lists may not. Text that is expected to be an object is JSON. */
static bool check(const cJSON *expected, const cJSON *found, const char *place) {
    char inner[256];
    const cJSON *value;
    if (cJSON_IsObject(expected) && cJSON_IsObject(found)) {
        cJSON_ArrayForEach(value, expected) {
            snprintf(inner, sizeof inner, "%s.%s", place, value->string);
            const cJSON *other = cJSON_GetObjectItemCaseSensitive(found, value->string);
            if (!check(value, other, inner)) return false;
        }
        return true;
    }
    if (cJSON_IsObject(expected) && cJSON_IsString(found)) {
        cJSON *inside = cJSON_Parse(found->valuestring);
        bool same = cJSON_IsObject(inside) ? check(expected, inside, place) : differs(place, expected, found);
        cJSON_Delete(inside);
        return same;
    }
    if (cJSON_IsArray(expected) && cJSON_GetArraySize(expected) == cJSON_GetArraySize(found)) {
        int index = 0;
        cJSON_ArrayForEach(value, expected) {
            snprintf(inner, sizeof inner, "%s.%d", place, index);
            if (!check(value, cJSON_GetArrayItem(found, index++), inner)) return false;
        }
        return true;
    }
    return (found && cJSON_Compare(expected, found, true)) || differs(place, expected, found);
}

static bool check_error(const cJSON *expected, const keyplate_error *error) {
    static const char *const known[] = {"code", "number", "field", "message", "retry_after_seconds", "passkey_failure", "reason",
                                        "http_status", NULL};
    keyplate_status status = keyplate_error_get_status(error);
    int64_t wait;
    only(expected, known);
    cJSON *found = cJSON_CreateObject();
    cJSON_AddStringToObject(found, "code", status_name(status));
    cJSON_AddNumberToObject(found, "number", status);
    cJSON_AddItemToObject(found, "field", give_text(keyplate_error_get_field(error)));
    cJSON_AddItemToObject(found, "message", give_text(keyplate_error_get_message(error)));
    cJSON_AddItemToObject(found, "retry_after_seconds",
                          keyplate_error_get_retry_after(error, &wait) ? cJSON_CreateNumber((double)(wait / 1000))
                                                                       : cJSON_CreateNull());
    cJSON_AddNumberToObject(found, "http_status", (double)keyplate_error_get_http_status(error));
    keyplate_str reason = keyplate_error_get_reason_json(error);
    cJSON_AddItemToObject(found, "reason", reason.ptr ? cJSON_ParseWithLength(reason.ptr, reason.len) : cJSON_CreateNull());
    cJSON_AddItemToObject(found, "passkey_failure", give_passkey_failure(keyplate_error_get_passkey_failure(error)));
    bool same = check(expected, found, "the error") || differs("the error", expected, found);
    cJSON_Delete(found);
    return same;
}

/* A copy with `"$name"` replaced by what was saved under that name. */
static cJSON *filled(const struct run *run, const cJSON *value) {
    if (cJSON_IsString(value) && value->valuestring[0] == '$') {
        const cJSON *found = cJSON_GetObjectItemCaseSensitive(run->saved, value->valuestring + 1);
        if (!found) unknown("saved value", value);
        return cJSON_Duplicate(found, true);
    }
    cJSON *copy = cJSON_Duplicate(value, false);
    const cJSON *part;
    cJSON_ArrayForEach(part, value) {
        if (cJSON_IsObject(value))
            cJSON_AddItemToObject(copy, part->string, filled(run, part));
        else
            cJSON_AddItemToArray(copy, filled(run, part));
    }
    return copy;
}

static bool save(struct run *run, const cJSON *wanted, cJSON *result) {
    const cJSON *path;
    cJSON_ArrayForEach(path, wanted) {
        char *copy = strdup(take_text(path)), *rest = copy, *part;
        cJSON *value = result;
        while (value && *copy && (part = strsep(&rest, ".")))
            value = cJSON_IsArray(value) ? cJSON_GetArrayItem(value, atoi(part))
                                         : cJSON_GetObjectItemCaseSensitive(value, part);
        free(copy);
        if (!value) return fail("there is no %s in the result", take_text(path));
        cJSON_DeleteItemFromObjectCaseSensitive(run->saved, path->string);
        cJSON_AddItemToObject(run->saved, path->string, cJSON_Duplicate(value, true));
    }
    return true;
}

/* The handle that a step asks for; freed by the caller if it is not the host's. */
static keyplate *handle(struct run *run, const cJSON *name, keyplate_error **error) {
    keyplate *kp = NULL;
    if (!name || is_named(name, "host")) return run->host;
    if (is_named(name, "anonymous")) {
        keyplate_anonymous(run->host, run->client, &kp, error);
        return kp;
    }
    cJSON *credential = filled(run, name);
    const char *text = take_text(credential);
    keyplate_authenticated *found = NULL;
    if (keyplate_authenticate_pending(run->host, text, strlen(text), &found, error) == KEYPLATE_STATUS_OK)
        keyplate_acting_as(run->host, keyplate_authenticated_get_principal(found), run->client, &kp, error);
    keyplate_authenticated_free(found);
    cJSON_Delete(credential);
    return kp;
}

static cJSON *call(struct run *run, const cJSON *step, keyplate_error **error) {
    const struct method *method = methods;
    while (method->name && !is_named(field(step, "call"), method->name)) method++;
    if (!method->name) unknown("method", step);
    keyplate *kp = handle(run, field(step, "as"), error);
    cJSON *with = filled(run, field(step, "with")), *result = NULL;
    if (!*error) result = method->call(kp, with, error);
    cJSON_Delete(with);
    if (kp != run->host) keyplate_free(kp);
    return result;
}

static int64_t tell_time(void *data) { return ((struct run *)data)->now; }

/* Opens the database with the fields of `given`; on success the handle takes the place of the host's. */
static void open_database(struct run *run, const cJSON *given, keyplate_error **error) {
    char path[80];
    snprintf(path, sizeof path, "%s/id.db", run->folder);
    cJSON *fields = given ? cJSON_Duplicate(given, true) : cJSON_CreateObject();
    cJSON_AddStringToObject(fields, "path", path);
    if (!field(fields, "origin")) cJSON_AddStringToObject(fields, "origin", scenario_origin);
    keyplate_config *config = take_config(fields, error);
    keyplate *kp = NULL;
    if (!*error) keyplate_config_set_time_source(config, tell_time, run, NULL, error);
    if (!*error && keyplate_open(config, &kp, error) == KEYPLATE_STATUS_OK) {
        keyplate_free(run->host);
        run->host = kp;
    }
    keyplate_config_free(config);
    cJSON_Delete(fields);
}

/* What a step does; `what` names it. */
static cJSON *perform(struct run *run, const cJSON *step, const char **what, keyplate_error **error, char thrown[64]) {
    if (field(step, "authenticator")) {
        *what = take_text(field(step, "authenticator"));
        cJSON *options = filled(run, field(step, "options"));
        cJSON *result = answer(run->folder, step, take_text(options), thrown);
        cJSON_Delete(options);
        return result;
    }
    if (field(step, "open")) {
        *what = "open";
        open_database(run, field(step, "open"), error);
        return NULL;
    }
    *what = take_text(field(step, "call"));
    return call(run, step, error);
}

static bool do_step(struct run *run, const cJSON *step) {
    static const char *const known[] = {"advance_seconds", "as", "call", "with", "authenticator", "do", "options", "origin",
                                        "spoil", "throws", "open", "expect", "error", "save", NULL};
    only(step, known);
    if (field(step, "advance_seconds")) run->now += (int64_t)take_number(field(step, "advance_seconds")) * 1000;
    if (!field(step, "call") && !field(step, "authenticator") && !field(step, "open")) return true;
    const cJSON *refusal = field(step, "error"), *throws = field(step, "throws");
    const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(step, "expect");
    const char *what;
    char thrown[64] = "";
    keyplate_error *error = NULL;
    cJSON *result = perform(run, step, &what, &error, thrown), *expected = filled(run, wanted);
    bool fine;
    if (refusal)
        fine = error ? check_error(refusal, error) : differs(what, refusal, result);
    else if (error)
        fine = fail("%s: %s: %.*s", what, status_name(keyplate_error_get_status(error)),
                    (int)keyplate_error_get_message(error).len, keyplate_error_get_message(error).ptr);
    else if (throws || *thrown)
        fine = strcmp(take_text(throws), thrown) == 0 ||
               fail("%s throws %s, not %s", what, *thrown ? thrown : "nothing", take_text(throws));
    else
        fine = (!wanted || check(expected, result, what)) && save(run, field(step, "save"), result);
    keyplate_error_free(error);
    cJSON_Delete(result);
    cJSON_Delete(expected);
    return fine;
}

static void begin(struct run *run, int number) {
    snprintf(run->folder, sizeof run->folder, "%s/%d", root, number);
    if (mkdir(run->folder, 0700) != 0) unknown("place for a folder", NULL);
    keyplate_error *failure = NULL;
    open_database(run, NULL, &failure);
    if (failure) unknown("place for a database", NULL);
    MUST(keyplate_client_info_new(&run->client, error));
    MUST(keyplate_client_info_set_address(run->client, "192.0.2.7", error));
    MUST(keyplate_client_info_set_user_agent(run->client, "test/1", error));
}

static cJSON *read_json(const char *path) {
    static char text[1 << 20];
    FILE *file = fopen(path, "r");
    size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file) fclose(file);
    text[len] = '\0';
    cJSON *value = cJSON_Parse(text);
    if (!cJSON_IsArray(field(value, "steps"))) unknown("scenario", value);
    return value;
}

static bool run_scenario(const char *path, int number) {
    struct run run = {.now = scenario_start, .saved = cJSON_CreateObject()};
    cJSON *scenario = read_json(path);
    const cJSON *step;
    int count = 0;
    bool fine = true;
    begin(&run, number);
    cJSON_ArrayForEach(step, field(scenario, "steps")) {
        count++;
        fine = do_step(&run, step);
        if (!fine) break;
    }
    if (!fine) fprintf(stderr, "%s, step %d: %s\n", path, count, why);
    keyplate_client_info_free(run.client);
    keyplate_free(run.host);
    cJSON_Delete(run.saved);
    cJSON_Delete(scenario);
    return fine;
}

int main(int count, char **paths) {
    if (!mkdtemp(root)) return 1;
    int fine = 0;
    for (int i = 1; i < count; i++) fine += run_scenario(paths[i], i);
    printf("%d passed, %d failed\n", fine, count - 1 - fine);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command) != 0 || count < 2 || fine != count - 1;
}
