// SPDX-License-Identifier: Apache-2.0
// The administrator's page. It uses the public REST interface and nothing else.
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { loadSession } from './api/client';
import { mayHaveSession, session } from './api/session';
import { Layout } from './app/layout';
import { startRouter } from './app/router';
import { Interruptions, SignIn } from './app/signin';
import { Loading, Problem } from './ui/basic';
import { Dialogs } from './ui/dialog';
import { Toasts } from './ui/toast';

function Start() {
  const [state, setState] = useState<'asking' | 'known' | { error: unknown }>(mayHaveSession() ? 'asking' : 'known');
  useEffect(() => {
    if (state === 'asking')
      loadSession().then(
        () => setState('known'),
        (error) => setState({ error }),
      );
  }, [state]);
  if (state === 'asking') return <Loading label="Starting" />;
  if (state !== 'known') return <Problem error={state.error} retry={() => setState('asking')} />;
  return session.value ? <Layout /> : <SignIn />;
}

function App() {
  return (
    <>
      <Start />
      <Dialogs />
      <Interruptions />
      <Toasts />
    </>
  );
}

startRouter();
render(<App />, document.getElementById('app')!);
