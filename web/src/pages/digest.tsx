// SPDX-License-Identifier: Apache-2.0
// "Was this digest signed?" A file is hashed in the browser and stays there; what is looked up in the log is its digests.
import { useEffect } from 'preact/hooks';
import { api, withQuery } from '../api/client';
import type { AuditRecord, Page } from '../api/types';
import { currentQuery, href, setQuery } from '../app/router';
import { digestOf, hashesOfLength } from '../lib/hash';
import { inspectFile, type Digest, type Inspected } from '../lib/inspect';
import { nameOf, number, plural } from '../lib/text';
import { Badge, Button, Card, Code, Loading, Note, PageHead, Problem, Time } from '../ui/basic';
import { FileDrop, FileProgress, sizeOf, useFileWork } from '../ui/file';
import { Form, TextField, useForm } from '../ui/form';
import { useQuery, type Loaded } from '../ui/query';
import { Table } from '../ui/table';

const newest = 100;

interface Hit extends Digest {
  /** The newest of them. */
  records: AuditRecord[];
  hasMore: boolean;
}

/** Each digest is asked for once; those that are equal, such as of a file without a signature, count once. */
function useHits(digests: Digest[] | null): Loaded<Hit[]> {
  const key = digests && digests.map((d) => d.digest).join(' ');
  return useQuery<Hit[]>(key, {
    read: (_, signal) =>
      Promise.all(
        digests!.map(async (d) => {
          const of = withQuery('/v1/audit', { digest: d.digest, order: 'newest', limit: newest });
          const { items, next } = await api.get<Page<AuditRecord>>(of, { signal });
          return { ...d, records: items, hasMore: next !== null };
        }),
      ),
  });
}

const kinds: Record<Inspected['kind'], string> = {
  file: 'an ordinary file',
  pe: 'a Windows executable',
  jar: 'a Java archive or other ZIP',
  apk: 'an Android package',
  pkcs7: 'a detached signature',
};

interface Signing {
  record: AuditRecord;
  hit: Hit;
}

/** The same signing is found once, however many digests lead to it. */
function signingsOf(hits: Hit[]): Signing[] {
  const bySeq = new Map<number, Signing>();
  for (const hit of hits)
    for (const record of hit.records) if (!bySeq.has(record.seq)) bySeq.set(record.seq, { record, hit });
  return [...bySeq.values()].sort((a, b) => b.record.seq - a.record.seq);
}

function Verdict({ hits, file }: { hits: Hit[]; file: Inspected | null }) {
  const signings = signingsOf(hits);
  const made = signings.filter((s) => s.record.outcome === 'success');
  const names = [...new Set(made.map((s) => s.record.principal ?? 'somebody'))];
  const what = file ? file.name : 'this digest';
  const isAll = !hits.some((h) => h.hasMore);
  if (made.length > 0)
    return (
      <Note tone="good" title={`Yes: ${what} was signed here`}>
        {isAll ? plural(made.length, 'signature') : `${number(made.length)} signatures and more`} on record, by{' '}
        {names.join(', ')}; the newest <Time at={made[0]!.record.time} style="ago" />.
      </Note>
    );
  if (signings.length > 0)
    return (
      <Note tone="warn" title={`No signature of ${what} was given out`}>
        It was asked for {signings.length === 1 ? 'once' : `${signings.length} times`} and refused or failed each time.
      </Note>
    );
  return (
    <Note tone="neutral" title={`No: nothing on record was made of ${what}`}>
      {file?.kind === 'pe' && file.signers === 0
        ? 'This executable carries no signature. A signature of it, if there is one, is found by the signed file alone.'
        : 'No key of this server signed any of the digests below, and nobody asked for it.'}
    </Note>
  );
}

function Match({ signing: { record, hit } }: { signing: Signing }) {
  if (!hit.signatures || record.outcome !== 'success') return null;
  const isSame = hit.signatures.includes(record.signature_sha256 ?? '');
  return isSame ? (
    <Badge tone="good">the signature in the file</Badge>
  ) : (
    <Badge tone="neutral">another signature</Badge>
  );
}

function Signings({ signings, isAll }: { signings: Signing[]; isAll: boolean }) {
  return (
    <Card flush title={isAll ? 'On record' : `On record, the newest ${newest} of each digest`}>
      <Table
        caption="Signatures on record"
        rows={signings}
        id={(s) => String(s.record.seq)}
        columns={[
          { head: 'When', kind: 'main', cell: (s) => <Time at={s.record.time} /> },
          { head: 'Who', cell: (s) => s.record.principal ?? '–' },
          {
            head: 'Key',
            cell: ({ record: r }) => (r.key_id ? <a href={href('/keys', r.key_id)}>{r.key ?? r.key_id}</a> : '–'),
          },
          {
            head: 'Outcome',
            cell: (s) => (
              <span class="pair">
                <Badge state={s.record.outcome ?? ''} /> <Match signing={s} />
              </span>
            ),
          },
          {
            head: 'How',
            cell: (s) =>
              [s.record.mechanism, s.record.hash]
                .filter(Boolean)
                .map((w) => nameOf(w!))
                .join(', '),
          },
          { head: 'Of', cell: (s) => s.hit.of },
          {
            head: 'Record',
            cell: ({ record: r }) => <a href={href('/audit', String(r.seq))}>No. {r.seq}</a>,
          },
        ]}
      />
    </Card>
  );
}

