// SPDX-License-Identifier: Apache-2.0
// The policy editor: forms and text, trying, saving, versions, conflicts; the freeze switch; listed digests; explained access.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { adminKey, axe, goTo, inspect, launch, open, rest, server, settled, signIn } from './browser.mjs';
import { signFile } from './signing.mjs';

const work = process.env.UI_WORK;
let browser, watched, page;
before(async () => {
  await rest('POST', '/v1/projects', { name: 'policed', description: 'Of the policy editor' });
  await rest('POST', '/v1/projects/policed/keys', { label: 'seal', type: 'p256', certificate: { subject: 'CN=Seal' } });
  browser = await launch();
  watched = await open(browser, { expected: [/status of (412|400|404)/] });
  page = watched.page;
  await signIn(page, adminKey, '/ui/policy');
});
after(async () => {
  await browser?.close();
});

const go = (address) => goTo(page, address);
const add = (rule) => page.locator('.list > li', { hasText: rule }).getByRole('button').click();
const save = async () => {
  await page.getByRole('button', { name: 'Save…' }).click();
  const dialog = page.getByRole('dialog');
  await settled(page);
  return dialog;
};

test('the platform without a policy looks right', async () => {
  await go('/policy');
  await page.getByText('There is no rule in this policy').waitFor();
  await inspect(page, 'policy-none');
});

test('from the platform one gets to the policy of a project and of a key', async () => {
  await page.getByLabel('Project, or project:label of a key').fill('policed:seal');
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  await page.getByRole('heading', { name: 'Policy of the key policed:seal', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'Listed digests' }).click();
  await page.getByRole('heading', { name: 'Listed digests of policed:seal', level: 1 }).waitFor();
  await go('/policy');
  await page.getByLabel('Project, or project:label of a key').fill('no-such-project');
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  await page.getByText('There is no such object').waitFor();
});

test('every rule has a form, and what the forms say is what the text says', async () => {
  await go('/projects/policed/policy');
  for (const rule of ['Mechanisms', 'Hashes', 'Certificate', 'Quota', 'Rate', 'Networks', 'Weekly windows'])
    await add(rule);
  for (const rule of ['Release windows', 'Required context', 'Programs', 'Digests', 'Approval']) await add(rule);
  await page.getByLabel('Networks and addresses').fill('10.0.0.0/8\n\n  2001:db8::/32 ');
  await page.getByLabel('A month').fill('500');
  await page.getByLabel('Approvers needed').fill('2');
  await page.getByText('Sunday', { exact: true }).click();
  await inspect(page, 'policy-all-rules');
  await page.getByRole('button', { name: 'Text', exact: true }).click();
  const policy = JSON.parse(await page.getByLabel('Policy in JSON').inputValue());
  assert.deepEqual(policy.networks, ['10.0.0.0/8', '2001:db8::/32']);
  assert.deepEqual(policy.quota, { day: 100, month: 500 });
  assert.deepEqual(policy.approval, { needed: 2 });
  assert.deepEqual(policy.windows[0].days, ['mon', 'tue', 'wed', 'thu', 'fri', 'sun']);
  assert.equal(policy.windows[0].zone, 'Europe/Berlin');
  assert.equal(Object.keys(policy).length, 12);

  policy.quota.day = 7;
  await page.getByLabel('Policy in JSON').fill(JSON.stringify(policy));
  await page.getByRole('button', { name: 'Forms' }).click();
  assert.equal(await page.getByLabel('A day').inputValue(), '7');

  const dialog = await save();
  await dialog.getByText('"day": 7').waitFor();
  await dialog.getByText(/Nothing was signed in the last 31 days/).waitFor();
  await inspect(page, 'policy-save');
  await dialog.getByRole('button', { name: 'Save as version 1' }).click();
  await page.getByText('is now version 1').waitFor();
  const saved = await rest('GET', '/v1/projects/policed/policy');
  assert.deepEqual(saved.document, policy);
});

test('rules are added and removed by keyboard, and the focus goes with them', async () => {
  await go('/keys/policed:seal/policy');
  const addQuota = page.locator('[data-add=quota]').getByRole('button');
  await addQuota.focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement?.type === 'number');
  await page.keyboard.type('5');
  assert.match(await page.getByLabel('A day').inputValue(), /5/);
  await page.locator('[data-rule=quota]').getByRole('button', { name: 'Remove' }).focus();
  await page.keyboard.press('Space');
  await page.waitForFunction(() => !!document.activeElement?.closest('[data-add=quota]'));
});

