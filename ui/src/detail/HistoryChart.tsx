import { createEffect, createMemo, createSignal, on, onCleanup, onMount, Show, untrack } from "solid-js";
import uPlot from "uplot";
import { palette } from "../canvas/palette";
import { ChartTip } from "./ChartTip";
import type { Ink } from "./colours";
import type { History } from "./history";
import { keyTarget } from "./keys";
import { type PlotLook, plotData, plotOptions, xRange } from "./plot";
import { spokenPoint } from "./point";

const height = 380;
/** For the bench: from the first line of building to the first paint's last. */
const chartBegins = "chart begins";

type Props = {
  history: History;
  inks: Map<string, Ink>;
  shown: ReadonlySet<string>;
  fit: boolean;
  label: string;
};

/** A history as uPlot draws it, with a cursor for the pointer and for the keys. */
export function HistoryChart(props: Props) {
  let place!: HTMLDivElement;
  let plot: uPlot | null = null;
  const [cursor, setCursor] = createSignal<{ index: number; left: number } | null>(null);
  const [zoomed, setZoomed] = createSignal(false);
  const [spoken, setSpoken] = createSignal("");
  const [limitTop, setLimitTop] = createSignal<number | null>(null);

  const look = (): PlotLook => ({ palette: palette(), inks: props.inks, shown: props.shown, fit: props.fit });
  const whole = () => xRange(props.history.times, props.history.span);
  const shape = createMemo(
    () => `${props.history.span} ${props.history.lines.map((line) => line.key).join(" ")}`,
  );

  const moved = (u: uPlot): void => {
    const { idx, left } = u.cursor;
    setCursor(idx == null || left === undefined || left < 0 ? null : { index: idx, left });
  };
  const scaled = (u: uPlot): void => {
    const { min, max } = u.scales.x ?? {};
    const times = u.data[0];
    setZoomed(min != null && max != null && (min > (times[0] ?? 0) || max < (times[times.length - 1] ?? 0)));
    placeLimit(u);
  };
  const placeLimit = (u: uPlot): void => {
    const value = props.history.limit?.value;
    const y = value === undefined ? null : u.valToPos(value, "y");
    setLimitTop(y !== null && y >= 0 ? y + u.bbox.top / devicePixelRatio : null);
  };

  const painted = (): void => {
    performance.measure("chart", chartBegins);
  };

  const build = (): void => {
    performance.mark(chartBegins);
    plot?.destroy();
    setCursor(null);
    const width = place.clientWidth;
    if (width === 0) return;
    plot = new uPlot(
      plotOptions(props.history, look, { width, height }, { moved, scaled, painted }),
      plotData(props.history),
      place,
    );
    plot.setScale("x", whole());
    placeLimit(plot);
  };

  onMount(() => {
    const observer = new ResizeObserver(() => {
      if (!plot) untrack(build);
      else if (plot.width !== place.clientWidth) {
        plot.setSize({ width: place.clientWidth, height });
        placeLimit(plot);
      }
    });
    observer.observe(place);
    onCleanup(() => {
      observer.disconnect();
      plot?.destroy();
      plot = null;
    });
    // Colours and the set of lines are uPlot's at birth; numbers are not.
    createEffect(on([shape, palette, () => props.inks], () => untrack(build), { defer: true }));
    createEffect(
      on(
        () => props.history,
        () => {
          if (!plot || plot.data.length !== props.history.lines.length + 1) return;
          const chart = plot;
          const { min, max } = chart.scales.x ?? {};
          chart.batch(() => {
            chart.setData(plotData(props.history), false);
            chart.setScale("x", zoomed() && min != null && max != null ? { min, max } : whole());
          });
        },
        { defer: true },
      ),
    );
    createEffect(
      on(
        [() => props.shown, () => props.fit],
        () => {
          if (!plot) return;
          const chart = plot;
          chart.batch(() => {
            props.history.lines.forEach((line, i) => {
              if (chart.series[i + 1]?.show !== props.shown.has(line.key))
                chart.setSeries(i + 1, { show: props.shown.has(line.key) });
            });
            // Asking for the same x range makes uPlot ask for the y range anew.
            const { min, max } = chart.scales.x ?? {};
            if (min != null && max != null) chart.setScale("x", { min, max });
          });
          placeLimit(chart);
        },
        { defer: true },
      ),
    );
  });

  const press = (event: KeyboardEvent): void => {
    if (!plot) return;
    const last = props.history.times.length - 1;
    const at = cursor()?.index ?? null;
    if (event.key === "Escape" && at !== null) {
      // Spoken for: the page would go back on it.
      event.preventDefault();
      plot.setCursor({ left: -10, top: -10 });
      return;
    }
    const to = keyTarget(event, at, last);
    if (to === null) return;
    event.preventDefault();
    plot.setCursor({ left: plot.valToPos(props.history.times[to] ?? 0, "x"), top: 12 });
    setSpoken(spokenPoint(props.history, props.shown, to));
  };
  const resetZoom = (): void => plot?.setScale("x", whole());

  return (
    <div class="chart">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset groups form fields; this is a picture read with the arrow keys */}
      <div
        ref={place}
        class="chart-place"
        role="group"
        tabindex={0}
        aria-label={props.label}
        onKeyDown={press}
      />
      <Show when={limitTop() !== null && props.history.limit}>
        {(limit) => (
          <span class="chart-limit" style={{ top: `${limitTop()}px` }} aria-hidden="true">
            {limit().name}
          </span>
        )}
      </Show>
      <Show when={cursor()}>
        {(at) => (
          <ChartTip
            history={props.history}
            inks={props.inks}
            shown={props.shown}
            index={at().index}
            left={at().left + (plot?.bbox.left ?? 0) / devicePixelRatio}
            width={place.clientWidth}
          />
        )}
      </Show>
      <Show when={zoomed()}>
        <button type="button" class="button button-small chart-reset" onClick={resetZoom}>
          Whole range
        </button>
      </Show>
      <div class="visually-hidden" aria-live="polite">
        {spoken()}
      </div>
    </div>
  );
}
