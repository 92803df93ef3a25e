import { createSignal, createUniqueId, Show } from "solid-js";
import { Confirm } from "../../app/Confirm";
import { useApp } from "../../app/context";
import { createDeed } from "../../app/deed";
import type { ServiceId } from "../../contract/contract";
import { labelOf } from "../../text/labels";
import { t } from "../../text/strings";
import type { Book } from "./book";
import { secretWords } from "./words";

/**
 * One secret. What is stored is never shown; what is typed stays in its field alone, never in a signal, and
 * leaves it once it is stored.
 */
export function SecretField(props: { service: ServiceId; name: string; present: boolean; book: Book }) {
  const { feed, say } = useApp();
  const id = createUniqueId();
  const { problem, run, setProblem } = createDeed();
  const [replacing, setReplacing] = createSignal(false);
  const [forgetting, setForgetting] = createSignal(false);
  const what = () => secretWords(props.name);
  let field: HTMLInputElement | undefined;
  let replace: HTMLButtonElement | undefined;

  const edit = (): void => {
    setReplacing(true);
    field?.focus();
  };
  const leave = (): void => {
    setReplacing(false);
    setProblem("");
    replace?.focus();
  };
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const typed = field;
    if (!typed) return;
    if (!typed.value.trim()) {
      setProblem(t.connections.empty);
      typed.focus();
      return;
    }
    const stored = await run(async () => {
      await feed.host.call("set_secret", { name: props.name, value: typed.value.trim() });
      typed.value = "";
      await props.book.changed();
    });
    if (!stored) return;
    setReplacing(false);
    say(t.connections.savedSecret(what()));
    replace?.focus();
  };
  const forget = async (): Promise<void> => {
    setForgetting(false);
    const forgotten = await run(async () => {
      await feed.host.call("forget_secret", { name: props.name });
      await props.book.changed();
    });
    if (!forgotten) return;
    say(t.connections.forgotten(what()));
    field?.focus();
  };

  return (
    <form class="field secret" data-secret={props.name} onSubmit={(event) => void save(event)}>
      <Show
        when={!props.present || replacing()}
        fallback={
          <>
            <span class="secret-name">{what()}</span>
            <span class="field-row">
              <span class="secret-stored">{t.connections.stored}</span>
              <button
                ref={replace}
                type="button"
                class="button button-small"
                aria-label={`${t.connections.replace}: ${what()}, ${labelOf(props.service)}`}
                onClick={edit}
              >
                {t.connections.replace}
              </button>
              <button
                type="button"
                class="button button-small"
                aria-label={`${t.connections.forget}: ${what()}, ${labelOf(props.service)}`}
                onClick={() => setForgetting(true)}
              >
                {t.connections.forget}
              </button>
            </span>
          </>
        }
      >
        <label for={id}>
          {what()}
          <span class="visually-hidden">, {labelOf(props.service)}</span>
        </label>
        <span class="field-row">
          <input
            ref={field}
            id={id}
            class="input input-secret"
            type="password"
            autocomplete="off"
            spellcheck={false}
            aria-invalid={problem() ? true : undefined}
            aria-describedby={`${id}-problem`}
          />
          <button type="submit" class="button">
            {t.connections.save}
          </button>
          <Show when={props.present}>
            <button type="button" class="button button-quiet" onClick={leave}>
              {t.connections.cancel}
            </button>
          </Show>
        </span>
      </Show>
      <p class="problem" role="alert" id={`${id}-problem`}>
        {problem()}
      </p>
      <Show when={forgetting()}>
        <Confirm
          title={t.connections.forgetTitle(what(), labelOf(props.service))}
          detail={t.connections.forgetDetail}
          action={t.connections.forget}
          yes={() => void forget()}
          no={() => setForgetting(false)}
        />
      </Show>
    </form>
  );
}
