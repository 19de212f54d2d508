/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs as they are shown and made. */
#pragma once

#include "server/api/change.h"
#include "server/store/connector.h"

/* Id, time and whose wish it is. */
status job_begin(struct job *job, const struct request *req, struct error *err);
void job_render(struct json_writer *w, const struct job *job);
