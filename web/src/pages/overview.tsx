// SPDX-License-Identifier: Apache-2.0
// The first page: does everything work, what waits for somebody, what was signed lately.
import { useMemo } from 'preact/hooks';
import { api, readReady } from '../api/client';
import { isAdministrator, readsAll } from '../api/session';
import type { Approval, AuditRecord, Freeze, Hsm, Key, KeyState, Page, Ready } from '../api/types';
import { href } from '../app/router';
import { expiryTone, keyName, keyStates, leafOf } from '../lib/keys';
import { capital, human, number, plural } from '../lib/text';
import { dayMs } from '../lib/time';
import { Badge, Button, Card, Empty, Figure, Grid, Loading, Note, PageHead, Problem, Stack, Time } from '../ui/basic';
import { confirmAction } from '../ui/dialog';
import { useQuery, type Loaded } from '../ui/query';
import { UsageCard } from '../ui/usage_chart';
import { recordText } from './audit';

const soonMs = 60 * dayMs;

/** One page of the most there can be: enough to count on, and never more than one request. */
const keysShown = '/v1/keys?limit=1000';

interface Ending {
  key: Key;
  end: Date;
}

function endingOf(keys: Key[]): Ending[] {
  const live = keys.filter((k) => k.state === 'active' || k.state === 'disabled');
  return live
    .flatMap((key) => {
      const leaf = leafOf(key);
      return leaf ? [{ key, end: leaf.notAfter }] : [];
    })
    .filter((e) => e.end.getTime() < Date.now() + soonMs)
    .sort((a, b) => a.end.getTime() - b.end.getTime());
}

function Health({ ready }: { ready: Loaded<Ready> }) {
  const hsms = useQuery<Page<Hsm>>(readsAll.value ? '/v1/hsms' : null, { every: 30_000 });
  if (!ready.data) return ready.error ? <Problem error={ready.error} retry={ready.reload} /> : <Loading />;
  const checks = Object.entries(ready.data.checks);
  const names: Record<string, string> = { store: 'Store', hsm: 'HSM', audit: 'Audit log', clock: 'Clock' };
  return (
    <ul class="list">
      {checks
        .filter(([name, state]) => name !== 'hsm' || state !== 'ok' || !hsms.data)
        .map(([name, state]) => (
          <li key={name}>
            {name === 'audit' && readsAll.value ? (
              <a href={href('/audit')}>{names[name]}</a>
            ) : (
              <span>{names[name] ?? capital(human(name))}</span>
            )}
            {state === 'ok' ? <Badge tone="good">Works</Badge> : <Badge tone="bad">{capital(human(state))}</Badge>}
          </li>
        ))}
      {hsms.data?.items.map((h) => (
        <li key={`hsm ${h.name}`}>
          <span class="sentence">
            HSM <a href={href('/hsms', h.name)}>{h.name}</a> <span class="muted">{h.model}</span>
            {h.notice && <div class="small muted">{capital(h.notice)}</div>}
          </span>
          <Badge state={h.state} />
        </li>
      ))}
    </ul>
  );
}

function EndingCard({ ending, error, reload }: { ending: Ending[] | undefined; error: unknown; reload: () => void }) {
  return (
    <Card title="Certificates that end within 60 days" flush>
      {error && !ending ? (
        <Problem error={error} retry={reload} />
      ) : !ending ? (
        <Loading />
      ) : ending.length === 0 ? (
        <Empty icon="certificate" title="None" />
      ) : (
        <ul class="list">
          {ending.slice(0, 8).map(({ key, end }) => (
            <li key={key.id}>
              <a href={href('/keys', keyName(key), { tab: 'certificate' })}>{keyName(key)}</a>
              <Badge tone={expiryTone(end)}>
                {end.getTime() < Date.now() ? 'expired' : 'ends'} <Time at={end} style="ago" />
              </Badge>
            </li>
          ))}
          {ending.length > 8 && <li class="muted">and {plural(ending.length - 8, 'more', 'more')}</li>}
        </ul>
      )}
    </Card>
  );
}

