/* SPDX-License-Identifier: Apache-2.0 */
/* The fake Chancery as a process of its own, so that what the module does to its host happens to the host alone. Prints
 * the path of a client.conf and serves until its standard input ends.
 *   chancery_test_server PASSPHRASE [SIGNATURES-UNTIL-IT-DIES] */
#include <stdio.h>

#include "tests/unit/client/fake_chancery.h"

int main(int argc, char **argv)
{
    struct chancery c;
    must(argc == 2 || argc == 3);
    chancery_start_locked(&c, argv[1]);
    if (argc == 3)
        c.die_at_signature = atoi(argv[2]);
    (void)printf("%s\n", c.config);
    (void)fflush(stdout);
    while (getchar() != EOF)
        ;
    chancery_stop(&c);
    return 0;
}
