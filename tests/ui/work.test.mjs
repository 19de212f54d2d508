// SPDX-License-Identifier: Apache-2.0
// What an administrator does with projects, people and keys, by the page alone; what others see of it; and what the
// page's policy refuses.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { adminKey, inspect, launch, open, rest, restAnswer, server, settled, signIn } from './browser.mjs';
import { fill } from './world.mjs';

let browser;
before(async () => {
  await fill(rest);
  browser = await launch();
});
after(async () => {
  await browser?.close();
});

/** A key of that user, for signing in as him; kept, since an administrator makes only the first one. */
async function keyOf(user) {
  const file = join(process.env.UI_WORK, `${user}.key`);
  if (!existsSync(file)) {
    const made = await rest('POST', `/v1/users/${user}/api-keys`, { name: 'browser', scopes: ['read', 'admin'] });
    writeFileSync(file, made.api_key, { mode: 0o600 });
  }
  return readFileSync(file, 'utf8');
}

async function state(key) {
  return (await rest('GET', `/v1/keys/${key}`)).state;
}

const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

test('a project, a signer and a key are made, the key is used up to its retirement, each step with its consequences told', async () => {
  const { page, done } = await open(browser);
  await signIn(page, adminKey, '/ui/projects');
  await press(page, 'New project');
  await page.getByLabel('Name', { exact: true }).fill('drivers');
  await page.getByLabel(/^Description/).fill('Windows drivers');
  await press(page, 'Create project');
  await page.getByRole('heading', { name: 'drivers', level: 1 }).waitFor();

  await page.getByRole('tab', { name: 'Members' }).click();
  await press(page, 'Give a role');
  await page.getByRole('dialog').getByLabel('User, service account or team').fill('demo-signer');
  await inspect(page, 'give-role');
  await page.getByRole('dialog').getByRole('button', { name: 'Give the role' }).click();
  await page.getByText('is a signer', { exact: true }).waitFor();

  await page.getByRole('tab', { name: 'Keys' }).click();
  await press(page, 'New key');
  await page.getByLabel('Label', { exact: true }).fill('release');
  await page.getByLabel(/^Subject/).fill('CN=Drivers,O=Sandbox');
  await inspect(page, 'new-key');
  await press(page, 'Create and make it in the HSM');
  await page.getByRole('heading', { name: 'drivers:release', level: 1 }).waitFor();
  assert.equal(await state('drivers:release'), 'active');

  await press(page, 'Disable');
  await page.getByText('The very next signature with this key is refused').waitFor();
  await page.getByLabel(/^Reason/).fill('a test');
  await inspect(page, 'disable-key');
  await press(page, 'Disable the key');
  await page.getByText('Reason: a test').waitFor();
  assert.equal(await state('drivers:release'), 'disabled');

  await press(page, 'Enable');
  await press(page, 'Enable the key');
  await page.getByRole('button', { name: 'Rotate', exact: true }).waitFor();
  assert.equal(await state('drivers:release'), 'active');

  await press(page, 'Rotate');
  await page.getByLabel('Grace for the version before, in hours').fill('24');
  await inspect(page, 'rotate-key');
  await press(page, 'Make version 2');
  await page.getByText('drivers:release has version 2').waitFor();
  await page.getByRole('tab', { name: 'Versions' }).click();
  await page.getByRole('heading', { name: /^Version 1/ }).waitFor();
  assert.equal((await rest('GET', '/v1/keys/drivers:release')).version, 2);

  await press(page, 'Renew');
  await press(page, 'Issue a certificate');
  await page.getByText('Certificates before this one: 1').waitFor();

  await press(page, 'Retire');
  const retire = page.getByRole('button', { name: 'Retire the key' });
  assert.ok(await retire.isDisabled());
  await page.getByLabel('Type drivers:release to confirm').fill('drivers:releas');
  assert.ok(await retire.isDisabled());
  await page.getByLabel('Type drivers:release to confirm').fill('drivers:release');
  await inspect(page, 'retire-key');
  await retire.click();
  await page.getByRole('button', { name: 'Destroy', exact: true }).waitFor();
  assert.equal(await state('drivers:release'), 'retired');
  await done();
});

