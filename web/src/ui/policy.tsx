// SPDX-License-Identifier: Apache-2.0
// A policy in words: what it restricts, a line each.
import type { ComponentChildren } from 'preact';
import type { Policy, PolicyVersion, Rate } from '../api/types';
import { nameOf, number, plural } from '../lib/text';
import { Empty, Facts, Time } from './basic';

const words = (list: string[]) => (
  <ul class="words">
    {list.map((w) => (
      <li key={w}>{nameOf(w)}</li>
    ))}
  </ul>
);
/** As they are written: addresses and names are no words. */
const exact = (list: string[]) => (
  <ul class="words">
    {list.map((w) => (
      <li key={w}>
        <code>{w}</code>
      </li>
    ))}
  </ul>
);
const rate = (r: Rate) => `${plural(r.count, 'signature')} in ${plural(r.seconds, 'second')}`;
const lines = (list: ComponentChildren[]) => list.map((l, i) => <div key={i}>{l}</div>);

function rowsOf(p: Policy): [string, ComponentChildren | undefined][] {
  const days = (w: NonNullable<Policy['windows']>[number]) => w.days?.join(', ') ?? 'every day';
  return [
    ['Mechanisms', p.mechanisms && words(p.mechanisms)],
    ['Hashes', p.hashes && words(p.hashes)],
    [
      'Certificate',
      p.certificate &&
        [
          p.certificate.refuse_expired && 'not expired',
          p.certificate.min_days_left && `at least ${plural(p.certificate.min_days_left, 'day')} left`,
        ]
          .filter(Boolean)
          .join(', '),
    ],
    [
      'Quota',
      p.quota &&
        lines(
          (['day', 'month', 'total'] as const)
            .filter((k) => p.quota![k] !== undefined)
            .map((k) => `${number(p.quota![k]!)} ${k === 'total' ? 'in all' : `a ${k}`}`),
        ),
    ],
    ['Rate of one principal', p.rate?.per_principal && rate(p.rate.per_principal)],
    ['Rate of the key', p.rate?.per_key && rate(p.rate.per_key)],
    ['Networks', p.networks && exact(p.networks)],
    [
      'Weekly windows',
      p.windows &&
        lines(p.windows.map((w) => `${days(w)}, ${w.from ?? '00:00'}–${w.to ?? '24:00'} ${w.zone ?? 'UTC'}`)),
    ],
    [
      'Release windows',
      p.releases &&
        lines(
          p.releases.map((r) => (
            <>
              {r.name ?? 'Release'}: <Time at={r.from} /> – <Time at={r.to} />
            </>
          )),
        ),
    ],
    ['Required context', p.context && exact(p.context)],
    [
      'Programs',
      p.programs && (
        <>
          {exact(p.programs)} <span class="help">As the client says: advisory.</span>
        </>
      ),
    ],
    ['Digests', p.digests && (p.digests === 'listed' ? 'only those on the key’s list' : 'any')],
    [
      'Approval',
      p.approval &&
        (p.approval.needed === 0
          ? 'not needed'
          : `${plural(p.approval.needed, 'approver')}${p.approval.max_count ? `, at most ${plural(p.approval.max_count, 'signature')}` : ''}${p.approval.max_hours ? `, for at most ${plural(p.approval.max_hours, 'hour')}` : ''}`),
    ],
  ];
}

export function PolicyView({ of, scope }: { of: PolicyVersion; scope: string }) {
  const rows = of.document ? rowsOf(of.document).filter(([, value]) => value !== undefined) : [];
  if (rows.length === 0) return <Empty icon="settings" title={`The policy of ${scope} restricts nothing`} />;
  return (
    <>
      <Facts rows={rows} />
      <p class="small muted">
        Version {of.version}, by {of.author ?? 'the server'}, <Time at={of.created} />
      </p>
    </>
  );
}
