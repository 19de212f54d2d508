// SPDX-License-Identifier: Apache-2.0
// Signing in, by password or API key; also over the page, when the session has ended or an action asks again who it is.
import { useState } from 'preact/hooks';
import { api } from '../api/client';
import { forgetAll } from '../api/kept';
import { ApiError } from '../api/problem';
import { interruption, session, sessionOpened } from '../api/session';
import type { Session } from '../api/types';
import { capital } from '../lib/text';
import { Button, Note } from '../ui/basic';
import { Dialog } from '../ui/dialog';
import { Form, TextField, useForm } from '../ui/form';
import { Logo } from '../ui/icons';
import { NewPassword } from './new_password';
import { ThemeButton } from './theme_button';

type Way = 'password' | 'api_key';
const remembered = 'chancery.way';

interface Proof {
  name?: string;
  password?: string;
  totp?: string;
  api_key?: string;
}

function refusal(way: Way, isKnown: boolean, hasCode: boolean): string {
  if (way === 'api_key')
    return `This API key is unknown, has expired or was revoked${isKnown ? ', or is somebody else’s' : ''}.`;
  const parts = [...(isKnown ? [] : ['name']), 'password', ...(hasCode ? ['code'] : [])];
  return `${capital(parts.join(' or '))} is wrong.`;
}

function ProofForm({
  submit,
  user,
  send,
  onCancel,
}: {
  submit: string;
  /** Whose secret is asked for, when that is known: then no name is. */
  user?: string;
  send: (proof: Proof) => Promise<void>;
  onCancel?: () => void;
}) {
  const [way, setWay] = useState<Way>(() => (localStorage.getItem(remembered) === 'api_key' ? 'api_key' : 'password'));
  const [wantsCode, setWantsCode] = useState(false);
  const [refused, setRefused] = useState('');
  const form = useForm({ name: user ?? '', password: '', totp: '', api_key: '' });

  const choose = (next: Way) => {
    localStorage.setItem(remembered, next);
    setRefused('');
    setWay(next);
  };

  const onSubmit = async (v: typeof form.values) => {
    setRefused('');
    const proof: Proof =
      way === 'api_key'
        ? { api_key: v.api_key.trim() }
        : {
            name: v.name.trim(),
            password: v.password,
            ...(wantsCode && v.totp.trim() ? { totp: v.totp.replace(/\s/g, '') } : {}),
          };
    try {
      await send(proof);
    } catch (e) {
      // A wrong proof of a session that is there is answered by the same question again.
      const isRefusal = e instanceof ApiError && (e.status === 401 || e.code === 'confirmation_required');
      if (!isRefusal) throw e;
      if (e.code === 'totp_required') setWantsCode(true);
      else setRefused(refusal(way, !!user, wantsCode));
    }
  };

  return (
    <>
      <div class="segments" role="group" aria-label="How to sign in">
        <button type="button" aria-pressed={way === 'password'} onClick={() => choose('password')}>
          Password
        </button>
        <button type="button" aria-pressed={way === 'api_key'} onClick={() => choose('api_key')}>
          API key
        </button>
      </div>
      <Form key={way} form={form} submit={submit} onSubmit={onSubmit} onCancel={onCancel}>
        {way === 'api_key' ? (
          <TextField
            form={form}
            name="api_key"
            label="API key"
            type="password"
            required
            machine
            autofocus
            help="It stays in this form: the browser then holds a session instead."
          />
        ) : (
          <>
            {!user && <TextField form={form} name="name" label="Name" required autocomplete="username" autofocus />}
            <TextField
              form={form}
              name="password"
              label="Password"
              type="password"
              required
              autocomplete="current-password"
              autofocus={!!user}
            />
            {wantsCode && (
              <TextField
                form={form}
                name="totp"
                label="One-time code"
                required
                autocomplete="one-time-code"
                autofocus
                help="Six digits from your authenticator, or a recovery code."
              />
            )}
          </>
        )}
        {refused && <Note tone="bad" title={refused} />}
      </Form>
    </>
  );
}

async function open(proof: Proof) {
  const before = session.value?.user;
  const opened = await api.post<Session>('/v1/session', proof, { quiet: true });
  if (before !== opened.user) forgetAll();
  sessionOpened(opened);
}

export function SignIn() {
  return (
    <main class="sign-in" id="main">
      <div class="sign-in-top">
        <ThemeButton />
      </div>
      <div class="sign-in-box">
        <div class="brand">
          <Logo />
          <h1>Chancery</h1>
        </div>
        <p class="lead">Code-signing keys that stay in the HSM.</p>
        <ProofForm submit="Sign in" send={open} />
      </div>
    </main>
  );
}

function Ended({ done }: { done: (went: boolean) => void }) {
  const user = session.value?.user;
  return (
    <Dialog title="Your session has ended" onClose={() => done(false)}>
      <p>
        Sign in again to go on. What you typed is still there
        {user ? `, and what you asked for is done then, if you are ${user}` : ''}.
      </p>
      <ProofForm
        submit="Sign in"
        send={async (proof) => {
          await open(proof);
          done(true);
        }}
        onCancel={() => done(false)}
      />
    </Dialog>
  );
}

function Confirm({ done }: { done: (went: boolean) => void }) {
  return (
    <Dialog title="Is it still you?" onClose={() => done(false)}>
      <p>This action asks once more who you are. It goes on when you have confirmed.</p>
      <ProofForm
        submit="Confirm"
        user={session.value?.user ?? ''}
        send={async ({ name: _, ...proof }) => {
          await api.post('/v1/session/confirm', proof, { quiet: true });
          done(true);
        }}
        onCancel={() => done(false)}
      />
    </Dialog>
  );
}

function MustChange({ done }: { done: (went: boolean) => void }) {
  return (
    <Dialog title="Choose a password of your own" onClose={() => done(false)}>
      <p>You signed in with a one-time password. It must be changed before anything else.</p>
      <NewPassword done={() => done(true)} />
    </Dialog>
  );
}

export function Interruptions() {
  const i = interruption.value;
  if (!i) return null;
  if (i.kind === 'ended') return <Ended done={i.done} />;
  return i.kind === 'confirm' ? <Confirm done={i.done} /> : <MustChange done={i.done} />;
}

export function SignOutButton({ onClick }: { onClick: () => void }) {
  return (
    <Button kind="quiet" icon="out" onClick={onClick}>
      Sign out
    </Button>
  );
}
