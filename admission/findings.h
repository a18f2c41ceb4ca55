/* admission/findings.h - what checks have to say of an object. A finding is not an error: it is a good answer. */
#ifndef SGP_ADMISSION_FINDINGS_H
#define SGP_ADMISSION_FINDINGS_H

#include "admission/checks.h"
#include "base/arena.h"

struct finding {
    enum check check;
    enum action action; /* ACTION_WARN or ACTION_DENY; what is ignored is not kept */
    struct str field;   /* the path in the object, e.g. spec.podSelector.matchExpressions[1].operator */
    struct str message; /* what is wrong and what would be right; neither field nor check id */
    struct str remedy;  /* a command that mends it; absent when there is none */
    size_t amount;      /* of what there is too much of: less of it is no new violation; 0: of nothing */
};

enum {
    MESSAGE_MAX = 400, /* bytes; what is longer is cut */
    FINDINGS_MAX = 64, /* of one object: whoever mends these can ask again */
};

/* A list in an arena, in the order of finding. */
struct findings {
    struct arena *arena;
    struct finding *items;
    size_t count;
    size_t capacity;
    size_t omitted; /* beyond FINDINGS_MAX; one that refuses is never the one omitted while all kept ones only warn */
};

/* Appends; the texts are the arena's or static. Findings of ACTION_IGNORE and ACTION_ANNOTATE are dropped. */
result findings_append(struct findings *findings, const struct finding *finding, struct err *err);
/* What would be refused is warned of. */
void findings_only_warn(struct findings *findings);
/* How many have this action. */
size_t findings_with(const struct findings *findings, enum action action);
/* An update is not refused for what the stored object already violated in the same way, or worse: it warns. Elements of
 * lists may have moved. */
void findings_ratchet(struct findings *findings, const struct findings *stored);

#endif
