/* SPDX-License-Identifier: Apache-2.0 */
/* Project "demo" in a real store with the keys rsa, ec and ed in a fake HSM; alice is its signer, bob owns it, carol is
 * an administrator, and neither of these two may sign. */
#pragma once

#include "fake_hsm.h"
#include "server/sign/signer.h"

#define KEY_RSA "key_rsa"
#define KEY_EC "key_ec"
#define KEY_ED "key_ed"

struct fixture {
    struct store *store;
    struct audit *audit;
    struct fake_hsm hsm;
    struct signer *signer;
    struct principal alice, bob, carol;
    uint8_t digest[64];
    struct sign_order order; /* rsa_pkcs1, SHA-256, key_rsa */
    struct sign_result result;
    struct error err;
    char dir[64]; /* of the store's file; "": there is none */
};

/* url: of the store. The audit log is the test program's: fake or real. */
void fixture_open(struct fixture *f, const char *url);
void fixture_open_file(struct fixture *f);               /* in a file of its own, which fixture_close removes */
void fixture_signer(struct fixture *f, bool verify_all); /* when f->audit is there */
void fixture_close(struct fixture *f);                   /* all but the audit log */

status fixture_sign(struct fixture *f, const struct principal *who); /* with a deadline of ten seconds */
/* Changes as the API makes them, each with its bump of the generation, in a transaction of its own. */
void fixture_change(struct fixture *f, status (*change)(struct db *db));
status revoke_alice(struct db *db);
status grant_alice(struct db *db);
status team_of_alice(struct db *db); /* alice is a signer by the team builders alone */
status disable_rsa(struct db *db);
status enable_rsa(struct db *db);
status disable_account_alice(struct db *db);
struct usage usage_of(struct fixture *f, const char *key_id);

#define assert_code(expression, expected)                                                                              \
    do {                                                                                                               \
        status code_status_ = (expression);                                                                            \
        if (code_status_.code != (expected))                                                                           \
            fail_msg("%s: %s, not %s", #expression, code_wire(code_status_.code), code_wire(expected));                \
    } while (0)
