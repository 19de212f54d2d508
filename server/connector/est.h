/* SPDX-License-Identifier: Apache-2.0 */
/* What an EST server sends (RFC 7030), apart from how it came. */
#pragma once

#include "server/connector/connector.h"

/* The body of /cacerts and of an enrolment: base64 of a certs-only PKCS#7, with line ends anywhere (§4.1.3, §4.2.3). */
status est_certificates_parse(struct slice body, STACK_OF(X509) * *out, struct error *err);
