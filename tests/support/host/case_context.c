/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs to the host and must be as before: its OpenSSL context, its signals, its descriptors. */
#include <dirent.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"

/* The host's default context can do nothing at all. */
static void other_context(void)
{
    (void)p11_load();
    OSSL_LIB_CTX *own = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *nothing = own ? OSSL_PROVIDER_load(own, "null") : NULL;
    must(nothing != NULL);
    OSSL_LIB_CTX *before = OSSL_LIB_CTX_set0_default(own);
    ERR_raise(ERR_LIB_USER, 42);

    must_rv(p11->C_Initialize(NULL), CKR_OK);
    CK_SESSION_HANDLE session = p11_open();
    must(p11_login(session));
    must_rv(p11->C_FindObjectsInit(session, NULL, 0), CKR_OK);
    must_rv(p11->C_FindObjectsFinal(session), CKR_OK);

    must(OSSL_LIB_CTX_set0_default(before) == own);
    struct signer s = p11_signer(); /* the host reads the public key in a context that can */
    (void)OSSL_LIB_CTX_set0_default(own);
    CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
    CK_BYTE signature[64];
    CK_ULONG len = sizeof signature;
    must_rv(p11->C_SignInit(s.session, &mechanism, s.key), CKR_OK);
    must_rv(p11->C_Sign(s.session, (CK_BYTE_PTR) "text", 4, signature, &len), CKR_OK);
    must_rv(p11->C_Finalize(NULL), CKR_OK);

    must(OSSL_LIB_CTX_set0_default(before) == own);
    must(ERR_GET_REASON(ERR_get_error()) == 42 && ERR_peek_error() == 0);
    must(p11_verify("text", signature));
    (void)OSSL_PROVIDER_unload(nothing);
    OSSL_LIB_CTX_free(own);
}

/* Writing on our connections fails from now on; reading does not, so the module notices by SIGPIPE or not at all. */
static int connections_break(void)
{
    int broken = 0;
    for (int fd = 3; fd < 256; fd++) {
        int domain = 0;
        socklen_t len = sizeof domain;
        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_INET)
            broken += shutdown(fd, SHUT_WR) == 0;
    }
    return broken;
}

static bool is_in(int (*get)(sigset_t *set), int number)
{
    sigset_t set;
    must(get(&set) == 0);
    return sigismember(&set, number) == 1;
}

static int mask_get(sigset_t *set)
{
    return pthread_sigmask(SIG_SETMASK, NULL, set);
}

/* A host with the default disposition, which ends the process. */
static void broken_connection(void)
{
    (void)p11_load();
    must_rv(p11->C_Initialize(NULL), CKR_OK);
    struct signer s = p11_signer();
    p11_sign(&s, "before");

    must(connections_break() > 0);
    p11_sign(&s, "over another connection");
    must(!is_in(mask_get, SIGPIPE) && !is_in(sigpending, SIGPIPE));

    sigset_t pipe;
    (void)sigemptyset(&pipe);
    (void)sigaddset(&pipe, SIGPIPE);
    must(pthread_sigmask(SIG_BLOCK, &pipe, NULL) == 0 && raise(SIGPIPE) == 0);
    must(connections_break() > 0);
    p11_sign(&s, "with one pending of the host's own");
    must(is_in(mask_get, SIGPIPE) && is_in(sigpending, SIGPIPE));
    must_rv(p11->C_Finalize(NULL), CKR_OK);
}

/* The server ends in the middle of its second signature. */
static void server_dies(void)
{
    (void)p11_load();
    must_rv(p11->C_Initialize(NULL), CKR_OK);
    struct signer s = p11_signer();
    p11_sign(&s, "before");
    must_rv(p11_try_sign(&s, "too late"), CKR_DEVICE_ERROR);
    must(!is_in(mask_get, SIGPIPE) && !is_in(sigpending, SIGPIPE));
    must_rv(p11->C_Finalize(NULL), CKR_OK);
}

static void close_on_exec(void)
{
    enum { DESCRIPTORS = 256 };
    bool before[DESCRIPTORS]; /* are not ours */
    int found = 0;
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        before[fd] = fcntl(fd, F_GETFD) >= 0;
    (void)p11_load();
    must_rv(p11->C_Initialize(NULL), CKR_OK);
    struct signer s = p11_signer();
    p11_sign(&s, "text");
    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        int flags = before[fd] ? -1 : fcntl(fd, F_GETFD);
        found += flags >= 0;
        must(flags < 0 || flags & FD_CLOEXEC);
    }
    must(found > 0);
    must_rv(p11->C_Finalize(NULL), CKR_OK);
}

static void sign(void)
{
    (void)p11_load();
    CK_RV rv = p11->C_Initialize(NULL);
    must(rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED); /* by an engine that openssl.cnf names */
    struct signer s = p11_signer();
    p11_sign(&s, "text");
    must_rv(p11->C_Finalize(NULL), CKR_OK);
}

const struct host_case context_cases[] = {
    {"other-context", other_context},
    {"broken-connection", broken_connection},
    {"server-dies", server_dies},
    {"close-on-exec", close_on_exec},
    {"sign", sign},
    {NULL, NULL},
};
