/* SPDX-License-Identifier: Apache-2.0 */
/* pkcs11: URIs (RFC 7512), taken apart by p11-kit: which token is meant, where its module and its PIN are. I8: a PIN in
 * the URI itself is refused, and never repeated. */
#include "server/hsm/internal.h"

#include <p11-kit/uri.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

#define FILE_SCHEME "file:"

void wanted_free(struct p11_kit_uri *wanted)
{
    p11_kit_uri_free(wanted);
}
DEFINE_CLEANUP_PTR(struct p11_kit_uri, wanted_free)
#define cleanup_wanted CLEANUP(wanted_free_cleanup)

static bool has_text(const CK_UTF8CHAR *padded)
{
    return padded[0] != '\0' && padded[0] != ' ';
}

/* A URI that names no token fits all of them. */
static bool names_token(struct p11_kit_uri *u)
{
    const CK_TOKEN_INFO *token = p11_kit_uri_get_token_info(u);

    return has_text(token->label) || has_text(token->serialNumber) || has_text(token->manufacturerID) ||
           has_text(token->model) || p11_kit_uri_get_slot_id(u) != (CK_SLOT_ID)-1;
}

static status uri_parse(const char *text, struct p11_kit_uri **out, struct error *err)
{
    cleanup_wanted struct p11_kit_uri *u = p11_kit_uri_new();
    if (!u)
        return error_set(err, CODE_NO_MEMORY, "out of memory");

    if (strncmp(text, "pkcs11:", strlen("pkcs11:")) != 0)
        return error_set(err, CODE_CONFIGURATION, "a URI that begins with pkcs11: is expected");
    int rc =
        p11_kit_uri_parse(text, P11_KIT_URI_FOR_TOKEN | P11_KIT_URI_FOR_SLOT | P11_KIT_URI_FOR_MODULE_WITH_VERSION, u);
    if (rc != P11_KIT_URI_OK)
        return error_set(err, CODE_CONFIGURATION, "no pkcs11: URI as of RFC 7512: %s", p11_kit_uri_message(rc));
    if (p11_kit_uri_get_pin_value(u))
        return error_set(err, CODE_CONFIGURATION,
                         "a PIN does not belong here: name its file, by pin_file or pin-source=file:…"); /* I8 */
    if (p11_kit_uri_get_module_name(u))
        return error_set(err, CODE_CONFIGURATION, "module-name is not supported: name the file, by module-path");
    if (p11_kit_uri_any_unrecognized(u))
        return error_set(err, CODE_CONFIGURATION, "the URI has attributes that do not name a token");
    if (!names_token(u))
        return error_set(err, CODE_CONFIGURATION, "the URI names no token: token, serial, manufacturer or model");
    *out = steal(&u);
    return OK;
}

/* "file:name", "file:///name" or a bare path; programs to be run are not. */
static status pin_source_read(const char *source, char **out, struct error *err)
{
    const char *path = source;

    if (strncmp(path, FILE_SCHEME, strlen(FILE_SCHEME)) == 0)
        path += strlen(FILE_SCHEME);
    if (path != source && strncmp(path, "//", 2) == 0)
        path += 2;
    if (!*path || *path == '|' || (path == source && *path != '/'))
        return error_set(err, CODE_CONFIGURATION, "pin-source: file:<path> is expected");
    *out = strdup(path);
    return *out ? OK : error_set(err, CODE_NO_MEMORY, "out of memory");
}

void hsm_uri_clear(struct hsm_uri *u)
{
    free(u->module_path);
    free(u->pin_file);
    *u = (struct hsm_uri){0};
}

status hsm_uri_read(const char *text, struct hsm_uri *out, struct error *err)
{
    cleanup_wanted struct p11_kit_uri *u = NULL;
    cleanup_hsm_uri struct hsm_uri said = {0};

    TRY(uri_parse(text, &u, err));
    const char *module = p11_kit_uri_get_module_path(u), *source = p11_kit_uri_get_pin_source(u);
    if (module && !(said.module_path = strdup(module)))
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    if (source)
        TRY(pin_source_read(source, &said.pin_file, err));
    *out = said;
    said = (struct hsm_uri){0};
    return OK;
}

/* Blank-padded. */
static void part_show(const CK_UTF8CHAR *padded, size_t len, const char *prefix, char *shown, size_t size)
{
    while (len > 0 && (padded[len - 1] == ' ' || padded[len - 1] == '\0'))
        len--;
    (void)snprintf(shown, size, "%s%.*s", prefix, (int)len, (const char *)padded);
}

static void wanted_show(struct p11_kit_uri *u, char *shown, size_t size)
{
    const CK_TOKEN_INFO *token = p11_kit_uri_get_token_info(u);

    if (has_text(token->label))
        part_show(token->label, sizeof token->label, "", shown, size);
    else if (has_text(token->serialNumber))
        part_show(token->serialNumber, sizeof token->serialNumber, "serial ", shown, size);
    else if (has_text(token->model))
        part_show(token->model, sizeof token->model, "model ", shown, size);
    else
        part_show(token->manufacturerID, sizeof token->manufacturerID, "manufacturer ", shown, size);
}

status wanted_new(const char *uri, const char *label, struct p11_kit_uri **out, char *shown, size_t size,
                  struct error *err)
{
    if (uri) {
        TRY(uri_parse(uri, out, err));
        wanted_show(*out, shown, size);
        return OK;
    }
    cleanup_wanted struct p11_kit_uri *u = p11_kit_uri_new();
    if (!u)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    if (!is_ok(label_pad(label, p11_kit_uri_get_token_info(u)->label, NULL)))
        return error_set(err, CODE_CONFIGURATION, "the label of the HSM token has 1 to %d bytes", LABEL_LEN);
    (void)text_copy(shown, size, label);
    *out = steal(&u);
    return OK;
}
