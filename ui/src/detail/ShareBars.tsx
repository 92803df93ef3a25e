import { For, Show } from "solid-js";
import { count } from "../text/format";
import { t } from "../text/strings";

export type ShareRow = { name: string; value: number; of: number; colour: string; text?: string };

/** Names with bars and numbers: endpoints, callers, windows. */
export function ShareBars(props: { rows: ShareRow[]; unit?: string }) {
  return (
    <Show when={props.rows.length > 0} fallback={<p class="dim">{t.detail.quiet}</p>}>
      <ul class="share-bars">
        <For each={props.rows.map((row) => row.name)}>
          {(name, i) => {
            const row = () => props.rows[i()] as ShareRow;
            const share = () => (row().of > 0 ? Math.min(1, row().value / row().of) : 0);
            return (
              <li>
                <span class="cut" title={name}>
                  {name}
                </span>
                <span class="bar" aria-hidden="true">
                  <span style={{ "--ink": row().colour, transform: `translateX(${(share() - 1) * 100}%)` }} />
                </span>
                <span class="number">{row().text ?? `${count(row().value)}${props.unit ?? ""}`}</span>
              </li>
            );
          }}
        </For>
      </ul>
    </Show>
  );
}
