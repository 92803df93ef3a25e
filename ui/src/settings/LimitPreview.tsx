import { Gauge } from "../gauge/Gauge";
import type { GaugeModel } from "../gauge/model";
import { count, plural } from "../text/format";
import { t } from "../text/strings";

/** The gauge as it would be: its end moves while one types. */
export function LimitPreview(props: { before: number; after: number; colour: string; label: string }) {
  const model = (): GaugeModel => ({
    state: "room",
    level: "calm",
    cpm: props.after,
    max: props.after,
    fill: 0,
    peak: 0,
    binding: null,
    quota: null,
    lasting: { kind: "room" },
    waiting: 0,
    ban: null,
    cooldownSeconds: null,
  });
  return (
    <div class="limits-preview">
      <p class="dim">{t.settings.preview}</p>
      <Gauge model={model()} label={`${props.label}, preview`} colour={props.colour} now={0} />
      <p class="card-words" aria-live="polite">
        {props.after === props.before
          ? `at most ${plural(props.after, "call", "calls")} a minute`
          : `was ${count(props.before)}/min`}
      </p>
    </div>
  );
}
