// SPDX-License-Identifier: Apache-2.0
// HSMs: whether they answer, what they are and can do, and whether store and HSM agree.
import { api, path } from '../api/client';
import { ApiError } from '../api/problem';
import { isAdministrator } from '../api/session';
import type { Hsm, HsmFinding, HsmReport, Page } from '../api/types';
import type { PageProps } from '../app/page';
import { href } from '../app/router';
import { nameOf, number, plural } from '../lib/text';
import {
  Badge,
  Button,
  Card,
  Code,
  Empty,
  Facts,
  Figure,
  Grid,
  Loading,
  Note,
  PageHead,
  Problem,
  Time,
} from '../ui/basic';
import { confirmAction } from '../ui/dialog';
import { useQuery } from '../ui/query';
import { Table, type Column } from '../ui/table';
import { Tabs } from '../ui/tabs';

const words = (list: string[]) => (
  <ul class="words">
    {list.map((w) => (
      <li key={w}>{nameOf(w)}</li>
    ))}
  </ul>
);

const columns: Column<Hsm>[] = [
  { head: 'Name', kind: 'main', cell: (h) => <a href={href('/hsms', h.name)}>{h.name}</a> },
  { head: 'State', cell: (h) => <Badge state={h.state} /> },
  { head: 'Token', cell: (h) => h.token },
  { head: 'Model', cell: (h) => [h.manufacturer, h.model].filter(Boolean).join(' ') },
  { head: 'Makes', cell: (h) => words(h.key_types) },
];

export function Hsms() {
  const list = useQuery<Page<Hsm>>('/v1/hsms', { every: 15_000 });
  return (
    <>
      <PageHead title="HSMs" lead="Where private keys are made and stay. Every signature is made in one of these." />
      {!!list.error && <Problem error={list.error} retry={list.reload} />}
      <Card flush>
        {!list.data ? (
          list.error ? null : (
            <Loading label="HSMs" />
          )
        ) : list.data.items.length === 0 ? (
          <Empty icon="hsm" title="The server has no HSM" />
        ) : (
          <Table caption="HSMs" rows={list.data.items} id={(h) => h.name} columns={columns} />
        )}
      </Card>
    </>
  );
}

function About({ of }: { of: Hsm }) {
  return (
    <Grid>
      <Card title="Token">
        <Facts
          rows={[
            ['Label', of.token],
            ['Manufacturer', of.manufacturer],
            ['Model', of.model],
            ['Serial number', of.serial && <Code text={of.serial} label="serial number" />],
            ['Library', `${of.library} ${of.library_version}`],
            ['Firmware', of.firmware_version],
            ['Hardware', of.hardware_version],
            ['Sessions', plural(of.sessions, 'session')],
          ]}
        />
      </Card>
      <Card title="What it can do">
        <Facts
          rows={[
            ['Makes keys of', of.key_types.length ? words(of.key_types) : 'none: it was not seen yet'],
            ['Signs by', of.mechanisms.length ? words(of.mechanisms) : 'nothing: it was not seen yet'],
          ]}
        />
      </Card>
    </Grid>
  );
}

function Limits({ of }: { of: NonNullable<Hsm['mechanism_limits']> }) {
  const bits = (n: number | null) => (n === null ? <span class="muted">not told</span> : number(n));
  return (
    <Card flush>
      <Table
        caption="Mechanisms of the token"
        rows={of}
        id={(m) => m.mechanism}
        columns={[
          { head: 'Mechanism', kind: 'main', cell: (m) => <code>{m.mechanism}</code> },
          { head: 'Shortest key (bits)', kind: 'number', cell: (m) => bits(m.min_bits) },
          { head: 'Longest key (bits)', kind: 'number', cell: (m) => bits(m.max_bits) },
        ]}
      />
    </Card>
  );
}

// ---- store and HSM compared

const findingColumns: Column<HsmFinding>[] = [
  {
    head: 'Key',
    kind: 'main',
    cell: (f) => <a href={href('/keys', `${f.project}:${f.label}`)}>{`${f.project}:${f.label}`}</a>,
  },
  { head: 'Version', kind: 'number', cell: (f) => f.version },
  { head: 'Found', cell: (f) => f.findings ?? '–' },
  { head: 'CKA_ID', cell: (f) => <Code text={f.cka_id} label="CKA_ID" short={16} /> },
];

function Findings({ title, help, rows, count }: { title: string; help: string; rows: HsmFinding[]; count: number }) {
  if (count === 0) return null;
  return (
    <Card title={title} flush>
      <p class="card-note muted">
        {help}
        {count > rows.length && ` The first ${number(rows.length)} of ${number(count)} are shown.`}
      </p>
      <Table caption={title} rows={rows} id={(f) => `${f.key}.${f.version}`} columns={findingColumns} />
    </Card>
  );
}

