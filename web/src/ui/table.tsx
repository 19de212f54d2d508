// SPDX-License-Identifier: Apache-2.0
// Tables. On a narrow screen each row becomes a card, with the heads of the columns as labels.
import type { ComponentChildren } from 'preact';
import { number } from '../lib/text';
import { Button, Empty, Loading, Problem, classes } from './basic';
import type { Pages } from './query';

export interface Column<T> {
  head: string;
  cell: (row: T) => ComponentChildren;
  /** Numbers stand at the right; actions have no label on a narrow screen. */
  kind?: 'number' | 'actions' | 'main' | 'whole';
}

interface TableProps<T> {
  /** What the table holds, for who cannot see it. */
  caption: string;
  columns: Column<T>[];
  rows: T[];
  id: (row: T) => string;
}

export function Table<T>({ caption, columns, rows, id }: TableProps<T>) {
  return (
    <table class="table" role="table">
      <caption class="hidden">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((c) => (
            <th key={c.head} role="columnheader" scope="col" class={c.kind}>
              {c.kind === 'actions' ? <span class="hidden">{c.head}</span> : c.head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={id(row)} role="row">
            {columns.map((c) => (
              <td key={c.head} role="cell" class={c.kind} data-label={c.kind === 'actions' ? undefined : c.head}>
                <div>{c.cell(row)}</div>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A list of the server with its loading, empty and failed states and its pages. */
export function PagedTable<T>({
  pages,
  empty,
  ...table
}: Omit<TableProps<T>, 'rows'> & { pages: Pages<T>; empty: ComponentChildren }) {
  const { items, error, loading } = pages;
  if (error && !items) return <Problem error={error} retry={pages.reload} />;
  if (!items) return <Loading lines={6} label={table.caption} />;
  return (
    <div class={classes('paged', loading && 'renewing')} aria-busy={loading}>
      {!!error && <Problem error={error} retry={pages.reload} />}
      {items.length === 0 && pages.next ? (
        // The server looks at so many objects for one page and no more.
        <Empty icon="search" title="Nothing here so far">
          There is more to look through: go on with Next.
        </Empty>
      ) : items.length === 0 && pages.page === 0 ? (
        typeof empty === 'string' ? (
          <Empty title={empty} />
        ) : (
          empty
        )
      ) : (
        <Table {...table} rows={items} />
      )}
      <Pager pages={pages} label={table.caption} />
    </div>
  );
}

export function Pager<T>({ pages, label }: { pages: Pages<T>; label: string }) {
  if (!pages.next && !pages.previous) return null;
  const count = pages.items?.length ?? 0;
  const first = pages.page * pages.pageSize + 1;
  return (
    <nav class="pager" aria-label={`Pages: ${label}`}>
      <span aria-live="polite">
        {count > 0 && `${number(first)}–${number(first + count - 1)}`}
        {count > 0 && pages.next ? ' and more' : ''}
      </span>
      <Button icon="left" disabled={!pages.previous} onClick={() => pages.previous?.()}>
        Previous
      </Button>
      <Button icon="right" disabled={!pages.next} onClick={() => pages.next?.()}>
        Next
      </Button>
    </nav>
  );
}
