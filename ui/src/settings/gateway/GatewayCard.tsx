import { createSignal, Show } from "solid-js";
import { useApp } from "../../app/context";
import { createDeed } from "../../app/deed";
import { WarnIcon } from "../../app/icons";
import type { GatewayInfo } from "../../contract/contract";
import { asApiError } from "../../platform";
import { sentence } from "../../text/failure";
import { t } from "../../text/strings";
import { numberOf } from "../draft";
import { FieldRow } from "../FieldRow";
import type { GatewayBook } from "./book";

type Field = "port" | "max_wait_seconds";
type Problem = { field: Field | null; text: string };

/** On or off, where it listens, and how long it lets a tool wait. */
export function GatewayCard(props: { info: GatewayInfo; book: GatewayBook }) {
  const { feed, say } = useApp();
  const words = t.gateway;
  const deed = createDeed();
  const [port, setPort] = createSignal<string | null>(null);
  const [wait, setWait] = createSignal<string | null>(null);
  const [problem, setProblem] = createSignal<Problem | null>(null);
  const typedPort = () => port() ?? String(props.info.port);
  const typedWait = () => wait() ?? String(props.info.max_wait_seconds);
  const changed = (): boolean =>
    typedPort() !== String(props.info.port) || typedWait() !== String(props.info.max_wait_seconds);
  let toggle!: HTMLInputElement;

  const meant = (): { port: number; max_wait_seconds: number } | Problem => {
    const number = numberOf(typedPort());
    if (number === null || !Number.isInteger(number) || number < 0 || number > 65_535)
      return { field: "port", text: words.badPort };
    const seconds = numberOf(typedWait());
    if (seconds === null || seconds < 0) return { field: "max_wait_seconds", text: words.badWait };
    return { port: number, max_wait_seconds: seconds };
  };
  const look = (): void => {
    const now = meant();
    setProblem("text" in now ? now : null);
  };
  const revert = (): void => {
    setPort(null);
    setWait(null);
    setProblem(null);
  };
  const set = async (
    enabled: boolean,
    rest: { port: number; max_wait_seconds: number },
  ): Promise<boolean> => {
    let done = false;
    await deed.run(async () => {
      try {
        props.book.take(await feed.host.call("set_gateway", { enabled, ...rest }));
        done = true;
      } catch (thrown) {
        const { message } = asApiError(thrown);
        const field = (["port", "max_wait_seconds"] as const).find((name) => message.includes(name)) ?? null;
        setProblem({ field, text: message });
      }
    });
    return done;
  };
  const turn = async (on: boolean): Promise<void> => {
    const { port, max_wait_seconds } = props.info;
    if (await set(on, { port, max_wait_seconds })) say(on ? words.turnedOn : words.turnedOff);
    toggle.checked = props.info.enabled;
  };
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const now = meant();
    if ("text" in now || !(await set(props.info.enabled, now))) return;
    revert();
    say(words.saved);
  };
  const copy = (address: string): void => {
    feed.host.copyText(address).then(
      () => say(t.said.copied),
      () => say(t.said.failedCopy),
    );
  };
  const wrong = (field: Field): string => {
    const is = problem();
    return is?.field === field ? sentence(is.text) : "";
  };
  /** A port that was saved but does not hold yet. */
  const later = (): string => {
    const { address, port } = props.info;
    return address !== null && port !== 0 && !address.endsWith(`:${port}`)
      ? words.portLater(String(port))
      : "";
  };

  return (
    <form class="card settings-card" aria-label={words.title} onSubmit={(event) => void save(event)}>
      <label class="switch-line">
        <input
          ref={toggle}
          class="switch"
          type="checkbox"
          role="switch"
          aria-checked={props.info.enabled}
          checked={props.info.enabled}
          disabled={deed.busy()}
          onChange={(event) => void turn(event.currentTarget.checked)}
        />
        <span>{words.enabled}</span>
      </label>
      <Show when={props.info.enabled} fallback={<p class="dim">{words.off}</p>}>
        <Show
          when={props.info.address}
          fallback={
            <p class="notice">
              <WarnIcon />
              <span>{words.silent}</span>
            </p>
          }
        >
          {(address) => (
            <div class="field">
              <span class="field-name">{words.address}</span>
              <span class="field-row">
                <code class="copyable">{address()}</code>
                <button
                  type="button"
                  class="button button-small"
                  aria-label={words.copyAddress}
                  onClick={() => copy(address())}
                >
                  {words.copy}
                </button>
              </span>
              <Show when={later()}>
                <p class="field-hint">{later()}</p>
              </Show>
            </div>
          )}
        </Show>
      </Show>
      <div class="fields-beside">
        <FieldRow
          label={words.port}
          value={typedPort()}
          input={(value) => {
            setPort(value);
            look();
          }}
          hint={words.portHint}
          problem={wrong("port")}
        />
        <FieldRow
          label={words.wait}
          value={typedWait()}
          input={(value) => {
            setWait(value);
            look();
          }}
          unit={words.seconds}
          hint={words.waitHint}
          problem={wrong("max_wait_seconds")}
        />
      </div>
      <p class="problem" role="alert">
        {problem()?.field === null ? sentence(problem()?.text ?? "") : ""}
      </p>
      <div class="buttons">
        <button
          type="submit"
          class="button button-primary"
          disabled={!changed() || deed.busy() || problem() !== null}
        >
          {words.save}
        </button>
        <button type="button" class="button" disabled={!changed()} onClick={revert}>
          {words.revert}
        </button>
      </div>
    </form>
  );
}
