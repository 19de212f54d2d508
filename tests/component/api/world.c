/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../hsm/faulty.h"
#include "common/encoding.h"
#include "common/secret.h"
#include "common/text.h"
#include "server/api/builtin_ca.h"

static const char *const audiences[] = {"https://sign.example/v1/oauth/token", NULL};
static const char *const names[WHO_COUNT] = {"", "admin", "auditor", "owner", "signer", "approver", "stranger"};
static const enum member_role memberships[WHO_COUNT] = {
    [OWNER] = MEMBER_OWNER, [SIGNER] = MEMBER_SIGNER, [APPROVER] = MEMBER_APPROVER};

#define must(w, expr) assert_ok(w, expr)

/* ---- the server */

static status hsm_sign_counted(void *arg, const uint8_t id[20], enum key_type type, const struct sign_input *in,
                               struct deadline d, struct buf *signature, struct error *err)
{
    struct world *w = arg;

    w->signed_count++;
    return hsm_sign(w->hsm.h, id, type, in, d, signature, err);
}

static status first_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct world *w = arg;
    struct project demo = {.name = "demo", .created_ms = clock_now_ms()};
    (void)record;

    (void)text_copy(demo.id, sizeof(demo.id), w->project_id);
    TRY(project_insert(db, &demo, err));
    for (int i = NOBODY + 1; i < WHO_COUNT; i++) {
        struct principal *p = &w->users[i];
        struct api_key key;
        TRY(principal_insert(db, p, err));
        TRY(api_key_make(p->id, "first", 0, clock_now_ms(), &w->credentials[i], &key, err));
        TRY(api_key_insert(db, &key, err));
        if (!memberships[i])
            continue;
        struct member m = {.principal_type = PRINCIPAL_USER, .role = memberships[i], .since_ms = clock_now_ms()};
        (void)text_copy(m.project_id, sizeof(m.project_id), demo.id);
        (void)text_copy(m.principal_id, sizeof(m.principal_id), p->id);
        TRY(member_insert(db, &m, err));
    }
    return OK;
}

static void people_add(struct world *w)
{
    struct audit_work work = {.change = first_rows, .arg = w, .alters_rights = true};

    must(w, id_new("prj", w->project_id, &w->err));
    for (int i = NOBODY + 1; i < WHO_COUNT; i++) {
        struct principal *p = &w->users[i];
        p->type = PRINCIPAL_USER;
        p->role = i == ADMIN ? ROLE_ADMINISTRATOR : i == AUDITOR ? ROLE_AUDITOR : ROLE_NONE;
        p->created_ms = clock_now_ms();
        (void)text_copy(p->name, sizeof(p->name), names[i]);
        must(w, id_new("usr", p->id, &w->err));
    }
    must(w, audit_commit(w->audit, &work, deadline_in(10000), &w->err));
}

