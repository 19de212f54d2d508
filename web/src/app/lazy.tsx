// SPDX-License-Identifier: Apache-2.0
// Pages that come behind the first one, so that the first load stays small.
import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Loading, Problem } from '../ui/basic';
import type { PageProps } from './page';

type View = FunctionComponent<PageProps>;

/** Of a module full of pages: `const later = lazy(() => import('./later'))`, a page of it is later.page((all) => all.Digest). */
export function lazy<All>(load: () => Promise<All>) {
  let all: All | undefined;
  const fetch = async () => {
    all = await load();
  };

  const page = (pick: (all: All) => View): View =>
    function Lazy(props: PageProps) {
      const [state, setState] = useState<{ error?: unknown; turn: number }>({ turn: 0 });
      useEffect(() => {
        if (all) return;
        let isGone = false;
        fetch().then(
          () => !isGone && setState((s) => ({ turn: s.turn + 1 })),
          (error) => !isGone && setState((s) => ({ error, turn: s.turn })),
        );
        return () => {
          isGone = true;
        };
      }, [state.turn]);
      // A part that is not there any more belongs to a server that has been renewed meanwhile.
      if (state.error) return <Problem error={new Error('This page could not be loaded. Load it again.')} />;
      if (!all) return <Loading lines={6} label="The page" />;
      const View = pick(all);
      return <View {...props} />;
    };

  /** When the browser has time; then a click on one of them waits for its data alone. A page that is asked for asks again. */
  const ahead = () => {
    const quietly = () => void fetch().catch(() => undefined);
    if ('requestIdleCallback' in window) requestIdleCallback(quietly);
    else setTimeout(quietly, 1000);
  };

  return { page, ahead };
}
