/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <dirent.h>
#include <dlfcn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CASE_SECONDS = 400, CHILD_SECONDS = 60 };

CK_FUNCTION_LIST *p11;
static EVP_PKEY *public_key;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void must_hold(bool holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    (void)fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
    _exit(1);
}

void must_return(CK_RV rv, CK_RV expected, const char *what, const char *file, int line)
{
    if (rv == expected)
        return;
    (void)fprintf(stderr, "%s:%d: %s returns 0x%lx\n", file, line, what, rv);
    _exit(1);
}

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    if (!value)
        (void)fprintf(stderr, "%s is not set\n", name);
    must(value != NULL);
    return value;
}

void *p11_load(void)
{
    void *library = dlopen(setting("P11_MODULE"), RTLD_NOW | RTLD_LOCAL);
    if (!library)
        (void)fprintf(stderr, "%s\n", dlerror());
    must(library != NULL);
    CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList");
    must(get != NULL);
    must_rv(get(&p11), CKR_OK);
    return library;
}

void p11_load_fork_safe(void)
{
    CK_C_GetInterface get = (CK_C_GetInterface)dlsym(p11_load(), "C_GetInterface");
    CK_INTERFACE *found = NULL;
    must(get != NULL);
    must_rv(get((CK_UTF8CHAR_PTR) "PKCS 11", NULL, &found, CKF_INTERFACE_FORK_SAFE), CKR_OK);
    p11 = found->pFunctionList;
}

CK_SLOT_ID p11_slot(void)
{
    CK_SLOT_ID slots[8];
    CK_ULONG count = 8;
    const char *label = setting("P11_TOKEN");
    must_rv(p11->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO token;
        must_rv(p11->C_GetTokenInfo(slots[i], &token), CKR_OK);
        if (memcmp(token.label, label, strlen(label)) == 0 && token.label[strlen(label)] == ' ')
            return slots[i];
    }
    must(!"the token is there");
    return 0;
}

CK_SESSION_HANDLE p11_open(void)
{
    CK_SESSION_HANDLE session = 0;
    must_rv(p11->C_OpenSession(p11_slot(), CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    return session;
}

bool p11_login(CK_SESSION_HANDLE session)
{
    const char *pin = setting("P11_PIN");
    CK_RV rv = p11->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)(uintptr_t)pin, strlen(pin));
    return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN;
}

static CK_OBJECT_HANDLE find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class)
{
    const char *label = setting("P11_EC");
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)}};
    CK_OBJECT_HANDLE found = 0;
    CK_ULONG count = 0;
    must_rv(p11->C_FindObjectsInit(session, wanted, 2), CKR_OK);
    must_rv(p11->C_FindObjects(session, &found, 1, &count), CKR_OK);
    must_rv(p11->C_FindObjectsFinal(session), CKR_OK);
    must(count == 1);
    return found;
}

static void public_key_read(const struct signer *s)
{
    CK_BYTE der[256];
    const uint8_t *at = der;
    CK_ATTRIBUTE wanted = {CKA_PUBLIC_KEY_INFO, der, sizeof der};
    must_rv(p11->C_GetAttributeValue(s->session, s->key, &wanted, 1), CKR_OK);
    public_key = d2i_PUBKEY(NULL, &at, (long)wanted.ulValueLen);
    must(public_key != NULL);
}

struct signer p11_signer(void)
{
    struct signer s = {.session = p11_open()};
    must(p11_login(s.session));
    s.key = find(s.session, CKO_PRIVATE_KEY);
    must(pthread_mutex_lock(&lock) == 0);
    if (!public_key)
        public_key_read(&s);
    must(pthread_mutex_unlock(&lock) == 0);
    return s;
}

bool p11_verify(const char *text, const CK_BYTE signature[64])
{
    uint8_t *der = NULL;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    must(sig && ctx && ECDSA_SIG_set0(sig, BN_bin2bn(signature, 32, NULL), BN_bin2bn(signature + 32, 32, NULL)) == 1);
    int len = i2d_ECDSA_SIG(sig, &der);
    bool good = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, public_key) == 1 &&
                EVP_DigestVerify(ctx, der, (size_t)len, (const uint8_t *)text, strlen(text)) == 1;
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
    EVP_MD_CTX_free(ctx);
    return good;
}

CK_RV p11_sign_only(const struct signer *s, const char *text, CK_BYTE signature[64])
{
    CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
    CK_ULONG len = 64;
    CK_RV rv = p11->C_SignInit(s->session, &mechanism, s->key);
    if (rv == CKR_OK)
        rv = p11->C_Sign(s->session, (CK_BYTE_PTR)(uintptr_t)text, strlen(text), signature, &len);
    must(rv != CKR_OK || len == 64);
    return rv;
}

CK_RV p11_try_sign(const struct signer *s, const char *text)
{
    CK_BYTE signature[64];
    CK_RV rv = p11_sign_only(s, text, signature);
    must(rv != CKR_OK || p11_verify(text, signature));
    return rv;
}

void p11_sign(const struct signer *s, const char *text)
{
    must_rv(p11_try_sign(s, text), CKR_OK);
}

int descriptors_count(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    must(dir != NULL);
    while (readdir(dir))
        count++;
    (void)closedir(dir);
    return count;
}

pid_t child_start(void (*run)(const struct signer *s), const struct signer *s)
{
    pid_t child = fork();
    must(child >= 0);
    if (child == 0) {
        (void)alarm(CHILD_SECONDS);
        run(s);
        _exit(0);
    }
    return child;
}

void child_join(pid_t child)
{
    int ended = -1;
    must(waitpid(child, &ended, 0) == child);
    must(ended == 0);
}

static bool run(const struct host_case *cases, const char *name)
{
    for (const struct host_case *c = cases; c->name; c++) {
        if (strcmp(c->name, name) == 0) {
            c->run();
            return true;
        }
    }
    return false;
}

/* libssl counts the references of a TLS session, which connections share, by atomics that TSan does not see in a
 * library that is not instrumented: it takes the last one's free for a race. So it judges the module and the host, and
 * leaves what such libraries do among themselves alone; their locks it still sees. */
#ifdef __SANITIZE_THREAD__
[[gnu::visibility("default")]] const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "ignore_noninstrumented_modules=1";
}
#endif

int main(int argc, char **argv)
{
    (void)alarm(CASE_SECONDS);
    must(argc == 2);
    must(run(context_cases, argv[1]) || run(crowd_cases, argv[1]) || run(exit_cases, argv[1]) ||
         run(fork_cases, argv[1]) || run(life_cases, argv[1]) || run(silence_cases, argv[1]) ||
         run(thread_cases, argv[1]));
    EVP_PKEY_free(public_key);
    return 0;
}
