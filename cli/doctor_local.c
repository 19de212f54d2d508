/* SPDX-License-Identifier: Apache-2.0 */
/* chancery doctor on this machine: the configuration and the files it names. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "common/file.h"

enum { FILE_MAX = 1024 * 1024 };

status doctor_configuration(struct doctor *d, struct finding *f, struct error *err)
{
    cleanup_client_config struct client_config *config = NULL;
    TRY(client_config_load(cli_option(d->cli, "config"), &config, err));
    finding_say(f, "%s: %s, %s", config->path, config->url,
                config->credential == CREDENTIAL_API_KEY ? "API key" : config->account);
    d->reached |= DOCTOR_CONFIGURED;
    return OK;
}

/* Whether the directory of a file that is written later takes new files. */
static status directory_check(const char *path, const char *what, struct error *err)
{
    const char *slash = strrchr(path, '/');
    cleanup_free char *directory = !slash ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (!directory)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    if (access(directory, W_OK | X_OK) != 0)
        return error_set(err, CODE_IO, "%s: %s cannot be written there (directory missing or not writable)", path,
                         what);
    return OK;
}

static status file_check(const char *path, int checks, struct error *err)
{
    cleanup_buf struct buf content = {0};
    return path ? file_read(path, FILE_MAX, checks, &content, err) : OK;
}

static status files_check(const struct client_config *config, struct error *err)
{
    TRY(file_check(config->ca_path, FILE_NOT_WRITABLE_BY_OTHERS, err));
    TRY(file_check(config->key_path, FILE_PRIVATE, err));
    TRY(file_check(config->client_certificate_path, FILE_NOT_WRITABLE_BY_OTHERS, err));
    TRY(file_check(config->client_key_path, FILE_PRIVATE, err));
    TRY(file_check(config->proxy_credentials_path, FILE_PRIVATE, err));
    TRY(file_check(config->api_key_path, FILE_PRIVATE, err));
    if (config->public_data_path)
        TRY(directory_check(config->public_data_path, "public data", err));
    if (config->log_path && strcmp(config->log_path, "-") != 0)
        TRY(directory_check(config->log_path, "the log", err));
    return OK;
}

status doctor_files(struct doctor *d, struct finding *f, struct error *err)
{
    cleanup_client_config struct client_config *config = NULL;
    TRY(client_config_load(cli_option(d->cli, "config"), &config, err));
    status checked = files_check(config, err);
    if (!is_ok(checked)) {
        d->reached &= ~(unsigned)DOCTOR_CONFIGURED; /* nothing that follows could work with them */
        return checked;
    }
    finding_say(f, "all there, with the right modes");
    if (!config->public_data_path) {
        finding_note(f, "all there; no [cache] public_data");
        finding_advise(
            f, "with public_data = FILE certificates can be seen before login, and short-lived tools save a request");
    }
    return OK;
}
