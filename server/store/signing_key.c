/* SPDX-License-Identifier: Apache-2.0 */
/* Signing keys with their current version. Types, mechanisms and hashes are kept by their names on the wire, so that
 * rows of algorithms.def may be added anywhere. */
#include "server/store/row.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS                                                                                                        \
    "k.id, k.project_id, p.name, k.label, k.lifecycle, k.disabled_reason, k.hashes, k.mechanisms, k.created_ms, "      \
    "COALESCE(v.version, 0), COALESCE(v.type, k.plan_type), v.hsm_id, v.spki, v.hsm_attributes, v.certificate, "       \
    "v.findings, "                                                                                                     \
    "v.created_ms, v.grace_until_ms, k.lifecycle_before, k.revision, COALESCE(v.hsm, k.hsm), k.retired_ms, "           \
    "k.destroy_by, k.destroy_ms, k.plan_subject, k.plan_days, k.plan_ca, v.ca, v.revoked_ms, v.chain, "                \
    "v.certificate_source, v.not_after_ms, k.connector, k.renew_before_days, k.job_id, "                               \
    "COALESCE(c.name, '')"
#define WITH_CONNECTOR "LEFT JOIN connector c ON c.id = k.connector "
#define WITH_VERSION "LEFT JOIN key_version v ON v.key_id = k.id AND v.version = k.version "
#define NAMES " FROM signing_key k JOIN project p ON p.id = k.project_id " WITH_CONNECTOR
#define FROM NAMES WITH_VERSION
/* SQLite takes tables joined by CROSS as they are written: keys come in the order of the list, and none are sorted. */
#define FROM_IN_ORDER " FROM project p CROSS JOIN signing_key k " WITH_CONNECTOR WITH_VERSION

enum { MECHANISM_SET_SIZE = 128 };

void signing_key_clear(struct signing_key *k)
{
    buf_clear(&k->spki);
    buf_clear(&k->certificate);
    buf_clear(&k->chain);
    *k = (struct signing_key){0};
}

const char *signing_key_hsm(const struct signing_key *k)
{
    return *k->hsm ? k->hsm : "default";
}

static void mechanism_set_format(unsigned set, char out[MECHANISM_SET_SIZE])
{
    size_t len = 0;
    out[0] = '\0';
    for (int m = MECHANISM_NONE + 1; m < MECHANISM_COUNT; m++) {
        if (set & 1u << m)
            len += (size_t)snprintf(out + len, MECHANISM_SET_SIZE - len, "%s%s", len ? "," : "",
                                    mechanism_name((enum mechanism)m));
    }
}

static unsigned mechanism_set_parse(const char *text)
{
    unsigned set = 0;
    while (*text) {
        char name[MECHANISM_SET_SIZE];
        size_t len = strcspn(text, ",");
        (void)snprintf(name, sizeof(name), "%.*s", (int)len, text);
        enum mechanism m = MECHANISM_NONE;
        if (mechanism_parse(name, &m))
            set |= 1u << m;
        text += len + (text[len] == ',');
    }
    return set;
}

static status state_read(const struct db_rows *rows, int column, enum key_state *out, struct error *err)
{
    const char *name = db_column_text(rows, column);
    if (!*name)
        return OK;
    return key_state_parse(name, out)
               ? OK
               : error_set(err, CODE_INTERNAL, "the store has a key state %s that this version does not know", name);
}

/* What belongs to the version; a pending key has none yet. */
static status version_read(const struct db_rows *rows, struct signing_key *out, struct error *err)
{
    COLUMN_COPY(out->hsm_attributes, rows, 13);
    COLUMN_COPY(out->findings, rows, 15);
    out->version_created_ms = db_column_int(rows, 16);
    out->grace_until_ms = db_column_int(rows, 17);
    COLUMN_COPY(out->certificate_ca, rows, 27);
    out->revoked_ms = db_column_int(rows, 28);
    column_blob_copy(&out->spki, rows, 12);
    TRY(buf_check(&out->spki, err));
    column_blob_copy(&out->certificate, rows, 14);
    TRY(buf_check(&out->certificate, err));
    column_blob_copy(&out->chain, rows, 29);
    TRY(buf_check(&out->chain, err));
    COLUMN_COPY(out->certificate_source, rows, 30);
    out->not_after_ms = db_column_int(rows, 31);
    if (out->version == 0) {
        memset(out->hsm_id, 0, sizeof(out->hsm_id));
        return OK;
    }
    return column_blob_exact(out->hsm_id, sizeof(out->hsm_id), rows, 11, err);
}

