// SPDX-License-Identifier: Apache-2.0
// What there is to know of the server and of who looks, and the ways to what is set elsewhere.
import { readReady } from '../api/client';
import { isAdministrator, readsAll, session } from '../api/session';
import type { AuditHead, Authority, Hsm, Page, Ready, ServerInfo } from '../api/types';
import { href } from '../app/router';
import { human, number } from '../lib/text';
import { Badge, Card, Code, Facts, Grid, LinkButton, Loading, Note, PageHead, Problem, Time } from '../ui/basic';
import { AuthorityChain, authorityFault } from '../ui/authority';
import { useQuery, type Loaded } from '../ui/query';

interface Identity {
  id: string;
  name: string;
  type: string;
  role: string | null;
}

function Part<T>({ of, children }: { of: Loaded<T>; children: (data: T) => preact.ComponentChildren }) {
  if (of.data !== undefined) return <>{children(of.data)}</>;
  return of.error ? <Problem error={of.error} retry={of.reload} /> : <Loading />;
}

const parts: Record<string, string> = { store: 'Store', hsm: 'HSM' };
const states: Record<Ready['status'], string> = {
  ready: 'It can sign',
  degraded: 'It can sign, but something does not answer',
  not_ready: 'It cannot sign now',
};

function ServerCard() {
  const ready = useQuery<Ready>('/readyz', { read: readReady, every: 10_000 });
  const server = useQuery<ServerInfo>('/v1/server');
  const head = useQuery<AuditHead>(readsAll.value ? '/v1/audit/head' : null);
  const hsms = useQuery<Page<Hsm>>(readsAll.value ? '/v1/hsms' : null);
  return (
    <Card title="This server">
      <Part of={ready}>
        {(r) => (
          <>
            <Note
              tone={r.status === 'ready' ? 'good' : r.status === 'degraded' ? 'warn' : 'bad'}
              title={states[r.status]}
            />
            <Facts
              rows={[
                ['Address', <Code text={location.origin} label="address" />],
                ['Version', server.data && `chanceryd ${server.data.version}`],
                ['Running since', server.data && <Time at={server.data.started} />],
                ...Object.entries(r.checks).map(
                  ([name, state]) => [parts[name] ?? human(name), <Badge state={state} />] as [string, preact.VNode],
                ),
                [
                  'HSMs',
                  hsms.data && (
                    <>
                      {hsms.data.items.map((h) => (
                        <div key={h.name} class="pair">
                          <a href={href('/hsms', h.name)}>{h.name}</a> <Badge state={h.state} />
                        </div>
                      ))}
                    </>
                  ),
                ],
                ['Audit records', head.data && number(head.data.seq)],
                [
                  'Newest record',
                  head.data && <Code text={head.data.record_hash} label="hash of the newest record" short={24} />,
                ],
              ]}
            />
            {head.data && (
              <p class="muted">
                Keep number and hash of the newest record elsewhere now and then: nobody can then cut the log off behind
                your back.
              </p>
            )}
          </>
        )}
      </Part>
    </Card>
  );
}

function YouCard() {
  const who = useQuery<Identity>('/v1/whoami');
  return (
    <Card title="You">
      <Part of={who}>
        {(w) => (
          <Facts
            rows={[
              ['Name', w.name],
              ['Role on the platform', w.role ? <Badge tone="neutral">{w.role}</Badge> : human(w.type)],
              ['Id', <Code text={w.id} label="id" />],
              ['This session began', <Time at={session.value?.created} />],
              ['It ends', <Time at={session.value?.expires} />],
            ]}
          />
        )}
      </Part>
    </Card>
  );
}

function AuthorityCard() {
  const ca = useQuery<Authority>('/v1/ca');
  return (
    <Card title="Built-in CA" wide>
      <Part of={ca}>
        {(a) => {
          const fault = authorityFault(a);
          return (
            <>
              <p class="muted">
                Whoever is to accept what the keys here sign needs the root. It is not the root of this server’s own TLS
                certificate.
              </p>
              {fault && <Note tone="bad" title={fault} />}
              <AuthorityChain of={a} />
            </>
          );
        }}
      </Part>
    </Card>
  );
}

const manuals: [string, string][] = [
  ['chanceryd(8)', 'the server: every option of chanceryd.conf, signals, files'],
  ['chanceryd.conf', 'the example with all options, in share/doc/chancery/examples'],
  ['chancery(1)', 'the command: everything that this page does, for scripts'],
  ['guide-administrator.md', 'from the installation to backup and several servers'],
  ['guide-signer.md', 'each signing tool, step by step'],
  ['openapi.yaml', 'the REST interface, which this page uses and nothing else'],
];

export function Settings() {
  return (
    <>
      <PageHead
        title="Settings"
        lead="The server’s options are in its configuration file, out of reach of this page. What is decided here are policies, people and keys."
      >
        {isAdministrator.value && (
          <LinkButton to={href('/setup')} icon="check">
            Set-up, step by step
          </LinkButton>
        )}
      </PageHead>
      <Grid>
        <ServerCard />
        <div class="stack">
          <YouCard />
          <Card title="Decided elsewhere" flush>
            <ul class="list">
              <li>
                <a href={href('/policy')}>Policy of the platform, and the freeze switch</a>
              </li>
              {readsAll.value && (
                <li>
                  <a href={href('/hsms')}>HSMs</a>
                </li>
              )}
            </ul>
          </Card>
          <Card title="Documents" flush>
            <ul class="list">
              {manuals.map(([name, about]) => (
                <li key={name}>
                  <span class="rule-words">
                    <code>{name}</code>
                    <span class="muted">{about}</span>
                  </span>
                </li>
              ))}
            </ul>
          </Card>
        </div>
        <AuthorityCard />
      </Grid>
    </>
  );
}