static void faults_find(struct world *w)
{
    void *module = dlopen(FAULTY_MODULE, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(module);
    struct faults *(*faults)(void) = (struct faults * (*)(void)) dlsym(module, "faults");
    assert_non_null(faults);
    w->faults = faults();
}

static void store_begin(struct world *w)
{
    char url[128];

    (void)snprintf(url, sizeof(url), "sqlite:%s/chancery.db", w->hsm.dir);
    must(w, store_open(url, &w->store, &w->err));
    must(w, store_migrate(w->store, &w->err));
    must(w, ca_create(w->hsm.h, store_writer(w->store), "Example", PUBLIC_URL, &w->err));
    must(w, audit_open(w->store, NULL, &w->audit, &w->err));
    const struct ca_config ca = {w->hsm.h, w->store, w->audit, PUBLIC_URL};
    must(w, ca_open(&ca, &w->ca, &w->err));
}

int world_open(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    *state = w;
    fixture_init(&w->hsm, FAULTY_MODULE);
    fixture_open(&w->hsm, 4, 60000);
    faults_find(w);
    store_begin(w);
    struct signer_config signing = {
        .store = w->store, .audit = w->audit, .hsm = {.sign = hsm_sign_counted, .hsm = w}, .verify_all = true};
    must(w, signer_new(&signing, &w->signer, &w->err));
    must(w, identity_cache_new(&w->identities, &w->err));
    struct tsa_config stamping = {
        .store = w->store, .audit = w->audit, .hsm = w->hsm.h, .policy = "1.3.6.1.4.1.99999.1", .accuracy_ms = 1000};
    must(w, tsa_new(&stamping, &w->tsa, &w->err));
    const struct runner_config running = {
        .store = w->store, .audit = w->audit, .hsm = w->hsm.h, .builtin = builtin_ca_of(w->ca), .is_alone = true};
    must(w, runner_new(&running, &w->runner, &w->err));
    w->api = (struct api){.store = w->store,
                          .audit = w->audit,
                          .signer = w->signer,
                          .identities = w->identities,
                          .hsm = w->hsm.h,
                          .ca = w->ca,
                          .secret_key_file = w->secret_key_file,
                          .tls_root = w->tls_root,
                          .tsa = w->tsa,
                          .runner = w->runner,
                          .started_ms = clock_now_ms(),
                          .token_audiences = audiences};
    (void)snprintf(w->secret_key_file, sizeof(w->secret_key_file), "%s/secret.key", w->hsm.dir);
    (void)snprintf(w->tls_root, sizeof(w->tls_root), "%s/root.pem", w->hsm.dir);
    w->http =
        (struct http_config){.request_timeout_ms = 120000, .tables = api_tables, .before = api_before, .api = &w->api};
    w->document = openapi_load(OPENAPI_PATH);
    w->seen = seen_open();
    people_add(w);
    return 0;
}

int world_close(void **state)
{
    struct world *w = *state;

    buf_clear(&w->x.response_headers);
    buf_clear(&w->x.response_body);
    for (int i = 0; i < WHO_COUNT; i++)
        buf_clear(&w->credentials[i]);
    if (w->seen)
        (void)fclose(w->seen);
    json_free(w->answer);
    json_free(w->document);
    tsa_free(w->tsa);
    signer_free(w->signer);
    identity_cache_free(w->identities);
    runner_free(w->runner);
    audit_close(w->audit);
    ca_close(w->ca);
    store_close(w->store);
    if (w->hsms) {
        hsm_set_free(w->hsms);
        w->hsm.h = NULL;
    }
    fixture_clear(&w->hsm);
    free(w);
    return 0;
}

/* ---- calls */

static bool pattern_meets(const char *pattern, const char *target)
{
    for (;;) {
        size_t named = strcspn(pattern, "/"), given = strcspn(target, "/?");
        if (*pattern != '{' && (named != given || memcmp(pattern, target, named) != 0))
            return false;
        pattern += named;
        target += given;
        if (*pattern != '/' || *target != '/')
            return *pattern == '\0' && *target != '/';
        pattern++;
        target++;
    }
}

/* A pattern without names goes before one with. */
const struct route *route_of(const char *method, const char *target)
{
    const struct route *found = NULL;

    for (const struct route *const *table = api_tables; *table; table++) {
        for (const struct route *r = *table; r->method; r++) {
            if (strcmp(r->method, method) == 0 && pattern_meets(r->pattern, target) &&
                (!found || !strchr(r->pattern, '{')))
                found = r;
        }
    }
    return found;
}

const char *answer_header(const struct world *w, const char *name)
{
    static char value[256];
    size_t len = strlen(name);

    for (const char *line = buf_text(&w->x.response_headers); *line; line += strcspn(line, "\n") + 1) {
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            (void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(line + len + 2, "\n"), line + len + 2);
            return value;
        }
    }
    return "";
}

const char *answer_text(const struct world *w, const char *name)
{
    return json_get_text(w->answer, name, "");
}

/* The document says which answers have an ETag, and whether always. */
static void etag_check(struct world *w, const struct call *call, const struct json *operation)
{
    char http_status[16];
    (void)snprintf(http_status, sizeof(http_status), "%d", w->x.status);
    const struct json *answer = json_get(json_get(operation, "responses"), http_status);
    const struct json *header = json_get(json_get(openapi_resolve(w->document, answer), "headers"), "ETag");
    bool has = *answer_header(w, "ETag");

    if (has && !header)
        fail_msg("%s %s: %d has an ETag that the document does not tell", call->method, call->target, w->x.status);
    if (!has && header && json_get_bool(openapi_resolve(w->document, header), "required", false))
        fail_msg("%s %s: %d lacks its ETag", call->method, call->target, w->x.status);
}

static void answer_check(struct world *w, const struct call *call)
{
    cleanup_buf struct buf why = {0};
    const struct route *route = route_of(call->method, call->target);
    char media[64];

    (void)text_copy(media, sizeof(media), answer_header(w, "Content-Type"));
    json_free(w->answer);
    w->answer = NULL;
    if (strstr(media, "json") && !strstr(media, "ndjson"))
        must(w, json_parse(buf_slice(&w->x.response_body), 1 << 24, 32, &w->answer, &w->err));
    assert_string_not_equal(answer_header(w, "X-Request-Id"), "");
    if (!route)
        return;
    const struct json *operation = openapi_operation(w->document, call->method, route->pattern);
    if (!openapi_answer_holds(w->document, operation, w->x.status, *media ? media : NULL,
                              buf_slice(&w->x.response_body), &why))
        fail_msg("%s %s: %d: %s: %s", call->method, call->target, w->x.status, buf_text(&why),
                 buf_text(&w->x.response_body));
    etag_check(w, call, operation);
    seen_add(w->seen, call->method, route->pattern, w->x.status, w->x.status >= 400 ? answer_text(w, "code") : "");
}

