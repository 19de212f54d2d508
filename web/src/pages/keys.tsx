// SPDX-License-Identifier: Apache-2.0
// Signing keys the caller may see.
import type { Key } from '../api/types';
import { href } from '../app/router';
import { expiryTone, keyName, keyStates, keyTypes, leafOf } from '../lib/keys';
import { capital, nameOf } from '../lib/text';
import { Badge, Empty, Time } from '../ui/basic';
import { ListPage } from '../ui/list_page';
import type { Column } from '../ui/table';

export function CertificateEnd({ of }: { of: Key }) {
  const leaf = leafOf(of);
  if (!leaf) return <span class="muted">none</span>;
  const tone = expiryTone(leaf.notAfter);
  if (tone === 'good') return <Time at={leaf.notAfter} style="date" />;
  return (
    <Badge tone={tone}>
      {tone === 'bad' ? 'expired ' : 'ends '}
      <Time at={leaf.notAfter} style="ago" />
    </Badge>
  );
}

export const keyColumns: Column<Key>[] = [
  { head: 'Key', kind: 'main', cell: (k) => <a href={href('/keys', keyName(k))}>{k.label}</a> },
  { head: 'Project', cell: (k) => <a href={href('/projects', k.project)}>{k.project}</a> },
  { head: 'Type', cell: (k) => nameOf(k.type) },
  { head: 'State', cell: (k) => <Badge state={k.state} /> },
  { head: 'Version', kind: 'number', cell: (k) => (k.version === 0 ? '–' : k.version) },
  { head: 'Certificate until', cell: (k) => <CertificateEnd of={k} /> },
];

export function Keys() {
  return (
    <ListPage<Key>
      title="Keys"
      lead="Each key stays in its HSM; what is signed comes here as a digest."
      caption="Signing keys"
      noun="key"
      path="/v1/keys"
      filters={[
        { name: 'project', label: 'Project' },
        { name: 'label', label: 'Label begins with' },
        { name: 'state', label: 'State', choices: keyStates.map((s) => [s, capital(s)]) },
        { name: 'type', label: 'Type', choices: keyTypes.map((t) => [t, nameOf(t)]) },
        {
          name: 'expiring_within',
          label: 'Certificate ends',
          choices: [7, 30, 60, 90, 365].map((d) => [`${d}`, `Within ${d} days, or has ended`]),
        },
      ]}
      empty={
        <Empty icon="key" title="There is no signing key yet">
          Keys are made in a <a href={href('/projects')}>project</a>.
        </Empty>
      }
      id={(k) => k.id}
      name={keyName}
      columns={keyColumns}
    />
  );
}
