/* SPDX-License-Identifier: Apache-2.0 */
/* What the HSM cannot sign is not listed to tokens, whatever the key's policy allows. */
#include "world.h"

#include <string.h>

/* SHA-3 with PSS needs CKM_RSA_X_509 of SoftHSM. */
static int open_without_raw_rsa(void **state)
{
    fixture_mechanisms = "-CKM_MD5,CKM_RSA_X_509";
    return world_open(state);
}

static bool has(const struct json *array, const char *name)
{
    for (size_t i = 0; i < json_count(array); i++) {
        if (strcmp(json_text(json_at(array, i), ""), name) == 0)
            return true;
    }
    return false;
}

static const struct json *listed(struct world *w, const char *label)
{
    assert_status(w, world_ask(w, SIGNER, "GET", "/v1/signing/keys", NULL), 200);
    const struct json *keys = json_get(w->answer, "keys");
    for (size_t i = 0; i < json_count(keys); i++) {
        if (strcmp(json_get_text(json_at(keys, i), "label", ""), label) == 0)
            return json_at(keys, i);
    }
    fail_msg("%s is not listed", label);
    return NULL;
}

#define KEY(label, mechanisms)                                                                                         \
    "{\"label\":\"" label "\",\"type\":\"rsa2048\",\"mechanisms\":[" mechanisms                                        \
    "],\"hashes\":[\"sha256\",\"sha3-256\"]}"

static void a_hash_that_the_hsm_cannot_pad_is_not_listed_with_pss(void **state)
{
    struct world *w = *state;

    assert_status(w, world_post(w, OWNER, "/v1/projects/demo/keys", KEY("both", "\"rsa_pkcs1\",\"rsa_pss\"")), 201);
    const struct json *key = listed(w, "both");
    assert_true(has(json_get(key, "mechanisms"), "rsa_pss"));
    assert_true(has(json_get(key, "hashes"), "sha256"));
    assert_false(has(json_get(key, "hashes"), "sha3-256"));
}

static void without_pss_the_same_hash_is_listed(void **state)
{
    struct world *w = *state;

    assert_status(w, world_post(w, OWNER, "/v1/projects/demo/keys", KEY("pkcs1", "\"rsa_pkcs1\"")), 201);
    assert_true(has(json_get(listed(w, "pkcs1"), "hashes"), "sha3-256"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_that_the_hsm_cannot_pad_is_not_listed_with_pss),
        cmocka_unit_test(without_pss_the_same_hash_is_listed),
    };
    return cmocka_run_group_tests(tests, open_without_raw_rsa, world_close);
}
