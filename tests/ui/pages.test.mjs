// SPDX-License-Identifier: Apache-2.0
// Every page in both sizes and both themes: it renders without an error, holds axe's rules, fits the window, and a screenshot
// of it is kept. A new page has its row here.
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { axe, inspect, launch, open, rest, server, settled, signIn, sizes } from './browser.mjs';
import { fill } from './world.mjs';

// Name of the screenshot, address below /ui, heading.
const rows = [
  ['overview', '', 'Overview'],
  ['audit', '/audit', 'Audit log'],
  ['audit-follow', '/audit?live=1', 'Audit log'],
  ['audit-record', '/audit/5', /./],
  ['audit-record-none', '/audit/999999', 'Record 999999'],
  ['projects', '/projects', 'Projects'],
  ['projects-none', '/projects?name=nothing-like-it', 'Projects'],
  ['keys', '/keys', 'Keys'],
  ['project', '/projects/firmware', 'firmware'],
  ['project-members', '/projects/firmware?tab=members', 'firmware'],
  ['project-usage', '/projects/firmware?tab=about', 'firmware'],
  ['key', '/keys/demo:p256', 'demo:p256'],
  ['key-versions', '/keys/firmware:bootloader?tab=versions', 'firmware:bootloader'],
  ['key-certificate', '/keys/firmware:update?tab=certificate', 'firmware:update'],
  ['key-policy', '/keys/firmware:bootloader?tab=policy', 'firmware:bootloader'],
  ['key-pending', '/keys/firmware:later', 'firmware:later'],
  ['cas', '/cas', 'Certificate authorities'],
  ['ca', '/cas/issuing', 'issuing'],
  ['ca-issued', '/cas/issuing?tab=issued', 'issuing'],
  ['project-policy', '/projects/firmware/policy', 'Policy of the project firmware'],
  ['connectors-list', '/connectors', 'Connectors'],
  ['connector-builtin', '/connectors/builtin', 'builtin'],
  ['jobs-list', '/jobs', 'Jobs'],
  ['timestamps-page', '/timestamps', 'Timestamps'],
  ['settings-page', '/settings', 'Settings'],
  ['usage-page', '/usage', 'Usage'],
  ['explain-page', '/explain', 'Explain access'],
  ['no-such-page', '/nothing', 'There is no such page'],
];

let browser, watched;
before(async () => {
  await fill(rest);
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
    await page.goto(`${server}/ui${address}`);
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    await settled(page);
    await inspect(page, name);
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
