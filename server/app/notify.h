/* SPDX-License-Identifier: Apache-2.0 */
/* Tells systemd how the server is; does nothing elsewhere. */
#pragma once

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
