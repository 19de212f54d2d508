/* SPDX-License-Identifier: Apache-2.0 */
/* C_FindObjects* (base §5.7.7–5.7.9): each attribute of each object, alone and with another, finds the object and
 * nothing else; what differs does not. */
#include <string.h>

#include "attribute.h"
#include "group.h"
#include "search.h"

static bool value_is(struct rig *r, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, const struct value *wanted)
{
    struct value value;
    value_read(r, r->session, object, type, &value);
    return value.rv == CKR_OK && value.len == wanted->len && memcmp(value.bytes, wanted->bytes, value.len) == 0;
}

static void finds(struct rig *r, CK_OBJECT_HANDLE object, const struct attribute_row *row, struct value *value)
{
    CK_OBJECT_CLASS class = 0;
    (void)ulong_read(r, object, CKA_CLASS, &class);
    CK_ATTRIBUTE wanted[] = {{row->type, value->len ? value->bytes : NULL, value->len},
                             {CKA_CLASS, &class, sizeof class}};
    struct found found;
    search(r, r->session, wanted, 1, &found);
    EXPECT("base §5.7.7", text("C_FindObjectsInit by %s", row->name), found.rv, CKR_OK);
    check("base §5.7.7", text("%s alone finds the %s", row->name, object_name(r, object)), found_has(&found, object));
    bool all_match = true;
    for (CK_ULONG i = 0; i < found.count; i++)
        all_match = all_match && value_is(r, found.objects[i], row->type, value);
    check("base §5.7.7", text("%s finds only what has that value", row->name), all_match);
    if (row->type == CKA_UNIQUE_ID)
        check_number("base §5.7.7", "objects found by CKA_UNIQUE_ID", found.count, 1);

    search(r, r->session, wanted, 2, &found);
    check("base §5.7.7", text("%s and CKA_CLASS find the %s", row->name, object_name(r, object)),
          found_has(&found, object));
    class ^= 1;
    search(r, r->session, wanted, 2, &found);
    check("base §5.7.7", text("%s and another CKA_CLASS do not find it", row->name), !found_has(&found, object));
}

/* A template that may be refused must at least not find the object. */
static void finds_not(struct rig *r, CK_OBJECT_HANDLE object, const char *what, CK_ATTRIBUTE_TYPE type, void *bytes,
                      CK_ULONG len)
{
    CK_ATTRIBUTE wanted = {type, bytes, len};
    struct found found;
    search(r, r->session, &wanted, 1, &found);
    EXPECT("base §5.7.7", text("C_FindObjectsInit by %s", what), found.rv, CKR_OK, CKR_ATTRIBUTE_VALUE_INVALID,
           CKR_ATTRIBUTE_TYPE_INVALID, CKR_ARGUMENTS_BAD);
    check("base §5.7.7", text("%s does not find the %s", what, object_name(r, object)), !found_has(&found, object));
}

static void near_misses(struct rig *r, CK_OBJECT_HANDLE object, const struct attribute_row *row, struct value *value)
{
    finds_not(r, object, text("%s and a byte more", row->name), row->type, value->bytes, value->len + 1);
    if (value->len == 0)
        return;
    finds_not(r, object, text("%s of length 0", row->name), row->type, NULL, 0);
    if (row->kind == KIND_ULONG) {
        finds_not(r, object, text("%s in 4 bytes", row->name), row->type, value->bytes, 4);
        finds_not(r, object, text("%s in 1 byte", row->name), row->type, value->bytes, 1);
    } else if (row->kind == KIND_BOOL) {
        CK_BYTE wide[8] = {value->bytes[0]};
        finds_not(r, object, text("%s in 4 bytes", row->name), row->type, wide, 4);
        finds_not(r, object, text("%s in 8 bytes", row->name), row->type, wide, 8);
    } else {
        finds_not(r, object, text("%s without its last byte", row->name), row->type, value->bytes, value->len - 1);
    }
    value->bytes[value->len - 1] ^= 1;
    finds_not(r, object, text("%s with the last bit changed", row->name), row->type, value->bytes, value->len);
    value->bytes[value->len - 1] ^= 1;
    finds_not(r, object, text("%s of length ~0", row->name), row->type, value->bytes, ~0UL);
}

