// SPDX-License-Identifier: Apache-2.0
// Every page with nothing, with one and with many of what it lists: rendered, paged, never all at once. Many are ten thousand,
// but where a number below says what the product takes at most.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { adminKey, glance, inspect, launch, open, server, settled, signIn } from './browser.mjs';
import { count } from './many.mjs';
import { digestsMost, few, hsmsMost, keys, makeMany, makeNone, makeOne, words } from './many_world.mjs';
import { looked } from './routes.mjs';

const noList = { none: 'it lists nothing', one: 'it lists nothing' };
const never = (why) => ({ none: why, one: why });

/**
 * Place (route and tab), what the table there is called, and the addresses where it is empty, has one row and has many; words
 * instead of an address say why there is none. `as`: who looks, when not the administrator; `rows`: how many are many, where
 * they are not paged; `page`: how many a page has, where it is not 50.
 */
const table = [
  ['/', null, { ...never('the sandbox has keys; see pages.test.mjs'), many: '/' }],
  ['/approvals', 'Requests that wait', { none: '/approvals', one: '/approvals', many: '/approvals', as: 'approver' }],
  [
    '/approvals?tab=mine',
    'Your requests',
    { none: '/approvals?tab=mine', one: '/approvals?tab=mine', many: '/approvals?tab=mine', as: 'asker' },
  ],
  [
    '/approvals?tab=all',
    'All requests you may see',
    { none: '/approvals?tab=all', one: '/approvals?tab=all', many: '/approvals?tab=all&state=denied' },
  ],
  [
    '/approvals/:id',
    'Digests asked for',
    { none: 'see approvals.test.mjs', one: '/approvals/{byDigest}', many: '/approvals/{byDigests}', rows: digestsMost },
  ],
  [
    '/projects',
    'Projects',
    { none: '/projects?name=nothing', one: '/projects?name=single', many: '/projects?name=many' },
  ],
  [
    '/projects/:project',
    'Signing keys of',
    { none: '/projects/empty', one: '/projects/single', many: '/projects/demo' },
  ],
  [
    '/projects/:project?tab=members',
    'Roles in',
    { none: '/projects/empty?tab=members', one: '/projects/lone?tab=members', many: '/projects/demo?tab=members' },
  ],
  [
    '/projects/:project?tab=members',
    'Effective signers of',
    { none: '/projects/empty?tab=members', one: '/projects/lone?tab=members', many: '/projects/demo?tab=members' },
  ],
  [
    '/projects/:project?tab=policy',
    null,
    { none: '/projects/empty?tab=policy', one: '/projects/lone?tab=policy', many: '/projects/demo?tab=policy' },
  ],
  [
    '/projects/:project?tab=about',
    null,
    { none: '/projects/empty?tab=about', one: '/projects/single?tab=about', many: '/projects/demo?tab=about' },
  ],
  [
    '/projects/:project/policy',
    null,
    { none: '/projects/empty/policy', one: '/projects/lone/policy', many: '/projects/demo/policy' },
  ],
  [
    '/projects/:project/policy?tab=versions',
    'Versions of the policy',
    {
      none: '/projects/empty/policy?tab=versions',
      one: '/projects/lone/policy?tab=versions',
      many: '/projects/demo/policy?tab=versions',
    },
  ],
  ['/projects/:project/policy?tab=freeze', null, { ...noList, many: '/projects/demo/policy?tab=freeze' }],
  ['/keys', 'Signing keys', { none: '/keys?label=nothing', one: '/keys?label=one', many: '/keys?label=many' }],
  ['/keys/:key', null, { ...noList, many: '/keys/demo:p256' }],
  [
    '/keys/:key?tab=versions',
    null,
    {
      none: '/keys/lone:later?tab=versions',
      one: '/keys/single:one?tab=versions',
      many: '/keys/demo:p384?tab=versions',
    },
  ],
  [
    '/keys/:key?tab=certificate',
    'Jobs for certificates',
    {
      none: '/keys/single:one?tab=certificate',
      one: '/keys/demo:rsa2048?tab=certificate',
      many: '/keys/demo:p256?tab=certificate',
      page: 10,
    },
  ],
  [
    '/keys/:key?tab=policy',
    null,
    { none: '/keys/single:one?tab=policy', one: '/keys/demo:rsa2048?tab=policy', many: '/keys/demo:p256?tab=policy' },
  ],
  [
    '/keys/:key/policy',
    null,
    { none: '/keys/single:one/policy', one: '/keys/demo:rsa2048/policy', many: '/keys/demo:p256/policy' },
  ],
  [
    '/keys/:key/policy?tab=versions',
    'Versions of the policy',
    {
      none: '/keys/single:one/policy?tab=versions',
      one: '/keys/demo:rsa2048/policy?tab=versions',
      many: '/keys/demo:p256/policy?tab=versions',
    },
  ],
  [
    '/keys/:key/digests',
    'Listed digests of',
    { none: '/keys/single:one/digests', one: '/keys/demo:rsa2048/digests', many: '/keys/demo:p256/digests' },
  ],
  ['/policy', null, { none: '/policy', one: '/policy', many: '/policy' }],
  [
    '/policy?tab=versions',
    'Versions of the policy',
    { none: '/policy?tab=versions', one: '/policy?tab=versions', many: '/policy?tab=versions' },
  ],
  ['/policy?tab=freeze', null, { ...noList, many: '/policy?tab=freeze' }],
  ['/explain', null, { ...noList, many: '/explain?principal=many-00001&key=demo:many-00001' }],
  ['/users', 'Users', { none: '/users?name=nothing', one: '/users?name=asker', many: '/users?name=many' }],
  ['/users/:user', 'Roles of', { none: '/users/nobody', one: '/users/asker', many: '/users/many-00001' }],
  [
    '/users/:user?tab=sign-in',
    'Sessions of',
    { none: '/users/nobody?tab=sign-in', one: '/users/asker?tab=sign-in', many: '/users/many-00001?tab=sign-in' },
  ],
  [
    '/users/:user?tab=api-keys',
    'API keys of',
    { none: '/users/nobody?tab=api-keys', one: '/users/asker?tab=api-keys', many: '/users/many-00001?tab=api-keys' },
  ],
  ['/teams', 'Teams', { none: 'see people.test.mjs', one: '/teams', many: '/teams' }],
  ['/teams/:team', 'Members of', { none: '/teams/lone-team', one: '/teams/lone-team', many: '/teams/team-00001' }],
  [
    '/teams/:team?tab=roles',
    'Roles of',
    { none: '/teams/lone-team?tab=roles', one: '/teams/lone-team?tab=roles', many: '/teams/team-00001?tab=roles' },
  ],
  [
    '/service-accounts',
    'Service accounts',
    {
      none: '/service-accounts?name=nothing',
      one: '/service-accounts?name=demo-signer',
      many: '/service-accounts?name=machine',
    },
  ],
  [
    '/service-accounts/:account',
    'Keys of',
    {
      none: '/service-accounts/keyless',
      one: '/service-accounts/demo-signer',
      many: '/service-accounts/many-keys',
      rows: few,
    },
  ],
  [
    '/service-accounts/:account?tab=roles',
    'Roles of',
    {
      none: '/service-accounts/keyless?tab=roles',
      one: '/service-accounts/demo-signer?tab=roles',
      many: '/service-accounts/many-keys?tab=roles',
    },
  ],
  [
    '/service-accounts/:account?tab=set-up',
    null,
    {
      none: '/service-accounts/keyless?tab=set-up',
      one: '/service-accounts/demo-signer?tab=set-up',
      many: '/service-accounts/many-keys?tab=set-up',
    },
  ],
  ['/new-service-account', null, { ...noList, many: '/new-service-account' }],
  ['/me', 'Sessions of', { none: 'who looks has a session', one: '/me', many: '/me', as: 'busy' }],
  [
    '/me?tab=api-keys',
    'API keys of',
    { none: 'who looks by an API key has one', one: '/me?tab=api-keys', many: '/me?tab=api-keys', as: 'busy' },
  ],
  ['/me?tab=roles', 'Roles of', { none: '/me?tab=roles', one: '/me?tab=roles', many: '/me?tab=roles', as: 'busy' }],
  [
    '/audit',
    'Audit records',
    {
      none: '/audit?since=2099-01-01T00:00:00Z',
      one: '/audit?key=single:one&type=key.create',
      many: '/audit?type=project.update',
    },
  ],
  ['/audit/:seq', null, { ...noList, many: '/audit/9000' }],
  [
    '/digest',
    'Signatures on record',
    { none: '/digest?digest={unsigned}', one: '/digest?digest={signed}', many: '/digest?digest={signed}', rows: 100 },
  ],
  [
    '/usage',
    'Signatures by key',
    { none: '/usage?project=empty', one: '/usage?project=demo&from={today}', many: '/usage?from={today}', rows: 500 },
  ],
  ['/hsms', 'HSMs', { none: '/hsms', one: '/hsms', many: '/hsms', rows: hsmsMost }],
  ['/hsms/:hsm', null, { ...noList, many: '/hsms/default' }],
  ['/hsms/:hsm?tab=limits', null, { ...noList, many: '/hsms/default?tab=limits' }],
  [
    '/hsms/:hsm?tab=compared',
    null,
    { none: '/hsms/default?tab=compared', one: 'see platform.test.mjs', many: 'see platform.test.mjs' },
  ],
  ['/cas', 'Certificate authorities', { none: '/cas?name=nothing', one: '/cas?name=issuing', many: '/cas?name=many' }],
  ['/cas/:ca', null, { ...noList, many: '/cas/issuing' }],
  [
    '/cas/:ca?tab=issued',
    'Certificates issued by',
    {
      none: '/cas/issuing?tab=issued&state=revoked',
      one: '/cas/issuing?tab=issued&state=revoked',
      many: '/cas/issuing?tab=issued',
    },
  ],
  [
    '/connectors',
    'Connectors',
    { none: '/connectors?name=nothing', one: '/connectors?name=builtin', many: '/connectors?type=manual' },
  ],
  ['/connectors/:connector', null, { ...noList, many: '/connectors/many-00001' }],
  ['/jobs', 'Jobs', { none: '/jobs', one: '/jobs?kind=test', many: '/jobs?state=failed' }],
  ['/jobs/:job', null, { ...noList, many: '/jobs/job_many00000001' }],
  ['/timestamps', null, { ...noList, many: '/timestamps' }],
  ['/settings', null, { ...noList, many: '/settings' }],
  ['/setup', null, { ...noList, many: '/setup' }],
];

