// SPDX-License-Identifier: Apache-2.0
// Short words about what has happened, read out by assistive technology and gone after a while.
import { signal } from '@preact/signals';
import { capital } from '../lib/text';
import { Icon } from './icons';

interface Toast {
  id: number;
  text: string;
  tone: 'good' | 'bad';
}
const toasts = signal<Toast[]>([]);
let last = 0;

export function toast(text: string, tone: Toast['tone'] = 'good') {
  const id = ++last;
  toasts.value = [...toasts.value.slice(-3), { id, text, tone }];
  setTimeout(() => dismiss(id), tone === 'bad' ? 10_000 : 5_000);
}

/** Of what went wrong where no form shows it. */
export const toastError = (e: unknown) => toast(e instanceof Error ? capital(e.message) : String(e), 'bad');

function dismiss(id: number) {
  toasts.value = toasts.value.filter((t) => t.id !== id);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((t) => (
        <div key={t.id} class={`toast ${t.tone}`}>
          <Icon name={t.tone === 'good' ? 'check' : 'warning'} />
          <span>{t.text}</span>
          <button type="button" class="copy" aria-label="Close this message" onClick={() => dismiss(t.id)}>
            <Icon name="cross" />
          </button>
        </div>
      ))}
    </div>
  );
}