void find_by_attribute_group(struct rig *r)
{
    struct found all;
    search(r, r->session, NULL, 0, &all);
    check("base §5.7.7", "an empty template finds objects", all.count > 0);
    for (CK_ULONG i = 0; i < all.count; i++) {
        for (size_t j = 0; j < attribute_row_count; j++) {
            const struct attribute_row *row = &attribute_rows[j];
            struct value value;
            value_read(r, r->session, all.objects[i], row->type, &value);
            if (value.rv == CKR_OK && row->kind != KIND_ARRAY) {
                finds(r, all.objects[i], row, &value);
                near_misses(r, all.objects[i], row, &value);
            } else if (value.rv == CKR_ATTRIBUTE_SENSITIVE) {
                CK_BYTE guess[32] = {1};
                finds_not(r, all.objects[i], text("sensitive %s", row->name), row->type, guess, sizeof guess);
                finds_not(r, all.objects[i], text("sensitive %s of length 0", row->name), row->type, NULL, 0);
            } else if (value.rv == CKR_ATTRIBUTE_TYPE_INVALID) {
                finds_not(r, all.objects[i], text("%s, which it has not,", row->name), row->type, NULL, 0);
            }
        }
    }
}

static void chunks_are_all(struct rig *r, const struct found *all, CK_ULONG chunk)
{
    CK_OBJECT_HANDLE found[FOUND_MAX];
    CK_ULONG total = 0, got = 0;
    bool fits = true;
    EXPECT("base §5.7.7", "C_FindObjectsInit", r->f->C_FindObjectsInit(r->session, NULL, 0), CKR_OK);
    do {
        if (r->f->C_FindObjects(r->session, found + total, chunk, &got) != CKR_OK)
            break;
        fits = fits && got <= chunk;
        total += got;
    } while (got > 0 && total + chunk < FOUND_MAX);
    check("base §5.7.8", text("no more handles than asked for (%lu)", chunk), fits);
    check_bytes("base §5.7.8", text("the handles, %lu at a time", chunk), found, total * sizeof *found, all->objects,
                all->count * sizeof *found);
    got = 5;
    EXPECT("base §5.7.8", "C_FindObjects after the last", r->f->C_FindObjects(r->session, found, 4, &got), CKR_OK);
    check_number("base §5.7.8", "handles after the last", got, 0);
    EXPECT("base §5.7.9", "C_FindObjectsFinal", r->f->C_FindObjectsFinal(r->session), CKR_OK);
}

