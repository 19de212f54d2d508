// SPDX-License-Identifier: Apache-2.0
// Each role sees only its own: what the navigation offers, what a page shows and offers when its address is typed, and what the
// interface answers, whatever the page does.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { adminKey, inspect, launch, open, rest, restAnswer, server, settled, signIn } from './browser.mjs';
import { routes } from './routes.mjs';
import { fill } from './world.mjs';

// By the world of world.mjs: olga owns firmware, sam signs there by the team release, ada approves there; lena has no role at all.
const people = {
  administrator: 'admin',
  auditor: 'audrey',
  owner: 'olga',
  signer: 'sam',
  approver: 'ada',
  nobody: 'lena',
};
const all = Object.keys(people);
const readers = ['administrator', 'auditor'];
const inProject = ['owner', 'signer', 'approver'];
const administrator = ['administrator'];

/**
 * Page: who finds it in the navigation, who is shown it, the question to the interface behind it (refused to all others), who is
 * offered which buttons, and which names who sees there: `all` where the reader sees more than members of firmware do.
 */
const table = {
  '/': { nav: all, shown: all, asks: '/v1/freeze', offers: { 'Freeze signing': administrator } },
  '/approvals': {
    nav: all,
    shown: all,
    asks: '/v1/approvals?state=pending',
    offers: { 'Ask for an approval': all.filter((p) => p !== 'auditor') },
    sees: { at: '/approvals?tab=all', all: ['firmware-bootloader'], members: ['firmware-bootloader'] },
  },
  '/projects': {
    nav: all,
    shown: all,
    asks: '/v1/projects',
    offers: { 'New project': administrator },
    sees: { all: ['demo', 'desktop', 'firmware'], members: ['firmware'] },
  },
  '/keys': {
    nav: all,
    shown: all,
    asks: '/v1/keys',
    offers: {},
    sees: {
      at: '/keys?state=active',
      all: ['bootloader', 'ed25519', 'installer', 'p256', 'p384', 'rsa2048', 'rsa3072', 'rsa4096'],
      members: ['bootloader'],
    },
  },
  '/policy': { nav: all, shown: all, asks: '/v1/policy', offers: { 'Save…': administrator } },
  '/explain': { nav: all, shown: all, asks: null, offers: { Explain: all } },
  '/users': { nav: readers, shown: readers, asks: '/v1/users', offers: { 'New user': administrator } },
  '/teams': { nav: readers, shown: readers, asks: '/v1/teams', offers: { 'New team': administrator } },
  '/service-accounts': {
    nav: readers,
    shown: readers,
    asks: '/v1/service-accounts',
    offers: { 'New service account': administrator },
  },
  '/audit': { nav: readers, shown: readers, asks: '/v1/audit?limit=1', offers: {} },
  '/digest': {
    nav: readers,
    shown: readers,
    asks: `/v1/audit?digest=${'ab'.repeat(32)}`,
    at: `/digest?digest=${'ab'.repeat(32)}`,
    offers: {},
  },
  '/usage': {
    nav: all,
    shown: all,
    asks: '/v1/usage',
    offers: {},
    sees: {
      at: '/usage?group=project',
      table: /^Signatures by project/,
      all: ['demo', 'firmware'],
      members: { owner: ['firmware'] },
    },
  },
  '/hsms': { nav: readers, shown: readers, asks: '/v1/hsms', offers: {} },
  '/cas': { nav: all, shown: all, asks: '/v1/cas', offers: { 'New CA': administrator } },
  '/connectors': { nav: readers, shown: readers, asks: '/v1/connectors', offers: { 'New connector': administrator } },
  '/jobs': { nav: readers, shown: readers, asks: '/v1/jobs', offers: {} },
  '/timestamps': {
    nav: readers,
    shown: readers,
    asks: '/v1/tsa',
    offers: { Renew: administrator, Disable: administrator },
  },
  '/settings': { nav: all, shown: all, asks: '/v1/whoami', offers: {} },
  '/setup': { nav: administrator, shown: administrator, asks: null, offers: {} },
};

