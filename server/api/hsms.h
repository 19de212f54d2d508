/* SPDX-License-Identifier: Apache-2.0 */
/* Names of HSMs in paths. */
#pragma once

#include "server/api/api.h"

#define HSM_DEFAULT "default" /* the one of the configuration */

/* {hsm} of the path; CODE_NOT_FOUND. */
status hsm_check_name(struct request *req, struct error *err);
