// SPDX-License-Identifier: Apache-2.0
// Makes the page: `node build.mjs OUT` bundles src/, names each file by its content, compresses it, and writes OUT/assets.c,
// which holds all of it, with OUT/assets.c.d, the files it was made from.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, 'out'));
const dist = join(out, 'dist');

const types = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  html: 'text/html; charset=utf-8',
};

async function bundle(options) {
  const made = await build({
    absWorkingDir: here,
    entryNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    outdir: dist,
    bundle: true,
    minify: true,
    target: ['chrome110', 'firefox115', 'safari16.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: { '.svg': 'copy' },
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
    ...options,
  });
  return {
    files: made.outputFiles.map((file) => ({
      name: relative(dist, file.path),
      body: Buffer.from(file.contents),
    })),
    inputs: Object.keys(made.metafile.inputs).map((path) => resolve(here, path)),
    // What an entry needs before it can begin, so that the browser asks for all of it at once.
    needed: Object.values(made.metafile.outputs)
      .filter((output) => output.entryPoint === 'src/main.tsx')
      .flatMap((output) => output.imports.filter((i) => i.kind === 'import-statement'))
      .map((i) => relative(dist, resolve(here, i.path))),
  };
}

// In index.html a file is named without its hash: {{app.js}}.
function page(files, needed) {
  const preload = needed.map((name) => `<link rel="modulepreload" href="/assets/${name}" />`).join('\n    ');
  const template = readFileSync(join(here, 'index.html'), 'utf8').replace('{{preload}}', preload);
  const text = template.replace(/\{\{(\w+)\.(\w+)\}\}/g, (_, name, kind) => {
    const file = files.find((f) => f.name.startsWith(`${name}-`) && f.name.endsWith(`.${kind}`));
    if (!file) throw new Error(`index.html: there is no ${name}.${kind}`);
    return `/assets/${file.name}`;
  });
  return { name: 'index.html', body: Buffer.from(text) };
}

function compress(file) {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: file.body.length,
  };
  return {
    ...file,
    kind: file.name.split('.').pop(),
    hash: createHash('sha256').update(file.body).digest('hex').slice(0, 16),
    gzip: gzipSync(file.body, { level: 9 }),
    brotli: brotliCompressSync(file.body, { params }),
  };
}

function cSource(files) {
  const blobs = files.flatMap((file, i) =>
    ['plain', 'gzip', 'brotli'].map((coding) => {
      const path = join(dist, file.name + { plain: '', gzip: '.gz', brotli: '.br' }[coding]);
      return `BLOB(asset_${i}_${coding}, "${path}") /* ${file.hash} */`;
    }),
  );
  const rows = files.map(
    (file, i) =>
      `    {"${file.name}", "${types[file.kind]}", "W/\\"${file.hash}\\"",\n` +
      `     {asset_${i}_plain, ${file.body.length}}, {asset_${i}_gzip, ${file.gzip.length}}, {asset_${i}_brotli, ${file.brotli.length}}},`,
  );
  return [
    '/* Made by web/build.mjs. */',
    '#include "server/api/web.h"',
    '',
    '#define BLOB(name, path) \\',
    '    __asm__(".section .rodata\\n" #name ":\\n.incbin \\"" path "\\"\\n.previous\\n"); \\',
    '    extern const uint8_t name[] __attribute__((visibility("hidden")));',
    '',
    ...blobs,
    '',
    'const struct web_asset web_assets[] = {',
    ...rows,
    '};',
    `const size_t web_asset_count = ${files.length};`,
    '',
  ].join('\n');
}

// The theme is set before anything is drawn, so it is a script that waits for nothing; the application is a module, whose
// seldom used pages are files of their own.
const made = await Promise.all([
  bundle({ entryPoints: { theme: 'src/theme.ts', style: 'src/style/main.css', icon: 'src/icon.svg' }, format: 'iife' }),
  bundle({ entryPoints: { app: 'src/main.tsx' }, format: 'esm', splitting: true }),
]);
const bundled = made.flatMap((m) => m.files);
const needed = made.flatMap((m) => m.needed);
const inputs = [...new Set(made.flatMap((m) => m.inputs))];
const files = [page(bundled, needed), ...bundled].map(compress);

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
for (const file of files) {
  writeFileSync(join(dist, file.name), file.body);
  writeFileSync(join(dist, `${file.name}.gz`), file.gzip);
  writeFileSync(join(dist, `${file.name}.br`), file.brotli);
}
writeFileSync(join(out, 'assets.c'), cSource(files));
const escape = (path) => path.replace(/[ #]/g, '\\$&');
writeFileSync(join(out, 'assets.c.d'), `${escape(join(out, 'assets.c'))}: ${inputs.map(escape).join(' ')}\n`);