/** Pages of single objects: who is shown them, and what they may change there. */
const objects = [
  ['/projects/firmware', '/v1/projects/firmware', [...readers, ...inProject]],
  ['/projects/desktop', '/v1/projects/desktop', readers],
  ['/projects/desktop/policy', '/v1/projects/desktop/policy', readers],
  ['/keys/firmware:bootloader', '/v1/keys/firmware:bootloader', [...readers, ...inProject]],
  ['/keys/demo:p256', '/v1/keys/demo:p256', readers],
  ['/keys/demo:p256/policy', '/v1/keys/demo:p256/policy', readers],
  ['/keys/demo:p256/digests', '/v1/keys/demo:p256/digests', readers],
  ['/approvals/{approval}', '/v1/approvals/{approval}', [...readers, ...inProject]],
  ['/users/olga', '/v1/users/olga', [...readers, 'owner']],
  ['/teams/release', '/v1/teams/release', [...readers, 'signer']],
  ['/service-accounts/demo-signer', '/v1/service-accounts/demo-signer', readers],
  ['/audit/5', '/v1/audit?after=4&limit=1', readers],
  ['/hsms/default', '/v1/hsms/default', readers],
  ['/cas/issuing?tab=issued', '/v1/cas/issuing/certificates', readers],
  ['/connectors/manual', '/v1/connectors/manual', readers],
  ['/jobs/{job}', '/v1/jobs/{job}', readers],
];

/** Changes, each tried by everybody: who is refused changes nothing. */
const changes = [
  ['POST', '/v1/projects', { name: 'UPPER' }, administrator],
  ['PATCH', '/v1/projects/firmware', { description: 7 }, ['administrator', 'owner']],
  ['POST', '/v1/projects/firmware/members', { principal: 'no-such-one', role: 'signer' }, ['administrator', 'owner']],
  ['POST', '/v1/projects/firmware/freeze', { reason: 7 }, ['administrator', 'owner']],
  ['PUT', '/v1/projects/firmware/policy', { nonsense: 1 }, ['administrator', 'owner']],
  ['PUT', '/v1/policy', { nonsense: 1 }, administrator],
  ['POST', '/v1/freeze', { reason: 7 }, administrator],
  ['POST', '/v1/users', { name: 'UPPER' }, administrator],
  ['POST', '/v1/teams', { name: 'UPPER' }, administrator],
  ['POST', '/v1/service-accounts', { name: 'UPPER' }, administrator],
  ['POST', '/v1/cas', { name: 'UPPER' }, administrator],
  ['POST', '/v1/connectors', { name: 'UPPER' }, administrator],
  ['POST', '/v1/tsa/disable', { reason: 7 }, administrator],
];

const keys = { administrator: adminKey };
const words = {};
let browser;
before(async () => {
  await fill(rest);
  await rest('POST', '/v1/users', { name: 'lena' });
  for (const [role, name] of Object.entries(people))
    keys[role] ??= (
      await rest('POST', `/v1/users/${name}/api-keys`, { name: 'browser', scopes: ['sign', 'read', 'admin'] })
    ).api_key;
  const digest = { mechanism: 'ecdsa', hash: 'sha384', digest: Buffer.alloc(48, 7).toString('base64') };
  await rest('POST', '/v1/signing/keys/firmware:bootloader/signatures', digest, keys.signer);
  await rest('PUT', '/v1/keys/firmware:bootloader/policy', { approval: { needed: 1 } });
  const wish = { key: 'firmware:bootloader', reason: 'boot loader', count: 1 };
  words.approval = (await rest('POST', '/v1/approvals', wish, keys.signer)).id;
  words.job = (await rest('POST', '/v1/connectors/builtin/test', {})).id;
  browser = await launch();
});
after(async () => {
  await browser?.close();
});

const filled = (text) => text.replace(/{(\w+)}/g, (_, word) => words[word]);
const refusal = (page) => page.getByText(/You may not do this|you have no right to see it/).first();

async function visit(page, address) {
  await page.goto(`${server}/ui${filled(address)}`);
  await page.locator('h1').waitFor();
  await settled(page);
}