test('a destruction that comes too early is told with its date and changes nothing', async () => {
  const { page, done } = await open(browser, { expected: [/status of 409/] });
  await rest('POST', '/v1/keys/desktop:installer/retire', {});
  await signIn(page, adminKey, '/ui/keys/desktop:installer');
  await press(page, 'Destroy');
  await page.getByLabel('Type desktop:installer to confirm').fill('desktop:installer');
  await press(page, 'Destroy the key');
  await page.getByText(/retired too short a time ago/).waitFor();
  assert.equal(await page.getByLabel('Type desktop:installer to confirm').inputValue(), 'desktop:installer');
  assert.equal(await state('desktop:installer'), 'retired');
  await inspect(page, 'destroy-too-early');
  await done();
});

test('a certificate is revoked by the end of its serial number, with a reason, and stands on the CRL', async () => {
  const { page, done } = await open(browser);
  const label = `lost-${Date.now()}`;
  const subject = `CN=${label},O=Sandbox`;
  await rest('POST', '/v1/projects/desktop/keys', { label, type: 'p256', certificate: { subject } });
  await signIn(page, adminKey, '/ui/cas/issuing?tab=issued');
  const row = page.getByRole('row').filter({ hasText: label });
  await row.getByRole('button', { name: 'Revoke' }).click();
  const dialog = page.getByRole('dialog');
  const serial = await dialog.locator('.consequences code').innerText();
  const revoke = dialog.getByRole('button', { name: 'Revoke the certificate' });
  assert.ok(await revoke.isDisabled());
  await dialog.getByLabel(/to confirm$/).fill(serial.slice(-8));
  await inspect(page, 'revoke');
  await revoke.click();
  await row.getByText(/^revoked/).waitFor();
  const { items } = await rest('GET', '/v1/cas/issuing/certificates?state=revoked');
  const revoked = items.find((c) => c.serial === serial);
  assert.equal(revoked.reason, 'key_compromise');
  const { crl } = await rest('GET', '/v1/cas/issuing/crl');
  const text = execFileSync('openssl', ['crl', '-noout', '-text'], { input: crl, encoding: 'utf8' });
  assert.match(text, new RegExp(`Serial Number: ${serial}`));
  await done();
});

test('freezing a project and the platform is loud, and can be undone', async () => {
  const { page, done } = await open(browser);
  await signIn(page, adminKey, '/ui/projects/firmware');
  await press(page, 'Freeze');
  await page.getByRole('dialog').getByLabel('Reason').fill('incident 7');
  await press(page, 'Freeze signing');
  await page.getByText('Signing in firmware is frozen.', { exact: true }).waitFor();
  await inspect(page, 'project-frozen');
  assert.ok((await rest('GET', '/v1/projects/firmware/freeze')).frozen);
  await press(page, 'Unfreeze');
  await page.getByRole('dialog').getByLabel('Reason').fill('over');
  await press(page, 'Unfreeze signing');
  await page.getByText('Signing in firmware is frozen.', { exact: true }).waitFor({ state: 'detached' });
  await done();
});

test('a change by somebody else is told; what was typed stays and is saved after a look at theirs', async () => {
  const { page, done } = await open(browser, { expected: [/status of 412/] });
  await signIn(page, adminKey, '/ui/projects/firmware');
  await press(page, 'Describe');
  await page.getByLabel(/^Description/).fill('Mine');
  await rest('PATCH', '/v1/projects/firmware', { description: 'Theirs' });
  await press(page, 'Save');
  await page.getByText('Somebody else changed this meanwhile').waitFor();
  await press(page, 'Load the present state');
  await page.getByRole('dialog').getByText('Theirs').waitFor();
  assert.equal(await page.getByLabel(/^Description/).inputValue(), 'Mine');
  await press(page, 'Save');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal((await rest('GET', '/v1/projects/firmware')).description, 'Mine');
  await done();
});