int world_call(struct world *w, const struct call *call)
{
    cleanup_buf struct buf authorization = {0}, type = {0};
    const char *headers[8] = {NULL};
    size_t n = 0;
    const char *bearer = call->bearer ? call->bearer : buf_text(&w->credentials[call->who]);

    if (*bearer) {
        buf_printf(&authorization, "Authorization: Bearer %s", bearer);
        headers[n++] = buf_text(&authorization);
    }
    if (call->content_type || call->body.len > 0) {
        buf_printf(&type, "Content-Type: %s", call->content_type ? call->content_type : "application/json");
        headers[n++] = buf_text(&type);
    }
    for (size_t i = 0; i < COUNT_OF(call->headers) && call->headers[i]; i++)
        headers[n++] = call->headers[i];

    w->x.method = call->method;
    w->x.target = call->target;
    w->x.headers = headers;
    w->x.body = call->body;
    w->x.address = call->address ? call->address : w->address ? w->address : "192.0.2.7";
    must(w, http_route_in_memory(&w->http, &w->x, &w->err));
    answer_check(w, call);
    return w->x.status;
}

int world_ask(struct world *w, enum who who, const char *method, const char *target, const char *body)
{
    const struct call call = {.who = who, .method = method, .target = target, .body = slice_of_text(body ? body : "")};

    return world_call(w, &call);
}

int world_get(struct world *w, enum who who, const char *format, ...)
{
    char target[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(target, sizeof(target), format, args);
    va_end(args);
    return world_ask(w, who, "GET", target, NULL);
}

int world_post(struct world *w, enum who who, const char *target, const char *format, ...)
{
    char body[4096];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(body, sizeof(body), format, args);
    va_end(args);
    return world_ask(w, who, "POST", target, body);
}

void world_assert_status(struct world *w, int status_code, int expected, const char *file, int line)
{
    if (status_code == expected)
        return;
    print_error("%s %s: %d, expected %d: %s\n", w->x.method, w->x.target, status_code, expected,
                buf_text(&w->x.response_body));
    _fail(file, line);
}

void world_assert_problem(struct world *w, enum code code, const char *part, const char *file, int line)
{
    world_assert_status(w, w->x.status, code_http(code), file, line);
    if (strcmp(answer_text(w, "code"), code_wire(code)) == 0 && strstr(answer_text(w, "detail"), part ? part : ""))
        return;
    print_error("%s %s: expected %s and \"%s\": %s\n", w->x.method, w->x.target, code_wire(code), part ? part : "",
                buf_text(&w->x.response_body));
    _fail(file, line);
}

/* ---- what tests need often */

void world_key(struct world *w, const char *label, const char *type, char id[ID_SIZE])
{
    assert_status(w, world_post(w, OWNER, "/v1/projects/demo/keys", "{\"label\":\"%s\",\"type\":\"%s\"}", label, type),
                  201);
    (void)text_copy(id, ID_SIZE, answer_text(w, "id"));
}

void digest_body(const char *mechanism, uint8_t byte, struct buf *out)
{
    uint8_t digest[32];
    struct json_writer writer = json_writer_on(out);

    memset(digest, byte, sizeof(digest));
    json_begin_object(&writer, NULL);
    json_add_text(&writer, "mechanism", mechanism);
    json_add_text(&writer, "hash", "sha256");
    json_add_base64(&writer, "digest", (struct slice){digest, sizeof(digest)});
    json_end_object(&writer);
}

int world_sign(struct world *w, enum who who, const char *key, const char *body)
{
    char target[256];

    (void)snprintf(target, sizeof(target), "/v1/signing/keys/%s/signatures", key);
    return world_ask(w, who, "POST", target, body);
}

int64_t world_head(struct world *w)
{
    int64_t seq = 0;
    uint8_t hash[32];
    struct db *db = store_reader_acquire(w->store, &w->err);

    assert_non_null(db);
    status s = record_head(db, &seq, hash, &w->err);
    store_reader_release(w->store, db);
    must(w, s);
    return seq;
}

struct json *world_last_record(struct world *w)
{
    struct json *record = NULL;

    assert_status(w, world_get(w, AUDITOR, "/v1/audit/export?after=%lld", (long long)world_head(w) - 1), 200);
    must(w, json_parse(buf_slice(&w->x.response_body), 1 << 16, 16, &record, &w->err));
    return record;
}
