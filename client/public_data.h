/* SPDX-License-Identifier: Apache-2.0 */
/* The public data kept on disk: the list of keys as the server last gave it, of which server, to whom and when. Shown
 * before login and while no server answers; young enough, they spare a short-lived program the request for the list. */
#pragma once

#include "client/client.h"

struct public_data {
    const struct client_keys *keys; /* NULL: none */
    int64_t fetched_at_ms;          /* wall clock; 0: not known, so old */
};

/* CODE_NOT_FOUND: there is no file, or it is of another server or account. CODE_CONFIGURATION: others can write it.
 * Anything else: it is damaged. */
status public_data_read(const struct client_config *config, struct public_data *out, struct error *err);
/* The text of the file. Failures as above, but for those of the file itself. */
status public_data_parse(const struct client_config *config, struct slice text, struct public_data *out,
                         struct error *err);
void public_data_format(const struct client_config *config, const struct public_data *data, struct buf *out);
/* Atomic; mode 0644, as nothing in it is secret. */
status public_data_write(const struct client_config *config, const struct public_data *data, struct error *err);
/* Younger than the configured age; what claims to come from the future is old. */
bool public_data_is_young(const struct client_config *config, const struct public_data *data);
