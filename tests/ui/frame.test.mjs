// SPDX-License-Identifier: Apache-2.0
// The frame of the page: what is loaded, signing in and out, the navigation, themes, and the question who it is.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { adminKey, axe, inspect, launch, open, rest, server, settled, signIn, signInByForm } from './browser.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser?.close();
});

test('what these tests watch for is seen: a rule of axe, an error on the console, a request elsewhere', async () => {
  const { page, done } = await open(browser);
  await page.goto(server);
  await page.getByRole('heading', { name: 'Chancery' }).waitFor();
  await axe(page, 'as it is');
  await page.evaluate(() => document.querySelector('main').append(document.createElement('img')));
  await assert.rejects(axe(page, 'an image without a text'), /image-alt/);
  await page.evaluate(async () => {
    console.error('a mistake');
    await fetch('http://127.0.0.1:9/').catch(() => {});
  });
  await assert.rejects(done(), (e) => /a mistake/.test(e.message) && /127.0.0.1:9/.test(e.message));
});

test('the first load is below 150 kB compressed and comes from this server alone; all the code is, too', async () => {
  const { page, done } = await open(browser);
  const sizes = [];
  page.on('requestfinished', (request) => sizes.push(request.sizes().then((s) => [request.url(), s.responseBodySize])));
  const loaded = async (what) => {
    const all = (await Promise.all(sizes)).filter(([url]) => !url.includes('/v1/'));
    const files = all.filter(([url], i) => all.findIndex(([u]) => u === url) === i); // once each: later they are in the cache
    const total = files.reduce((sum, [, size]) => sum + size, 0);
    console.log(`${what}: ${total} bytes in ${files.length} requests`);
    for (const [url, size] of files) console.log(`  ${size} ${url.slice(server.length)}`);
    assert.ok(total > 5_000, 'something was measured');
    assert.ok(total < 150_000);
    assert.ok(files.length <= 8);
    return total;
  };
  await page.goto(server);
  await page.getByRole('heading', { name: 'Chancery' }).waitFor();
  await settled(page);
  const first = await loaded('first load');
  const ahead = page.waitForResponse((r) => r.url().includes('/assets/seldom-'));
  await signInByForm(page);
  await (await ahead).finished();
  await settled(page);
  assert.ok((await loaded('with what comes behind it')) > first + 10_000);
  await done();
});

test('sign-in looks right and says in plain words what is wrong', async () => {
  const { page, done } = await open(browser, { expected: [/status of 401/] });
  await page.goto(server);
  await inspect(page, 'sign-in');
  await page.getByRole('button', { name: 'API key' }).click();
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.field-error').waitFor();
  await page.getByLabel('API key', { exact: true }).fill('chancery_wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This API key is unknown, has expired or was revoked.').waitFor();
  assert.equal(await page.getByLabel('API key', { exact: true }).inputValue(), 'chancery_wrong');
  await inspect(page, 'sign-in-refused');
  await done();
});

test('a deep link survives the sign-in, and signing out ends the session', async () => {
  const { context, page, done } = await open(browser, { expected: [/status of 401/] });
  await signInByForm(page, adminKey, '/ui/keys?state=active');
  await page.getByRole('heading', { name: 'Keys' }).waitFor();
  assert.equal(await page.getByLabel('State').inputValue(), 'active');
  assert.match(await page.title(), /^Keys · Chancery$/);
  const cookies = await context.cookies(server);
  assert.ok(cookies.every((c) => c.httpOnly && c.secure && c.sameSite === 'Strict'));
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  assert.equal((await context.cookies(server)).length, 0);
  await done();
});

test('everything is reached by keyboard: skip link, navigation, menu, dialog', async () => {
  const { page, done } = await open(browser);
  await signIn(page, adminKey, '/ui/projects');
  await settled(page);
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
  await page.getByRole('link', { name: 'Keys', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Keys' }).waitFor();
  await page.waitForFunction(() => document.activeElement?.tagName === 'H1');

  await page.getByRole('link', { name: 'Projects', exact: true }).click();
  const opener = page.getByRole('button', { name: 'New project' });
  await opener.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await axe(page, 'dialog');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'New project');

  await page.setViewportSize({ width: 390, height: 844 });
  const menu = page.getByRole('button', { name: 'Open the menu' });
  await menu.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'Keys', exact: true }).waitFor();
  await axe(page, 'menu');
  await page.screenshot({ path: `${process.env.UI_SHOTS}/menu-narrow.png` });
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Open the menu' }).waitFor();
  await done();
});

