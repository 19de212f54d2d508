// SPDX-License-Identifier: Apache-2.0
// A name that tries to be more than a name is a text: what is stored, wherever it is shown; what is typed into every field of every
// form and shown back; what stands in an address; and what comes from outside the store.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, open, rest, server, settled, signIn } from './browser.mjs';
import { routes } from './routes.mjs';
import { fill, newPublicKey } from './world.mjs';

const injections = [
  '<img src=x onerror=window.broken=1>',
  '"><script>window.broken=1</script>',
  "'-window.broken=1-'",
  'javascript:window.broken=1',
  '{{window.broken=1}}',
];
const script = injections[0] + injections[1];
/** In a subject, which is written with backslashes, and what of it is shown with them and without. */
const subject = '\\<img src=x onerror=window.broken\\>';
const subjectShown = 'img src=x onerror=window.broken';

let browser, page;
const eyes = {};
const words = {};
const sqlite = (sql) =>
  execFileSync('sqlite3', ['-bail', '-cmd', '.timeout 10000', process.env.SANDBOX_DB], { input: sql });
const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

/** What it is, how it gets there, and where it is shown. */
const stored = [
  [
    'description of a project',
    (t) => rest('PATCH', '/v1/projects/desktop', { description: t }),
    ['/projects', '/projects/desktop'],
  ],
  [
    'description of a team',
    (t) => rest('PATCH', '/v1/teams/release', { description: t }),
    ['/teams', '/teams/release'],
  ],
  [
    'description of a service account',
    (t) => rest('POST', '/v1/service-accounts', { name: 'evil', description: t, public_key: newPublicKey() }),
    ['/service-accounts', '/service-accounts/evil'],
  ],
  [
    'reason of a disabled key',
    (t) => rest('POST', '/v1/keys/demo:rsa4096/disable', { reason: t }),
    ['/keys/demo:rsa4096'],
  ],
  [
    'reason of a frozen project',
    (t) => rest('POST', '/v1/projects/desktop/freeze', { reason: t }),
    ['/projects/desktop', '/projects/desktop/policy?tab=freeze'],
  ],
  ['reason of a frozen platform', (t) => rest('POST', '/v1/freeze', { reason: t }), ['/policy?tab=freeze', '']],
  ['reason of a disabled timestamp authority', (t) => rest('POST', '/v1/tsa/disable', { reason: t }), ['/timestamps']],
  [
    'subject of a certificate',
    () =>
      rest('POST', '/v1/projects/desktop/keys', {
        label: 'evil',
        type: 'p256',
        certificate: { subject: `CN=${subject},O=Evil` },
      }),
    ['/keys/desktop:evil?tab=certificate', '/keys/desktop:evil?tab=versions', '/cas/issuing?tab=issued'],
    subjectShown,
  ],
  [
    'subject of a CA',
    () =>
      rest('POST', '/v1/cas', {
        name: 'evil',
        purpose: 'code_signing',
        subject: `CN=${subject},O=Evil`,
        key_type: 'p256',
      }),
    ['/cas', '/cas/evil'],
    subjectShown,
  ],
  [
    'settings of a connector',
    (t) => {
      writeFileSync(join(process.env.UI_WORK, 'secret'), 'secret\n', { mode: 0o600 });
      const settings = { url: 'http://127.0.0.1:9/', secret_file: join(process.env.UI_WORK, 'secret'), reference: t };
      return rest('POST', '/v1/connectors', { name: 'evil', type: 'cmp', settings });
    },
    ['/connectors/evil'],
  ],
  [
    'note of a listed digest',
    (t) => rest('POST', '/v1/keys/demo:p256/digests', { hash: 'sha256', digest: 'ab'.repeat(32), note: t }),
    ['/keys/demo:p256/digests'],
  ],
  [
    'name of a release window of a policy',
    () =>
      rest('PUT', '/v1/keys/firmware:update/policy', {
        releases: [{ name: injections[0], from: '2026-01-01T00:00:00Z', to: '2036-01-01T00:00:00Z' }],
      }),
    ['/keys/firmware:update?tab=policy', '/keys/firmware:update/policy'],
    injections[0],
  ],
  [
    'reason of a request and comment of a decision',
    async (t) => {
      await rest('PUT', '/v1/keys/firmware:bootloader/policy', { approval: { needed: 2 } });
      const wish = { key: 'firmware:bootloader', reason: t, count: 1 };
      words.approval = (await rest('POST', '/v1/approvals', wish, words.sam)).id;
      await rest('POST', `/v1/approvals/${words.approval}/approve`, { comment: `comment ${t}` }, words.ada);
    },
    ['/approvals?tab=all', '/approvals/{approval}'],
  ],
  [
    'program, host and user that a signer says it is',
    async (t) => {
      await rest('DELETE', '/v1/keys/firmware:bootloader/policy');
      await rest('POST', '/v1/unfreeze', { reason: 'over' });
      const digest = { mechanism: 'ecdsa', hash: 'sha384', digest: Buffer.alloc(48, 7).toString('base64') };
      const context = { program: t, host: t, user: t };
      await rest('POST', '/v1/signing/keys/firmware:bootloader/signatures', { ...digest, context }, words.sam);
      words.record = (await rest('GET', '/v1/audit/head')).seq;
    },
    ['/audit/{record}'],
  ],
  [
    'what a job failed of, and its subject',
    (t) =>
      sqlite(`INSERT INTO job (id, kind, connector_id, key_id, version, subject, days, state, attempts, next_ms, lease_owner,
        lease_until_ms, transaction_state, last_error, result, requested_by, created_ms, finished_ms) SELECT 'job_evil', 'renew', id, '',
        0, ${quoted(t)}, 0, 'failed', 1, 0, '', 0, '', ${quoted(t)}, '', 'admin', ${Date.now()}, ${Date.now()} FROM connector WHERE
        name = 'manual';`),
    ['/jobs/job_evil'],
  ],
  [
    'findings of a key version',
    (t) =>
      sqlite(
        `UPDATE key_version SET findings = ${quoted(t)} WHERE key_id = (SELECT id FROM signing_key WHERE label = 'p384');`,
      ),
    ['/keys/demo:p384?tab=versions'],
  ],
];