// ---- looking

let browser;
const eyes = {};
const pages = looked();
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser?.close();
});

/** A page of who looks, signed in once: each of them would have a session more. */
async function eyeOf(as) {
  if (!eyes[as]) {
    eyes[as] = await open(browser);
    await signIn(eyes[as].page, keys[as]);
  }
  return eyes[as].page;
}

/** A server has as many HSMs as its configuration has; they are told here. */
async function showHsms(page, number) {
  await page.unroute('**/v1/hsms');
  await page.route('**/v1/hsms', async (route) => {
    const answer = await route.fetch();
    const list = await answer.json();
    const items = Array.from({ length: number }, (_, i) => ({ ...list.items[0], name: `hsm-${i + 1}` }));
    return route.fulfill({ response: answer, json: { ...list, items } });
  });
}

const rowsOf = (page, caption) => page.getByRole('table', { name: new RegExp(`^${caption}`) }).locator('tbody tr');
/** What tells the rows apart: the text of the main column, and where the row leads. */
const mainsOf = (page, caption) =>
  rowsOf(page, caption).evaluateAll((rows) =>
    rows.map((r) =>
      [r.querySelector('td.main').textContent, ...[...r.querySelectorAll('a')].map((a) => a.href)].join(' '),
    ),
  );

const checks = {
  async none(page, caption) {
    assert.equal(await rowsOf(page, caption).count(), 0);
    await page.locator('.empty, .note').first().waitFor();
  },
  async one(page, caption) {
    assert.equal(await rowsOf(page, caption).count(), 1);
  },
  async many(page, caption, { rows, page: pageSize = 50 }) {
    if (rows) return assert.equal(await rowsOf(page, caption).count(), rows);
    const pager = page.getByRole('navigation', { name: new RegExp(`^Pages: ${caption}`) });
    const turn = async (button, span) => {
      await pager.getByRole('button', { name: button }).click();
      await pager.getByText(span).waitFor();
      await settled(page);
      return mainsOf(page, caption);
    };
    const first = await mainsOf(page, caption);
    assert.equal(first.length, pageSize);
    const second = await turn('Next', `${pageSize + 1}–${2 * pageSize} and more`);
    assert.equal(second.length, pageSize);
    assert.deepEqual(
      second.filter((row) => first.includes(row)),
      [],
    );
    return assert.deepEqual(await turn('Previous', `1–${pageSize} and more`), first);
  },
};

