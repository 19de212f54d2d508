/* SPDX-License-Identifier: Apache-2.0 */
/* How people name keys: an id, PROJECT:LABEL, or PROJECT-LABEL as programs see it. */
#pragma once

#include "cli/cli.h"

/* What the server takes in a path: the id or PROJECT:LABEL as given; for PROJECT-LABEL the id, found in the list of
 * keys. CODE_NOT_FOUND when no key has this name. */
status key_reference(struct cli *cli, const char *name, struct buf *out, struct error *err);
bool key_is_named(const struct client_key *key, const char *name);
/* The key of this name among those the principal may use; borrowed; NULL when there is none. */
const struct client_key *key_find(const struct client_keys *keys, const char *name);
/* The same, asking for no passphrase where the public data on disk hold the key; otherwise logged in. The key belongs
 * to *keys, which the caller unrefs; NULL when there is none. */
status key_look_up(struct cli *cli, const char *name, const struct client_keys **keys, const struct client_key **out,
                   struct error *err);
/* Logged in already: the key of this name, looked for once more at the server when the list at hand has none. */
status key_find_fresh(struct cli *cli, struct client *c, const char *name, const struct client_keys **keys,
                      const struct client_key **out, struct error *err);
