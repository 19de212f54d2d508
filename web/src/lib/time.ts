// SPDX-License-Identifier: Apache-2.0
// Times as people read them: in the local zone, with the time in UTC at hand.

const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const dateOnly = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

export const local = (at: Date) => dateTime.format(at);
export const localExact = (at: Date) => exact.format(at);
export const localDate = (at: Date) => dateOnly.format(at);
export const utc = (at: Date) => `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

const steps: [number, Intl.RelativeTimeFormatUnit][] = [
  [dayMs * 365, 'year'],
  [dayMs * 30, 'month'],
  [dayMs, 'day'],
  [hourMs, 'hour'],
  [minuteMs, 'minute'],
];

/** "3 hours ago", "in 2 days". */
export function fromNow(at: Date): string {
  const now = Date.now();
  const difference = at.getTime() - now;
  for (const [length, unit] of steps)
    if (Math.abs(difference) >= length) return relative.format(Math.trunc(difference / length), unit);
  return Math.abs(difference) < 10_000 ? 'just now' : relative.format(Math.trunc(difference / 1000), 'second');
}

/** "2026-01-31" of UTC, `days` from today: what usage is counted by. */
export function utcDay(days = 0): string {
  return new Date(Date.now() + days * dayMs).toISOString().slice(0, 10);
}

/** Of <input type="datetime-local">, which is in the local zone, to RFC 3339. */
export function fromInput(value: string): string | undefined {
  return value ? new Date(value).toISOString() : undefined;
}
export function toInput(iso: string | null): string {
  if (!iso) return '';
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return '';
  return new Date(at.getTime() - at.getTimezoneOffset() * minuteMs).toISOString().slice(0, 16);
}
