/* SPDX-License-Identifier: Apache-2.0 */
/* What a first `chancery login` lays down: configuration, key pair or API key, the server's CA. */
#pragma once

#include "cli/cli.h"

struct login_files {
    char *config;    /* client.conf */
    char *directory; /* of it */
    char *key;       /* private key */
    char *public_key;
    char *api_key;
};
void login_files_clear(struct login_files *f);
#define cleanup_login_files CLEANUP(login_files_clear)

/* Where things stand or will stand: --config, $CHANCERY_CONF or ~/.config/chancery/client.conf; --key. */
status login_files_name(struct cli *cli, struct login_files *f, struct error *err);
/* The directory, 0700 when it is made, and a copy of --ca in it. */
status login_directory_make(struct cli *cli, const struct login_files *f, struct error *err);
/* client.conf, 0600, never written over. */
status login_config_write(struct cli *cli, const struct login_files *f, struct error *err);