test('the audit log is followed as it grows, filtered, and exported whole', async () => {
  const { page, done } = await open(browser);
  await signIn(page, adminKey, '/ui/audit?live=1');
  await page.getByText('Waiting for the next record').waitFor();
  await page.waitForResponse((r) => r.url().includes('/v1/audit?') && r.url().includes('after='));
  await rest('PATCH', '/v1/projects/desktop', { description: 'Followed' });
  await page.getByRole('link', { name: 'Project changed: desktop' }).waitFor();

  await page.getByRole('link', { name: 'Stop following' }).click();
  await page.getByLabel('What').selectOption('key.create');
  await page.waitForURL(/type=key.create/);
  await settled(page);
  const what = await page.locator('td[data-label=What]').allInnerTexts();
  assert.ok(what.length > 5 && what.every((w) => w.startsWith('Key created: ')), what.join());

  const download = page.waitForEvent('download');
  await press(page, 'Export');
  const file = await (await download).path();
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  assert.equal(JSON.parse(lines.at(0)).seq, 1);
  assert.equal(JSON.parse(lines.at(-1)).seq, lines.length);
  await done();
});

test('an auditor sees everything and is offered nothing that changes it', async () => {
  const { page, done } = await open(browser);
  await signIn(page, await keyOf('audrey'), '/ui/keys/demo:p256');
  await page.getByRole('heading', { name: 'demo:p256' }).waitFor();
  await settled(page);
  for (const name of ['Rotate', 'Renew', 'Disable', 'Retire'])
    assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
  await page.getByRole('link', { name: 'Audit log' }).click();
  await page.getByRole('heading', { name: 'Audit log' }).waitFor();
  await settled(page);
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await settled(page);
  assert.equal(await page.getByRole('button', { name: 'Freeze signing' }).count(), 0);
  await inspect(page, 'overview-auditor');
  await done();
});

test('an owner sees their project and no other', async () => {
  const { page, done } = await open(browser, { expected: [/status of (403|404)/] });
  await signIn(page, await keyOf('olga'), '/ui/projects');
  await page.getByRole('link', { name: 'firmware' }).waitFor();
  await settled(page);
  assert.deepEqual(await page.locator('td.main').allInnerTexts(), ['firmware']);
  assert.equal(await page.getByRole('link', { name: 'Audit log' }).count(), 0);
  assert.equal(await page.getByRole('button', { name: 'New project' }).count(), 0);
  await page.goto(`${server}/ui/keys`);
  await page.getByRole('link', { name: 'bootloader' }).waitFor();
  assert.ok((await page.locator('td[data-label=Project]').allInnerTexts()).every((p) => p === 'firmware'));
  await page.goto(`${server}/ui/keys/demo:p256`);
  await page.getByText('There is no such object, or you have no right to see it').waitFor();
  await inspect(page, 'not-found');
  await page.goto(`${server}/ui`);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await inspect(page, 'overview-owner');
  await done();
});

test('an inline script, a style or a page of another origin around this one is refused by the policy', async () => {
  const answer = await restAnswer('GET', '/', undefined, adminKey);
  const policy = answer.headers['content-security-policy'];
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
  const { page, done } = await open(browser, { expected: [/Content Security Policy|TrustedHTML|Trusted/] });
  await page.goto(server);
  await page.getByRole('heading', { name: 'Chancery' }).waitFor();
  const ran = await page.evaluate(async () => {
    const script = document.createElement('script');
    try {
      script.text = 'window.broken = 1';
      document.body.append(script);
    } catch {
      // refused at the assignment
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    return window.broken;
  });
  assert.equal(ran, undefined);
  await assert.rejects(
    page.evaluate(() => {
      document.body.innerHTML = '<b>x</b>';
    }),
    /TrustedHTML/,
  );
  await done();
});
