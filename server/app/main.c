/* SPDX-License-Identifier: Apache-2.0 */
/* chanceryd: the command line. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "chancery/version.h"
#include "common/text.h"
#include "server/app/app.h"
#include "server/config/config.h"

#define DEFAULT_CONFIG "/etc/chancery/chanceryd.conf"

enum { EXIT_USAGE = 2 };

static const char help[] =
    "usage: chanceryd init DIR [options]       make an installation in DIR\n"
    "       chanceryd run [options]            serve until SIGTERM; SIGHUP reloads\n"
    "       chanceryd --print-config [--config FILE]   the effective configuration\n"
    "       chanceryd --print-example          every option with its default\n"
    "       chanceryd --version | --help\n"
    "\n"
    "init:\n"
    "  --name HOST             name or address in the TLS certificate and the public URL; may be repeated\n"
    "                          (127.0.0.1 and localhost)\n"
    "  --listen ADDRESS        address to listen on (127.0.0.1)\n"
    "  --port N                port to listen on (8443); 0 takes a free one at each start\n"
    "  --public-http-port N    port of the listener without TLS for CRLs and OCSP (none)\n"
    "  --public-http-url URL   base URL under which those who verify reach it (http://ADDRESS:N)\n"
    "  --tls-certificate FILE  a certificate of yours instead of one by an own CA ...\n"
    "  --tls-key FILE          ... and its key\n"
    "  --hsm-module FILE       PKCS#11 module of the HSM (SoftHSM, with a token in DIR)\n"
    "  --hsm-token LABEL       label of the token (chancery)\n"
    "  --hsm-pin-file FILE     the token exists; its user PIN is in FILE. Otherwise a free slot is initialised\n"
    "  --organisation TEXT     organisation in the certificates of the CA (Chancery)\n"
    "  --admin NAME            first administrator (admin)\n"
    "  --api-key-file FILE     write the administrator's API key there (0600) and do not show it\n"
    "  --store URL             sqlite:FILE or postgresql://USER@HOST/DATABASE (SQLite in DIR)\n"
    "\n"
    "run:\n"
    "  --config FILE           configuration, or the directory of an installation (" DEFAULT_CONFIG ")\n"
    "  --port-file FILE        write the port there when the server is ready\n"
    "  --pid-file FILE         write the process id there when the server is ready\n";

static int usage_fail(const char *why, const char *what)
{
    fprintf(stderr, "chanceryd: %s%s\nchanceryd --help tells the usage\n", why, what);
    return EXIT_USAGE;
}

static int result_exit(status s, const struct error *err)
{
    if (is_ok(s))
        return EXIT_SUCCESS;
    fprintf(stderr, "chanceryd: %s\n", err->text);
    if (err->detail[0])
        fprintf(stderr, "chanceryd: %s\n", err->detail);
    return EXIT_FAILURE;
}

/* ---- init */

#define INIT_ROW(name, member)                                                                                         \
    {                                                                                                                  \
        name, offsetof(struct init_options, member)                                                                    \
    }
static const struct {
    const char *name;
    size_t offset;
} init_texts[] = {
    INIT_ROW("listen", listen_address),
    INIT_ROW("public-http-url", public_http_url),
    INIT_ROW("tls-certificate", tls_certificate),
    INIT_ROW("tls-key", tls_key),
    INIT_ROW("hsm-module", hsm_module),
    INIT_ROW("hsm-token", hsm_token),
    INIT_ROW("hsm-pin-file", hsm_pin_file),
    INIT_ROW("organisation", organisation),
    INIT_ROW("admin", admin),
    INIT_ROW("store", store),
    INIT_ROW("api-key-file", api_key_file),
};

static bool init_option_take(struct init_options *o, const char *name, const char *value)
{
    int64_t number = 0;
    if (strcmp(name, "name") == 0) {
        if (o->name_count == INIT_NAMES)
            return false;
        o->names[o->name_count++] = value;
        return true;
    }
    bool is_public = strcmp(name, "public-http-port") == 0;
    if (is_public || strcmp(name, "port") == 0) {
        bool is_port = text_to_int64(value, &number) && number >= 0 && number <= 65535;
        *(is_public ? &o->public_http_port : &o->port) = (int)number;
        return is_port;
    }
    for (size_t i = 0; i < COUNT_OF(init_texts); i++)
        if (strcmp(name, init_texts[i].name) == 0)
            *(const char **)((char *)o + init_texts[i].offset) = value;
    return true;
}

