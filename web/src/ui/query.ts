// SPDX-License-Identifier: Apache-2.0
// Reading from the server in a component. What was read before is shown at once and renewed behind; every change made from
// this page, and a connection that comes back, renew what is shown.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { api, path as objectPath, withQuery, type Query } from '../api/client';
import { changes } from '../api/changes';
import { keep, keepListed, keptAt } from '../api/kept';
import type { Page } from '../api/types';

export interface Loaded<T> {
  data: T | undefined;
  error: unknown;
  loading: boolean;
  reload: () => void;
}

interface Options<T> {
  /** Milliseconds between two readings, while the page is visible. */
  every?: number;
  /** How it is read, when not by one GET of `path`. */
  read?: (path: string, signal: AbortSignal) => Promise<T>;
}

/** GETs `path` and keeps it fresh; null reads nothing. */
export function useQuery<T>(path: string | null, options: Options<T> = {}): Loaded<T> {
  const [state, setState] = useState<{ path: string | null; data?: T; error?: unknown; loading: boolean }>({
    path,
    loading: true,
  });
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((t) => t + 1), []);
  const changed = changes.value;
  const read = useRef(options.read);
  read.current = options.read;

  useEffect(() => {
    if (path === null) return;
    const cancel = new AbortController();
    const reading = read.current ? read.current(path, cancel.signal) : api.get<T>(path, { signal: cancel.signal });
    setState((s) => ({ ...s, path, data: s.path === path ? s.data : undefined, loading: true }));
    reading.then(
      (data) => {
        if (cancel.signal.aborted || changes.peek() !== changed) return; // it is read anew
        keep(path, data);
        setState({ path, data, loading: false });
      },
      (error) => {
        if (cancel.signal.aborted) return;
        setState((s) => ({ ...s, error, loading: false }));
      },
    );
    return () => cancel.abort();
  }, [path, turn, changed]);

  useEffect(() => {
    if (!options.every) return;
    const timer = setInterval(() => document.visibilityState === 'visible' && reload(), options.every);
    return () => clearInterval(timer);
  }, [options.every, reload]);

  const isOther = state.path !== path;
  return {
    data: keptAt<T>(path) ?? (isOther ? undefined : state.data),
    error: isOther ? undefined : state.error,
    loading: isOther ? path !== null : state.loading,
    reload,
  };
}

export interface Pages<T> extends Loaded<Page<T>> {
  items: T[] | undefined;
  /** From 0. */
  page: number;
  pageSize: number;
  next: (() => void) | null;
  previous: (() => void) | null;
}

/**
 * A list, page by page. Another filter begins anew. `name`: of an object in addresses, where the list has of each the whole; then
 * the page of one that is looked at next is there at once, and is renewed together with what it consists of.
 */
export function usePages<T>(
  path: string | null,
  filter: Query = {},
  { pageSize = 50, name }: { pageSize?: number; name?: (row: T) => string } = {},
): Pages<T> {
  const list = path === null ? null : withQuery(path, { ...filter, limit: pageSize });
  const [at, setAt] = useState<{ list: string | null; cursors: string[] }>({ list, cursors: [] });
  const cursors = at.list === list ? at.cursors : [];
  const loaded = useQuery<Page<T>>(list && withQuery(list, { after: cursors.at(-1) }));
  const next = loaded.data?.next;
  const rows = loaded.data?.items;
  useEffect(() => {
    if (name) for (const row of rows ?? []) keepListed(path + objectPath`/${name(row)}`, row);
  }, [rows]);
  return {
    ...loaded,
    items: loaded.data?.items,
    page: cursors.length,
    pageSize,
    next: next ? () => setAt({ list, cursors: [...cursors, next] }) : null,
    previous: cursors.length > 0 ? () => setAt({ list, cursors: cursors.slice(0, -1) }) : null,
  };
}

/**
 * All objects of a list that is known to be short; reads at most `most` pages of 1000. `onRead` is told how many there are so
 * far.
 */
export async function readAll<T>(
  path: string,
  signal?: AbortSignal,
  { most = 10, onRead }: { most?: number; onRead?: (count: number) => void } = {},
): Promise<T[]> {
  const items: T[] = [];
  let after: string | null | undefined;
  for (let i = 0; i < most && after !== null; i++) {
    const page: Page<T> = await api.get<Page<T>>(withQuery(path, { limit: 1000, after }), { signal });
    items.push(...page.items);
    after = page.next;
    onRead?.(items.length);
  }
  return items;
}