/** What a server with other HSMs, relays and faults would answer. */
const answered = [
  ['/hsms', '**/v1/hsms', (list) => ({ ...list, items: list.items.map((h) => ({ ...h, ...evilHsm })) })],
  ['/hsms/default', '**/v1/hsms/default', (h) => ({ ...h, ...evilHsm, name: 'default' })],
  [
    '/hsms/default?tab=compared',
    '**/v1/hsms/default/reconcile',
    (r) => ({
      ...r,
      at: '2026-01-01T00:00:00Z',
      counts: { ...r.counts, orphan: 1, weakened: 1 },
      orphan: [{ hsm_label: script, cka_id: null }],
      weakened: [{ key: 'key_1', project: script, label: script, version: 1, cka_id: '00', findings: script }],
    }),
  ],
  ['/timestamps', '**/v1/tsa', (t) => ({ ...t, mode: 'relay', ready: false, reason: script, relay: [relay] })],
  ['/usage', '**/v1/usage?*', () => ({ items: [usage], next: null, total: 1 })],
  [
    '/audit',
    '**/v1/audit?*',
    (list) => ({ ...list, items: list.items.slice(0, 1).map((r) => ({ ...r, ...evilRecord })) }),
  ],
  ['/users/sam?tab=sign-in', '**/v1/users/sam/sessions*', () => ({ items: [session], next: null })],
];
const evilHsm = {
  name: script,
  state: 'unavailable',
  reason: script,
  token: script,
  model: script,
  manufacturer: script,
};
const relay = { url: `javascript:window.broken=1//${script}`, state: 'paused', failures: 5, granted: 0 };
const usage = {
  day: '2026-11',
  project: script,
  label: script,
  key: 'key_1',
  signer: null,
  signer_id: null,
  success: 1,
  refused: 0,
  failed: 0,
};
const evilRecord = {
  type: script,
  principal: script,
  client: { address: script, program: script, host: script, user: script },
};
const moment = '2026-11-01T00:00:00Z';
const session = {
  id: 'ses_1',
  address: script,
  api_key: null,
  created: moment,
  last_used: moment,
  expires: '2036-11-01T00:00:00Z',
};

/**
 * Every form: its page, the buttons that open it, and what is chosen in it. All its fields are typed into, and it is sent. `as`: who
 * is shown it, when not the administrator.
 */
