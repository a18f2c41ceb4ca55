#include "admission/endpoint.h"
#include "server/commands.h"
#include "server/config.h"
#include "server/options.h"
#include "sources/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct review_options {
    const char *config;
    const char *endpoint;
    struct option_texts policies;
};

static const struct option_row rows[] = {
    { "endpoint", 0, "PATH", "where the server would get it, e.g. /mutate-v1-pod (required)", OPTION_TEXT,
      offsetof(struct review_options, endpoint), 0, 0 },
    { "policies", 0, "PATH", "file or directory of manifests that are in the cluster (repeatable)", OPTION_TEXTS,
      offsetof(struct review_options, policies), 0, 0 },
    { "config", 0, "FILE", "configuration file of the server", OPTION_TEXT, offsetof(struct review_options, config), 0,
      0 },
};

static const struct command_help help = {
    .name = "review",
    .operands = "FILE|-",
    .summary = "Answers one AdmissionReview, byte for byte as the server would, and prints the answer.",
    .epilogue =
        "Endpoints: /mutate-v1-pod, /validate-v1-pod, /validate-v1beta1-securitygrouppolicy, /validate-v1-node,\n"
        "/validate-workload.\n\nExit codes: 0 allowed, 1 refused, 2 unusable input or options.",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
};

/* Everything one review needs, released together. */
struct review_run {
    struct arena arena;
    struct config *config;
    struct store *store;
};

static void review_run_end(struct review_run *run)
{
    store_free(run->store);
    config_free(run->config);
    arena_free(&run->arena);
}

static void close_file(FILE **file)
{
    if (*file && *file != stdin)
        (void)fclose(*file);
}

static result read_body(const char *path, size_t max_bytes, struct arena *arena, struct str *out, struct err *err)
{
    CLEANUP(close_file) FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    char *body = NULL;
    ENSURE(file, err, ERR_INPUT, "%s: %s", path, strerror(errno));
    GUARD(arena_take(arena, max_bytes + 1, &body, err));
    size_t len = fread(body, 1, max_bytes + 1, file);
    ENSURE(!ferror(file), err, ERR_INPUT, "%s: %s", path, strerror(errno));
    ENSURE(len <= max_bytes, err, ERR_INPUT, "%s: larger than limits.bodyBytes, %zu bytes", path, max_bytes);
    *out = (struct str){ body, len };
    return DONE;
}

static result load(const struct review_options *options, struct review_run *run, struct err *err)
{
    struct cluster_report report = { 0 };
    struct str_list paths = { 0 };
    GUARD(options->config ? config_load(options->config, &run->config, err) : config_new(&run->config, err));
    GUARD(config_settle(run->config, err));
    GUARD(store_new(&run->store, err));
    if (options->policies.count == 0)
        return files_load(&run->config->policies, STR("default"), run->store, &run->arena, &report, err);
    GUARD(arena_take_array(&run->arena, options->policies.count, sizeof *paths.items, &paths.items, err));
    for (; paths.count < options->policies.count; paths.count++)
        paths.items[paths.count] = str_of(options->policies.items[paths.count]);
    return files_load(&paths, STR("default"), run->store, &run->arena, &report, err);
}

static result review(const struct review_options *options, const char *path, struct review_run *run, bool *allowed,
                     struct err *err)
{
    struct str body = { 0 };
    struct answer answer = { 0 };
    const struct endpoint *endpoint = endpoint_find(str_of(options->endpoint));
    CLEANUP(arena_free) struct arena arena = { 0 };
    ENSURE(endpoint, err, ERR_INPUT, "--endpoint: '%s' is none of those that --help lists", options->endpoint);
    GUARD(load(options, run, err));
    arena.ceiling_bytes = ENDPOINT_ARENA_PER_BODY * (size_t)run->config->body_bytes;
    GUARD(read_body(path, (size_t)run->config->body_bytes, &run->arena, &body, err));
    if (!endpoint_answer(endpoint, run->store, &run->config->rules, body, &arena, &answer, err).ok)
        return err_prefix(err, "%s: ", path);
    *allowed = answer.allowed;
    ENSURE(fwrite(answer.body.ptr, 1, answer.body.len, stdout) == answer.body.len, err, ERR_INTERNAL,
           "standard output: %s", strerror(errno));
    return DONE;
}

int command_review(int argc, char **argv)
{
    CLEANUP(review_run_end) struct review_run run = { 0 };
    struct review_options options = { 0 };
    struct option_texts operands = { 0 };
    struct err err = { 0 };
    bool allowed = false;
    switch (options_read(&help, argc, argv, &run.arena, &options, &operands)) {
    case OPTIONS_WRONG: return EXIT_UNUSABLE;
    case OPTIONS_HELP_PRINTED: return EXIT_CLEAN;
    case OPTIONS_READ: break;
    }
    if (operands.count != 1 || !options.endpoint) {
        fprintf(stderr, "sgp-webhook: review: give --endpoint PATH and one file; see sgp-webhook review --help\n");
        return EXIT_UNUSABLE;
    }
    if (review(&options, operands.items[0], &run, &allowed, &err).ok)
        return allowed ? EXIT_CLEAN : EXIT_REFUSED;
    fprintf(stderr, "sgp-webhook: %s\n", err.msg);
    return EXIT_UNUSABLE;
}
