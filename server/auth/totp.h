/* SPDX-License-Identifier: Apache-2.0 */
/* The second factor: TOTP (RFC 6238) with SHA-1, steps of 30 seconds and six digits, as authenticator apps know it, and
 * recovery codes for the day the app is lost. */
#pragma once

#include "server/store/sign_in.h"

enum { TOTP_SECRET_LEN = 20, TOTP_DIGITS = 6, TOTP_STEP_SECONDS = 30 };
enum { RECOVERY_CODES = 10, RECOVERY_LEN = 16, RECOVERY_TEXT_SIZE = RECOVERY_LEN + 4 };

status totp_code(const uint8_t secret[TOTP_SECRET_LEN], int64_t step, char out[TOTP_DIGITS + 1], struct error *err);
/* True for the code of the present step or of one beside it, later than last_step: each is good once (§5.2). *step: the
 * one that is used up with it. */
status totp_verify(const uint8_t secret[TOTP_SECRET_LEN], const char *code, int64_t now_ms, int64_t last_step,
                   int64_t *step, bool *good, struct error *err);
/* "otpauth://totp/Chancery:alice?secret=…&issuer=Chancery&algorithm=SHA1&digits=6&period=30"; base32: the secret. */
void totp_uri(const uint8_t secret[TOTP_SECRET_LEN], const char *user, struct buf *out);
void totp_base32(const uint8_t secret[TOTP_SECRET_LEN], struct buf *out);
bool totp_is_code(const char *text); /* six digits; what is none may be a recovery code */

/* 80 random bits: "abcd-efgh-2345-wxyz". */
status recovery_code_make(char out[RECOVERY_TEXT_SIZE], struct error *err);
/* Of what somebody typed: case, blanks and dashes do not matter. With the user, so that equal ones are not seen. */
status recovery_code_hash(const char *user_id, const char *typed, uint8_t out[32], struct error *err);
