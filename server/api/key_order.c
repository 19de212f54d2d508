/* SPDX-License-Identifier: Apache-2.0 */
/* The body of POST /v1/projects/{project}/keys. Everything is judged here, before the HSM is asked for a key. */
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "server/api/key_create.h"
#include "server/api/parse.h"

static unsigned mechanisms_of(enum key_type type)
{
    unsigned set = 0;

    for (int m = MECHANISM_NONE + 1; m < MECHANISM_COUNT; m++) {
        if (mechanism_family((enum mechanism)m) == key_type_family(type))
            set |= 1u << m;
    }
    return set;
}

static unsigned mechanism_bit_of(const char *name)
{
    enum mechanism m = MECHANISM_NONE;

    return mechanism_parse(name, &m) ? 1u << m : 0;
}

static unsigned hash_bit_of(const char *name)
{
    enum hash h = HASH_NONE;

    return hash_parse(name, &h) ? hash_bit(h) : 0;
}

/* An array of distinct names, each of which bit_of knows and `allowed` has; at least one. */
static status set_parse(const char *field, const struct json *array, unsigned (*bit_of)(const char *), unsigned allowed,
                        unsigned *set, struct error *err)
{
    unsigned given = 0;

    for (size_t i = 0; i < json_count(array); i++) {
        unsigned bit = bit_of(json_text(json_at(array, i), ""));
        if (!(bit & allowed))
            return error_set(err, CODE_INVALID, "%s: element %zu is not one that this type of key can have", field, i);
        if (given & bit)
            return error_set(err, CODE_INVALID, "%s: element %zu stands there twice", field, i);
        given |= bit;
    }
    if (given == 0 && allowed != 0)
        return error_set(err, CODE_INVALID, "%s: at least one is needed", field);
    *set = given;
    return OK;
}

static status subject_choose(struct key_order *order, const char *subject, const char *project, struct error *err)
{
    if (subject) {
        TRY(check_text("certificate.subject", subject, err));
        (void)text_copy(order->certificate.subject, sizeof(order->certificate.subject), subject);
    } else {
        (void)snprintf(order->certificate.subject, sizeof(order->certificate.subject), "CN=%s-%s", project,
                       order->label);
    }

    status s = ca_subject_check(order->certificate.subject, err);
    if (!is_ok(s))
        error_prefix(err, "certificate.subject");
    return s;
}

static status connector_choose(struct key_order *order, const char *connector, const char *subject, const char *ca,
                               const char *project, struct error *err)
{
    if (ca)
        return error_set(err, CODE_INVALID, "certificate.ca: a connector has its own");
    if (!text_is_name(connector))
        return error_set(err, CODE_INVALID, "certificate.connector: the name of a connector, builtin, manual or none");
    (void)text_copy(order->certificate.connector, sizeof(order->certificate.connector), connector);
    return subject_choose(order, subject, project, err);
}

status key_order_certificate(struct key_order *order, const struct json *certificate, const char *project,
                             struct error *err)
{
    const char *issuer = NULL, *subject = NULL, *ca = NULL, *connector = NULL;
    int64_t days = 0;
    const struct json_field fields[] = {
        {"issuer", JSON_STRING, 0, &issuer},       {"ca", JSON_STRING, 0, &ca},
        {"connector", JSON_STRING, 0, &connector}, {"subject", JSON_STRING, 0, &subject},
        {"days", JSON_INTEGER, 0, &days},
    };

    if (certificate) {
        status s = json_read_object(certificate, fields, COUNT_OF(fields), err);
        if (!is_ok(s)) {
            error_prefix(err, "certificate");
            return s;
        }
        if (json_type(json_get(certificate, "days")) == JSON_INTEGER && (days < 1 || days > CERTIFICATE_DAYS_MOST))
            return error_set(err, CODE_INVALID, "certificate.days: 1 to %d is expected", CERTIFICATE_DAYS_MOST);
    }

    if (issuer && connector)
        return error_set(err, CODE_INVALID, "certificate: either issuer or connector");
    order->certificate.days = (int)days;
    issuer = issuer ? issuer : connector ? connector : "builtin";
    if (connector && strcmp(issuer, "builtin") != 0 && strcmp(issuer, "none") != 0)
        return connector_choose(order, connector, subject, ca, project, err);
    if (ca) {
        TRY(check_name("certificate.ca", ca, err));
        (void)text_copy(order->certificate.ca, sizeof(order->certificate.ca), ca);
    }
    if (strcmp(issuer, "builtin") == 0)
        return subject_choose(order, subject, project, err);
    if (strcmp(issuer, "none") != 0)
        return error_set(err, CODE_INVALID, "certificate.issuer: builtin or none is expected");
    if (subject || days || ca)
        return error_set(err, CODE_INVALID, "certificate: subject, days and ca have no meaning without an issuer");
    return OK;
}

/* Ed25519 hashes by itself: its keys have no hashes to allow. */
void key_order_defaults(struct key_order *order)
{
    order->mechanisms = mechanisms_of(order->type);
    order->hashes = key_type_family(order->type) == FAMILY_EDWARDS ? 0 : HASH_SET_DEFAULT;
}

status key_order_parse(struct key_order *order, struct request *req, const char *project, struct error *err)
{
    const char *label = NULL, *type = NULL, *generate = "now";
    const struct json *certificate = NULL, *hashes = NULL, *mechanisms = NULL;
    const struct json_field fields[] = {
        {"label", JSON_STRING, JSON_REQUIRED, &label}, {"type", JSON_STRING, JSON_REQUIRED, &type},
        {"certificate", JSON_OBJECT, 0, &certificate}, {"hashes", JSON_ARRAY, 0, &hashes},
        {"mechanisms", JSON_ARRAY, 0, &mechanisms},    {"generate", JSON_STRING, 0, &generate},
        {"hsm", JSON_STRING, 0, &order->hsm},
    };

    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(check_name("label", label, err));
    if (!key_type_parse(type, &order->type))
        return error_set(err, CODE_INVALID, "type: rsa2048, rsa3072, rsa4096, p256, p384, p521 or ed25519 is expected");
    order->is_later = strcmp(generate, "later") == 0;
    if (!order->is_later && strcmp(generate, "now") != 0)
        return error_set(err, CODE_INVALID, "generate: now or later is expected");
    (void)text_copy(order->label, sizeof(order->label), label);

    bool is_edwards = key_type_family(order->type) == FAMILY_EDWARDS;
    key_order_defaults(order);
    if (mechanisms)
        TRY(set_parse("mechanisms", mechanisms, mechanism_bit_of, order->mechanisms, &order->mechanisms, err));
    if (hashes)
        TRY(set_parse("hashes", hashes, hash_bit_of, is_edwards ? 0 : ~0u, &order->hashes, err));
    return key_order_certificate(order, certificate, project, err);
}
