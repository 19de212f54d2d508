/* SPDX-License-Identifier: Apache-2.0 */
/* Runs each group of checks in a process of its own, for each token and key it is about. A group that crashes, hangs or
 * ends otherwise than by returning is a failed check. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "group.h"

/* The exit status of a group that ran to its end: no other way out gives it. */
enum { RAN_TO_THE_END = 42 };

static unsigned deadline_seconds = 120; /* of a group */

static const struct group groups[] = {
#define GROUP(name, scope, level) {#name, SCOPE_##scope, LEVEL_##level, name##_group},
#include "groups.def"
#undef GROUP
};

__attribute__((noreturn)) static void group_child(const struct group *g, const struct target *target,
                                                  const struct token *token, const char *key)
{
    alarm(deadline_seconds);
    struct rig rig;
    if (rig_up(&rig, target, token, key, g->level))
        g->run(&rig);
    rig_down(&rig);
    about("exit after C_Finalize");
    exit(RAN_TO_THE_END);
}

static void end_judge(int status)
{
    const char *last = checks_last();
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        check("hang", text("still running after %u s; last: %s", deadline_seconds, last), false);
    else if (WIFSIGNALED(status))
        check("crash", text("%s; last: %s", strsignal(WTERMSIG(status)), last), false);
    else
        check("end", text("the group runs to its end (exit %d); last: %s", WEXITSTATUS(status), last),
              WEXITSTATUS(status) == RAN_TO_THE_END);
}

static void group_run(const struct group *g, const struct target *target, const struct token *token, const char *key)
{
    checks_subject("%s%s%s%s%s", g->name, token ? " · " : "", token ? token->label : "", key ? " · " : "",
                   key ? key : "");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        group_child(g, target, token, key);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        check("set-up", "fork and waitpid", false);
    else
        end_judge(status);
}

static void group_run_all(const struct group *g, const struct target *target)
{
    if (g->scope == SCOPE_MODULE) {
        group_run(g, target, &target->tokens[0], NULL);
        return;
    }
    for (size_t t = 0; t < target->token_count; t++) {
        const struct token *token = &target->tokens[t];
        if (g->scope == SCOPE_TOKEN)
            group_run(g, target, token, token->keys[0]);
        for (size_t k = 0; g->scope == SCOPE_KEY && k < token->key_count; k++)
            group_run(g, target, token, token->keys[k]);
    }
}

static int usage(void)
{
    fputs("usage: conformance -m MODULE -p PIN [-d SECONDS] {-t TOKEN -k LABEL [-k LABEL]…}… [GROUP…]\n"
          "Checks a PKCS#11 module for read-only signing tokens against the text of PKCS#11 2.40 and 3.0.\n"
          "Each key is a private key, a public key and, if there is one, a certificate of that CKA_LABEL.\n"
          "A group of checks that still runs after SECONDS (120) has failed.\n"
          "Exit status: 0 when every check passed.\n",
          stderr);
    return 2;
}

static bool target_add(struct target *target, int option, const char *value)
{
    struct token *token = target->token_count ? &target->tokens[target->token_count - 1] : NULL;
    switch (option) {
    case 'm':
        target->path = value;
        return true;
    case 'p':
        target->pin = value;
        return true;
    case 'd':
        deadline_seconds = (unsigned)strtoul(value, NULL, 10);
        return deadline_seconds > 0;
    case 't':
        if (target->token_count == TOKENS_MAX)
            return false;
        target->tokens[target->token_count++] = (struct token){.label = value};
        return true;
    case 'k':
        if (!token || token->key_count == KEYS_MAX)
            return false;
        token->keys[token->key_count++] = value;
        return true;
    default:
        return false;
    }
}

static bool target_parse(struct target *target, int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "m:p:d:t:k:")) != -1) {
        if (!target_add(target, option, optarg))
            return false;
    }
    bool whole = target->path && target->pin && target->token_count > 0;
    for (size_t i = 0; i < target->token_count; i++)
        whole = whole && target->tokens[i].key_count > 0;
    return whole;
}

static bool is_wanted(const struct group *g, char **names, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], g->name) == 0)
            return true;
    }
    return count == 0;
}

int main(int argc, char **argv)
{
    struct target target = {0};
    if (!target_parse(&target, argc, argv))
        return usage();
    if (!checks_init()) {
        perror("conformance: mmap");
        return 2;
    }
    unsigned long ran = 0;
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        if (!is_wanted(&groups[i], argv + optind, argc - optind))
            continue;
        group_run_all(&groups[i], &target);
        ran++;
    }
    struct counts counts = checks_counted();
    printf("%lu passed, %lu failed\n", counts.passed, counts.failed);
    return ran > 0 && counts.passed > 0 && counts.failed == 0 ? 0 : 1;
}
