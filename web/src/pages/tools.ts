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
  {
    path: '/usage',
    view: lazy(() => import('./usage').then((m) => m.UsageReport)),
    nav: { label: 'Usage', icon: 'usage', group: 'Evidence' },
  },
  { path: '/policy', view: policy, nav: { label: 'Policy and freeze', icon: 'approval', group: 'Platform' } },
  {
    path: '/hsms',
    view: lazy(() => import('./hsms').then((m) => m.Hsms)),
    nav: { label: 'HSMs', icon: 'hsm', group: 'Platform' },
    for: 'reader',
  },
  { path: '/hsms/:hsm', view: lazy(() => import('./hsms').then((m) => m.HsmPage)) },
  {
    path: '/settings',
    view: lazy(() => import('./settings').then((m) => m.Settings)),
    nav: { label: 'Settings', icon: 'settings', group: 'Platform' },
  },
  {
    path: '/setup',
    view: lazy(() => import('./setup').then((m) => m.Setup)),
    nav: { label: 'Set-up', icon: 'check', group: 'Platform' },
    for: 'administrator',
  },
  { path: '/projects/:project/policy', view: policy },
  { path: '/keys/:key/policy', view: policy },
  { path: '/keys/:key/digests', view: lazy(() => import('./listed_digests').then((m) => m.ListedDigests)) },
];
