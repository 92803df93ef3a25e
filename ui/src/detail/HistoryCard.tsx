import { createMemo, createResource, createSignal, Show } from "solid-js";
import { useApp } from "../app/context";
import { Segments } from "../app/Segments";
import { palette } from "../canvas/palette";
import type { Event, ServiceDay, ServiceInfo, ServiceRates } from "../contract/contract";
import { asApiError } from "../platform";
import { clock, count, dateShort, plural } from "../text/format";
import { t } from "../text/strings";
import { inks } from "./colours";
import { csvName, toCsv } from "./csv";
import { HistoryChart } from "./HistoryChart";
import { HistoryTable } from "./HistoryTable";
import {
  busiest,
  dayHistory,
  deepHistory,
  type History,
  hiddenAtFirst,
  isEmpty,
  type Range,
  rangeDays,
  rangeNames,
  sum,
} from "./history";
import { Legend } from "./Legend";

const ranges = (Object.entries(rangeNames) as [Range, string][]).map(([value, text]) => ({ value, text }));

/** The chart, its table twin, and what can be done with either. */
export function HistoryCard(props: {
  info: ServiceInfo;
  day: ServiceDay;
  rates: ServiceRates;
  events: Event[];
}) {
  const { feed, say } = useApp();
  const [range, setRange] = createSignal<Range>("day");
  const [asTable, setAsTable] = createSignal(false);
  const [fitted, setFitted] = createSignal(false);
  const [hidden, setHidden] = createSignal<ReadonlySet<string>>(new Set(hiddenAtFirst));

  const [deep] = createResource(
    () => (range() === "day" ? null : range()),
    (wanted) => feed.host.call("deep_history", { service: props.info.id, days: rangeDays[wanted] }),
  );
  const history = createMemo((): History | null => {
    if (range() === "day") return dayHistory(props.day, props.events);
    const found = deep.error ? undefined : deep();
    return found ? deepHistory(found, props.rates.windows, props.events) : null;
  });
  const colours = createMemo(() => inks(history()?.lines ?? [], props.info.colour, palette()), undefined, {
    equals: (a, b) => JSON.stringify([...a]) === JSON.stringify([...b]),
  });
  const shown = createMemo(
    () => new Set((history()?.lines ?? []).map((line) => line.key).filter((key) => !hidden().has(key))),
    undefined,
    { equals: (a, b) => a.size === b.size && [...a].every((key) => b.has(key)) },
  );
  const empty = createMemo(() => {
    const found = history();
    return found !== null && isEmpty(found);
  });
  const toggle = (key: string): void => {
    const next = new Set(hidden());
    if (!next.delete(key)) next.add(key);
    setHidden(next);
  };

  const save = async (found: History): Promise<void> => {
    try {
      if (await feed.host.saveFile(csvName(props.info.id, found), toCsv(found))) say(t.said.saved);
    } catch (thrown) {
      say(asApiError(thrown).message);
    }
  };
  const copy = async (found: History): Promise<void> => {
    try {
      await feed.host.copyText(toCsv(found));
      say(t.said.copied);
    } catch {
      say(t.said.failedCopy);
    }
  };
  const label = () =>
    `${props.info.label}, calls ${range() === "day" ? "a minute" : "an hour"}, ${rangeNames[range()]}. Arrow keys read the values.`;

  return (
    <section class="card history" aria-label="History">
      <div class="history-head">
        <Segments label={t.detail.range} unseen options={ranges} value={range()} choose={setRange} />
        <p class="dim history-sum">{range() !== "day" && history() ? summary(history() as History) : ""}</p>
        <Show when={!empty()}>
          <div class="buttons">
            <Show when={!asTable() && history()?.limit}>
              <button
                type="button"
                class="button button-small button-quiet"
                aria-pressed={fitted()}
                onClick={() => setFitted(!fitted())}
              >
                {t.detail.fit}
              </button>
            </Show>
            <button
              type="button"
              class="button button-small button-quiet"
              onClick={() => setAsTable(!asTable())}
            >
              {asTable() ? t.detail.showChart : t.detail.showTable}
            </button>
            <Show when={history()}>
              {(found) => (
                <>
                  <button
                    type="button"
                    class="button button-small button-quiet"
                    onClick={() => void save(found())}
                  >
                    {t.detail.exportCsv}
                  </button>
                  <button
                    type="button"
                    class="button button-small button-quiet"
                    onClick={() => void copy(found())}
                  >
                    {t.detail.copy}
                  </button>
                </>
              )}
            </Show>
          </div>
        </Show>
      </div>
      <Show when={deep.error && range() !== "day"}>
        <p class="history-empty">{asApiError(deep.error).message}</p>
      </Show>
      <Show when={history()} fallback={<div class="chart-wait" aria-busy={deep.loading} />}>
        {(found) => (
          <Show when={!empty()} fallback={<p class="history-empty">{t.detail.noCalls}</p>}>
            <Show
              when={!asTable()}
              fallback={
                <HistoryTable history={found()} label={`${props.info.label}, ${rangeNames[range()]}`} />
              }
            >
              <HistoryChart
                history={found()}
                inks={colours()}
                shown={shown()}
                fit={fitted()}
                label={label()}
              />
              <Legend lines={found().lines} inks={colours()} shown={shown()} toggle={toggle} />
            </Show>
          </Show>
        )}
      </Show>
    </section>
  );
}

/** 2,914 calls, busiest minute 168 at 13:07 */
function summary(history: History): string {
  const values = history.lines.find((line) => line.role === "total")?.values ?? [];
  const at = busiest(values);
  if (at < 0) return t.detail.noCalls;
  const when = history.times[at] ?? 0;
  const time = history.span === "minute" ? clock(when) : `${dateShort(when)} ${clock(when)}`;
  return `${plural(sum(values), "call", "calls")}, busiest ${history.span} ${count(values[at] ?? 0)} at ${time}`;
}