static status life_read(const struct db_rows *rows, struct signing_key *out, struct error *err)
{
    TRY(state_read(rows, 4, &out->state, err));
    TRY(state_read(rows, 18, &out->state_before, err));
    COLUMN_COPY(out->disabled_reason, rows, 5);
    out->revision = db_column_int(rows, 19);
    COLUMN_COPY(out->hsm, rows, 20);
    out->retired_ms = db_column_int(rows, 21);
    COLUMN_COPY(out->destroy_by, rows, 22);
    out->destroy_ms = db_column_int(rows, 23);
    COLUMN_COPY(out->plan_subject, rows, 24);
    out->plan_days = (int)db_column_int(rows, 25);
    COLUMN_COPY(out->plan_ca, rows, 26);
    COLUMN_COPY(out->connector, rows, 32);
    out->renew_before_days = (int)db_column_int(rows, 33);
    COLUMN_COPY(out->job_id, rows, 34);
    COLUMN_COPY(out->connector_name, rows, 35);
    return OK;
}

static status signing_key_read(const struct db_rows *rows, struct signing_key *out, struct error *err)
{
    bool valid = false;
    out->hashes = hash_set_parse(db_column_text(rows, 6), &valid);
    out->mechanisms = mechanism_set_parse(db_column_text(rows, 7));
    out->created_ms = db_column_int(rows, 8);
    out->version = (int)db_column_int(rows, 9);
    if (!valid || !key_type_parse(db_column_text(rows, 10), &out->type))
        return error_set(err, CODE_INTERNAL, "store: the signing key %s has a type or hash this version does not know",
                         db_column_text(rows, 0));

    COLUMN_COPY(out->id, rows, 0);
    COLUMN_COPY(out->project_id, rows, 1);
    COLUMN_COPY(out->project_name, rows, 2);
    COLUMN_COPY(out->label, rows, 3);
    TRY(life_read(rows, out, err));
    return version_read(rows, out, err);
}

/* The older column says only whether the key signs; see 0006_keys.sql. */
static const char *coarse(enum key_state state)
{
    return state == KEY_ACTIVE ? "active" : "disabled";
}

status signing_key_insert(struct db *db, const struct signing_key *k, struct error *err)
{
    char hashes[HASH_SET_SIZE], mechanisms[MECHANISM_SET_SIZE];
    hash_set_format(k->hashes, hashes);
    mechanism_set_format(k->mechanisms, mechanisms);
    status result = db_exec(
        db,
        "INSERT INTO signing_key (id, project_id, label, state, disabled_reason, hashes, mechanisms, version, "
        "created_ms, lifecycle, hsm, plan_type, plan_subject, plan_days, plan_ca, connector, renew_before_days) VALUES "
        "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        DB_PARAMS(db_text(k->id), db_text(k->project_id), db_text(k->label), db_text(coarse(k->state)),
                  db_text(k->disabled_reason), db_text(hashes), db_text(mechanisms), db_int(k->version),
                  db_int(k->created_ms), db_text(key_state_name(k->state)), db_text(signing_key_hsm(k)),
                  db_text(key_type_name(k->type)), db_text(k->plan_subject), db_int(k->plan_days), db_text(k->plan_ca),
                  db_text(k->connector), db_int(k->renew_before_days)),
        NULL, err);
    TRY(row_conflict(result, err, "label: the project has a signing key %s already", k->label));
    return k->version > 0 ? key_version_insert(db, k, err) : OK;
}

static status signing_key_take(struct db_rows *rows, struct signing_key *out, struct error *err)
{
    TRY(row_expect(rows, "signing key", err));
    return signing_key_read(rows, out, err);
}

status signing_key_find(struct db *db, const char *id, struct signing_key *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT " COLUMNS FROM "WHERE k.id = $1", DB_PARAMS(db_text(id)), &rows, err));
    return signing_key_take(rows, out, err);
}

