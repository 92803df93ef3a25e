import { createSignal } from "solid-js";
import { useApp } from "../../app/context";
import { Segments } from "../../app/Segments";
import { t } from "../../text/strings";
import type { GatewayBook } from "./book";
import { filled, recipes, type Tool } from "./recipes";

/** Ready to paste: the gateway's address is in it, and the key that was just made. */
export function Recipes(props: { book: GatewayBook }) {
  const { feed, say } = useApp();
  const words = t.gateway.recipes;
  const [tool, setTool] = createSignal<Tool>("curl");
  const recipe = () => recipes.find((each) => each.tool === tool()) ?? recipes[0];
  const text = () => filled(recipe().text, props.book.place(), props.book.fresh()?.key ?? null);
  const copy = (): void => {
    feed.host.copyText(`${text()}\n`).then(
      () => say(t.said.copied),
      () => say(t.said.failedCopy),
    );
  };
  return (
    <section class="card settings-card" aria-labelledby="recipes-title">
      <h3 id="recipes-title">{words.title}</h3>
      <p class="dim">
        {props.book.fresh() ? words.introFilled(props.book.fresh()?.name ?? "") : words.intro}
      </p>
      <Segments
        label={words.tool}
        unseen
        options={recipes.map((each) => ({ value: each.tool, text: each.tool }))}
        value={tool()}
        choose={setTool}
      />
      <div class="recipe">
        <section class="recipe-text" tabindex={0} aria-label={tool()}>
          <pre>{text()}</pre>
        </section>
        <button type="button" class="button button-small" aria-label={words.copyOf(tool())} onClick={copy}>
          {words.copy}
        </button>
      </div>
      <p class="dim">{words.notes[tool()]}</p>
      <p class="dim recipe-others">{words.others}</p>
    </section>
  );
}
