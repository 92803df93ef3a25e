import { type JSX, onMount, Show } from "solid-js";

/** A page's title. It takes the focus when the page opens, so a screen reader starts there. */
export function PageHead(props: {
  title: string;
  detail?: JSX.Element;
  tone?: string | undefined;
  above?: JSX.Element;
  side?: JSX.Element;
  focus?: boolean;
  /** the sentence has a line of its own beneath title and side, where there is room */
  wideDetail?: boolean;
}) {
  let heading!: HTMLHeadingElement;
  onMount(() => {
    if (props.focus) heading.focus({ preventScroll: true });
  });
  return (
    <header class="page-head" classList={{ "page-head-wide": props.wideDetail ?? false }}>
      <div class="page-head-words">
        {props.above}
        <h1 ref={heading} tabindex={-1} data-tone={props.tone}>
          {props.title}
        </h1>
        <Show when={props.detail}>
          <p class="page-detail">{props.detail}</p>
        </Show>
      </div>
      <Show when={props.side}>
        <div class="page-head-side">{props.side}</div>
      </Show>
    </header>
  );
}
