/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"

static const uint8_t some_bytes[64] = "Sixty-four bytes, of which a digest takes as many as it needs..";

const char *fixture_mechanisms = "ALL";

void fixture_assert(status s, enum code expected, const struct error *err, const char *expr, const char *file, int line)
{
    if (s.code == expected)
        return;
    print_error("%s: %s, expected %s: %s (%s)\n", expr, code_wire(s.code), code_wire(expected),
                is_ok(s) ? "" : err->text, is_ok(s) ? "" : err->detail);
    _fail(file, line);
}

void fixture_init(struct fixture *f, const char *module)
{
    char path[128], text[256];

    *f = (struct fixture){.module = module};
    (void)snprintf(f->dir, sizeof f->dir, "%s/chancery-hsm-XXXXXX", P_tmpdir);
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(path, sizeof path, "%s/tokens", f->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(text, sizeof text,
                   "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\nslots.mechanisms = %s\n",
                   path, fixture_mechanisms);
    (void)snprintf(path, sizeof path, "%s/softhsm2.conf", f->dir);
    assert_ok(f, file_write(path, slice_of_text(text), 0600, &f->err));
    (void)snprintf(f->lock_path, sizeof f->lock_path, "%s/token.lock", f->dir);
    assert_int_equal(setenv("SOFTHSM2_CONF", path, 1), 0);
    assert_int_equal(setenv("FAULTY_BEHIND", SOFTHSM_MODULE, 1), 0);
    assert_ok(f, hsm_token_init(module, TOKEN_LABEL, slice_of_text(TOKEN_SO_PIN), slice_of_text(TOKEN_PIN), &f->err));
}

void fixture_clear(struct fixture *f)
{
    char command[128];

    fixture_close(f);
    (void)snprintf(command, sizeof command, "rm -rf -- '%s'", f->dir);
    assert_int_equal(system(command), 0);
}

struct hsm_config fixture_config(const struct fixture *f)
{
    return (struct hsm_config){.module_path = f->module,
                               .token_label = TOKEN_LABEL,
                               .pin = slice_of_text(TOKEN_PIN),
                               .lock_path = f->lock_path,
                               .sessions = 8,
                               .timeout_ms = 10000};
}

void fixture_open(struct fixture *f, int sessions, int64_t timeout_ms)
{
    struct hsm_config config = fixture_config(f);

    fixture_close(f);
    config.sessions = sessions;
    config.timeout_ms = timeout_ms;
    assert_ok(f, hsm_open(&config, &f->h, &f->err));
}

void fixture_close(struct fixture *f)
{
    hsm_close(f->h);
    f->h = NULL;
}

void fixture_key(struct fixture *f, enum key_type type, struct hsm_key *out)
{
    assert_ok(f, hsm_generate(f->h, type, "test-key", deadline_in(60000), out, &f->err));
}

EVP_PKEY *fixture_public_key(const struct hsm_key *k)
{
    const unsigned char *at = k->spki.data;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)k->spki.len);

    assert_non_null(key);
    return key;
}

struct sign_input fixture_input(enum mechanism mechanism, enum hash hash)
{
    size_t len = hash == HASH_NONE ? sizeof some_bytes : hash_len(hash);

    return (struct sign_input){.mechanism = mechanism,
                               .hash = hash,
                               .digest = {some_bytes, len},
                               .mgf_hash = mechanism == MECHANISM_RSA_PSS ? hash : HASH_NONE,
                               .salt_len = mechanism == MECHANISM_RSA_PSS ? hash_len(hash) : 0};
}
