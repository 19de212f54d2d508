/* SPDX-License-Identifier: Apache-2.0 */
/* The files of an installation. Their names are relative to its directory. */
#pragma once

#include "server/app/app.h"

#define FILE_SERVER_CA "server-ca.pem"
#define FILE_SERVER_CA_KEY "server-ca.key"
#define FILE_CERTIFICATE "server.pem"
#define FILE_KEY "server.key"
#define FILE_SO_PIN "hsm-so.pin"
#define FILE_USER_PIN "hsm-user.pin"
#define FILE_SECRET_KEY "secret.key" /* as secret_key_file's default */
#define FILE_SOFTHSM "softhsm2.conf"
#define DIRECTORY_TOKENS "tokens"
#define FILE_DATABASE "chancery.db"

/* Makes the directory (0700) or takes an empty one of ours; out is its absolute path, freed by the caller.
 * CODE_CONFLICT when something is in it. */
status directory_take(const char *path, char **out, struct error *err);
/* Removes what is in the directory; it was empty when it was taken. */
void directory_empty(const char *path);

status file_put(const char *dir, const char *name, struct slice content, mode_t mode, struct error *err);
/* Random PIN, in a file of mode 0600 and in pin. */
status pin_make(const char *dir, const char *name, struct buf *pin, struct error *err);
/* Own CA and certificate, or a check of the given pair. */
status tls_files_make(const struct init_options *o, const char *dir, struct error *err);
status softhsm_files_make(const char *dir, struct error *err);
bool module_is_softhsm(const char *path);
/* chanceryd.conf. hsm_module is absolute. */
status configuration_make(const struct init_options *o, const char *dir, const char *hsm_module, struct error *err);