void find_chunks_group(struct rig *r)
{
    struct found all, again;
    CK_ULONG count;
    CK_OBJECT_HANDLE handle;
    search(r, r->session, NULL, 0, &all);
    for (CK_ULONG i = 0; i < all.count; i++) {
        for (CK_ULONG j = 0; j < i; j++)
            check("base §5.7.8", "an object is found once", all.objects[i] != all.objects[j]);
        check("base §3.4", "an object's handle is not 0", all.objects[i] != CK_INVALID_HANDLE);
    }
    const CK_ULONG chunks[] = {1, 2, 3, 7, 64};
    for (size_t i = 0; i < COUNT_OF(chunks); i++)
        chunks_are_all(r, &all, chunks[i]);
    CK_SESSION_HANDLE first = r->session, other = session_new(r, true);
    search(r, other, NULL, 0, &again);
    check_bytes("base §5.7.8", "another session finds the same handles", again.objects,
                again.count * sizeof(CK_OBJECT_HANDLE), all.objects, all.count * sizeof(CK_OBJECT_HANDLE));

    EXPECT("base §5.7.7", "C_FindObjectsInit", r->f->C_FindObjectsInit(first, NULL, 0), CKR_OK);
    EXPECT("base §5.7.7", "C_FindObjectsInit while a search is active", r->f->C_FindObjectsInit(first, NULL, 0),
           CKR_OPERATION_ACTIVE);
    EXPECT("base §5.7.7", "C_FindObjectsInit in another session meanwhile", r->f->C_FindObjectsInit(other, NULL, 0),
           CKR_OK);
    EXPECT("base §5.7.9", "C_FindObjectsFinal there", r->f->C_FindObjectsFinal(other), CKR_OK);
    EXPECT("base §5.7.8", "C_FindObjects with room for none", r->f->C_FindObjects(first, &handle, 0, &count), CKR_OK,
           CKR_ARGUMENTS_BAD);
    EXPECT("base §5.7.8", "C_FindObjects in the first search", r->f->C_FindObjects(first, &handle, 1, &count), CKR_OK);
    check("base §5.7.8", "it is still at its first handle", count == 1 && handle == all.objects[0]);
    EXPECT("base §5.7.9", "C_FindObjectsFinal before the end", r->f->C_FindObjectsFinal(first), CKR_OK);
    EXPECT("base §5.7.9", "C_FindObjectsFinal again", r->f->C_FindObjectsFinal(first), CKR_OPERATION_NOT_INITIALIZED);
    EXPECT("base §5.7.8", "C_FindObjects after C_FindObjectsFinal", r->f->C_FindObjects(first, &handle, 1, &count),
           CKR_OPERATION_NOT_INITIALIZED);
}

void find_template_group(struct rig *r)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY, odd = 0x7fffffffUL;
    CK_BYTE unaligned[sizeof class + 1];
    memcpy(unaligned + 1, &class, sizeof class);
    CK_ATTRIBUTE twice[] = {{CKA_CLASS, &class, sizeof class}, {CKA_CLASS, &class, sizeof class}};
    CK_ATTRIBUTE shifted = {CKA_CLASS, unaligned + 1, sizeof class};
    CK_ATTRIBUTE unknown = {0x7fff1234UL, &class, sizeof class}, nobody = {CKA_CLASS, &odd, sizeof odd};
    struct found once, found;
    search(r, r->session, twice, 1, &once);
    check("base §5.7.7", "there are private keys", once.count > 0);
    search(r, r->session, twice, 2, &found);
    check("base §5.7.7", "an attribute given twice finds the same",
          found.rv == CKR_OK ? found.count == once.count : found.rv == CKR_TEMPLATE_INCONSISTENT);
    search(r, r->session, &shifted, 1, &found);
    EXPECT("base §3.4", "C_FindObjectsInit by a value at an odd address", found.rv, CKR_OK);
    check_number("base §3.4", "objects found by a value at an odd address", found.count, once.count);
    search(r, r->session, &unknown, 1, &found);
    EXPECT("base §5.7.7", "C_FindObjectsInit by an attribute nobody knows", found.rv, CKR_OK,
           CKR_ATTRIBUTE_TYPE_INVALID);
    check_number("base §5.7.7", "objects found by an attribute nobody knows", found.count, 0);
    search(r, r->session, &nobody, 1, &found);
    EXPECT("base §5.7.7", "C_FindObjectsInit by a class nobody knows", found.rv, CKR_OK, CKR_ATTRIBUTE_VALUE_INVALID);
    check_number("base §5.7.7", "objects found by a class nobody knows", found.count, 0);
    CK_ATTRIBUTE many[64];
    for (size_t i = 0; i < COUNT_OF(many); i++)
        many[i] = twice[0];
    search(r, r->session, many, COUNT_OF(many), &found);
    EXPECT("base §5.7.7", "C_FindObjectsInit by 64 attributes", found.rv, CKR_OK, CKR_TEMPLATE_INCONSISTENT);
}
