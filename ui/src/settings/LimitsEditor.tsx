import {
  createEffect,
  createMemo,
  createResource,
  createSignal,
  on,
  onCleanup,
  Show,
  untrack,
} from "solid-js";
import { createStore, reconcile, unwrap } from "solid-js/store";
import { infoOf, useApp } from "../app/context";
import type { Budget, Limits, ServiceId } from "../contract/contract";
import { asApiError } from "../platform";
import { labelOf } from "../text/labels";
import { t } from "../text/strings";
import { BudgetFields } from "./BudgetFields";
import { budgetOf, type Draft, draftOf, fieldIn, type Problem, sameBudget } from "./draft";
import { LimitPreview } from "./LimitPreview";
import { Presets } from "./Presets";

const previewDelayMs = 150;

export function LimitsEditor(props: { service: ServiceId }) {
  const app = useApp();
  const { feed, say } = app;
  const [limits, { mutate }] = createResource(() => feed.host.call("limits", { service: props.service }));
  const [draft, setDraft] = createStore<Draft>({ spacing: "", windows: [], quota: "" });
  const [preview, setPreview] = createSignal<Limits | null>(null);
  const [problem, setProblem] = createSignal<Problem | null>(null);
  const [saving, setSaving] = createSignal(false);
  const saved = (): Limits | null => (limits.error ? null : (limits() ?? null));

  const take = (budget: Budget): void => void setDraft(reconcile(draftOf(budget)));
  createEffect(
    on(saved, (found) => {
      if (!found) return;
      take(found.budget);
      setPreview(found);
    }),
  );

  const meant = createMemo(() =>
    budgetOf(JSON.parse(JSON.stringify(draft)) as Draft, saved()?.budget.quota?.hours ?? 24),
  );
  const changed = (): boolean => {
    const found = saved();
    const now = meant();
    return found !== null && ("problem" in now || !sameBudget(now.budget, found.budget));
  };

  // The engine says what the gauge would become; a little later than the keys, and only the latest answer counts.
  createEffect(
    on(meant, (now) => {
      if (!untrack(saved)) return;
      if ("problem" in now) {
        setProblem(now.problem);
        return;
      }
      let stale = false;
      const timer = setTimeout(async () => {
        try {
          const answer = await feed.host.call("preview_limits", {
            service: props.service,
            budget: now.budget,
          });
          if (stale) return;
          setPreview(answer);
          setProblem(null);
        } catch (thrown) {
          if (!stale) refuse(thrown);
        }
      }, previewDelayMs);
      onCleanup(() => {
        stale = true;
        clearTimeout(timer);
      });
    }),
  );

  function refuse(thrown: unknown): void {
    const { message } = asApiError(thrown);
    setProblem({ field: fieldIn(message), text: message });
  }

  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const now = meant();
    const found = saved();
    if ("problem" in now || !found) return;
    setSaving(true);
    try {
      const budget = sameBudget(now.budget, found.default_budget) ? null : now.budget;
      mutate(await feed.host.call("set_limits", { service: props.service, budget }));
      await feed.refreshRates();
      say(t.settings.saved);
    } catch (thrown) {
      refuse(thrown);
    } finally {
      setSaving(false);
    }
  };

  return (
    <Show
      when={saved()}
      fallback={
        <div class="card limits-editor" aria-busy={limits.loading}>
          <Show when={limits.error}>
            <p class="problem">{asApiError(limits.error).message}</p>
          </Show>
        </div>
      }
    >
      {(found) => (
        <form
          class="card limits-editor"
          aria-label={`Limits of ${labelOf(props.service)}`}
          onSubmit={(e) => void save(e)}
        >
          <div class="limits-form">
            <Presets limits={found()} meant={meant()} choose={take} />
            <BudgetFields draft={draft} change={setDraft} problem={problem()} />
            <p class="problem" role="alert">
              {problem()?.text ?? ""}
            </p>
            <div class="buttons">
              <button
                type="submit"
                class="button button-primary"
                disabled={!changed() || saving() || problem() !== null}
              >
                {t.settings.save}
              </button>
              <button
                type="button"
                class="button"
                disabled={!changed()}
                onClick={() => take(unwrap(found()).budget)}
              >
                {t.settings.revert}
              </button>
            </div>
          </div>
          <LimitPreview
            before={found().limit}
            after={preview()?.limit ?? found().limit}
            colour={infoOf(app, props.service)?.colour ?? "#888888"}
            label={labelOf(props.service)}
          />
        </form>
      )}
    </Show>
  );
}