/* project: id or name; an id goes before a name that looks like one. */
status signing_key_find_label(struct db *db, const char *project, const char *label, struct signing_key *out,
                              struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT " COLUMNS FROM "WHERE (p.id = $1 OR p.name = $1) AND k.label = $2 "
                 "ORDER BY CASE WHEN p.id = $1 THEN 0 ELSE 1 END LIMIT 1",
                 DB_PARAMS(db_text(project), db_text(label)), &rows, err));
    return signing_key_take(rows, out, err);
}

status signing_key_set_state(struct db *db, const char *id, enum key_state state, const char *reason, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(
        db,
        "UPDATE signing_key SET state = $2, disabled_reason = $3, lifecycle_before = lifecycle, lifecycle = $4, "
        "revision = revision + 1 WHERE id = $1",
        DB_PARAMS(db_text(id), db_text(coarse(state)), db_text(reason ? reason : ""), db_text(key_state_name(state))),
        &changed, err));
    return row_changed(changed, "signing key", err);
}

status signing_key_set_connector(struct db *db, const struct signing_key *k, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db,
                "UPDATE signing_key SET connector = $2, renew_before_days = $3, plan_subject = $4, plan_days = $5, "
                "revision = revision + 1 WHERE id = $1",
                DB_PARAMS(db_text(k->id), db_text(k->connector), db_int(k->renew_before_days), db_text(k->plan_subject),
                          db_int(k->plan_days)),
                &changed, err));
    return row_changed(changed, "signing key", err);
}

status signing_key_set_retirement(struct db *db, const struct signing_key *k, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db,
                "UPDATE signing_key SET retired_ms = $2, destroy_by = $3, destroy_ms = $4, revision = revision + 1 "
                "WHERE id = $1",
                DB_PARAMS(db_text(k->id), db_int(k->retired_ms), db_text(k->destroy_by), db_int(k->destroy_ms)),
                &changed, err));
    return row_changed(changed, "signing key", err);
}

/* In the order of projects and labels, which their indexes have; a page begins after "project label". Filters that are
 * not set match everything. */
#define LIST_SQL(from, whose, state, ending)                                                                           \
    "SELECT " COLUMNS from "WHERE p.id = k.project_id AND p.name >= $1 AND (p.name > $1 OR k.label > $12) AND p.name " \
    "<= $2 AND ($3 = 0 OR k.state = 'active') AND " whose " AND " state                                                \
    " AND ($8 = '' OR COALESCE(v.type, k.plan_type) = $8) AND " NAME_BEGINS(                                           \
        "k.label", "$9") " AND " ending " ORDER BY p.name, k.label LIMIT $6"
#define PROJECT_LAST "~" /* after all names */
#define ENDING_ANY "$11 = CAST(0 AS BIGINT)"
#define ENDING_SOON                                                                                                    \
    KEY_RENEWABLE("k.")                                                                                                \
    " AND (k.id, k.version) IN (SELECT key_id, version FROM key_version WHERE " VERSION_ENDING("", "$11") ")"
#define OF_MEMBER PROJECT_OF("p.id", "$4", "$5", "$10")
#define IN_STATE "k.lifecycle = $7"
/* Not by the state's index: what ends soon is less. */
#define IN_STATE_TOO "COALESCE(k.lifecycle, '') = $7"
#define IN_ANY_STATE "$7 = ''"
#define OF_ALL "($4 = '' AND $5 >= 0 AND $10 >= CAST(0 AS BIGINT))"

static status signing_key_walk(struct db_rows *rows, struct signing_key *k,
                               status (*each)(void *arg, const struct signing_key *k), void *arg, struct error *err)
{
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        TRY(signing_key_read(rows, k, err));
        TRY(each(arg, k));
    }
}

