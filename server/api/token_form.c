/* SPDX-License-Identifier: Apache-2.0 */
/* Strict application/x-www-form-urlencoded: known names only, each once, no stray percent sign, no NUL. */
#include "server/api/token_form.h"

#include <string.h>
#include <strings.h>

static const char form_type[] = "application/x-www-form-urlencoded";

void token_form_clear(struct token_form *f)
{
    buf_clear(&f->grant_type);
    buf_clear(&f->assertion);
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool form_decode(struct slice in, struct buf *out)
{
    for (size_t i = 0; i < in.len; i++) {
        int c = in.data[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int high = i + 2 < in.len ? hex_digit(in.data[i + 1]) : -1;
            int low = i + 2 < in.len ? hex_digit(in.data[i + 2]) : -1;
            c = high < 0 || low < 0 ? 0 : high * 16 + low;
            i += 2;
        }
        if (c == 0)
            return false;
        buf_add_byte(out, (uint8_t)c);
    }
    return true;
}

static bool has_form_type(const struct request *req)
{
    const char *type = request_header(req, "Content-Type");
    size_t len = sizeof(form_type) - 1;

    return type && strncasecmp(type, form_type, len) == 0 &&
           (type[len] == '\0' || type[len] == ';' || type[len] == ' ');
}

static status pair_read(struct token_form *f, struct slice pair, struct error *err)
{
    const uint8_t *equals = memchr(pair.data, '=', pair.len);
    size_t name_len = equals ? (size_t)(equals - pair.data) : pair.len;
    struct slice name = {pair.data, name_len};
    struct buf *value = NULL;

    if (slice_equal(name, slice_of_text("grant_type")))
        value = &f->grant_type;
    else if (slice_equal(name, slice_of_text("assertion")))
        value = &f->assertion;
    if (!value || !equals)
        return error_set(err, CODE_INVALID, "the form has grant_type and assertion and no other field");
    if (value->len > 0)
        return error_set(err, CODE_INVALID, "%.*s: stands there twice", (int)name_len, (const char *)name.data);
    if (!form_decode((struct slice){equals + 1, pair.len - name_len - 1}, value))
        return error_set(err, CODE_INVALID, "%.*s: not form encoding", (int)name_len, (const char *)name.data);
    return OK;
}

status token_form_parse(struct token_form *f, const struct request *req, struct error *err)
{
    struct slice rest = request_body(req);

    if (!has_form_type(req))
        return error_set(err, CODE_UNSUPPORTED_MEDIA, "Content-Type: %s is expected", form_type);
    while (rest.len > 0) {
        const uint8_t *and = memchr(rest.data, '&', rest.len);
        size_t len = and? (size_t)(and-rest.data) : rest.len;
        TRY(pair_read(f, (struct slice){rest.data, len}, err));
        size_t used = and? len + 1 : len;
        rest = (struct slice){rest.data + used, rest.len - used};
    }
    if (f->grant_type.len == 0 || f->assertion.len == 0)
        return error_set(err, CODE_INVALID, "%s: needed", f->grant_type.len == 0 ? "grant_type" : "assertion");
    TRY(buf_check(&f->grant_type, err));
    return buf_check(&f->assertion, err);
}
