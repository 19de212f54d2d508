/* SPDX-License-Identifier: Apache-2.0 */
/* SoftHSM 2.6.1 leaks the curve's name at every use of an Ed25519 key. LeakSanitizer is told so, and needs whole stacks
 * to see that the library is in them. Without a sanitizer nobody calls these. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libsofthsm2.so\n";
}

const char *__asan_default_options(void)
{
    return "fast_unwind_on_malloc=0";
}
