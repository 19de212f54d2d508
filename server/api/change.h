/* SPDX-License-Identifier: Apache-2.0 */
/* One administrative change with its record: both are written in one transaction of audit_commit, or neither. */
#pragma once

#include "server/api/api.h"
#include "server/store/idempotent_create.h"

struct change;
/* Reads, judges and writes the rows, inside the transaction. May run again when a batch is repeated, so it alters
 * nothing but the store and its own struct. */
typedef status (*change_rows)(struct db *db, struct change *change, struct error *err);

/* The first member of each resource's own change; change_rows casts it back. */
struct change {
    struct audit_record record;   /* what it borrows lives as long as this struct */
    struct json_writer detail;    /* members of the record's detail object */
    char key_name[2 * NAME_SIZE]; /* "<project>-<label>" */
    bool keeps_rights;            /* alters nothing that rights are made of */
    const char *if_match;         /* as the request has it; NULL: it has none */
    bool replayed;                /* change_create: what was asked for was made before, by the same request */
    /* change.c's own */
    struct buf detail_text;
    struct json_writer detail_before;
    size_t detail_before_len;
    change_rows rows;
    const struct change_creation *creation; /* NULL: not one that may be repeated */
    struct idempotent_create request;       /* idempotency_key "": it carries none */
};
void change_clear(struct change *c);

/* type as in "project.create"; caller, address and request id come from the request. */
void change_begin(struct change *c, const struct request *req, const char *type);
/* What is changed. Borrowed. */
void change_target(struct change *c, const char *type, const char *id, const char *name);
/* The key that is changed, with its project. Borrowed. */
void change_key(struct change *c, const struct signing_key *key);
/* The same of the key that the path names. */
void change_key_asked(struct change *c, const struct request *req);
/* For change_rows, with the revision as the transaction read it: CODE_STALE when the request carries an If-Match that
 * does not name it (RFC 9110 §13.1.1). Without If-Match the last write wins. */
status change_check_revision(const struct change *c, int64_t revision, struct error *err);
/* The revision of what is answered, as ETag. */
void response_revision(struct response *res, int64_t revision);
/* Durable on return. */
status change_commit(struct change *c, struct api *api, struct request *req, change_rows rows, struct error *err);
status change_commit_until(struct change *c, struct api *api, struct deadline d, change_rows rows, struct error *err);

/* How an object is made and shown. */
struct change_creation {
    change_rows rows;
    void (*render)(struct json_writer *w, const struct change *change); /* the answer; inside the transaction */
    bool shows_secret; /* then the answer is not kept, and a repeated request is CODE_CONFLICT */
};
/* A change that makes an object, answered 201. With an Idempotency-Key it may be repeated for a day: the same request
 * of the same principal makes nothing and gets the first one's answer, another one is CODE_IDEMPOTENCY_CONFLICT.
 * change_target is called before. */
status change_create(struct change *c, struct api *api, struct request *req, struct response *res,
                     const struct change_creation *how, struct error *err);
/* The same judgement before anything costly is done: *replayed tells that res has the answer. */
status change_replay(struct api *api, struct request *req, struct response *res, bool *replayed, struct error *err);