function ApprovalsCard({ pending }: { pending: Loaded<Page<Approval>> }) {
  return (
    <Card title="Requests that wait for a decision" flush actions={<a href={href('/approvals')}>All requests</a>}>
      {pending.error && !pending.data ? (
        <Problem error={pending.error} retry={pending.reload} />
      ) : !pending.data ? (
        <Loading />
      ) : pending.data.items.length === 0 ? (
        <Empty icon="approval" title="None" />
      ) : (
        <ul class="list">
          {pending.data.items.slice(0, 8).map((a) => (
            <li key={a.id}>
              <span>
                <a href={href('/approvals', a.id)}>{a.key}</a> {a.break_glass && <Badge tone="bad">Break glass</Badge>}
                <div class="small muted">
                  {a.requester}: {a.reason}
                </div>
              </span>
              <span class="muted">
                {a.approvals} of {a.needed}, <Time at={a.created} style="ago" />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function LatestCard() {
  const latest = useQuery<Page<AuditRecord>>('/v1/audit?order=newest&limit=8', { every: 15_000 });
  return (
    <Card title="Latest records" flush actions={<a href={href('/audit')}>All records</a>}>
      {latest.error && !latest.data ? (
        <Problem error={latest.error} retry={latest.reload} />
      ) : !latest.data ? (
        <Loading lines={8} />
      ) : (
        <ul class="list">
          {latest.data.items.map((r) => (
            <li key={r.seq}>
              <span>
                <a href={href('/audit', String(r.seq))}>{recordText(r)}</a>
                <div class="small muted">{r.principal ?? 'the server'}</div>
              </span>
              <span class="muted small">
                {r.outcome && r.outcome !== 'success' && <Badge state={r.outcome} />} <Time at={r.time} style="ago" />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function setFreeze(frozen: boolean) {
  confirmAction({
    title: frozen ? 'Freeze signing on the whole platform?' : 'Let the platform sign again?',
    consequences: frozen
      ? [
          'The very next signature with any key of any project is refused, whoever asks.',
          'Keys, roles and policies stay as they are.',
        ]
      : ['Signatures are made again, as roles and policies allow.'],
    action: frozen ? 'Freeze all signing' : 'Unfreeze signing',
    danger: frozen,
    reason: { label: 'Reason', required: true, help: 'Signers are told, and it goes into the audit log.' },
    run: (reason) => api.post(`/v1/${frozen ? 'freeze' : 'unfreeze'}`, { reason }),
    done: frozen ? 'All signing is frozen' : 'The platform signs again',
  });
}

const stateTones: Partial<Record<KeyState, 'bad' | 'warn'>> = { missing: 'bad', disabled: 'warn' };

export function Overview() {
  const ready = useQuery<Ready>('/readyz', { read: readReady, every: 15_000 });
  const freeze = useQuery<Freeze>('/v1/freeze', { every: 30_000 });
  const keys = useQuery<Page<Key>>(keysShown);
  const pending = useQuery<Page<Approval>>('/v1/approvals?state=pending&limit=100', { every: 30_000 });
  const ending = useMemo(() => keys.data && endingOf(keys.data.items), [keys.data]);
  const more = keys.data?.next ? '+' : '';
  const count = (s: KeyState) => keys.data?.items.filter((k) => k.state === s).length ?? 0;
  const isFrozen = freeze.data?.frozen;
  return (
    <>
      <PageHead title="Overview">
        {isAdministrator.value && freeze.data && (
          <Button icon="snow" kind={isFrozen ? 'primary' : 'danger'} onClick={() => setFreeze(!isFrozen)}>
            {isFrozen ? 'Unfreeze signing' : 'Freeze signing'}
          </Button>
        )}
      </PageHead>
      {isFrozen && (
        <Note tone="bad" title="All signing is frozen.">
          {freeze.data?.reason} ({freeze.data?.author}, <Time at={freeze.data?.since} />)
        </Note>
      )}
      {ready.data?.status === 'degraded' && (
        <Note tone="warn" title="An HSM does not answer: keys in it cannot be used." />
      )}
      {ready.data?.status === 'not_ready' && <Note tone="bad" title="The server cannot do its work." />}
      {keys.data && (
        <Grid columns={4}>
          {(['active', ...keyStates.filter((s) => s !== 'active')] as KeyState[])
            .filter((s) => s === 'active' || count(s) > 0)
            .map((s) => (
              <Figure
                key={s}
                label={`${capital(s)} keys`}
                value={`${number(count(s))}${more}`}
                tone={stateTones[s]}
                to={href('/keys', { state: s })}
              />
            ))}
          <Figure
            label="Requests waiting"
            value={pending.data ? `${number(pending.data.items.length)}${pending.data.next ? '+' : ''}` : '…'}
            to={href('/approvals', { state: 'pending' })}
          />
          <Figure
            label="Certificates ending"
            value={ending ? `${number(ending.length)}${more}` : '…'}
            detail="within 60 days"
            tone={
              ending?.some((e) => expiryTone(e.end) === 'bad')
                ? 'bad'
                : ending?.some((e) => expiryTone(e.end) === 'warn')
                  ? 'warn'
                  : undefined
            }
          />
        </Grid>
      )}
      {!!keys.error && !keys.data && <Problem error={keys.error} retry={keys.reload} />}
      <UsageCard title="Signatures a day, last 30 days" />
      <Grid>
        <Stack>
          <ApprovalsCard pending={pending} />
          <EndingCard ending={ending} error={keys.error} reload={keys.reload} />
          <Card title="Health" flush>
            <Health ready={ready} />
          </Card>
        </Stack>
        {readsAll.value && <LatestCard />}
      </Grid>
    </>
  );
}
