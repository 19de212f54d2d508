/* SPDX-License-Identifier: Apache-2.0 */
/* chancery audit …: read the log, take it away, verify it. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/api.h"
#include "cli/table.h"
#include "cli/tables.h"
#include "client/audit_page.h"
#include "client/audit_verify.h"
#include "common/text.h"

enum { PAGE = 1000, PROGRESS_EVERY = 50000, LINE_MAX_BYTES = 1024 * 1024 };

/* Calls each for every record of /v1/audit behind `path`'s query, over all pages; at most `most` records. */
struct walk {
    audit_line_fn *each;
    void *user;
    int64_t left;
};

static status walk_line(void *user, struct slice line, struct error *err)
{
    struct walk *w = user;
    if (w->left <= 0)
        return OK;
    w->left--;
    return w->each(w->user, line, err);
}

static status audit_walk(struct cli *cli, const struct buf *path, const char *after, struct walk *w, struct error *err)
{
    struct client *c = NULL;
    cleanup_buf struct buf cursor = {0};
    buf_add_text(&cursor, after ? after : "");
    TRY(cli_client(cli, &c, err));
    do {
        cleanup_buf struct buf page_path = {0};
        cleanup_buf struct buf page = {0};
        cleanup_buf struct buf next = {0};
        buf_add(&page_path, path->data, path->len);
        api_query(&page_path, "after", cursor.len ? buf_text(&cursor) : NULL);
        TRY(buf_check(&page_path, err));
        TRY(client_request_raw(c, "GET", buf_text(&page_path), NULL, cli_deadline(cli), &page, err));
        TRY(audit_page_split(buf_slice(&page), walk_line, w, &next, err));
        if (next.len > 0 && slice_equal(buf_slice(&next), buf_slice(&cursor)))
            return error_set(err, CODE_INTERNAL, "the server gives the same page again");
        buf_reset(&cursor);
        buf_add(&cursor, next.data, next.len);
        TRY(buf_check(&cursor, err));
    } while (cursor.len > 0 && w->left > 0);
    return OK;
}

static status line_print(void *user, struct slice line, struct error *err)
{
    (void)err;
    FILE *out = user;
    fwrite(line.data, 1, line.len, out);
    fputc('\n', out);
    return OK;
}

static const struct api_column columns[] = {{"SEQ", "seq"},
                                            {"TIME", "time"},
                                            {"TYPE", "type"},
                                            {"OUTCOME", "outcome"},
                                            {"KEY", "key"},
                                            {"PRINCIPAL", "principal"},
                                            {"MECHANISM", "mechanism"},
                                            {"HASH", "hash"},
                                            {"ADDRESS", "client.address"},
                                            {"PROGRAM", "client.program"},
                                            {"REASON", "reason"}};

static status line_tabulate(void *user, struct slice line, struct error *err)
{
    struct table *t = user;
    cleanup_json struct json *record = NULL;
    TRY(json_parse(line, LINE_MAX_BYTES, 8, &record, err));
    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        cleanup_buf struct buf cell = {0};
        api_cell(record, columns[i].member, &cell);
        table_add(t, buf_text(&cell));
    }
    return OK;
}

static status limit_read(struct cli *cli, int64_t *out, struct error *err)
{
    *out = INT64_MAX;
    const char *limit = cli_option(cli, "limit");
    if (limit && (!text_to_int64(limit, out) || *out < 1))
        return cli_usage(cli, err, "--limit: a positive number is expected");
    return OK;
}

static void list_path(struct cli *cli, int64_t limit, struct buf *path)
{
    static const char *const filters[] = {"type", "key", "principal", "outcome", "digest", "since", "until"};
    char page[24];
    (void)snprintf(page, sizeof(page), "%lld", (long long)(limit < PAGE ? limit : PAGE));
    api_path(path, "/v1/audit");
    api_query(path, "limit", page);
    for (size_t i = 0; i < COUNT_OF(filters); i++)
        api_query(path, filters[i], cli_option(cli, filters[i]));
    if (cli_has(cli, "newest"))
        api_query(path, "order", "newest");
}

