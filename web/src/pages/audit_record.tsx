// SPDX-License-Identifier: Apache-2.0
// One record in full, with its place in the chain.
import { withQuery } from '../api/client';
import type { AuditRecord, Page } from '../api/types';
import type { PageProps } from '../app/page';
import { href } from '../app/router';
import { capital, human, nameOf } from '../lib/text';
import {
  Badge,
  Card,
  Code,
  CodeBlock,
  Empty,
  Facts,
  Grid,
  LinkButton,
  Loading,
  PageHead,
  Problem,
  Stack,
  Time,
} from '../ui/basic';
import { PrincipalOf } from '../ui/principal';
import { useQuery } from '../ui/query';
import { recordText } from './audit';

const link = (page: string, name: string | null | undefined) => name && <a href={href(page, name)}>{name}</a>;

/** Pages of what records are about. A key is found by its id, all others by their name. */
const targetPages: Record<string, string> = {
  project: '/projects',
  key: '/keys',
  user: '/users',
  service_account: '/service-accounts',
  team: '/teams',
  approval: '/approvals',
  ca: '/cas',
  hsm: '/hsms',
  connector: '/connectors',
  job: '/jobs',
};

function Target({ of }: { of: NonNullable<AuditRecord['target']> }) {
  const page = targetPages[of.type ?? ''];
  const by = of.type === 'key' || of.type === 'approval' || of.type === 'job' ? of.id : (of.name ?? of.id);
  const name = of.name ?? of.id ?? '';
  return (
    <span class="sentence">
      {capital(human(of.type ?? ''))} {page && by ? <a href={href(page, by)}>{name}</a> : name}
    </span>
  );
}

function Signature({ of: r }: { of: AuditRecord }) {
  return (
    <Card
      title="Signature"
      actions={
        <>
          {r.outcome === 'refused' && r.principal && r.key_id && (
            <LinkButton
              icon="explain"
              to={href('/explain', {
                principal: r.principal,
                key: r.key_id,
                mechanism: r.mechanism ?? undefined,
                hash: r.hash ?? undefined,
              })}
            >
              Explain access
            </LinkButton>
          )}
          {r.digest && (
            <LinkButton icon="search" to={href('/digest', { digest: r.digest })}>
              Was it signed?
            </LinkButton>
          )}
        </>
      }
    >
      <Facts
        rows={[
          ['Version', r.version ?? undefined],
          ['Mechanism', r.mechanism ? nameOf(r.mechanism) : undefined],
          ['Hash', r.hash ? nameOf(r.hash) : undefined],
          ['Digest', r.digest ? <Code text={r.digest} label="digest" /> : undefined],
          [
            'SHA-256 of the signature',
            r.signature_sha256 ? <Code text={r.signature_sha256} label="SHA-256 of the signature" /> : undefined,
          ],
          ['Intent', r.intent ? <a href={href('/audit', String(r.intent))}>Record {r.intent}</a> : undefined],
        ]}
      />
    </Card>
  );
}

function value(name: string, v: unknown) {
  if (v === null || v === '') return null;
  if (Array.isArray(v) && v.every((i) => typeof i === 'string'))
    return (
      <ul class="words">
        {v.map((word) => (
          <li key={word}>{nameOf(word)}</li>
        ))}
      </ul>
    );
  if (typeof v === 'object') return <CodeBlock text={JSON.stringify(v, null, 2)} label={human(name)} />;
  if (typeof v === 'boolean') return v ? 'yes' : 'no';
  return String(v);
}

function Detail({ of }: { of: Record<string, unknown> }) {
  return (
    <Card title="Details">
      <Facts rows={Object.entries(of).map(([name, v]) => [capital(human(name)), value(name, v)])} />
    </Card>
  );
}

export function AuditRecordPage({ params }: PageProps) {
  const seq = Number(params.seq);
  const isNumber = Number.isSafeInteger(seq) && seq > 0;
  const found = useQuery<Page<AuditRecord>>(isNumber ? withQuery('/v1/audit', { after: seq - 1, limit: 1 }) : null);
  const r = found.data?.items.find((i) => i.seq === seq);
  return (
    <>
      <PageHead
        title={r ? recordText(r) : `Record ${params.seq}`}
        crumbs={[['Audit log', href('/audit')]]}
        badge={r?.outcome ? <Badge state={r.outcome} /> : undefined}
        lead={r?.reason ?? undefined}
      >
        {isNumber && seq > 1 && (
          <LinkButton to={href('/audit', String(seq - 1))} icon="left">
            Record before
          </LinkButton>
        )}
        {r && (
          <LinkButton to={href('/audit', String(seq + 1))} icon="right">
            Next record
          </LinkButton>
        )}
      </PageHead>
      {!r ? (
        found.error ? (
          <Problem error={found.error} retry={found.reload} />
        ) : found.data || !isNumber ? (
          <Empty icon="search" title={`There is no record ${params.seq}`} />
        ) : (
          <Loading lines={8} />
        )
      ) : (
        <Grid>
          <Stack>
            <Card title="Record">
              <Facts
                rows={[
                  ['Number', r.seq],
                  ['Time', <Time at={r.time} style="exact" />],
                  ['Type', <code>{r.type}</code>],
                  ['Who', r.principal ? <PrincipalOf id={r.principal_id} name={r.principal} /> : 'the server'],
                  ['Project', link('/projects', r.project) || undefined],
                  ['Key', r.key_id ? <a href={href('/keys', r.key_id)}>{r.key}</a> : undefined],
                  ['Object', r.target?.type ? <Target of={r.target} /> : undefined],
                  ['Outcome', r.outcome ? <Badge state={r.outcome} /> : undefined],
                  ['Reason', r.reason ?? undefined],
                  ['Request', r.request_id ? <Code text={r.request_id} label="request id" /> : undefined],
                ]}
              />
            </Card>
            <Card title="Client">
              <Facts
                rows={[
                  ['Address', r.client.address],
                  ['Program', r.client.program],
                  ['Host', r.client.host],
                  ['User', r.client.user],
                ]}
              />
              <p class="small muted">Program, host and user are what the client said of itself.</p>
            </Card>
          </Stack>
          <Stack>
            {r.type.startsWith('signature.') && <Signature of={r} />}
            {r.detail && Object.keys(r.detail).length > 0 && <Detail of={r.detail} />}
          </Stack>
          <Card title="Chain" wide>
            <Facts
              rows={[
                ['Hash of this record', <Code text={r.record_hash} label="hash of this record" />],
                ['Hash of the one before', <Code text={r.previous} label="hash of the record before" />],
              ]}
            />
            <CodeBlock text={JSON.stringify(r, null, 2)} label="The record as JSON" />
          </Card>
        </Grid>
      )}
    </>
  );
}
