/* SPDX-License-Identifier: Apache-2.0 */
/* The five cases of C_GetAttributeValue (base §5.7.5) for every attribute of every object, what each class must have,
 * and the forms of values. */
#include <ctype.h>
#include <string.h>

#include "attribute.h"
#include "group.h"
#include "search.h"

enum { CANARY = 0xa5 };

static CK_RV read_into(struct rig *r, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *a)
{
    return r->f->C_GetAttributeValue(r->session, object, a, 1);
}

static bool is_untouched(const CK_BYTE *from, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (from[i] != CANARY)
            return false;
    }
    return true;
}

/* Cases 3, 4 and 5, into an odd address. */
static void cases_readable(struct rig *r, CK_OBJECT_HANDLE object, const struct attribute_row *row,
                           const struct value *value)
{
    static CK_BYTE room[VALUE_MAX + 64];
    const char *who = text("%s of the %s", row->name, object_name(r, object));
    CK_ATTRIBUTE a = {row->type, NULL, 12345};
    EXPECT("base §5.7.5", text("length of %s", who), read_into(r, object, &a), CKR_OK);
    check_number("base §5.7.5", text("length of %s", who), a.ulValueLen, value->len);

    for (CK_ULONG more = 0; more <= 16; more += 8) {
        memset(room, CANARY, sizeof room);
        a = (CK_ATTRIBUTE){row->type, room + 1, value->len + more};
        EXPECT("base §5.7.5", text("%s with %lu bytes to spare", who, more), read_into(r, object, &a), CKR_OK);
        check_bytes("base §5.7.5", who, room + 1, a.ulValueLen <= VALUE_MAX ? a.ulValueLen : 0, value->bytes,
                    value->len);
        check("base §5.7.5", text("nothing is written round %s", who),
              room[0] == CANARY && is_untouched(room + 1 + value->len + more, 32));
    }
    if (value->len == 0)
        return;
    for (CK_ULONG len = 0; len<value->len; len += value->len> 1 ? value->len - 1 : 1) {
        memset(room, CANARY, sizeof room);
        a = (CK_ATTRIBUTE){row->type, room, len};
        EXPECT("base §5.7.5", text("%s into %lu of %lu bytes", who, len, value->len), read_into(r, object, &a),
               CKR_BUFFER_TOO_SMALL);
        check("base §5.7.5", text("%s into too few bytes: length is unavailable", who),
              a.ulValueLen == CK_UNAVAILABLE_INFORMATION);
        check("base §5.7.5", text("%s into too few bytes: none behind", who), is_untouched(room + len, 64));
    }
}

/* Cases 1 and 2. */
static void cases_hidden(struct rig *r, CK_OBJECT_HANDLE object, const struct attribute_row *row, CK_RV wanted)
{
    CK_BYTE room[64];
    const char *who = text("%s of the %s", row->name, object_name(r, object));
    for (int with_room = 0; with_room <= 1; with_room++) {
        memset(room, CANARY, sizeof room);
        CK_ATTRIBUTE a = {row->type, with_room ? room : NULL, with_room ? sizeof room : 0};
        EXPECT("base §5.7.5", with_room ? who : text("length of %s", who), read_into(r, object, &a), wanted);
        check("base §5.7.5", text("%s: length is unavailable", who), a.ulValueLen == CK_UNAVAILABLE_INFORMATION);
        check("base §5.7.5", text("%s: nothing is written", who), is_untouched(room, sizeof room));
    }
}

static bool is_date(const struct value *value)
{
    for (CK_ULONG i = 0; i < value->len; i++) {
        if (!isdigit(value->bytes[i]))
            return false;
    }
    return value->len == 0 || value->len == sizeof(CK_DATE);
}

static void form_is_right(const struct attribute_row *row, const struct value *value, const char *who)
{
    switch (row->kind) {
    case KIND_ULONG:
        check_number("base §3.4", text("bytes of %s, a CK_ULONG", who), value->len, sizeof(CK_ULONG));
        return;
    case KIND_BOOL:
        check("base §3.4", text("%s is one CK_BBOOL", who), value->len == 1 && value->bytes[0] <= CK_TRUE);
        return;
    case KIND_DATE:
        check("base §3.4", text("%s is a CK_DATE or empty", who), is_date(value));
        return;
    case KIND_ULONGS:
        check_number("base §4.7", text("%s is whole CK_ULONGs", who), value->len % sizeof(CK_ULONG), 0);
        return;
    case KIND_ARRAY:
        check_number("base §4.7", text("%s is whole CK_ATTRIBUTEs", who), value->len % sizeof(CK_ATTRIBUTE), 0);
        return;
    case KIND_TEXT:
        check("base §3.1", text("%s has no NUL", who), !memchr(value->bytes, 0, value->len));
        return;
    default:
        return;
    }
}

static bool is_secret(const struct attribute_row *row, unsigned class)
{
    return row->kind == KIND_SECRET || (row->kind == KIND_VALUE && (class & EC_PRIVATE));
}

