/* SPDX-License-Identifier: Apache-2.0 */
/* A private PostgreSQL cluster in a temporary folder, reached by a unix socket there and nowhere else. Dies with the
 * test. */
#pragma once

#include <stddef.h>

/* Ends the program with a message when no cluster can be had. */
void cluster_start(void);
void cluster_stop(void); /* also removes the folder */
/* The server process goes and comes again, as when the database host is restarted. */
void cluster_halt(void);
void cluster_resume(void);
/* A URL whose tables live in a schema of this name. */
void cluster_url(const char *schema, char *out, size_t size);
/* The path of its socket. */
void cluster_socket(char *out, size_t size);
/* One statement on a connection of its own; the first column of the first row, "" when there is none. */
void cluster_sql(const char *sql, char *out, size_t size);
