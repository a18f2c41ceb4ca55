/* churn POLICIES ONE REVIEW SECONDS - answers while policies change, in one process without network: a thread replaces
 * one namespace after another a hundred times a second, the main thread answers a review for one after another.
 * POLICIES is what bench/generate.py wrote, ONE the same for a single namespace. Prints as JSON what a replacement
 * takes and what the answering thread loses. */
#include "admission/endpoint.h"
#include "bench/namespaces.h"
#include "server/clock.h"
#include "server/text_file.h"
#include "sources/cluster_objects.h"
#include "sources/files.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHANGES_PER_S = 100, ROUNDS = 5, MAX_BODY_BYTES = 1024 * 1024, MAX_TIMED = 2000 };

/* Of ONE: the objects of a namespace, to be published under any name. */
struct pattern {
    struct namespace_spec spec;
    struct policy_spec *policies;
    struct account *accounts;
};

struct churn {
    struct arena arena;
    struct store *store;
    struct instance_types types;
    struct rules rules;
    size_t namespaces;
    struct pattern pattern;
    struct str body;
    char *namespace; /* in the body */
    const struct endpoint *endpoint;
    double replace_ns[MAX_TIMED];
    size_t replaced;
    atomic_bool changing, end; /* what the threads tell each other */
    atomic_bool failed;
};

static result read_pattern(struct churn *churn, const char *path, struct err *err)
{
    struct manifest_list manifests = { .arena = &churn->arena };
    struct objects objects = { 0 };
    struct pattern *pattern = &churn->pattern;
    GUARD(manifests_read(&manifests, path, err));
    GUARD(objects_decode(&manifests, STR("default"), &churn->arena, &objects, err));
    GUARD(arena_take_array(&churn->arena, objects.count, sizeof pattern->policies[0], &pattern->policies, err));
    GUARD(arena_take_array(&churn->arena, objects.count, sizeof pattern->accounts[0], &pattern->accounts, err));
    for (size_t i = 0; i < objects.count; i++) {
        const struct object *object = &objects.items[i];
        if (object->kind == OBJECT_POLICY)
            pattern->policies[pattern->spec.policy_count++] = object->policy;
        if (object->kind == OBJECT_ACCOUNT)
            pattern->accounts[pattern->spec.account_count++] = (struct account){ object->name, object->labels };
    }
    pattern->spec.policies = pattern->policies;
    pattern->spec.accounts = pattern->accounts;
    return DONE;
}

static result read_body(struct churn *churn, const char *path, struct err *err)
{
    struct str text = { 0 };
    GUARD(text_file_read(path, MAX_BODY_BYTES, &churn->arena, &text, err));
    GUARD(arena_copy(&churn->arena, text, &churn->body, err));
    return namespace_find(churn->body, &churn->namespace, err);
}

static result replace(struct churn *churn, size_t turn, struct err *err)
{
    char name[NAMESPACE_BYTES];
    namespace_write(name, turn, churn->namespaces);
    churn->pattern.spec.name = (struct str){ name, sizeof name };
    return store_replace(churn->store, &churn->pattern.spec, err);
}

static result load(struct churn *churn, char **argv, struct err *err)
{
    struct str path = str_of(argv[1]);
    const struct str_list paths = { &path, 1 };
    struct cluster_report report = { 0 };
    GUARD(store_new(&churn->store, err));
    GUARD(files_load(&paths, STR("default"), churn->store, &churn->arena, &report, err));
    GUARD(instance_types_parse(instance_types_builtin(), &churn->arena, &churn->types, err));
    churn->rules = rules_default(&churn->types);
    churn->endpoint = endpoint_find(STR("/mutate-v1-pod"));
    churn->namespaces = report.counts.namespaces;
    ENSURE(churn->namespaces > 0, err, ERR_INPUT, "%s: no namespaces", argv[1]);
    GUARD(read_pattern(churn, argv[2], err));
    return read_body(churn, argv[3], err);
}

