/* SPDX-License-Identifier: Apache-2.0 */
/* Client configuration: an INI file. Search order: path given, $CHANCERY_CONF (secure_getenv),
 * ~/.config/chancery/client.conf, /etc/chancery/client.conf. Unknown sections and keys are refused with file:line.
 * Relative paths are relative to the directory of the file. A file that others can write is refused.
 *
 *   [server]
 *   url = https://127.0.0.1:8443
 *   ca = server-ca.pem            ; PEM; the system's trust store when absent
 *   timeout_ms = 15000            ; one deadline per call: connect, retries and all
 *   [credential]
 *   type = service_account        ; or api_key
 *   account = build-1             ; name or id; service_account only
 *   key = build-1.key             ; PKCS#8 PEM, plain or encrypted
 *   api_key_file = admin.key      ; api_key only; absent: the API key is the PIN
 *   [token]
 *   label = chancery              ; Edwards keys stand on "eddsa-<label>" unless eddsa = same
 *   eddsa = separate
 *   verify = always               ; or rsa: EC and Edwards signatures are not verified again on this side
 *   [cache]
 *   keys_max_age_ms = 60000
 *   public_data = public.json     ; absent: none is kept
 *   [log]
 *   file = module.log             ; absent: no log; "-" standard error
 *   level = warning
 */
#pragma once

#include "common/buf.h"
#include "common/log.h"

enum credential_type { CREDENTIAL_SERVICE_ACCOUNT, CREDENTIAL_API_KEY };

struct client_config {
    char *path; /* where it was read from */
    char *url;  /* without trailing slash */
    char *ca_path;
    int64_t timeout_ms;
    enum credential_type credential;
    char *account;
    char *key_path;
    char *api_key_path;
    char *token_label;
    bool eddsa_same;
    bool verify_rsa_only;
    int64_t keys_max_age_ms;
    char *public_data_path;
    char *log_path;
    enum log_level log_level;
};

/* CODE_NOT_FOUND when no file is named and none stands at a standard place; CODE_CONFIGURATION or CODE_IO otherwise. */
status client_config_load(const char *path, struct client_config **out, struct error *err);
void client_config_free(struct client_config *c);
DEFINE_CLEANUP_PTR(struct client_config, client_config_free)
#define cleanup_client_config CLEANUP(client_config_free_cleanup)