test('an error that names a field stands at the field, which takes the focus', async () => {
  const { page, done } = await open(browser, { expected: [/status of 400/] });
  await signIn(page, adminKey, '/ui/projects');
  await page.getByRole('button', { name: 'New project' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name', { exact: true }).fill('Not A Name');
  await dialog.getByRole('button', { name: 'Create project' }).click();
  await dialog.locator('.field-error').waitFor();
  await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'name');
  await inspect(page, 'field-error');
  await done();
});

test('a chosen theme is kept', async () => {
  const { page, done } = await open(browser);
  await signIn(page);
  await page.getByRole('button', { name: 'Dark theme' }).click();
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await page.getByRole('button', { name: 'Light theme' }).click();
  await done();
});

const password = 'seven quiet lamps';

test('a person signs in by name and password, and is told when one is wrong', async () => {
  await rest('PUT', '/v1/users/admin/password', { password });
  const { page, done } = await open(browser, { expected: [/status of 401/] });
  await page.goto(server);
  await page.getByLabel('Name', { exact: true }).fill('admin');
  await page.getByLabel('Password', { exact: true }).fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('Name or password is wrong.').waitFor();
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor();
  await done();
});

test('a one-time password must be changed first, and then the page that was asked for is shown', async () => {
  await rest('POST', '/v1/users', { name: 'newcomer', role: 'auditor' });
  await rest('PUT', '/v1/users/newcomer/password', { password: 'only for the first time' });
  const { page, done } = await open(browser, { expected: [/status of 403/] });
  await page.goto(`${server}/ui/keys`);
  await page.getByLabel('Name', { exact: true }).fill('newcomer');
  await page.getByLabel('Password', { exact: true }).fill('only for the first time');
  await page.getByRole('button', { name: 'Sign in' }).click();
  const dialog = page.getByRole('dialog', { name: 'Choose a password of your own' });
  await dialog.waitFor();
  await inspect(page, 'one-time-password', { behind: true });
  await dialog.getByLabel('Password you have now').fill('only for the first time');
  await dialog.getByLabel('New password', { exact: true }).fill('a river under the bridge');
  await dialog.getByLabel('New password, once more').fill('a river under the bridge');
  await dialog.getByRole('button', { name: 'Set password' }).click();
  await page.getByRole('link', { name: 'p256', exact: true }).waitFor();
  await done();
});

test('a sensitive action asks again who it is, and goes on when that is shown', async () => {
  await rest('POST', '/v1/projects', { name: 'sensitive' });
  await rest('POST', '/v1/projects/sensitive/keys', { label: 'key', type: 'p256', certificate: { issuer: 'none' } });
  const { page, done } = await open(browser, { expected: [/status of 403/] });
  await signIn(page, adminKey, '/ui/keys/sensitive:key');
  await page.getByRole('button', { name: 'Retire', exact: true }).click();
  await page.getByLabel('Type sensitive:key to confirm').fill('sensitive:key');
  // As if ten minutes had passed.
  execFileSync('sqlite3', [
    '-cmd',
    '.timeout 10000',
    process.env.SANDBOX_DB,
    'UPDATE web_session SET confirmed_until_ms = 1',
  ]);
  await page.getByRole('button', { name: 'Retire the key' }).click();
  const dialog = page.getByRole('dialog', { name: 'Is it still you?' });
  await dialog.waitFor();
  await inspect(page, 'confirm');
  await dialog.getByLabel('API key', { exact: true }).fill('chancery_wrong');
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await dialog.getByText('This API key is unknown').waitFor();
  await dialog.getByLabel('API key', { exact: true }).fill(adminKey);
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await page.getByText('sensitive:key is retired').waitFor();
  assert.equal((await rest('GET', '/v1/keys/sensitive:key')).state, 'retired');
  await done();
});
