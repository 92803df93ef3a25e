import { createSignal, createUniqueId, Show } from "solid-js";
import { Confirm } from "../app/Confirm";
import { Segments } from "../app/Segments";
import type { Forget } from "../contract/contract";
import { plural } from "../text/format";
import { t } from "../text/strings";
import type { Forgetter } from "./forgetting";

type What = "track" | "album" | "artist";

/** Forgets by what an answer is about, of whatever service; or everything. */
export function ForgetCard(props: { kept: number; forgetter: Forgetter; forgotten: () => void }) {
  const id = createUniqueId();
  const words = t.cache.forget;
  const [what, setWhat] = createSignal<What>("album");
  const [artist, setArtist] = createSignal("");
  const [name, setName] = createSignal("");
  const [problem, setProblem] = createSignal("");
  const [asking, setAsking] = createSignal(false);
  let artistField!: HTMLInputElement;
  let nameField: HTMLInputElement | undefined;

  const meant = (): Forget => {
    const by = artist().trim();
    if (what() === "track") return { scope: "track", artist: by, title: name().trim() };
    if (what() === "album") return { scope: "album", artist: by, album: name().trim() };
    return { scope: "artist", artist: by };
  };
  const choose = (wanted: What): void => {
    setWhat(wanted);
    setProblem("");
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const missing = !artist().trim() ? artistField : what() !== "artist" && !name().trim() ? nameField : null;
    setProblem(missing ? words.needed : "");
    if (missing) return missing.focus();
    const done = await props.forgetter.forget(meant());
    if (done === null || done === 0) return;
    setName("");
    if (what() === "artist") setArtist("");
  };
  const forgetAll = async (): Promise<void> => {
    setAsking(false);
    if ((await props.forgetter.forget({ scope: "all" })) !== null) props.forgotten();
  };

  return (
    <section class="card cache-forget" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`} class="card-title">
        {words.title}
        <button
          type="button"
          class="button button-small button-danger"
          disabled={props.kept === 0}
          onClick={() => setAsking(true)}
        >
          {words.all}
        </button>
      </h2>
      <p class="dim">{words.intro}</p>
      <div class="forget-what">
        <Segments
          label={words.what}
          unseen
          options={[
            { value: "track", text: words.track },
            { value: "album", text: words.album },
            { value: "artist", text: words.artist },
          ]}
          value={what()}
          choose={choose}
        />
      </div>
      <form onSubmit={(event) => void submit(event)}>
        <label class="forget-field">
          <span>{words.artistField}</span>
          <input
            ref={artistField}
            class="input"
            type="text"
            value={artist()}
            autocomplete="off"
            aria-invalid={problem() && !artist().trim() ? true : undefined}
            onInput={(event) => setArtist(event.currentTarget.value)}
          />
        </label>
        <Show when={what() !== "artist"}>
          <label class="forget-field">
            <span>{what() === "track" ? words.titleField : words.albumField}</span>
            <input
              ref={nameField}
              class="input"
              type="text"
              value={name()}
              autocomplete="off"
              aria-invalid={problem() && !name().trim() ? true : undefined}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </label>
        </Show>
        <button type="submit" class="button" disabled={props.forgetter.busy()}>
          {words.act}
        </button>
      </form>
      <p class="problem" role="alert">
        {problem()}
      </p>
      <Show when={asking()}>
        <Confirm
          title={words.allTitle}
          detail={words.allDetail(plural(props.kept, "question", "questions"))}
          action={words.all}
          yes={() => void forgetAll()}
          no={() => setAsking(false)}
        />
      </Show>
    </section>
  );
}
