// SPDX-License-Identifier: Apache-2.0
// The pages as web/src/pages/index.ts lists them, so that a page without a test is seen.
import { readFileSync } from 'node:fs';

const text = readFileSync(new URL('../../web/src/pages/index.ts', import.meta.url), 'utf8');

/** Each with its address, its words in the navigation, and for whom it stands there. */
export const routes = text
  .split(/\bpath: '/)
  .slice(1)
  .map((part) => ({
    path: /^[^']+/.exec(part)[0],
    label: /\blabel: '([^']+)'/.exec(part)?.[1],
    for: /\bfor: '([^']+)'/.exec(part)?.[1],
  }));

/** The row of an address below /ui, such as "/keys/demo:p256?tab=policy". */
export function routeOf(address) {
  const parts = new URL(address || '/', 'https://chancery.invalid').pathname.split('/');
  const fits = (path) => {
    const names = path.split('/');
    return names.length === parts.length && names.every((n, i) => n.startsWith(':') || n === parts[i]);
  };
  return routes.find((r) => fits(r.path))?.path;
}

/** "/keys/:key", or "/keys/:key?tab=policy" for another tab than the first one. */
export const tabOf = (route, tab, isFirst) => (isFirst ? route : `${route}?tab=${tab}`);

/** Notes the pages a test looks at, with their tabs, and tells which of all it did not. */
export function looked() {
  const seen = new Set();
  const there = new Set(routes.map((r) => r.path));
  return {
    async at(page) {
      const { pathname } = new URL(page.url());
      const route = routeOf(pathname.slice('/ui'.length));
      if (!route) return;
      const tabs = await page.locator('[role=tab]').evaluateAll((all) =>
        all.map((t) => ({
          id: t.id.slice(t.getAttribute('aria-controls').length - 'panel'.length),
          isChosen: t.getAttribute('aria-selected') === 'true',
        })),
      );
      if (tabs.length === 0) seen.add(route);
      tabs.forEach(({ id, isChosen }, i) => {
        there.add(tabOf(route, id, i === 0));
        if (isChosen) seen.add(tabOf(route, id, i === 0));
      });
    },
    seen: () => seen,
    there: () => there,
    missing: () => [...there].filter((place) => !seen.has(place)),
  };
}
