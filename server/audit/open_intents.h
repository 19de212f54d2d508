/* SPDX-License-Identifier: Apache-2.0 */
/* The intents of this server that have no outcome yet (I2): kept in memory, so that an intent gets exactly one outcome
 * and a start after a crash knows from where to look. */
#pragma once

#include "server/audit/audit.h"

struct open_intents {
    int64_t *seqs; /* in no order; few: at most one for each request under way */
    size_t count, cap;
};
void open_intents_clear(struct open_intents *o);
status open_intents_copy(struct open_intents *to, const struct open_intents *from, struct error *err);
status open_intents_add(struct open_intents *o, int64_t seq, struct error *err);
bool open_intents_remove(struct open_intents *o, int64_t seq); /* false: it was not open */
int64_t open_intents_first(const struct open_intents *o, int64_t otherwise);
