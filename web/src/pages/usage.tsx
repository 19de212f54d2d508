// SPDX-License-Identifier: Apache-2.0
// Reports of what was signed: by key, project, signer or in all, a day or a month each; as chart, table, CSV and on paper.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { withQuery, type Query } from '../api/client';
import type { DayUsage, Usage, UsageList } from '../api/types';
import { currentQuery, href } from '../app/router';
import { csvOf } from '../lib/csv';
import { capital, download, number, plural } from '../lib/text';
import { utcDay } from '../lib/time';
import { seriesOf } from '../lib/usage';
import { Button, Card, Empty, Figure, Grid, Loading, PageHead, Problem } from '../ui/basic';
import { DayChart } from '../ui/chart';
import { DayFilter, Filters, SelectFilter, TextFilter, useFilter } from '../ui/filter';
import { readAll, useQuery, type Loaded } from '../ui/query';
import { Table, type Column } from '../ui/table';
import { toastError } from '../ui/toast';

/** Of a table; all are in the CSV file. */
const shownMost = 500;

type Group = 'key' | 'project' | 'signer' | 'none';
const groups: [Group, string][] = [
  ['key', 'Key'],
  ['project', 'Project'],
  ['signer', 'Signer'],
  ['none', 'All together'],
];

const monthsBack = (count: number) => {
  const today = new Date();
  return new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - count, 1)).toISOString().slice(0, 10);
};
const isDay = (text: string | undefined): text is string => !!text && /^\d{4}-\d\d-\d\d$/.test(text);

/** Every day or month from the first to the last, also those in which nothing was signed. */
function periodsOf(from: string, to: string, byMonth: boolean): string[] {
  const found: string[] = [];
  const at = new Date(`${byMonth ? from.slice(0, 7) + '-01' : from}T00:00:00Z`);
  for (let i = 0; i < 5000; i++) {
    const day = at.toISOString().slice(0, 10);
    if (day > to) break;
    found.push(byMonth ? day.slice(0, 7) : day);
    if (byMonth) at.setUTCMonth(at.getUTCMonth() + 1);
    else at.setUTCDate(at.getUTCDate() + 1);
  }
  return found;
}

const unnamed = <span class="muted">not counted by signer then</span>;

function nameColumns(group: Group): Column<Usage>[] {
  const project: Column<Usage> = {
    head: 'Project',
    kind: group === 'project' ? 'main' : undefined,
    cell: (r) => (r.project ? <a href={href('/projects', r.project)}>{r.project}</a> : '–'),
  };
  if (group === 'key')
    return [
      {
        head: 'Key',
        kind: 'main',
        cell: (r) => (r.label ? <a href={href('/keys', `${r.project}:${r.label}`)}>{r.label}</a> : (r.key ?? '–')),
      },
      project,
    ];
  if (group === 'project') return [project];
  return group === 'signer' ? [{ head: 'Signer', kind: 'main', cell: (r) => r.signer ?? unnamed }] : [];
}

const countColumns: Column<Usage>[] = [
  { head: 'Signed', kind: 'number', cell: (t) => number(t.success) },
  { head: 'Refused', kind: 'number', cell: (t) => number(t.refused) },
  { head: 'Failed', kind: 'number', cell: (t) => number(t.failed) },
];

function saveCsv(rows: Usage[], group: Group, from: string, to: string) {
  const names: Record<Group, [string, (r: Usage) => string | null][]> = {
    key: [
      ['project', (r) => r.project],
      ['key', (r) => r.label],
    ],
    project: [['project', (r) => r.project]],
    signer: [
      ['signer', (r) => r.signer],
      ['signer_id', (r) => r.signer_id],
    ],
    none: [],
  };
  const columns = names[group];
  const head = ['period_utc', ...columns.map(([name]) => name), 'signed', 'refused', 'failed'];
  const lines = rows.map((r) => [r.day, ...columns.map(([, of]) => of(r)), r.success, r.refused, r.failed]);
  download(`chancery-usage-by-${group}-${from}-${to}.csv`, csvOf([head, ...lines]), 'text/csv');
}

/** Reads all rows of `list`, a thousand at a time, and saves them; whoever leaves the page, or presses again, ends that. */
function CsvButton({ list, save }: { list: string; save: (rows: Usage[]) => void }) {
  const [read, setRead] = useState<number | null>(null);
  const reading = useRef<AbortController | null>(null);
  useEffect(() => () => reading.current?.abort(), [list]);
  const begin = async () => {
    const cancel = new AbortController();
    reading.current = cancel;
    setRead(0);
    try {
      save(await readAll<Usage>(list, cancel.signal, { most: Infinity, onRead: setRead }));
    } catch (e) {
      if (!cancel.signal.aborted) toastError(e);
    } finally {
      if (reading.current === cancel) {
        reading.current = null;
        setRead(null);
      }
    }
  };
  const stop = () => {
    reading.current?.abort();
    reading.current = null;
    setRead(null);
  };
  return read === null ? (
    <Button icon="download" onClick={() => void begin()}>
      CSV
    </Button>
  ) : (
    <Button icon="cross" onClick={stop}>
      Stop reading: {plural(read, 'row')}
    </Button>
  );
}

