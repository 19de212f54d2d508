// SPDX-License-Identifier: Apache-2.0
// The first page: does everything work, what waits for somebody, what was signed lately.
import { api, readReady } from '../api/client';
import { isAdministrator, readsAll } from '../api/session';
import type { Approval, AuditRecord, Freeze, Hsm, KeyState, Overview as Counts, Page, Ready } from '../api/types';
import { href } from '../app/router';
import { expiryTone, keyStates } from '../lib/keys';
import { capital, human, number, plural } from '../lib/text';
import { Badge, Button, Card, Empty, Figure, Grid, Loading, Note, PageHead, Problem, Stack, Time } from '../ui/basic';
import { confirmAction } from '../ui/dialog';
import { useQuery, type Loaded } from '../ui/query';
import { DayUsageCard } from '../ui/usage_chart';
import { recordText } from './audit';

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

/** The last line of a list that shows the first of many. */
const More = ({ shown, of }: { shown: number; of: number }) =>
  of > shown ? <li class="muted">and {plural(of - shown, 'more', 'more')}</li> : null;

function EndingCard({ of }: { of: Counts['certificates'] }) {
  return (
    <Card title={`Certificates that end within ${of.within_days} days`} flush>
      {of.first.length === 0 ? (
        <Empty icon="certificate" title="None" />
      ) : (
        <ul class="list">
          {of.first.map(({ key, key_id, expires }) => (
            <li key={key_id}>
              <a href={href('/keys', key, { tab: 'certificate' })}>{key}</a>
              <Badge tone={expiryTone(new Date(expires))}>
                {new Date(expires).getTime() < Date.now() ? 'expired' : 'ends'} <Time at={expires} style="ago" />
              </Badge>
            </li>
          ))}
          <More shown={of.first.length} of={of.ending} />
        </ul>
      )}
    </Card>
  );
}

const WaitingRequest = ({ of: a }: { of: Approval }) => (
  <li>
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
);

function ApprovalsCard({ of }: { of: Counts['approvals'] }) {
  return (
    <Card title="Requests that wait for a decision" flush actions={<a href={href('/approvals')}>All requests</a>}>
      {of.newest.length === 0 ? (
        <Empty icon="approval" title="None" />
      ) : (
        <ul class="list">
          {of.newest.map((a) => (
            <WaitingRequest key={a.id} of={a} />
          ))}
          <More shown={of.newest.length} of={of.pending} />
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

function Figures({ of }: { of: Counts }) {
  const { approvals, certificates, jobs } = of;
  const soonest = certificates.first[0];
  const tone = soonest && expiryTone(new Date(soonest.expires));
  return (
    <Grid columns={4}>
      {(['active', ...keyStates.filter((s) => s !== 'active')] as KeyState[])
        .filter((s) => s === 'active' || of.keys[s] > 0)
        .map((s) => (
          <Figure
            key={s}
            label={`${capital(s)} keys`}
            value={number(of.keys[s])}
            tone={stateTones[s]}
            to={href('/keys', { state: s })}
          />
        ))}
      <Figure
        label="Requests waiting"
        value={number(approvals.pending)}
        detail={approvals.to_decide > 0 && `${number(approvals.to_decide)} for you`}
        to={href('/approvals', { state: 'pending' })}
      />
      <Figure
        label="Certificates ending"
        value={number(certificates.ending)}
        detail={
          certificates.expired > 0
            ? `${number(certificates.expired)} of them expired`
            : `within ${certificates.within_days} days`
        }
        tone={tone === 'good' ? undefined : tone}
        to={href('/keys', { expiring_within: `${certificates.within_days}` })}
      />
      {!!jobs?.failed && (
        <Figure label="Failed jobs" value={number(jobs.failed)} tone="warn" to={href('/jobs', { state: 'failed' })} />
      )}
      <Figure label="Projects" value={number(of.projects)} to={href('/projects')} />
      {of.users !== null && <Figure label="Users" value={number(of.users)} to={href('/users')} />}
      {of.service_accounts !== null && (
        <Figure label="Service accounts" value={number(of.service_accounts)} to={href('/service-accounts')} />
      )}
    </Grid>
  );
}

export function Overview() {
  const ready = useQuery<Ready>('/readyz', { read: readReady, every: 15_000 });
  const freeze = useQuery<Freeze>('/v1/freeze', { every: 30_000 });
  const counts = useQuery<Counts>('/v1/overview', { every: 30_000 });
  const isFrozen = freeze.data?.frozen;
  const of = counts.data;
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
      {of ? (
        <Figures of={of} />
      ) : counts.error ? (
        <Problem error={counts.error} retry={counts.reload} />
      ) : (
        <Loading lines={5} />
      )}
      {of?.signatures && (
        <DayUsageCard
          title={`Signatures a day, last ${of.signatures.days} days`}
          of={{ ...counts, data: of.signatures.by_day }}
          days={of.signatures.days}
        />
      )}
      <Grid>
        <Stack>
          {of && <ApprovalsCard of={of.approvals} />}
          {of && <EndingCard of={of.certificates} />}
          <Card title="Health" flush>
            <Health ready={ready} />
          </Card>
        </Stack>
        {readsAll.value && <LatestCard />}
      </Grid>
    </>
  );
}