function Digests({ hits, file }: { hits: Hit[]; file: Inspected | null }) {
  return (
    <Card
      flush
      title={file ? `Digests of ${file.name}` : 'What was looked up'}
      actions={
        file && (
          <span class="small muted">
            {sizeOf(file.size)}, {kinds[file.kind]}; hashed in{' '}
            {file.seconds < 0.1 ? 'less than 0.1' : file.seconds.toFixed(1)} s
          </span>
        )
      }
    >
      <Table
        caption="Digests"
        rows={hits}
        id={(h) => h.of + h.hash + h.digest}
        columns={[
          { head: 'Of', kind: 'main', cell: (h) => h.of },
          { head: 'Hash', cell: (h) => nameOf(h.hash) },
          { head: 'Digest', cell: (h) => <Code text={h.digest} label={`${nameOf(h.hash)} digest`} short={32} /> },
          {
            head: 'On record',
            cell: (h) =>
              h.hasMore ? (
                `${number(newest)} records and more`
              ) : h.records.length ? (
                plural(h.records.length, 'record')
              ) : (
                <span class="muted">no</span>
              ),
          },
        ]}
      />
    </Card>
  );
}

function Results({ digests, file }: { digests: Digest[]; file: Inspected | null }) {
  const hits = useHits(digests);
  if (hits.error && !hits.data) return <Problem error={hits.error} retry={hits.reload} />;
  if (!hits.data) return <Loading label="Looking it up" />;
  const signings = signingsOf(hits.data);
  return (
    <div class="stack" aria-live="polite">
      <Verdict hits={hits.data} file={file} />
      {file?.isChanged && (
        <Note tone="bad" title="This file is not what its signature says">
          Its content does not have the digest that its signature names: it was changed after it was signed.
        </Note>
      )}
      {file?.kind === 'jar' && file.signers > 0 && (
        <Note title="The entries of the archive were not compared">
          Who signed its list of entries is told here; whether each entry is still the one on the list, jarsigner
          -verify tells.
        </Note>
      )}
      {file?.kind === 'apk' && (
        <Note tone="warn" title="Only the oldest kind of signature of an Android package is looked at">
          Signature schemes 2 and later sign a structure of their own inside the package, which is not read here.
        </Note>
      )}
      {signings.length > 0 && <Signings signings={signings} isAll={!hits.data.some((h) => h.hasMore)} />}
      <Digests hits={hits.data} file={file} />
    </div>
  );
}

function Paste({ digest, onPaste }: { digest: string; onPaste: () => void }) {
  const form = useForm({ digest });
  useEffect(() => form.set('digest', digest), [digest]);
  return (
    <Form
      form={form}
      submit="Look it up"
      onSubmit={async (v) => {
        const found = digestOf(v.digest);
        if (!found)
          return form.fail(
            'digest',
            'A digest of 40, 56, 64, 96 or 128 hexadecimal digits is expected, such as of sha256sum',
          );
        onPaste();
        setQuery({ digest: found });
      }}
    >
      <TextField
        form={form}
        name="digest"
        label="Digest"
        required
        machine
        rows={2}
        help="In hexadecimal. A line of sha256sum is understood, too."
      />
    </Form>
  );
}

function Explanation() {
  return (
    <details>
      <summary>Which digest is signed?</summary>
      <div class="prose">
        <p>
          A key signs a digest, a short fingerprint; the log keeps it. Of what it is the digest depends on the kind of
          signature:
        </p>
        <ul>
          <li>
            <strong>The file itself</strong>: <code>openssl dgst</code>, cosign blobs, most firmware images. The digest
            of the whole file is on record.
          </li>
          <li>
            <strong>Windows executables</strong> (Authenticode): the signer signs a list of attributes, kept in the
            signed file. It names the digest of the file without checksum and signature. Drop the signed file: both are
            worked out.
          </li>
          <li>
            <strong>Java archives</strong>: a manifest with the digests of all entries is signed. Drop the signed
            archive.
          </li>
          <li>
            <strong>Detached signatures</strong> (CMS, PKCS #7): drop the signature file in DER.
          </li>
          <li>
            <strong>Android packages and others</strong>: a structure inside the file is signed, which is not understood
            here beyond the oldest scheme. Look in the audit log by time and key instead.
          </li>
        </ul>
      </div>
    </details>
  );
}

export function DigestPage() {
  const asked = currentQuery.value.get('digest') ?? '';
  const digest = digestOf(asked);
  const work = useFileWork(inspectFile);
  const pasted: Digest[] | null = digest
    ? [{ of: 'A digest that was given', hash: hashesOfLength(digest.length).map(nameOf).join(' or '), digest }]
    : null;
  const file = digest ? null : work.result;
  return (
    <>
      <PageHead
        title="Was this digest signed?"
        lead="Drop a file to see whether a key of this server signed it, who asked for that, and when. The file is hashed in your browser and never leaves it; only its digests are looked up."
      />
      <Card>
        <FileDrop
          label="Drop a file here, or choose one"
          help="Of any size. Signed executables and archives are looked into."
          onFile={(f) => {
            setQuery({ digest: null });
            work.start(f);
          }}
        />
        <FileProgress work={work} />
        <Paste digest={digest ?? ''} onPaste={work.cancel} />
        <Explanation />
      </Card>
      {pasted && <Results key={digest} digests={pasted} file={null} />}
      {file && <Results key={file.name + file.digests[0]!.digest} digests={file.digests} file={file} />}
      {(pasted || file) && (
        <p class="actions">
          <Button
            icon="cross"
            onClick={() => {
              work.cancel();
              setQuery({ digest: null });
            }}
          >
            Clear
          </Button>
        </p>
      )}
    </>
  );
}
