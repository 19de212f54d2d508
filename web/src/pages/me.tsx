// SPDX-License-Identifier: Apache-2.0
// One's own account: password, second factor, API keys, sessions.
import { useState } from 'preact/hooks';
import { api, path } from '../api/client';
import { session } from '../api/session';
import type { PasswordState, RecoveryCodes, TotpSecret, TotpState } from '../api/types';
import { NewPassword } from '../app/new_password';
import { capital, download, plural } from '../lib/text';
import { Badge, Button, Card, Code, CodeBlock, Facts, Loading, Note, PageHead, Problem, Time } from '../ui/basic';
import { ApiKeysCard, SessionsCard } from '../ui/credentials';
import { Dialog, openDialog } from '../ui/dialog';
import { Form, TextField, useForm } from '../ui/form';
import { QrCode } from '../ui/qr';
import { useQuery } from '../ui/query';
import { RolesCard } from '../ui/roles';
import { Tabs } from '../ui/tabs';
import { toast } from '../ui/toast';
import { FactorFact, PasswordFact } from './user';

const fewCodes = 3;

function ChangePassword({ isFirst, hasFactor, close }: { isFirst: boolean; hasFactor: boolean; close: () => void }) {
  return (
    <Dialog title={isFirst ? 'Set a password' : 'Change your password'} onClose={close}>
      <p>Your other sessions that were opened with a password end.</p>
      <NewPassword
        isFirst={isFirst}
        hasFactor={hasFactor}
        onCancel={close}
        done={() => {
          close();
          toast('Your password is set');
        }}
      />
    </Dialog>
  );
}

// ---- second factor

function Codes({ codes, close }: { codes: string[]; close: () => void }) {
  const text = codes.join('\n') + '\n';
  return (
    <Dialog title="Your second factor is on" onClose={close}>
      <Note tone="warn" title="Keep these recovery codes: they are shown only here">
        Each is good once in place of a code, when your device is lost. Keep them away from it.
      </Note>
      <CodeBlock label="recovery codes" text={text} />
      <div class="form-end">
        <Button kind="primary" onClick={close}>
          I have kept them
        </Button>
        <Button icon="download" onClick={() => download('chancery-recovery-codes.txt', text)}>
          Save as a file
        </Button>
      </div>
    </Dialog>
  );
}

function SetUpFactor({ user, begun, close }: { user: string; begun: TotpSecret; close: () => void }) {
  const form = useForm({ code: '' });
  const [codes, setCodes] = useState<string[] | null>(null);
  if (codes) return <Codes codes={codes} close={close} />;
  return (
    <Dialog title="Set up a second factor" onClose={close}>
      <p>1. Scan this with an authenticator, or type the secret into it: time-based, six digits.</p>
      <QrCode text={begun.uri} label="QR code of the secret below" />
      <Facts rows={[['Secret', <Code text={begun.secret} label="secret" />]]} />
      <p>2. Type the code it shows.</p>
      <Form
        form={form}
        submit="Switch it on"
        onCancel={close}
        onSubmit={async (v) => {
          const body = { code: v.code.replace(/\s/g, '') };
          setCodes((await api.put<RecoveryCodes>(path`/v1/users/${user}/totp`, body)).recovery_codes);
        }}
      >
        <TextField form={form} name="code" label="Code" required machine autofocus autocomplete="one-time-code" />
      </Form>
    </Dialog>
  );
}

function RemoveFactor({ user, close }: { user: string; close: () => void }) {
  const form = useForm({ code: '' });
  return (
    <Dialog title="Remove your second factor?" onClose={close}>
      <ul class="consequences">
        <li>You then sign in with your password alone.</li>
        <li>The recovery codes are good for nothing any more.</li>
      </ul>
      <Form
        form={form}
        submit="Remove it"
        danger
        onCancel={close}
        onSubmit={async (v) => {
          await api.delete(path`/v1/users/${user}/totp?code=${v.code.replace(/\s/g, '')}`);
          close();
          toast('Your second factor is removed');
        }}
      >
        <TextField
          form={form}
          name="code"
          label="Code"
          required
          machine
          autofocus
          autocomplete="one-time-code"
          help="Six digits from your authenticator, or a recovery code."
        />
      </Form>
    </Dialog>
  );
}