static int init_main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"name", required_argument, NULL, 1},
        {"port", required_argument, NULL, 1},
        {"listen", required_argument, NULL, 1},
        {"public-http-port", required_argument, NULL, 1},
        {"public-http-url", required_argument, NULL, 1},
        {"tls-certificate", required_argument, NULL, 1},
        {"tls-key", required_argument, NULL, 1},
        {"hsm-module", required_argument, NULL, 1},
        {"hsm-token", required_argument, NULL, 1},
        {"hsm-pin-file", required_argument, NULL, 1},
        {"organisation", required_argument, NULL, 1},
        {"admin", required_argument, NULL, 1},
        {"store", required_argument, NULL, 1},
        {"api-key-file", required_argument, NULL, 1},
        {0},
    };
    struct init_options o = {.port = 8443};
    struct error err = {0};
    cleanup_buf struct buf report = {0};
    int at = 0, got;
    while ((got = getopt_long(argc, argv, "", longs, &at)) != -1) {
        if (got != 1)
            return EXIT_USAGE;
        if (!init_option_take(&o, longs[at].name, optarg))
            return usage_fail("not acceptable: --", longs[at].name);
    }
    if (optind != argc - 1)
        return usage_fail("init wants one directory", "");
    o.directory = argv[optind];
    status s = init_run(&o, &report, &err);
    if (is_ok(s))
        fputs(buf_text(&report), stdout);
    return result_exit(s, &err);
}

/* ---- run */

static int run_main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},
        {"port-file", required_argument, NULL, 'p'},
        {"pid-file", required_argument, NULL, 'i'},
        {0},
    };
    struct run_options o = {.config = DEFAULT_CONFIG};
    struct error err = {0};
    int got;
    while ((got = getopt_long(argc, argv, "c:", longs, NULL)) != -1) {
        if (got == 'c')
            o.config = optarg;
        else if (got == 'p')
            o.port_file = optarg;
        else if (got == 'i')
            o.pid_file = optarg;
        else
            return EXIT_USAGE;
    }
    if (optind != argc)
        return usage_fail("unexpected: ", argv[optind]);
    return result_exit(run_server(&o, &err), &err);
}

/* ---- the rest */

static int print_config(const char *path)
{
    cleanup_config struct config *c = NULL;
    cleanup_buf struct buf text = {0};
    struct error err = {0};
    status s = path ? config_load(path, &c, &err) : config_parse("(defaults)", ".", slice_of_text(""), &c, &err);
    if (is_ok(s)) {
        config_print(c, &text);
        fputs(buf_text(&text), stdout);
    }
    return result_exit(s, &err);
}

static int options_main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},  {"print-config", no_argument, NULL, 'p'},
        {"print-example", no_argument, NULL, 'e'}, {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},          {0},
    };
    const char *config = NULL;
    int what = 0, got;
    while ((got = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
        if (got == '?')
            return EXIT_USAGE;
        if (got == 'c')
            config = optarg;
        else
            what = got;
    }
    cleanup_buf struct buf text = {0};
    switch (what) {
    case 'p':
        return print_config(config);
    case 'e':
        config_example(&text);
        break;
    case 'v':
        buf_add_text(&text, "chanceryd " CHANCERY_VERSION "\n");
        break;
    case 'h':
        buf_add_text(&text, help);
        break;
    default:
        return usage_fail("init or run is expected", "");
    }
    fputs(buf_text(&text), stdout);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "init") == 0)
        return init_main(argc - 1, argv + 1);
    if (strcmp(command, "run") == 0)
        return run_main(argc - 1, argv + 1);
    if (command[0] && command[0] != '-')
        return usage_fail("unknown command: ", command);
    return options_main(argc, argv);
}
