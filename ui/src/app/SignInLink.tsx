import type { ServiceId } from "../contract/contract";
import { routeHash } from "./router";

/** Words that say a sign-in is missing lead to where it is made. */
export function SignInLink(props: {
  service: ServiceId;
  text: string;
  class?: string;
  label?: string;
  /** not a stop of the Tab key: another link beside it is */
  skip?: boolean;
}) {
  return (
    <a
      class={props.class}
      href={routeHash({ page: "settings", part: "connections", service: props.service })}
      aria-label={props.label}
      tabindex={props.skip ? -1 : undefined}
    >
      {props.text}
    </a>
  );
}
