/* SPDX-License-Identifier: Apache-2.0 */
/* What is signed or verified: a file's digest, computed here while streaming, or for Ed25519 the file itself. */
#pragma once

#include "cli/cli.h"

/* Mechanism, hash and PSS parameters from --mechanism, --hash and the key's type; the digest of the file into `bytes`,
 * which in->digest borrows. */
status input_make(struct cli *cli, enum key_family family, const char *path, struct buf *bytes, struct sign_input *in,
                  struct error *err);
