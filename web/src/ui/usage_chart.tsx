// SPDX-License-Identifier: Apache-2.0
// Signatures a day by outcome: of rows that are there, or of a key or a project, asked for here.
import { useMemo } from 'preact/hooks';
import { withQuery } from '../api/client';
import { ApiError } from '../api/problem';
import type { DayUsage } from '../api/types';
import { href } from '../app/router';
import { lastDays, seriesOf } from '../lib/usage';
import { Card, Empty, Loading, Problem } from './basic';
import { DayChart } from './chart';
import { readAll, useQuery, type Loaded } from './query';

interface Shape {
  title: string;
  days?: number;
  wide?: boolean;
  /** Filters of the report that the card leads to: names, as people write them. */
  report?: { key?: string; project?: string };
}

/** Rows of the last `days` days. */
export function DayUsageCard({
  title,
  of: usage,
  days: count = 30,
  wide,
  report,
}: Shape & { of: Pick<Loaded<DayUsage[]>, 'data' | 'error' | 'reload'> }) {
  const days = useMemo(() => lastDays(count), [count]);
  const series = useMemo(() => usage.data && seriesOf(usage.data, days), [usage.data, days]);
  return (
    <Card title={title} wide={wide} actions={<a href={href('/usage', report ?? {})}>Report</a>}>
      {usage.error && !series ? (
        <Problem error={usage.error} retry={usage.reload} />
      ) : !series ? (
        <Loading lines={5} />
      ) : usage.data!.length === 0 ? (
        <Empty icon="usage" title={`Nothing was signed in the last ${count} days`} />
      ) : (
        <DayChart label={title} days={days} series={series} />
      )}
    </Card>
  );
}

export function UsageCard({ of, days = 30, ...shape }: Shape & { of: { key: string } | { project: string } }) {
  const from = useMemo(() => lastDays(days)[0], [days]);
  const usage = useQuery<DayUsage[]>(withQuery('/v1/usage', { ...of, from, group: 'none' }), { read: readAll });
  const isHidden = usage.error instanceof ApiError && usage.error.status === 403;
  return isHidden ? null : <DayUsageCard of={usage} days={days} {...shape} />;
}
