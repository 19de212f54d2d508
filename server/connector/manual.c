/* SPDX-License-Identifier: Apache-2.0 */
/* A person takes the request to the CA and brings the certificate back: nothing here is done by a job. */
#include "server/connector/connector.h"

static const char *const manual_fields[] = {"trust_file", NULL};

const struct connector_ops connector_manual = {.name = "manual", .fields = manual_fields};
