// SPDX-License-Identifier: Apache-2.0
// What was read from the server, by address: shown at once when it is wanted again, and renewed behind. An object that was
// changed from this page follows the answer, so that the next change is not taken for one of an old state.
const kept = new Map<string, unknown>();
const keptMost = 500;

export function keep(path: string, data: unknown) {
  kept.delete(path);
  kept.set(path, data);
  if (kept.size > keptMost) kept.delete(kept.keys().next().value!);
}

export const keptAt = <T>(path: string | null) => (path === null ? undefined : (kept.get(path) as T | undefined));

/** Another person signs in: nothing of the last one stays. */
export const forgetAll = () => kept.clear();

interface Revised {
  id?: string;
  revision: number;
}

const isRevised = (data: unknown): data is Revised =>
  typeof data === 'object' && data !== null && typeof (data as Partial<Revised>).revision === 'number';

/** An object as a list has it, which may have been read before the object was changed. */
export function keepListed(path: string, row: unknown) {
  const was = kept.get(path);
  if (isRevised(was) && isRevised(row) && was.id === row.id && was.revision > row.revision) return;
  keep(path, row);
}

/** What a request changes, by the address of the request. A policy has versions of its own. */
function objectOf(path: string) {
  const [, object, collection, name] = /^\/v1(\/tsa|\/([a-z-]+)\/([^/?]+))(?!.*\/policy$)/.exec(path) ?? [];
  return object
    ? { path: `/v1${object}`, collection: `/v1/${collection}/`, id: name && decodeURIComponent(name) }
    : null;
}

/**
 * A change at `path` went well. `etag`: of its answer, the revision of the object now. `seen`: the revision that the change was
 * bound to, if it was; without, others may have changed the object, too, and what is kept stays old unless the answer has it all.
 */
export function keepChanged(path: string, answer: unknown, etag: string | null, seen?: number | string) {
  const of = objectOf(path);
  const now = Number(etag?.replaceAll('"', ''));
  if (!of || !now) return;
  const isWhole = isRevised(answer) && answer.revision === now;
  for (const [at, was] of kept) {
    // Known by name or by id.
    const isIt = at === of.path || (at.startsWith(of.collection) && isRevised(was) && was.id === of.id);
    if (!isIt || !isRevised(was) || was.revision >= now) continue;
    if (isWhole) kept.set(at, { ...was, ...answer });
    else if (was.revision === Number(seen ?? now - 1)) kept.set(at, { ...was, revision: now });
  }
}
