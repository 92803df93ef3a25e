/** Line icons on a 20-pixel grid, drawn for this app; they take the colour of their text. */
import type { JSX } from "solid-js";

function Icon(props: { children: JSX.Element; class?: string }) {
  return (
    <svg
      class={props.class ?? "icon"}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {props.children}
    </svg>
  );
}

export const LogoIcon = () => (
  <svg
    class="logo"
    viewBox="0 0 24 24"
    fill="none"
    stroke-width="2.6"
    stroke-linecap="round"
    aria-hidden="true"
  >
    <path class="logo-room" d="M5.6 18.4a9 9 0 0 1 10.9-14.2" />
    <path class="logo-danger" d="M19.6 7.2a9 9 0 0 1-1.2 11.2" />
    <path class="logo-hand" d="m10.6 14.4 4.6-5.2" stroke-width="2.2" />
  </svg>
);

export const GaugeIcon = () => (
  <Icon>
    <path d="M4.3 15.7a8 8 0 1 1 11.4 0" />
    <path d="m10 11 3-4" />
    <circle cx="10" cy="11" r="1" fill="currentColor" />
  </Icon>
);

export const LookupIcon = () => (
  <Icon>
    <circle cx="8.8" cy="8.8" r="5.6" />
    <path d="m13 13 4.2 4.2" />
  </Icon>
);

export const CacheIcon = () => (
  <Icon>
    <ellipse cx="10" cy="4.9" rx="6.2" ry="2.3" />
    <path d="M3.8 4.9v10.2c0 1.3 2.8 2.3 6.2 2.3s6.2-1 6.2-2.3V4.9M3.8 10c0 1.3 2.8 2.3 6.2 2.3s6.2-1 6.2-2.3" />
  </Icon>
);

export const SettingsIcon = () => (
  <Icon>
    <path d="M3 6h7M14.4 6H17M3 14h2.6M10 14h7" />
    <circle cx="12.2" cy="6" r="2.1" />
    <circle cx="7.8" cy="14" r="2.1" />
  </Icon>
);

export const GripIcon = () => (
  <Icon>
    <path d="M7.5 5h.01M12.5 5h.01M7.5 10h.01M12.5 10h.01M7.5 15h.01M12.5 15h.01" stroke-width="2.4" />
  </Icon>
);

export const WarnIcon = () => (
  <Icon>
    <path d="M10 3.2 17.6 16.4H2.4z" />
    <path d="M10 8.2v3.6M10 14.1h.01" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon>
    <path d="m5.5 5.5 9 9M14.5 5.5l-9 9" />
  </Icon>
);

export const LinkIcon = () => (
  <Icon>
    <path d="M11.5 4H16v4.5M16 4l-7 7M13.5 11.5V15a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7.5a1 1 0 0 1 1-1h3.5" />
  </Icon>
);
