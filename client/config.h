/* SPDX-License-Identifier: Apache-2.0 */
/* Client configuration, in the format of common/ini.h. Search order: path given, $CHANCERY_CONF (secure_getenv),
 * ~/.config/chancery/client.conf, /etc/chancery/client.conf. Unknown sections and keys are refused with file:line, and
 * so is " ;" in a value: comments have lines of their own. Relative paths are relative to the directory of the file. A
 * file that others can write is refused.
 *
 *   [server]
 *   url = https://127.0.0.1:8443
 *   # in place of url: at most 8 servers of one store; calls go on to the next when one fails
 *   #servers = https://a:8443, https://b:8443
 *   # PEM; the system's trust store when absent
 *   ca = server-ca.pem
 *   # besides: SHA-256 of the public key that the server must show, several divided by ;
 *   #pin = sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
 *   # PEM, for a server that asks for one; the key is plain and mode 0600
 *   #client_certificate = client.pem
 *   #client_key = client.key
 *   # CONNECT through it; absent: none, whatever the environment says
 *   #proxy = http://proxy:3128
 *   # one line user:password, mode 0600
 *   #proxy_credentials = proxy.secret
 *   # one deadline per call: connect, retries, other servers and all
 *   timeout_ms = 15000
 *   # of that, for name, connection and TLS of one attempt
 *   connect_timeout_ms = 5000
 *   [credential]
 *   # or api_key
 *   type = service_account
 *   # name or id; service_account only
 *   account = build-1
 *   # PKCS#8 PEM, plain or encrypted; service_account only
 *   key = build-1.key
 *   # api_key only; absent: the API key is the PIN
 *   #api_key_file = admin.key
 *   [token]
 *   # Edwards keys stand on "eddsa-<label>" unless eddsa = same
 *   label = chancery
 *   eddsa = separate
 *   # or rsa: EC and Edwards signatures are not verified again on this side
 *   verify = always
 *   [cache]
 *   keys_max_age_ms = 60000
 *   # absent: none is kept
 *   public_data = public.json
 *   # younger than this they stand for the list of keys after a login; 0: never
 *   public_data_max_age_ms = 3600000
 *   [log]
 *   # absent: no log; "-" standard error
 *   file = module.log
 *   level = warning
 *   [approval]
 *   # or auto: ask for an approval of this digest where the key needs one
 *   request = never
 *   # auto: for so long a signature waits for it
 *   wait_ms = 0
 *   # auto: shown to the approvers; absent: the program's name
 *   #reason = nightly build
 *   [context]
 *   # any names; env:NAME is a variable of the environment
 *   build_id = env:BUILD_ID
 */
#pragma once

#include "client/context.h"
#include "client/server_text.h"
#include "common/buf.h"
#include "common/log.h"

enum credential_type { CREDENTIAL_SERVICE_ACCOUNT, CREDENTIAL_API_KEY };

struct client_config {
    char *path;     /* where it was read from */
    char *url;      /* without trailing slash; the first where there are several */
    char **servers; /* NULL-ended; NULL: url alone */
    char *ca_path;
    char *pin;
    char *client_certificate_path;
    char *client_key_path;
    char *proxy;
    char *proxy_credentials_path;
    int64_t timeout_ms;
    int64_t connect_timeout_ms;
    enum credential_type credential;
    char *account;
    char *key_path;
    char *api_key_path;
    char *token_label;
    bool eddsa_same;
    bool verify_rsa_only;
    int64_t keys_max_age_ms;
    char *public_data_path;
    int64_t public_data_max_age_ms;
    char *log_path;
    enum log_level log_level;
    bool approval_auto;       /* ask for an approval that is missing */
    int64_t approval_wait_ms; /* and wait for it; 0: do not */
    char *approval_reason;    /* NULL: the program is named */
    struct client_context context;
    bool (*is_ending)(void); /* not of the file: true ends the wait for an approval; NULL: nothing does */
    bool no_threads;         /* not of the file: the host forbids threads (CKF_LIBRARY_CANT_CREATE_OS_THREADS) */
};

/* CODE_NOT_FOUND when no file is named and none stands at a standard place; CODE_CONFIGURATION or CODE_IO otherwise. */
status client_config_load(const char *path, struct client_config **out, struct error *err);
void client_config_free(struct client_config *c);
size_t client_config_server_count(const struct client_config *c); /* at least 1 */
const char *client_config_server(const struct client_config *c, size_t i);
bool client_config_has_server(const struct client_config *c, const char *url);
DEFINE_CLEANUP_PTR(struct client_config, client_config_free)
#define cleanup_client_config CLEANUP(client_config_free_cleanup)
