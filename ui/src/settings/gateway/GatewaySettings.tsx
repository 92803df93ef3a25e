import { Show } from "solid-js";
import { useApp } from "../../app/context";
import { t } from "../../text/strings";
import { createGatewayBook } from "./book";
import { GatewayCard } from "./GatewayCard";
import { Keys } from "./Keys";
import { Recipes } from "./Recipes";

/** How other tools get the protection: an address, a key each, and how to set them up. */
export function GatewaySettings() {
  const book = createGatewayBook(useApp());
  return (
    <div class="settings-cards">
      <p class="problem" role="alert">
        {book.problem()}
      </p>
      <Show when={book.info()} fallback={<p class="dim loading">{t.gateway.loading}</p>}>
        {(info) => (
          <>
            <GatewayCard info={info()} book={book} />
            <Keys book={book} />
            <Recipes book={book} />
          </>
        )}
      </Show>
    </div>
  );
}
