/* How the leaves of the facade's types are written in a scenario. */

#include "scenario.h"

#include <stdio.h>

const int64_t scenario_start = 1793491200000;
const char *const scenario_origin = "https://media.example";

_Noreturn void unknown(const char *what, const cJSON *value) {
    char *text = cJSON_PrintUnformatted(value);
    fprintf(stderr, "a scenario has what is no %s: %s\n", what, text ? text : "nothing");
    exit(2);
}

cJSON *field(const cJSON *object, const char *name) {
    cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNull(value) ? NULL : value;
}

void only(const cJSON *object, const char *const known[]) {
    const cJSON *value;
    cJSON_ArrayForEach(value, object) {
        size_t i = 0;
        while (known[i] && (!value->string || strcmp(known[i], value->string) != 0)) i++;
        if (!known[i]) unknown("field", object);
    }
}

bool is_named(const cJSON *value, const char *name) {
    if (cJSON_IsString(value)) return strcmp(value->valuestring, name) == 0;
    return cJSON_IsObject(value) && value->child && strcmp(value->child->string, name) == 0;
}

const char *take_text(const cJSON *value) {
    if (!value) return "";
    if (!cJSON_IsString(value)) unknown("text", value);
    return value->valuestring;
}

bool take_bool(const cJSON *value) {
    if (value && !cJSON_IsBool(value)) unknown("boolean", value);
    return cJSON_IsTrue(value);
}

double take_number(const cJSON *value) {
    if (!cJSON_IsNumber(value)) unknown("number", value);
    return value->valuedouble;
}

int64_t take_time(const cJSON *value) {
    double seconds;
    char unit;
    if (!cJSON_IsString(value) || sscanf(value->valuestring, "+%lf%c", &seconds, &unit) != 2 || unit != 's')
        unknown("time such as \"+60s\"", value);
    return scenario_start + (int64_t)(seconds * 1000 + 0.5);
}

keyplate_secret *take_secret(const cJSON *value, keyplate_error **error) {
    const char *text = take_text(value);
    keyplate_secret *secret = NULL;
    keyplate_secret_new(text, strlen(text), &secret, error);
    return secret;
}

cJSON *give_text(keyplate_str text) {
    if (!text.ptr) return cJSON_CreateNull();
    char *copy = strndup(text.ptr, text.len);
    cJSON *value = cJSON_CreateString(copy);
    free(copy);
    return value;
}

/* Seconds, without zeros at the end. */
static cJSON *give_seconds(const char *sign, uint64_t millis) {
    char text[48];
    int end = snprintf(text, sizeof text, "%s%llu.%03llu", sign, (unsigned long long)(millis / 1000),
                       (unsigned long long)(millis % 1000));
    while (text[end - 1] == '0') end--;
    if (text[end - 1] == '.') end--;
    text[end] = 's';
    text[end + 1] = '\0';
    return cJSON_CreateString(text);
}

cJSON *give_time(int64_t millis) { return give_seconds("+", millis > scenario_start ? (uint64_t)(millis - scenario_start) : 0); }

cJSON *give_span(uint64_t millis) { return give_seconds("", millis); }

cJSON *give_secret(const keyplate_secret *secret) { return give_text(keyplate_secret_reveal(secret)); }

cJSON *give_variant(const char *name, cJSON *fields) {
    cJSON *value = cJSON_CreateObject();
    cJSON_AddItemToObject(value, name, fields);
    return value;
}
