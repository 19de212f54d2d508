/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that the server must read again: AES-256-GCM under a key in a file that nobody else can read, so that the
 * store alone, or a copy of it, gives nothing (I8). The file is read at each use and its key wiped. */
#pragma once

#include "common/buf.h"

enum { SEALED_NONCE_LEN = 12, SEALED_TAG_LEN = 16, SEALED_OVERHEAD = SEALED_NONCE_LEN + SEALED_TAG_LEN };

/* A new key, 64 hexadecimal digits, mode 0600; CODE_CONFLICT when there is a file. */
status secret_key_make(const char *path, struct error *err);

/* nonce, ciphertext, tag. purpose is bound to it: what is sealed for one is not opened for another. A key that is not
 * there is made. */
status seal(const char *key_path, const char *purpose, struct slice plain, struct buf *out, struct error *err);
/* CODE_UNAVAILABLE when the key is another one, or the bytes were changed. */
status unseal(const char *key_path, const char *purpose, struct slice sealed, struct buf *out, struct error *err);