test('a text that is no policy says where it is wrong and is kept', async () => {
  await go('/projects/policed/policy');
  await page.getByRole('button', { name: 'Text', exact: true }).click();
  await page.getByLabel('Policy in JSON').fill('{"quota": ');
  await page.locator('.field-error').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Save…' }).isDisabled());
  assert.equal(await page.getByLabel('Policy in JSON').inputValue(), '{"quota": ');
  await axe(page, 'policy-text-wrong');
});

test('what the server refuses stands at the rule, and nothing typed is lost', async () => {
  await go('/keys/policed:seal/policy');
  await page.getByText('This key has no policy of its own').waitFor();
  await inspect(page, 'policy-key-none');
  await add('Networks');
  await page.getByLabel('Networks and addresses').fill('10.0.0.300');
  const dialog = await save();
  await dialog.getByRole('alert').waitFor(); // the dry run names it already
  await dialog.getByRole('button', { name: 'Save as version 1' }).click();
  await page.getByText('Nothing was saved, and what you typed is still here.').waitFor();
  await page.locator('.card', { hasText: 'Requests from elsewhere' }).locator('.field-error').waitFor();
  assert.equal(await page.getByLabel('Networks and addresses').inputValue(), '10.0.0.300');
  await inspect(page, 'policy-refused');
});

test('a version that somebody else saved meanwhile is shown beside mine, which is not lost', async () => {
  await rest('PUT', '/v1/keys/policed:seal/policy', { quota: { day: 50 } });
  await go('/keys/policed:seal/policy');
  await page.getByLabel('A day').fill('60');
  await rest('PUT', '/v1/keys/policed:seal/policy', { quota: { day: 50 }, networks: ['10.0.0.0/8'] });
  const dialog = await save();
  await dialog.getByRole('button', { name: 'Save as version 2' }).click();
  await page.getByText('Somebody else saved this policy meanwhile').waitFor();
  await settled(page);
  assert.equal(await page.getByLabel('A day').inputValue(), '60');
  await inspect(page, 'policy-conflict');
  await page.getByRole('button', { name: 'Go on with mine' }).click();
  await (await save()).getByRole('button', { name: 'Save as version 3' }).click();
  await page.getByText('is now version 3').waitFor();
  assert.deepEqual((await rest('GET', '/v1/keys/policed:seal/policy')).document, { quota: { day: 60 } });
});

test('versions are listed with what each changed, and an earlier one can be begun with', async () => {
  await page.getByRole('tab', { name: 'Versions' }).click();
  await settled(page);
  await inspect(page, 'policy-versions');
  await page
    .getByRole('row', { name: /Version 2/ })
    .getByRole('button', { name: 'Show' })
    .click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('.diff .added', { hasText: '10.0.0.0/8' }).waitFor();
  await inspect(page, 'policy-version');
  await dialog.getByRole('button', { name: 'Begin a new version with this one' }).click();
  await page.getByLabel('Networks and addresses').waitFor();
  await (await save()).getByRole('button', { name: 'Save as version 4' }).click();
  await page.getByText('is now version 4').waitFor();
});

test('a policy is tried on the signatures of the last month', async () => {
  writeFileSync(join(work, 'tried.bin'), 'signed to be judged');
  for (let i = 0; i < 3; i++) signFile(join(work, 'tried.bin'), process.env.P11_EC);
  await go('/projects/demo/policy');
  await add('Hashes');
  await page.getByText('SHA-256', { exact: true }).click();
  await page.getByRole('button', { name: 'Try it' }).click();
  await page.getByText(/of the .* signatures? of the last 31 days would have been refused/).waitFor();
  await settled(page);
  await inspect(page, 'policy-tried');
  assert.equal((await rest('GET', '/v1/projects/demo/policy')).document, null);
});

