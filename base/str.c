#include "base/str.h"

bool str_contains(struct str s, struct str needle)
{
    return needle.len == 0 || (s.len >= needle.len && memmem(s.ptr, s.len, needle.ptr, needle.len) != NULL);
}
