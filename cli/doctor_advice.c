/* SPDX-License-Identifier: Apache-2.0 */
/* What to do: one row per check and code. */
#include <stdarg.h>
#include <string.h>

#include "cli/doctor.h"

static const struct {
    const char *check; /* NULL: any */
    enum code code;    /* CODE_OK: any */
    const char *advice;
} rows[] = {
    {"configuration", CODE_NOT_FOUND,
     "make one with: chancery login --server https://HOST:PORT --ca FILE --account NAME"},
    {"configuration", CODE_IO, "make the named file readable for this user"},
    {"configuration", CODE_OK, "correct the named line; docs: man chancery, FILES"},
    {"files", CODE_CONFIGURATION, "give the file to this user alone: chown to him, chmod 600 (0644 for public data)"},
    {"files", CODE_OK, "make the named file or directory as the text says"},
    {"server", CODE_CONFIGURATION,
     "[server] ca must hold the root that signed the server's certificate, and url a name that "
     "stands in it; ask the administrator for server-ca.pem"},
    {"server", CODE_TIMEOUT, "is a firewall in between, or does the server hang? try: curl --cacert FILE URL/livez"},
    {"server", CODE_UNAVAILABLE,
     "is the server running, and host and port of [server] url right? a proxy must be configured "
     "in [server] proxy, the environment is not followed"},
    {"server", CODE_OK, "something else than chanceryd may answer at [server] url; tell the administrator"},
    {"credential", CODE_CREDENTIAL, "enter the passphrase chosen at `chancery login`; when it is lost, enrol anew"},
    {"credential", CODE_NOT_AUTHENTICATED,
     "is the account registered with this key, enabled and not expired? the "
     "administrator sees it with: chancery account show NAME"},
    {"credential", CODE_TIMEOUT, "the server answers, but not this request: tell the administrator"},
    {"credential", CODE_OK, "tell the administrator the request id"},
    {"version", CODE_OK, "tell the administrator the request id"},
    {"keys", CODE_OK, "tell the administrator the request id"},
    {"certificates", CODE_OK, "tell the administrator; the certificate is reissued centrally"},
    {"signature", CODE_NOT_FOUND, "chancery keys lists what this account may sign with"},
    {"signature", CODE_KEY_DISABLED,
     "an administrator disabled the key: ask for the reason, or choose another with --key"},
    {"signature", CODE_APPROVAL_REQUIRED, "ask for an approval of this key's use, or choose another with --key"},
    {"signature", CODE_HSM_UNAVAILABLE, "the server has lost its HSM: tell the administrator"},
    {"signature", CODE_AUDIT_UNAVAILABLE,
     "the server cannot write its log and therefore signs nothing: tell the administrator"},
    {"signature", CODE_BAD_SIGNATURE, "what came back is not a signature of this key: tell the security officer"},
    {"signature", CODE_OK, "choose another key with --key, or tell the administrator the request id"},
    {"verification", CODE_OK, "what came back is not a signature of this key: tell the security officer"},
    {NULL, CODE_OK, "tell the administrator"},
};

const char *doctor_advice(const char *check, enum code code)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool is_check = !rows[i].check || strcmp(rows[i].check, check) == 0;
        if (is_check && (rows[i].code == CODE_OK || rows[i].code == code))
            return rows[i].advice;
    }
    return "";
}

static void say(char *out, size_t size, const char *format, va_list args)
{
    (void)vsnprintf(out, size, format, args);
}

void finding_say(struct finding *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(f->text, sizeof(f->text), format, args);
    va_end(args);
}

void finding_note(struct finding *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(f->text, sizeof(f->text), format, args);
    va_end(args);
    f->verdict = FINDING_NOTE;
}

void finding_advise(struct finding *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(f->advice, sizeof(f->advice), format, args);
    va_end(args);
}
