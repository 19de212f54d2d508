// SPDX-License-Identifier: Apache-2.0
// Usage, added up by day.
import type { DayUsage } from '../api/types';
import type { Series } from '../ui/chart';
import { utcDay } from './time';

/** The last `count` days, oldest first. */
export const lastDays = (count: number) => Array.from({ length: count }, (_, i) => utcDay(i - count + 1));

export function seriesOf(rows: DayUsage[], days: string[]): Series[] {
  const sum = (of: 'success' | 'refused' | 'failed') => {
    const byDay = new Map<string, number>();
    for (const row of rows) byDay.set(row.day, (byDay.get(row.day) ?? 0) + row[of]);
    return days.map((d) => byDay.get(d) ?? 0);
  };
  return [
    { label: 'Signed', color: '--bar-good', values: sum('success') },
    { label: 'Refused', color: '--bar-warn', values: sum('refused') },
    { label: 'Failed', color: '--bar-bad', values: sum('failed') },
  ];
}
