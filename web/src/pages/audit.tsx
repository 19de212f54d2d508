// SPDX-License-Identifier: Apache-2.0
// The audit log, newest first: filtered, followed as it grows, exported for a check without the server.
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, withQuery } from '../api/client';
import type { AuditRecord, Page } from '../api/types';
import { href } from '../app/router';
import { capital, download, human, number } from '../lib/text';
import { Badge, Button, Card, Empty, Note, PageHead, Problem, Time } from '../ui/basic';
import { Dialog, openDialog } from '../ui/dialog';
import { Filters, SelectFilter, TextFilter, TimeFilter, useFilter } from '../ui/filter';
import { PrincipalOf } from '../ui/principal';
import { usePages } from '../ui/query';
import { PagedTable, Table, type Column } from '../ui/table';

const whole: Record<string, string> = {
  'signature.intent': 'Signature begun',
  'signature.outcome': 'Signature',
  'access.denied': 'Request denied',
  'session.create': 'Signed in',
  'session.revoke': 'Session ended',
  'session.denied': 'Sign-in refused',
  'session.confirm': 'Identity confirmed',
  'hsm.reconcile': 'Compared with the HSM',
  'server.init': 'Server set up',
  'server.start': 'Server started',
  'server.stop': 'Server stopped',
  'member.add': 'Role given',
  'member.remove': 'Role taken away',
  'quota.warning': 'Quota nearly used up',
};

/** "key.disable" is what was done: "Key disabled". */
const done: Record<string, string> = {
  create: 'created',
  update: 'changed',
  set: 'set',
  delete: 'removed',
  remove: 'removed',
  add: 'added',
  add_member: 'member added',
  remove_member: 'member removed',
  add_key: 'key added',
  remove_key: 'key removed',
  disable: 'disabled',
  enable: 'enabled',
  activate: 'activated',
  rotate: 'rotated',
  renew: 'certificate renewed',
  retire: 'retired',
  destroy: 'destroyed',
  destroy_ask: 'destruction asked for',
  destroy_confirm: 'destruction confirmed',
  import: 'imported',
  revoke: 'revoked',
  issue: 'issued',
  approve: 'approved',
  deny: 'denied',
  cancel: 'cancelled',
  set_role: 'role changed',
  freeze: 'frozen',
  unfreeze: 'unfrozen',
};

/** A type of record in words. */
export function typeText(type: string): string {
  const [subject = '', action = ''] = type.split('.');
  return whole[type] ?? capital(`${human(subject)} ${done[action] ?? human(action)}`).trim();
}

/** "Key disabled: demo:rsa". */
export function recordText(r: AuditRecord): string {
  const of = r.type.startsWith('signature.') ? r.key : (r.target?.name ?? r.key);
  return of && of !== r.principal ? `${typeText(r.type)}: ${of}` : typeText(r.type);
}

const columns: Column<AuditRecord>[] = [
  { head: 'Record', kind: 'number', cell: (r) => number(r.seq) },
  { head: 'Time', cell: (r) => <Time at={r.time} style="exact" /> },
  { head: 'What', kind: 'main', cell: (r) => <a href={href('/audit', String(r.seq))}>{recordText(r)}</a> },
  {
    head: 'Who',
    cell: (r) =>
      r.principal ? <PrincipalOf id={r.principal_id} name={r.principal} /> : <span class="muted">the server</span>,
  },
  { head: 'From', kind: 'whole', cell: (r) => r.client.address ?? '' },
  { head: 'Outcome', cell: (r) => r.outcome && <Badge state={r.outcome} /> },
];

const followMs = 2000;
const keptMost = 500;

/** Records as they come. Polls with the last seq, so each record is sent once. */
function useFollow(filter: Record<string, string | undefined>) {
  const [records, setRecords] = useState<AuditRecord[]>([]);
  const [error, setError] = useState<unknown>(null);
  const last = useRef<number | null>(null);
  const text = JSON.stringify(filter);
  useEffect(() => {
    const cancel = new AbortController();
    const options = { signal: cancel.signal };
    let timer: number | undefined;
    const ask = async () => {
      try {
        last.current ??= (await api.get<{ seq: number }>('/v1/audit/head', options)).seq;
        const page = await api.get<Page<AuditRecord>>(
          withQuery('/v1/audit', { ...JSON.parse(text), after: last.current, limit: 100 }),
          options,
        );
        if (page.items.length > 0) {
          last.current = page.items.at(-1)!.seq;
          setRecords((r) => [...page.items.reverse(), ...r].slice(0, keptMost));
        }
        setError(null);
      } catch (e) {
        if (cancel.signal.aborted) return;
        setError(e);
      }
      timer = window.setTimeout(() => void ask(), followMs);
    };
    void ask();
    return () => {
      cancel.abort();
      window.clearTimeout(timer);
    };
  }, [text]);
  return { records, error };
}