test('a policy can be removed', async () => {
  await go('/keys/policed:seal/policy');
  await page.getByRole('button', { name: 'Remove policy' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove the policy' }).click();
  await page.getByText('This key has no policy of its own').waitFor();
  assert.equal((await rest('GET', '/v1/keys/policed:seal/policy')).document, null);
});

test('freezing wants a reason and the name typed, is shown loudly, and can be undone', async () => {
  await go('/projects/policed/policy?tab=freeze');
  await page.getByRole('button', { name: 'Freeze signing' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('a stolen laptop');
  assert.ok(await dialog.getByRole('button', { name: 'Freeze signing' }).isDisabled());
  await dialog.getByLabel('Type policed to confirm').fill('policed');
  await inspect(page, 'policy-freezing');
  await dialog.getByRole('button', { name: 'Freeze signing' }).click();
  await page.getByText('Signing is frozen: nothing is signed').waitFor();
  assert.equal((await rest('GET', '/v1/projects/policed/freeze')).reason, 'a stolen laptop');
  await inspect(page, 'policy-frozen');
  await page.getByRole('button', { name: 'Unfreeze signing' }).click();
  await page.getByRole('dialog').getByLabel('Reason').fill('found again');
  await page.getByRole('dialog').getByRole('button', { name: 'Unfreeze signing' }).click();
  await page.getByText('Signing is not frozen').waitFor();
});

test('digests are listed from a file and from text, and taken off', async () => {
  await go('/keys/policed:seal/digests');
  await page.getByText('No digest is on the list').waitFor();
  await inspect(page, 'listed-digests-none');
  const path = join(work, 'release.bin');
  writeFileSync(path, 'a release');
  await page.getByRole('button', { name: 'Add a digest' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Drop the file here, or choose it').setInputFiles(path);
  await dialog.getByText('The digest below is that of release.bin').waitFor();
  await inspect(page, 'listed-digests-add');
  const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
  assert.equal(await dialog.getByLabel('Digest', { exact: true }).inputValue(), digest);
  await dialog.getByLabel('Times it may be signed').fill('2');
  await dialog.getByRole('button', { name: 'Put it on the list' }).click();
  await page.getByText(digest.slice(0, 24)).waitFor();
  for (let i = 0; i < 120; i++)
    await rest('POST', '/v1/keys/policed:seal/digests', {
      hash: 'sha256',
      digest: createHash('sha256').update(`${i}`).digest('hex'),
      note: `release ${i}`,
    });
  await go('/keys/policed:seal/digests');
  await page.getByRole('button', { name: 'Next' }).waitFor();
  await axe(page, 'listed-digests-many');
  await page.screenshot({ path: join(process.env.UI_SHOTS, 'listed-digests-many.png') });
  await page.getByRole('button', { name: 'Take off' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take it off' }).click();
  await page.getByText('is off the list').waitFor();
});

test('access is explained step by step, allowed and refused', async () => {
  await go('/explain');
  await inspect(page, 'explain');
  await page.getByLabel('Who').fill('demo-signer');
  await page.getByLabel('Key', { exact: true }).fill('demo:p256');
  await page.waitForFunction(() => document.querySelector('[name=mechanism]').value === 'ecdsa');
  await page.getByRole('button', { name: 'Explain', exact: true }).click();
  await page.getByText('demo-signer may sign with demo:p256').waitFor();
  await inspect(page, 'explain-allowed');
  // Each rule says in words what it asks.
  for (const rule of await page.locator('.steps li').all())
    assert.doesNotMatch(await rule.locator('strong').innerText(), /^[a-z.]+$/);
  await page.getByLabel('Who').fill('admin');
  await page.getByRole('button', { name: 'Explain', exact: true }).click();
  await page.getByText('admin may not sign with demo:p256').waitFor();
  await page.getByText('the principal is not a signer of the project').first().waitFor();
  await inspect(page, 'explain-refused');
  await page.getByLabel('Who').fill('nobody-of-this-name');
  await page.getByRole('button', { name: 'Explain', exact: true }).click();
  await page.getByText('There is no such object').or(page.locator('.field-error')).first().waitFor();
  assert.equal(await page.getByLabel('Who').inputValue(), 'nobody-of-this-name');
});

test('a link with a question fills the form', async () => {
  await go('/explain?principal=demo-signer&key=demo:rsa3072&mechanism=rsa_pss&hash=sha384');
  assert.equal(await page.getByLabel('Who').inputValue(), 'demo-signer');
  assert.equal(await page.getByLabel('Mechanism').inputValue(), 'rsa_pss');
  assert.equal(await page.getByLabel('Hash').inputValue(), 'sha384');
});

test('an auditor sees policies and changes nothing', async () => {
  await rest('POST', '/v1/users', { name: 'policy-auditor', role: 'auditor' });
  const { api_key } = await rest('POST', '/v1/users/policy-auditor/api-keys', { name: 'test', scopes: ['read'] });
  const other = await open(browser);
  await signIn(other.page, api_key, '/ui/projects/policed/policy');
  await other.page.getByText('10.0.0.0/8').waitFor();
  assert.equal(await other.page.getByRole('button', { name: 'Save…' }).count(), 0);
  await other.page.getByRole('tab', { name: 'Freeze' }).click();
  await other.page.getByText('Signing is not frozen').waitFor();
  assert.equal(await other.page.getByRole('button', { name: 'Freeze signing' }).count(), 0);
  await other.done();
});

test('no page made an error on the console or asked another server', async () => {
  await watched.done();
});
