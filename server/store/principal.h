/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a principal's columns, for the queries that join them (principal.c, credential.c, member.c). */
#pragma once

#include "server/store/row.h"

#define PRINCIPAL_COLUMNS(table)                                                                                       \
    table "id, " table "name, " table "type, " table "role, " table "disabled, " table "expires_ms, " table            \
          "created_ms, " table "revision, " table "description, " table "team_id"

enum { PRINCIPAL_COLUMN_COUNT = 10 };

/* The columns of PRINCIPAL_COLUMNS from column `first` on. */
void principal_read(const struct db_rows *rows, int first, struct principal *out);
enum principal_type principal_type_of(const char *text);