function Follow({ filter }: { filter: Record<string, string | undefined> }) {
  const { records, error } = useFollow(filter);
  return (
    <Card
      flush
      title={
        <>
          As it happens <span class="live" aria-hidden="true" />
        </>
      }
    >
      {!!error && <Problem error={error} />}
      <div aria-live="polite" aria-relevant="additions">
        {records.length === 0 ? (
          <Empty icon="clock" title="Waiting for the next record" />
        ) : (
          <Table caption="Records as they come" columns={columns} rows={records} id={(r) => String(r.seq)} />
        )}
      </div>
    </Card>
  );
}

// ---- export

interface Progress {
  records: number;
  of: number;
}
const exportPage = 10_000;

async function exportAll(report: (p: Progress) => void, signal: AbortSignal): Promise<Blob> {
  const { seq } = await api.get<{ seq: number }>('/v1/audit/head', { signal });
  const parts: string[] = [];
  for (let after: string | null = '0', records = 0; after !== null;) {
    const answer: { data: string; headers: Headers } = await api.request<string>(
      'GET',
      withQuery('/v1/audit/export', { after, limit: exportPage }),
      { signal, text: true },
    );
    parts.push(answer.data);
    records += answer.data.split('\n').length - 1;
    report({ records, of: Math.max(seq, records) });
    after = answer.headers.get('X-Next');
  }
  return new Blob(parts, { type: 'application/x-ndjson' });
}

function Export({ close }: { close: () => void }) {
  const [progress, setProgress] = useState<Progress>({ records: 0, of: 0 });
  const [error, setError] = useState<unknown>(null);
  const [done, setDone] = useState(false);
  useEffect(() => {
    const cancel = new AbortController();
    exportAll(setProgress, cancel.signal).then(
      (blob) => {
        if (cancel.signal.aborted) return;
        download(`chancery-audit-${new Date().toISOString().slice(0, 10)}.jsonl`, blob);
        setDone(true);
      },
      (e) => {
        if (!cancel.signal.aborted) setError(e);
      },
    );
    return () => cancel.abort();
  }, []);
  return (
    <Dialog title="Export the audit log" onClose={close}>
      {error ? (
        <Problem error={error} />
      ) : done ? (
        <Note tone="good" title={`${number(progress.records)} records are in the file.`}>
          <p>
            Whoever has it can check the chain without this server: <code>chancery audit verify FILE</code>
          </p>
        </Note>
      ) : (
        <>
          <label>
            {number(progress.records)} of {progress.of ? number(progress.of) : '…'} records
            <progress max={progress.of || 1} value={progress.records} />
          </label>
          <p class="muted">Every record, exactly as it is chained. Closing this stops the export.</p>
        </>
      )}
      <div class="form-end">
        <Button onClick={close}>{done ? 'Close' : 'Stop'}</Button>
      </div>
    </Dialog>
  );
}

// ---- page

const types = [
  'signature.intent',
  'signature.outcome',
  'access.denied',
  'key.create',
  'key.disable',
  'key.enable',
  'key.rotate',
  'key.renew',
  'key.retire',
  'key.destroy',
  'project.create',
  'member.add',
  'member.remove',
  'policy.set',
  'session.create',
  'server.start',
];

export function Audit() {
  const { live, since, until, ...what } = useFilter('type', 'principal', 'key', 'outcome', 'since', 'until', 'live');
  const filter = live ? what : { ...what, since, until };
  const pages = usePages<AuditRecord>(live ? null : '/v1/audit', { ...filter, order: 'newest' });
  return (
    <>
      <PageHead
        title="Audit log"
        lead="What was done and what was refused, each record chained to the one before: none can be changed, moved or taken out unseen."
      >
        <a class="button plain" href={live ? href('/audit', filter) : href('/audit', { ...filter, live: '1' })}>
          {live ? 'Stop following' : 'Follow'}
        </a>
        <Button icon="download" onClick={() => openDialog((close) => <Export close={close} />)}>
          Export
        </Button>
      </PageHead>
      <Filters>
        <SelectFilter name="type" label="What" choices={types.map((t) => [t, typeText(t)])} />
        <SelectFilter
          name="outcome"
          label="Outcome"
          choices={['success', 'refused', 'failed', 'unknown'].map((o) => [o, capital(o)])}
        />
        <TextFilter name="principal" label="Who" />
        <TextFilter name="key" label="Key" placeholder="project:label" />
        {!live && <TimeFilter name="since" label="From" />}
        {!live && <TimeFilter name="until" label="Until" />}
      </Filters>
      {live ? (
        <Follow key={JSON.stringify(filter)} filter={filter} />
      ) : (
        <Card flush>
          <PagedTable
            caption="Audit records, newest first"
            pages={pages}
            id={(r) => String(r.seq)}
            columns={columns}
            empty={<Empty icon="search" title="No record fits these filters" />}
          />
        </Card>
      )}
    </>
  );
}
