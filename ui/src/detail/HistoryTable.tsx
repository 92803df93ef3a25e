import { createMemo, createSignal, For } from "solid-js";
import { clock, count, dateWeekday } from "../text/format";
import { type Group, groupsOf } from "./groups";
import type { History } from "./history";

/** The chart's numbers as a table: a summary of the range, or every row of one hour or day of it. */
export function HistoryTable(props: { history: History; label: string }) {
  const [open, setOpen] = createSignal<number | null>(null);
  const groups = createMemo(() => groupsOf(props.history));
  const chosen = () => groups().find((group) => group.at === open()) ?? null;
  const byMinute = () => props.history.span === "minute";
  const name = (group: Group): string =>
    byMinute() ? `${dateWeekday(group.at)}, ${clock(group.at)}` : dateWeekday(group.at);
  const rows = createMemo(() => {
    const group = chosen();
    if (!group) return groups().map((g) => ({ at: g.at, name: name(g), values: g.sums }));
    return group.indexes.map((i) => ({
      at: props.history.times[i] ?? 0,
      name: clock(props.history.times[i] ?? 0),
      values: props.history.lines.map((line) => line.values[i] ?? 0),
    }));
  });

  return (
    <div class="table-twin">
      <label class="field-inline">
        <span>Show</span>
        <span class="select">
          <select
            onChange={(event) =>
              setOpen(event.currentTarget.value ? Number(event.currentTarget.value) : null)
            }
          >
            <option value="">{byMinute() ? "Every hour" : "Every day"}</option>
            <For each={groups()}>
              {(group) => (
                <option value={group.at}>
                  {byMinute() ? "Minutes of" : "Hours of"} {name(group)}
                </option>
              )}
            </For>
          </select>
        </span>
      </label>
      <section class="table-scroll" tabindex={0} aria-label={props.label}>
        <table>
          <thead>
            <tr>
              <th scope="col">{chosen() ? (byMinute() ? "Minute" : "Hour") : byMinute() ? "Hour" : "Day"}</th>
              <For each={props.history.lines}>{(line) => <th scope="col">{line.label}</th>}</For>
            </tr>
          </thead>
          <tbody>
            <For each={rows()}>
              {(row) => (
                <tr>
                  <th scope="row">{row.name}</th>
                  <For each={row.values}>{(value) => <td>{count(value)}</td>}</For>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </section>
    </div>
  );
}
