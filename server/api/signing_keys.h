/* SPDX-License-Identifier: Apache-2.0 */
/* The list of keys a token shows, and the tag by which it is known. */
#pragma once

#include "server/store/store.h"

enum { KEYS_ETAG_SIZE = ID_SIZE + 48 };

/* Of the list as it is now for this principal, or of a newer one. */
status signing_keys_etag(struct db *db, const char *principal_id, char etag[KEYS_ETAG_SIZE], struct error *err);
