/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of [server] that are more than a word: URLs, lists of them, pins. Refusals name the key. */
#pragma once

#include "common/status.h"

enum { SERVERS_MAX = 8 };

/* https only: a credential would travel in the clear otherwise. Without trailing slash; freed by the caller. */
status server_url_parse(const char *key, const char *value, char **out, struct error *err);
/* Comma-separated; NULL-ended, at most SERVERS_MAX, none twice. */
status server_list_parse(const char *key, const char *value, char ***out, struct error *err);
void server_list_free(char **list); /* NULL is fine */
/* sha256//BASE64[;sha256//BASE64…]: SHA-256 of the server's SubjectPublicKeyInfo. */
status server_pin_check(const char *key, const char *value, struct error *err);
/* http://host:port */
status server_proxy_check(const char *key, const char *value, struct error *err);