static void attribute_is_whole(struct rig *r, CK_OBJECT_HANDLE object, unsigned class, const struct attribute_row *row)
{
    struct value value;
    const char *who = text("%s of the %s", row->name, object_name(r, object));
    value_read(r, r->session, object, row->type, &value);
    bool required = (row->classes & class) && (r->f3 || !(row->classes & IN_3_0));
    if (required && is_secret(row, class))
        EXPECT(row->clause, text("%s, which is sensitive", who), value.rv, CKR_ATTRIBUTE_SENSITIVE);
    else if (required)
        EXPECT(row->clause, text("%s, which its class has", who), value.rv, CKR_OK);
    else
        EXPECT("base §5.7.5", who, value.rv, CKR_OK, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_SENSITIVE);

    if (value.rv == CKR_OK) {
        form_is_right(row, &value, who);
        if (row->kind != KIND_ARRAY || value.len == 0)
            cases_readable(r, object, row, &value);
    } else {
        cases_hidden(r, object, row, value.rv);
    }
}

void object_attributes_group(struct rig *r)
{
    static const struct attribute_row unknown[] = {
        {0x7fff1234UL, "attribute 0x7fff1234", KIND_BYTES, 0, ""},
        {~0UL, "attribute ~0", KIND_BYTES, 0, ""},
        {CKA_VENDOR_DEFINED | 0x1234, "a vendor's attribute", KIND_BYTES, 0, ""}};
    struct found all;
    search(r, r->session, NULL, 0, &all);
    for (CK_ULONG i = 0; i < all.count; i++) {
        unsigned class = object_class_of(r, all.objects[i]);
        if (!class)
            continue;
        for (size_t j = 0; j < attribute_row_count; j++)
            attribute_is_whole(r, all.objects[i], class, &attribute_rows[j]);
        for (size_t j = 0; j < COUNT_OF(unknown); j++)
            cases_hidden(r, all.objects[i], &unknown[j], CKR_ATTRIBUTE_TYPE_INVALID);
    }
}

/* "the call MUST nonetheless have processed every attribute in the template" (base §5.7.5). */
void object_template_group(struct rig *r)
{
    CK_BYTE first[64], second[64], id[64], few[1], secret[64] = {0};
    CK_OBJECT_HANDLE key = r->key.private_key;
    CK_ATTRIBUTE a[] = {
        {CKA_ID, first, sizeof first},
        {0x7fff1234UL, second, sizeof second},
        {CKA_ID, few, sizeof few},
        {CKA_ID, second, sizeof second},
        {CKA_PRIME_1, secret, sizeof secret},
        {CKA_VALUE, secret, sizeof secret},
        {CKA_LABEL, NULL, 0},
        {CKA_ID, id, sizeof id},
    };
    EXPECT("base §5.7.5", "a template with every case", r->f->C_GetAttributeValue(r->session, key, a, COUNT_OF(a)),
           CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID, CKR_BUFFER_TOO_SMALL);
    struct value wanted;
    value_read(r, r->session, key, CKA_ID, &wanted);
    check_bytes("base §5.7.5", "the first attribute", first, a[0].ulValueLen, wanted.bytes, wanted.len);
    check("base §5.7.5", "the unknown one is unavailable", a[1].ulValueLen == CK_UNAVAILABLE_INFORMATION);
    check("base §5.7.5", "the short one is unavailable",
          wanted.len < 2 || a[2].ulValueLen == CK_UNAVAILABLE_INFORMATION);
    check_bytes("base §5.7.5", "the one after the unknown", second, a[3].ulValueLen, wanted.bytes, wanted.len);
    check("base §5.7.5", "a secret one is unavailable", a[4].ulValueLen == CK_UNAVAILABLE_INFORMATION);
    check("base §5.7.5", "CKA_VALUE is unavailable", a[5].ulValueLen == CK_UNAVAILABLE_INFORMATION);
    check_number("base §5.7.5", "the length of the label", a[6].ulValueLen, strlen(r->key.label));
    check_bytes("base §5.7.5", "the last attribute", id, a[7].ulValueLen, wanted.bytes, wanted.len);
    CK_BYTE zero[64] = {0};
    check_bytes("base §5.7.5", "no secret byte is written", secret, sizeof secret, zero, sizeof zero);

    a[0] = (CK_ATTRIBUTE){CKA_ID, first, ~0UL - 1};
    EXPECT("base §5.7.5", "a length of ~1", r->f->C_GetAttributeValue(r->session, key, a, 1), CKR_OK);
    check_number("base §5.7.5", "the length, given ~1", a[0].ulValueLen, wanted.len);
    CK_ULONG size = 0;
    EXPECT("base §5.7.4", "C_GetObjectSize", r->f->C_GetObjectSize(r->session, key, &size), CKR_OK,
           CKR_INFORMATION_SENSITIVE, CKR_FUNCTION_NOT_SUPPORTED);
}

void object_unique_id_group(struct rig *r)
{
    struct found all;
    struct value one, other;
    search(r, r->session, NULL, 0, &all);
    for (CK_ULONG i = 0; r->f3 && i < all.count; i++) {
        value_read(r, r->session, all.objects[i], CKA_UNIQUE_ID, &one);
        check("base §4.2", text("CKA_UNIQUE_ID of the %s is not empty", object_name(r, all.objects[i])), one.len > 0);
        for (CK_ULONG j = 0; j < i; j++) {
            value_read(r, r->session, all.objects[j], CKA_UNIQUE_ID, &other);
            check("base §4.2", "CKA_UNIQUE_ID is unique",
                  one.len != other.len || memcmp(one.bytes, other.bytes, one.len) != 0);
        }
    }
}
