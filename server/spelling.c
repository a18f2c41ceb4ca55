#include "server/spelling.h"

#include <stdbool.h>

/* Longer than any name that can be meant. */
enum { MAX_LETTERS = 40 };

struct letters {
    char items[MAX_LETTERS];
    size_t count;
};

/* false: too long to be compared. */
static bool fold(struct str name, struct letters *out)
{
    out->count = 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '-' || c == '_')
            continue;
        if (out->count == MAX_LETTERS)
            return false;
        out->items[out->count++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return true;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: the cheapest way from the first i letters of `a` to the first j of `b` is cost[i][j]. */
static size_t distance(const struct letters *a, const struct letters *b)
{
    size_t cost[MAX_LETTERS + 1][MAX_LETTERS + 1] = { 0 };
    for (size_t i = 0; i <= a->count; i++) {
        for (size_t j = 0; j <= b->count; j++) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            bool same = a->items[i - 1] == b->items[j - 1];
            cost[i][j] = least(cost[i - 1][j - 1] + !same, least(cost[i - 1][j], cost[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a->items[i - 1] == b->items[j - 2] && a->items[i - 2] == b->items[j - 1])
                cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[a->count][b->count];
}

size_t spelling_slips(struct str written, struct str meant)
{
    struct letters a, b;
    if (!fold(written, &a) || !fold(meant, &b))
        return SPELLING_FAR;
    size_t slips = distance(&a, &b);
    return slips <= 1 + b.count / 6 ? slips : SPELLING_FAR;
}
