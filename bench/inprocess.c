/* inprocess POLICIES {NAME ENDPOINT FILE}... - where the time of a review goes, without network and TLS: nanoseconds of
 * each step for each kind of review, as JSON, and what Jansson takes to read the same body. Medians of rounds. */
#include "admission/decide.h"
#include "admission/selection.h"
#include "server/clock.h"
#include "server/text_file.h"
#include "sources/files.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 15, ROUND_NS = 10 * 1000 * 1000, MAX_BODY_BYTES = 16 * 1024 * 1024 };

/* What the table in admission/endpoint.c says. */
static const struct row {
    const char *path;
    enum object_type object;
    decide_fn decide;
} rows[] = {
    { "/mutate-v1-pod", OBJECT_POD, decide_mutate_pod },
    { "/validate-v1-pod", OBJECT_POD, decide_validate_pod },
    { "/validate-v1beta1-securitygrouppolicy", OBJECT_POLICY, decide_policy },
    { "/validate-v1-node", OBJECT_RAW, decide_node },
    { "/validate-workload", OBJECT_WORKLOAD, decide_workload },
};

/* One kind of review: read and decided once, so that each step can be repeated by itself. */
struct subject {
    const struct row *row;
    struct str body;
    struct store *store;
    const struct rules *rules;
    struct namespace_view view;
    struct review review;
    struct decision decision;
    struct arena kept;    /* of review and decision */
    struct arena scratch; /* flushed after each repetition */
};

static result decode(struct subject *subject, struct err *err)
{
    struct review review = { 0 };
    return review_decode(subject->body, subject->row->object, &subject->scratch, &review, err);
}

static const struct pod *pod_of(const struct subject *subject)
{
    const struct request *request = subject->review.request;
    struct str path = { 0 };
    if (subject->row->object == OBJECT_POD)
        return request->object.pod;
    if (subject->row->object == OBJECT_WORKLOAD)
        return workload_template(request->object.workload, request->kind.kind, &path);
    return NULL;
}

static result match(struct subject *subject, struct err *err)
{
    struct selection selection = { 0 };
    const struct pod *pod = pod_of(subject);
    return pod ? selection_of(&subject->view, pod, &subject->scratch, &selection, err) : DONE;
}

static result decide_in(const struct subject *subject, struct arena *arena, struct decision *out, struct err *err)
{
    const struct decide_context context = { &subject->view, subject->rules, arena, subject->review.request->namespace };
    out->findings.arena = arena;
    GUARD(subject->row->decide(&context, &subject->review, out, err));
    return DONE;
}

static result decide(struct subject *subject, struct err *err)
{
    struct decision decision = { 0 };
    return decide_in(subject, &subject->scratch, &decision, err);
}

static result encode(struct subject *subject, struct err *err)
{
    struct answer answer = { 0 };
    return review_encode(&subject->review, &subject->decision, &subject->scratch, &answer, err);
}

static result answer(struct subject *subject, struct err *err)
{
    struct answer answer = { 0 };
    return endpoint_answer(endpoint_find(str_of(subject->row->path)), subject->store, subject->rules, subject->body,
                           &subject->scratch, &answer, err);
}

static result read_by_jansson(struct subject *subject, struct err *err)
{
    json_t *json = json_loadb(subject->body.ptr, subject->body.len, JSON_REJECT_DUPLICATES, NULL);
    ENSURE(json, err, ERR_INPUT, "no JSON");
    json_decref(json);
    return DONE;
}

/* `decide` includes the match. */
static const struct step {
    const char *name;
    result (*run)(struct subject *subject, struct err *err);
} steps[] = {
    { "decode", decode }, { "match", match },   { "decide", decide },
    { "encode", encode }, { "answer", answer }, { "jansson", read_by_jansson },
};
enum { STEP_COUNT = sizeof steps / sizeof steps[0] };

/* Nanoseconds of one repetition: as many as fit into the time of a round. */
static result time_step(const struct step *step, struct subject *subject, double *out, struct err *err)
{
    int64_t start_ns = clock_ns(), spent_ns = 0;
    size_t count = 0;
    while (spent_ns < ROUND_NS) {
        for (int i = 0; i < 16; i++) {
            GUARD(step->run(subject, err));
            arena_flush(&subject->scratch);
        }
        count += 16;
        spent_ns = clock_ns() - start_ns;
    }
    *out = (double)spent_ns / (double)count;
    return DONE;
}

static int number_order(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

static result time_all(struct subject *subject, double medians[STEP_COUNT], struct err *err)
{
    double times[STEP_COUNT][ROUNDS];
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < STEP_COUNT; i++)
            GUARD(time_step(&steps[i], subject, &times[i][round], err));
    for (size_t i = 0; i < STEP_COUNT; i++) {
        qsort(times[i], ROUNDS, sizeof times[i][0], number_order);
        medians[i] = times[i][ROUNDS / 2];
    }
    return DONE;
}

static result prepare(struct subject *subject, const char *path, const char *file, struct err *err)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].path, path) == 0)
            subject->row = &rows[i];
    ENSURE(subject->row, err, ERR_INPUT, "%s: no endpoint", path);
    GUARD(text_file_read(file, MAX_BODY_BYTES, &subject->kept, &subject->body, err));
    GUARD(review_decode(subject->body, subject->row->object, &subject->kept, &subject->review, err));
    store_view(subject->store, subject->review.request->namespace, &subject->view);
    return decide_in(subject, &subject->kept, &subject->decision, err);
}

static result measure(struct store *store, const struct rules *rules, char **names, struct err *err)
{
    double medians[STEP_COUNT] = { 0 };
    struct subject subject = { .store = store, .rules = rules };
    STORE_READ_SCOPE();
    GUARD(prepare(&subject, names[1], names[2], err));
    GUARD(time_all(&subject, medians, err));
    printf("\"%s\": {\"bytes\": %zu", names[0], subject.body.len);
    for (size_t i = 0; i < STEP_COUNT; i++)
        printf(", \"%s_ns\": %.0f", steps[i].name, medians[i]);
    printf("}");
    arena_free(&subject.scratch);
    arena_free(&subject.kept);
    return DONE;
}

static result run(int argc, char **argv, struct err *err)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(store_freep) struct store *store = NULL;
    struct str path = str_of(argv[1]);
    const struct str_list paths = { &path, 1 };
    struct instance_types types = { 0 };
    struct cluster_report report = { 0 };
    GUARD(store_new(&store, err));
    GUARD(files_load(&paths, STR("default"), store, &arena, &report, err));
    GUARD(instance_types_parse(instance_types_builtin(), &arena, &types, err));
    const struct rules rules = rules_default(&types);
    for (int i = 2; i + 2 < argc; i += 3) {
        printf("%s", i == 2 ? "{" : ",\n ");
        GUARD(measure(store, &rules, argv + i, err));
    }
    printf("}\n");
    return DONE;
}

int main(int argc, char **argv)
{
    struct err err = { 0 };
    if (argc < 5 || argc % 3 != 2) {
        fprintf(stderr, "inprocess: POLICIES {NAME ENDPOINT FILE}...\n");
        return EXIT_FAILURE;
    }
    if (run(argc, argv, &err).ok)
        return EXIT_SUCCESS;
    fprintf(stderr, "inprocess: %s\n", err.msg);
    return EXIT_FAILURE;
}
