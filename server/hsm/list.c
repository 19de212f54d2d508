/* SPDX-License-Identifier: Apache-2.0 */
/* The private keys of the token: all of them, or one that somebody else made. Read in small portions, so that no
 * operation is long. */
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "server/hsm/internal.h"

enum { PORTION = 32, KEYS_MAX = 1 << 20 };

struct handles {
    CK_OBJECT_HANDLE *items;
    size_t count;
};

static CK_RV handles_take(struct handles *all, const CK_OBJECT_HANDLE *found, CK_ULONG count)
{
    CK_OBJECT_HANDLE *grown;

    if (all->count + count > KEYS_MAX)
        return CKR_HOST_MEMORY;
    grown = reallocarray(all->items, all->count + count + 1, sizeof *grown);
    if (!grown)
        return CKR_HOST_MEMORY;
    all->items = grown;
    memcpy(grown + all->count, found, count * sizeof *found);
    all->count += count;
    return CKR_OK;
}

static CK_RV search_run(struct hsm *h, struct session *s, CK_ATTRIBUTE *wanted, CK_ULONG wanted_count,
                        struct handles *all)
{
    CK_OBJECT_HANDLE found[256];
    CK_ULONG count = 0;
    CK_RV rv = CALL(h, s, C_FindObjectsInit)(s->handle, wanted, wanted_count);

    if (rv != CKR_OK)
        return rv;
    do {
        rv = CALL(h, s, C_FindObjects)(s->handle, found, COUNT_OF(found), &count);
        if (rv == CKR_OK)
            rv = handles_take(all, found, count);
    } while (rv == CKR_OK && count > 0);
    CK_RV ended = h->f->C_FindObjectsFinal(s->handle);
    return rv != CKR_OK ? rv : ended;
}

static CK_RV private_keys_operation(struct hsm *h, struct session *s, void *arg)
{
    struct handles *all = arg;
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}};

    all->count = 0; /* it may be run twice */
    return search_run(h, s, wanted, COUNT_OF(wanted), all);
}

/* The public key with the same CKA_ID. A private key whose public half is not there is told by its label alone. */
static CK_RV found_read(struct hsm *h, struct session *s, CK_OBJECT_HANDLE private, struct hsm_found *out)
{
    cleanup_buf struct buf label = {0};
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    struct handles publics = {0};
    CK_RV rv = object_bytes(h, s, private, CKA_ID, &out->id);

    if (rv == CKR_OK)
        rv = object_bytes(h, s, private, CKA_LABEL, &label);
    if (rv != CKR_OK)
        return rv;
    (void)text_copy(out->key.label, sizeof out->key.label, buf_text(&label));
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, out->id.data, out->id.len}};
    rv = search_run(h, s, wanted, COUNT_OF(wanted), &publics);
    if (rv == CKR_OK && publics.count > 0) {
        CK_RV read = object_read_key(h, s, private, publics.items[0], &out->key);
        out->is_known = read == CKR_OK;
        rv = read == RV_MALFORMED ? CKR_OK : read; /* of a type that this program does not know */
    }
    free(publics.items);
    return rv;
}

struct portion {
    const CK_OBJECT_HANDLE *handles;
    size_t count, done;
    struct hsm_found found[PORTION];
};

static void found_clear(struct hsm_found *f)
{
    hsm_key_clear(&f->key);
    buf_clear(&f->id);
    *f = (struct hsm_found){0};
}

static CK_RV portion_operation(struct hsm *h, struct session *s, void *arg)
{
    struct portion *p = arg;
    CK_RV rv = CKR_OK;

    for (p->done = 0; rv == CKR_OK && p->done < p->count; p->done++) {
        found_clear(&p->found[p->done]);
        rv = found_read(h, s, p->handles[p->done], &p->found[p->done]);
    }
    return rv;
}

static status portion_give(struct hsm *h, struct portion *p, struct deadline d, hsm_each each, void *arg,
                           struct error *err)
{
    status s = hsm_run(h, d, h->timeout_ms, portion_operation, p, err);

