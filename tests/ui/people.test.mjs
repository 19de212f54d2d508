// SPDX-License-Identifier: Apache-2.0
// Users, teams and one's own account: what is done there by keyboard and mouse.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { adminKey, axe, goTo, inspect, launch, open, rest, server, settled, signIn } from './browser.mjs';
import { fill } from './world.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser?.close();
});

const go = (page, address, heading) => goTo(page, address, { name: heading, exact: true });

test('with nothing there, each list says what it is for', async () => {
  const { page, done } = await open(browser);
  await signIn(page);
  await go(page, '/teams', 'Teams');
  await page.getByText('There is no team yet').waitFor();
  await inspect(page, 'teams-none');
  await go(page, '/users?name=nobody-like-it', 'Users');
  await page.getByText('No user fits these filters').waitFor();
  await inspect(page, 'users-none');
  await done();
});

test('an administrator makes a user, gives a one-time password, and the user chooses one and a second factor', async () => {
  const admin = await open(browser);
  await signIn(admin.page, adminKey, '/ui/users');
  await admin.page.getByRole('button', { name: 'New user' }).focus();
  await admin.page.keyboard.press('Enter');
  await admin.page.keyboard.type('nora');
  await admin.page.keyboard.press('Enter');
  await admin.page.getByRole('heading', { name: 'nora', level: 1 }).waitFor();

  await admin.page.getByRole('tab', { name: 'Sign-in' }).click();
  await admin.page.getByRole('button', { name: 'Give a one-time password' }).click();
  await inspect(admin.page, 'one-time-password-asked');
  await admin.page.getByRole('dialog').getByRole('button', { name: 'Make it' }).click();
  const given = admin.page.getByRole('dialog').getByRole('region', { name: 'one-time password' });
  const password = (await given.innerText()).trim();
  assert.match(password, /^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
  await inspect(admin.page, 'one-time-password');
  await admin.page.getByRole('button', { name: 'Done' }).click();
  await admin.page.getByText('one-time', { exact: true }).waitFor();
  await admin.done();

  const own = 'four words that do not belong';
  const { page, done } = await open(browser, { expected: [/status of 40[013]/] });
  await page.goto(`${server}/ui/me`);
  await page.getByRole('button', { name: 'Password' }).click();
  await page.getByLabel('Name', { exact: true }).fill('nora');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  const must = page.getByRole('dialog', { name: 'Choose a password of your own' });
  await must.getByLabel('Password you have now').fill(password);
  await must.getByLabel('New password', { exact: true }).fill(own);
  await must.getByLabel('New password, once more').fill(`${own}!`);
  await must.getByRole('button', { name: 'Set password' }).click();
  await must.getByText('The two are not the same').waitFor();
  await must.getByLabel('New password, once more').fill(own);
  await must.getByRole('button', { name: 'Set password' }).click();
  await page.getByRole('heading', { name: 'My account' }).waitFor();
  await settled(page);

  await page.getByRole('button', { name: 'Set it up' }).click();
  const dialog = page.getByRole('dialog', { name: 'Set up a second factor' });
  await dialog.waitFor();
  const secret = (await dialog.locator('dd code').innerText()).trim();
  await inspect(page, 'second-factor');
  await dialog.getByLabel('Code', { exact: true }).fill('000000');
  await dialog.getByRole('button', { name: 'Switch it on' }).click();
  await dialog.locator('.field-error').waitFor();
  const code = () => execFileSync('oathtool', ['--totp', '-b', secret]).toString().trim();
  await dialog.getByLabel('Code', { exact: true }).fill(code());
  await dialog.getByRole('button', { name: 'Switch it on' }).click();
  const codes = page.getByRole('dialog', { name: 'Your second factor is on' });
  const recovery = (await codes.getByRole('region').innerText()).trim().split('\n');
  assert.ok(recovery.length >= 8);
  await inspect(page, 'recovery-codes');
  await codes.getByRole('button', { name: 'I have kept them' }).click();
  await settled(page);
  await inspect(page, 'me-second-factor-on');

  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.getByRole('button', { name: 'Password' }).click();
  await page.getByLabel('Name', { exact: true }).fill('nora');
  await page.getByLabel('Password', { exact: true }).fill(own);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel('One-time code').fill(recovery[0]);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor({ state: 'attached' });

  await page.goto(`${server}/ui/me`);
  await settled(page);
  await page.getByRole('button', { name: 'Change it' }).click();
  const change = page.getByRole('dialog', { name: 'Change your password' });
  await change.getByLabel('Password you have now').fill('not this one');
  await change.getByLabel('One-time code').fill(recovery[1]);
  await change.getByLabel('New password', { exact: true }).fill(`${own} again`);
  await change.getByLabel('New password, once more').fill(`${own} again`);
  await inspect(page, 'change-password');
  await change.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  const remove = page.getByRole('dialog', { name: 'Remove your second factor?' });
  await remove.getByLabel('Code', { exact: true }).fill('000000');
  await remove.getByRole('button', { name: 'Remove it' }).click();
  await remove.locator('.field-error').waitFor();
  await remove.getByLabel('Code', { exact: true }).fill(recovery[2]);
  await remove.getByRole('button', { name: 'Remove it' }).click();
  await page.getByText('Your second factor is removed').waitFor();
  await done();
});

test('an API key is shown once, signs in, and stops when it is revoked', async () => {
  const { page, done } = await open(browser);
  await signIn(page, adminKey, '/ui/me?tab=api-keys');
  await page.getByRole('button', { name: 'New API key' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name', { exact: true }).fill('reports');
  await dialog.getByRole('button', { name: 'Make the API key' }).click();
  const secret = (await dialog.getByRole('region', { name: 'API key' }).innerText()).trim();
  assert.match(secret, /^chancery_/);
  assert.ok((await rest('GET', '/v1/projects', undefined, secret)).items);
  await inspect(page, 'api-key-shown');
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('row', { name: /reports/ }).waitFor();
  assert.ok(!(await page.content()).includes(secret));

  await page
    .getByRole('row', { name: /reports/ })
    .getByRole('button')
    .click();
  await inspect(page, 'api-key-revoke');
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('API key reports of admin is revoked').waitFor();
  await assert.rejects(rest('GET', '/v1/projects', undefined, secret), /401/);
  await done();
});

test('signing out everywhere ends this session, too, and nothing else is lost', async () => {
  const { page, done } = await open(browser, { expected: [/status of 401/] });
  const other = await open(browser, { expected: [/status of 401/] });
  await signIn(other.page, adminKey, '/ui/teams');
  await signIn(page, adminKey, '/ui/me');
  await page.getByRole('button', { name: 'Sign out everywhere' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
  await page.getByRole('dialog', { name: 'Your session has ended' }).waitFor();
  await other.page.reload();
  await other.page.getByRole('button', { name: 'Sign in' }).waitFor();
  await other.done();
  await done();
});

test('a team is made, takes a member, loses it, and is removed by its name', async () => {
  await fill(rest);
  const { page, done } = await open(browser);
  await signIn(page, adminKey, '/ui/teams');
  await page.getByRole('button', { name: 'New team' }).click();
  await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('night-shift');
  await page.getByRole('dialog').getByRole('button', { name: 'Create team' }).click();
  await page.getByRole('heading', { name: 'night-shift', level: 1 }).waitFor();
  await page.getByText('Nobody is in night-shift yet').waitFor();
  await page.getByRole('button', { name: 'Add a member' }).click();
  await page.getByRole('dialog').getByLabel('User or service account').fill('ada');
  await axe(page, 'add to a team');
  await page.getByRole('dialog').getByRole('button', { name: 'Put into the team' }).click();
  await page.getByRole('link', { name: 'ada' }).waitFor();
  await page.getByRole('button', { name: 'Take out' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take out' }).click();
  await page.getByText('Nobody is in night-shift yet').waitFor();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  const remove = page.getByRole('dialog');
  assert.ok(await remove.getByRole('button', { name: 'Remove the team' }).isDisabled());
  await remove.getByLabel('Type night-shift to confirm').fill('night-shift');
  await inspect(page, 'team-remove');
  await remove.getByRole('button', { name: 'Remove the team' }).click();
  await page.getByRole('heading', { name: 'Teams', level: 1 }).waitFor();
  await assert.rejects(rest('GET', '/v1/teams/night-shift'), /404/);
  await done();
});

test('a role that somebody else changed meanwhile is not overwritten, and the choice is kept', async () => {
  await rest('POST', '/v1/users', { name: 'changed-twice' });
  const { page, done } = await open(browser, { expected: [/status of 412/] });
  await signIn(page, adminKey, '/ui/users/changed-twice');
  await page.getByRole('button', { name: 'Change role' }).click();
  const dialog = page.getByRole('dialog');
  await rest('POST', '/v1/users/changed-twice/disable', {});
  await dialog.getByLabel('Role on the platform').selectOption('auditor');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('Somebody else changed this meanwhile').waitFor();
  assert.equal(await dialog.getByLabel('Role on the platform').inputValue(), 'auditor');
  await dialog.getByRole('button', { name: /load/i }).click();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('changed-twice is auditor').waitFor();
  await done();
});

test('who may not administer is not offered it', async () => {
  await fill(rest);
  const { api_key: key } = await rest('POST', '/v1/users/audrey/api-keys', { name: 'browser' });
  const { page, done } = await open(browser);
  await signIn(page, key, '/ui/users/sam');
  await page.getByRole('heading', { name: 'sam', level: 1 }).waitFor();
  await settled(page);
  for (const name of ['Change role', 'Disable', 'Remove'])
    assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0);
  assert.equal(await page.getByRole('tab', { name: 'API keys' }).count(), 0);
  await go(page, '/teams/release', 'release');
  assert.equal(await page.getByRole('button', { name: 'Add a member' }).count(), 0);
  await go(page, '/me', 'My account');
  await done();
});
