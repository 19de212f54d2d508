// SPDX-License-Identifier: Apache-2.0
// Signing keys the caller may see.
import type { Key } from '../api/types';
import { href } from '../app/router';
import { expiryTone, keyName, keyStates, keyTypes, leafOf } from '../lib/keys';
import { capital, nameOf } from '../lib/text';
import { Badge, Card, Empty, PageHead, Time } from '../ui/basic';
import { Filters, SelectFilter, TextFilter, useFilter } from '../ui/filter';
import { usePages } from '../ui/query';
import { PagedTable, type Column } from '../ui/table';

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
  const filter = useFilter('project', 'label', 'state', 'type');
  const pages = usePages<Key>('/v1/keys', filter);
  const isFiltered = Object.values(filter).some(Boolean);
  return (
    <>
      <PageHead title="Keys" lead="Each key stays in its HSM; what is signed comes here as a digest." />
      <Filters>
        <TextFilter name="project" label="Project" />
        <TextFilter name="label" label="Label begins with" />
        <SelectFilter name="state" label="State" choices={keyStates.map((s) => [s, capital(s)])} />
        <SelectFilter name="type" label="Type" choices={keyTypes.map((t) => [t, nameOf(t)])} />
      </Filters>
      <Card flush>
        <PagedTable
          caption="Signing keys"
          pages={pages}
          id={(k) => k.id}
          columns={keyColumns}
          empty={
            isFiltered ? (
              <Empty icon="search" title="No key fits these filters" />
            ) : (
              <Empty icon="key" title="There is no signing key yet">
                Keys are made in a <a href={href('/projects')}>project</a>.
              </Empty>
            )
          }
        />
      </Card>
    </>
  );
}
