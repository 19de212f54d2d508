/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: the tests are alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_fixture.h"

#include "common/text.h"

int fixture_open(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error err = {0};
    if (!f || !is_ok(store_open("sqlite::memory:", &f->store, &err)) || !is_ok(store_migrate(f->store, &err))) {
        print_error("%s %s\n", err.text, err.detail);
        return -1;
    }
    f->db = store_writer(f->store);
    *state = f;
    return 0;
}

int fixture_close(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    free(f);
    return 0;
}

void principal_add(struct fixture *f, const char *id, const char *name, enum principal_type type)
{
    struct principal p = {.type = type, .created_ms = 1};
    (void)text_copy(p.id, sizeof(p.id), id);
    (void)text_copy(p.name, sizeof(p.name), name);
    assert_int_equal(principal_insert(f->db, &p, NULL).code, CODE_OK);
}

void principal_change(struct fixture *f, const char *id, bool disabled, int64_t expires_ms)
{
    struct principal p = {0};
    assert_int_equal(principal_find(f->db, id, &p, NULL).code, CODE_OK);
    p.disabled = disabled;
    p.expires_ms = expires_ms;
    assert_int_equal(principal_update(f->db, &p, NULL).code, CODE_OK);
}
