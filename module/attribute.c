/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of an object: a list of offsets into one buffer. CK_ULONG and CK_BBOOL stand in it at full width. */
#include "module/attribute.h"

#include <string.h>

void attributes_clear(struct attributes *a)
{
    free(a->items);
    buf_clear(&a->values);
    *a = (struct attributes){0};
}

bool attributes_are_whole(const struct attributes *a)
{
    return !a->failed && !a->values.failed;
}

static struct attribute *attribute_make(struct attributes *a, CK_ATTRIBUTE_TYPE type)
{
    if (a->count == a->room) {
        size_t room = a->room ? a->room * 2 : 32;
        struct attribute *items = reallocarray(a->items, room, sizeof *items);
        if (!items) {
            a->failed = true;
            return NULL;
        }
        a->items = items;
        a->room = room;
    }
    struct attribute *made = &a->items[a->count++];
    *made = (struct attribute){.type = type, .offset = a->values.len};
    return made;
}

void attribute_add(struct attributes *a, CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
    struct attribute *made = attribute_make(a, type);
    if (!made)
        return;
    made->len = len;
    buf_add(&a->values, value, len);
}

void attribute_add_slice(struct attributes *a, CK_ATTRIBUTE_TYPE type, struct slice value)
{
    attribute_add(a, type, value.data, value.len);
}

void attribute_add_text(struct attributes *a, CK_ATTRIBUTE_TYPE type, const char *value)
{
    attribute_add(a, type, value, strlen(value));
}

void attribute_add_bool(struct attributes *a, CK_ATTRIBUTE_TYPE type, bool value)
{
    CK_BBOOL byte = value ? CK_TRUE : CK_FALSE;
    attribute_add(a, type, &byte, sizeof byte);
}

void attribute_add_ulong(struct attributes *a, CK_ATTRIBUTE_TYPE type, CK_ULONG value)
{
    attribute_add(a, type, &value, sizeof value);
}

void attribute_add_empty(struct attributes *a, CK_ATTRIBUTE_TYPE type)
{
    attribute_add(a, type, "", 0);
}

void attribute_add_sensitive(struct attributes *a, CK_ATTRIBUTE_TYPE type)
{
    struct attribute *made = attribute_make(a, type);
    if (made)
        made->is_sensitive = true;
}

static const struct attribute *attribute_find(const struct attributes *a, CK_ATTRIBUTE_TYPE type)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->items[i].type == type)
            return &a->items[i];
    }
    return NULL;
}

void attribute_set(struct attributes *a, CK_ATTRIBUTE_TYPE type, struct slice value)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->items[i].type == type) {
            a->items[i] = (struct attribute){.type = type, .offset = a->values.len, .len = value.len};
            buf_add(&a->values, value.data, value.len);
            return;
        }
    }
    attribute_add_slice(a, type, value);
}

bool attribute_get(const struct attributes *a, CK_ATTRIBUTE_TYPE type, struct slice *out)
{
    const struct attribute *found = attribute_find(a, type);
    if (!found || found->is_sensitive)
        return false;
    *out = (struct slice){a->values.data ? a->values.data + found->offset : NULL, found->len};
    return true;
}

bool attribute_is_true(const struct attributes *a, CK_ATTRIBUTE_TYPE type)
{
    struct slice value;
    return attribute_get(a, type, &value) && value.data && value.len == sizeof(CK_BBOOL) && value.data[0] != CK_FALSE;
}

/* Values that were replaced are left behind. */
void attributes_copy(const struct attributes *from, struct attributes *to)
{
    for (size_t i = 0; i < from->count; i++) {
        struct slice value;
        if (attribute_get(from, from->items[i].type, &value))
            attribute_add_slice(to, from->items[i].type, value);
        else
            attribute_add_sensitive(to, from->items[i].type);
    }
    to->failed |= from->failed;
}

static CK_RV attribute_read(const struct attributes *a, CK_ATTRIBUTE *wanted)
{
    const struct attribute *found = attribute_find(a, wanted->type);
    CK_ULONG room = wanted->ulValueLen;
    wanted->ulValueLen = CK_UNAVAILABLE_INFORMATION;

    if (!found)
        return CKR_ATTRIBUTE_TYPE_INVALID;
    if (found->is_sensitive)
        return CKR_ATTRIBUTE_SENSITIVE;
    if (wanted->pValue && room < found->len)
        return CKR_BUFFER_TOO_SMALL;

    wanted->ulValueLen = found->len;
    if (wanted->pValue && found->len > 0)
        memcpy(wanted->pValue, a->values.data + found->offset, found->len);
    return CKR_OK;
}

/* Which of several answers is the one to tell: what can never be had before what is unknown, before a short buffer. */
static int severity(CK_RV rv)
{
    switch (rv) {
    case CKR_ATTRIBUTE_SENSITIVE:
        return 3;
    case CKR_ATTRIBUTE_TYPE_INVALID:
        return 2;
    case CKR_BUFFER_TOO_SMALL:
        return 1;
    default:
        return 0;
    }
}

CK_RV attributes_read(const struct attributes *a, CK_ATTRIBUTE *wanted, CK_ULONG count)
{
    CK_RV worst = CKR_OK;
    for (CK_ULONG i = 0; i < count; i++) {
        CK_RV rv = attribute_read(a, &wanted[i]);
        if (severity(rv) > severity(worst))
            worst = rv;
    }
    return worst;
}

bool attributes_match(const struct attributes *a, const CK_ATTRIBUTE *wanted, CK_ULONG count)
{
    for (CK_ULONG i = 0; i < count; i++) {
        const struct attribute *found = attribute_find(a, wanted[i].type);
        if (!found || found->is_sensitive || found->len != wanted[i].ulValueLen)
            return false;
        if (found->len > 0 && memcmp(a->values.data + found->offset, wanted[i].pValue, found->len) != 0)
            return false;
    }
    return true;
}

CK_ULONG attributes_size(const struct attributes *a)
{
    return a->values.len + a->count * sizeof(CK_ATTRIBUTE);
}

CK_RV attributes_template_check(const CK_ATTRIBUTE *wanted, CK_ULONG count)
{
    if (!wanted && count > 0)
        return CKR_ARGUMENTS_BAD;
    for (CK_ULONG i = 0; i < count; i++) {
        if (!wanted[i].pValue && wanted[i].ulValueLen > 0)
            return CKR_ARGUMENTS_BAD;
    }
    return CKR_OK;
}
