// SPDX-License-Identifier: Apache-2.0
// What to copy to a signing machine: its files in one command, and how each tool signs with a key there.
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { api, path, withQuery } from '../api/client';
import { currentQuery, href, setQuery } from '../app/router';
import type { HeldRole, Key, Page, ServerInfo, ServiceAccount } from '../api/types';
import { clientConf, defaultModule, examples, keyFile, setUpCommand } from '../lib/client_setup';
import { Card, CodeBlock, Loading, Note, Problem } from '../ui/basic';
import { useQuery } from '../ui/query';

const projectsMost = 5;
const keysMost = 100;

/** Keys this account signs with, of its first projects: enough to choose an example from. */
async function readKeys(account: string, signal: AbortSignal): Promise<Key[]> {
  const roles = await api.get<Page<HeldRole>>(path`/v1/service-accounts/${account}/roles`, { signal });
  const projects = [...new Set(roles.items.filter((r) => r.role === 'signer').map((r) => r.project))];
  const pages = await Promise.all(
    projects
      .slice(0, projectsMost)
      .map((project) =>
        api.get<Page<Key>>(withQuery('/v1/keys', { project, state: 'active', limit: keysMost }), { signal }),
      ),
  );
  return pages.flatMap((p) => p.items);
}

const objectOf = (key: Key) => `${key.project}-${key.label}`;

function Field({
  label,
  wide,
  children,
}: {
  label: string;
  wide?: boolean;
  children: (id: string) => ComponentChildren;
}) {
  const id = useId();
  return (
    <div class={wide ? 'filter wide' : 'filter'}>
      <label for={id}>{label}</label>
      {children(id)}
    </div>
  );
}

/** The machine's files, in one command. */
export function ClientFiles({ account }: { account: ServiceAccount }) {
  const [isOwn, setOwn] = useState(true);
  const server = useQuery<ServerInfo>('/v1/server');
  if (server.error && !server.data) return <Problem error={server.error} retry={server.reload} />;
  if (!server.data) return <Loading label="The server's addresses and certificates" />;
  const { urls } = server.data;
  const url = urls.length === 0 || urls.includes(location.origin) ? location.origin : urls[0]!;
  const root = server.data.root ?? '';
  const files = { url, account: account.name, ca: isOwn ? root : '' };
  return (
    <>
      <div class="filters">
        <Field label="Server's certificate by" wide>
          {(id) => (
            <select
              id={id}
              value={isOwn && root ? 'own' : 'public'}
              onChange={(e) => setOwn(e.currentTarget.value === 'own')}
            >
              {root && <option value="own">the CA in server-ca.pem</option>}
              <option value="public">a CA the machine trusts already</option>
            </select>
          )}
        </Field>
      </div>
      <p>
        Run this in a shell on the signing machine, as the user who signs. It writes the files below, takes{' '}
        <code>{keyFile(account.name)}</code> from <code>~/Downloads</code> unless it is in its place already, asks for
        the passphrase and shows who the server takes the machine for.
      </p>
      <CodeBlock label="set-up command" text={setUpCommand(files)} />
      <details>
        <summary>Which file goes where</summary>
        <ul class="plain-list">
          <li>
            <code>~/.config/chancery/client.conf</code>: read by the command <code>chancery</code> and by the PKCS #11
            module. For all users of a machine: <code>/etc/chancery/client.conf</code>.
          </li>
          <li>
            <code>~/.config/chancery/{keyFile(account.name)}</code>: the account's private key, readable by its user
            alone (mode 600).
          </li>
          {files.ca && (
            <li>
              <code>~/.config/chancery/server-ca.pem</code>: the root that this server's certificate must chain to.
            </li>
          )}
        </ul>
        <CodeBlock label="client.conf" text={clientConf(files)} />
        {files.ca && <CodeBlock label="server-ca.pem" text={files.ca} />}
      </details>
    </>
  );
}

/** How tools sign with a key of the account; with `only` it is that key. */
export function ClientTools({
  account,
  only,
  first,
}: {
  account: ServiceAccount;
  only?: Key;
  /** The tool that is shown unless another was chosen. */
  first?: string;
}) {
  const [module, setModule] = useState(defaultModule);
  const read = useQuery<Key[]>(only ? null : `${path`/v1/service-accounts/${account.name}/roles`}#keys`, {
    read: (_, signal) => readKeys(account.name, signal),
  });
  const keys = only ? { ...read, data: [only], error: undefined } : read;
  const asked = currentQuery.value;
  if (keys.error && !keys.data) return <Problem error={keys.error} retry={keys.reload} />;
  if (!keys.data) return <Loading label="Keys" />;
  const chosen = keys.data.find((k) => objectOf(k) === asked.get('key')) ?? keys.data[0];
  const key = chosen
    ? { object: objectOf(chosen), type: chosen.type }
    : { object: 'PROJECT-KEY', type: 'p256' as const };
  const all = examples(key, module.trim() || defaultModule);
  const tool = all.find((e) => e.tool === asked.get('tool')) ?? all.find((e) => e.tool === first) ?? all[0]!;
  return (
    <>
      {!chosen && (
        <Note>
          This account signs with no key yet, so the examples name PROJECT-KEY. Make it a signer in a{' '}
          <a href={href('/projects')}>project</a>.
        </Note>
      )}
      <div class="filters">
        {chosen && !only && (
          <Field label="Key">
            {(id) => (
              <select id={id} value={objectOf(chosen)} onChange={(e) => setQuery({ key: e.currentTarget.value })}>
                {keys.data!.map((k) => (
                  <option key={k.id} value={objectOf(k)}>
                    {objectOf(k)}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        <Field label="Tool">
          {(id) => (
            <select id={id} value={tool.tool} onChange={(e) => setQuery({ tool: e.currentTarget.value })}>
              {all.map((e) => (
                <option key={e.tool} value={e.tool}>
                  {e.tool}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Module on the machine" wide>
          {(id) => (
            <input
              id={id}
              class="machine"
              value={module}
              spellcheck={false}
              autocomplete="off"
              onInput={(e) => setModule(e.currentTarget.value)}
            />
          )}
        </Field>
      </div>
      <CodeBlock label={`${tool.tool} commands`} text={tool.text} />
      {tool.note && <p class="help">{tool.note}</p>}
      {key.type === 'ed25519' && (
        <p class="help">Ed25519 keys stand on a token of their own, eddsa-chancery; few tools take such a key.</p>
      )}
    </>
  );
}

export function ClientSetUp({ account }: { account: ServiceAccount }) {
  return (
    <>
      <Card title="Set the machine up">
        <ClientFiles account={account} />
      </Card>
      <Card title="Sign with a tool">
        <ClientTools account={account} />
      </Card>
    </>
  );
}
