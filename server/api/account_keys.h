/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys of service accounts, as shown and recorded. */
#pragma once

#include "server/api/api.h"

#define cleanup_account_key CLEANUP(account_key_clear)

/* {"id","algorithm","created","last_used"} */
void account_key_render(struct json_writer *w, const struct account_key *k);
/* Members of a record's detail: the key's id, algorithm and fingerprint. */
status account_key_detail(struct json_writer *w, const struct account_key *k, struct error *err);
