/* SPDX-License-Identifier: Apache-2.0 */
/* See totp.h. RFC 4226 §5.3 for the truncation. */
#include "server/auth/totp.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "common/openssl_scope.h"
#include "common/secret.h"

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567"; /* RFC 4648 §6, in lower case */

status totp_code(const uint8_t secret[TOTP_SECRET_LEN], int64_t step, char out[TOTP_DIGITS + 1], struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    uint8_t counter[8], mac[EVP_MAX_MD_SIZE];
    unsigned mac_len = 0;
    for (int i = 7; i >= 0; i--, step >>= 8)
        counter[i] = (uint8_t)step;
    if (!HMAC(EVP_sha1(), secret, TOTP_SECRET_LEN, counter, sizeof(counter), mac, &mac_len) || mac_len != 20)
        return error_set(err, CODE_INTERNAL, "HMAC-SHA-1 is not to be had");

    const uint8_t *at = mac + (mac[19] & 15);
    uint32_t value = (uint32_t)(at[0] & 127) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    (void)snprintf(out, TOTP_DIGITS + 1, "%06u", value % 1000000);
    secret_wipe(mac, sizeof(mac));
    return OK;
}

bool totp_is_code(const char *text)
{
    return strlen(text) == TOTP_DIGITS && strspn(text, "0123456789") == TOTP_DIGITS;
}

/* All three are looked at, whichever fits. */
status totp_verify(const uint8_t secret[TOTP_SECRET_LEN], const char *code, int64_t now_ms, int64_t last_step,
                   int64_t *step, bool *good, struct error *err)
{
    int64_t now_step = now_ms / (TOTP_STEP_SECONDS * INT64_C(1000));
    *good = false;
    if (!totp_is_code(code))
        return OK;
    for (int64_t s = now_step - 1; s <= now_step + 1; s++) {
        char expected[TOTP_DIGITS + 1];
        TRY(totp_code(secret, s, expected, err));
        bool equal = secret_equal(expected, code, TOTP_DIGITS);
        secret_wipe(expected, sizeof(expected));
        if (equal && s > last_step) {
            *good = true;
            *step = s;
        }
    }
    return OK;
}

/* 20 bytes are 32 characters exactly, so nothing is padded. */
void totp_base32(const uint8_t secret[TOTP_SECRET_LEN], struct buf *out)
{
    for (int i = 0; i < TOTP_SECRET_LEN; i += 5) {
        uint64_t group = 0;
        for (int j = 0; j < 5; j++)
            group = group << 8 | secret[i + j];
        for (int shift = 35; shift >= 0; shift -= 5)
            buf_add_byte(out, (uint8_t)toupper(alphabet[group >> shift & 31]));
    }
}

/* A user's name needs no escapes: [a-z0-9._-]. */
void totp_uri(const uint8_t secret[TOTP_SECRET_LEN], const char *user, struct buf *out)
{
    buf_printf(out, "otpauth://totp/Chancery:%s?secret=", user);
    totp_base32(secret, out);
    buf_printf(out, "&issuer=Chancery&algorithm=SHA1&digits=%d&period=%d", TOTP_DIGITS, TOTP_STEP_SECONDS);
}

status recovery_code_make(char out[RECOVERY_TEXT_SIZE], struct error *err)
{
    uint8_t random[RECOVERY_LEN];
    size_t n = 0;
    TRY(secret_random(random, sizeof(random), err));
    for (size_t i = 0; i < RECOVERY_LEN; i++) {
        if (i > 0 && i % 4 == 0)
            out[n++] = '-';
        out[n++] = alphabet[random[i] & 31];
    }
    out[n] = '\0';
    secret_wipe(random, sizeof(random));
    return OK;
}

status recovery_code_hash(const char *user_id, const char *typed, uint8_t out[32], struct error *err)
{
    cleanup_buf struct buf text = {0};
    buf_printf(&text, "recovery %s ", user_id);
    for (; *typed; typed++) {
        if (*typed != '-' && *typed != ' ')
            buf_add_byte(&text, (uint8_t)tolower((unsigned char)*typed));
    }
    TRY(buf_check(&text, err));
    return sha256(buf_slice(&text), out, err);
}
