// SPDX-License-Identifier: Apache-2.0
// The digests by which a file may stand in the log: its own, and those of what its signers signed.
import { fileHashes, hashBlob, hashBytes, type FileHash } from './hash';
import { authenticodeContent, peParts, peSignatures, rawEcdsa, signedParts, type SignedPart } from './pe';
import { zipEntries } from './zip';

export interface Digest {
  /** What was hashed, in plain words. */
  of: string;
  hash: string;
  digest: string;
  /** Of a signer: SHA-256 of the signature in the file, in the forms it may have on record. */
  signatures?: string[];
}

export interface Inspected {
  name: string;
  size: number;
  seconds: number;
  kind: 'file' | 'pe' | 'jar' | 'apk' | 'pkcs7';
  digests: Digest[];
  signers: number;
  /** A PE whose content is not the one that its signature names. */
  isChanged: boolean;
}

export interface Watch {
  signal: AbortSignal;
  progress: (done: number, total: number) => void;
}

const pkcs7Most = 4 * 1024 * 1024;
const isFileHash = (hash: string): hash is FileHash => (fileHashes as string[]).includes(hash);

async function signerDigest(part: SignedPart, of: string): Promise<Digest[]> {
  if (!isFileHash(part.hash)) return [];
  const raw = [32, 48, 66].map((size) => rawEcdsa(part.signature, size));
  const forms = [part.signature, ...raw.filter((r) => r !== null)];
  return [
    {
      of,
      hash: part.hash,
      digest: await hashBytes(part.bytes, part.hash),
      signatures: await Promise.all(forms.map((f) => hashBytes(f, 'sha256'))),
    },
  ];
}

async function signerDigests(parts: SignedPart[], of: string): Promise<Digest[]> {
  const name = (i: number) => (parts.length === 1 ? of : `${of} (${i + 1} of ${parts.length})`);
  return (await Promise.all(parts.map((p, i) => signerDigest(p, name(i))))).flat();
}

async function isBroken(part: SignedPart, digests: Digest[]): Promise<boolean> {
  if (!part.file || !isFileHash(part.hash)) return false;
  if ((await hashBytes(part.file.content, part.hash)) !== part.contentDigest) return true;
  return part.file.digest.length >= 64 && !digests.some((d) => d.digest === part.file!.digest);
}

const asDigests = (of: string, made: Record<FileHash, string>): Digest[] =>
  fileHashes.map((hash) => ({ of, hash, digest: made[hash] }));

type Found = Pick<Inspected, 'kind' | 'digests' | 'signers' | 'isChanged'>;
const nothing = { digests: [], signers: 0, isChanged: false };

async function inspectPe(content: Blob, watch: HashWatch, parts: SignedPart[]): Promise<Found> {
  const digests = asDigests(
    'The file without its signature (Authenticode)',
    await hashBlob(content, fileHashes, watch),
  );
  const isChanged = (await Promise.all(parts.map((p) => isBroken(p, digests)))).some(Boolean);
  const signed = await signerDigests(parts, 'What the signer of this file signed');
  return { kind: 'pe', digests: [...signed, ...digests], signers: parts.length, isChanged };
}

async function inspectZip(file: Blob): Promise<Found | null> {
  const entries = await zipEntries(file, /^(META-INF\/[^/]+\.(SF|RSA|EC|DSA)|AndroidManifest\.xml)$/i);
  if (!entries) return null;
  const found: Found = { ...nothing, kind: 'jar', digests: [] };
  for (const entry of entries) {
    if (entry.name === 'AndroidManifest.xml') {
      found.kind = 'apk';
      continue;
    }
    const bytes = await entry.read();
    if (!bytes) continue;
    if (/\.SF$/i.test(entry.name))
      for (const hash of fileHashes) found.digests.push({ of: entry.name, hash, digest: await hashBytes(bytes, hash) });
    else {
      const parts = signedParts(bytes);
      found.signers += parts.length;
      found.digests.unshift(...(await signerDigests(parts, `What the signer of ${entry.name} signed`)));
    }
  }
  return found;
}

async function inspectPkcs7(file: Blob): Promise<Found | null> {
  if (file.size > pkcs7Most) return null;
  const parts = signedParts(new Uint8Array(await file.arrayBuffer()));
  if (parts.length === 0) return null;
  return {
    kind: 'pkcs7',
    digests: await signerDigests(parts, 'What the signer signed'),
    signers: parts.length,
    isChanged: false,
  };
}

type HashWatch = Parameters<typeof hashBlob>[2];

/** Everything of one file. It is read in the browser and goes nowhere. */
export async function inspectFile(file: File, { signal, progress }: Watch): Promise<Inspected> {
  const begin = performance.now();
  const pe = await peParts(file);
  const content = pe && authenticodeContent(file, pe);
  const total = file.size + (content?.size ?? 0);
  let done = 0;
  const watch: HashWatch = { signal, done: (bytes) => progress((done += bytes), total) };
  const whole = asDigests('The whole file', await hashBlob(file, fileHashes, watch));
  let found: Found | null;
  if (pe && content) {
    const parts = (await peSignatures(file, pe)).flatMap(signedParts);
    found = await inspectPe(content, watch, parts);
  } else found = (await inspectZip(file)) ?? (await inspectPkcs7(file));
  const { kind, digests, signers, isChanged } = found ?? { ...nothing, kind: 'file' as const };
  const seconds = (performance.now() - begin) / 1000;
  return { name: file.name, size: file.size, seconds, kind, digests: [...whole, ...digests], signers, isChanged };
}