/** Exactly this role is refused, in plain words, and nothing else is shown of the page but its head. */
async function isShown(page, what, expected) {
  assert.equal((await refusal(page).count()) === 0, expected, `${what}: ${expected ? 'is refused' : 'is not refused'}`);
  if (!expected) assert.equal(await page.locator('main tbody tr').count(), 0, `${what} is refused and shows rows`);
}

test('each page of the navigation has its row', () => {
  assert.deepEqual(
    Object.keys(table).sort(),
    routes
      .filter((r) => r.label)
      .map((r) => r.path)
      .sort(),
  );
});

for (const role of all) {
  test(`${role}: the navigation has what is theirs`, async () => {
    const { page, done } = await open(browser);
    await signIn(page, keys[role], '/ui/settings');
    await settled(page);
    const labels = routes.filter((r) => r.label && table[r.path].nav.includes(role)).map((r) => r.label);
    const links = page.getByRole('navigation', { name: 'Pages', exact: true }).getByRole('link');
    const shown = await links.evaluateAll((all) =>
      all.map((a) => [...a.childNodes].find((n) => n.nodeType === 3).data),
    );
    assert.deepEqual(shown.sort(), labels.sort());
    await inspect(page, `settings-${role}`);
    await done();
  });

  test(`${role}: each page, by its address, shows and offers what is theirs`, async () => {
    const { page, done } = await open(browser, { expected: [/status of (403|404)/] });
    await signIn(page, keys[role]);
    for (const [path, row] of Object.entries(table)) {
      const what = `${path} for ${role}`;
      await visit(page, row.at ?? row.sees?.at ?? (path === '/' ? '' : path));
      if (path !== '/setup') await isShown(page, what, row.shown.includes(role));
      for (const [name, whose] of Object.entries(row.offers)) {
        const offered = page.locator('main').getByRole('button', { name, exact: true });
        const link = page.locator('main').getByRole('link', { name, exact: true });
        assert.equal((await offered.count()) + (await link.count()) > 0, whose.includes(role), `${what}: ${name}`);
      }
      if (!row.sees) continue;
      const theirs = inProject.includes(role)
        ? Array.isArray(row.sees.members)
          ? row.sees.members
          : (row.sees.members[role] ?? [])
        : [];
      const tables = row.sees.table ? page.getByRole('table', { name: row.sees.table }) : page.locator('main table');
      const names = [...new Set(await tables.first().locator('td.main').allInnerTexts())];
      const expected = readers.includes(role) ? row.sees.all : theirs;
      assert.deepEqual(names.map((n) => n.trim()).sort(), [...expected].sort(), what);
    }
    await done();
  });

  test(`${role}: the page of an object that is not theirs says no more than that of one that is not there`, async () => {
    const { page, done } = await open(browser, { expected: [/status of (403|404)/] });
    await signIn(page, keys[role]);
    for (const [address, , whose] of objects) {
      await visit(page, address);
      const tabs = page.getByRole('tab', { name: 'Issued certificates' });
      if (address.includes('tab=issued'))
        assert.equal((await tabs.count()) > 0, whose.includes(role), `${address} for ${role}`);
      else await isShown(page, `${address} for ${role}`, whose.includes(role));
    }
    await done();
  });

  test(`${role}: the interface refuses what is not theirs, whatever the page does`, async () => {
    const questions = [
      ...Object.values(table).map((row) => [row.asks, row.shown]),
      ...objects.map(([, path, whose]) => [path, whose]),
    ].filter(([path]) => path);
    for (const [path, whose] of questions) {
      const { status } = await restAnswer('GET', filled(path), undefined, keys[role]);
      if (whose.includes(role)) assert.equal(status, 200, `GET ${path} by ${role}`);
      else assert.ok(status === 403 || status === 404, `GET ${path} by ${role}: ${status}`);
    }
    for (const [method, path, body, whose] of changes) {
      const { status } = await restAnswer(method, path, body, keys[role]);
      // Who may do it is told what is wrong with the request: nothing is changed by this test.
      const isRefused = status === 403 || (status === 404 && !(body.principal && whose.includes(role)));
      assert.equal(isRefused, !whose.includes(role), `${method} ${path} by ${role}: ${status}`);
    }
  });
}
