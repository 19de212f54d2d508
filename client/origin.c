/* SPDX-License-Identifier: Apache-2.0 */
/* Who signs, as far as this machine tells: program, host and user. No look-up in name services: in a foreign process
 * those load plug-ins and may wait on a network. */
#include "client/origin.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"

static void keep_printable(char *text, size_t size)
{
    if (!text_is_printable(text, size))
        text[0] = '\0';
}

static void program_read(char *out, size_t size)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (len <= 0)
        return;
    path[len] = '\0';
    const char *slash = strrchr(path, '/');
    (void)text_copy(out, size, slash ? slash + 1 : path);
    keep_printable(out, size);
}

void origin_read(struct origin *o)
{
    *o = (struct origin){0};
    program_read(o->program, sizeof(o->program));

    if (gethostname(o->host, sizeof(o->host) - 1) != 0)
        o->host[0] = '\0';
    keep_printable(o->host, sizeof(o->host));

    const char *user = secure_getenv("USER");
    if (user && *user && text_copy(o->user, sizeof(o->user), user))
        keep_printable(o->user, sizeof(o->user));
    else
        (void)snprintf(o->user, sizeof(o->user), "uid %u", (unsigned)getuid());
}