/** A table of the first rows that the server has in this order. */
function Rows({
  of: list,
  title,
  caption,
  columns,
  order,
}: {
  of: Loaded<UsageList>;
  title: string;
  caption: string;
  columns: Column<Usage>[];
  /** "newest": in the words that say that these are not all. */
  order: string;
}) {
  if (!list.data)
    return list.error ? <Problem error={list.error} retry={list.reload} /> : <Loading lines={6} label={title} />;
  const { items, total } = list.data;
  return (
    <Card title={title} flush>
      <Table
        caption={caption}
        rows={items}
        id={(r) => `${r.day} ${r.key} ${r.project} ${r.signer_id}`}
        columns={columns}
      />
      {total !== null && total > items.length && (
        <p class="card-note muted">
          The {order} {number(items.length)} of {plural(total, 'row')}; all are in the CSV file.
        </p>
      )}
    </Card>
  );
}

function Sums({ rows, periods, each }: { rows: DayUsage[]; periods: string[]; each: 'month' | 'day' }) {
  const series = useMemo(() => seriesOf(rows, periods), [rows, periods]);
  const [signed, refused, failed] = series.map((s) => s.values.reduce((a, b) => a + b, 0));
  const label = `Signatures a ${each}`;
  return (
    <>
      <Grid columns={3}>
        <Figure label="Signed" value={number(signed!)} />
        <Figure label="Refused" value={number(refused!)} />
        <Figure label="Failed" value={number(failed!)} tone={failed ? 'bad' : undefined} />
      </Grid>
      <Card title={label}>
        <DayChart label={label} days={periods} series={series} />
      </Card>
    </>
  );
}

export function UsageReport() {
  const filter = useFilter('project', 'key', 'principal');
  const query = currentQuery.value;
  const group = groups.find(([g]) => g === query.get('group'))?.[0] ?? 'key';
  const byMonth = query.get('period') !== 'day';
  const asked = { from: query.get('from') ?? undefined, to: query.get('to') ?? undefined };
  const from = isDay(asked.from) ? asked.from : byMonth ? monthsBack(11) : utcDay(-29);
  const to = isDay(asked.to) ? asked.to : utcDay();
  const period = byMonth ? 'month' : 'day';
  const list = (more: Query) => withQuery('/v1/usage', { ...filter, from, to, ...more });
  // The server adds up: three requests at once, whatever there is.
  const sums = useQuery<DayUsage[]>(list({ group: 'none', period }), { read: readAll });
  const most = useQuery<UsageList>(
    group === 'none' ? null : list({ group, period: 'all', order: 'most', limit: shownMost }),
  );
  const newest = useQuery<UsageList>(list({ group, period, order: 'newest', limit: shownMost }));
  const periods = useMemo(() => periodsOf(from, to, byMonth), [from, to, byMonth]);
  const what = groups.find(([g]) => g === group)![1].toLowerCase();
  return (
    <>
      <PageHead
        title="Usage"
        lead="How many signatures were made, refused and failed. Days and months are those of UTC, as quotas count them."
      >
        {!!sums.data?.length && (
          <CsvButton list={list({ group, period })} save={(rows) => saveCsv(rows, group, from, to)} />
        )}
        <Button icon="file" onClick={() => window.print()}>
          Print
        </Button>
      </PageHead>
      <Filters>
        <SelectFilter name="group" label="By" any="Key" choices={groups.filter(([g]) => g !== 'key')} />
        <SelectFilter name="period" label="Each" any="Month" choices={[['day', 'Day']]} />
        <DayFilter name="from" label="From" value={from} />
        <DayFilter name="to" label="To" value={to} />
        <TextFilter name="project" label="Project" />
        <TextFilter name="key" label="Key" placeholder="project:label" />
        <TextFilter name="principal" label="Signer" />
      </Filters>
      <p class="printed">
        {from} to {to}
        {Object.entries(filter).map(([name, value]) => value && `, ${name} ${value}`)}
      </p>
      {sums.error && !sums.data ? (
        <Problem error={sums.error} retry={sums.reload} />
      ) : !sums.data ? (
        <Loading lines={8} label="The report" />
      ) : sums.data.length === 0 ? (
        <Card>
          <Empty icon="usage" title="Nothing was signed in this time">
            Or it was signed with keys whose usage you may not see: it is for the owners of a project, auditors and
            administrators.
          </Empty>
        </Card>
      ) : (
        <>
          <Sums rows={sums.data} periods={periods} each={period} />
          {group !== 'none' && (
            <Rows
              of={most}
              title={`By ${what}`}
              caption={`Signatures by ${what}`}
              columns={[...nameColumns(group), ...countColumns]}
              order="first"
            />
          )}
          <Rows
            of={newest}
            title={`Each ${period}`}
            caption={`Signatures of each ${period}`}
            columns={[
              { head: `${capital(period)} (UTC)`, kind: 'main', cell: (r) => r.day },
              ...nameColumns(group).map((c) => ({ ...c, kind: undefined })),
              ...countColumns,
            ]}
            order="newest"
          />
        </>
      )}
    </>
  );
}
