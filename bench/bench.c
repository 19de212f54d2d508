/* SPDX-License-Identifier: Apache-2.0 */
/* bench-pkcs11: signatures per second of any PKCS#11 module, by threads and seconds. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/measure.h"

static const char usage[] = "usage: bench-pkcs11 --module FILE --token LABEL [--pin PIN] --key LABEL\n"
                            "                    [--mechanism rsa_pkcs1|ecdsa] [--threads N] [--seconds S] [--json]\n";

static void wrong(const char *option, const char *value)
{
    fprintf(stderr, "bench-pkcs11: --%s: \"%s\" is not understood\n%s", option, value, usage);
    exit(2);
}

static CK_MECHANISM_TYPE mechanism_parse(const char *text)
{
    if (strcmp(text, "rsa_pkcs1") == 0)
        return CKM_RSA_PKCS;
    if (strcmp(text, "ecdsa") != 0)
        wrong("mechanism", text);
    return CKM_ECDSA;
}

static double number_parse(const char *option, const char *text, double min, double max)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= min && value <= max))
        wrong(option, text);
    return value;
}

static void options_parse(int argc, char **argv, struct token_choice *choice, struct measure_order *order, bool *json)
{
    static const struct option options[] = {{"module", required_argument, NULL, 'm'},
                                            {"token", required_argument, NULL, 't'},
                                            {"pin", required_argument, NULL, 'p'},
                                            {"key", required_argument, NULL, 'k'},
                                            {"mechanism", required_argument, NULL, 'x'},
                                            {"threads", required_argument, NULL, 'n'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'm':
            choice->module = optarg;
            break;
        case 't':
            choice->token = optarg;
            break;
        case 'p':
            choice->pin = optarg;
            break;
        case 'k':
            choice->key = order->key = optarg;
            break;
        case 'x':
            order->mechanism = mechanism_parse(optarg);
            break;
        case 'n':
            order->threads = (unsigned)number_parse("threads", optarg, 1, 1024);
            break;
        case 's':
            order->seconds = number_parse("seconds", optarg, 0.01, 3600);
            break;
        case 'j':
            *json = true;
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            fputs(usage, stderr);
            exit(2);
        }
    }
    if (!choice->module || !choice->token || !choice->key || optind != argc) {
        fputs(usage, stderr);
        exit(2);
    }
}

static void print(const struct measure_order *order, const struct measure_result *r, bool json)
{
    double per_second = (double)r->signatures / r->seconds;
    double cpu_us = r->signatures ? r->cpu_seconds * 1e6 / (double)r->signatures : 0;
    const char *format =
        json ? "{\"key\":\"%s\",\"threads\":%u,\"signatures\":%lu,\"per_second\":%.1f,\"median_us\":%.1f,"
               "\"p99_us\":%.1f,\"cpu_us\":%.1f,\"seconds\":%.3f}\n"
             : "%s, %u threads: %lu signatures, %.1f/s, median %.1f us, p99 %.1f us, "
               "CPU %.1f us a signature, %.3f s\n";
    printf(format, order->key, order->threads, r->signatures, per_second, r->median_us, r->p99_us, cpu_us, r->seconds);
}

int main(int argc, char **argv)
{
    struct token_choice choice = {0};
    struct measure_order order = {.mechanism = CKM_RSA_PKCS, .threads = 1, .seconds = 1};
    bool json = false;
    options_parse(argc, argv, &choice, &order, &json);

    struct token token = {0};
    struct measure_result result = {0};
    token_open(&token, &choice);
    measure_run(&token, &order, &result);
    print(&order, &result, json);
    token_close(&token);
    return 0;
}
