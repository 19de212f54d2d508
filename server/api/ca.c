/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of the built-in CA, for those who verify. */
#include <openssl/bio.h>
#include <openssl/pem.h>

#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"

static status certificate_add_pem(struct json_writer *w, const char *name, struct slice der, struct error *err)
{
    cleanup_buf struct buf text = {0};
    char *pem = NULL;
    BIO *bio = BIO_new(BIO_s_mem());

    bool written = bio && PEM_write_bio(bio, PEM_STRING_X509, "", der.data, (long)der.len) > 0;
    long len = written ? BIO_get_mem_data(bio, &pem) : 0;
    buf_add(&text, pem, (size_t)len);
    BIO_free(bio);
    if (!written)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    TRY(buf_check(&text, err));
    json_add_text(w, name, buf_text(&text));
    return OK;
}

static status ca_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_chain struct chain chain = {0};

    TRY(query_none(req, err));
    TRY(chain_load(&chain, arg, err));

    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    TRY(certificate_add_pem(w, "issuing", buf_slice(&chain.issuing), err));
    TRY(certificate_add_pem(w, "root", buf_slice(&chain.root), err));
    json_end_object(w);
    return OK;
}

const struct route ca_routes[] = {
    {"GET", "/v1/ca", PERMISSION_ANY, ca_get, 0},
    {0},
};
