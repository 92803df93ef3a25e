import { createSignal } from "solid-js";
import { useApp } from "../app/context";
import { asApiError } from "../platform";
import { t } from "../text/strings";

export function HeadButtons(props: { paused: boolean; arranging: boolean; arrange: () => void }) {
  const { feed, say } = useApp();
  const [busy, setBusy] = createSignal(false);

  const pause = async (): Promise<void> => {
    const paused = !props.paused;
    setBusy(true);
    try {
      await feed.host.call("pause", { paused });
      await feed.refreshRates();
      say(paused ? t.said.paused : t.said.resumed);
    } catch (thrown) {
      say(asApiError(thrown).message);
    } finally {
      setBusy(false);
    }
  };
  const copyDebug = async (): Promise<void> => {
    try {
      await feed.host.copyText(await feed.host.call("debug_text", {}));
      say(t.said.copiedDebug);
    } catch (thrown) {
      say(`${t.said.failedCopy}: ${asApiError(thrown).message}`);
    }
  };

  return (
    <div class="buttons">
      <button type="button" class="button" aria-pressed={props.arranging} onClick={() => props.arrange()}>
        {props.arranging ? t.head.done : t.head.arrange}
      </button>
      <button
        type="button"
        class="button"
        classList={{ "button-primary": props.paused }}
        disabled={busy()}
        onClick={() => void pause()}
      >
        {props.paused ? t.head.resume : t.head.pause}
      </button>
      <button type="button" class="button" onClick={() => void copyDebug()}>
        {t.head.copyDebug}
      </button>
    </div>
  );
}
