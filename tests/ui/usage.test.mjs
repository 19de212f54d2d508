// SPDX-License-Identifier: Apache-2.0
// Usage reports: by key, project, signer and month, with nothing, something and much; as CSV and on paper.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { adminKey, inspect, launch, open, rest, server, settled, signIn } from './browser.mjs';
import { signFile } from './signing.mjs';

const work = process.env.UI_WORK;
const month = new Date().toISOString().slice(0, 7);
let browser, watched, page;
before(async () => {
  browser = await launch();
  watched = await open(browser, { expected: [/status of 404/] });
  page = watched.page;
  await signIn(page, adminKey, '/ui/usage');
});
after(async () => {
  await browser?.close();
});

const go = async (address) => {
  await page.goto(`${server}/ui${address}`);
  await page.getByRole('heading', { name: 'Usage', level: 1 }).waitFor();
  await settled(page);
};

test('nothing signed', async () => {
  await rest('POST', '/v1/projects', { name: 'unused', description: '' });
  await go('/usage?project=unused');
  await page.getByText('Nothing was signed in this time').waitFor();
  await inspect(page, 'usage-none');
});

test('what was signed is counted by key, project and signer, a month or a day', async () => {
  const path = join(work, 'counted.bin');
  writeFileSync(path, 'counted');
  for (let i = 0; i < 3; i++) signFile(path, process.env.P11_EC);
  await go('/usage');
  await page.getByRole('table', { name: 'Signatures by key' }).getByRole('row', { name: /p256/ }).waitFor();
  await inspect(page, 'usage-by-key');
  await page.getByLabel('By', { exact: true }).selectOption('signer');
  await page
    .getByRole('table', { name: 'Signatures by signer' })
    .getByRole('row', { name: /demo-signer/ })
    .waitFor();
  await page.getByLabel('Each', { exact: true }).selectOption('day');
  await page.getByRole('table', { name: 'Signatures of each day' }).waitFor();
  await settled(page);
  await inspect(page, 'usage-by-signer');
  await page.getByLabel('By', { exact: true }).selectOption('project');
  await page.getByRole('table', { name: 'Signatures by project' }).getByRole('row', { name: /demo/ }).waitFor();
  await page.getByLabel('By', { exact: true }).selectOption('none');
  await settled(page);
  assert.equal(await page.getByRole('table', { name: /^Signatures by/ }).count(), 0);
  const counted = await rest('GET', '/v1/usage?group=signer&period=month&key=demo:p256');
  assert.equal(counted.items.length, 1);
  assert.equal(counted.items[0].signer, 'demo-signer');
  assert.equal(counted.items[0].day, month);
  assert.ok(counted.items[0].success >= 3);
});

test('the report is saved as CSV with the same numbers', async () => {
  await go('/usage?group=signer');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'CSV' }).click();
  const file = await (await download).path();
  const [head, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\r\n');
  assert.equal(head, 'period_utc,signer,signer_id,signed,refused,failed');
  const row = lines.find((l) => l.startsWith(`${month},demo-signer,`)).split(',');
  const counted = await rest('GET', '/v1/usage?group=signer&period=month&principal=demo-signer');
  assert.equal(Number(row[3]), counted.items[0].success);
});

test('a name that a spreadsheet would run is a text in the CSV', async () => {
  const items = [
    {
      day: month,
      project: null,
      label: null,
      key: null,
      signer: '=1+1',
      signer_id: 'a,"b"',
      success: 1,
      refused: 0,
      failed: 0,
    },
  ];
  await page.route('**/v1/usage?*', (route) => route.fulfill({ json: { items, next: null, total: items.length } }));
  await go('/usage?group=signer');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'CSV' }).click();
  const text = readFileSync(await (await download).path(), 'utf8');
  assert.match(text, /^\d{4}-\d\d,'=1\+1,"a,""b""",1,0,0/m);
  await page.unrouteAll({ behavior: 'wait' });
});

test('of ten thousand the first are shown, by three requests at once, and all of them are in the CSV file', async () => {
  let holds = true;
  const asked = [];
  await page.route('**/v1/usage?*', async (route) => {
    const query = new URL(route.request().url()).searchParams;
    asked.push(query);
    const isAll = query.get('period') === 'all';
    const rowAt = (i) => ({
      ...{ day: isAll ? null : month, project: `project-${i % 50}`, label: `key-${i}`, key: `key_${i}` },
      ...{ signer: null, signer_id: null, success: i, refused: i % 3, failed: 0 },
    });
    if (query.get('order')) {
      const items = Array.from({ length: Number(query.get('limit')) }, (_, i) => rowAt(i));
      return route.fulfill({ json: { items, next: null, total: 10_000 } });
    }
    const after = Number(query.get('after') ?? 0);
    if (query.get('group') === 'none') return route.fulfill({ json: { items: [rowAt(7)], next: null, total: null } });
    while (after === 3000 && holds) await new Promise((done) => setTimeout(done, 20));
    const items = Array.from({ length: 1000 }, (_, i) => rowAt(after + i));
    const next = after + 1000 < 10_000 ? String(after + 1000) : null;
    return route.fulfill({ json: { items, next, total: null } }).catch(() => undefined); // it was given up
  });
  await go('/usage');
  await page.getByText('The first 500 of 10,000 rows; all are in the CSV file.').waitFor();
  await page.getByText('The newest 500 of 10,000 rows; all are in the CSV file.').waitFor();
  assert.deepEqual(asked.map((q) => `${q.get('group')} ${q.get('period')} ${q.get('order')}`).sort(), [
    'key all most',
    'key month newest',
    'none month null',
  ]);
  await page.getByRole('button', { name: 'CSV' }).click();
  await page.getByRole('button', { name: 'Stop reading: 3,000 rows' }).click();
  await page.getByRole('button', { name: 'CSV' }).waitFor();
  holds = false;
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'CSV' }).click();
  const lines = readFileSync(await (await download).path(), 'utf8')
    .trimEnd()
    .split('\r\n');
  assert.equal(lines.length, 1 + 10_000);
  assert.equal(lines.at(-1), `${month},project-49,key-9999,9999,0,0`);
  await page.unrouteAll({ behavior: 'wait' });
});

test('on paper there is the report alone', async () => {
  await go('/usage?group=project');
  await page.emulateMedia({ media: 'print' });
  assert.ok(await page.getByRole('navigation', { name: 'Pages' }).isHidden());
  assert.ok(await page.getByRole('button', { name: 'Print' }).isHidden());
  assert.ok(await page.locator('.printed').isVisible());
  await page.screenshot({ path: join(process.env.UI_SHOTS, 'usage-print.png'), fullPage: true });
  await page.emulateMedia({ media: 'screen' });
});

test('no page made an error on the console or asked another server', async () => {
  await watched.done();
});
