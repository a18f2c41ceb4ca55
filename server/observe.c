#include "server/observe.h"

#include "server/metrics.h"

#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>

static const enum event decision_events[DECISION_COUNT] = {
    [DECISION_ALLOWED] = EVENT_ALLOWED,
    [DECISION_PATCHED] = EVENT_PATCHED,
    [DECISION_DENIED] = EVENT_DENIED,
};

/* "check: field" of each. */
static result name_findings(const struct findings *findings, struct arena *arena, struct str_list *out, struct err *err)
{
    GUARD(arena_take_array(arena, findings->count, sizeof out->items[0], &out->items, err));
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        GUARD(arena_print(arena, &out->items[i], err, "%.*s: %.*s", STR_ARGS(check_row(finding->check)->id),
                          STR_ARGS(finding->field)));
        out->count = i + 1;
    }
    return DONE;
}

/* Empty says nothing: the field is left out. */
static struct str unless_empty(struct str text)
{
    return text.len ? text : (struct str){ 0 };
}

void observe_answer(const struct log *log, const struct endpoint *endpoint, const struct answer *answer,
                    int64_t duration_ns, struct arena *arena)
{
    enum event event = decision_events[decision_of(answer)];
    struct str_list findings = { 0 };
    struct err err = { 0 };
    if (!log_wants(log, event))
        return;
    /* a request that has used up its memory is logged with the findings that fit in */
    (void)!name_findings(&answer->findings, arena, &findings, &err).ok;
    log_event(log, event, log_text("uid", answer->uid), log_text("endpoint", endpoint_name(endpoint)),
              log_text("operation", str_of(operation_name(answer->operation))), log_text("kind", answer->kind),
              log_text("namespace", unless_empty(answer->namespace)), log_text("name", unless_empty(answer->name)),
              log_text("user", unless_empty(answer->user)), log_flag("dryRun", answer->dry_run),
              log_text("groups", unless_empty(answer->groups)), log_list("findings", findings),
              log_text("reason", unless_empty(answer->reason)), log_number("durationMicros", duration_ns / 1000));
}

static struct str peer_of(struct MHD_Connection *http, char *text, size_t size)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(http, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!info || !info->client_addr)
        return (struct str){ 0 };
    socklen_t length =
        info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    bool named = getnameinfo(info->client_addr, length, text, (socklen_t)size, NULL, 0, NI_NUMERICHOST) == 0;
    return named ? str_of(text) : (struct str){ 0 };
}

void observe_rejection(const struct log *log, struct MHD_Connection *http, enum rejection rejection, struct str detail)
{
    const struct rejection_row *row = rejection_row(rejection);
    if (!log_wants(log, row->event))
        return;
    char peer[INET6_ADDRSTRLEN];
    log_event(log, row->event, log_text("cause", row->name), log_text("peer", peer_of(http, peer, sizeof peer)),
              log_text("error", detail));
}
