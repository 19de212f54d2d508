/* SPDX-License-Identifier: Apache-2.0 */
/* Lets the Nth allocation of the code under test fail; link with FAILING_MALLOC_LINK. */
#pragma once

void failing_malloc_arm(int nth); /* 1 is the next allocation; 0 lets all pass */
/* True when the armed failure was reached; disarms. */
int failing_malloc_hit(void);
