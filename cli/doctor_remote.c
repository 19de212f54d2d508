/* SPDX-License-Identifier: Apache-2.0 */
/* chancery doctor and the server: reachable, trusted, same time, known there, keys, one signature. */
#include <openssl/x509.h>
#include <string.h>

#include "chancery/protocol.h"
#include "chancery/version.h"
#include "cli/api.h"
#include "cli/doctor.h"
#include "cli/key_ref.h"
#include "client/libctx.h"
#include "common/openssl_scope.h"
#include "common/secret.h"

enum { CLOCK_FINE_MS = 5000, EXPIRES_SOON_DAYS = 30, DAY_SECONDS = 86400 };

/* OpenSSL's words, handed through by libcurl: a certificate that is judged by the time is often a wrong clock. */
static bool is_about_time(const struct error *err)
{
    return strstr(err->text, "not yet valid") || strstr(err->text, "expired");
}

/* Each server of the configuration. *answering counts; the first that answers gives d->probe, the first that does not
 * gives failed. */
static status servers_probe(struct doctor *d, size_t *answering, const char **url, struct error *failed)
{
    const struct client_config *config = client_config_of(d->client);
    status worst = OK;
    for (size_t i = 0; i < client_config_server_count(config); i++) {
        struct client_probe probe = {0};
        struct error err = {0};
        status probed = client_probe(d->client, i, cli_deadline(d->cli), &probe, &err);
        if (is_ok(probed) && (*answering)++ == 0) {
            d->probe = probe;
            *url = client_config_server(config, i);
        }
        if (!is_ok(probed) && is_ok(worst)) {
            worst = probed;
            *failed = err;
        }
    }
    return worst;
}

status doctor_server(struct doctor *d, struct finding *f, struct error *err)
{
    size_t answering = 0;
    const char *url = NULL;
    TRY(cli_client_locked(d->cli, &d->client, err));
    status probed = servers_probe(d, &answering, &url, err);
    if (probed.code == CODE_CONFIGURATION && is_about_time(err))
        finding_advise(f, "is this machine's clock right (date -u)? If so, the administrator must renew the server's "
                          "certificate");
    if (answering == 0)
        return probed;
    d->reached |= DOCTOR_REACHED;
    if (!is_ok(probed)) {
        finding_note(f, "%zu of %zu servers answer; %s", answering,
                     client_config_server_count(client_config_of(d->client)), err->text);
        return OK;
    }
    finding_say(f, "%s answers in %lld ms, its certificate is trusted%s", url, (long long)d->probe.round_trip_ms,
                answering > 1 ? "; so do the other servers" : "");
    return OK;
}

/* A service account's assertion carries this machine's time, and the server allows for a minute. */
status doctor_clock(struct doctor *d, struct finding *f, struct error *err)
{
    int64_t ahead_ms = d->probe.clock_ahead_ms;
    int64_t off_ms = ahead_ms < 0 ? -ahead_ms : ahead_ms;
    if (!d->probe.knows_time) {
        finding_note(f, "the server's answer tells no time");
        return OK;
    }
    if (off_ms > (int64_t)LIMIT_CLOCK_SKEW_SECONDS * 1000) {
        finding_advise(f, "set the clock (timedatectl set-ntp true): the server refuses assertions more than %d s off",
                       LIMIT_CLOCK_SKEW_SECONDS);
        return error_set(err, CODE_CONFIGURATION, "this machine is %lld s %s the server", (long long)(off_ms / 1000),
                         ahead_ms > 0 ? "ahead of" : "behind");
    }
    finding_say(f, "within %lld s of the server's", (long long)(off_ms + 999) / 1000);
    if (off_ms > CLOCK_FINE_MS) {
        finding_note(f, "%lld s %s the server", (long long)(off_ms / 1000), ahead_ms > 0 ? "ahead of" : "behind");
        finding_advise(f, "set the clock before it drifts beyond %d s", LIMIT_CLOCK_SKEW_SECONDS);
    }
    return OK;
}

status doctor_credential(struct doctor *d, struct finding *f, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_json struct json *who = NULL;
    TRY(cli_client(d->cli, &d->client, err));
    api_path(&path, ROUTE_WHOAMI);
    TRY(api_request(d->cli, "GET", &path, NULL, &who, err));
    cleanup_buf struct buf name = {0}, type = {0};
    api_cell(who, "name", &name);
    api_cell(who, "type", &type);
    finding_say(f, "the server knows %s (%s)", buf_text(&name), buf_text(&type));
    d->reached |= DOCTOR_IDENTIFIED;
    return OK;
}

/* Another version is no fault: each side refuses only what it does not know. */
status doctor_version(struct doctor *d, struct finding *f, struct error *err)
{
    cleanup_buf struct buf path = {0}, version = {0}, started = {0};
    cleanup_json struct json *server = NULL;
    api_path(&path, "/v1/server");
    TRY(api_request(d->cli, "GET", &path, NULL, &server, err));
    api_cell(server, "version", &version);
    api_cell(server, "started", &started);
    finding_say(f, "the server is chanceryd %s, started %s", buf_text(&version), buf_text(&started));
    if (strcmp(buf_text(&version), CHANCERY_VERSION) != 0) {
        finding_note(f, "the server is chanceryd %s, and this is chancery " CHANCERY_VERSION, buf_text(&version));
        finding_advise(f, "update the older of the two when something is refused as unknown");
    }
    return OK;
}

