// SPDX-License-Identifier: Apache-2.0
// The small files of a ZIP, such as those of META-INF in a signed jar. Sizes are bounded; what is not understood is null.

const endSize = 22;
const commentMost = 65_535;
const directoryMost = 64 * 1024 * 1024;
const entryMost = 16 * 1024 * 1024;

export interface ZipEntry {
  name: string;
  read: () => Promise<Uint8Array | null>;
}

async function inflate(packed: Blob): Promise<Uint8Array | null> {
  const reader = packed.stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const pieces: Uint8Array[] = [];
  for (let size = 0; ;) {
    const { value, done } = await reader.read();
    if (done) return new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
    size += value.length;
    if (size > entryMost) {
      await reader.cancel();
      return null;
    }
    pieces.push(value);
  }
}

async function content(file: Blob, at: number, method: number, packedSize: number): Promise<Uint8Array | null> {
  const head = new DataView(await file.slice(at, at + 30).arrayBuffer());
  if (head.byteLength < 30 || head.getUint32(0) !== 0x504b0304 || packedSize > entryMost) return null;
  const begin = at + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const packed = file.slice(begin, begin + packedSize);
  if (method === 0) return new Uint8Array(await packed.arrayBuffer());
  return method === 8 ? inflate(packed) : null;
}

/** Entries whose name fits; null when the file is no ZIP. */
export async function zipEntries(file: Blob, wanted: RegExp): Promise<ZipEntry[] | null> {
  const tail = new DataView(await file.slice(-(endSize + commentMost)).arrayBuffer());
  let end = tail.byteLength - endSize;
  while (end >= 0 && tail.getUint32(end) !== 0x504b0506) end--;
  if (end < 0) return null;
  const size = tail.getUint32(end + 12, true);
  const offset = tail.getUint32(end + 16, true);
  if (size > directoryMost || offset + size > file.size) return null;
  const bytes = new Uint8Array(await file.slice(offset, offset + size).arrayBuffer());
  const view = new DataView(bytes.buffer);
  const found: ZipEntry[] = [];
  for (let at = 0; at + 46 <= size && view.getUint32(at) === 0x504b0102;) {
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const method = view.getUint16(at + 10, true);
    const packedSize = view.getUint32(at + 20, true);
    const local = view.getUint32(at + 42, true);
    if (wanted.test(name)) found.push({ name, read: () => content(file, local, method, packedSize) });
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return found;
}
