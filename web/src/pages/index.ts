// SPDX-License-Identifier: Apache-2.0
// Every page: its address, its view, its place in the navigation, in the order they stand there.
import { lazy } from '../app/lazy';
import type { PageRow } from '../app/page';
import { Keys } from './keys';
import { Projects } from './projects';

const digest = lazy(() => import('./digest').then((m) => m.DigestPage));

export const pages: PageRow[] = [
  { path: '/', view: Projects, nav: { label: 'Overview', icon: 'overview' } },
  { path: '/projects', view: Projects, nav: { label: 'Projects', icon: 'project', group: 'Signing' } },
  { path: '/keys', view: Keys, nav: { label: 'Keys', icon: 'key', group: 'Signing' } },
  { path: '/digest', view: digest, nav: { label: 'Was it signed?', icon: 'search', group: 'Evidence' }, for: 'reader' },
];