status doctor_keys(struct doctor *d, struct finding *f, struct error *err)
{
    client_keys_refresh(d->client); /* the server's list, not what was kept of it */
    TRY(client_keys(d->client, cli_deadline(d->cli), &d->keys, err));
    if (d->keys->count == 0) {
        finding_advise(f, "an owner of the project adds it with: chancery signer add PROJECT PRINCIPAL");
        return error_set(err, CODE_NOT_FOUND, "there is no key that this principal may use");
    }
    finding_say(f, "%zu to sign with, the first is %s", d->keys->count, d->keys->items[0].token_label);
    d->reached |= DOCTOR_LISTED;
    return OK;
}

/* Seconds until the certificate's end; negative when it has passed. */
static bool certificate_left_s(const struct client_key *key, int64_t *out)
{
    const uint8_t *der = key->certificates[0].data;
    cleanup_x509 X509 *crt = d2i_X509(NULL, &der, (long)key->certificates[0].len);
    int days = 0, seconds = 0;
    if (!crt || !ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(crt)))
        return false;
    *out = (int64_t)days * DAY_SECONDS + seconds;
    return true;
}

struct certificate_count {
    size_t none, unreadable, expired, soon;
    const char *example; /* the last one that is not as it should be */
};

static void certificate_count(struct certificate_count *n, const struct client_key *key)
{
    int64_t left_s = 0;
    if (key->certificate_count == 0) {
        n->none++;
        return;
    }
    if (!certificate_left_s(key, &left_s))
        n->unreadable++;
    else if (left_s < 0)
        n->expired++;
    else if (left_s < (int64_t)EXPIRES_SOON_DAYS * DAY_SECONDS)
        n->soon++;
    else
        return;
    n->example = key->token_label;
}

status doctor_certificates(struct doctor *d, struct finding *f, struct error *err)
{
    cleanup_libctx struct libctx_scope scope = {0};
    TRY(libctx_enter(&scope, err));
    struct certificate_count n = {0};
    for (size_t i = 0; i < d->keys->count; i++)
        certificate_count(&n, &d->keys->items[i]);

    if (n.unreadable + n.expired > 0)
        return error_set(err, CODE_KEY_EXPIRED, "%zu expired, %zu unreadable, e.g. that of %s", n.expired, n.unreadable,
                         n.example);
    finding_say(f, "%zu good, %zu keys without one", d->keys->count - n.none, n.none);
    if (n.soon > 0)
        finding_note(f, "%zu end within %d days, e.g. that of %s", n.soon, EXPIRES_SOON_DAYS, n.example);
    return OK;
}

/* What the key allows; a digest of a sentence that says in the record what this signature was for. */
static status input_make(struct doctor *d, const struct client_key *key, struct error *err)
{
    static const char sentence[] = "This is a test signature of chancery doctor.";
    enum mechanism m = MECHANISM_NONE + 1;
    enum hash h = HASH_SHA256;
    while (m < MECHANISM_COUNT && !key->mechanisms[m])
        m++;
    for (int i = HASH_NONE + 1; i < HASH_COUNT && !(key->hashes & hash_bit(h)); i++)
        h = (enum hash)i;
    if (m == MECHANISM_COUNT)
        return error_set(err, CODE_MECHANISM_DENIED, "%s allows no mechanism", key->token_label);
    if (m == MECHANISM_EDDSA) {
        d->input = (struct sign_input){.mechanism = m, .digest = slice_of_text(sentence)};
        return OK;
    }
    if (hash_len(h) != sizeof(d->digest)) {
        static const uint8_t zeros[64];
        d->input = (struct sign_input){.mechanism = m, .hash = h, .digest = {zeros, hash_len(h)}};
    } else {
        TRY(sha256(slice_of_text(sentence), d->digest, err));
        d->input = (struct sign_input){.mechanism = m, .hash = h, .digest = {d->digest, sizeof(d->digest)}};
    }
    if (m == MECHANISM_RSA_PSS) {
        d->input.mgf_hash = h;
        d->input.salt_len = hash_len(h);
    }
    return OK;
}

status doctor_signature(struct doctor *d, struct finding *f, struct error *err)
{
    const char *name = cli_option(d->cli, "key");
    if (cli_has(d->cli, "no-signature")) {
        f->verdict = FINDING_SKIPPED;
        finding_say(f, "none was asked for");
        return OK;
    }
    const struct client_key *key = name ? key_find(d->keys, name) : &d->keys->items[0];
    if (!key)
        return error_set(err, CODE_NOT_FOUND, "no key that this principal may use is named %.100s", name);
    TRY(input_make(d, key, err));
    int64_t started_ms = clock_monotonic_ms();
    TRY(client_sign_unasked(d->client, key, &d->input, cli_deadline(d->cli), &d->signature, err));
    d->key = key;
    d->reached |= DOCTOR_SIGNED;
    finding_say(f, "%s signed (%s%s%s) in %lld ms; it is on record like any other", key->token_label,
                mechanism_name(d->input.mechanism), d->input.hash ? ", " : "",
                d->input.hash ? hash_name(d->input.hash) : "", (long long)(clock_monotonic_ms() - started_ms));
    return OK;
}

status doctor_verification(struct doctor *d, struct finding *f, struct error *err)
{
    cleanup_libctx struct libctx_scope scope = {0};
    TRY(libctx_enter(&scope, err));
    TRY(signature_verify(scope.ctx, client_key_public(d->key), &d->input, buf_slice(&d->signature), err));
    finding_say(f, "the signature verifies with the key's public half");
    return OK;
}
