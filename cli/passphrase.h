/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets from whoever runs the command: a file, standard input or the terminal; never the environment or an argument.
 */
#pragma once

#include "cli/cli.h"

/* --passphrase-file, --passphrase-stdin, or the terminal with `prompt` (twice when confirm). */
status passphrase_get(struct cli *cli, const char *prompt, bool confirm, struct buf *out, struct error *err);
/* The terminal alone (twice when confirm). */
status secret_prompt(const char *prompt, bool confirm, struct buf *out, struct error *err);
/* One line of standard input, without its newline. */
status secret_read_stdin(struct buf *out, struct error *err);
