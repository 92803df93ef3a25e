import { createResource, createSignal, Show } from "solid-js";
import { createStore, reconcile } from "solid-js/store";
import { useApp } from "../../app/context";
import { createDeed } from "../../app/deed";
import { createStats } from "../../cache/stats";
import type { SharedTest } from "../../contract/contract";
import { asApiError } from "../../platform";
import { sentence } from "../../text/failure";
import { bytes, count, decimal, plural } from "../../text/format";
import { t } from "../../text/strings";
import { FieldRow } from "../FieldRow";
import { type Draft, draftOf, type Field, fieldIn, type Problem, settingsOf } from "./draft";

/** How long answers are kept, how much room they may take, and with whom they are shared. */
export function CacheSettingsForm() {
  const app = useApp();
  const { feed, say } = app;
  const words = t.cache.settings;
  const [settings, { mutate }] = createResource(() => feed.host.call("cache_settings", {}));
  const saved = () => (settings.error ? null : (settings() ?? null));
  const stats = createStats(app);
  const [typed, setTyped] = createStore<{ draft: Draft | null }>({ draft: null });
  const [problem, setProblem] = createSignal<Problem | null>(null);
  const [tested, setTested] = createSignal<SharedTest | null>(null);
  const saving = createDeed();
  const testing = createDeed();

  const draft = (): Draft | null =>
    typed.draft ?? (saved() ? draftOf(saved() as NonNullable<typeof settings.latest>) : null);
  const changed = (): boolean => {
    const now = saved();
    return now !== null && JSON.stringify(draft()) !== JSON.stringify(draftOf(now));
  };
  const type = (field: Field, value: string): void => {
    const now = draft();
    if (!now) return;
    const next = { ...now, [field]: value };
    setTyped("draft", reconcile(next));
    const meant = settingsOf(next);
    setProblem("problem" in meant ? meant.problem : null);
    if (field === "shared_url") {
      setTested(null);
      testing.setProblem("");
    }
  };
  const revert = (): void => {
    setTyped("draft", null);
    setProblem(null);
    setTested(null);
    testing.setProblem("");
  };
  const wrong = (field: Field): string => {
    const is = problem();
    return is?.field === field ? sentence(is.text) : "";
  };
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const now = draft();
    const meant = now && settingsOf(now);
    if (!meant || "problem" in meant) return;
    await saving.run(async () => {
      try {
        mutate(await feed.host.call("set_cache_settings", { settings: meant.settings }));
        revert();
        say(words.saved);
        void stats.load();
      } catch (thrown) {
        const { message } = asApiError(thrown);
        setProblem({ field: fieldIn(message), text: message });
      }
    });
  };
  const test = async (): Promise<void> => {
    setTested(null);
    // What is saved has a password that is not shown, so the engine is asked for that one.
    const url = draft()?.shared_url.trim() || null;
    await testing.run(async () => {
      const known = url === (saved()?.shared_url ?? null);
      setTested(await feed.host.call("test_shared", { url: known ? null : url }));
    });
  };

  return (
    <Show
      when={draft()}
      fallback={
        <Show when={settings.error} fallback={<p class="dim loading">{t.cache.loading}</p>}>
          <p class="problem">{asApiError(settings.error).message}</p>
        </Show>
      }
    >
      {(now) => (
        <form
          class="settings-cards"
          aria-label={t.settings.parts.cache}
          onSubmit={(event) => void save(event)}
        >
          <section class="card settings-card">
            <FieldRow
              label={words.ttl}
              value={now().ttl_hours}
              input={(value) => type("ttl_hours", value)}
              unit={words.hours}
              hint={words.ttlHint}
              problem={wrong("ttl_hours")}
            />
            <FieldRow
              label={words.notFound}
              value={now().not_found_ttl_minutes}
              input={(value) => type("not_found_ttl_minutes", value)}
              unit={words.minutes}
              problem={wrong("not_found_ttl_minutes")}
            />
            <FieldRow
              label={words.max}
              value={now().max_mb}
              input={(value) => type("max_mb", value)}
              unit={words.megabytes}
              hint={words.maxHint}
              problem={wrong("max_mb")}
            />
          </section>
          <section class="card settings-card" aria-labelledby="shared-title">
            <header class="card-head">
              <h3 id="shared-title">{words.shared}</h3>
              <Standing />
            </header>
            <p class="dim">{words.sharedHint}</p>
            <FieldRow
              wide
              label={words.sharedUrl}
              value={now().shared_url}
              input={(value) => type("shared_url", value)}
              placeholder={words.sharedPlaceholder}
              hint={words.passwordHint}
              problem={wrong("shared_url")}
            >
              <button
                type="button"
                class="button"
                disabled={now().shared_url.trim() === "" || testing.busy()}
                onClick={() => void test()}
              >
                {testing.busy() ? words.testing : words.test}
              </button>
            </FieldRow>
            <div role="status">
              <Show when={tested()}>{(found) => <Tested found={found()} />}</Show>
            </div>
            <p class="problem" role="alert">
              {testing.problem()}
            </p>
          </section>
          <p class="problem" role="alert">
            {problem()?.field === null ? sentence(problem()?.text ?? "") : ""}
          </p>
          <div class="buttons">
            <button
              type="submit"
              class="button button-primary"
              disabled={!changed() || saving.busy() || problem() !== null}
            >
              {words.save}
            </button>
            <button type="button" class="button" disabled={!changed()} onClick={revert}>
              {words.revert}
            </button>
          </div>
        </form>
      )}
    </Show>
  );

  function Standing() {
    const shared = () => stats.all()?.shared ?? null;
    return (
      <Show when={shared()}>
        {(is) => (
          <>
            <span class="dim">
              {is().machines === null
                ? ""
                : words.machines(plural(is().machines ?? 0, "machine", "machines"))}
            </span>
            <span class="badge" data-tone={is().connected ? "ok" : "warn"} title={is().trouble ?? undefined}>
              {is().connected ? words.connected : words.gone}
            </span>
          </>
        )}
      </Show>
    );
  }
}

function Tested(props: { found: SharedTest }) {
  const words = t.cache.settings;
  const rows = (): [string, string][] => {
    const { server, ms, memory_bytes, clients, keys } = props.found;
    return [
      [`${ms < 10 ? decimal(ms) : count(ms)} ms`, words.testMs],
      [bytes(memory_bytes), words.testMemory],
      [count(clients), words.testClients],
      [count(keys), words.testKeys],
      [server, words.testServer],
    ];
  };
  return (
    <div class="tested">
      <p class="connect-done">{words.tested}.</p>
      <dl class="stats">
        {rows().map(([value, name]) => (
          <div>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
