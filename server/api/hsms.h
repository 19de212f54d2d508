/* SPDX-License-Identifier: Apache-2.0 */
/* HSMs by the names in paths, bodies and rows. */
#pragma once

#include "server/api/api.h"

/* {hsm} of the path. CODE_NOT_FOUND. */
status hsm_of_path(const struct api *api, const struct request *req, struct hsm **out, struct error *err);
/* The member hsm of a body; NULL is the default one. CODE_INVALID. */
status hsm_of_body(const struct api *api, const char *name, struct hsm **out, struct error *err);
/* The one that has this version, or is to make it. CODE_HSM_UNAVAILABLE: it is not configured on this server. */
status hsm_of_key(const struct api *api, const struct signing_key *key, struct hsm **out, struct error *err);
size_t hsms_count(const struct api *api);
struct hsm *hsms_at(const struct api *api, size_t i);
/* The array hsms for who chooses where a key is made: nothing of token, slot and library. */
void hsm_choices_render(const struct api *api, struct request *req, struct json_writer *w);
