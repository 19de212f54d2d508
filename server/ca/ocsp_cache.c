/* SPDX-License-Identifier: Apache-2.0 */
/* Each key has one place; a newer answer takes it. */
#include "server/ca/ocsp_cache.h"

#include <string.h>

#include "common/secret.h"

enum { PLACES = 1024, ANSWER_MOST = 8192 };

struct ocsp_cache {
    struct {
        struct ocsp_cache_key key;
        int64_t until_ms;
        struct ocsp_answer answer;
    } places[PLACES];
};

status ocsp_cache_new(struct ocsp_cache **out, struct error *err)
{
    *out = calloc(1, sizeof(**out));
    return *out ? OK : error_set(err, CODE_NO_MEMORY, "OCSP cache");
}

void ocsp_cache_free(struct ocsp_cache *c)
{
    for (size_t i = 0; c && i < PLACES; i++)
        ocsp_answer_clear(&c->places[i].answer);
    free(c);
}

status ocsp_cache_key_make(const char *ca, int64_t revocations, struct slice request, struct ocsp_cache_key *out,
                           struct error *err)
{
    cleanup_buf struct buf text = {0};

    buf_printf(&text, "%s %lld ", ca, (long long)revocations);
    buf_add(&text, request.data, request.len);
    TRY(buf_check(&text, err));
    return sha256(buf_slice(&text), out->sha256, err);
}

static size_t place_of(const struct ocsp_cache_key *key)
{
    return ((size_t)key->sha256[0] << 8 | key->sha256[1]) % PLACES;
}

static bool answer_copy(const struct ocsp_answer *from, struct ocsp_answer *to)
{
    ocsp_answer_clear(to);
    *to = *from;
    to->der = (struct buf){0};
    buf_add(&to->der, from->der.data, from->der.len);
    return is_ok(buf_check(&to->der, NULL));
}

bool ocsp_cache_get(struct ocsp_cache *c, const struct ocsp_cache_key *key, int64_t now_ms, struct ocsp_answer *out)
{
    size_t i = place_of(key);

    return c->places[i].until_ms > now_ms && memcmp(&c->places[i].key, key, sizeof(*key)) == 0 &&
           answer_copy(&c->places[i].answer, out);
}

void ocsp_cache_put(struct ocsp_cache *c, const struct ocsp_cache_key *key, int64_t until_ms,
                    const struct ocsp_answer *answer)
{
    size_t i = place_of(key);

    if (answer->der.len > ANSWER_MOST)
        return;
    c->places[i].key = *key;
    c->places[i].until_ms = answer_copy(answer, &c->places[i].answer) ? until_ms : 0;
}