    for (size_t i = 0; is_ok(s) && i < p->count; i++)
        s = each(arg, &p->found[i], err);
    for (size_t i = 0; i < PORTION; i++)
        found_clear(&p->found[i]);
    return s;
}

status hsm_list(struct hsm *h, struct deadline d, hsm_each each, void *arg, struct error *err)
{
    struct handles all = {0};
    struct portion p = {0};
    status s = hsm_run(h, d, h->timeout_ms, private_keys_operation, &all, err);

    for (size_t at = 0; is_ok(s) && at < all.count; at += p.count) {
        p.handles = all.items + at;
        p.count = all.count - at < PORTION ? all.count - at : PORTION;
        s = portion_give(h, &p, d, each, arg, err);
    }
    free(all.items);
    return s;
}

/* ---- one key that somebody else made */

struct adoption {
    struct slice id; /* as it is in the token */
    uint8_t ours[HSM_ID_LEN];
};

/* CK_INVALID_HANDLE: there is none. */
static CK_RV id_find(struct hsm *h, struct session *s, CK_OBJECT_CLASS class, struct slice id, CK_OBJECT_HANDLE *out)
{
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, (void *)id.data, id.len}};
    struct handles found = {0};
    CK_RV rv = search_run(h, s, wanted, COUNT_OF(wanted), &found);

    if (rv == CKR_OK && found.count > 1)
        rv = RV_AMBIGUOUS;
    *out = rv == CKR_OK && found.count > 0 ? found.items[0] : CK_INVALID_HANDLE;
    free(found.items);
    return rv;
}

static CK_RV id_write(struct hsm *h, struct session *s, CK_OBJECT_HANDLE object, struct slice id)
{
    CK_ATTRIBUTE written = {CKA_ID, (void *)id.data, id.len};

    return object == CK_INVALID_HANDLE ? CKR_OK : CALL(h, s, C_SetAttributeValue)(s->handle, object, &written, 1);
}

/* Both or none, so that whoever uses the key by its old CKA_ID is not left with half of it. The private key has ours
 * already when this is run a second time. */
static CK_RV adopt_operation(struct hsm *h, struct session *s, void *arg)
{
    const struct adoption *a = arg;
    const struct slice ours = {a->ours, HSM_ID_LEN};
    CK_OBJECT_HANDLE private = CK_INVALID_HANDLE, public = CK_INVALID_HANDLE;
    CK_RV rv = id_find(h, s, CKO_PRIVATE_KEY, a->id, &private);

    if (rv == CKR_OK && private == CK_INVALID_HANDLE)
        rv = id_find(h, s, CKO_PRIVATE_KEY, ours, &private);
    if (rv == CKR_OK)
        rv = id_find(h, s, CKO_PUBLIC_KEY, a->id, &public);
    if (rv == CKR_OK)
        rv = id_write(h, s, private, ours);
    if (rv != CKR_OK)
        return rv;
    rv = id_write(h, s, public, ours);
    if (rv != CKR_OK)
        (void)id_write(h, s, private, a->id);
    return rv;
}

status hsm_adopt(struct hsm *h, const struct hsm_found *found, struct deadline d, struct error *err)
{
    struct adoption a = {.id = buf_slice(&found->id)};

    memcpy(a.ours, found->key.id, HSM_ID_LEN);
    if (slice_equal(a.id, (struct slice){a.ours, HSM_ID_LEN}))
        return OK;
    return hsm_run(h, d, h->timeout_ms, adopt_operation, &a, err);
}

void hsm_forget(struct hsm *h, const uint8_t id[HSM_ID_LEN])
{
    handles_forget(&h->handles, id);
}

void hsm_key_findings(const struct hsm_key *k, char *out, size_t size)
{
    const struct {
        bool is_weak;
        const char *text;
    } rows[] = {{!k->sensitive, "not sensitive"},
                {k->extractable, "extractable"},
                {!k->always_sensitive, "was not always sensitive"},
                {!k->never_extractable, "was extractable"}};
    size_t len = 0;

    *out = '\0';
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].is_weak && len < size)
            len += (size_t)snprintf(out + len, size - len, "%s%s", len ? ", " : "", rows[i].text);
    }
}
