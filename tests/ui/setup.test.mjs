// SPDX-License-Identifier: Apache-2.0
// The set-up: from nothing to an executable that is signed, with the page and the commands it gives to copy.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { adminKey, goTo, inspect, launch, open, rest, server, signIn } from './browser.mjs';

const work = process.env.UI_WORK;
const home = join(work, 'machine');
const root = new URL('../..', import.meta.url).pathname;
let browser, watched, page;
before(async () => {
  browser = await launch();
  watched = await open(browser, { expected: [/status of (409|503)/] });
  page = watched.page;
  await signIn(page, adminKey, '/ui/projects');
});
after(async () => {
  await browser?.close();
});

const step = (number) => page.locator('.setup > li').nth(number - 1);
const isDone = (number) => step(number).locator('.badge', { hasText: 'Done' }).waitFor();
const go = (address) => goTo(page, address);

test('a server without a project offers it', async () => {
  await page.route('**/v1/projects?limit=1', (route) => route.fulfill({ json: { items: [], next: null } }));
  await go('');
  await page.getByText('This server has no project yet').waitFor();
  await inspect(page, 'setup-offer');
  await page.getByRole('link', { name: 'Set it up' }).click();
  await page.getByRole('heading', { name: 'Set-up', level: 1 }).waitFor();
  await page.unrouteAll({ behavior: 'wait' });
});

test('a step that fails names what is wrong, and is tested again', async () => {
  await page.route('**/v1/hsms', async (route) => {
    const answer = await route.fetch();
    const list = await answer.json();
    const items = list.items.map((h) => ({ ...h, state: 'unavailable', reason: 'the token is not present' }));
    return route.fulfill({ response: answer, json: { ...list, items } });
  });
  await go('/setup');
  await step(1).getByText('The HSM default does not answer: the token is not present').waitFor();
  await inspect(page, 'setup-failed');
  await page.unrouteAll({ behavior: 'wait' });
  await step(1).getByRole('button', { name: 'Test again' }).click();
  await isDone(1);
  await isDone(2);
});

test('project, key, account and role are made one after the other', async () => {
  await go('/setup');
  await step(3).getByLabel('Name of the project').fill('first-product');
  await inspect(page, 'setup-project');
  await step(3).getByRole('button', { name: 'Create the project' }).click();
  await isDone(3);
  await step(4).getByLabel('Subject of its certificate').fill('CN=First Product,O=Sandbox');
  await step(4).getByLabel('Type').selectOption('rsa3072');
  await step(4).getByRole('button', { name: 'Make the key in the HSM' }).click();
  await isDone(4);
  await step(5).getByLabel('Name of the account').fill('first-machine');
  await step(5).getByLabel('No passphrase, for an unattended build machine').check();
  await inspect(page, 'setup-account');
  await step(5).getByRole('button', { name: 'Register the account' }).click();
  await isDone(5);
  await step(6).getByRole('button', { name: 'Make first-machine a signer of first-product' }).click();
  await isDone(6);
  await step(7).getByText('Waiting for the first signature').waitFor();
});

test('the commands given sign an executable, and the page sees it', async () => {
  mkdirSync(join(home, 'Downloads'), { recursive: true });
  const download = page.waitForEvent('download');
  await step(7).getByRole('button', { name: 'Save first-machine.key' }).click();
  await (await download).saveAs(join(home, 'Downloads/first-machine.key'));
  await step(7).getByRole('region', { name: 'set-up command' }).getByText('server-ca.pem').first().waitFor();
  await inspect(page, 'setup-machine');

  const text = (label) => step(7).getByRole('region', { name: label }).innerText();
  const env = {
    HOME: home,
    PATH: `${process.env.CHANCERY_BUILD}/cli:${process.env.PATH}`,
    PASSPHRASE: 'none',
  };
  const run = (command) =>
    execFileSync('bash', ['-ec', command], { cwd: home, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
  run(await text('set-up command'));
  execFileSync('x86_64-w64-mingw32-gcc', [
    '-O2',
    '-s',
    '-o',
    join(home, 'app.exe'),
    join(root, 'tests/e2e/data/hello.c'),
  ]);
  // The module is not installed in the system here.
  const sign = (await text('osslsigncode commands')).replaceAll(/\S*chancery-pkcs11\.so/g, process.env.P11_MODULE);
  run(sign);
  await step(7).getByText('It has signed').waitFor();
  await isDone(7);
  await inspect(page, 'setup-done');
  const told = execFileSync(
    'bash',
    ['-c', `osslsigncode verify -CAfile ${process.env.P11_CA} app-signed.exe || true`],
    {
      cwd: home,
    },
  ).toString();
  assert.match(told, /First Product/);
  copyFileSync(join(home, 'app-signed.exe'), join(work, 'first.exe'));
});

test('left and come back to, it goes on where it was', async () => {
  await go('/keys');
  await go('/setup');
  await page.getByText('7 of 7 steps are done.').waitFor();
  await rest('POST', '/v1/service-accounts/first-machine/disable', {});
  await go('/setup');
  await step(5).getByText('The account first-machine is disabled').waitFor();
  await step(6).getByText('After the steps before.').waitFor();
  await rest('POST', '/v1/service-accounts/first-machine/enable', {});
});

test('what the server refuses stands at the field and loses nothing', async () => {
  await page.getByRole('button', { name: 'Begin anew with another project' }).click();
  await step(3).getByLabel('Name of the project').fill('first-product');
  await step(3).getByRole('button', { name: 'Create the project' }).click();
  await step(3).getByRole('alert').or(step(3).locator('.field-error')).first().waitFor();
  assert.equal(await step(3).getByLabel('Name of the project').inputValue(), 'first-product');
});

test('no page made an error on the console or asked another server', async () => {
  await watched.done();
});
