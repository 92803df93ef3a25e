import { createMemo, createSignal, For, Show } from "solid-js";
import { infoOf, useApp } from "../app/context";
import { legible } from "../canvas/colour";
import { palette } from "../canvas/palette";
import type { ServiceId } from "../contract/contract";
import { count } from "../text/format";
import { LimitsEditor } from "./LimitsEditor";

/** Every service with its gauge's maximum; the chosen one can be edited. */
export function Limits(props: { asked: ServiceId | null }) {
  const app = useApp();
  const { feed, router } = app;
  const [picked, setPicked] = createSignal<ServiceId | null>(null);
  const chosen = createMemo(() => props.asked ?? picked() ?? feed.catalogue()[0]?.id ?? null);
  const choose = (id: ServiceId): void => {
    setPicked(id);
    router.go({ page: "settings", part: "limits", service: id });
  };
  const colour = (id: ServiceId): string => legible(infoOf(app, id)?.colour ?? "#888888", palette().panel);

  return (
    <div class="limits">
      <ul class="card limits-list">
        <For each={feed.catalogue()}>
          {(info) => (
            <li>
              <button
                type="button"
                class="limits-item"
                aria-current={chosen() === info.id ? "true" : undefined}
                onClick={() => choose(info.id)}
              >
                <span class="dot" style={{ "--service": colour(info.id) }} aria-hidden="true" />
                <span class="cut">{info.label}</span>
                <span class="dim">{count(feed.live.rates?.services[info.id]?.limit ?? 0)}/min</span>
              </button>
            </li>
          )}
        </For>
      </ul>
      <Show when={chosen()} keyed>
        {(id) => <LimitsEditor service={id} />}
      </Show>
    </div>
  );
}
