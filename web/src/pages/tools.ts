// SPDX-License-Identifier: Apache-2.0
// Rows of the pages that are looked at now and then: each is loaded when it is.
import { lazy } from '../app/lazy';
import type { PageRow } from '../app/page';

const policy = lazy(() => import('./policy').then((m) => m.PolicyPage));

export const toolPages: PageRow[] = [
  {
    path: '/explain',
    view: lazy(() => import('./explain').then((m) => m.Explain)),
    nav: { label: 'Explain access', icon: 'explain', group: 'Signing' },
  },
  {
    path: '/digest',
    view: lazy(() => import('./digest').then((m) => m.DigestPage)),
    nav: { label: 'Was it signed?', icon: 'search', group: 'Evidence' },
    for: 'reader',
  },
  { path: '/policy', view: policy, nav: { label: 'Policy and freeze', icon: 'approval', group: 'Platform' } },
  { path: '/projects/:project/policy', view: policy },
  { path: '/keys/:key/policy', view: policy },
  { path: '/keys/:key/digests', view: lazy(() => import('./listed_digests').then((m) => m.ListedDigests)) },
];
