/* SPDX-License-Identifier: Apache-2.0 */
/* The program: everything is in cli_main. */
#include "cli/cli.h"

int main(int argc, char *argv[])
{
    return cli_main(argc, argv, stdout, stderr);
}
