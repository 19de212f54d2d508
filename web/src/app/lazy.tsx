// SPDX-License-Identifier: Apache-2.0
// A page that is loaded when it is first looked at, so that the first load of all stays small.
import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Loading, Problem } from '../ui/basic';
import type { PageProps } from './page';

type View = FunctionComponent<PageProps>;

/** lazy(() => import('../pages/digest').then((m) => m.Digest)) */
export function lazy(load: () => Promise<View>): View {
  let loaded: View | undefined;
  return function Lazy(props: PageProps) {
    const [state, setState] = useState<{ error?: unknown; turn: number }>({ turn: 0 });
    useEffect(() => {
      if (loaded) return;
      let isGone = false;
      load().then(
        (view) => {
          loaded = view;
          if (!isGone) setState((s) => ({ turn: s.turn + 1 }));
        },
        (error) => !isGone && setState((s) => ({ error, turn: s.turn })),
      );
      return () => {
        isGone = true;
      };
    }, [state.turn]);
    // A part that is not there any more belongs to a server that has been renewed meanwhile.
    if (state.error) return <Problem error={new Error('This page could not be loaded. Load it again.')} />;
    if (!loaded) return <Loading lines={6} label="The page" />;
    const View = loaded;
    return <View {...props} />;
  };
}
