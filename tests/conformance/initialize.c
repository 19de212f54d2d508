/* SPDX-License-Identifier: Apache-2.0 */
/* The arguments of C_Initialize: which locks, which flags (base §5.4.1). */
#include <pthread.h>
#include <stdlib.h>

#include "group.h"

static long mutexes_alive;
static long locks_held;

static CK_RV mutex_create(void **out)
{
    pthread_mutex_t *mutex = malloc(sizeof *mutex);
    if (!mutex)
        return CKR_HOST_MEMORY;
    (void)pthread_mutex_init(mutex, NULL);
    mutexes_alive++;
    *out = mutex;
    return CKR_OK;
}

static CK_RV mutex_destroy(void *mutex)
{
    mutexes_alive--;
    free(mutex);
    return CKR_OK;
}

static CK_RV mutex_lock(void *mutex)
{
    (void)pthread_mutex_lock(mutex);
    locks_held++;
    return CKR_OK;
}

static CK_RV mutex_unlock(void *mutex)
{
    locks_held--;
    (void)pthread_mutex_unlock(mutex);
    return CKR_OK;
}

static CK_C_INITIALIZE_ARGS args_make(unsigned given, CK_FLAGS flags)
{
    return (CK_C_INITIALIZE_ARGS){
        .CreateMutex = given & 1 ? mutex_create : NULL,
        .DestroyMutex = given & 2 ? mutex_destroy : NULL,
        .LockMutex = given & 4 ? mutex_lock : NULL,
        .UnlockMutex = given & 8 ? mutex_unlock : NULL,
        .flags = flags,
    };
}

static void life_is_whole(struct rig *r, const char *what)
{
    CK_INFO info;
    CK_ULONG count = 0;
    EXPECT("base §5.4.1", text("C_GetInfo after %s", what), r->f->C_GetInfo(&info), CKR_OK);
    EXPECT("base §5.4.1", text("a second C_Initialize after %s", what), r->f->C_Initialize(NULL),
           CKR_CRYPTOKI_ALREADY_INITIALIZED);
    EXPECT("base §5.5.1", text("C_GetSlotList after %s", what), r->f->C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
    EXPECT("base §5.4.2", text("C_Finalize after %s", what), r->f->C_Finalize(NULL), CKR_OK);
}

static void initialize_with(struct rig *r, unsigned given, CK_FLAGS flags)
{
    CK_C_INITIALIZE_ARGS args = args_make(given, flags);
    const char *what = about(text("C_Initialize with mutex functions 0x%x, flags 0x%lx", given, flags));
    CK_RV rv = r->f->C_Initialize(&args);
    if (given != 0 && given != 15)
        EXPECT("base §5.4.1", what, rv, CKR_ARGUMENTS_BAD);
    else if (given == 15 && !(flags & CKF_OS_LOCKING_OK))
        EXPECT("base §5.4.1", what, rv, CKR_OK, CKR_CANT_LOCK);
    else if (flags & CKF_LIBRARY_CANT_CREATE_OS_THREADS)
        EXPECT("base §5.4.1", what, rv, CKR_OK, CKR_NEED_TO_CREATE_THREADS);
    else
        EXPECT("base §5.4.1", what, rv, CKR_OK);

    CK_INFO info;
    if (rv == CKR_OK)
        life_is_whole(r, what);
    else
        EXPECT("base §5.4.1", text("C_GetInfo after the refused %s", what), r->f->C_GetInfo(&info),
               CKR_CRYPTOKI_NOT_INITIALIZED);
    check("base §5.4.1", text("%s leaves no lock held", what), locks_held == 0);
    check("base §5.4.1", text("%s leaves no mutex behind", what), mutexes_alive == 0);
    locks_held = mutexes_alive = 0;
}

void initialize_group(struct rig *r)
{
    static const CK_FLAGS flags[] = {0, CKF_OS_LOCKING_OK, CKF_LIBRARY_CANT_CREATE_OS_THREADS,
                                     CKF_OS_LOCKING_OK | CKF_LIBRARY_CANT_CREATE_OS_THREADS};
    CK_INFO info;
    EXPECT("base §5.4.1", "C_Initialize(NULL)", r->f->C_Initialize(NULL), CKR_OK);
    life_is_whole(r, "C_Initialize(NULL)");
    for (size_t f = 0; f < COUNT_OF(flags); f++) {
        for (unsigned given = 0; given < 16; given++)
            initialize_with(r, given, flags[f]);
    }
    CK_C_INITIALIZE_ARGS reserved = {.flags = CKF_OS_LOCKING_OK, .pReserved = &info};
    EXPECT("base §5.4.1", "C_Initialize with pReserved set", r->f->C_Initialize(&reserved), CKR_ARGUMENTS_BAD);
    EXPECT("base §5.4.1", "C_GetInfo after that", r->f->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
}

struct starter {
    pthread_t thread;
    struct rig *rig;
    pthread_barrier_t *barrier;
    CK_RV rv;
};

static void *start(void *argument)
{
    struct starter *s = argument;
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    (void)pthread_barrier_wait(s->barrier);
    s->rv = s->rig->f->C_Initialize(&args);
    return NULL;
}

/* Beyond the text, but programs do it: several threads call C_Initialize at once, and one of them is first. */
void initialize_threads_group(struct rig *r)
{
    enum { THREADS = 8 };
    struct starter starters[THREADS];
    pthread_barrier_t barrier;
    (void)pthread_barrier_init(&barrier, NULL, THREADS);
    about("C_Initialize in eight threads at once");
    for (int i = 0; i < THREADS; i++) {
        starters[i] = (struct starter){.rig = r, .barrier = &barrier};
        if (pthread_create(&starters[i].thread, NULL, start, &starters[i]) != 0)
            abort();
    }
    unsigned first = 0;
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(starters[i].thread, NULL);
        first += starters[i].rv == CKR_OK;
        EXPECT("base §5.4.1", "C_Initialize in one of eight threads", starters[i].rv, CKR_OK,
               CKR_CRYPTOKI_ALREADY_INITIALIZED);
    }
    check_number("base §5.4.1", "threads that were told CKR_OK", first, 1);
    (void)pthread_barrier_destroy(&barrier);
}