static status audit_list(struct cli *cli, struct error *err)
{
    const char *titles[COUNT_OF(columns)];
    for (size_t i = 0; i < COUNT_OF(columns); i++)
        titles[i] = columns[i].title;
    cleanup_table struct table *t = table_new(titles, COUNT_OF(columns));
    if (!t)
        return error_set(err, CODE_NO_MEMORY, "out of memory");

    cleanup_buf struct buf path = {0};
    struct walk w = {.each = cli_is_json(cli) ? line_print : line_tabulate,
                     .user = cli_is_json(cli) ? (void *)cli->out : (void *)t};
    TRY(limit_read(cli, &w.left, err));
    list_path(cli, w.left, &path);
    TRY(audit_walk(cli, &path, cli_option(cli, "after"), &w, err));
    return cli_is_json(cli) ? OK : table_print(t, cli->out, err);
}

static void file_close(FILE **file)
{
    if (*file)
        (void)fclose(*file);
}

static status audit_export(struct cli *cli, struct error *err)
{
    const char *name = cli_argument(cli, 0);
    bool is_stdout = strcmp(name, "-") == 0;
    cleanup_buf struct buf path = {0};
    CLEANUP(file_close) FILE *opened = is_stdout ? NULL : fopen(name, "wxe");
    if (!is_stdout && !opened)
        return error_set(err, CODE_IO, "%s: %s", name, strerror(errno));

    FILE *out = is_stdout ? cli->out : opened;
    struct walk w = {.each = line_print, .user = out, .left = INT64_MAX};
    list_path(cli, PAGE, &path);
    status done = audit_walk(cli, &path, NULL, &w, err);
    if (is_ok(done) && (fflush(out) != 0 || ferror(out) || (!is_stdout && fsync(fileno(out)) != 0)))
        done = error_set(err, CODE_IO, "%s: %s", name, strerror(errno));
    if (!is_ok(done) && !is_stdout)
        (void)unlink(name); /* half a log would look like a whole one */
    return done;
}

static void finding_print(void *user, const struct audit_finding *f)
{
    char text[160];
    audit_finding_format(f, text);
    if (f->line > 0)
        fprintf(user, "%s (line %lld)\n", text, (long long)f->line);
    else
        fprintf(user, "%s\n", text);
}

static status line_verify(void *user, struct slice line, struct error *err)
{
    struct audit_verifier *v = user;
    TRY(audit_verifier_add(v, line, err));
    if (audit_verifier_count(v) % PROGRESS_EVERY == 0)
        fprintf(stderr, "%lld records\n", (long long)audit_verifier_count(v));
    return OK;
}

/* The head is asked for first: what is recorded meanwhile only comes on top. */
static status server_verify(struct cli *cli, struct audit_verifier *v, struct error *err)
{
    cleanup_buf struct buf head_path = {0};
    cleanup_buf struct buf path = {0};
    cleanup_json struct json *answer = NULL;
    struct audit_head head = {0};
    api_path(&head_path, "/v1/audit/head");
    TRY(api_request(cli, "GET", &head_path, NULL, &answer, err));
    head.seq = json_get_integer(answer, "seq", 0);
    (void)text_copy(head.record_hash, sizeof(head.record_hash), json_get_text(answer, "record_hash", ""));
    audit_verifier_expect(v, &head);

    struct walk w = {.each = line_verify, .user = v, .left = INT64_MAX};
    list_path(cli, PAGE, &path);
    return audit_walk(cli, &path, NULL, &w, err);
}

static void line_free(char **line)
{
    free(*line);
}

static status file_verify(const char *name, struct audit_verifier *v, struct error *err)
{
    CLEANUP(file_close) FILE *opened = strcmp(name, "-") == 0 ? NULL : fopen(name, "re");
    FILE *in = opened ? opened : stdin;
    if (!opened && strcmp(name, "-") != 0)
        return error_set(err, CODE_IO, "%s: %s", name, strerror(errno));

    CLEANUP(line_free) char *line = NULL;
    size_t size = 0;
    ssize_t len = 0;
    while ((len = getline(&line, &size, in)) > 0) {
        if (line[len - 1] == '\n')
            len--;
        TRY(line_verify(v, (struct slice){(const uint8_t *)line, (size_t)len}, err));
    }
    return ferror(in) ? error_set(err, CODE_IO, "%s: cannot be read", name) : OK;
}