function column(amount) {
  for (const [place, caption, row] of table) {
    const address = row[amount];
    const name = `${amount} on ${place}${caption ? `: ${caption}` : ''}`;
    if (!address?.startsWith('/')) continue;
    test(name, async () => {
      const page = await eyeOf(row.as ?? 'administrator');
      if (caption === 'HSMs') await showHsms(page, { none: 0, one: 1, many: hsmsMost }[amount]);
      const filled = address.replace(/{(\w+)}/g, (_, word) => words[word]);
      await page.goto(`${server}/ui${filled === '/' ? '' : filled}`);
      await page.locator('h1').waitFor();
      await settled(page);
      if (amount === 'many') await pages.at(page);
      if (caption) await checks[amount](page, caption, row);
      const picture = `${amount}-${place.replace(/[^a-z]+/g, '-')}-${caption ?? ''}`.replace(/[^a-z-]/gi, '');
      await glance(page, picture);
    });
  }
}

test('what is there before anything was made', makeNone);
column('none');
test('one of each is made', makeOne);
column('one');
test('many of each are written', makeMany);
column('many');

test('of a key that was rotated often the newest versions are shown, and all when they are asked for', async () => {
  const page = await eyeOf('administrator');
  await page.goto(`${server}/ui/keys/demo:p384?tab=versions`);
  const versions = page.getByRole('heading', { name: /^Version \d+/ });
  await page.getByRole('button', { name: `Show all ${few} versions` }).waitFor();
  assert.equal(await versions.count(), 10);
  await page.getByRole('button', { name: `Show all ${few} versions` }).click();
  await page.getByRole('heading', { name: /^Version 1(\D|$)/ }).waitFor();
  assert.equal(await versions.count(), few);
});

