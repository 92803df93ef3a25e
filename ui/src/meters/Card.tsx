import { createMemo, type JSX, Show } from "solid-js";
import { hourOf, infoOf, modelOf, useApp } from "../app/context";
import { SignInLink } from "../app/SignInLink";
import { legible } from "../canvas/colour";
import { palette } from "../canvas/palette";
import type { ServiceId, ServiceRates } from "../contract/contract";
import { Gauge } from "../gauge/Gauge";
import { HourBars } from "../gauge/HourBars";
import type { GaugeState } from "../gauge/model";
import { t } from "../text/strings";
import { badge, beneath } from "../text/words";

const tones: Partial<Record<GaugeState, string>> = {
  banned: "danger-solid",
  spent: "danger",
  near: "danger",
  busy: "warn",
  cooldown: "quota",
};

/** One service. The name is the button that opens it, and its target is the whole card. */
export function Card(props: {
  service: ServiceId;
  rates: ServiceRates;
  open: () => void;
  tools?: JSX.Element;
}) {
  const app = useApp();
  const info = () => infoOf(app, props.service);
  const label = () => info()?.label ?? props.service;
  const colour = () => info()?.colour ?? "#888888";
  const model = createMemo(() => modelOf(app, props.service, props.rates));

  return (
    <article
      class="card"
      data-service={props.service}
      data-state={model().state}
      style={{ "--service": legible(colour(), palette().panel) }}
    >
      <header class="card-head">
        <span class="dot" aria-hidden="true" />
        <h2>
          <button type="button" class="card-open" title={label()} onClick={() => props.open()}>
            {label()}
          </button>
        </h2>
        <Show when={!props.tools} fallback={props.tools}>
          <Show
            when={model().state === "sign_in"}
            fallback={
              <span class="badge" data-tone={tones[model().state]} aria-hidden="true">
                {badge(model())}
              </span>
            }
          >
            <SignInLink
              class="badge card-link"
              service={props.service}
              text={badge(model())}
              label={t.connections.signInTo(label())}
            />
          </Show>
        </Show>
      </header>
      <Gauge model={model()} label={label()} colour={colour()} now={app.now()} />
      <p class="card-words" data-tone={model().ban ? "danger" : undefined} aria-hidden="true">
        <Show when={model().state === "sign_in"} fallback={beneath(model(), app.now())}>
          {/* The badge is the link for keys and for screen readers; this is the same for a hand. */}
          <SignInLink class="card-link" service={props.service} text={beneath(model(), app.now())} skip />
        </Show>
      </p>
      <HourBars hour={hourOf(app, props.service)} limit={props.rates.limit} colour={colour()} />
    </article>
  );
}
