// SPDX-License-Identifier: Apache-2.0
// A number that grows with each change made from this page: what is shown is then loaded again, behind what is there.
import { signal } from '@preact/signals';

export const changes = signal(0);
export function dataChanged() {
  changes.value++;
}