test('each page and tab of one has a row in the table, and each row says how it is with none, one and many', () => {
  const places = table.map(([place]) => place);
  const missing = [...pages.there()].filter((place) => !places.includes(place));
  assert.deepEqual(missing, [], 'pages without a row');
  for (const [place, caption, row] of table)
    for (const amount of ['none', 'one', 'many'])
      assert.ok(row[amount], `${place} ${caption}: nothing is said of ${amount}`);
});

test('the chain of the log holds with the records that were written past the server', async () => {
  const file = join(process.env.UI_WORK, 'log.jsonl');
  const chancery = `${process.env.CHANCERY_BUILD}/cli/chancery`;
  const admin = process.env.CHANCERY_CONF.replace(/client\/client\.conf$/, 'admin.conf');
  execFileSync(chancery, ['--config', admin, 'audit', 'export', file]);
  assert.match(execFileSync(chancery, ['audit', 'verify', file]).toString(), /./);
});

test('no page made an error on the console or asked another server', async () => {
  for (const eye of Object.values(eyes)) await eye.done();
});

test('the overview of ten thousand keys says how many exactly, without a request for keys or usage', async () => {
  const { page, done } = await open(browser);
  const asked = [];
  page.on('request', (r) => asked.push(new URL(r.url()).pathname));
  await signIn(page, adminKey, '/ui');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const sql = "SELECT COUNT(*) FROM signing_key WHERE lifecycle = 'active'";
  const active = execFileSync('sqlite3', ['-cmd', '.timeout 60000', process.env.SANDBOX_DB, sql], { encoding: 'utf8' });
  assert.ok(Number(active) > count);
  const shown = await page.getByRole('link', { name: /Active keys/ }).innerText();
  assert.equal(shown.replace(/[^0-9]/g, ''), active.trim());
  assert.equal(asked.filter((path) => path === '/v1/overview').length, 1);
  for (const path of ['/v1/keys', '/v1/usage']) assert.ok(!asked.includes(path), path);
  await settled(page);
  await inspect(page, 'many-overview');
  await done();
});

