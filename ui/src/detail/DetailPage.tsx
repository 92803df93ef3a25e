import { createEffect, createMemo, createSignal, type JSX, on, onCleanup, onMount, Show } from "solid-js";
import { infoOf, modelOf, useApp } from "../app/context";
import { PageHead } from "../app/PageHead";
import { routeHash } from "../app/router";
import { SignInLink } from "../app/SignInLink";
import { legible } from "../canvas/colour";
import { palette } from "../canvas/palette";
import type { ServiceDay, ServiceId, ServiceInfo, ServiceRates } from "../contract/contract";
import { asApiError } from "../platform";
import { count, moment } from "../text/format";
import { t } from "../text/strings";
import { badge, bound, quotaSentence } from "../text/words";
import { budgetRows, budgetWords } from "./budget";
import { inks } from "./colours";
import { Events } from "./Events";
import { HistoryCard } from "./HistoryCard";
import { busiestFirst, dayHistory, withRunning } from "./history";
import { ShareBars, type ShareRow } from "./ShareBars";
import { Stats } from "./Stats";

/** The running minute is drawn at most this often: a chart of 28,800 points is not redrawn every second. */
const redrawMs = 5_000;

export function DetailPage(props: { service: ServiceId }) {
  const app = useApp();
  const { feed, router } = app;
  const [day, setDay] = createSignal<ServiceDay | null>(null);
  const [error, setError] = createSignal("");
  const info = () => infoOf(app, props.service) as ServiceInfo;
  const rates = () => feed.live.rates?.services[props.service] as ServiceRates;
  const model = createMemo(() => modelOf(app, props.service, rates()));
  const calm = (): string => legible(info().colour, palette().panel);
  const limitsPage = (): string => routeHash({ page: "settings", part: "limits", service: props.service });
  const events = createMemo(() => feed.events().filter((event) => event.service === props.service));

  const load = async (): Promise<void> => {
    try {
      setDay(await feed.host.call("day", { service: props.service }));
      setError("");
    } catch (thrown) {
      setError(asApiError(thrown).message);
    }
  };
  // A finished minute is worth a full answer: it brings the endpoints' shares, too.
  const minute = createMemo(() => Math.floor(app.now() / 60));
  createEffect(on(minute, () => void load()));
  let due: ReturnType<typeof setTimeout> | undefined;
  let drawn = 0;
  createEffect(
    on(
      () => rates().this_minute,
      () => {
        due ??= setTimeout(redraw, Math.max(0, drawn + redrawMs - Date.now()));
      },
      { defer: true },
    ),
  );
  function redraw(): void {
    due = undefined;
    drawn = Date.now();
    const now = feed.live.rates;
    if (now) setDay((old) => old && withRunning(old, now.minute, rates().this_minute));
  }

  const back = (event: KeyboardEvent): void => {
    const busy =
      event.target instanceof HTMLElement && event.target.closest("select, input[type=text], dialog");
    if (event.key === "Escape" && !busy && !event.defaultPrevented) router.go({ page: "meters" });
  };
  onMount(() => document.addEventListener("keydown", back));
  onCleanup(() => {
    document.removeEventListener("keydown", back);
    clearTimeout(due);
  });

  return (
    <>
      <PageHead
        focus
        above={
          <nav class="crumbs" aria-label="Breadcrumb">
            <a href={routeHash({ page: "meters" })}>{t.nav.meters}</a>
            <span aria-hidden="true"> / </span>
            <span aria-current="page">{info().label}</span>
          </nav>
        }
        title={info().label}
        detail={detail()}
        side={
          <Show when={day()}>{(found) => <Stats day={found()} events={events()} now={app.now()} />}</Show>
        }
      />
      <Show when={error()}>
        <p class="notice notice-danger">{error()}</p>
      </Show>
      <Show when={day()} fallback={<div class="card history chart-wait" aria-busy="true" />}>
        {(found) => <HistoryCard info={info()} day={found()} rates={rates()} events={events()} />}
      </Show>
      <div class="panels">
        <div class="panel-column">
          <Panel title={t.detail.endpoints}>
            <ShareBars rows={endpointRows()} unit="/min" />
          </Panel>
          <Panel title={t.detail.budget} link={{ to: limitsPage(), text: t.detail.changeLimits }}>
            <ShareBars rows={budgetRows(rates(), calm(), palette())} />
            <p class="dim panel-foot">{budgetWords(info(), rates())}</p>
          </Panel>
        </div>
        <div class="panel-column">
          <Panel title={t.detail.events}>
            <Events events={events()} now={app.now()} />
          </Panel>
          <Panel title={t.detail.callers}>
            <ShareBars rows={callerRows()} unit="/min" />
            <p class="dim panel-foot">{rates().hits > 0 ? t.detail.hits(count(rates().hits)) : ""}</p>
          </Panel>
        </div>
      </div>
    </>
  );

  function detail(): JSX.Element {
    const now = model();
    if (now.ban) return `Banned until ${moment(now.ban.until, app.now())}. Nothing is sent before that.`;
    if (now.state === "sign_in")
      return <SignInLink service={props.service} text="No calls until you sign in." />;
    const figure = now.binding
      ? `${count(now.cpm)} calls a minute, ${bound(now)}`
      : `${count(now.cpm)} of ${count(now.max)} calls a minute`;
    const waits = now.waiting > 0 ? `${count(now.waiting)} waiting` : null;
    const state = now.state === "cooldown" ? badge(now).toLowerCase() : null;
    return [figure, quotaSentence(now), waits, state].filter(Boolean).join(" · ");
  }

  function endpointRows(): ShareRow[] {
    const found = day();
    if (!found) return [];
    const live = rates().endpoints;
    const colours = inks(dayHistory(found, []).lines, info().colour, palette());
    const known = busiestFirst(found.endpoints).map(([name]) => name);
    const names = [...known, ...Object.keys(live).filter((name) => !known.includes(name))];
    return names.map((name) => ({
      name,
      value: live[name] ?? 0,
      of: Math.max(1, rates().cpm),
      colour: colours.get(`endpoint:${name}`)?.colour ?? palette().dim,
    }));
  }

  function callerRows(): ShareRow[] {
    return Object.entries(rates().callers)
      .sort(([a, x], [b, y]) => y - x || a.localeCompare(b))
      .map(([name, value]) => ({
        name,
        value,
        of: Math.max(1, rates().cpm),
        colour: calm(),
      }));
  }
}

function Panel(props: { title: string; link?: { to: string; text: string }; children: JSX.Element }) {
  return (
    <section class="card" aria-label={props.title}>
      <h2>
        {props.title}
        <Show when={props.link}>
          {(link) => (
            <a class="panel-link" href={link().to}>
              {link().text}
            </a>
          )}
        </Show>
      </h2>
      {props.children}
    </section>
  );
}
