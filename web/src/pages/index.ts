// SPDX-License-Identifier: Apache-2.0
// Every page: its address, its view, its place in the navigation, in the order they stand there. What is looked at now and then
// comes behind the rest, so that the first load stays small.
import { lazy } from '../app/lazy';
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

export const seldom = lazy(() => import('./seldom'));
const policy = seldom.page((all) => all.PolicyPage);

/** What signs, and what decides whether it may. */
const signing: PageRow[] = [
  {
    path: '/approvals',
    view: Approvals,
    nav: { label: 'Approvals', icon: 'approval', group: 'Signing', count: WaitingCount },
  },
  { path: '/approvals/:id', view: ApprovalPage },
  { path: '/projects', view: Projects, nav: { label: 'Projects', icon: 'project', group: 'Signing' } },
  { path: '/projects/:project', view: ProjectPage },
  { path: '/projects/:project/policy', view: policy },
  { path: '/keys', view: Keys, nav: { label: 'Keys', icon: 'key', group: 'Signing' } },
  { path: '/keys/:key', view: KeyPage },
  { path: '/keys/:key/policy', view: policy },
  { path: '/keys/:key/digests', view: seldom.page((all) => all.ListedDigests) },
  { path: '/policy', view: policy, nav: { label: 'Policy and freeze', icon: 'snow', group: 'Signing' } },
  {
    path: '/explain',
    view: seldom.page((all) => all.Explain),
    nav: { label: 'Explain access', icon: 'explain', group: 'Signing' },
  },
];

const people: PageRow[] = [
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
];

/** What was done. */
const evidence: PageRow[] = [
  { path: '/audit', view: Audit, nav: { label: 'Audit log', icon: 'audit', group: 'Evidence' }, for: 'reader' },
  { path: '/audit/:seq', view: AuditRecordPage },
  {
    path: '/digest',
    view: seldom.page((all) => all.DigestPage),
    nav: { label: 'Was it signed?', icon: 'search', group: 'Evidence' },
    for: 'reader',
  },
  {
    path: '/usage',
    view: seldom.page((all) => all.UsageReport),
    nav: { label: 'Usage', icon: 'usage', group: 'Evidence' },
  },
];

/** What keys and certificates come from, and the server itself. */
const platform: PageRow[] = [
  {
    path: '/hsms',
    view: seldom.page((all) => all.Hsms),
    nav: { label: 'HSMs', icon: 'hsm', group: 'Platform' },
    for: 'reader',
  },
  { path: '/hsms/:hsm', view: seldom.page((all) => all.HsmPage) },
  { path: '/cas', view: Cas, nav: { label: 'Authorities', icon: 'certificate', group: 'Platform' } },
  { path: '/cas/:ca', view: CaPage },
  {
    path: '/connectors',
    view: seldom.page((all) => all.Connectors),
    nav: { label: 'Connectors', icon: 'connector', group: 'Platform' },
    for: 'reader',
  },
  { path: '/connectors/:connector', view: seldom.page((all) => all.ConnectorPage) },
  {
    path: '/jobs',
    view: seldom.page((all) => all.Jobs),
    nav: { label: 'Jobs', icon: 'reload', group: 'Platform' },
    for: 'reader',
  },
  { path: '/jobs/:job', view: seldom.page((all) => all.JobPage) },
  {
    path: '/timestamps',
    view: seldom.page((all) => all.Timestamps),
    nav: { label: 'Timestamps', icon: 'clock', group: 'Platform' },
    for: 'reader',
  },
  {
    path: '/settings',
    view: seldom.page((all) => all.Settings),
    nav: { label: 'Settings', icon: 'settings', group: 'Platform' },
  },
  {
    path: '/setup',
    view: seldom.page((all) => all.Setup),
    nav: { label: 'Set-up', icon: 'check', group: 'Platform' },
    for: 'administrator',
  },
];

export const pages: PageRow[] = [
  { path: '/', view: Overview, nav: { label: 'Overview', icon: 'overview' } },
  ...signing,
  ...people,
  ...evidence,
  ...platform,
];
