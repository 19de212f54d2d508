// SPDX-License-Identifier: Apache-2.0
// Service accounts: what signs on build machines. A list; making one is a page of its own.
import type { ServiceAccount } from '../api/types';
import { href } from '../app/router';
import { capital } from '../lib/text';
import { Badge, Empty, Time } from '../ui/basic';
import { ListPage } from '../ui/list_page';

const states = ['active', 'disabled'];

export function AccountState({ of }: { of: Pick<ServiceAccount, 'state' | 'expires'> }) {
  const isOver = of.expires && Date.parse(of.expires) <= Date.now();
  return <Badge state={of.state === 'active' && isOver ? 'expired' : of.state} />;
}

/** The latest use of any of its keys. */
export function lastUse(keys: { last_used: string | null }[]): string | null {
  return keys.map((k) => k.last_used).reduce((a, b) => (a && (!b || a > b) ? a : b), null);
}

export function Accounts() {
  return (
    <ListPage<ServiceAccount>
      title="Service accounts"
      lead="A service account signs on a build machine. It proves who it is with a key pair whose private half is there alone."
      noun="service account"
      path="/v1/service-accounts"
      filters={[
        { name: 'name', label: 'Name begins with' },
        { name: 'state', label: 'State', choices: states.map((s) => [s, capital(s)]) },
      ]}
      create={{ label: 'New service account', to: href('/new-service-account') }}
      empty={
        <Empty icon="account" title="There is no service account yet">
          Make one for each machine or pipeline that signs.
        </Empty>
      }
      id={(a) => a.id}
      name={(a) => a.name}
      columns={[
        { head: 'Name', kind: 'main', cell: (a) => <a href={href('/service-accounts', a.name)}>{a.name}</a> },
        { head: 'Description', cell: (a) => a.description },
        { head: 'State', cell: (a) => <AccountState of={a} /> },
        {
          head: 'Owning team',
          cell: (a) => (a.team ? <a href={href('/teams', a.team)}>{a.team}</a> : <span class="muted">none</span>),
        },
        { head: 'Keys', kind: 'number', cell: (a) => a.keys.length },
        { head: 'Last used', cell: (a) => <Time at={lastUse(a.keys)} style="ago" none="never" /> },
        { head: 'Expires', cell: (a) => <Time at={a.expires} style="date" none="never" /> },
      ]}
    />
  );
}
