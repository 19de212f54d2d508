/* SPDX-License-Identifier: Apache-2.0 */
/* Counts live in memory that forked children share; a line of output is written in one piece. */
#include "check.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rv.h"

enum { TEXT_SIZE = 512 };

struct board {
    atomic_ulong passed;
    atomic_ulong failed;
    char last[TEXT_SIZE];
};
static struct board *board;
static char subject[TEXT_SIZE];

bool checks_init(void)
{
    void *memory = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    board = memory == MAP_FAILED ? NULL : memory;
    return board != NULL;
}

struct counts checks_counted(void)
{
    return (struct counts){atomic_load(&board->passed), atomic_load(&board->failed)};
}

void checks_subject(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(subject, sizeof subject, format, arguments);
    va_end(arguments);
    about("set-up");
}

const char *checks_last(void)
{
    return board->last;
}

__attribute__((format(printf, 1, 2))) static void line_write(const char *format, ...)
{
    char line[4 * TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    size_t size = len < (int)sizeof line ? (size_t)len : sizeof line - 1;
    if (write(STDOUT_FILENO, line, size) < 0)
        return;
}

void checks_note(const char *format, ...)
{
    char note[TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(note, sizeof note, format, arguments);
    va_end(arguments);
    line_write("note: %s: %s\n", subject, note);
}

const char *text(const char *format, ...)
{
    static char buffers[16][TEXT_SIZE];
    static unsigned next;
    char *buffer = buffers[next++ % COUNT_OF(buffers)];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(buffer, TEXT_SIZE, format, arguments);
    va_end(arguments);
    return buffer;
}

const char *about(const char *what)
{
    (void)snprintf(board->last, sizeof board->last, "%s", what);
    return what;
}

static bool settle(bool holds, const char *clause, const char *what, const char *difference)
{
    atomic_fetch_add(holds ? &board->passed : &board->failed, 1);
    if (!holds)
        line_write("FAILED [%s] %s: %s%s\n", clause, subject, what, difference);
    return holds;
}

bool check(const char *clause, const char *what, bool holds)
{
    return settle(holds, clause, about(what), "");
}

bool check_number(const char *clause, const char *what, unsigned long got, unsigned long wanted)
{
    return settle(got == wanted, clause, about(what),
                  text(": wanted %lu (0x%lx), got %lu (0x%lx)", wanted, wanted, got, got));
}

static const char *hex(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    char digits[81] = "";
    for (size_t i = 0; i < len && i < 40; i++)
        (void)snprintf(digits + 2 * i, 3, "%02x", at[i]);
    return text("%s%s (%zu bytes)", digits, len > 40 ? "…" : "", len);
}

bool check_bytes(const char *clause, const char *what, const void *got, size_t got_len, const void *wanted,
                 size_t wanted_len)
{
    bool same = got_len == wanted_len && (got_len == 0 || memcmp(got, wanted, got_len) == 0);
    const char *difference = same ? "" : text(": wanted %s, got %s", hex(wanted, wanted_len), hex(got, got_len));
    return settle(same, clause, about(what), difference);
}

bool check_rv(const char *clause, const char *what, CK_RV got, const CK_RV *allowed, size_t count)
{
    char wanted[TEXT_SIZE] = "";
    size_t at = 0;
    bool is_allowed = false;
    for (size_t i = 0; i < count; i++) {
        is_allowed |= got == allowed[i];
        if (at < sizeof wanted)
            at += (size_t)snprintf(wanted + at, sizeof wanted - at, "%s%s", i ? " or " : "", rv_name(allowed[i]));
    }
    return settle(is_allowed, clause, what, is_allowed ? "" : text(": wanted %s, got %s", wanted, rv_name(got)));
}
