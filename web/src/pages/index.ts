// SPDX-License-Identifier: Apache-2.0
// Every page: its address, its view, its place in the navigation, in the order they stand there.
import type { PageRow } from '../app/page';
import { Audit } from './audit';
import { AuditRecordPage } from './audit_record';
import { CaPage } from './ca';
import { Cas } from './cas';
import { KeyPage } from './key';
import { Keys } from './keys';
import { Overview } from './overview';
import { ProjectPage } from './project';
import { Projects } from './projects';

export const pages: PageRow[] = [
  { path: '/', view: Overview, nav: { label: 'Overview', icon: 'overview' } },
  { path: '/projects', view: Projects, nav: { label: 'Projects', icon: 'project', group: 'Signing' } },
  { path: '/projects/:project', view: ProjectPage },
  { path: '/keys', view: Keys, nav: { label: 'Keys', icon: 'key', group: 'Signing' } },
  { path: '/keys/:key', view: KeyPage },
  { path: '/audit', view: Audit, nav: { label: 'Audit log', icon: 'audit', group: 'Evidence' }, for: 'reader' },
  { path: '/audit/:seq', view: AuditRecordPage },
  { path: '/cas', view: Cas, nav: { label: 'Authorities', icon: 'certificate', group: 'Platform' } },
  { path: '/cas/:ca', view: CaPage },
];
