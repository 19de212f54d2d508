/* SPDX-License-Identifier: Apache-2.0 */
/* {"url": …, "account": …, "fetched_at": …, "etag": …, "keys_answer": {…}}. The age stands inside, as a copy or a
 * restored backup would be young by its time of change. */
#include "client/public_data.h"

#include <string.h>

#include "chancery/protocol.h"
#include "client/keys_parse.h"
#include "common/file.h"
#include "common/text.h"

enum { FILE_MAX_BYTES = 2 * KEYS_MAX_BYTES, ETAG_MAX = 127 };

static const char *account_of(const struct client_config *config)
{
    return config->account ? config->account : "";
}

static int64_t fetched_at(const struct json *root)
{
    int64_t at_ms = 0;
    return is_ok(time_parse(json_get_text(root, "fetched_at", ""), &at_ms, NULL)) ? at_ms : 0;
}

/* One that cannot be a header's value only costs an unconditional request. */
static const char *etag_of(const struct json *root)
{
    const char *etag = json_get_text(root, "etag", "");
    return text_is_printable(etag, ETAG_MAX) ? etag : "";
}

static status read_json(const struct client_config *config, const struct json *root, struct public_data *out,
                        struct error *err)
{
    if (!client_config_has_server(config, json_get_text(root, "url", "")))
        return error_set(err, CODE_NOT_FOUND, "the public data are those of another server");
    if (strcmp(json_get_text(root, "account", ""), account_of(config)) != 0)
        return error_set(err, CODE_NOT_FOUND, "the public data are those of another account");

    const struct json *answer = json_get(root, "keys_answer");
    cleanup_buf struct buf raw = {0};
    struct json_writer w = json_writer_on(&raw);
    json_add_value(&w, NULL, answer);
    TRY(buf_check(&raw, err));
    TRY(keys_of_json(answer, buf_slice(&raw), etag_of(root), &out->keys, err));
    out->fetched_at_ms = fetched_at(root);
    return OK;
}

status public_data_parse(const struct client_config *config, struct slice text, struct public_data *out,
                         struct error *err)
{
    cleanup_json struct json *root = NULL;
    TRY(json_parse(text, FILE_MAX_BYTES, LIMIT_JSON_DEPTH, &root, err));
    return read_json(config, root, out, err);
}

status public_data_read(const struct client_config *config, struct public_data *out, struct error *err)
{
    const char *path = config->public_data_path;
    if (!path || !file_exists(path))
        return error_set(err, CODE_NOT_FOUND, "there are no public data");

    cleanup_buf struct buf text = {0};
    TRY(file_read(path, FILE_MAX_BYTES, FILE_NOT_WRITABLE_BY_OTHERS, &text, err));
    status read = public_data_parse(config, buf_slice(&text), out, err);
    if (!is_ok(read))
        error_prefix(err, "%s", path);
    return read;
}

void public_data_format(const struct client_config *config, const struct public_data *data, struct buf *out)
{
    char at[TIME_TEXT_SIZE];
    time_format(data->fetched_at_ms, at);
    struct json_writer w = json_writer_on(out);
    json_begin_object(&w, NULL);
    json_add_text(&w, "url", config->url);
    json_add_text(&w, "account", account_of(config));
    json_add_text(&w, "fetched_at", at);
    json_add_text(&w, "etag", keys_etag(data->keys));
    json_add_raw(&w, "keys_answer", keys_text(data->keys));
    json_end_object(&w);
    buf_add_byte(out, '\n');
}

status public_data_write(const struct client_config *config, const struct public_data *data, struct error *err)
{
    cleanup_buf struct buf text = {0};
    public_data_format(config, data, &text);
    TRY(buf_check(&text, err));
    return file_write(config->public_data_path, buf_slice(&text), 0644, err);
}

bool public_data_is_young(const struct client_config *config, const struct public_data *data)
{
    int64_t age_ms = clock_now_ms() - data->fetched_at_ms;
    return data->keys && data->fetched_at_ms > 0 && age_ms >= 0 && age_ms < config->public_data_max_age_ms;
}
