// SPDX-License-Identifier: Apache-2.0
// Signatures a day by outcome, of a key, a project, or all that the caller may see.
import { useMemo } from 'preact/hooks';
import { withQuery } from '../api/client';
import { ApiError } from '../api/problem';
import type { Usage } from '../api/types';
import { href } from '../app/router';
import { lastDays, seriesOf } from '../lib/usage';
import { Card, Empty, Loading, Problem } from './basic';
import { DayChart } from './chart';
import { readAll, useQuery } from './query';

export function UsageCard({
  title,
  of,
  days: count = 30,
  wide,
  report,
}: {
  title: string;
  of?: { key?: string; project?: string };
  days?: number;
  wide?: boolean;
  /** Filters of the report that the card leads to: names, as people write them. */
  report?: { key?: string; project?: string };
}) {
  const days = useMemo(() => lastDays(count), [count]);
  const usage = useQuery<Usage[]>(withQuery('/v1/usage', { ...of, group: 'none', from: days[0] }), { read: readAll });
  const series = useMemo(() => usage.data && seriesOf(usage.data, days), [usage.data, days]);
  const isHidden = usage.error instanceof ApiError && usage.error.status === 403;
  if (isHidden) return null;
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
