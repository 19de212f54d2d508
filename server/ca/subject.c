/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate's subject from text, in the manner of RFC 4514: attributes parted by ',', special characters behind a
 * backslash or as \XX (an UTF-8 byte in hex), the most specific first. Only names that belong into the subject of a
 * code-signing certificate are known; every value is printable UTF-8 within the bounds of X.520. */
#include <openssl/objects.h>
#include <string.h>
#include <strings.h>

#include "common/text.h"
#include "server/ca/ca.h"
#include "server/ca/certificate.h"

enum { SUBJECT_MAX = 1024, ATTRIBUTES_MAX = 16, VALUE_MAX = 256 };

static const struct subject_attribute {
    const char *name;
    int nid;
    size_t max; /* characters, X.520's upper bounds */
    bool repeats;
} attributes[] = {
    {"CN", NID_commonName, 64, false},
    {"O", NID_organizationName, 64, false},
    {"OU", NID_organizationalUnitName, 64, true},
    {"C", NID_countryName, 2, false},
    {"ST", NID_stateOrProvinceName, 128, false},
    {"L", NID_localityName, 128, false},
    {"STREET", NID_streetAddress, 128, false},
    {"POSTALCODE", NID_postalCode, 40, false},
    {"SERIALNUMBER", NID_serialNumber, 64, false},
    {"EMAILADDRESS", NID_pkcs9_emailAddress, 255, false},
    {"DC", NID_domainComponent, 63, true},
};

struct parsed {
    const struct subject_attribute *attribute;
    char value[VALUE_MAX + 1];
};

struct subject_reader {
    const char *text, *at;
    struct parsed items[ATTRIBUTES_MAX];
    int count;
};

static status subject_error(const struct subject_reader *r, const char *what, struct error *err)
{
    return error_set(err, CODE_INVALID, "subject: %s at character %zu", what, (size_t)(r->at - r->text) + 1);
}

static void spaces_skip(struct subject_reader *r)
{
    r->at += strspn(r->at, " ");
}