/* "SEQ:HASH", as an earlier verify printed it and somebody wrote down. */
static status head_option(struct cli *cli, struct audit_verifier *v, struct error *err)
{
    const char *text = cli_option(cli, "head");
    const char *colon = text ? strchr(text, ':') : NULL;
    struct audit_head head = {0};
    char seq[24] = "";
    if (!text)
        return OK;
    if (!colon || (size_t)(colon - text) >= sizeof(seq) || strlen(colon + 1) != 64)
        return cli_usage(cli, err, "--head: SEQ:HASH is expected, as audit verify prints it");
    memcpy(seq, text, (size_t)(colon - text));
    if (!text_to_int64(seq, &head.seq) || head.seq < 1)
        return cli_usage(cli, err, "--head: SEQ:HASH is expected, as audit verify prints it");
    (void)text_copy(head.record_hash, sizeof(head.record_hash), colon + 1);
    audit_verifier_expect(v, &head);
    return OK;
}

static status verdict(struct cli *cli, struct audit_verifier *v, struct error *err)
{
    int64_t findings = audit_verifier_finish(v);
    struct audit_head last = audit_verifier_last(v);
    if (findings > 0)
        return error_set(err, CODE_INVALID, "the audit log is not intact: %lld finding%s in %lld records",
                         (long long)findings, findings == 1 ? "" : "s", (long long)audit_verifier_count(v));
    if (cli_is_json(cli))
        fprintf(cli->out, "{\"intact\":true,\"records\":%lld,\"seq\":%lld,\"record_hash\":\"%s\"}\n",
                (long long)audit_verifier_count(v), (long long)last.seq, last.seq ? last.record_hash : "");
    else
        fprintf(cli->out, "the audit log is intact: %lld records, head %lld:%s\n", (long long)audit_verifier_count(v),
                (long long)last.seq, last.seq ? last.record_hash : "-");
    return OK;
}

static status audit_verify(struct cli *cli, struct error *err)
{
    const char *file = cli_argument(cli, 0);
    if (!file && cli_has(cli, "head"))
        return cli_usage(cli, err, "--head goes with a FILE; a server is asked for its own head");
    cleanup_audit_verifier struct audit_verifier *v = audit_verifier_new(finding_print, cli->out);
    if (!v)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    TRY(head_option(cli, v, err));
    TRY(file ? file_verify(file, v, err) : server_verify(cli, v, err));
    return verdict(cli, v, err);
}

static const struct cli_option list_options[] = {
    {"type", "TYPE", "only records of this type, e.g. signature.outcome"},
    {"key", "KEY", "only records about this key"},
    {"principal", "PRINCIPAL", "only records of what this principal did"},
    {"outcome", "OUTCOME", "only success, refused, failed or unknown"},
    {"digest", "HEX", "only signatures of this digest: was it signed, by whom, when?"},
    {"since", "TIME", "only records of this time or later"},
    {"until", "TIME", "only records before this time"},
    {"newest", NULL, "newest first"},
    {"after", "SEQ", "only records behind this number"},
    {"limit", "N", "at most so many"},
    {0},
};
static const struct cli_option verify_options[] = {
    {"head", "SEQ:HASH", "what the log in FILE must reach, as an earlier audit verify printed it"},
    {0},
};

const struct cli_command audit_commands[] = {
    {"audit list", "", "list the records, oldest first; --json prints them as they are chained", CLI_ADMINISTRATION,
     list_options, audit_list},
    {"audit export", "FILE", "write all records to a new file, one a line", CLI_ADMINISTRATION, NULL, audit_export},
    {"audit verify", "[FILE]", "check hashes, chain and numbers of an export, or of the server's log",
     CLI_ADMINISTRATION, verify_options, audit_verify},
    {0},
};
