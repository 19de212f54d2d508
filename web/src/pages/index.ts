// SPDX-License-Identifier: Apache-2.0
// Every page: its address, its view, its place in the navigation, in the order they stand there.
import type { PageRow } from '../app/page';
import { Account } from './account';
import { Accounts } from './accounts';
import { ApprovalPage } from './approval';
import { Approvals, WaitingCount } from './approvals';
import { Audit } from './audit';
import { AuditRecordPage } from './audit_record';
import { CaPage } from './ca';
import { Cas } from './cas';
import { KeyPage } from './key';
import { Keys } from './keys';
import { Me } from './me';
import { NewAccount } from './new_account';
import { Overview } from './overview';
import { ProjectPage } from './project';
import { Projects } from './projects';
import { TeamPage } from './team';
import { Teams } from './teams';
import { UserPage } from './user';
import { Users } from './users';
import { toolPages } from './tools';

export const pages: PageRow[] = [
  { path: '/', view: Overview, nav: { label: 'Overview', icon: 'overview' } },
  { path: '/projects', view: Projects, nav: { label: 'Projects', icon: 'project', group: 'Signing' } },
  { path: '/projects/:project', view: ProjectPage },
  { path: '/keys', view: Keys, nav: { label: 'Keys', icon: 'key', group: 'Signing' } },
  { path: '/keys/:key', view: KeyPage },
  {
    path: '/approvals',
    view: Approvals,
    nav: { label: 'Approvals', icon: 'approval', group: 'Signing', count: WaitingCount },
  },
  { path: '/approvals/:id', view: ApprovalPage },
  { path: '/users', view: Users, nav: { label: 'Users', icon: 'user', group: 'People' }, for: 'reader' },
  { path: '/users/:user', view: UserPage },
  { path: '/teams', view: Teams, nav: { label: 'Teams', icon: 'team', group: 'People' }, for: 'reader' },
  { path: '/teams/:team', view: TeamPage },
  {
    path: '/service-accounts',
    view: Accounts,
    nav: { label: 'Service accounts', icon: 'account', group: 'People' },
    for: 'reader',
  },
  { path: '/service-accounts/:account', view: Account },
  { path: '/new-service-account', view: NewAccount },
  { path: '/me', view: Me },
  { path: '/audit', view: Audit, nav: { label: 'Audit log', icon: 'audit', group: 'Evidence' }, for: 'reader' },
  { path: '/audit/:seq', view: AuditRecordPage },
  { path: '/cas', view: Cas, nav: { label: 'Authorities', icon: 'certificate', group: 'Platform' } },
  { path: '/cas/:ca', view: CaPage },
  ...toolPages,
];
