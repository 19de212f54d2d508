// SPDX-License-Identifier: Apache-2.0
// Every page in both sizes and both themes: it renders without an error, holds axe's rules, fits the window, and a screenshot
// of it is kept. A new page has its row here.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { axe, inspect, launch, open, rest, server, settled, signIn, sizes } from './browser.mjs';
import { looked } from './routes.mjs';
import { fill } from './world.mjs';

// Name of the screenshot, address below /ui, heading. A word in braces is made before, see `made`.
const rows = [
  ['overview', '', 'Overview'],
  ['approvals-all', '/approvals?tab=all', 'Approvals'],
  ['approvals-mine', '/approvals?tab=mine', 'Approvals'],
  ['approvals-for-me', '/approvals', 'Approvals'],
  ['approval', '/approvals/{approval}', 'Use of firmware-bootloader by sam'],
  ['projects', '/projects', 'Projects'],
  ['projects-none', '/projects?name=nothing-like-it', 'Projects'],
  ['project', '/projects/firmware', 'firmware'],
  ['project-members', '/projects/firmware?tab=members', 'firmware'],
  ['project-policy-tab', '/projects/firmware?tab=policy', 'firmware'],
  ['project-usage', '/projects/firmware?tab=about', 'firmware'],
  ['project-policy', '/projects/firmware/policy', 'Policy of the project firmware'],
  ['project-policy-versions', '/projects/firmware/policy?tab=versions', 'Policy of the project firmware'],
  ['project-policy-freeze', '/projects/firmware/policy?tab=freeze', 'Policy of the project firmware'],
  ['keys', '/keys', 'Keys'],
  ['key', '/keys/demo:p256', 'demo:p256'],
  ['key-versions', '/keys/firmware:bootloader?tab=versions', 'firmware:bootloader'],
  ['key-certificate', '/keys/firmware:update?tab=certificate', 'firmware:update'],
  ['key-policy', '/keys/firmware:bootloader?tab=policy', 'firmware:bootloader'],
  ['key-pending', '/keys/firmware:later', 'firmware:later'],
  ['key-own-policy', '/keys/firmware:bootloader/policy', 'Policy of the key firmware:bootloader'],
  ['key-own-policy-versions', '/keys/firmware:bootloader/policy?tab=versions', 'Policy of the key firmware:bootloader'],
  ['key-digests', '/keys/firmware:bootloader/digests', 'Listed digests of firmware:bootloader'],
  ['policy', '/policy', 'Policy and freeze'],
  ['policy-platform-versions', '/policy?tab=versions', 'Policy and freeze'],
  ['policy-freeze', '/policy?tab=freeze', 'Policy and freeze'],
  ['explain-page', '/explain', 'Explain access'],
  ['users', '/users', 'Users'],
  ['user-roles', '/users/sam', 'sam'],
  ['user-sign-in', '/users/sam?tab=sign-in', 'sam'],
  ['user-api-keys', '/users/admin?tab=api-keys', 'admin'],
  ['user-no-roles', '/users/audrey', 'audrey'],
  ['teams', '/teams', 'Teams'],
  ['team', '/teams/release', 'release'],
  ['team-roles', '/teams/release?tab=roles', 'release'],
  ['accounts', '/service-accounts', 'Service accounts'],
  ['accounts-none', '/service-accounts?name=nothing-like-it', 'Service accounts'],
  ['account', '/service-accounts/demo-signer', 'demo-signer'],
  ['account-roles', '/service-accounts/demo-signer?tab=roles', 'demo-signer'],
  ['account-set-up', '/service-accounts/demo-signer?tab=set-up&tool=osslsigncode&key=demo-rsa3072', 'demo-signer'],
  ['account-new', '/new-service-account', 'New service account'],
  ['me', '/me', 'My account'],
  ['me-api-keys', '/me?tab=api-keys', 'My account'],
  ['me-roles', '/me?tab=roles', 'My account'],
  ['audit', '/audit', 'Audit log'],
  ['audit-follow', '/audit?live=1', 'Audit log'],
  ['audit-record', '/audit/5', /./],
  ['audit-record-none', '/audit/999999', 'Record 999999'],
  ['digest-page', '/digest', 'Was this digest signed?'],
  ['usage-page', '/usage', 'Usage'],
  ['hsms', '/hsms', 'HSMs'],
  ['hsm', '/hsms/default', 'default'],
  ['hsm-mechanisms', '/hsms/default?tab=limits', 'default'],
  ['hsm-never-compared', '/hsms/default?tab=compared', 'default'],
  ['cas', '/cas', 'Certificate authorities'],
  ['ca', '/cas/issuing', 'issuing'],
  ['ca-issued', '/cas/issuing?tab=issued', 'issuing'],
  ['connectors-list', '/connectors', 'Connectors'],
  ['connector-builtin', '/connectors/builtin', 'builtin'],
  ['jobs-list', '/jobs', 'Jobs'],
  ['job', '/jobs/{job}', /./],
  ['timestamps-page', '/timestamps', 'Timestamps'],
  ['settings-page', '/settings', 'Settings'],
  ['setup-page', '/setup', 'Set-up'],
  ['no-such-page', '/nothing', 'There is no such page'],
];

/** What a row names in braces. */
const made = {};
async function make() {
  await rest('PUT', '/v1/keys/firmware:bootloader/policy', { approval: { needed: 1 } });
  await rest('POST', '/v1/keys/firmware:bootloader/digests', { hash: 'sha256', digest: 'ab'.repeat(32), note: 'one' });
  const { api_key } = await rest('POST', '/v1/users/sam/api-keys', { name: 'pages' });
  const wish = { key: 'firmware:bootloader', reason: 'boot loader of release 7', count: 3 };
  made.approval = (await rest('POST', '/v1/approvals', wish, api_key)).id;
  made.job = (await rest('POST', '/v1/connectors/builtin/test', {})).id;
  await rest('PATCH', '/v1/service-accounts/demo-signer', {
    description: 'Signs what the nightly build makes',
    team: 'release',
  });
}

const pages = looked();
let browser, watched;
before(async () => {
  await fill(rest);
  await make();
  browser = await launch();
  watched = await open(browser);
  await signIn(watched.page);
});
after(async () => {
  await browser?.close();
});

for (const [name, address, heading] of rows)
  test(`${name} looks right`, async () => {
    const { page } = watched;
    await page.goto(`${server}/ui${address.replace(/{(\w+)}/, (_, word) => made[word])}`);
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    await settled(page);
    await pages.at(page);
    await inspect(page, name);
  });

test('no page and no tab of one is without a row here', () => {
  assert.deepEqual(pages.missing(), []);
});

test('on a phone the menu has every group, and leads on', async () => {
  const { page } = watched;
  await page.goto(`${server}/ui/keys`);
  await page.setViewportSize(sizes.narrow);
  await page.getByRole('button', { name: 'Open the menu' }).click();
  const menu = page.getByRole('navigation', { name: 'Pages', exact: true });
  for (const group of ['Signing', 'People', 'Evidence', 'Platform'])
    await menu.getByText(group, { exact: true }).waitFor();
  await page.screenshot({ path: join(process.env.UI_SHOTS, 'menu-narrow.png') });
  await axe(page, 'menu');
  await menu.getByRole('link', { name: 'Timestamps' }).click();
  await page.getByRole('heading', { name: 'Timestamps', level: 1 }).waitFor();
  await page.setViewportSize(sizes.wide);
});

test('no page made an error on the console or asked another server', async () => {
  await watched.done();
});
