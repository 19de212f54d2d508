/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown of the timestamp authority: keys and certificates, whether tokens can be issued at this moment, the
 * clock, the counters, outside authorities. */
#include <string.h>

#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/tsa.h"

/* Certificates one behind the other: the length of the first is in its DER head. */
static size_t der_len(struct slice der)
{
    if (der.len < 2)
        return der.len;
    size_t bytes = der.data[1] & 0x80 ? der.data[1] & 0x7f : 0, len = bytes ? 0 : der.data[1];

    for (size_t i = 0; i < bytes && i + 2 < der.len; i++)
        len = len << 8 | der.data[2 + i];
    len += 2 + bytes;
    return len < der.len ? len : der.len;
}

static void chain_render(struct json_writer *w, struct slice chain)
{
    json_begin_array(w, "chain");
    while (chain.len > 0) {
        size_t len = der_len(chain);
        json_add_base64(w, NULL, (struct slice){chain.data, len});
        chain = (struct slice){chain.data + len, chain.len - len};
    }
    json_end_array(w);
}

void tsa_key_render(struct json_writer *w, const char *name, const struct timestamp_key *key)
{
    json_begin_object(w, name);
    json_add_integer(w, "version", key->version);
    json_add_text(w, "state", timestamp_key_state_name(key->state));
    json_add_text(w, "type", key_type_name(key->type));
    json_add_text(w, "subject", key->subject);
    json_add_base64(w, "public_key", buf_slice(&key->spki));
    json_add_hex(w, "cka_id", (struct slice){key->hsm_id, sizeof(key->hsm_id)});
    if (key->certificate.len > 0)
        json_add_base64(w, "certificate", buf_slice(&key->certificate));
    else
        json_add_null(w, "certificate");
    chain_render(w, buf_slice(&key->chain));
    json_add_raw(w, "hsm", key->hsm_attributes);
    json_add_time(w, "created", key->created_ms);
    json_end_object(w);
}

static void usage_render(struct json_writer *w, const char *name, const struct timestamp_usage *u,
                         const struct timestamp_usage *more)
{
    json_begin_object(w, name);
    json_add_integer(w, "granted", u->granted + more->granted);
    json_add_integer(w, "refused", u->refused + more->refused);
    json_end_object(w);
}

static void clock_render(struct json_writer *w, struct tsa *tsa)
{
    const struct tsa_config *config = tsa_config_of(tsa);
    struct tsa_reading reading;

    config->clock(config->clock_arg, &reading);
    json_begin_object(w, "clock");
    json_add_bool(w, "checked", config->checks_clock);
    json_add_bool(w, "synchronised", reading.is_synchronised);
    json_add_integer(w, "maximum_error_ms", reading.maximum_error_us / 1000);
    json_add_integer(w, "estimated_error_ms", reading.estimated_error_us / 1000);
    json_end_object(w);
}

static void relay_render(struct json_writer *w, struct tsa *tsa)
{
    struct tsa_upstream u;

    json_begin_array(w, "relay");
    for (size_t i = 0; tsa_upstream_get(tsa, i, &u); i++) {
        json_begin_object(w, NULL);
        json_add_text(w, "url", u.url);
        json_add_text(w, "state", u.is_open ? "paused" : u.failures ? "failing" : "available");
        json_add_integer(w, "failures", u.failures);
        json_add_integer(w, "granted", u.granted);
        json_end_object(w);
    }
    json_end_array(w);
}

struct view {
    struct timestamp_authority authority;
    struct timestamp_key active, pending;
    struct timestamp_usage day, total;
    bool is_there;
};

static void view_clear(struct view *v)
{
    timestamp_key_clear(&v->active);
    timestamp_key_clear(&v->pending);
}

/* True when the row is there. */
static status optional(status s, bool *there)
{
    *there = is_ok(s);
    return s.code == CODE_NOT_FOUND ? OK : s;
}

static status view_load(struct view *v, struct api *api, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    bool has_pending = false;

    TRY(reader_acquire(&reader, api->store, err));
    TRY(timestamp_usage_find(reader.db, clock_now_ms(), &v->day, &v->total, err));
    TRY(optional(timestamp_authority_find(reader.db, &v->authority, err), &v->is_there));
    if (v->authority.version > 0)
        TRY(timestamp_key_find(reader.db, v->authority.version, &v->active, err));
    return optional(timestamp_key_find_pending(reader.db, &v->pending, err), &has_pending);
}

static const char *state_of(const struct view *v)
{
    if (!v->is_there)
        return "none";
    if (v->authority.is_disabled)
        return "disabled";
    return v->authority.version > 0 ? "active" : "pending";
}

static void keys_render(struct json_writer *w, const struct view *v)
{
    if (v->active.version)
        tsa_key_render(w, "active", &v->active);
    else
        json_add_null(w, "active");
    if (v->pending.version)
        tsa_key_render(w, "pending", &v->pending);
    else
        json_add_null(w, "pending");
}

static void view_render(struct json_writer *w, const struct view *v, struct tsa *tsa)
{
    const struct tsa_config *config = tsa_config_of(tsa);
    const struct timestamp_usage more = tsa_uncounted(tsa);
    struct error why = {0};
    bool is_ready = is_ok(tsa_check(tsa, &why));

    json_begin_object(w, NULL);
    json_add_text(w, "mode", config->relay_count ? "relay" : "authority");
    json_add_text(w, "state", state_of(v));
    json_add_text(w, "disabled_reason", v->authority.is_disabled ? v->authority.disabled_reason : NULL);
    json_add_bool(w, "ready", is_ready);
    json_add_text(w, "reason", is_ready ? NULL : why.text);
    json_add_text(w, "policy", config->policy);
    json_add_integer(w, "accuracy_ms", config->accuracy_ms);
    json_add_text(w, "record", config->records_all ? "all" : "none");
    clock_render(w, tsa);
    keys_render(w, v);
    usage_render(w, "today", &v->day, &more);
    usage_render(w, "total", &v->total, &more);
    relay_render(w, tsa);
    json_add_time(w, "created", v->authority.created_ms);
    if (v->is_there)
        json_add_integer(w, "revision", v->authority.revision);
    else
        json_add_null(w, "revision");
    json_end_object(w);
}

status tsa_view_answer(struct api *api, struct response *res, struct error *err)
{
    CLEANUP(view_clear) struct view v = {0};

    TRY(view_load(&v, api, err));
    if (v.is_there)
        response_revision(res, v.authority.revision);
    view_render(response_json(res, 200), &v, api->tsa);
    return OK;
}
