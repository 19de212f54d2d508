/* SPDX-License-Identifier: Apache-2.0 */
/* Look-up of a server's name in the calling thread. */
#pragma once

#include "common/buf.h"

/* "host:port:address,address" of an https URL, as CURLOPT_RESOLVE takes it; nothing when the host is an address. Has no
 * deadline but the system's resolver's own. CODE_UNAVAILABLE when there is no such name. */
status resolve_url(const char *url, struct buf *out, struct error *err);
