/* SPDX-License-Identifier: Apache-2.0 */
/* The store: one writing connection and a pool of reading ones, opened as they are needed. A thread tries the
 * connection it had before first, so its statements are prepared and its cache is warm; taking it is one atomic
 * exchange. */
#include "server/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "server/store/db_driver.h"
#include "server/store/migrate.h"

enum { READERS = 128, WAIT_MS = 5000 };

struct reader {
    _Alignas(64) atomic_bool taken;
    struct db *db; /* NULL until first taken */
};

struct store {
    struct reader readers[READERS];
    _Atomic int64_t generation;
    char *path; /* of SQLite's file, or the connection string */
    status (*open)(const char *path, bool read_only, struct db **out, struct error *err);
    struct db *writer;
    bool shared; /* SQLite in memory: everybody takes the writer, one after the other */
    pthread_mutex_t shared_lock;
    pthread_mutex_t waiting_lock; /* readers that found the pool empty */
    pthread_cond_t released;
    atomic_int waiting;
    int lock_fd;
};

static void waiting_init(struct store *s)
{
    pthread_mutexattr_t recursive;
    (void)pthread_mutexattr_init(&recursive);
    (void)pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    (void)pthread_mutex_init(&s->shared_lock, &recursive);
    (void)pthread_mutexattr_destroy(&recursive);

    (void)pthread_mutex_init(&s->waiting_lock, NULL);
    (void)pthread_cond_init(&s->released, NULL);
}

/* The file is made private before SQLite sees it; its companions take over the mode. */
static status file_prepare(const char *path, struct error *err)
{
    cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return error_set(err, CODE_UNAVAILABLE, "store %s: %s", path, strerror(errno));
    return OK;
}

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static status url_parse(struct store *s, const char *url, struct error *err)
{
    const char *path = NULL;
    if (url && has_prefix(url, "sqlite:")) {
        s->open = db_sqlite_open;
        path = url + strlen("sqlite:");
    } else if (url && (has_prefix(url, "postgresql://") || has_prefix(url, "postgres://"))) {
        s->open = db_postgres_open;
        path = url;
    }
    if (!path || !*path)
        return error_set(err, CODE_CONFIGURATION, "store: sqlite:/path/file.db or postgresql://… is expected");

    s->path = strdup(path);
    if (!s->path)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    s->shared = strcmp(s->path, ":memory:") == 0;
    return s->shared || s->open == db_postgres_open ? OK : file_prepare(s->path, err);
}

static status connection_open(struct store *s, bool read_only, struct db **out, struct error *err)
{
    TRY(s->open(s->path, read_only, out, err));
    if (!(*out)->driver->row_locks)
        (*out)->generation = &s->generation;
    return OK;
}

status store_open(const char *url, struct store **out, struct error *err)
{
    cleanup_store struct store *s = aligned_alloc(_Alignof(struct store), sizeof(*s));
    if (!s)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    memset(s, 0, sizeof(*s));
    s->lock_fd = -1;
    atomic_store(&s->generation, -1);
    waiting_init(s);

    TRY(url_parse(s, url, err));
    TRY(connection_open(s, false, &s->writer, err));

    *out = steal(&s);
    return OK;
}

void store_close(struct store *s)
{
    for (size_t i = 0; i < READERS; i++) {
        if (s->readers[i].db)
            db_close(s->readers[i].db);
    }
    /* Last, so that SQLite's final checkpoint finds nobody else. */
    if (s->writer)
        db_close(s->writer);
    if (s->lock_fd >= 0)
        (void)close(s->lock_fd);
    (void)pthread_cond_destroy(&s->released);
    (void)pthread_mutex_destroy(&s->waiting_lock);
    (void)pthread_mutex_destroy(&s->shared_lock);
    free(s->path);
    free(s);
}

status store_migrate(struct store *s, struct error *err)
{
    TRY(store_writer_lock(s, err));
    status result = migrations_apply(s->writer, migrations_newest(), err);
    store_writer_unlock(s);
    return result;
}

