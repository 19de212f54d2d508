/* SPDX-License-Identifier: Apache-2.0 */
/* 4 GiB and one byte through C_SignUpdate: lengths beyond 32 bits, in constant memory. */
#include "rows.h"

#include <stdio.h>
#include <sys/mman.h>

static const size_t total = (1ul << 32) + 1;
enum { MIB = 1024 * 1024, GROWTH_MAX_KIB = 8 * 1024 };

static CK_BYTE expected[32];

/* Untouched anonymous memory is zeros that take no memory. */
static CK_BYTE *zeros_map(void)
{
    CK_BYTE *zeros = mmap(NULL, total, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(zeros, MAP_FAILED);
    return zeros;
}

static long peak_kib(void)
{
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "re");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "VmHWM: %ld kB", &kib) == 1)
            break;
    }
    (void)fclose(f);
    assert_true(kib > 0);
    return kib;
}

static int setup(void **state)
{
    unsigned len = 0;
    (void)state;
    CK_BYTE *zeros = zeros_map();
    int made = EVP_Digest(zeros, total, expected, &len, EVP_sha256(), NULL);
    return made == 1 && len == 32 && munmap(zeros, total) == 0 ? 0 : -1;
}

static CK_SESSION_HANDLE begin(void)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    assert_rv(C_SignInit(session, &mechanism, host_find(session, CKO_PRIVATE_KEY, "demo-rsa2048")), CKR_OK);
    return session;
}

static void assert_ends_with_the_digest(CK_SESSION_HANDLE session, long before)
{
    CK_BYTE signature[256];
    CK_ULONG len = sizeof signature;
    long growth = peak_kib() - before;
    assert_rv(C_SignFinal(session, signature, &len), CKR_OK);
    assert_int_equal(fake.last_input.digest.len, 32);
    assert_memory_equal(fake.last_digest, expected, 32);
    if (growth >= GROWTH_MAX_KIB)
        fail_msg("the peak of resident memory grew by %ld KiB", growth);
}

static void more_than_4_gib_in_parts_are_hashed_in_constant_memory(void **state)
{
    (void)state;
    static CK_BYTE part[MIB];
    CK_SESSION_HANDLE session = begin();
    long before = peak_kib();
    for (size_t done = 0; done < total; done += MIB)
        assert_rv(C_SignUpdate(session, part, total - done < MIB ? total - done : MIB), CKR_OK);
    assert_ends_with_the_digest(session, before);
}

static void one_part_of_more_than_4_gib_is_hashed_whole(void **state)
{
    (void)state;
    CK_BYTE *zeros = zeros_map();
    CK_SESSION_HANDLE session = begin();
    long before = peak_kib();
    assert_rv(C_SignUpdate(session, zeros, total), CKR_OK);
    assert_ends_with_the_digest(session, before);
    assert_int_equal(munmap(zeros, total), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(more_than_4_gib_in_parts_are_hashed_in_constant_memory),
        TEST(one_part_of_more_than_4_gib_is_hashed_whole),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