/* A statement for each combination, so that each is planned by the index it can have. */
static const char *list_sql(const struct signing_key_filter *filter, bool in_state)
{
    static const char *const texts[2][2][2] = {
        {{LIST_SQL(FROM_IN_ORDER, OF_ALL, IN_ANY_STATE, ENDING_ANY), LIST_SQL(FROM, OF_ALL, IN_ANY_STATE, ENDING_SOON)},
         {LIST_SQL(FROM_IN_ORDER, OF_ALL, IN_STATE, ENDING_ANY), LIST_SQL(FROM, OF_ALL, IN_STATE_TOO, ENDING_SOON)}},
        {{LIST_SQL(FROM, OF_MEMBER, IN_ANY_STATE, ENDING_ANY), LIST_SQL(FROM, OF_MEMBER, IN_ANY_STATE, ENDING_SOON)},
         {LIST_SQL(FROM, OF_MEMBER, IN_STATE, ENDING_ANY), LIST_SQL(FROM, OF_MEMBER, IN_STATE_TOO, ENDING_SOON)}},
    };
    return texts[filter->member_id != NULL][in_state][filter->expiring_before_ms > 0];
}

struct key_place {
    char project[NAME_SIZE], label[NAME_SIZE];
};

void signing_key_cursor(const struct signing_key *k, char out[SIGNING_KEY_CURSOR_SIZE])
{
    (void)snprintf(out, SIGNING_KEY_CURSOR_SIZE, "%s %s", k->project_name, k->label);
}

static void place_parse(struct key_place *out, const char *cursor)
{
    const char *space = strchr(cursor, ' ');
    (void)snprintf(out->project, sizeof(out->project), "%.*s", (int)strcspn(cursor, " "), cursor);
    (void)snprintf(out->label, sizeof(out->label), "%s", space ? space + 1 : "");
}

status signing_key_list(struct db *db, const struct signing_key_filter *filter, struct page page,
                        status (*each)(void *arg, const struct signing_key *k), void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    struct key_place after;
    place_parse(&after, page_after(page));
    const char *from = filter->project && strcmp(filter->project, after.project) > 0 ? filter->project : after.project;
    TRY(db_query(db, list_sql(filter, page.state != NULL),
                 DB_PARAMS(db_text(from), db_text(filter->project ? filter->project : PROJECT_LAST),
                           db_int(filter->only_active), db_text(filter->member_id ? filter->member_id : ""),
                           db_int(filter->roles), db_int(page_limit(page)), db_text(filter_text(page.state)),
                           db_text(filter_text(page.type)), db_text(filter_text(page.name)), db_int(clock_now_ms()),
                           db_int(filter->expiring_before_ms), db_text(from == after.project ? after.label : "")),
                 &rows, err));

    cleanup_signing_key struct signing_key k = {0};
    return signing_key_walk(rows, &k, each, arg, err);
}

status signing_key_list_earlier(struct db *db, const char *id, int64_t now_ms,
                                status (*each)(void *arg, const struct signing_key *k), void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT " COLUMNS NAMES
                 "JOIN key_version v ON v.key_id = k.id AND v.version <> k.version AND v.grace_until_ms > $2 "
                 "WHERE k.id = $1 ORDER BY v.version DESC",
                 DB_PARAMS(db_text(id), db_int(now_ms)), &rows, err));

    cleanup_signing_key struct signing_key k = {0};
    return signing_key_walk(rows, &k, each, arg, err);
}

status key_version_find(struct db *db, const char *key_id, int version, struct signing_key *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT " COLUMNS NAMES "JOIN key_version v ON v.key_id = k.id AND v.version = $2 WHERE k.id = $1",
                 DB_PARAMS(db_text(key_id), db_int(version)), &rows, err));
    return signing_key_take(rows, out, err);
}

status signing_key_count(struct db *db, const char *member_id, int64_t counts[KEY_STATE_COUNT], struct error *err)
{
    static const char *const texts[] = {
        "SELECT lifecycle, COUNT(*) FROM signing_key WHERE " PROJECT_ANY("$1", "$2") " GROUP BY lifecycle",
        "SELECT lifecycle, COUNT(*) FROM signing_key WHERE " PROJECT_OF("project_id", "$1", ROLES_ANY,
                                                                        "$2") " GROUP BY lifecycle",
    };
    cleanup_rows struct db_rows *rows = NULL;
    memset(counts, 0, KEY_STATE_COUNT * sizeof(*counts));
    TRY(db_query(db, texts[member_id != NULL], DB_PARAMS(db_text(filter_text(member_id)), db_int(clock_now_ms())),
                 &rows, err));
    for (bool more = false;;) {
        enum key_state state = KEY_ACTIVE;
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        TRY(state_read(rows, 0, &state, err));
        counts[state] = db_column_int(rows, 1);
    }
}
