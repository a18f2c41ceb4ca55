#include "base/buf.h"

#include "base/utf8.h"

#include <stdio.h>

enum { FIRST_CAPACITY = 256 };

/* Room for `more` bytes and a NUL, or false with the failure kept. */
static bool reserve(struct buf *buf, size_t more)
{
    char *bigger = NULL;
    if (buf->failure.kind)
        return false;
    if (buf->capacity - buf->len > more)
        return true;
    size_t capacity = buf->capacity ? buf->capacity * 2 : FIRST_CAPACITY;
    while (capacity - buf->len <= more)
        capacity *= 2;
    if (!arena_take(buf->arena, capacity, &bigger, &buf->failure).ok)
        return false;
    if (buf->len)
        memcpy(bigger, buf->data, buf->len);
    buf->data = bigger;
    buf->capacity = capacity;
    return true;
}

void buf_put(struct buf *buf, struct str text)
{
    if (text.len == 0 || !reserve(buf, text.len))
        return;
    memcpy(buf->data + buf->len, text.ptr, text.len);
    buf->len += text.len;
}

void buf_put_char(struct buf *buf, char c)
{
    if (reserve(buf, 1))
        buf->data[buf->len++] = c;
}

void buf_print(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len > 0 && reserve(buf, (size_t)len)) {
        (void)vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
    va_end(args);
}

static void put_escape(struct buf *buf, unsigned char c)
{
    static const char shorts[] = {
        ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'
    };
    if (c < sizeof shorts && shorts[c])
        buf_print(buf, "\\%c", shorts[c]);
    else
        buf_print(buf, "\\u%04x", c);
}

/* The bytes from `at` that need no escape. */
static size_t plain_run(const char *at, const char *end)
{
    const char *start = at;
    while (at < end) {
        unsigned char c = (unsigned char)*at;
        size_t len = c < 0x80 ? (c >= 0x20 && c != '"' && c != '\\') : utf8_sequence(at, end);
        if (len == 0)
            break;
        at += len;
    }
    return (size_t)(at - start);
}

void buf_put_json_string(struct buf *buf, struct str text)
{
    const char *at = text.ptr ? text.ptr : "", *end = at + text.len;
    buf_put_char(buf, '"');
    while (at < end) {
        size_t run = plain_run(at, end);
        buf_put(buf, (struct str){ at, run });
        at += run;
        if (at == end)
            break;
        if ((unsigned char)*at < 0x80)
            put_escape(buf, (unsigned char)*at);
        else
            buf_put(buf, STR("\\ufffd"));
        at++;
    }
    buf_put_char(buf, '"');
}

void buf_put_base64(struct buf *buf, struct str text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < text.len; i += 3) {
        size_t left = text.len - i;
        uint32_t bits = (uint32_t)(unsigned char)text.ptr[i] << 16;
        if (left > 1)
            bits |= (uint32_t)(unsigned char)text.ptr[i + 1] << 8;
        if (left > 2)
            bits |= (uint32_t)(unsigned char)text.ptr[i + 2];
        buf_put_char(buf, digits[bits >> 18]);
        buf_put_char(buf, digits[bits >> 12 & 63]);
        buf_put_char(buf, (char)(left > 1 ? digits[bits >> 6 & 63] : '='));
        buf_put_char(buf, (char)(left > 2 ? digits[bits & 63] : '='));
    }
}

result buf_finish(struct buf *buf, struct str *out, struct err *err)
{
    if (reserve(buf, 0))
        buf->data[buf->len] = '\0';
    if (buf->failure.kind) {
        *err = buf->failure;
        return FAILED;
    }
    *out = (struct str){ buf->data, buf->len };
    return DONE;
}
