/* SPDX-License-Identifier: Apache-2.0 */
/* Lets the Nth allocation of this thread in the code under test fail; link failing_malloc. */
#pragma once

void failing_malloc_arm(int nth); /* 1 is the next allocation; 0 lets all pass */
/* True when the armed failure was reached; disarms. */
int failing_malloc_hit(void);
