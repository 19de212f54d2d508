/* SPDX-License-Identifier: Apache-2.0 */
/* The chains of all CAs, from their rows: by parents that are here, or as they were given for one from outside. */
#include <string.h>

#include "common/text.h"
#include "server/ca/authority.h"

void ca_chains_clear(struct ca_chains *c)
{
    for (size_t i = 0; i < c->count; i++) {
        for (size_t k = 0; k < c->items[i].count; k++)
            buf_clear(&c->items[i].certificates[k]);
    }
    free(c->items);
    *c = (struct ca_chains){0};
}

struct row_list {
    struct ca_row *rows;
    size_t count;
};

static void row_list_clear(struct row_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        ca_row_clear(&l->rows[i]);
    free(l->rows);
}
#define cleanup_row_list CLEANUP(row_list_clear)

static status row_take(void *arg, const struct ca_row *r)
{
    struct row_list *l = arg;
    struct ca_row *grown = reallocarray(l->rows, l->count + 1, sizeof(*grown));

    if (!grown)
        return (status){CODE_NO_MEMORY};
    l->rows = grown;
    struct ca_row *copy = &grown[l->count++];
    *copy = *r;
    copy->certificate = copy->chain = (struct buf){0};
    buf_add(&copy->certificate, r->certificate.data, r->certificate.len);
    buf_add(&copy->chain, r->chain.data, r->chain.len);
    TRY(buf_check(&copy->certificate, NULL));
    return buf_check(&copy->chain, NULL);
}

static const struct ca_row *row_named(const struct row_list *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++) {
        if (strcmp(l->rows[i].name, name) == 0)
            return &l->rows[i];
    }
    return NULL;
}

static status chain_add(struct ca_chain *chain, struct slice der, struct error *err)
{
    if (chain->count == CA_CHAIN_MOST)
        return error_set(err, CODE_INTERNAL, "the chain of the CA %s is too long", chain->name);
    struct buf *place = &chain->certificates[chain->count++];
    buf_add(place, der.data, der.len);
    return buf_check(place, err);
}

/* The DER certificates that stand one behind the other in row->chain. */
static status chain_add_outside(struct ca_chain *chain, const struct ca_row *row, struct error *err)
{
    const unsigned char *at = row->chain.data, *end = at + row->chain.len;

    while (at < end) {
        const unsigned char *from = at;
        cleanup_x509 X509 *crt = d2i_X509(NULL, &at, end - at);
        if (!crt)
            return certificate_failure("a stored chain cannot be read", err);
        TRY(chain_add(chain, (struct slice){from, (size_t)(at - from)}, err));
    }
    return OK;
}

static status chain_make(const struct row_list *all, const struct ca_row *row, struct ca_chain *chain,
                         struct error *err)
{
    (void)text_copy(chain->name, sizeof(chain->name), row->name);
    while (row && row->certificate.len > 0) {
        TRY(chain_add(chain, buf_slice(&row->certificate), err));
        if (row->chain.len > 0)
            return chain_add_outside(chain, row, err);
        row = *row->parent ? row_named(all, row->parent) : NULL;
    }
    return OK;
}

static status rows_read(struct ca *ca, struct row_list *l, struct error *err)
{
    enum { PAGE = 100 };
    struct db *db = store_reader_acquire(ca->config.store, err);
    size_t before = 0;
    status s = OK;

    if (!db)
        return err ? (status){err->code} : (status){CODE_UNAVAILABLE};
    do {
        before = l->count;
        char after[NAME_SIZE] = "";
        if (before > 0)
            (void)text_copy(after, sizeof(after), l->rows[before - 1].name);
        s = ca_row_list(db, (struct page){.after = after, .limit = PAGE}, row_take, l, err);
    } while (is_ok(s) && l->count == before + PAGE);
    store_reader_release(ca->config.store, db);
    return s;
}

status ca_chains_load(struct ca *ca, struct ca_chains *out, struct error *err)
{
    cleanup_row_list struct row_list all = {0};

    TRY(rows_read(ca, &all, err));
    out->items = calloc(all.count + 1, sizeof(*out->items));
    if (!out->items)
        return error_set(err, CODE_NO_MEMORY, "chains");
    for (size_t i = 0; i < all.count; i++) {
        out->count = i + 1;
        TRY(chain_make(&all, &all.rows[i], &out->items[i], err));
    }
    return OK;
}

const struct ca_chain *ca_chain_find(const struct ca_chains *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++) {
        if (strcmp(c->items[i].name, *name ? name : CA_ISSUING_NAME) == 0)
            return c->items[i].count ? &c->items[i] : NULL;
    }
    return NULL;
}
