/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets are read byte by byte into wiped buffers; stdio would keep copies (I8). */
#include "cli/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>

#include "common/file.h"

enum { SECRET_MAX = 4096 };

static status line_read(int fd, struct buf *out, struct error *err)
{
    for (;;) {
        uint8_t byte = 0;
        ssize_t n = read(fd, &byte, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, CODE_IO, "the passphrase cannot be read: %s", strerror(errno));
        if (n == 0 || byte == '\n')
            break;
        if (out->len == SECRET_MAX)
            return error_set(err, CODE_TOO_LARGE, "a passphrase has at most %d bytes", SECRET_MAX);
        buf_add_byte(out, byte);
    }
    if (out->len > 0 && out->data[out->len - 1] == '\r')
        out->len--;
    return buf_check(out, err);
}

status secret_read_stdin(struct buf *out, struct error *err)
{
    return line_read(STDIN_FILENO, out, err);
}

/* The terminal with echo off, and on again whatever happens. */
struct terminal {
    int fd;
    struct termios before;
    bool changed;
};

static void terminal_restore(struct terminal *t)
{
    if (t->changed)
        (void)tcsetattr(t->fd, TCSAFLUSH, &t->before);
    if (t->fd >= 0)
        (void)close(t->fd);
}

static status prompt_read(const char *prompt, struct buf *out, struct error *err)
{
    CLEANUP(terminal_restore) struct terminal t = {.fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)};
    if (t.fd < 0)
        return error_set(err, CODE_CREDENTIAL,
                         "a secret is needed and there is no terminal: give it in a file (see --help)");
    if (tcgetattr(t.fd, &t.before) != 0)
        return error_set(err, CODE_IO, "the terminal does not answer: %s", strerror(errno));

    struct termios silent = t.before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    t.changed = tcsetattr(t.fd, TCSAFLUSH, &silent) == 0;
    dprintf(t.fd, "%s: ", prompt);
    status read = line_read(t.fd, out, err);
    dprintf(t.fd, "\n");
    return read;
}

static status prompt_twice(const char *prompt, struct buf *out, struct error *err)
{
    cleanup_buf struct buf again = {0};
    char repeat[96];
    (void)snprintf(repeat, sizeof(repeat), "%s again", prompt);
    TRY(prompt_read(prompt, out, err));
    TRY(prompt_read(repeat, &again, err));
    if (!slice_equal(buf_slice(out), buf_slice(&again)))
        return error_set(err, CODE_CREDENTIAL, "the two differ");
    return OK;
}

status secret_prompt(const char *prompt, bool confirm, struct buf *out, struct error *err)
{
    return confirm ? prompt_twice(prompt, out, err) : prompt_read(prompt, out, err);
}

status passphrase_get(struct cli *cli, const char *prompt, bool confirm, struct buf *out, struct error *err)
{
    const char *file = cli_option(cli, "passphrase-file");
    if (file && cli_has(cli, "passphrase-stdin"))
        return cli_usage(cli, err, "--passphrase-file and --passphrase-stdin exclude each other");
    if (file)
        return file_read_secret(file, out, err);
    if (cli_has(cli, "passphrase-stdin"))
        return secret_read_stdin(out, err);
    return secret_prompt(prompt, confirm, out, err);
}
