// SPDX-License-Identifier: Apache-2.0
// Whether the server answers. While it does not, it is asked again and again, slower each time; when it does again, what
// the page shows is loaded anew.
import { signal } from '@preact/signals';
import { dataChanged } from './changes';

export const isLost = signal(false);
/** Seconds until the next try. */
export const nextTry = signal(0);

const longest = 15;
let wait = 1;
let timer: number | undefined;

async function ask() {
  try {
    const answer = await fetch('/livez', { cache: 'no-store' });
    if (answer.ok) return connectionFound();
  } catch {
    // still lost
  }
  wait = Math.min(wait * 2, longest);
  countDown(wait);
}

function countDown(seconds: number) {
  nextTry.value = seconds;
  window.clearTimeout(timer);
  timer = window.setTimeout(() => (seconds > 1 ? countDown(seconds - 1) : void ask()), 1000);
}

export function tryNow() {
  window.clearTimeout(timer);
  void ask();
}

export function connectionLost() {
  if (isLost.value) return;
  isLost.value = true;
  wait = 1;
  countDown(wait);
}

export function connectionFound() {
  if (!isLost.value) return;
  window.clearTimeout(timer);
  isLost.value = false;
  dataChanged();
}
