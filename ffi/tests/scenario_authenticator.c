/* The authenticators of a scenario, each with the browser in front of it: the program `keyplate-testkit`. */

#include "scenario.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_SPOILS 8

extern char **environ;

/* Ends this program when the other one is missing. */
static const char *testkit(void) {
    const char *program = getenv("KEYPLATE_TESTKIT");
    if (!program || access(program, X_OK) != 0) {
        fprintf(stderr, "KEYPLATE_TESTKIT does not name the program keyplate-testkit, which ./test builds\n");
        exit(2);
    }
    return program;
}

/* Runs it with `input`; what it says, whether it is an answer or a refusal, is in `output`. */
static int run(const char *const arguments[], const char *input, const char *output) {
    posix_spawn_file_actions_t files;
    pid_t child;
    int status = -1;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, input, O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    int failed = posix_spawn(&child, arguments[0], &files, NULL, (char *const *)arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    if (failed || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0) unknown("place for a file", NULL);
}

/* The first line; the program writes no other. */
static void read_line(const char *path, char *line, size_t size) {
    FILE *file = fopen(path, "r");
    if (!file || !fgets(line, (int)size, file)) line[0] = '\0';
    if (file) fclose(file);
    line[strcspn(line, "\n")] = '\0';
}

cJSON *answer(const char *folder, const cJSON *step, const char *options, char thrown[64]) {
    const char *program = testkit(), *name = take_text(field(step, "authenticator"));
    const cJSON *origin = field(step, "origin"), *spoil;
    char state[256], input[256], output[256], line[1 << 14];
    snprintf(state, sizeof state, "%s/%s.json", folder, name);
    snprintf(input, sizeof input, "%s/options", folder);
    snprintf(output, sizeof output, "%s/answer", folder);
    write_file(input, options);
    if (access(state, F_OK) != 0) {
        const char *const make[] = {program, "new", "--state", state, NULL};
        if (run(make, input, output) != 0) unknown("authenticator", step);
    }
    const char *ask[7 + 2 * MOST_SPOILS + 1] = {program, take_text(field(step, "do")), "--state", state, "--origin",
                                                origin ? take_text(origin) : scenario_origin};
    int count = 6;
    cJSON_ArrayForEach(spoil, field(step, "spoil")) {
        if (count >= 6 + 2 * MOST_SPOILS) unknown("short list of spoils", step);
        ask[count++] = "--spoil";
        ask[count++] = take_text(spoil);
    }
    int status = run(ask, input, output);
    read_line(output, line, sizeof line);
    if (status == 0) return cJSON_CreateString(line);
    /* `keyplate-testkit: NotAllowedError: why` */
    if (status != 1 || sscanf(line, "%*[^:]: %63[^:]", thrown) != 1) {
        fprintf(stderr, "%s\n", line);
        unknown("ceremony", step);
    }
    return NULL;
}
