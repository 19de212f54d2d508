/* SPDX-License-Identifier: Apache-2.0 */
/* Function lists and interfaces, before C_Initialize (base §5.4.4–5.4.6). */
#include <dlfcn.h>
#include <string.h>

#include "group.h"

/* Both list types are a CK_VERSION followed by nothing but function pointers. */
static void list_is_whole(const void *list, size_t size, const char *what)
{
    const void *const *slots = (const void *const *)list;
    size_t first = offsetof(CK_FUNCTION_LIST, C_Initialize) / sizeof *slots;
    for (size_t i = first; i < size / sizeof *slots; i++)
        check("base §3.6", text("function %zu of %s is not NULL", i - first + 1, what), slots[i] != NULL);
}

static bool version_is(const void *list, CK_BYTE major, CK_BYTE minor)
{
    const CK_VERSION *version = list;
    return version->major == major && version->minor == minor;
}

void function_list_group(struct rig *r)
{
    CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(r->library, "C_GetFunctionList");
    CK_FUNCTION_LIST *again = NULL;
    EXPECT("base §5.4.4", "C_GetFunctionList(NULL)", get(NULL), CKR_ARGUMENTS_BAD);
    EXPECT("base §5.4.4", "C_GetFunctionList once more", get(&again), CKR_OK);
    check("base §5.4.4", "C_GetFunctionList gives the same list again", again == r->f);
    check("base §3.6", "the list of C_GetFunctionList is of version 2.x", r->f->version.major == 2);
    check_number("base §3.6", "the minor version of C_GetFunctionList's list", r->f->version.minor, 40);
    list_is_whole(r->f, sizeof *r->f, "the 2.40 list");
    again = NULL;
    EXPECT("base §5.4.4", "C_GetFunctionList through the list", r->f->C_GetFunctionList(&again), CKR_OK);
    check("base §5.4.4", "… gives the same list", again == r->f);
}

static bool interface_fits(const CK_INTERFACE *i, const char *name, const CK_VERSION *version, CK_FLAGS flags)
{
    return (!name || strcmp(i->pInterfaceName, name) == 0) &&
           (!version || version_is(i->pFunctionList, version->major, version->minor)) && (i->flags & flags) == flags;
}

static void interface_ask(struct rig *r, const CK_INTERFACE *list, CK_ULONG count, const char *name,
                          const CK_VERSION *version, CK_FLAGS flags)
{
    bool exists = false;
    for (CK_ULONG i = 0; i < count; i++)
        exists |= interface_fits(&list[i], name, version, flags);
    CK_VERSION asked = version ? *version : (CK_VERSION){0, 0};
    CK_INTERFACE *found = NULL;
    const char *what = about(text("C_GetInterface(%s, %u.%u%s, flags 0x%lx)", name ? name : "NULL", asked.major,
                                  asked.minor, version ? "" : " = NULL", flags));
    CK_RV rv = r->get_interface((CK_UTF8CHAR *)name, version ? &asked : NULL, &found, flags);
    if (!exists) {
        EXPECT("base §5.4.6", what, rv, CKR_ARGUMENTS_BAD, CKR_FUNCTION_FAILED);
        return;
    }
    if (EXPECT("base §5.4.6", what, rv, CKR_OK) && check("base §5.4.6", text("%s gives one", what), found != NULL))
        check("base §5.4.6", text("%s gives what was asked for", what), interface_fits(found, name, version, flags));
}

static void interfaces_ask(struct rig *r, const CK_INTERFACE *list, CK_ULONG count)
{
    static const char *const names[] = {NULL, "PKCS 11", "pkcs 11", "PKCS 11 ", "PKCS 1", "Vendor Nobody", ""};
    static const CK_VERSION versions[] = {{2, 40}, {3, 0}, {2, 20}, {3, 1}, {3, 2}, {3, 40}, {2, 0}, {0, 0}};
    static const CK_FLAGS flags[] = {0, CKF_INTERFACE_FORK_SAFE, 1UL << 31};
    for (size_t n = 0; n < COUNT_OF(names); n++) {
        for (size_t f = 0; f < COUNT_OF(flags); f++) {
            interface_ask(r, list, count, names[n], NULL, flags[f]);
            for (size_t v = 0; v < COUNT_OF(versions); v++)
                interface_ask(r, list, count, names[n], &versions[v], flags[f]);
        }
    }
}

static void interface_is_whole(struct rig *r, const CK_INTERFACE *i)
{
    if (!check("base §3.6", "an interface has a name and a list", i->pInterfaceName && i->pFunctionList) ||
        strcmp(i->pInterfaceName, "PKCS 11") != 0)
        return;
    const CK_VERSION *version = i->pFunctionList;
    check("base §3.6", text("version %u.%u is one of the standard's", version->major, version->minor),
          (version->major == 2 && version->minor <= 40) || (version->major == 3 && version->minor <= 2));
    if (version->major == 2) {
        list_is_whole(i->pFunctionList, sizeof(CK_FUNCTION_LIST), "a 2.x interface");
        return;
    }
    list_is_whole(i->pFunctionList, sizeof(CK_FUNCTION_LIST_3_0), "a 3.x interface");
    CK_FUNCTION_LIST_3_0 *list = i->pFunctionList;
    CK_FUNCTION_LIST *old = NULL;
    EXPECT("base §5.4.4", "C_GetFunctionList through a 3.x list", list->C_GetFunctionList(&old), CKR_OK);
    check("base §5.4.4", "… gives the 2.40 list", old == r->f);
    CK_ULONG count = 0;
    EXPECT("base §5.4.5", "C_GetInterfaceList through a 3.x list", list->C_GetInterfaceList(NULL, &count), CKR_OK);
    CK_INTERFACE *found = NULL;
    EXPECT("base §5.4.6", "C_GetInterface through a 3.x list", list->C_GetInterface(NULL, NULL, &found, 0), CKR_OK);
}

