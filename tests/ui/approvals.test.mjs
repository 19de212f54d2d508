// SPDX-License-Identifier: Apache-2.0
// Approvals: what waits, one request, the decision; break-glass; what a requester and an approver are offered.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { adminKey, axe, goTo, inspect, launch, open, rest, settled, signIn } from './browser.mjs';
import { fill } from './world.mjs';

let browser;
const keys = {};
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser?.close();
});

const go = (page, address, heading) => goTo(page, address, { name: heading });
const digest = (n) => ({ hash: 'sha256', digest: String(n).padStart(64, '0') });
const ask = (body) => rest('POST', '/v1/approvals', { key: 'firmware:bootloader', ...body }, keys.sam);

test('with no request there is nothing in the lists and no number in the navigation', async () => {
  const { page, done } = await open(browser);
  await signIn(page);
  await go(page, '/approvals', 'Approvals');
  await page.getByText('Nothing waits for you').waitFor();
  assert.equal(await page.locator('nav .count').count(), 0);
  await inspect(page, 'approvals-none');
  await done();
});

test('a request waits in the list and the number of its approver, is looked at, and approved with a comment', async () => {
  await fill(rest);
  await rest('PUT', '/v1/keys/firmware:bootloader/policy', { approval: { needed: 1 } });
  for (const user of ['sam', 'ada', 'olga'])
    keys[user] = (await rest('POST', `/v1/users/${user}/api-keys`, { name: 'browser' })).api_key;
  const asked = await ask({ reason: 'boot loader of release 7', digests: [digest(7), digest(8)] });
  await ask({ reason: 'nightly builds', count: 20, hours: 8 });

  const { page, done } = await open(browser);
  await signIn(page, keys.ada, '/ui/approvals');
  await settled(page);
  assert.match(await page.locator('nav .count').innerText(), /^2/);
  await inspect(page, 'approvals-waiting');
  await page
    .getByRole('row', { name: /release 7/ })
    .getByRole('link')
    .focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Use of firmware-bootloader by sam', level: 1 }).waitFor();
  await settled(page);
  await inspect(page, 'approval-pending');
  await page.getByRole('button', { name: 'Approve' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Comment').fill('seen in review 7');
  await inspect(page, 'approval-approve');
  await dialog.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('You approved the request of sam').waitFor();
  await settled(page);
  await page.getByText('seen in review 7').waitFor();
  await inspect(page, 'approval-approved');
  const now = await rest('GET', `/v1/approvals/${asked.id}`);
  assert.equal(now.state, 'approved');
  assert.match(await page.locator('nav .count').innerText(), /^1\s/);

  await page.getByRole('button', { name: 'Revoke the grant' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke the grant' }).click();
  await page.getByText('The grant of sam for firmware-bootloader is revoked').waitFor();
  assert.equal((await rest('GET', `/v1/approvals/${asked.id}`)).state, 'revoked');
  await done();
});

test('a denial ends a request, and its comment is read by the requester', async () => {
  const asked = await ask({ reason: 'just trying', count: 1 });
  const { page, done } = await open(browser);
  await signIn(page, keys.ada, `/ui/approvals/${asked.id}`);
  await page.getByRole('button', { name: 'Deny' }).click();
  await page.getByRole('dialog').getByLabel('Comment').fill('not with this key');
  await page.getByRole('dialog').getByRole('button', { name: 'Deny' }).click();
  await page.getByText('You denied the request').waitFor();
  await done();
  const other = await open(browser);
  await signIn(other.page, keys.sam, `/ui/approvals/${asked.id}`);
  await other.page.getByText('not with this key').waitFor();
  await settled(other.page);
  await inspect(other.page, 'approval-denied');
  await other.done();
});

test('a requester asks in the page, is offered no decision on it, and takes it back', async () => {
  const { page, done } = await open(browser, { expected: [/status of 400/] });
  await signIn(page, keys.sam, '/ui/approvals');
  await page.getByRole('button', { name: 'Ask for an approval' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Key', { exact: true }).fill('firmware:bootloader');
  await dialog.getByLabel('Reason').fill('two images');
  await dialog.getByLabel('Digests').fill(`${'a'.repeat(64)}  image-1.bin\nnonsense`);
  await dialog.getByRole('button', { name: 'Ask', exact: true }).click();
  await dialog.getByText('"nonsense" is no digest').waitFor();
  await inspect(page, 'approval-new');
  await dialog.getByLabel('Digests').fill(`${'a'.repeat(64)}  image-1.bin\nsha384:${'b'.repeat(96)}\n`);
  await dialog.getByRole('button', { name: 'Ask', exact: true }).click();
  await page.getByRole('heading', { name: 'Use of firmware-bootloader by sam' }).waitFor();
  await settled(page);
  assert.equal(await page.getByRole('button', { name: 'Approve' }).count(), 0);
  await page.getByRole('button', { name: 'Cancel the request' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the request' }).click();
  await page.getByText('Cancelled', { exact: true }).waitFor();
  await done();
});

test('break-glass is loud in the list and on its page', async () => {
  const asked = await ask({ reason: 'the fleet does not boot', count: 3, break_glass: true });
  const { page, done } = await open(browser);
  await signIn(page, keys.olga, '/ui/approvals');
  await settled(page);
  await page.getByRole('row', { name: /Break-glass/ }).waitFor();
  await inspect(page, 'approvals-break-glass');
  await go(page, `/approvals/${asked.id}`, 'Use of firmware-bootloader by sam');
  await page.getByText('Break-glass: an emergency was declared').waitFor();
  await inspect(page, 'approval-break-glass');
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByRole('dialog').getByText('policy is set aside').waitFor();
  await page.keyboard.press('Escape');
  await done();
});

test('a decision on a request that somebody else decided meanwhile is told, and the comment is kept', async () => {
  const asked = await ask({ reason: 'raced', count: 2 });
  const { page, done } = await open(browser, { expected: [/status of (409|412)/] });
  await signIn(page, keys.ada, `/ui/approvals/${asked.id}`);
  await page.getByRole('button', { name: 'Approve' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Comment').fill('mine');
  await rest('POST', `/v1/approvals/${asked.id}/cancel`, {}, keys.sam);
  await dialog.getByRole('button', { name: 'Approve' }).click();
  await dialog.getByRole('alert').waitFor();
  assert.equal(await dialog.getByLabel('Comment').inputValue(), 'mine');
  await axe(page, 'raced');
  await done();
});

test('an auditor sees all requests and is offered no action', async () => {
  const { api_key: key } = await rest('POST', '/v1/users/audrey/api-keys', { name: 'browser' }, adminKey);
  const { page, done } = await open(browser);
  await signIn(page, key, '/ui/approvals');
  await settled(page);
  assert.equal(await page.getByRole('button', { name: 'Ask for an approval' }).count(), 0);
  await page.getByLabel('State').selectOption('denied');
  await settled(page);
  assert.equal(await page.locator('tbody tr').count(), 1);
  await done();
});