const forms = [
  ['/projects', 'New project'],
  ['/projects/firmware', 'Describe'],
  ['/projects/firmware', 'Freeze'],
  ['/projects/firmware', 'New key'],
  ['/projects/firmware', 'Import'],
  ['/projects/firmware', 'Import', { choose: ['Find it in the HSM by', 'cka_id'] }],
  ['/projects/firmware?tab=members', 'Give a role'],
  ['/keys/demo:rsa2048', 'Disable'],
  ['/keys/firmware:bootloader', 'Rotate'],
  ['/keys/firmware:bootloader', 'Retire'],
  ['/keys/firmware:bootloader?tab=certificate', 'Renew'],
  ['/keys/firmware:bootloader?tab=certificate', 'Bring a certificate'],
  ['/keys/firmware:bootloader?tab=certificate', 'Change'],
  ['/keys/firmware:bootloader/digests', 'Add a digest'],
  ['/approvals', 'Ask for an approval'],
  ['/users', 'New user'],
  ['/users/sam?tab=api-keys', 'New API key'],
  ['/teams', 'New team'],
  ['/teams/release', 'Change'],
  ['/teams/release', 'Add a member'],
  ['/service-accounts/demo-signer', 'Change'],
  ['/service-accounts/demo-signer', 'Add a key', 'I have a public key'],
  ['/new-service-account', 'I have a public key'],
  ['/new-service-account'],
  ['/cas', 'New CA'],
  ['/cas/outside', 'Certificate'],
  ['/cas/issuing?tab=issued', 'Revoke'],
  ['/connectors', 'New connector'],
  ['/timestamps', 'New key'],
  ['/timestamps', 'Renew'],
  ['/timestamps', 'Certificate'],
  ['/me', 'Set a password'],
  ['/explain'],
  ['/digest'],
  ['/policy'],
  ['/setup'],
  ['/audit'],
  ['/usage'],
  ['/approvals?tab=all'],
];

/** Fields of forms that stand only where a person signs in or out of a state that these tests do not bring about. */
const elsewhere = {
  api_key: 'sign-in: frame.test.mjs',
  totp: 'sign-in with a second factor: people.test.mjs',
  code: 'the second factor: people.test.mjs',
  current_password: 'a password that is changed: people.test.mjs',
};

before(async () => {
  await fill(rest);
  for (const name of ['sam', 'ada', 'olga'])
    words[name] = (
      await rest('POST', `/v1/users/${name}/api-keys`, { name: 'test', scopes: ['sign', 'read', 'admin'] })
    ).api_key;
  const outside = { name: 'outside', purpose: 'code_signing', subject: 'CN=Outside', key_type: 'p256', external: true };
  await rest('POST', '/v1/cas', outside);
  // A key of the timestamp authority that waits for its certificate.
  await rest('POST', '/v1/tsa/rotate', { type: 'p256', issuer: 'external', subject: 'CN=Outside timestamps' });
  browser = await launch();
  for (const name of ['admin', 'olga']) {
    eyes[name] = await open(browser, { expected: [/status of (400|403|404|409|422)/] });
    await signIn(eyes[name].page, words[name]);
  }
  ({ page } = eyes.admin);
});
after(async () => {
  await browser?.close();
});

const go = async (address) => {
  await page.goto(`${server}/ui${address.replace(/{(\w+)}/g, (_, word) => words[word])}`);
  await page.locator('h1').waitFor();
  await settled(page);
};

/** Nothing of it became more than text: no script ran, and no element stands where a text was. */
async function isHarmless(what) {
  const found = await page.evaluate(() => ({
    ran: window.broken,
    elements: [
      ...document.querySelectorAll(
        '#main img, #main script, dialog img, dialog script, [role=dialog] img, .toasts img',
      ),
    ].length,
    links: [...document.querySelectorAll('a, form, iframe')].filter((e) =>
      /^\s*(javascript|data):/i.test(e.getAttribute('href') ?? e.getAttribute('action') ?? ''),
    ).length,
  }));
  assert.deepEqual(found, { ran: undefined, elements: 0, links: 0 }, what);
}

test('what these tests look for is seen: an element that was made of a text', async () => {
  await go('/projects');
  await page.evaluate(() => document.querySelector('#main').append(document.createElement('img')));
  await assert.rejects(isHarmless('an image'));
});

for (const [what, store, addresses, shown = script] of stored)
  test(`stored: ${what} is shown as it is`, async () => {
    await store(script);
    for (const address of addresses) {
      await go(address);
      const text = page.locator('main').getByText(shown).first();
      const typed = page.locator('main textarea, main input');
      const isTyped = async () =>
        (await typed.evaluateAll((all) => all.map((e) => e.value).join('\n'))).includes(shown);
      if (!(await isTyped())) await text.waitFor();
      await isHarmless(`${what} on ${address}`);
    }
  });

for (const [address, pattern, change] of answered)
  test(`answered: what the server says for ${address} is shown as it is`, async () => {
    await page.route(pattern, async (route) => {
      const answer = await route.fetch();
      return route.fulfill({ response: answer, status: 200, json: change(await answer.json()) });
    });
    await go(address);
    await page.locator('main').getByText(injections[0]).first().waitFor();
    await isHarmless(address);
    await page.unrouteAll({ behavior: 'wait' });
  });

