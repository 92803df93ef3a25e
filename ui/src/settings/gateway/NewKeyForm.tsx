import { createSignal, For, onMount, Show } from "solid-js";
import { useApp } from "../../app/context";
import { createDeed } from "../../app/deed";
import { Segments } from "../../app/Segments";
import type { ServiceId } from "../../contract/contract";
import { t } from "../../text/strings";
import { numberOf } from "../draft";
import { FieldRow } from "../FieldRow";
import type { GatewayBook } from "./book";

/** What a tool is called, what it may ask, and how much of a budget it may use. */
export function NewKeyForm(props: { book: GatewayBook; close: () => void }) {
  const { feed } = useApp();
  const words = t.gateway.keys;
  const deed = createDeed();
  const [name, setName] = createSignal("");
  const [which, setWhich] = createSignal<"all" | "some">("all");
  const [chosen, setChosen] = createSignal<ServiceId[]>([]);
  const [share, setShare] = createSignal("");
  const [rawLinks, setRawLinks] = createSignal(false);
  const [wrong, setWrong] = createSignal<{ field: "name" | "services" | "share"; text: string } | null>(null);
  let form!: HTMLFormElement;
  onMount(() => form.querySelector("input")?.focus());

  const problemOf = (field: "name" | "services" | "share"): string => {
    const is = wrong();
    return is?.field === field ? is.text : "";
  };
  const toggle = (id: ServiceId, on: boolean): void => {
    setChosen((old) => (on ? [...old, id] : old.filter((each) => each !== id)));
    setWrong(null);
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const part = share().trim() === "" ? 100 : numberOf(share());
    if (!name().trim()) {
      setWrong({ field: "name", text: words.needName });
      return;
    }
    if (which() === "some" && chosen().length === 0) {
      setWrong({ field: "services", text: words.needService });
      return;
    }
    if (part === null || !(part > 0 && part <= 100)) {
      setWrong({ field: "share", text: words.badShare });
      return;
    }
    setWrong(null);
    const made = await deed.run(async () => {
      const fresh = await feed.host.call("add_key", {
        name: name().trim(),
        services: which() === "all" ? null : chosen(),
        raw_links: rawLinks(),
        share: part === 100 ? null : part / 100,
      });
      props.book.setFresh(fresh);
      await props.book.load();
    });
    if (made) props.close();
  };

  return (
    <form ref={form} class="new-key" aria-label={words.add} onSubmit={(event) => void submit(event)}>
      <div class="fields-beside">
        <FieldRow
          wide
          label={words.nameField}
          value={name()}
          input={(value) => {
            setName(value);
            setWrong(null);
          }}
          placeholder={words.namePlaceholder}
          problem={problemOf("name")}
        />
        <FieldRow
          label={words.shareField}
          value={share()}
          input={(value) => {
            setShare(value);
            setWrong(null);
          }}
          unit={words.percent}
          placeholder={words.sharePlaceholder}
          hint={words.shareHint}
          problem={problemOf("share")}
        />
      </div>
      <div class="field">
        <Segments
          label={words.which}
          options={[
            { value: "all", text: words.whichAll },
            { value: "some", text: words.whichSome },
          ]}
          value={which()}
          choose={setWhich}
        />
        <Show when={which() === "some"}>
          <div class="choices">
            <For each={feed.catalogue()}>
              {(info) => (
                <label class="choice">
                  <input
                    type="checkbox"
                    checked={chosen().includes(info.id)}
                    onChange={(event) => toggle(info.id, event.currentTarget.checked)}
                  />
                  <span>{info.label}</span>
                </label>
              )}
            </For>
          </div>
        </Show>
        <p class="problem" role="alert">
          {problemOf("services")}
        </p>
      </div>
      <div class="field">
        <label class="choice">
          <input
            type="checkbox"
            checked={rawLinks()}
            onChange={(event) => setRawLinks(event.currentTarget.checked)}
          />
          <span>{words.rawField}</span>
        </label>
        <p class="field-hint">{words.rawHint}</p>
      </div>
      <p class="problem" role="alert">
        {deed.problem()}
      </p>
      <div class="buttons">
        <button type="submit" class="button button-primary" disabled={deed.busy()}>
          {words.make}
        </button>
        <button type="button" class="button" onClick={() => props.close()}>
          {words.cancel}
        </button>
      </div>
    </form>
  );
}
