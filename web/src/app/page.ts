// SPDX-License-Identifier: Apache-2.0
// What a page is. A page is one file in src/pages and one row in src/pages/index.ts.
import type { FunctionComponent } from 'preact';
import type { IconName } from '../ui/icons';

export interface PageProps {
  /** What the address says: of "/keys/:key" { key: "demo:rsa" }. */
  params: Record<string, string>;
}

export type Group = 'Signing' | 'People' | 'Evidence' | 'Platform';

export interface PageRow {
  /** Below /ui. */
  path: string;
  view: FunctionComponent<PageProps>;
  /** Where it stands in the navigation; without it, it is reached by links. */
  nav?: { label: string; icon: IconName; group?: Group; /** Stands behind the label. */ count?: FunctionComponent };
  /** Who finds it in the navigation; the server judges what can be seen. Default: everybody. */
  for?: 'administrator' | 'reader';
}