static status name_read(struct subject_reader *r, const struct subject_attribute **out, struct error *err)
{
    spaces_skip(r);
    size_t len = strspn(r->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.");
    const char *behind = r->at + len;

    behind += strspn(behind, " ");
    if (len == 0 || *behind != '=')
        return subject_error(r, "NAME=value is expected", err);
    for (size_t i = 0; i < COUNT_OF(attributes); i++) {
        if (strlen(attributes[i].name) == len && strncasecmp(attributes[i].name, r->at, len) == 0) {
            r->at = behind + 1;
            *out = &attributes[i];
            return OK;
        }
    }
    return error_set(err, CODE_INVALID,
                     "subject: \"%.*s\" is not one of CN O OU C ST L STREET POSTALCODE SERIALNUMBER EMAILADDRESS DC",
                     (int)(len < 40 ? len : 40), r->at);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind a backslash. */
static status escape_read(struct subject_reader *r, char *out, struct error *err)
{
    const char *at = r->at + 1;
    int high = hex_digit(at[0]);
    int low = high >= 0 ? hex_digit(at[1]) : -1;

    if (low >= 0) {
        *out = (char)(high << 4 | low);
        if (*out == 0)
            return subject_error(r, "a NUL character", err);
        r->at += 3;
        return OK;
    }
    if (!at[0] || !strchr(" \"#+,;<>=\\", at[0]))
        return subject_error(r, "an escape that is not known", err);
    *out = at[0];
    r->at += 2;
    return OK;
}

/* Up to a bare ',' or the end; spaces around are not part of it, unless escaped. */
static status value_read(struct subject_reader *r, char out[VALUE_MAX + 1], struct error *err)
{
    size_t len = 0, kept = 0;

    spaces_skip(r);
    while (*r->at && *r->at != ',') {
        bool bare_space = *r->at == ' ';
        if (len == VALUE_MAX)
            return subject_error(r, "the value is too long", err);
        if (strchr("\"+;<>", *r->at) || (*r->at == '#' && len == 0))
            return subject_error(r, "a character that needs a backslash before it", err);
        if (*r->at == '\\')
            TRY(escape_read(r, &out[len], err));
        else
            out[len] = *r->at++;
        len++;
        if (!bare_space)
            kept = len;
    }
    out[kept] = 0;
    return OK;
}

static size_t character_count(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static bool country_is_valid(const char *v)
{
    return strlen(v) == 2 && v[0] >= 'A' && v[0] <= 'Z' && v[1] >= 'A' && v[1] <= 'Z';
}

static bool is_ascii(const char *v)
{
    while (*v && (unsigned char)*v < 0x80)
        v++;
    return !*v;
}

static status value_check(const struct subject_attribute *a, const char *value, struct error *err)
{
    if (!value[0])
        return error_set(err, CODE_INVALID, "subject: %s is empty", a->name);
    if (!text_is_printable(value, VALUE_MAX))
        return error_set(err, CODE_INVALID, "subject: %s is not UTF-8 or holds control characters", a->name);
    if (character_count(value) > a->max)
        return error_set(err, CODE_INVALID, "subject: %s has more than %zu characters", a->name, a->max);
    if (a->nid == NID_countryName && !country_is_valid(value))
        return error_set(err, CODE_INVALID, "subject: C is a country code of two capital letters");
    bool ascii_only = a->nid == NID_pkcs9_emailAddress || a->nid == NID_domainComponent || a->nid == NID_serialNumber;
    if (ascii_only && !is_ascii(value))
        return error_set(err, CODE_INVALID, "subject: %s takes ASCII only", a->name);
    return OK;
}

static status item_read(struct subject_reader *r, struct error *err)
{
    struct parsed *item = &r->items[r->count];

    if (r->count == ATTRIBUTES_MAX)
        return error_set(err, CODE_INVALID, "subject: more than %d attributes", ATTRIBUTES_MAX);
    TRY(name_read(r, &item->attribute, err));
    TRY(value_read(r, item->value, err));
    TRY(value_check(item->attribute, item->value, err));
    for (int i = 0; i < r->count; i++) {
        if (r->items[i].attribute == item->attribute && !item->attribute->repeats)
            return error_set(err, CODE_INVALID, "subject: %s is there twice", item->attribute->name);
    }
    r->count++;
    return OK;
}

static status items_read(struct subject_reader *r, struct error *err)
{
    bool named = false;

    for (;;) {
        TRY(item_read(r, err));
        named = named || r->items[r->count - 1].attribute->nid == NID_commonName;
        if (!*r->at)
            break;
        r->at++; /* the comma */
    }
    return named ? OK : error_set(err, CODE_INVALID, "subject: CN is missing");
}

static status name_build(const struct subject_reader *r, X509_NAME **out, struct error *err)
{
    cleanup_x509_name X509_NAME *name = X509_NAME_new();

    for (int i = r->count - 1; name && i >= 0; i--) {
        const struct parsed *item = &r->items[i];
        if (!X509_NAME_add_entry_by_NID(name, item->attribute->nid, MBSTRING_UTF8, (const unsigned char *)item->value,
                                        -1, -1, 0)) {
            ignore(certificate_failure("subject", err));
            return error_set(err, CODE_INVALID, "subject: the value of %s is not allowed", item->attribute->name);
        }
    }
    if (!name)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    *out = steal(&name);
    return OK;
}

status subject_parse(const char *text, X509_NAME **out, struct error *err)
{
    struct subject_reader r = {.text = text, .at = text};

    if (!text || !text[0])
        return error_set(err, CODE_INVALID, "subject: empty");
    if (strnlen(text, SUBJECT_MAX + 1) > SUBJECT_MAX)
        return error_set(err, CODE_INVALID, "subject: more than %d bytes", SUBJECT_MAX);
    TRY(items_read(&r, err));
    return name_build(&r, out, err);
}

void subject_escape(const char *value, struct buf *out)
{
    for (const char *at = value; *at; at++) {
        if (strchr(" \"#+,;<>=\\", *at))
            buf_add_byte(out, '\\');
        buf_add_byte(out, (uint8_t)*at);
    }
}

status ca_subject_check(const char *subject, struct error *err)
{
    cleanup_x509_name X509_NAME *name = NULL;

    return subject_parse(subject, &name, err);
}

status ca_subject_name(const char *subject, X509_NAME **out, struct error *err)
{
    return subject_parse(subject, out, err);
}
