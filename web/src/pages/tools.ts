// SPDX-License-Identifier: Apache-2.0
// Rows of the pages that are looked at now and then: each is loaded when it is.
import { lazy } from '../app/lazy';
import type { PageRow } from '../app/page';

export const toolPages: PageRow[] = [
  {
    path: '/digest',
    view: lazy(() => import('./digest').then((m) => m.DigestPage)),
    nav: { label: 'Was it signed?', icon: 'search', group: 'Evidence' },
    for: 'reader',
  },
];
