/* SPDX-License-Identifier: Apache-2.0 */
/* A Windows program to be signed. */
#include <stdio.h>

int main(void)
{
    puts("Sealed by the chancery.");
    return 0;
}