test('answered: the words of a refusal are shown as they are', async () => {
  const detail = `name: ${script}`;
  const body = { type: 'about:blank', title: script, status: 400, code: 'invalid', detail, request_id: script };
  await page.route('**/v1/projects', (route) =>
    route.request().method() === 'POST' ? route.fulfill({ status: 400, json: body }) : route.continue(),
  );
  await go('/projects');
  await page.getByRole('button', { name: 'New project' }).click();
  await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('anything');
  await page.getByRole('dialog').getByRole('button', { name: 'Create project' }).click();
  await page.getByRole('dialog').locator('.field-error', { hasText: injections[0] }).waitFor();
  await isHarmless('a refusal');
  await page.unrouteAll({ behavior: 'wait' });
});

// ---- typed

const typedNames = new Set();
const fields =
  'input:not([type]), input[type=text], input[type=search], input[type=password], input[type=url], textarea';

for (const [address, ...steps] of forms) {
  const buttons = steps.filter((step) => typeof step === 'string');
  const { as = 'admin', choose } = steps.find((step) => typeof step === 'object') ?? {};
  test(`typed: ${[address, ...buttons, choose?.[1]].filter(Boolean).join(', ')}: every field takes it as a text`, async () => {
    ({ page } = eyes[as]);
    await go(address);
    for (const name of buttons) await page.getByRole('button', { name, exact: true }).last().click();
    if (choose) await page.getByLabel(choose[0], { exact: true }).selectOption(choose[1]);
    await settled(page);
    const dialog = page.getByRole('dialog').last();
    const place = (await dialog.count()) > 0 ? dialog : page.locator('main');
    assert.ok((await place.locator(fields).count()) > 0, 'there is a field');
    for (const text of [script, injections[2], injections[3], injections[4]]) {
      for (const field of await place.locator(fields).all()) {
        if (!(await field.isVisible()) || !(await field.isEditable())) continue;
        typedNames.add(await field.getAttribute('name'));
        await field.fill(text);
      }
      const submit = place.locator('button[type=submit]').first();
      // Sent once: whether the server takes it or not, what it answers is shown.
      if (text === script && (await submit.count()) > 0 && (await submit.isEnabled())) {
        await submit.click();
        await settled(page);
        await isHarmless(`${address} ${buttons}, sent`);
        if (!(await place.isVisible())) break; // it was taken
      }
      await isHarmless(`${address} ${buttons}: ${text}`);
    }
  });
}

test('typed: no text field of the sources is left out', () => {
  ({ page } = eyes.admin);
  const root = new URL('../../web/src/', import.meta.url).pathname;
  const sources = readdirSync(root, { recursive: true }).filter((f) => f.endsWith('.tsx'));
  const names = new Set();
  for (const file of sources)
    for (const [, field] of readFileSync(join(root, file), 'utf8').matchAll(/<TextField\b(.*?)\/>/gs)) {
      const name = /\bname="(\w+)"/.exec(field)?.[1];
      const type = /\btype="([\w-]+)"/.exec(field)?.[1] ?? 'text';
      if (name && !['number', 'datetime-local', 'date'].includes(type)) names.add(name);
    }
  assert.ok(names.size > 15, 'the fields were found');
  const missing = [...names].filter((n) => !typedNames.has(n) && !elsewhere[n]);
  assert.deepEqual(missing, []);
});

// ---- in addresses

test('reflected: an address, a tab or a filter that is a script is shown as a text', async () => {
  const encoded = (text) => encodeURIComponent(text).replaceAll('%2F', '%252F');
  const filters = [
    'name',
    'project',
    'key',
    'principal',
    'type',
    'state',
    'outcome',
    'since',
    'until',
    'tab',
    'digest',
    'from',
    'tool',
  ];
  for (const { path } of routes) {
    const address = path.replace(/:\w+/g, encoded(injections[1]));
    await go(`${path === '/' ? '' : address}?${filters.map((f) => `${f}=${encodeURIComponent(script)}`).join('&')}`);
    await isHarmless(address);
  }
  for (const text of injections)
    for (const at of ['/keys/', '/projects/', '/users/', '/audit/', '/jobs/', '/nothing/']) {
      await go(at + encoded(text));
      await isHarmless(at + text);
    }
});

test('a file whose name is a script is a file like others', async () => {
  const path = join(process.env.UI_WORK, injections[0].replaceAll('/', '_'));
  writeFileSync(path, 'its name is the worst of it');
  await go('/digest');
  await page.getByLabel('Drop a file here, or choose one').setInputFiles(path);
  await page.getByRole('heading', { name: /^Digests of <img/ }).waitFor();
  await settled(page);
  await isHarmless('a file to look up');
  await go('/keys/demo:p256/digests');
  await page.getByRole('button', { name: 'Add a digest' }).click();
  await page.getByLabel('Drop the file here, or choose it').setInputFiles(path);
  await page.getByText('The digest below is that of <img').waitFor();
  await isHarmless('a file to list');
});

test('no page made an error on the console or asked another server', async () => {
  for (const eye of Object.values(eyes)) await eye.done();
});