static bool has_standard(const CK_INTERFACE *list, CK_ULONG count, CK_BYTE major)
{
    for (CK_ULONG i = 0; i < count; i++) {
        if (strcmp(list[i].pInterfaceName, "PKCS 11") == 0 && ((CK_VERSION *)list[i].pFunctionList)->major == major)
            return true;
    }
    return false;
}

static void counts_are_kept(struct rig *r, CK_ULONG count)
{
    CK_INTERFACE untouched = {(char *)"untouched", &untouched, 77}, room[16];
    for (CK_ULONG given = 0; given < count; given++) {
        CK_ULONG len = given;
        room[0] = untouched;
        EXPECT("base §5.4.5", text("C_GetInterfaceList with room for %lu of %lu", given, count),
               r->get_interface_list(room, &len), CKR_BUFFER_TOO_SMALL);
        check_number("base §5.4.5", "CKR_BUFFER_TOO_SMALL sets the count", len, count);
    }
    for (size_t i = 0; i < COUNT_OF(room); i++)
        room[i] = untouched;
    CK_ULONG len = ~0UL;
    EXPECT("base §5.4.5", "C_GetInterfaceList with room for ~0", r->get_interface_list(room, &len), CKR_OK);
    check_number("base §5.4.5", "the count with room for ~0", len, count);
    check("base §5.4.5", "nothing is written behind the last interface", room[count].flags == 77);
}

void interface_group(struct rig *r)
{
    if (!r->get_interface && !r->get_interface_list) {
        checks_note("the module is of 2.40: it exports neither C_GetInterface nor C_GetInterfaceList");
        return;
    }
    if (!check("base §5.4.5", "C_GetInterface and C_GetInterfaceList are exported both",
               r->get_interface && r->get_interface_list))
        return;
    CK_INTERFACE list[16];
    CK_ULONG count = 99;
    EXPECT("base §5.4.5", "C_GetInterfaceList(NULL, NULL)", r->get_interface_list(NULL, NULL), CKR_ARGUMENTS_BAD);
    EXPECT("base §5.4.5", "C_GetInterfaceList(list, NULL)", r->get_interface_list(list, NULL), CKR_ARGUMENTS_BAD);
    EXPECT("base §5.4.6", "C_GetInterface(NULL, NULL, NULL, 0)", r->get_interface(NULL, NULL, NULL, 0),
           CKR_ARGUMENTS_BAD);
    EXPECT("base §5.4.5", "C_GetInterfaceList(NULL, count)", r->get_interface_list(NULL, &count), CKR_OK);
    if (!check("base §5.4.5", "there is an interface", count > 0 && count < COUNT_OF(list)))
        return;
    CK_ULONG len = count;
    EXPECT("base §5.4.5", "C_GetInterfaceList with just the room", r->get_interface_list(list, &len), CKR_OK);
    check_number("base §5.4.5", "the count with just the room", len, count);
    counts_are_kept(r, count);
    for (CK_ULONG i = 0; i < count; i++)
        interface_is_whole(r, &list[i]);
    check("base §3.6", "there is a standard interface of 3.x", has_standard(list, count, 3));
    check("base §3.6", "there is a standard interface of 2.x", has_standard(list, count, 2));
    interfaces_ask(r, list, count);

    CK_INTERFACE *one = NULL, *two = NULL;
    (void)r->get_interface(NULL, NULL, &one, 0);
    (void)r->get_interface(NULL, NULL, &two, 0);
    check("base §5.4.6", "the default interface is the same again", one == two && one);
}

/* C_GetInfo tells of the interface it is reached by (base §3.1). */
void info_group(struct rig *r)
{
    CK_INFO info;
    memset(&info, 0xaa, sizeof info);
    EXPECT("base §5.4.3", "C_GetInfo", r->f->C_GetInfo(&info), CKR_OK);
    check("base §3.1", "C_GetInfo and the 2.40 list tell the same version",
          version_is(&info, r->f->version.major, r->f->version.minor));
    check_number("base §3.1", "CK_INFO.flags", info.flags, 0);
    check("base §3.1", "manufacturerID is padded with blanks, not NUL",
          !memchr(info.manufacturerID, 0, sizeof info.manufacturerID));
    check("base §3.1", "libraryDescription is padded with blanks, not NUL",
          !memchr(info.libraryDescription, 0, sizeof info.libraryDescription));
    check("base §3.1", "manufacturerID says something", info.manufacturerID[0] != ' ');
    if (!r->f3)
        return;
    EXPECT("base §5.4.3", "C_GetInfo through the 3.0 list", r->f3->C_GetInfo(&info), CKR_OK);
    check("base §3.1", "C_GetInfo and the 3.0 list tell the same version",
          version_is(&info, r->f3->version.major, r->f3->version.minor));
}
