// SPDX-License-Identifier: Apache-2.0
// Reports of what was signed: by key, project, signer or in all, a day or a month each; as chart, table, CSV and on paper.
import { useMemo } from 'preact/hooks';
import { api, withQuery } from '../api/client';
import type { Page, Usage } from '../api/types';
import { currentQuery, href } from '../app/router';
import { csvOf } from '../lib/csv';
import { download, number, plural } from '../lib/text';
import { utcDay } from '../lib/time';
import { seriesOf } from '../lib/usage';
import { Button, Card, Empty, Figure, Grid, Loading, Note, PageHead, Problem } from '../ui/basic';
import { DayChart } from '../ui/chart';
import { DayFilter, Filters, SelectFilter, TextFilter, useFilter } from '../ui/filter';
import { useQuery } from '../ui/query';
import { Table, type Column } from '../ui/table';

const rowsMost = 20_000;
const shownMost = 500;

interface Report {
  rows: Usage[];
  /** There is more than was read. */
  isCut: boolean;
}

async function readReport(address: string, signal: AbortSignal): Promise<Report> {
  const rows: Usage[] = [];
  for (let after: string | null | undefined; after !== null;) {
    const page: Page<Usage> = await api.get<Page<Usage>>(withQuery(address, { limit: 1000, after }), { signal });
    rows.push(...page.items);
    after = page.next;
    if (rows.length >= rowsMost && after !== null) return { rows, isCut: true };
  }
  return { rows, isCut: false };
}

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

interface Total {
  id: string;
  row: Usage;
  success: number;
  refused: number;
  failed: number;
}

/** All periods of one key, project or signer added up; who signed most comes first. */
function totalsOf(rows: Usage[]): Total[] {
  const byId = new Map<string, Total>();
  for (const row of rows) {
    const id = row.key ?? row.project ?? row.signer_id ?? '';
    const total = byId.get(id) ?? { id, row, success: 0, refused: 0, failed: 0 };
    total.success += row.success;
    total.refused += row.refused;
    total.failed += row.failed;
    byId.set(id, total);
  }
  return [...byId.values()].sort((a, b) => b.success - a.success || b.refused - a.refused);
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

const countColumns: Column<Pick<Usage, 'success' | 'refused' | 'failed'>>[] = [
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

function Totals({ rows, group }: { rows: Usage[]; group: Group }) {
  const totals = useMemo(() => totalsOf(rows), [rows]);
  const what = groups.find(([g]) => g === group)![1];
  if (group === 'none') return null;
  return (
    <Card title={`By ${what.toLowerCase()}`} flush>
      <Table
        caption={`Signatures by ${what.toLowerCase()}`}
        rows={totals.slice(0, shownMost)}
        id={(t) => t.id}
        columns={[...nameColumns(group).map((c) => ({ ...c, cell: (t: Total) => c.cell(t.row) })), ...countColumns]}
      />
      {totals.length > shownMost && (
        <p class="card-note muted">
          The first {number(shownMost)} of {number(totals.length)}; all are in the CSV file.
        </p>
      )}
    </Card>
  );
}

function Periods({ rows, group, byMonth }: { rows: Usage[]; group: Group; byMonth: boolean }) {
  const newest = useMemo(() => [...rows].reverse(), [rows]);
  const each = byMonth ? 'month' : 'day';
  return (
    <Card title={`Each ${each}`} flush>
      <Table
        caption={`Signatures of each ${each}`}
        rows={newest.slice(0, shownMost)}
        id={(r) => `${r.day} ${r.key} ${r.project} ${r.signer_id}`}
        columns={[
          { head: byMonth ? 'Month (UTC)' : 'Day (UTC)', kind: 'main', cell: (r) => r.day },
          ...nameColumns(group).map((c) => ({ ...c, kind: undefined })),
          ...countColumns,
        ]}
      />
      {newest.length > shownMost && (
        <p class="card-note muted">
          The newest {number(shownMost)} of {plural(newest.length, 'row')}; all are in the CSV file.
        </p>
      )}
    </Card>
  );
}

function ReportView({
  report,
  group,
  byMonth,
  from,
  to,
}: {
  report: Report;
  group: Group;
  byMonth: boolean;
  from: string;
  to: string;
}) {
  const { rows } = report;
  const periods = useMemo(() => periodsOf(from, to, byMonth), [from, to, byMonth]);
  const series = useMemo(() => seriesOf(rows, periods), [rows, periods]);
  const [signed, refused, failed] = series.map((s) => s.values.reduce((a, b) => a + b, 0));
  if (rows.length === 0)
    return (
      <Card>
        <Empty icon="usage" title="Nothing was signed in this time">
          Or it was signed with keys whose usage you may not see: it is for the owners of a project, auditors and
          administrators.
        </Empty>
      </Card>
    );
  return (
    <>
      {report.isCut && (
        <Note tone="warn" title={`Only the first ${number(rowsMost)} rows were read`}>
          Choose a shorter time, or months instead of days.
        </Note>
      )}
      <Grid columns={3}>
        <Figure label="Signed" value={number(signed!)} />
        <Figure label="Refused" value={number(refused!)} />
        <Figure label="Failed" value={number(failed!)} tone={failed ? 'bad' : undefined} />
      </Grid>
      <Card title={byMonth ? 'Signatures a month' : 'Signatures a day'}>
        <DayChart label={byMonth ? 'Signatures a month' : 'Signatures a day'} days={periods} series={series} />
      </Card>
      <Totals rows={rows} group={group} />
      <Periods rows={rows} group={group} byMonth={byMonth} />
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
  const address = withQuery('/v1/usage', { ...filter, group, period: byMonth ? 'month' : 'day', from, to });
  const report = useQuery<Report>(address, { read: readReport });
  return (
    <>
      <PageHead
        title="Usage"
        lead="How many signatures were made, refused and failed. Days and months are those of UTC, as quotas count them."
      >
        <Button
          icon="download"
          disabled={!report.data?.rows.length}
          onClick={() => saveCsv(report.data!.rows, group, from, to)}
        >
          CSV
        </Button>
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
      {report.error && !report.data ? (
        <Problem error={report.error} retry={report.reload} />
      ) : report.data ? (
        <ReportView report={report.data} group={group} byMonth={byMonth} from={from} to={to} />
      ) : (
        <Loading lines={8} label="The report" />
      )}
    </>
  );
}
