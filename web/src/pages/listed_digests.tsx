// SPDX-License-Identifier: Apache-2.0
// The digests that a key may sign while its policy says "listed digests only".
import { useState } from 'preact/hooks';
import { api, path } from '../api/client';
import { role } from '../api/session';
import type { Hash, Key } from '../api/types';
import type { PageProps } from '../app/page';
import { href } from '../app/router';
import { digestOf, fileHashes, hashBlob, hashesOfLength } from '../lib/hash';
import { keyName } from '../lib/keys';
import { nameOf, number } from '../lib/text';
import { fromInput } from '../lib/time';
import { Button, Card, Code, Empty, Note, PageHead, Problem, Time } from '../ui/basic';
import { Dialog, confirmAction, openDialog } from '../ui/dialog';
import { FileDrop, FileProgress, useFileWork } from '../ui/file';
import { Form, SelectField, TextField, useForm } from '../ui/form';
import { usePages, useQuery } from '../ui/query';
import { PagedTable } from '../ui/table';
import { toast } from '../ui/toast';

interface Listed {
  hash: Hash;
  digest: string;
  remaining: number | null;
  expires: string | null;
  note: string;
  author: string;
  created: string;
}

function AddDialog({ of: key, close }: { of: Key; close: () => void }) {
  const form = useForm({ hash: key.hashes[0] ?? 'sha256', digest: '', count: '', expires: '', note: '' });
  const [name, setName] = useState('');
  const work = useFileWork(async (file, { signal, progress }) => {
    let done = 0;
    const hash = fileHashes.find((h) => h === form.values.hash) ?? 'sha256';
    const watch = { signal, done: (bytes: number) => progress((done += bytes), file.size) };
    const digests = await hashBlob(file, [hash], watch);
    form.set('hash', hash);
    form.set('digest', digests[hash]);
    if (!form.values.note) form.set('note', file.name.slice(0, 255));
    setName(file.name);
    return digests;
  });
  const setDigest = (v: typeof form.values) => {
    const digest = digestOf(v.digest);
    if (!digest || !hashesOfLength(digest.length).includes(v.hash)) {
      form.fail('digest', `The hexadecimal digits of a ${nameOf(v.hash)} digest are expected`);
      return null;
    }
    return digest;
  };
  return (
    <Dialog title={`Let ${keyName(key)} sign a digest`} onClose={close}>
      <Form
        form={form}
        submit="Put it on the list"
        onCancel={close}
        onSubmit={async (v) => {
          const digest = setDigest(v);
          if (!digest) return;
          const body = {
            hash: v.hash,
            digest,
            ...(v.count ? { count: Number(v.count) } : {}),
            ...(v.expires ? { expires: fromInput(v.expires) } : {}),
            ...(v.note.trim() ? { note: v.note.trim() } : {}),
          };
          await api.create(path`/v1/keys/${key.id}/digests`, body, form.once);
          close();
          toast('The digest is on the list');
        }}
      >
        <SelectField
          form={form}
          name="hash"
          label="Hash"
          required
          choices={key.hashes.map((h) => [h, nameOf(h)] as [string, string])}
        />
        <FileDrop
          label="Drop the file here, or choose it"
          help="It is hashed in your browser and never leaves it. For a Windows executable or a jar give the digest that the signing tool asks for instead."
          onFile={work.start}
        />
        <FileProgress work={work} />
        {name && !work.file && <Note tone="good" title={`The digest below is that of ${name}`} />}
        <TextField form={form} name="digest" label="Digest" required machine rows={3} />
        <div class="fields">
          <TextField
            form={form}
            name="count"
            label="Times it may be signed"
            type="number"
            min={1}
            help="Empty: any number."
          />
          <TextField form={form} name="expires" label="Until" type="datetime-local" help="Empty: for ever." />
        </div>
        <TextField form={form} name="note" label="Note" maxLength={255} help="Such as the name of the release." />
      </Form>
    </Dialog>
  );
}

function remove(key: Key, d: Listed) {
  const short = `${d.digest.slice(0, 16)}…`;
  confirmAction({
    title: `Take ${short} off the list of ${keyName(key)}?`,
    consequences: [
      `${nameOf(d.hash)} ${d.digest}`,
      'The key does not sign it any more while only listed digests are signed.',
    ],
    action: 'Take it off',
    danger: true,
    run: () => api.delete(path`/v1/keys/${key.id}/digests/${d.hash}/${d.digest}`),
    done: `${short} is off the list`,
  });
}

export function ListedDigests({ params }: PageProps) {
  const key = useQuery<Key>(path`/v1/keys/${params.key!}`);
  const pages = usePages<Listed>(path`/v1/keys/${params.key!}/digests`);
  const name = key.data ? keyName(key.data) : params.key!;
  const mayChange = role.value !== 'auditor' && key.data;
  return (
    <>
      <PageHead
        title={`Listed digests of ${name}`}
        crumbs={[
          ['Keys', href('/keys')],
          [name, href('/keys', params.key!)],
        ]}
        lead="What this key may sign while its policy says that only listed digests are signed. Without that rule the list does nothing."
      >
        {mayChange && (
          <Button
            kind="primary"
            icon="plus"
            onClick={() => openDialog((close) => <AddDialog of={key.data!} close={close} />)}
          >
            Add a digest
          </Button>
        )}
      </PageHead>
      {key.error && !key.data ? <Problem error={key.error} retry={key.reload} /> : null}
      <Card flush>
        <PagedTable
          caption={`Listed digests of ${name}`}
          pages={pages}
          id={(d) => d.hash + d.digest}
          empty={
            <Empty icon="file" title="No digest is on the list">
              The rule is in the <a href={href('/keys', params.key!, 'policy')}>policy of this key</a>, of its project
              or of the platform.
            </Empty>
          }
          columns={[
            { head: 'Note', kind: 'main', cell: (d) => d.note || <span class="muted">no note</span> },
            { head: 'Hash', cell: (d) => nameOf(d.hash) },
            { head: 'Digest', cell: (d) => <Code text={d.digest} label="digest" short={24} /> },
            {
              head: 'Signatures left',
              kind: 'number',
              cell: (d) => (d.remaining === null ? 'any' : number(d.remaining)),
            },
            { head: 'Until', cell: (d) => <Time at={d.expires} none="for ever" /> },
            {
              head: 'Added',
              cell: (d) => (
                <>
                  {d.author}, <Time at={d.created} style="date" />
                </>
              ),
            },
            {
              head: 'Actions',
              kind: 'actions',
              cell: (d) =>
                mayChange && (
                  <Button kind="danger" onClick={() => remove(key.data!, d)} title={`Take ${d.digest} off the list`}>
                    Take off
                  </Button>
                ),
            },
          ]}
        />
      </Card>
    </>
  );
}
