// SPDX-License-Identifier: Apache-2.0
// Who is signed in, and what can interrupt a request: the session has ended, the action asks for the secret again, or a
// one-time password must be changed. All keep the request waiting, so that nothing typed is lost.
import { computed, signal } from '@preact/signals';
import type { Session } from './types';

export const session = signal<Session | null>(null);
export const role = computed(() => session.value?.role ?? null);
export const isAdministrator = computed(() => role.value === 'administrator');
/** Administrators and auditors see everything. */
export const readsAll = computed(() => role.value === 'administrator' || role.value === 'auditor');

/** There may be a cookie, which the page itself cannot see: only then the server is asked at start. */
const hint = 'chancery.session';
export const mayHaveSession = () => localStorage.getItem(hint) !== null;

export interface Interruption {
  kind: 'ended' | 'confirm' | 'password';
  done: (went: boolean) => void;
}
/** Shown by the application as a dialog over the page. */
export const interruption = signal<Interruption | null>(null);

let waiting: Promise<boolean> | null = null;

/** Resolves when the person has signed in again or confirmed; false when they closed the dialog. One at a time. */
export function interrupt(kind: Interruption['kind']): Promise<boolean> {
  waiting ??= new Promise<boolean>((resolve) => {
    interruption.value = { kind, done: resolve };
  }).finally(() => {
    waiting = null;
    interruption.value = null;
  });
  return waiting;
}

export function sessionOpened(opened: Session) {
  localStorage.setItem(hint, '1');
  session.value = opened;
}

export function sessionClosed() {
  localStorage.removeItem(hint);
  session.value = null;
}
