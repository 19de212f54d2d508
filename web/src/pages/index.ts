// SPDX-License-Identifier: Apache-2.0
// Every page: its address, its view, its place in the navigation, in the order they stand there.
import type { PageRow } from '../app/page';
import { KeyPage } from './key';
import { Keys } from './keys';
import { ProjectPage } from './project';
import { Projects } from './projects';
import { toolPages } from './tools';

export const pages: PageRow[] = [
  { path: '/', view: Projects, nav: { label: 'Overview', icon: 'overview' } },
  { path: '/projects', view: Projects, nav: { label: 'Projects', icon: 'project', group: 'Signing' } },
  { path: '/projects/:project', view: ProjectPage },
  { path: '/keys', view: Keys, nav: { label: 'Keys', icon: 'key', group: 'Signing' } },
  { path: '/keys/:key', view: KeyPage },
  ...toolPages,
];
