// SPDX-License-Identifier: Apache-2.0
// A page that is one list of the server: head, filters, pages, and for administrators the way to make another one.
import type { ComponentChildren, VNode } from 'preact';
import { isAdministrator } from '../api/session';
import { Button, Card, Empty, LinkButton, PageHead } from './basic';
import { openDialog } from './dialog';
import { Filters, SelectFilter, TextFilter, useFilter } from './filter';
import type { Choice } from './form';
import { usePages } from './query';
import { PagedTable, type Column } from './table';

/** One parameter of the list; with `choices` one of these, else what its text begins with. */
export interface ListFilter {
  name: string;
  label: string;
  choices?: Choice[];
}

interface ListPageProps<T> {
  title: string;
  lead: string;
  /** For who cannot see the table; the title says it where this does not. */
  caption?: string;
  /** One of them, as in "No user fits these filters". */
  noun: string;
  /** Of the list, such as /v1/users. */
  path: string;
  filters?: ListFilter[];
  /** A button for administrators: a dialog, or a page of its own. */
  create?: { label: string } & ({ dialog: (close: () => void) => VNode } | { to: string });
  /** Shown where there is none at all; without it, something is always there. */
  empty?: ComponentChildren;
  id: (row: T) => string;
  /** In the address of its page. */
  name: (row: T) => string;
  columns: Column<T>[];
}

function Create({ create }: { create: NonNullable<ListPageProps<unknown>['create']> }) {
  if ('to' in create)
    return (
      <LinkButton kind="primary" icon="plus" to={create.to}>
        {create.label}
      </LinkButton>
    );
  return (
    <Button kind="primary" icon="plus" onClick={() => openDialog(create.dialog)}>
      {create.label}
    </Button>
  );
}

export function ListPage<T>({
  title,
  lead,
  caption,
  noun,
  path,
  filters = [],
  create,
  empty,
  id,
  name,
  columns,
}: ListPageProps<T>) {
  const filter = useFilter(...filters.map((f) => f.name));
  const pages = usePages<T>(path, filter, { name });
  const isFiltered = Object.values(filter).some(Boolean);
  return (
    <>
      <PageHead title={title} lead={lead}>
        {create && isAdministrator.value && <Create create={create} />}
      </PageHead>
      {filters.length > 0 && (
        <Filters>
          {filters.map(({ choices, ...f }) =>
            choices ? <SelectFilter key={f.name} {...f} choices={choices} /> : <TextFilter key={f.name} {...f} />,
          )}
        </Filters>
      )}
      <Card flush>
        <PagedTable
          caption={caption ?? title}
          pages={pages}
          id={id}
          empty={empty && !isFiltered ? empty : <Empty icon="search" title={`No ${noun} fits these filters`} />}
          columns={columns}
        />
      </Card>
    </>
  );
}