function ReportView({ of: report }: { of: HsmReport }) {
  const { counts } = report;
  const isClean = counts.orphan + counts.missing + counts.weakened + counts.undestroyed === 0;
  return (
    <>
      <Grid columns={3}>
        <Figure label="Keys in the HSM" value={number(counts.hsm_keys)} />
        <Figure label="Key versions in the store" value={number(counts.versions)} />
        <Figure label="Missing" value={number(counts.missing)} tone={counts.missing ? 'bad' : 'good'} />
        <Figure label="Weakened" value={number(counts.weakened)} tone={counts.weakened ? 'bad' : 'good'} />
        <Figure label="In the HSM alone" value={number(counts.orphan)} tone={counts.orphan ? 'warn' : 'good'} />
        <Figure
          label="Not destroyed"
          value={number(counts.undestroyed)}
          tone={counts.undestroyed ? 'warn' : 'good'}
          detail={counts.recovered ? `${plural(counts.recovered, 'key')} found again` : undefined}
        />
      </Grid>
      {isClean && (
        <Note tone="good" title="Store and HSM agree">
          Each key in use is in the HSM, with the attributes it was made with.
        </Note>
      )}
      <Findings
        title="Missing"
        help="In the store, but not in the HSM. They sign nothing until they are found again."
        rows={report.missing}
        count={counts.missing}
      />
      <Findings
        title="Weakened"
        help="Their attributes in the HSM are weaker than when they were made."
        rows={report.weakened}
        count={counts.weakened}
      />
      <Findings
        title="Not destroyed"
        help="Destroyed here, but still in the HSM."
        rows={report.undestroyed}
        count={counts.undestroyed}
      />
      {counts.orphan > 0 && (
        <Card title="In the HSM alone" flush>
          <p class="card-note muted">
            No key here is these. They are left alone; one of them can be adopted by a project (
            <code>chancery key import</code>).
            {counts.orphan > report.orphan.length && ` The first ${number(report.orphan.length)} are shown.`}
          </p>
          <Table
            caption="Keys in the HSM alone"
            rows={report.orphan.map((o, i) => ({ ...o, i }))}
            id={(o) => String(o.i)}
            columns={[
              { head: 'Label in the HSM', kind: 'main', cell: (o) => o.hsm_label || '–' },
              { head: 'CKA_ID', cell: (o) => (o.cka_id ? <Code text={o.cka_id} label="CKA_ID" short={40} /> : '–') },
            ]}
          />
        </Card>
      )}
    </>
  );
}

function Comparison({ of }: { of: Hsm }) {
  const address = path`/v1/hsms/${of.name}/reconcile`;
  const report = useQuery<HsmReport>(address);
  const never = report.error instanceof ApiError && report.error.status === 404;
  const withheld = report.data?.counts.withheld ?? 0;
  const run = () =>
    confirmAction({
      title: `Compare the store with ${of.name} now?`,
      consequences: [
        'Each key of the store is looked for in the HSM, and its attributes are read.',
        'A key that is not found becomes missing and signs nothing; one that is found again is used again.',
      ],
      action: 'Compare now',
      run: () => api.post(address),
      done: `${of.name} was compared`,
    });
  const acceptLoss = () =>
    confirmAction({
      title: `Accept that ${of.name} has lost ${plural(withheld, 'key')}?`,
      consequences: [
        'All keys that are not found become missing. They sign nothing until they are found again.',
        'If the token is merely another one than yesterday, put the right one in and compare again instead.',
      ],
      action: 'Accept the loss',
      danger: true,
      typeName: of.name,
      canBeUndone: true,
      run: () => api.post(address, { accept_loss: true }),
      done: 'The keys that were not found are missing now',
    });
  return (
    <div class="stack">
      <Card
        title="Store and HSM compared"
        actions={
          isAdministrator.value && (
            <Button icon="reload" onClick={run} disabled={of.state !== 'available'}>
              Compare now
            </Button>
          )
        }
      >
        {report.data ? (
          <p>
            Compared <Time at={report.data.time} style="ago" />, <Time at={report.data.time} />, by this server. It is
            done at each start, too.
          </p>
        ) : never ? (
          <p>They have not been compared since the server’s start.</p>
        ) : report.error ? (
          <Problem error={report.error} retry={report.reload} />
        ) : (
          <Loading />
        )}
        {withheld > 0 && (
          <Note tone="bad" title={`${plural(withheld, 'key')} were not found, and are not called missing for now`}>
            So many at once look like another token. Look whether the right one is there.
            {isAdministrator.value && (
              <p class="actions">
                <Button kind="danger" onClick={acceptLoss}>
                  Accept the loss
                </Button>
              </p>
            )}
          </Note>
        )}
      </Card>
      {report.data && <ReportView of={report.data} />}
    </div>
  );
}

export function HsmPage({ params }: PageProps) {
  const found = useQuery<Hsm>(path`/v1/hsms/${params.hsm!}`, { every: 15_000 });
  const crumbs: [string, string][] = [['HSMs', href('/hsms')]];
  const hsm = found.data;
  if (!hsm)
    return (
      <>
        <PageHead title={params.hsm} crumbs={crumbs} />
        {found.error ? <Problem error={found.error} retry={found.reload} /> : <Loading lines={8} />}
      </>
    );
  const limits = hsm.mechanism_limits;
  return (
    <>
      <PageHead title={hsm.name} crumbs={crumbs} badge={<Badge state={hsm.state} />} />
      {hsm.state === 'unavailable' && (
        <Note tone="bad" title={`${hsm.name} does not answer`}>
          {hsm.reason ?? 'It gives no reason.'} Keys that are in it sign nothing meanwhile; the server asks again by
          itself.
        </Note>
      )}
      {hsm.notice && <Note tone="warn" title={`This HSM is ${hsm.notice}`} />}
      <Tabs
        label={`Parts of ${hsm.name}`}
        tabs={[
          { id: 'about', label: 'About', view: () => <About of={hsm} /> },
          ...(limits?.length
            ? [{ id: 'limits', label: 'Mechanisms', count: limits.length, view: () => <Limits of={limits} /> }]
            : []),
          { id: 'compared', label: 'Compared with the store', view: () => <Comparison of={hsm} /> },
        ]}
      />
    </>
  );
}