static void pause_until(int64_t at_ns)
{
    const struct timespec at = { at_ns / 1000000000, at_ns % 1000000000 };
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/* The writer's thread. */
static void *change(void *ctx)
{
    struct churn *churn = ctx;
    struct err err = { 0 };
    int64_t at_ns = clock_ns();
    for (size_t i = 0; !atomic_load(&churn->end); i++) {
        at_ns += 1000000000 / CHANGES_PER_S;
        pause_until(at_ns);
        if (!atomic_load(&churn->changing))
            continue;
        int64_t start_ns = clock_ns();
        if (!replace(churn, i, &err).ok)
            atomic_store(&churn->failed, true);
        if (churn->replaced < MAX_TIMED)
            churn->replace_ns[churn->replaced++] = (double)(clock_ns() - start_ns);
    }
    return NULL;
}

/* Answers for so long; how many a second. */
static result answer_for(struct churn *churn, double seconds, double *per_s, struct err *err)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    int64_t start_ns = clock_ns(), spent_ns = 0;
    size_t count = 0;
    while ((double)spent_ns < seconds * 1e9) {
        for (size_t i = 0; i < 64; i++, count++) {
            struct answer answer = { 0 };
            namespace_write(churn->namespace, count, churn->namespaces);
            GUARD(endpoint_answer(churn->endpoint, churn->store, &churn->rules, churn->body, &arena, &answer, err));
            ENSURE(answer.patched, err, ERR_INPUT, "a pod is not selected");
            arena_flush(&arena);
        }
        spent_ns = clock_ns() - start_ns;
    }
    *per_s = (double)count * 1e9 / (double)spent_ns;
    return DONE;
}

static int number_order(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

static double quantile(double *numbers, size_t count, double share)
{
    qsort(numbers, count, sizeof numbers[0], number_order);
    return numbers[(size_t)(share * (double)(count - 1))];
}

/* Turns of peace and change. */
static result run(struct churn *churn, double seconds, struct err *err)
{
    double quiet[ROUNDS] = { 0 }, changing[ROUNDS] = { 0 }, ratios[ROUNDS] = { 0 }, warm_up = 0;
    GUARD(answer_for(churn, seconds / (4 * ROUNDS), &warm_up, err));
    for (size_t i = 0; i < ROUNDS; i++) {
        GUARD(answer_for(churn, seconds / (2 * ROUNDS), &quiet[i], err));
        atomic_store(&churn->changing, true);
        GUARD(answer_for(churn, seconds / (2 * ROUNDS), &changing[i], err));
        atomic_store(&churn->changing, false);
        ratios[i] = changing[i] / quiet[i];
    }
    ENSURE(!atomic_load(&churn->failed), err, ERR_INTERNAL, "a replacement failed");
    printf("{\"namespaces\": %zu, \"policies\": %zu, \"quiet_per_s\": %.0f, \"changing_per_s\": %.0f, "
           "\"changing_ratio\": %.4f",
           store_counts(churn->store).namespaces, store_counts(churn->store).policies, quantile(quiet, ROUNDS, 0.5),
           quantile(changing, ROUNDS, 0.5), quantile(ratios, ROUNDS, 0.5));
    return DONE;
}

static void pin_to(pthread_attr_t *attributes, int core)
{
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    (void)pthread_attr_setaffinity_np(attributes, sizeof cores, &cores);
}

/* The writer gets the last core; who starts us says which is the reader's. */
static result run_with_writer(struct churn *churn, double seconds, struct err *err)
{
    pthread_attr_t attributes;
    pthread_t writer;
    ENSURE(pthread_attr_init(&attributes) == 0, err, ERR_INTERNAL, "no thread can be made");
    pin_to(&attributes, (int)sysconf(_SC_NPROCESSORS_ONLN) - 1);
    int started = pthread_create(&writer, &attributes, change, churn);
    (void)pthread_attr_destroy(&attributes);
    ENSURE(started == 0, err, ERR_INTERNAL, "no thread can be started");
    struct outcome ran = run(churn, seconds, err);
    atomic_store(&churn->end, true);
    (void)pthread_join(writer, NULL);
    if (!ran.ok)
        return FAILED;
    ENSURE(churn->replaced > 0, err, ERR_INPUT, "nothing was replaced: more SECONDS are needed");
    printf(", \"replace_p50_ns\": %.0f, \"replace_p99_ns\": %.0f}\n", quantile(churn->replace_ns, churn->replaced, 0.5),
           quantile(churn->replace_ns, churn->replaced, 0.99));
    return DONE;
}

int main(int argc, char **argv)
{
    static struct churn churn;
    struct err err = { 0 };
    if (argc != 5) {
        fprintf(stderr, "churn: POLICIES ONE REVIEW SECONDS\n");
        return EXIT_FAILURE;
    }
    bool ran = load(&churn, argv, &err).ok && run_with_writer(&churn, strtod(argv[4], NULL), &err).ok;
    store_free(churn.store);
    arena_free(&churn.arena);
    if (ran)
        return EXIT_SUCCESS;
    fprintf(stderr, "churn: %s\n", err.msg);
    return EXIT_FAILURE;
}
