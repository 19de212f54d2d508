// SPDX-License-Identifier: Apache-2.0
// Addresses of the page are /ui/…; the server answers all of them with the page itself. Links are ordinary <a href>.
import { computed, signal } from '@preact/signals';

const base = '/ui';
const now = () => ({ path: location.pathname, search: location.search });

const at = signal(now());

/** "/keys/demo:rsa", without the base. */
export const currentPath = computed(() => {
  const below = at.value.path.startsWith(base) ? at.value.path.slice(base.length) : '';
  return below.replace(/\/+$/, '') || '/';
});
export const currentQuery = computed(() => new URLSearchParams(at.value.search));

/** The address of a page: href('/keys', 'demo:rsa') or href('/audit', { type: 'key.create' }). */
export function href(page: string, ...parts: (string | Record<string, string | undefined>)[]): string {
  let made = page === '/' ? base : base + page;
  const parameters = new URLSearchParams();
  for (const part of parts) {
    if (typeof part === 'string') made += `/${encodeURIComponent(part).replace(/%3A/g, ':')}`;
    else for (const [name, value] of Object.entries(part)) if (value) parameters.set(name, value);
  }
  const query = parameters.toString();
  return query ? `${made}?${query}` : made;
}

/** Counts real changes of page, so that the focus goes to the new heading; filters do not count. */
export const visits = signal(0);

export function navigate(address: string, replace = false) {
  history[replace ? 'replaceState' : 'pushState'](null, '', address);
  const before = at.value.path;
  at.value = now();
  if (at.value.path === before) return;
  window.scrollTo(0, 0);
  visits.value++;
}

/** Filters and tabs live in the address, so that what is seen can be sent to a colleague. */
export function setQuery(changed: Record<string, string | null>) {
  const parameters = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changed)) {
    if (value) parameters.set(name, value);
    else parameters.delete(name);
  }
  const query = parameters.toString();
  navigate(location.pathname + (query ? `?${query}` : ''), true);
}

export function startRouter() {
  window.addEventListener('popstate', () => {
    at.value = now();
    visits.value++;
  });
  document.addEventListener('click', (event) => {
    const link = (event.target as Element | null)?.closest?.('a[href]');
    if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target || link.download) return;
    if (link.origin !== location.origin || !(link.pathname === base || link.pathname.startsWith(`${base}/`))) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
}

/** The parameters of "/keys/:key" in a path, or null when it is another page's. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    if (part.startsWith(':')) {
      try {
        params[part.slice(1)] = decodeURIComponent(given[i]!);
      } catch {
        return null;
      }
    } else if (part !== given[i]) return null;
  }
  return params;
}
