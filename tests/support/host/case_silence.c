/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong is told by return codes, and in the log where one is configured; never on the host's terminal. These
 * cases fail in every way a host can meet; whoever runs them looks at what was printed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

/* A configuration beside the one at hand, named in the environment from now on. */
static void configure(const char *text)
{
    static char path[300];
    const char *current = getenv("CHANCERY_CONF");
    must(current != NULL);
    (void)snprintf(path, sizeof path, "%.*s/failing.conf", (int)(strrchr(current, '/') - current), current);
    (void)unlink(path);
    FILE *file = fopen(path, "we");
    must(file && fputs(text, file) >= 0 && fclose(file) == 0);
    must(setenv("CHANCERY_CONF", path, 1) == 0);
}

static void wrong_configurations(void)
{
    static const char *const rows[] = {
        "[server]\nnonsense = 1\n",
        "no section\n",
        "[server]\nurl = https://127.0.0.1:1\n[credential]\ntype = service_account\naccount = a\nkey = missing.key\n",
        "[server]\nurl = https://127.0.0.1:1\n[credential]\ntype = api_key\napi_key_file = ca.pem\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        configure(rows[i]);
        must(p11->C_Initialize(NULL) != CKR_OK);
    }
}

/* Nobody listens; the public data cannot be read, nor the log be written. */
static void unreachable(void)
{
    configure("[server]\nurl = https://127.0.0.1:1\ntimeout_ms = 500\n"
              "[credential]\ntype = service_account\naccount = build-1\nkey = build-1.key\n"
              "[cache]\npublic_data = ca.pem\n[log]\nfile = /nowhere/module.log\nlevel = debug\n"
              "[token]\nlabel = chancery\n");
    must_rv(p11->C_Initialize(NULL), CKR_OK);
    CK_SESSION_HANDLE session = p11_open();
    must_rv(p11->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR) "not the PIN", 11), CKR_PIN_INCORRECT);
    must_rv(p11->C_FindObjectsInit(session, NULL, 0), CKR_OK); /* before login: what is on disk, and that is nothing */
    must(p11_login(session));
    must(p11->C_FindObjectsInit(session, NULL, 0) != CKR_OK);
}

static void finalize(void)
{
    must_rv(p11->C_Finalize(NULL), CKR_OK);
}

/* Then exit() with the module as it is; C_Finalize comes after the module's own handler. */
static void failures(void)
{
    must(atexit(finalize) == 0);
    (void)p11_load();
    wrong_configurations();
    unreachable();
}

const struct host_case silence_cases[] = {
    {"failures", failures},
    {NULL, NULL},
};