status store_check(struct store *s, struct error *err)
{
    struct db *db = store_reader_acquire(s, err);
    if (!db)
        return (status){CODE_UNAVAILABLE};

    int64_t version = 0;
    status result = migrations_version(db, &version, err);
    store_reader_release(s, db);
    if (is_ok(result) && version != migrations_newest())
        return error_set(err, CODE_UNAVAILABLE, "store: the schema is %lld, not %lld", (long long)version,
                         (long long)migrations_newest());
    return result;
}

static status shared_lock(struct store *s, struct error *err)
{
    if (!deadline_lock(&s->shared_lock, deadline_in(WAIT_MS)))
        return error_set(err, CODE_UNAVAILABLE, "store: the connection is taken for too long");
    return OK;
}

status store_writer_lock(struct store *s, struct error *err)
{
    return s->shared ? shared_lock(s, err) : OK;
}

void store_writer_unlock(struct store *s)
{
    if (s->shared)
        (void)pthread_mutex_unlock(&s->shared_lock);
}

struct db *store_writer(struct store *s)
{
    return s->writer;
}

/* Locks the file beside the database, never the database itself: closing that would drop SQLite's own locks. */
status store_claim(struct store *s, struct error *err)
{
    if (s->shared || s->lock_fd >= 0 || s->writer->driver->row_locks)
        return OK;

    cleanup_buf struct buf path = {0};
    buf_printf(&path, "%s.lock", s->path);
    TRY(buf_check(&path, err));
    cleanup_fd int fd = open(buf_text(&path), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return error_set(err, CODE_UNAVAILABLE, "store %s: %s", buf_text(&path), strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return error_set(err, CODE_CONFLICT, "store %s is in use by another server", s->path);

    s->lock_fd = fd;
    fd = -1;
    return OK;
}

static struct reader *reader_try(struct store *s, unsigned from)
{
    for (unsigned i = 0; i < READERS; i++) {
        struct reader *r = &s->readers[(from + i) % READERS];
        if (!atomic_load_explicit(&r->taken, memory_order_relaxed) && !atomic_exchange(&r->taken, true))
            return r;
    }
    return NULL;
}

static struct reader *reader_wait(struct store *s, unsigned from)
{
    struct timespec until = deadline_timespec(deadline_in(WAIT_MS));
    struct reader *r = NULL;
    int rc = 0;
    (void)pthread_mutex_lock(&s->waiting_lock);
    atomic_fetch_add(&s->waiting, 1);
    while (!(r = reader_try(s, from)) && rc == 0)
        rc = pthread_cond_clockwait(&s->released, &s->waiting_lock, CLOCK_MONOTONIC, &until);
    atomic_fetch_sub(&s->waiting, 1);
    (void)pthread_mutex_unlock(&s->waiting_lock);
    return r;
}

static void reader_give_back(struct store *s, struct reader *r)
{
    atomic_store(&r->taken, false);
    if (atomic_load(&s->waiting) == 0)
        return;
    (void)pthread_mutex_lock(&s->waiting_lock);
    (void)pthread_cond_signal(&s->released);
    (void)pthread_mutex_unlock(&s->waiting_lock);
}

struct db *store_reader_acquire(struct store *s, struct error *err)
{
    static _Thread_local unsigned last;
    if (s->shared)
        return is_ok(shared_lock(s, err)) ? s->writer : NULL;

    struct reader *r = reader_try(s, last);
    if (!r)
        r = reader_wait(s, last);
    if (!r) {
        ignore(error_set(err, CODE_UNAVAILABLE, "store: all %d reading connections are taken", READERS));
        return NULL;
    }

    last = (unsigned)(r - s->readers);
    status result = r->db ? r->db->driver->check(r->db, err) : connection_open(s, true, &r->db, err);
    if (!is_ok(result)) {
        reader_give_back(s, r);
        return NULL;
    }
    r->db->slot = last;
    return r->db;
}

void store_reader_release(struct store *s, struct db *db)
{
    if (s->shared)
        (void)pthread_mutex_unlock(&s->shared_lock);
    else
        reader_give_back(s, &s->readers[db->slot]);
}
