/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *text;
    enum fault_stage stage;
} kinds[] = {
#define FAULT(name, text, at) [FAULT_##name] = {text, at},
#include "faults.def"
#undef FAULT
};
static const char *const paths[] = {
    [PATH_ANY] = "any", [PATH_TOKEN] = "token", [PATH_KEYS] = "keys", [PATH_SIGNATURES] = "signatures"};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    enum fault_kind kind;
    enum path path;
    int first, count;
    int matched;
    unsigned generation;
    int requests[PATH_COUNT];
    int connections;
    struct buf payload;
} fault;

static void unlock(pthread_mutex_t **held)
{
    (void)pthread_mutex_unlock(*held);
}
static pthread_mutex_t *locked(void)
{
    (void)pthread_mutex_lock(&lock);
    return &lock;
}
#define lock_scope() CLEANUP(unlock) __attribute__((unused)) pthread_mutex_t *held = locked()

enum fault_stage fault_stage(enum fault_kind kind)
{
    return kinds[kind].stage;
}

static void replace(enum fault_kind kind, enum path path, int first, int count, const struct buf *payload)
{
    lock_scope();
    fault.kind = kind;
    fault.path = path;
    fault.first = first;
    fault.count = count;
    fault.matched = 0;
    fault.generation++;
    memset(fault.requests, 0, sizeof fault.requests);
    fault.connections = 0;
    buf_reset(&fault.payload);
    if (payload)
        buf_add(&fault.payload, payload->data, payload->len);
}

bool fault_set(const char *line, const struct buf *payload)
{
    char kind_text[32], path_text[32];
    int first = 0, count = 0;
    if (sscanf(line, "%31s %31s %d %d", kind_text, path_text, &first, &count) != 4 || first < 1 || count < 1)
        return false;

    int kind = 0, path = 0;
    while (kind < FAULT_COUNT && strcmp(kinds[kind].text, kind_text) != 0)
        kind++;
    while (path < PATH_OTHER && strcmp(paths[path], path_text) != 0)
        path++;
    if (kind == FAULT_COUNT || path == PATH_OTHER)
        return false;
    replace((enum fault_kind)kind, (enum path)path, first, count, payload);
    return true;
}

void fault_off(void)
{
    lock_scope();
    fault.kind = FAULT_NONE;
    fault.generation++;
}

/* The matched-th of those that match, from 1. */
static enum fault_kind next(void)
{
    fault.matched++;
    bool strikes = fault.matched >= fault.first && fault.matched - fault.first < fault.count;
    return strikes ? fault.kind : FAULT_NONE;
}

enum fault_kind fault_for_request(enum path path)
{
    lock_scope();
    fault.requests[path]++;
    if (kinds[fault.kind].stage <= AT_CONNECTION || (fault.path != PATH_ANY && fault.path != path))
        return FAULT_NONE;
    return next();
}

enum fault_kind fault_for_connection(void)
{
    lock_scope();
    fault.connections++;
    return kinds[fault.kind].stage == AT_CONNECTION ? next() : FAULT_NONE;
}

bool fault_is_of_connections(void)
{
    lock_scope();
    return kinds[fault.kind].stage == AT_CONNECTION;
}

bool fault_refuses(void)
{
    lock_scope();
    return fault.kind == FAULT_REFUSE;
}

void fault_payload(struct buf *out)
{
    lock_scope();
    buf_reset(out);
    buf_add(out, fault.payload.data, fault.payload.len);
}

void fault_counts(char *out, size_t size)
{
    lock_scope();
    (void)snprintf(out, size, "%d %d %d %d", fault.requests[PATH_TOKEN], fault.requests[PATH_KEYS],
                   fault.requests[PATH_SIGNATURES], fault.connections);
}

unsigned fault_generation(void)
{
    lock_scope();
    return fault.generation;
}