function FactorCard({ user, password, factor }: { user: string; password?: PasswordState; factor?: TotpState }) {
  const form = useForm({});
  const begin = () =>
    void form.run(async () => {
      const begun = await api.post<TotpSecret>(path`/v1/users/${user}/totp`);
      openDialog((close) => <SetUpFactor user={user} begun={begun} close={close} />);
    });
  const left = factor?.recovery_codes ?? 0;
  return (
    <Card title="Second factor">
      <p>A code from a device of yours, asked for beside the password at each sign-in.</p>
      <Facts
        rows={[
          ['State', <FactorFact of={factor} />],
          [
            'Recovery codes',
            factor?.state === 'on' ? (
              left <= fewCodes ? (
                <Badge tone="warn">{left} left</Badge>
              ) : (
                `${plural(left, 'code')} left`
              )
            ) : undefined,
          ],
        ]}
      />
      {password && !password.is_set && factor?.state === 'off' && (
        <p class="help">It goes with a password, and you have none: set one first.</p>
      )}
      {!!form.error && <Problem error={form.error} retry={begin} />}
      <div class="actions">
        {factor && factor.state !== 'on' && (
          <Button busy={form.busy} onClick={begin}>
            {factor.state === 'begun' ? 'Begin anew' : 'Set it up'}
          </Button>
        )}
        {factor?.state === 'on' && (
          <Button onClick={() => openDialog((close) => <RemoveFactor user={user} close={close} />)}>Remove</Button>
        )}
      </div>
    </Card>
  );
}

function SignIn({ user }: { user: string }) {
  const password = useQuery<PasswordState>(path`/v1/users/${user}/password`);
  const factor = useQuery<TotpState>(path`/v1/users/${user}/totp`);
  const failed = password.error ?? factor.error;
  if (failed) return <Problem error={failed} retry={() => (password.reload(), factor.reload())} />;
  if (!password.data || !factor.data) return <Loading label="How you sign in" />;
  const isFirst = !password.data.is_set;
  const hasFactor = factor.data.state === 'on';
  return (
    <div class="grid columns-2">
      <Card title="Password">
        <p>For signing in with a browser.</p>
        <Facts rows={[['State', <PasswordFact of={password.data} />]]} />
        <div class="actions">
          <Button
            onClick={() =>
              openDialog((close) => <ChangePassword isFirst={isFirst} hasFactor={hasFactor} close={close} />)
            }
          >
            {isFirst ? 'Set a password' : 'Change it'}
          </Button>
        </div>
      </Card>
      <FactorCard user={user} password={password.data} factor={factor.data} />
    </div>
  );
}

export function Me() {
  const me = session.value!;
  return (
    <>
      <PageHead
        title="My account"
        badge={<Badge tone="info">{capital(me.role)}</Badge>}
        lead={
          <>
            You are {me.user}, signed in with {me.opened_with === 'password' ? 'your password' : 'an API key'} since{' '}
            <Time at={me.created} />.
          </>
        }
      />
      <Tabs
        label="Parts of my account"
        tabs={[
          {
            id: 'sign-in',
            label: 'Sign-in',
            view: () => (
              <>
                <SignIn user={me.user} />
                <SessionsCard user={me.user} />
              </>
            ),
          },
          { id: 'api-keys', label: 'API keys', view: () => <ApiKeysCard user={me.user} /> },
          {
            id: 'roles',
            label: 'Roles',
            view: () => <RolesCard of={me.user} path={path`/v1/users/${me.user}/roles`} byTeam />,
          },
        ]}
      />
    </>
  );
}
