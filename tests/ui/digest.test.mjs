// SPDX-License-Identifier: Apache-2.0
// "Was this digest signed?": files are hashed in the browser, and what real tools signed is found again.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { adminKey, inspect, launch, open, rest, server, settled, signIn } from './browser.mjs';
import { signFile, signedExecutable, signedJar } from './signing.mjs';

const work = process.env.UI_WORK;
const at = `${server}/ui/digest`;
let browser, watched, page, executable;
before(async () => {
  browser = await launch();
  watched = await open(browser);
  page = watched.page;
  await signIn(page, adminKey, '/ui/digest');
});
after(async () => {
  await browser?.close();
});

async function drop(path) {
  await page.goto(at);
  await page.getByLabel('Drop a file here, or choose one').setInputFiles(path);
  await page.getByRole('heading', { name: /^Digests of / }).waitFor();
  await settled(page);
}
const verdict = (words) => page.locator('.note', { hasText: words }).waitFor();

test('the page looks right with nothing on it', async () => {
  await page.getByRole('heading', { name: 'Was this digest signed?', level: 1 }).waitFor();
  await page.getByText('Which digest is signed?').click();
  await inspect(page, 'digest');
});

test('a file that nobody signed is told as that', async () => {
  writeFileSync(join(work, 'unknown.bin'), 'never signed');
  await drop(join(work, 'unknown.bin'));
  await verdict('No: nothing on record was made of unknown.bin');
  await inspect(page, 'digest-none');
});

test('a file whose own digest was signed is found, with who and by which key; no byte of it is sent', async () => {
  const path = join(work, 'firmware.bin');
  writeFileSync(path, Buffer.alloc(300_000, 'firmware'));
  signFile(path, process.env.P11_EC);
  signFile(path, process.env.P11_EC);
  let sent = 0;
  const count = (r) => (sent += (r.postDataBuffer()?.length ?? 0) + r.url().length);
  page.on('request', count);
  await drop(path);
  page.off('request', count);
  assert.ok(sent < 20_000, `${sent} bytes were sent`);
  await verdict('Yes: firmware.bin was signed here');
  await page.getByText('2 signatures on record, by demo-signer').waitFor();
  const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
  await page.getByText(digest.slice(0, 32)).waitFor();
  await inspect(page, 'digest-signed');
});

test('a pasted digest is looked up, in capitals and as a line of sha256sum, and stands in the address', async () => {
  const digest = createHash('sha256')
    .update(readFileSync(join(work, 'firmware.bin')))
    .digest('hex');
  await page.goto(at);
  await page.getByLabel('Digest', { exact: true }).fill(`${digest.toUpperCase()}  firmware.bin`);
  await page.getByRole('button', { name: 'Look it up' }).click();
  await verdict('Yes: this digest was signed here');
  assert.match(page.url(), new RegExp(`digest=${digest}`));
  await page.getByLabel('Digest', { exact: true }).fill('not a digest');
  await page.getByRole('button', { name: 'Look it up' }).click();
  await page.locator('.field-error').waitFor();
  assert.equal(await page.getByLabel('Digest', { exact: true }).inputValue(), 'not a digest');
});

for (const key of [process.env.P11_RSA, process.env.P11_EC])
  test(`an executable signed with ${key} is recognised by what its signer signed`, async () => {
    executable = signedExecutable(key);
    await drop(executable.signed);
    await verdict('was signed here');
    await page.getByText('the signature in the file').waitFor();
    await page.getByText('What the signer of this file signed').first().waitFor();
    if (key === process.env.P11_EC) await inspect(page, 'digest-executable');
  });

test('the digest that the page works out is the one that osslsigncode does', async () => {
  const { execFileSync } = await import('node:child_process');
  let told = '';
  try {
    told = execFileSync('osslsigncode', ['verify', '-in', executable.signed]).toString();
  } catch (e) {
    told = e.stdout.toString(); // its certificate is not known to the system
  }
  const wanted = /Calculated message digest\s*:\s*([0-9A-F]+)/.exec(told)[1].toLowerCase();
  await drop(executable.signed);
  await page.locator(`code[title="${wanted}"]`).waitFor();
  await drop(executable.plain);
  await page.locator(`code[title="${wanted}"]`).waitFor();
  await verdict('This executable carries no signature');
});

test('an executable that was changed after it was signed is told as that', async () => {
  const bytes = readFileSync(executable.signed);
  bytes[bytes.indexOf('This program')] ^= 1;
  writeFileSync(join(work, 'changed.exe'), bytes);
  await drop(join(work, 'changed.exe'));
  await page.getByText('This file is not what its signature says').waitFor();
});

test('a signed jar is recognised', async () => {
  await drop(signedJar(process.env.P11_EC));
  await verdict('was signed here');
  await page.getByText('the signature in the file').waitFor();
  await inspect(page, 'digest-jar');
});

test('what only looks like an executable or an archive is a file like others', async () => {
  const pe = readFileSync(executable.signed);
  const cases = {
    'short.exe': pe.subarray(0, 200),
    'far-table.exe': Buffer.from(pe).fill(
      0xff,
      pe.readUInt32LE(0x3c) + 24 + 112 + 32,
      pe.readUInt32LE(0x3c) + 24 + 112 + 40,
    ),
    'empty.bin': Buffer.alloc(0),
    'broken.zip': Buffer.concat([Buffer.from('PK\x05\x06'), Buffer.alloc(18, 0xff)]),
    'der.p7s': Buffer.from('3082ffff30', 'hex'),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    writeFileSync(join(work, name), bytes);
    await drop(join(work, name));
    const digest = createHash('sha256').update(bytes).digest('hex');
    await page.locator(`code[title="${digest}"]`).waitFor();
  }
});

test('a big file is hashed piece by piece, shows how far it is, and can be stopped', async () => {
  const path = join(work, 'big.bin');
  const part = Buffer.alloc(1024 * 1024, 'big');
  const hash = createHash('sha512');
  writeFileSync(path, '');
  for (let i = 0; i < 40; i++) {
    writeFileSync(path, part, { flag: 'a' });
    hash.update(part);
  }
  await page.goto(at);
  await page.getByLabel('Drop a file here, or choose one').setInputFiles(path);
  await page.getByRole('progressbar', { name: 'Hashed so far' }).waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('progressbar').waitFor({ state: 'detached' });
  assert.equal(await page.getByRole('heading', { name: /^Digests of / }).count(), 0);
  await drop(path);
  await page.locator(`code[title="${hash.digest('hex')}"]`).waitFor();
});

test('who may not read the log is told so', async () => {
  await rest('POST', '/v1/users', { name: 'digest-user', role: 'user' });
  const { api_key } = await rest('POST', '/v1/users/digest-user/api-keys', { name: 'test', scopes: ['read'] });
  const other = await open(browser, { expected: [/status of 403/] });
  await signIn(other.page, api_key, `/ui/digest?digest=${'a'.repeat(64)}`);
  await other.page.getByText('You may not do this').waitFor();
  await other.done();
});

test('no page made an error on the console or asked another server', async () => {
  await watched.done();
});