test('a click is answered with one round trip: neither code nor data of a page wait for one another', async () => {
  const { page, done } = await open(browser);
  const ahead = page.waitForResponse((r) => r.url().includes('/assets/seldom-'));
  await signIn(page, adminKey, '/ui/keys');
  await ahead;
  await settled(page);
  await page.route('**/v1/**', async (route) => {
    await new Promise((later) => setTimeout(later, 200)); // as far away as another continent
    await route.continue();
  });
  const nav = (name) =>
    page.getByRole('navigation', { name: 'Pages', exact: true }).getByRole('link', { name, exact: true });
  const row = (name) => page.locator('td.main').getByRole('link', { name, exact: true });
  const tab = (name) => page.getByRole('tab', { name });
  for (const [where, what, heading] of [
    [nav, 'Projects', 'Projects'],
    [row, 'demo', 'demo'],
    [row, 'ed25519', 'demo:ed25519'],
    [tab, 'Certificate', 'demo:ed25519'],
    [tab, 'Versions', 'demo:ed25519'],
    [tab, 'Policy', 'demo:ed25519'],
    [nav, 'Overview', 'Overview'],
    [nav, 'Audit log', 'Audit log'],
    [nav, 'Usage', 'Usage'],
    [nav, 'Jobs', 'Jobs'],
    [nav, 'HSMs', 'HSMs'],
    [nav, 'Policy and freeze', /./],
    [nav, 'Settings', 'Settings'],
    [nav, 'Users', 'Users'],
    [row, 'admin', 'admin'],
    [tab, 'Sign-in', 'admin'],
    [nav, 'Teams', 'Teams'],
    [row, 'lone-team', 'lone-team'],
    [nav, 'Authorities', 'Authorities'],
    [row, 'issuing', 'issuing'],
    [nav, 'Connectors', 'Connectors'],
    [row, 'builtin', 'builtin'],
  ]) {
    const begun = [];
    const ended = [];
    const onBegin = (r) => begun.push({ url: r.url(), before: ended.length });
    const onEnd = (r) => ended.push(r.url());
    page.on('request', onBegin);
    page.on('requestfinished', onEnd);
    // What is kept from before is drawn at once: it is no sign that the question is under way.
    const first = page.waitForRequest((r) => r.url().includes('/v1/'));
    await where(what).first().click();
    await first;
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    await settled(page);
    page.off('request', onBegin);
    page.off('requestfinished', onEnd);
    for (const r of begun)
      // The icon of the tab is the browser's own wish, at its own time.
      assert.equal(
        r.url.includes('/assets/icon-') ? 0 : r.before,
        0,
        `${what}: ${r.url.slice(server.length)} was asked for after another answer`,
      );
  }
  await page.unrouteAll({ behavior: 'wait' });
  await done();
});
